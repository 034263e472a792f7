"""Sets of spokes that come and go while an engine runs. Knows no chat and no HTTP."""

from dataclasses import dataclass

from spokesmith.decoding.engine import Engine
from spokesmith.spokes import attach, attached_sets, detach, find_spokes, load_spokes
from spokesmith.tasks import Task, task_of_set


@dataclass(frozen=True, kw_only=True)
class LoadedSet:
    """A set beside a base: its name there, where it came from, and the task it was trained for."""

    name: str
    folder: str
    task: Task | None


def names_of_sets(engine: Engine) -> list[str]:
    return list(attached_sets(engine.base.model))


def load_set(engine: Engine, source: str, *, name: str | None = None) -> LoadedSet:
    """Put a set beside the engine's base, between two steps; answers under way go on.

    Args:
        engine: which one.
        source: a folder, or the name of a shipped set.
        name: of the set there; None takes its task's.

    Raises:
        ValueError: it is no set for this base, its task is not to be had, the name is taken, or
            there is no memory for it.
    """
    folder = find_spokes(source)
    spokes, card = load_spokes(folder, base_fingerprint=engine.base.fingerprint)
    task = task_of_set(folder, card)
    name = name or (folder.name if task is None else task.name)
    if name == engine.base.name:
        raise ValueError(f"'{name}' is the base's own name: give the set another one")

    def put() -> None:
        model = engine.base.model
        try:
            attach(model, engine.base.sites(), spokes, name=name)
            engine.runner.refresh()
        except RuntimeError as error:
            if name in attached_sets(model):
                detach(model, name)
            reason = str(error).splitlines()[0]
        else:
            return
        # What was laid out for the set is given back here, and not in the next answer's step.
        engine.runner.refresh()
        raise ValueError(
            f"the set '{name}' does not fit beside the base ({reason}): unload another set, or "
            "free memory"
        )

    engine.between_steps(put).result()
    return LoadedSet(name=name, folder=str(folder), task=task)


def unload_set(engine: Engine, name: str) -> None:
    """Take a set away, once no answer uses it."""

    def take() -> None:
        detach(engine.base.model, name)
        engine.batch.forget(name)

    engine.between_steps(take, unused=name).result()
