"""The card of a data set: an audit as tables of words, for a terminal or a Markdown file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from spokesmith.data.audit.run import Audit
from spokesmith.data.pairs import SPLITS

MARKDOWN_MARKS = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_[]<>|#"} | {"\n": " "})


@dataclass(frozen=True, kw_only=True)
class Section:
    """A table with a title. Cells of columns after the first are figures, unless `is_prose`."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    is_prose: bool = False


def sections(audit: Audit) -> list[Section]:
    """The tables of an audit, the verdict first; those without rows are left out."""
    return [section for section in _all_sections(audit) if section.rows]


def markdown(audit: Audit, *, name: str, file_hash: str) -> str:
    """The card as a Markdown page.

    Args:
        name: of the data set.
        file_hash: SHA-256 of the file that holds its pairs.
    """
    verdict = "Every fatal check passes." if audit.ok else "**It fails the audit.**"
    lines = [
        f"# Data set {name.translate(MARKDOWN_MARKS)}",
        "",
        f"{audit.pairs:,} pairs for the task `{audit.task}`. {verdict}",
        "",
        f"- SHA-256 of the file of pairs: `{file_hash}`",
        f"- SHA-256 of the texts: `{audit.texts_hash}`",
    ]
    for section in sections(audit):
        lines += ["", f"## {section.title}", "", *_markdown_table(section)]
    return "\n".join(lines) + "\n"


def _markdown_table(section: Section) -> Iterator[str]:
    rule = "---" if section.is_prose else "---:"
    yield _markdown_row(section.columns)
    yield _markdown_row(("---", *(rule for _ in section.columns[1:])), is_rule=True)
    yield from map(_markdown_row, section.rows)


def _markdown_row(cells: Sequence[str], *, is_rule: bool = False) -> str:
    escaped = cells if is_rule else [cell.translate(MARKDOWN_MARKS) for cell in cells]
    return f"| {' | '.join(escaped)} |"


def _all_sections(audit: Audit) -> Iterator[Section]:
    yield _checks(audit)
    yield Section(
        title="Measures of the golds",
        columns=("measure", "value", "n"),
        rows=[
            (name, f"{measure['value']:.2%}", f"{measure['n']:,}")
            for name, measure in audit.measures.items()
        ],
    )
    yield _kinds(audit)
    points = next(iter(audit.lengths.values()), {})
    yield Section(
        title="Lengths",
        columns=("", *points),
        rows=[
            (_words(name), *(f"{value:,}" for value in values.values()))
            for name, values in audit.lengths.items()
            if values
        ],
    )
    yield Section(
        title="Hard cases",
        columns=("case", "pairs", "share", "wanted by the mix"),
        rows=[
            (_words(name), f"{case.pairs:,}", f"{case.share:.1%}", f"{case.wanted:.1%}")
            for name, case in audit.hard_cases.items()
        ],
    )
    for name, values in audit.variety.items():
        yield Section(
            title=f"Most frequent: {name}",
            columns=(name, "pairs", "share"),
            rows=[(one.value, f"{one.pairs:,}", f"{one.share:.1%}") for one in values],
        )
    yield Section(
        title="Probes that no text may be near",
        columns=("set", "texts"),
        rows=[(name, f"{count:,}") for name, count in audit.probes.items()],
    )


def _checks(audit: Audit) -> Section:
    rows: list[tuple[str, ...]] = []
    for name, check in audit.checks.items():
        verdict = "fails" if check.count and check.fatal else "noted" if check.count else "good"
        first = f"{check.examples[0].id}: {check.examples[0].reason}" if check.examples else ""
        rows.append((_words(name), f"{check.count:,}", verdict, first))
    columns = ("check", "found", "verdict", "first of them")
    return Section(title="Checks", columns=columns, rows=rows, is_prose=True)


def _kinds(audit: Audit) -> Section:
    """Pairs by kind and split, the most frequent kind first, and all of them."""
    ordered = sorted(audit.kinds.items(), key=lambda one: (-sum(one[1].values()), one[0]))
    rows = [
        (
            kind,
            *(f"{counts.get(split, 0):,}" for split in SPLITS),
            f"{sum(counts.values()) / audit.pairs:.1%}",
        )
        for kind, counts in [*ordered, ("all", audit.splits)]
        if counts
    ]
    return Section(title="Kinds", columns=("kind", *SPLITS, "share"), rows=rows)


def _words(name: str) -> str:
    return name.replace("_", " ")
