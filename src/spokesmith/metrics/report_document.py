"""How to read the report document that `probe --out` writes: its format, how its answers were
decoded, which facts are wrong in an entry of its `probes`.

The rooms that write, show and compare reports share this; how a verdict came about is not known
here.
"""

from collections.abc import Mapping
from typing import Any

FORMAT = 1


def check_format(document: Mapping[str, Any]) -> None:
    """Refuse what is no report document of the format that is read here.

    Raises:
        ValueError: it is not.
    """
    if document.get("format") != FORMAT:
        raise ValueError(
            f"the report's format is {document.get('format')!r}, this page reads {FORMAT}: "
            "run the probes again with this version"
        )


def decoding_of(document: Mapping[str, Any]) -> str:
    """How the answers were decoded; answers that others made do not say."""
    return {True: "constrained", False: "free", None: "unknown decoding"}[document["constrained"]]


def made_up(entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The stated facts of an answer that its text does not ground; of one that failed none."""
    return [one for one in entry["judgement"]["stated"] if one["source_span"] is None]


def not_kept(entry: Mapping[str, Any], kind: str | None = None) -> list[dict[str, Any]]:
    """The facts of the text, of all kinds or of one, that an answer does not keep; all where it
    failed."""
    return [
        one for one in entry["judgement"]["kept"] if not one["kept"] and kind in (None, one["kind"])
    ]
