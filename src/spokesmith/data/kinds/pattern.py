"""A small language for text templates that carry their own gold.

    {slot}              a value drawn once per text from the vocabulary `slot` (digits and a name
                        may mark further draws: {person2}, {before=num:10:90})
    {^slot}             the value with a capital first letter
    {slot#}             the value is also a concept
    {slot!context}      the value is also an entity; the context says what role it plays
    {x=flip:a/b}        a, or b in the opposite text; all flips of a text turn together
    [[...]]             there or not
    ((a|b|c))           one of these
    <<gs:...>>          the words are also gist (g), summary (s), narrative (n), concept (k), cause
                        (b), effect (e), purpose (t), verb (v), object (o) or details (d)
    " // "              a border between sentences: a space, a line break or a bullet
    {{ and }}           braces

Everything that a gold says is thus a piece of its text. Does not know the vocabularies.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from random import Random

TAGS = "gsnkbetvod"
BORDER = "\x1f"
REDRAWS = 30
DATE_FORMS = (
    "{year}-{month:02d}-{day:02d}",
    "{year}-{month:02d}-{day:02d}",
    "{day} {name}",
    "{day} {name} {year}",
    "{name} {day}",
    "{name} {day}, {year}",
    "{day:02d}.{month:02d}.{year}",
    "{day}/{month}/{year}",
    "{short} {day}",
)
CURRENCIES = ("${}", "${}", "€{}", "{} €", "£{}", "{} EUR", "CHF {}", "{} USD", "¥{}")

Words = Sequence[str] | Callable[..., str]

_TOKEN = re.compile(r"\{\{|\}\}|\{|\[\[|\]\]|\(\(|\)\)|<<([a-z]+):|>>| // |\|")
_SLOT = re.compile(r"(\^?)([a-z_]\w*)(?:=([a-z_]\w*))?((?::[^:#!]+)*)(#?)(?:!(.*))?", re.DOTALL)


@dataclass(frozen=True)
class Slot:
    """A place that a drawn value fills."""

    name: str
    words: str
    arguments: tuple[str, ...] = ()
    capital: bool = False
    concept: bool = False
    context: str | None = None
    own: bool = False


@dataclass(frozen=True)
class Choice:
    """One of several continuations."""

    options: tuple["Nodes", ...]


@dataclass(frozen=True)
class Tag:
    """Words that the gold uses as well; `letters` say for what."""

    letters: str
    nodes: "Nodes"


Nodes = tuple["str | Slot | Choice | Tag", ...]


@cache
def parse(pattern: str) -> Nodes:
    """The nodes of a pattern.

    Raises:
        ValueError: a bracket has no partner, or a slot cannot be read.
    """
    nodes, end = _parse(pattern, 0, "")
    if end != len(pattern):
        raise ValueError(f"pattern {pattern!r} has a stray closing mark at {end}: pair it")
    return nodes


def _parse(pattern: str, start: int, closing: str) -> tuple[Nodes, int]:
    """Nodes from `start` up to the closing mark or, inside a choice, the next bar."""
    nodes: list[str | Slot | Choice | Tag] = []
    at = start
    while match := _TOKEN.search(pattern, at):
        token = match.group()
        if match.start() > at:
            nodes.append(pattern[at : match.start()])
        at = match.end()
        if token in ("{{", "}}"):
            nodes.append(token[0])
        elif token == "{":
            end = _closing_brace(pattern, at)
            nodes.append(_slot(pattern[at:end]))
            at = end + 1
        elif token == "[[":
            inner, at = _parse(pattern, at, "]]")
            nodes.append(Choice((inner, ())))
        elif token == "((":
            options: list[Nodes] = []
            while True:
                inner, at = _parse(pattern, at, "))")
                options.append(inner)
                if pattern[at - 1] != "|":
                    break
            nodes.append(Choice(tuple(options)))
        elif token.startswith("<<"):
            inner, at = _parse(pattern, at, ">>")
            nodes.append(Tag(match.group(1), inner))
        elif token == " // ":
            nodes.append(BORDER)
        elif token == closing or (token == "|" and closing == "))"):
            return tuple(nodes), at
        elif token == "|" or (token == ">>" and not closing):
            nodes.append(token)
        else:
            raise ValueError(f"pattern {pattern!r}: {token} at {match.start()} closes nothing")
    if closing:
        raise ValueError(f"pattern {pattern!r} lacks a closing {closing}")
    if at < len(pattern):
        nodes.append(pattern[at:])
    return tuple(nodes), len(pattern)


def _closing_brace(pattern: str, start: int) -> int:
    depth = 1
    for place in range(start, len(pattern)):
        depth += {"{": 1, "}": -1}.get(pattern[place], 0)
        if depth == 0:
            return place
    raise ValueError(f"pattern {pattern!r} lacks a closing brace")


def _slot(source: str) -> Slot:
    match = _SLOT.fullmatch(source)
    if match is None:
        raise ValueError(f"slot {source!r} is not name, name=words:arguments, # or !context")
    capital, name, words, arguments, concept, context = match.groups()
    return Slot(
        name=name,
        words=words or name.rstrip("0123456789"),
        arguments=tuple(arguments.split(":")[1:]),
        capital=bool(capital),
        concept=bool(concept),
        context=context,
        own=words is not None,
    )


@dataclass
class Draw:
    """The slots, tags and entities of one text while it is written.

    A twin is the same draw with `flipped` turned and `preset` values in place of the drawn ones.
    """

    random: Random
    words: Mapping[str, Words]
    types: Mapping[str, str]
    preset: Mapping[str, str] = field(default_factory=dict)
    flipped: bool = False
    slots: dict[str, str] = field(default_factory=dict)
    flips: set[str] = field(default_factory=set)
    sources: dict[str, str] = field(default_factory=dict)
    tags: list[tuple[str, str]] = field(default_factory=list)
    entities: dict[str, tuple[str, str]] = field(default_factory=dict)
    unit_gap: str = " "
    percent_gap: str = ""
    version_mark: str = "v"
    clock_form: str = "24"
    date_form: str = DATE_FORMS[0]
    currency: str = CURRENCIES[0]
    comma: bool = True
    _drawn: dict[str, str] = field(default_factory=dict)
    _scope: str = ""

    def __post_init__(self) -> None:
        self.unit_gap = self.random.choice((" ", " ", ""))
        self.percent_gap = self.random.choice((" ", "", ""))
        self.version_mark = self.random.choice(("v", "v", ""))
        self.clock_form = self.random.choice(("24", "24", "am"))
        self.date_form = self.random.choice(DATE_FORMS)
        self.currency = self.random.choice(CURRENCIES)
        self.comma = self.random.random() < 0.6
        self._side = self.random.random() < 0.5

    @property
    def side(self) -> int:
        """Which of the two alternatives the flips of this text show."""
        return int(self._side != self.flipped)

    def render(self, nodes: Nodes) -> str:
        """Write the nodes; slots, tags and entities are noted on the way."""
        return "".join(self._render(node) for node in nodes)

    def fill(self, pattern: str) -> str:
        """Write a pattern."""
        return self.render(parse(pattern))

    def _render(self, node: str | Slot | Choice | Tag) -> str:
        if isinstance(node, str):
            return node
        if isinstance(node, Choice):
            return self.render(self.random.choice(node.options))
        if isinstance(node, Tag):
            place = len(self.tags)
            written = self.render(node.nodes)
            self.tags[place:place] = [(letter, written) for letter in node.letters]
            return written
        return self._value(node)

    def _value(self, slot: Slot) -> str:
        # Inside a vocabulary item `{n=num:2:9}` is its own, while `{service}` is the text's.
        name = self._scope + slot.name if slot.own else slot.name
        if name not in self.slots:
            self.slots[name] = self._new_value(slot, name)
        value = self.slots[name]
        if slot.capital:
            value = value[:1].upper() + value[1:]
        if slot.concept:
            self.tags.append(("k", value))
        if slot.context is not None:
            self.entities.setdefault(value, (self.types[slot.words], slot.context))
        return value

    def _new_value(self, slot: Slot, name: str) -> str:
        if slot.words == "flip":
            self.flips.add(name)
            return ":".join(slot.arguments).split("/")[self.side]
        self.sources[name] = slot.words
        drawn = ""
        for _ in range(REDRAWS):
            kept = dict(self.slots), list(self.tags), dict(self.entities)
            drawn = self._one(slot)
            if drawn not in self._drawn.values():
                break
            self.slots, self.tags, self.entities = kept
        self._drawn[name] = drawn
        return self.preset.get(name, drawn)

    def _one(self, slot: Slot) -> str:
        source = self.words.get(slot.words)
        if source is None:
            raise ValueError(f"no vocabulary '{slot.words}': add it to the kind or to slots.py")
        if callable(source):
            return source(self, *slot.arguments)
        value = self.random.choice(source)
        if not _TOKEN.search(value):
            return value
        outer, self._scope = self._scope, f"{self._scope}{slot.name}."
        filled = self.fill(value)
        self._scope = outer
        return filled
