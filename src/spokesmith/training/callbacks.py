"""What happens beside the steps of a run: its log, its progress bar, its best set, early stopping.

All of it is derived from the run's own log and the Trainer's history, which a checkpoint holds:
every evaluation and the newest loss. So a resumed run goes on as if it had never stopped.
"""

import csv
import json
import math
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from spokesmith.spokes import SpokesCard, SpokeSet, save_spokes
from spokesmith.tasks import Task, save_task
from spokesmith.tasks.files import write_text
from spokesmith.tasks.of_set import FOLDER_NAME

LOG_COLUMNS: tuple[str, ...] = (
    "step",
    "loss",
    "learning_rate",
    "grad_norm",
    "tokens_per_s",
    "eval_loss",
)
LOG_NAME = "log.jsonl"
CSV_NAME = "log.csv"


class RunLog(TrainerCallback):
    """Writes one line a step to `log.jsonl`, and the same numbers to `log.csv`."""

    def __init__(self, run_folder: Path) -> None:
        self.path = run_folder / LOG_NAME
        self.csv_path = run_folder / CSV_NAME

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Forget lines after the checkpoint that a resumed run starts from."""
        kept = [row for row in read_log(self.path) if row["step"] <= state.global_step]
        write_text(self.path, "".join(json.dumps(row) + "\n" for row in kept))

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        row = {"step": state.global_step, **(logs or {})}
        row = {key: row[key] for key in LOG_COLUMNS if key in row}
        if len(row) > 1:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._write_csv()

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._write_csv()

    def _write_csv(self) -> None:
        with self.csv_path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, LOG_COLUMNS)
            writer.writeheader()
            writer.writerows(read_log(self.path))


def read_log(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a run's log; a line that was cut by a kill is left out."""
    if not path.is_file():
        return []
    rows: list[dict[str, Any]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return rows


class KeepBest(TrainerCallback):
    """Keeps the set with the lowest evaluation loss in `best/`, the newest in `last/`, each with
    its task beside it.

    With `patience` above 0 it stops a run whose last so many evaluations brought no better loss.
    Every process needs one, so that all stop together; only the one that `writes` keeps sets.
    """

    def __init__(
        self,
        run_folder: Path,
        spokes: SpokeSet,
        card: SpokesCard,
        task: Task,
        *,
        patience: int,
        writes: bool = True,
    ) -> None:
        self.run_folder = run_folder
        self.spokes = spokes
        self.card = card
        self.task = task
        self.patience = patience
        self.writes = writes

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """A run that was stopped and is resumed stays stopped."""
        if self._is_patience_over(_eval_losses(state)):
            control.should_training_stop = True

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        losses = _eval_losses(state)
        if losses.index(min(losses)) == len(losses) - 1:
            self._save("best", state, losses[-1])
        if self._is_patience_over(losses):
            control.should_training_stop = True

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        losses = _eval_losses(state)
        self._save("last", state, losses[-1] if losses else None)
        if not losses:
            self._save("best", state, None)
        elif self.writes:
            # An older run may have kept it without.
            save_task(self.task, self.run_folder / "best" / FOLDER_NAME)

    def _is_patience_over(self, losses: list[float]) -> bool:
        since_best = len(losses) - 1 - losses.index(min(losses)) if losses else 0
        return 0 < self.patience <= since_best

    def _save(self, name: str, state: TrainerState, eval_loss: float | None) -> None:
        if not self.writes:
            return
        facts = {**self.card.training, "steps": state.global_step, "eval_loss": eval_loss}
        card = SpokesCard(**{**vars(self.card), "training": facts})
        save_spokes(self.run_folder / name, self.spokes, card)
        save_task(self.task, self.run_folder / name / FOLDER_NAME)


def _eval_losses(state: TrainerState) -> list[float]:
    return [row["eval_loss"] for row in state.log_history if "eval_loss" in row]


class StopAtLoss(TrainerCallback):
    """Ends a run once the loss of a step is below `target`."""

    def __init__(self, target: float) -> None:
        self.target = target

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """A run that was stopped and is resumed stays stopped."""
        if any(row.get("loss", math.inf) < self.target for row in state.log_history):
            control.should_training_stop = True

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if logs and logs.get("loss", math.inf) < self.target:
            control.should_training_stop = True


class ProgressBar(TrainerCallback):
    """A bar with loss, rate, tokens/s and time left; plain lines where nobody watches."""

    LINES = 12

    def __init__(self) -> None:
        self.console = Console(stderr=True)
        self.progress = Progress(
            TextColumn("step {task.completed:.0f}/{task.total:.0f}"),
            BarColumn(),
            TextColumn("{task.description}"),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self.bar = self.progress.add_task("", total=None)

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self.progress.update(self.bar, total=state.max_steps, completed=state.global_step)
        self.progress.start()

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        logs = logs or {}
        if "eval_loss" in logs:
            self.progress.console.print(
                f"step {state.global_step}: eval loss {logs['eval_loss']:.4f}"
            )
        if "loss" not in logs:
            return
        words = f"loss {logs['loss']:.4f}  rate {logs['learning_rate']:.2e}"
        words += f"  {logs.get('tokens_per_s', 0):.0f} tokens/s"
        self.progress.update(self.bar, completed=state.global_step, description=words)
        every = max(1, state.max_steps // self.LINES)
        last = state.global_step == state.max_steps
        if self.progress.disable and (state.global_step % every == 1 or every == 1 or last):
            self.console.print(f"step {state.global_step}/{state.max_steps}  {words}")

    def stop(self) -> None:
        """Give the terminal back; whoever trains calls it, since an error ends no callback."""
        self.progress.stop()
