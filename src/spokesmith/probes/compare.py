"""Compares two report documents: measures side by side, and the probes of both, pair by pair.

Reads verdicts and judges nothing. Measures are those of each whole report; the paired tests count
only probes that both reports have, with the same text.
"""

from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from spokesmith.metrics import mcnemar
from spokesmith.probes.tables import figures, shown

SAME_SETTINGS = ("task", "constrained", "verbatim", "max_tokens", "time_limit_s")
SAME_HASHES = ("set_hash", "schema_hash", "prompt_hash")
VERDICTS = ("passes", "valid")
MOST_IDS = 40

Document = Mapping[str, Any]


def compare(one: Document, other: Document, *, names: tuple[str, str]) -> dict[str, Any]:
    """What differs between two reports, as values that `json.dumps` takes."""
    first, second = _by_id(one), _by_id(other)
    shared = [id for id in first if id in second and _same_text(first[id], second[id])]
    return {
        "reports": [
            {"name": name, **{key: report.get(key) for key in ("base", "spokes", "url", "set")}}
            for name, report in zip(names, (one, other), strict=True)
        ],
        "warnings": _warnings(one, other, first, second, shared),
        "in_both": len(shared),
        "only_in_one": [len(first) - len(shared), len(second) - len(shared)],
        "measures": _measures(one, other),
        "paired": {
            verdict: _paired(
                {id: first[id][verdict] for id in shared},
                {id: second[id][verdict] for id in shared},
            )
            for verdict in VERDICTS
        },
    }


def _by_id(document: Document) -> dict[str, Mapping[str, Any]]:
    return {entry["id"]: entry for entry in document["probes"]}


def _same_text(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two entries have one text; a report without contents does not say."""
    texts = (one["source"], other["source"])
    return None in texts or texts[0] == texts[1]


def _warnings(
    one: Document,
    other: Document,
    first: Mapping[str, Any],
    second: Mapping[str, Any],
    shared: list[str],
) -> list[str]:
    made, made_other = one.get("made", {}), other.get("made", {})
    settings, settings_other = {**made, **one}, {**made_other, **other}
    found = [
        f"{name} differs: {settings.get(name)!r} and {settings_other.get(name)!r}"
        for name in SAME_SETTINGS
        if settings.get(name) != settings_other.get(name)
    ]
    found += [
        f"the {name.removesuffix('_hash')} is not the same in both"
        for name in SAME_HASHES
        if made.get(name) != made_other.get(name)
    ]
    if len(first) > len(shared) or len(second) > len(shared):
        alone = (len(first) - len(shared), len(second) - len(shared))
        found.append(
            f"only {len(shared)} probes are in both and are compared pair by pair; "
            f"{alone[0]} are in the first report alone, {alone[1]} in the second"
        )
    return found


def _measures(one: Document, other: Document) -> dict[str, list[Any]]:
    first, second = _all_measures(one["totals"]), _all_measures(other["totals"])
    nothing = {"value": None, "interval_95": None, "n": 0}
    return {
        name: [first.get(name, nothing), second.get(name, nothing)]
        for name in dict.fromkeys([*first, *second])
    }


def _all_measures(totals: Mapping[str, Any]) -> dict[str, Any]:
    """The strict measures, then the classical ones, which share a name with them."""
    published = totals.get("classical") or {}
    return totals["measures"] | {f"classical {name}": one for name, one in published.items()}


def _paired(one: Mapping[str, bool], other: Mapping[str, bool]) -> dict[str, Any]:
    """A verdict on the same probes twice: how often it holds, which flipped, McNemar's p."""
    only_first = [id for id in one if one[id] and not other[id]]
    only_second = [id for id in one if other[id] and not one[id]]
    return {
        "holds": [sum(one.values()), sum(other.values())],
        "of": len(one),
        "only_first": only_first,
        "only_second": only_second,
        "p": mcnemar(len(only_first), len(only_second)),
    }


def comparison_tables(found: Mapping[str, Any]) -> list[Table]:
    """The comparison for a terminal."""
    return [_side_by_side(found), _flips(found)]


def _side_by_side(found: Mapping[str, Any]) -> Table:
    labels = [
        f"{key}: {report['name']} ({report['url'] or report['spokes'] or 'answers of a file'})"
        for key, report in zip("AB", found["reports"], strict=True)
    ]
    table = Table(title=Text("\n".join(labels)), title_justify="left")
    table.add_column("measure", no_wrap=True)
    for key in "AB":
        table.add_column(key, no_wrap=True, justify="right")
        table.add_column("95 %", no_wrap=True, justify="right")
        table.add_column("n", no_wrap=True, justify="right")
    for name, pair in found["measures"].items():
        if any(measure["n"] for measure in pair):
            cells = [cell for one in pair for cell in (*figures(one), str(one["n"]))]
            table.add_row(name, *cells)
    return table


def _flips(found: Mapping[str, Any]) -> Table:
    table = Table(title=f"pair by pair: {found['in_both']} probes in both")
    for name in ("", "A", "B"):
        table.add_column(name, no_wrap=True)
    table.add_column("A alone", overflow="fold")
    table.add_column("B alone", overflow="fold")
    table.add_column("McNemar p", no_wrap=True, justify="right")
    for verdict, pair in found["paired"].items():
        table.add_row(
            verdict,
            *(f"{count}/{pair['of']}" for count in pair["holds"]),
            _ids(pair["only_first"]),
            _ids(pair["only_second"]),
            f"{pair['p']:.3g}",
        )
    return table


def _ids(ids: list[str]) -> Text:
    more = f" and {len(ids) - MOST_IDS} more" if len(ids) > MOST_IDS else ""
    listed = f": {', '.join(ids[:MOST_IDS])}{more}" if ids else ""
    return Text(shown(f"{len(ids)}{listed}"))
