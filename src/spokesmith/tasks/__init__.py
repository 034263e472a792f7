"""Tasks: a schema, a prompt and probes in one folder, and the canonical JSON of its encodings."""

from spokesmith.tasks.canonical import canonical_json, order_like
from spokesmith.tasks.of_set import task_of_set
from spokesmith.tasks.task import Message, Task, load_task, save_task

__all__ = [
    "Message",
    "Task",
    "canonical_json",
    "load_task",
    "order_like",
    "save_task",
    "task_of_set",
]
