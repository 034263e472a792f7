"""Sets of spokes that come with the package."""

from pathlib import Path

from spokesmith.spokes.files import CARD_NAME

SHIPPED = Path(__file__).parents[1] / "shipped"


def shipped_names() -> list[str]:
    """The names of the shipped sets."""
    return sorted(card.parent.name for card in SHIPPED.glob(f"*/{CARD_NAME}"))


def find_spokes(name_or_folder: str | Path) -> Path:
    """The folder of a set: one of the shipped names, or a folder.

    Raises:
        ValueError: it is neither.
    """
    if str(name_or_folder) in shipped_names():
        return SHIPPED / str(name_or_folder)
    folder = Path(name_or_folder)
    try:
        is_set = (folder / CARD_NAME).is_file()
    except OSError:
        # Too long a name, or a folder that may not be looked into.
        is_set = False
    if not is_set:
        raise ValueError(
            f"no set of spokes at '{name_or_folder}': give a folder with a {CARD_NAME}, "
            f"or a shipped name ({', '.join(shipped_names())})"
        )
    return folder
