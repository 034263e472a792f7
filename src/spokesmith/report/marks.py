"""Marks in a text as HTML: spans may nest, overlap and coincide, and all text is escaped.

Knows nothing of facts.
"""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from markupsafe import Markup


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A span of a text, in characters, and the element that it becomes.

    `attributes` stand on the element, `id` only on its first part where the mark is cut because it
    crosses another. A link carries no `id`.
    """

    start: int
    end: int
    tag: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Node:
    mark: Mark
    inner: list["_Node"] = field(default_factory=list)


def marked(text: str, marks: Iterable[Mark]) -> Markup:
    """`text` with each mark as an element around its span.

    A link that holds other marks is cut into links around them, since HTML has no link in a link.

    Raises:
        ValueError: a mark is empty or reaches out of the text.
    """
    whole = _Node(mark=Mark(start=0, end=len(text), tag=""))
    path = [whole]
    for mark in _nested(text, marks):
        while path[-1].mark.end <= mark.start:
            path.pop()
        node = _Node(mark=mark)
        path[-1].inner.append(node)
        path.append(node)
    return _content(text, whole)


def _nested(text: str, marks: Iterable[Mark]) -> Iterable[Mark]:
    """The marks in the order of their openings, cut where one crosses the end of another."""
    waiting: list[tuple[int, int, int, Mark]] = []
    for order, mark in enumerate(marks):
        if not 0 <= mark.start < mark.end <= len(text):
            raise ValueError(
                f"the span {mark.start} to {mark.end} does not fit a text of {len(text)} "
                "characters: the report belongs to another text"
            )
        heapq.heappush(waiting, (mark.start, -mark.end, order, mark))
    ends: list[int] = []
    while waiting:
        start, _, order, mark = heapq.heappop(waiting)
        while ends and ends[-1] <= start:
            ends.pop()
        if ends and ends[-1] < mark.end:
            attributes = {name: value for name, value in mark.attributes.items() if name != "id"}
            rest = replace(mark, start=ends[-1], attributes=attributes)
            heapq.heappush(waiting, (rest.start, -rest.end, order, rest))
            mark = replace(mark, end=ends[-1])
        ends.append(mark.end)
        yield mark


def _content(text: str, node: _Node) -> Markup:
    """What stands inside a node's element."""
    cuts_link = node.mark.tag == "a" and bool(node.inner)
    parts: list[Markup] = []
    place = node.mark.start
    for inner in [*node.inner, None]:
        end = node.mark.end if inner is None else inner.mark.start
        if place < end:
            between = Markup.escape(text[place:end])
            parts.append(_element("a", node.mark.attributes, between) if cuts_link else between)
        if inner is not None:
            # A link that holds marks lives on in the parts between them.
            is_cut = inner.mark.tag == "a" and bool(inner.inner)
            tag, attributes = ("span", {}) if is_cut else (inner.mark.tag, inner.mark.attributes)
            parts.append(_element(tag, attributes, _content(text, inner)))
            place = inner.mark.end
    return Markup("").join(parts)


def _element(tag: str, attributes: Mapping[str, str], content: Markup) -> Markup:
    written = Markup("").join(
        Markup(' {}="{}"').format(Markup(name), value) for name, value in attributes.items()
    )
    return Markup("<{}{}>{}</{}>").format(Markup(tag), written, content, Markup(tag))
