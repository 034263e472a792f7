"""How an answer of llama.cpp's ends, on events that are written here; needs no llama.cpp."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from spokesmith.backends.completion import Completion
from spokesmith.backends.llamacpp.job import LlamaCppJob, Plan
from spokesmith.backends.llamacpp.tokens import TokenReader
from spokesmith.backends.text_stream import TextStream
from spokesmith.decoding.closing import Closer
from spokesmith.decoding.grammar import GrammarCompiler
from spokesmith.decoding.request import Constraint
from spokesmith.decoding.row import TIMEOUT
from spokesmith.testing import byte_tokenizer

TOKENIZER = byte_tokenizer()
COMPILER = GrammarCompiler(TOKENIZER, TOKENIZER.eos_token_id, len(TOKENIZER))
TOKEN_BYTES = COMPILER.all_token_bytes()


class ScriptedEngine:
    """Answers a text letter by letter; what is to happen after the last one is up to a test."""

    def __init__(self, text: str, after: Callable[[], None]) -> None:
        self._text = text
        self._after = after

    def answer(self, _body: Any) -> "ScriptedEngine":
        return self

    def interrupt(self) -> None:
        pass

    @contextmanager
    def read(self) -> Iterator[Iterator[dict[str, Any]]]:
        yield self._events()

    def _events(self) -> Iterator[dict[str, Any]]:
        letters = TOKENIZER(self._text, add_special_tokens=False).input_ids
        timings = {"cache_n": 0, "prompt_n": 4}
        for count, (letter, token) in enumerate(zip(self._text, letters, strict=True), start=1):
            yield {
                "content": letter,
                "tokens": [token],
                "tokens_predicted": count,
                "timings": timings,
                "stop": False,
            }
        self._after()
        yield {
            "content": "",
            "tokens": [],
            "tokens_predicted": len(letters),
            "timings": timings,
            "stop": True,
            "stop_type": "limit",
        }


def answered(text: str, *, stop: tuple[str, ...] = (), in_time: bool = True) -> Completion:
    """What becomes of a text of four lowercase letters and END; that were cut, and are closed."""
    job = LlamaCppJob(
        Plan(
            body={},
            num_prompt_tokens=4,
            grammar=COMPILER.start(Constraint(kind="regex", value="[a-z]{4}END;")),
            closer=Closer(TOKEN_BYTES),
            time_limit_s=None,
        ),
        TokenReader(
            token_bytes=TOKEN_BYTES,
            ids={value: token for token, value in enumerate(TOKEN_BYTES)},
            stop_ids=[TOKENIZER.eos_token_id],
        ),
        TextStream(TOKENIZER, stop),
        on_piece=None,
        on_end=None,
        on_interrupt=lambda _: False,
        on_release=lambda _: None,
    )
    engine: Any = ScriptedEngine(text, lambda: None if in_time else job._interrupt(TIMEOUT))
    job.run(engine)
    return job.result(0)


@pytest.mark.parametrize(("in_time", "reason"), [(True, "length"), (False, "timeout")])
def test_a_begun_answer_is_closed_whatever_cut_it(in_time: bool, reason: str) -> None:
    done = answered("ab", in_time=in_time)
    assert (done.finish_reason, done.closed) == (reason, True)
    assert done.text.startswith("ab")
    assert done.text.endswith("END;")


def test_an_answer_that_was_cut_within_its_first_character_is_closed() -> None:
    """llama.cpp tells of no token that leaves a character unfinished."""
    done = answered("")
    assert (done.finish_reason, done.closed) == ("length", True)
    assert done.text.endswith("END;")


def test_an_answer_that_had_no_time_to_begin_stays_empty() -> None:
    done = answered("", in_time=False)
    assert (done.finish_reason, done.closed, done.text) == ("timeout", False, "")


def test_an_ending_that_a_stop_text_cuts_closes_nothing() -> None:
    done = answered("ab", stop=("END",))
    assert (done.finish_reason, done.stop_text, done.closed) == ("stop", "END", False)
    assert done.text.startswith("ab")
    assert "END" not in done.text
