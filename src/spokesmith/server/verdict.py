"""What is told of one encoding: the object, its facts and their places, how it was made.

All spans count characters (code points), not bytes: [start, end). Those in the answer are in the
string at the JSON pointer `field`, as it reads without escapes.
"""

from dataclasses import asdict
from typing import Any

from spokesmith.backends.completion import Completion
from spokesmith.metrics import StatedFact, check, judge, parse_strict
from spokesmith.server.answers import how_made, is_whole, timings, usage
from spokesmith.server.errors import ApiError
from spokesmith.server.quotes import find_quotes
from spokesmith.tasks import Task, canonical_json, order_like


def encoding_of(completion: Completion, task: Task) -> str:
    """The canonical JSON of an answer that fits the task's schema strictly.

    Raises:
        ApiError: it does not, or it was cut.
    """
    _refuse_cut(completion)
    compliance = check(completion.text, task.schema)
    if not compliance.valid:
        raise _invalid(compliance.problems[0])
    return canonical_json(parse_strict(completion.text), task.schema)


def verdict_of(completion: Completion, task: Task, text: str) -> dict[str, Any]:
    """The encoding of `text` with everything that is told of it, as a JSON document.

    Raises:
        ApiError: the answer does not fit the task's schema, or it was cut.
    """
    _refuse_cut(completion)
    judgement = judge(completion.text, text, task.schema)
    if not judgement.compliance.valid:
        raise _invalid(judgement.compliance.problems[0])
    return {
        "object": "encoding",
        "encoding": order_like(judgement.encoding, task.schema),
        "grounded": [
            {**_stated(one), "source_span": list(one.grounding.span)}
            for one in judgement.stated
            if one.grounding.span is not None
        ],
        "ungrounded": [
            {**_stated(one), "reason": one.grounding.reason} for one in judgement.made_up
        ],
        "lost": [
            {"kind": fact.kind, "text": fact.text, "source_span": [fact.start, fact.end]}
            for fact in (one.fact for one in judgement.kept if not one.kept)
        ],
        "quotes": [asdict(quote) for quote in find_quotes(judgement.strings, text)],
        "fields": judgement.compliance.fields,
        "passes": judgement.passes,
        "finish_reason": completion.finish_reason,
        "usage": usage([completion]),
        "timings": timings(completion),
        "spokesmith": how_made([completion]),
    }


def _stated(stated: StatedFact) -> dict[str, Any]:
    fact = stated.fact
    return {
        "field": stated.field,
        "kind": fact.kind,
        "text": fact.text,
        "span": [fact.start, fact.end],
    }


def _refuse_cut(completion: Completion) -> None:
    if is_whole(completion):
        return
    raise ApiError(
        f"the answer was cut after {completion.usage.completion_tokens} tokens "
        f"({completion.finish_reason})",
        remedy='raise max_tokens, or ask for a valid ending with "on_truncation": "close"',
        status=422,
        param="max_tokens",
        code="answer_cut",
    )


def _invalid(problem: str) -> ApiError:
    told = "the answer does not fit the task's schema, at"
    return ApiError(
        f"{told} {problem}",
        remedy="ask again with another seed and a temperature above 0, or send a shorter text",
        status=422,
        code="answer_invalid",
        logged=f"{told} {problem.partition(':')[0]}",
    )
