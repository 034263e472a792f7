"""The strict verdict on one answer: form, typed facts, binding, echo, and whether it passes.

An answer passes where it is one whole JSON value, valid under the schema, states no typed fact
that its source does not ground, keeps every number, and, for a source of up to five words, says
next to nothing more. The other measures stand beside and decide nothing. What is not seen: a
falsehood told in the source's own words without a number.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from spokesmith.metrics.binding import BoundNumber, binding
from spokesmith.metrics.compliance import Compliance, check_and_parse
from spokesmith.metrics.echo import prompt_echo
from spokesmith.metrics.facts import NUMBER, Fact
from spokesmith.metrics.grounding import Source, StatedFact, stated_facts
from spokesmith.metrics.keeping import KeptFact, kept_facts
from spokesmith.metrics.minimal import MinimalInput, is_minimal, minimal
from spokesmith.metrics.schema_paths import places_of
from spokesmith.metrics.soft import soft
from spokesmith.metrics.strings import strings_of

Rules = Callable[[Any, Source], list[str]]
NOT_WHOLE = "the answer is not one whole JSON value"


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """The verdict on one answer.

    `failed` is an answer that is not one whole JSON value, for whatever reason: its `encoding` is
    None, it states nothing, keeps nothing and passes nothing. `strings` are the pointer and text of
    every string that the schema gives no closed list for. `bound` are the kept numbers that
    BIND judges; `rules` the field rules broken, where `has_rules`; `minimal` is None for a source
    of more than five words; `echo` are the prompt's runs of five words.
    """

    source: Source
    encoding: Any
    strings: list[tuple[str, str]]
    compliance: Compliance
    stated: list[StatedFact]
    kept: list[KeptFact]
    bound: list[BoundNumber]
    rules: list[str]
    has_rules: bool
    soft: float | None
    minimal: MinimalInput | None
    echo: list[str]
    failed: bool

    @property
    def made_up(self) -> list[StatedFact]:
        """The typed facts that the source does not ground."""
        return [one for one in self.stated if one.grounding.span is None]

    @property
    def fabrication(self) -> float | None:
        """HFR of this answer: made-up facts over all; 1 where it failed, None where it has none."""
        if self.failed:
            return 1.0
        return len(self.made_up) / len(self.stated) if self.stated else None

    def recall(self, kind: str | None = None) -> float | None:
        """TFR of this answer, of all facts or of one kind; None where the source has none.

        0 where it failed.
        """
        kept = [one.kept for one in self.kept if kind in (None, one.fact.kind)]
        return sum(kept) / len(kept) if kept else None

    @property
    def bind(self) -> float | None:
        """BIND of this answer: the share of judged numbers that are bound as in the source.

        None where no kept number can be judged; 0 where it failed and the source has numbers.
        """
        if self.failed:
            return 0.0 if self.recall(NUMBER) is not None else None
        bound = [one.bound for one in self.bound]
        return sum(bound) / len(bound) if bound else None

    @property
    def numbers_kept(self) -> bool | None:
        """Whether every number of the source is kept, as often as it stands there.

        None where the source has none.
        """
        kept = [one.kept for one in self.kept if one.fact.kind == NUMBER]
        return all(kept) if kept else None

    @property
    def passes(self) -> bool:
        """P as far as one answer shows it: a twin's facts need the twin."""
        return (
            not self.failed
            and self.compliance.valid
            and not self.made_up
            and self.numbers_kept is not False
            and (self.minimal is None or self.minimal.passes)
        )

    def to_json(self) -> dict[str, Any]:
        """Everything but the encoding, as a JSON value."""
        return {
            "passes": self.passes,
            "failed": self.failed,
            "compliance": asdict(self.compliance),
            "fabrication": self.fabrication,
            "recall": self.recall(),
            "numbers_kept": self.numbers_kept,
            "bind": self.bind,
            "soft": self.soft,
            "stated": [_stated_json(one) for one in self.stated],
            "kept": [{**_fact_json(one.fact), "kept": one.kept} for one in self.kept],
            "bound": [
                {**_fact_json(one.fact), "field": one.field, "reason": one.reason}
                for one in self.bound
            ],
            "rules": self.rules,
            "has_rules": self.has_rules,
            "minimal": None
            if self.minimal is None
            else {**asdict(self.minimal), "passes": self.minimal.passes},
            "echo": self.echo,
        }


def _fact_json(fact: Fact) -> dict[str, Any]:
    return {"kind": fact.kind, "text": fact.text, "span": [fact.start, fact.end]}


def _stated_json(one: StatedFact) -> dict[str, Any]:
    span = one.grounding.span
    return {
        **_fact_json(one.fact),
        "field": one.field,
        "source_span": None if span is None else list(span),
        "reason": one.grounding.reason,
    }


def judge(
    answer: str,
    source: Source | str,
    schema: dict[str, Any],
    *,
    finished: bool = True,
    prompt: str = "",
    rules: Rules | None = None,
) -> Judgement:
    """Judge one answer. No answer raises.

    Args:
        answer: what the model wrote, whole.
        source: the text that it encodes.
        schema: JSON Schema (2020-12) of the answer.
        finished: whether the model ended it by itself; one that was cut or timed out failed.
        prompt: the prompt without the text, for ECHO.
        rules: the field rules of the task, e.g. `memory_problems`.

    Raises:
        ValueError: `schema` is not a JSON Schema.
    """
    source = Source(source) if isinstance(source, str) else source
    compliance, encoding = check_and_parse(answer if finished else "", schema)
    if not compliance.json_valid:
        if not finished:
            compliance = replace(compliance, problems=["(whole): it was cut before its end"])
        return _failure(source, compliance, rules)
    places = places_of(schema)
    strings = [
        (pointer, text) for pointer, text in strings_of(encoding) if not places.is_closed(pointer)
    ]
    stated = stated_facts(encoding, source, schema)
    texts = [text for _, text in strings]
    return Judgement(
        source=source,
        encoding=encoding,
        strings=strings,
        compliance=compliance,
        stated=stated,
        kept=kept_facts(stated, source),
        bound=binding(encoding, stated, source),
        rules=[] if rules is None else rules(encoding, source),
        has_rules=rules is not None,
        soft=soft(texts, source.text),
        minimal=minimal(encoding, strings, stated, source),
        echo=prompt_echo(texts, prompt, source.text),
        failed=False,
    )


def _failure(source: Source, compliance: Compliance, rules: Rules | None) -> Judgement:
    brief = is_minimal(source.text)
    return Judgement(
        source=source,
        encoding=None,
        strings=[],
        compliance=compliance,
        stated=[],
        kept=[KeptFact(fact=fact, kept=False) for fact in source.facts],
        bound=[],
        rules=[] if rules is None else [NOT_WHOLE],
        has_rules=rules is not None,
        soft=0.0,
        minimal=MinimalInput(new_words=[], problems=[NOT_WHOLE]) if brief else None,
        echo=[],
        failed=True,
    )
