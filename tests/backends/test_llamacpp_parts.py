"""The parts of the llama.cpp backend that need no llama.cpp: events, grammars, options."""

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spokesmith.backends.llamacpp import trial
from spokesmith.backends.llamacpp.grammar import grammar_text
from spokesmith.backends.llamacpp.options import LlamaCppOptions
from spokesmith.backends.llamacpp.tokens import TokenReader, cut
from spokesmith.decoding.grammar import GrammarCompiler
from spokesmith.decoding.request import Constraint
from spokesmith.testing import byte_tokenizer

# Tokens 0 to 255 are the bytes, 256 a word, 257 and 258 control tokens.
BYTES = [bytes([value]) for value in range(256)] + [b"word", b"<|end|>", b"<|more|>"]
IDS = {value: token for token, value in enumerate(BYTES)}
END, MORE = 257, 258
TOKENIZER = byte_tokenizer()


def reader(**settings: Any) -> TokenReader:
    return TokenReader(token_bytes=BYTES, ids=IDS, stop_ids=[END], **settings)


def progress(cached: int, computed: int) -> dict[str, Any]:
    timings = {"cache_n": cached, "prompt_n": computed}
    return {"prompt_progress": {}, "timings": timings, "stop": False}


def event(token: int, text: str, predicted: int, **counts: int) -> dict[str, Any]:
    timings = {"cache_n": 3, "prompt_n": 4, **counts}
    return {
        "content": text,
        "tokens": [token],
        "tokens_predicted": predicted,
        "timings": timings,
        "stop": False,
    }


def last(predicted: int, stop_type: str) -> dict[str, Any]:
    return {
        "content": "",
        "tokens": [],
        "tokens_predicted": predicted,
        "stop": True,
        "stop_type": stop_type,
        "timings": {"cache_n": 3, "prompt_n": 4},
    }


def test_a_steps_proposals_come_before_its_own_token() -> None:
    found = reader()
    assert found.read(progress(3, 0)) == []
    assert found.read(progress(3, 4)) == []
    tokens = found.read(event(65, "A", 1))
    for number, letter in enumerate("BCD", start=2):
        counts = {"draft_n": 4, "draft_n_accepted": 2}
        tokens += found.read(event(ord(letter), letter, number, **counts))
    tokens += found.read(event(69, "E", 5, draft_n=4, draft_n_accepted=2))
    assert [one.origin for one in tokens] == ["model", "copied", "copied", "model", "model"]
    # The prompt's pass, that of the proposals, and one more.
    assert found.num_forwards == 3
    assert (found.num_cached, found.num_computed, found.num_drafted) == (3, 4, 4)


def test_tokens_of_unfinished_characters_are_found_again() -> None:
    found, owl = reader(), "🦉"
    tokens = found.read(event(65, "A", 1))
    tokens += found.read(event(owl.encode()[-1], owl, 5, draft_n=9, draft_n_accepted=1))
    assert [one.id for one in tokens] == list(f"A{owl}".encode())
    assert [one.origin for one in tokens] == ["model", "copied", "model", "model", "model"]


def test_the_token_that_ends_is_no_part() -> None:
    found = reader()
    assert [one.id for one in found.read(event(65, "A", 1))] == [65]
    assert found.read(event(END, "", 2)) == []
    assert (found.num_predicted, found.num_stops) == (2, 1)


def test_a_token_that_only_llamacpp_ends_with_is_no_part_either() -> None:
    for stop_type, kept in (("eos", []), ("limit", [MORE])):
        found = reader()
        assert found.read(event(MORE, "", 1)) == []
        assert [one.id for one in found.read(last(1, stop_type))] == kept
        assert found.num_stops == (stop_type == "eos")
    found = reader()
    found.read(event(MORE, "", 1))
    assert [one.id for one in found.read(event(65, "A", 2))] == [MORE, 65]


def test_log_probabilities_are_told_as_asked_for() -> None:
    told = {"id": 65, "logprob": -0.5, "top_logprobs": [{"id": 65, "logprob": -0.5}]}
    for wanted, tops in ((0, ()), (1, ((65, -0.5),))):
        found = reader(num_logprobs=wanted)
        (one,) = found.read({**event(65, "A", 1), "completion_probabilities": [told]})
        assert (one.logprob, one.top) == (-0.5, tops)


@given(st.lists(st.sampled_from([b"a", b"ab", b"b", b"aba", b"c"]), max_size=12))
def test_bytes_are_cut_into_as_many_tokens_as_they_were(parts: list[bytes]) -> None:
    ids = {b"a": 0, b"ab": 1, b"b": 2, b"aba": 3, b"c": 4}
    found = cut(b"".join(parts), len(parts), ids)
    assert found is not None
    assert len(found) == len(parts)
    values = list(ids)
    assert b"".join(values[token] for token in found) == b"".join(parts)


def test_what_cannot_be_cut_is_said_at_once() -> None:
    assert cut(b"a" * 60 + b"x", 40, {b"a": 0, b"aa": 1, b"aaa": 2}) is None
    assert cut(b"", 2, IDS) is None


CONSTRAINTS = {
    "schema": (
        Constraint(kind="schema", value={"type": "array", "items": {"enum": ["a", "{"]}}),
        ['["a"', ',"{"]'],
    ),
    "json": (Constraint(kind="json"), ['{"x":', "[1,2]}"]),
    "lark": (Constraint(kind="lark", value='start: x "!"\nx: "no" | "{"'), ["{", "!"]),
    "regex": (Constraint(kind="regex", value="a/b\\/c\n[0-9]{2}"), ["a/b/c\n", "42"]),
}


@pytest.mark.parametrize("kind", CONSTRAINTS)
def test_the_grammar_for_llamacpp_is_ours_and_an_end(kind: str) -> None:
    constraint, parts = CONSTRAINTS[kind]
    stop_ids = [TOKENIZER.eos_token_id, TOKENIZER.bos_token_id]
    compiler = GrammarCompiler(TOKENIZER, TOKENIZER.unk_token_id, len(TOKENIZER))
    text = grammar_text(constraint, stop_ids)
    assert text.startswith("%llguidance {}\n")
    for stop in stop_ids:
        ours = compiler.start(constraint)
        theirs = compiler.start(Constraint(kind="lark", value=text))
        for part in parts:
            assert not theirs.allows(stop)
            for token in TOKENIZER(part, add_special_tokens=False).input_ids:
                assert (theirs.allowed() == ours.allowed()).all()
                theirs.accept(token)
                ours.accept(token)
        assert ours.has_ended or ours.may_end
        theirs.accept(stop)
        assert theirs.has_ended


def test_white_space_is_never_allowed_between_tokens() -> None:
    compiler = GrammarCompiler(TOKENIZER, TOKENIZER.eos_token_id, len(TOKENIZER))
    text = grammar_text(Constraint(kind="json"), [TOKENIZER.eos_token_id])
    grammar = compiler.start(Constraint(kind="lark", value=text))
    space = TOKENIZER(" ", add_special_tokens=False).input_ids[0]
    for part, following in pairwise(["{", '"a"', ":", "1", ",", '"b"', ":", "[]", "}", ""]):
        for token in TOKENIZER(part, add_special_tokens=False).input_ids:
            grammar.accept(token)
        assert not grammar.allows(space), f"between {part} and {following}"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"num_slots": 0}, "num_slots is 0: give at least 1"),
        ({"threads": 0}, "threads is 0"),
        ({"context": -1}, "context is -1"),
        ({"speculation": "guess"}, "speculation 'guess' is unknown: use none, ngram-simple"),
        ({"flash_attention": "yes"}, "use auto, on, off"),
        ({"num_slots": 8, "draft_tokens": 64}, "8 slots with 64 proposed tokens each need 520"),
    ],
)
def test_wrong_options_are_said(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        LlamaCppOptions(**wrong)


def test_the_context_is_what_the_model_was_trained_on_up_to_a_bound() -> None:
    assert LlamaCppOptions().context_for(2048) == 2048
    assert LlamaCppOptions().context_for(131_072) == 8192
    assert LlamaCppOptions(context=32_768).context_for(131_072) == 32_768


def test_a_trial_ends_without_taking_the_server_down(tmp_path: Path) -> None:
    """A server that is taken down before its loop has begun may wait for it for ever."""
    (tmp_path / "xllamacpp.py").write_text(
        """
import http.server, threading, time
from types import SimpleNamespace

class Models(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

def CommonParams():
    return SimpleNamespace(model=SimpleNamespace())

class Server:
    def __init__(self, _):
        server = http.server.HTTPServer(("127.0.0.1", 0), Models)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.listening_address = f"http://127.0.0.1:{server.server_port}"

    def __del__(self):
        time.sleep(60)
"""
    )
    done = subprocess.run(
        [sys.executable, trial.__file__, "a.gguf"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "{}"), done.stderr
