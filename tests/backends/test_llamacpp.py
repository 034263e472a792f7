"""Stock llama.cpp as a backend, on a tiny random base that the local engine runs too."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from llamacpp_files import tiny_chat_base, write_tiny_gguf

from spokesmith.backends import LocalBackend
from spokesmith.backends.completion import Piece
from spokesmith.backends.llamacpp import LlamaCppBackend, LlamaCppOptions
from spokesmith.backends.llamacpp.engine import try_to_load
from spokesmith.backends.request import (
    BusyError,
    CancelledError,
    Constraint,
    ContextError,
    Request,
    Sampling,
    UnknownModelError,
)
from spokesmith.bases import Base
from spokesmith.bases.chat import ChatFormat
from spokesmith.bases.gguf_chat import read_gguf_chat
from spokesmith.bases.gguf_reader import read_header
from spokesmith.metrics import check, parse_strict
from spokesmith.tasks import canonical_json, load_task
from spokesmith.testing import byte_tokenizer

pytest.importorskip("xllamacpp", reason="xllamacpp, the extra llamacpp, is not installed")

CONTEXT = 2048
SLOTS = 4
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "maxLength": 8},
        "days": {"type": "integer", "minimum": 1, "maximum": 99},
        "kinds": {"type": "array", "items": {"enum": ["a", "b", "ä"]}, "maxItems": 3},
    },
    "required": ["city", "days", "kinds"],
    "additionalProperties": False,
}
HELD = Constraint(kind="schema", value=SCHEMA)
MEMORY = load_task("memory")


@pytest.fixture(scope="module")
def base() -> Base:
    return tiny_chat_base()


@pytest.fixture(scope="module")
def path(base: Base, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_gguf(base, tmp_path_factory.mktemp("gguf") / "tiny.gguf")


def options(**more: Any) -> LlamaCppOptions:
    return LlamaCppOptions(**{"num_slots": SLOTS, "context": CONTEXT, "threads": 1, **more})


@pytest.fixture(scope="module")
def backend(base: Base, path: Path) -> Iterator[LlamaCppBackend]:
    opened = LlamaCppBackend(
        path, base.chat, name="memory", task=load_task("memory"), options=options()
    )
    yield opened
    opened.close(finish=False)


@pytest.fixture(scope="module")
def plain(base: Base, path: Path) -> Iterator[LlamaCppBackend]:
    """Without speculation, and with one slot."""
    opened = LlamaCppBackend(
        path, base.chat, options=options(num_slots=1, speculation="none"), max_waiting=2
    )
    yield opened
    opened.close(finish=False)


@pytest.fixture(scope="module")
def local(base: Base) -> LocalBackend:
    return LocalBackend(base, spokes=None, num_slots=SLOTS)


def chat(text: str = "x") -> list[Any]:
    return [{"role": "system", "content": "Answer."}, {"role": "user", "content": text}]


def asking(text: str = "x", **more: Any) -> Request:
    return Request(messages=chat(text), **{"max_tokens": 80, **more})


TEXTS = ["x", "Weather in Köln?", "日本 🙂", "a b a b a b a b", "", "9" * 40]


def test_a_held_answer_is_that_of_the_local_engine(
    backend: LlamaCppBackend, local: LocalBackend
) -> None:
    for text in TEXTS:
        ours = local.start(asking(text, constraint=HELD)).result(30)
        theirs = backend.start(asking(text, constraint=HELD)).result(30)
        assert [one.id for one in theirs.tokens] == [one.id for one in ours.tokens]
        assert (theirs.text, theirs.finish_reason) == (ours.text, "stop")
        assert theirs.usage.prompt_tokens == ours.usage.prompt_tokens
        assert theirs.usage.completion_tokens == ours.usage.completion_tokens


def test_speculation_changes_no_answer_and_is_told_of(
    backend: LlamaCppBackend, plain: LlamaCppBackend
) -> None:
    copied = 0
    for text in TEXTS:
        request = asking(text, constraint=HELD)
        found, wanted = (one.start(request).result(30) for one in (backend, plain))
        assert found.text == wanted.text
        assert {one.origin for one in wanted.tokens} == {"model"}
        of_answer = sum(one.origin == "copied" for one in found.tokens)
        # The token that ends the answer takes a pass too, and so does the prompt.
        assert found.num_forwards <= len(found.tokens) - of_answer + 1
        copied += of_answer
    assert copied > 0
    assert backend.stats().drafted_tokens >= backend.stats().tokens_copied >= copied
    assert plain.stats().drafted_tokens == 0


@pytest.mark.parametrize("seed", range(6))
def test_what_a_grammar_lets_through_is_canonical_and_valid(
    backend: LlamaCppBackend, seed: int
) -> None:
    text = f'Text {seed} tells of Ana-Maria Grün\nand of "P-7".'
    schema: dict[str, Any] = SCHEMA if seed % 2 else MEMORY.schema_for(text)
    request = asking(
        text,
        constraint=Constraint(kind="schema", value=schema),
        sampling=Sampling(temperature=1.0, seed=seed),
        max_tokens=150,
        on_truncation="close",
    )
    done = backend.start(request).result(30)
    assert done.closed or done.finish_reason == "stop"
    assert check(done.text, schema).valid
    assert canonical_json(parse_strict(done.text), schema) == done.text


@pytest.mark.parametrize(
    ("constraint", "allowed"),
    [
        (Constraint(kind="gbnf", value='root ::= "yes" | "no"'), {"yes", "no"}),
        (Constraint(kind="regex", value="(yes|no)/"), {"yes/", "no/"}),
        (Constraint(kind="lark", value='start: "yes" | "no"'), {"yes", "no"}),
        (Constraint(kind="json"), None),
    ],
)
def test_other_grammars_hold_too(
    backend: LlamaCppBackend, constraint: Constraint, allowed: set[str] | None
) -> None:
    done = backend.start(asking(constraint=constraint, on_truncation="close")).result(30)
    if allowed is None:
        assert isinstance(json.loads(done.text), dict)
    else:
        assert (done.text in allowed, done.finish_reason) == (True, "stop")


def test_pieces_make_the_whole(backend: LlamaCppBackend) -> None:
    whole = backend.start(asking(constraint=HELD)).result(30)
    heard: list[Piece] = []
    ended = threading.Event()
    job = backend.start(
        asking(constraint=HELD), on_piece=heard.append, on_end=lambda _: ended.set()
    )
    assert job.result(30).text == whole.text == "".join(piece.text for piece in heard)
    assert ended.wait(5)
    assert [token for piece in heard for token in piece.tokens] == list(whole.tokens)


def test_many_at_once_answer_as_alone(backend: LlamaCppBackend) -> None:
    texts = [f"{text} {number}" for number in range(2) for text in TEXTS]
    alone = [backend.start(asking(text, constraint=HELD)).result(30).text for text in texts]
    with ThreadPoolExecutor(len(texts)) as pool:
        together = list(
            pool.map(lambda text: backend.start(asking(text, constraint=HELD)).result(30), texts)
        )
    assert [one.text for one in together] == alone
    assert max(one.timing.waiting_s for one in together) > 0
    assert (backend.stats().running, backend.stats().waiting) == (0, 0)


def test_a_seed_gives_one_text(backend: LlamaCppBackend) -> None:
    def drawn(seed: int) -> str:
        request = asking(constraint=HELD, sampling=Sampling(temperature=1.0, seed=seed))
        return backend.start(request).result(30).text

    assert drawn(7) == drawn(7)
    assert len({drawn(seed) for seed in range(4)}) > 1


def test_a_bias_and_penalties_reach_the_choice(backend: LlamaCppBackend) -> None:
    (letter,) = backend.tokenize("q")
    biased = Sampling(logit_bias={letter: 100.0})
    done = backend.start(asking(sampling=biased, max_tokens=6)).result(30)
    assert done.text == "qqqqqq"
    fading = Sampling(logit_bias={letter: 100.0}, frequency_penalty=60.0)
    done = backend.start(asking(sampling=fading, max_tokens=6)).result(30)
    assert done.text.startswith("q")
    assert "qqqqq" not in done.text


def test_limits_cut_and_close(backend: LlamaCppBackend) -> None:
    cut = backend.start(asking(constraint=HELD, max_tokens=5)).result(30)
    assert (cut.finish_reason, cut.closed, cut.usage.completion_tokens) == ("length", False, 5)
    closed = backend.start(asking(constraint=HELD, max_tokens=5, on_truncation="close")).result(30)
    assert (closed.finish_reason, closed.closed) == ("length", True)
    assert check(closed.text, SCHEMA).valid
    assert closed.text.startswith(cut.text)
    assert closed.tokens[-1].origin == "closing"
    assert closed.usage.completion_tokens == len(closed.tokens)
    whole = backend.start(asking(constraint=HELD)).result(30)
    exact = asking(constraint=HELD, max_tokens=whole.usage.completion_tokens)
    assert backend.start(exact).result(30).finish_reason == "stop"


def test_a_stop_text_ends_an_answer_at_the_token_where_the_local_engine_ends_it(
    backend: LlamaCppBackend, local: LocalBackend
) -> None:
    whole = backend.start(asking(constraint=HELD)).result(30)
    for stop in ('"days', "y", '":"'):
        ask = asking(constraint=HELD, stop=(stop, "nowhere"))
        theirs, ours = (one.start(ask).result(30) for one in (backend, local))
        assert theirs.text == ours.text == whole.text[: whole.text.index(stop)]
        assert (theirs.finish_reason, theirs.stop_text) == ("stop", stop)
        assert [one.id for one in theirs.tokens] == [one.id for one in ours.tokens]
        assert theirs.usage.completion_tokens == ours.usage.completion_tokens
        assert theirs.usage.completion_tokens == len(theirs.tokens)


def test_an_answer_runs_to_the_end_of_the_context(plain: LlamaCppBackend) -> None:
    (letter,) = plain.tokenize("q")
    prompt = [letter] * (CONTEXT - 20)
    request = Request(prompt=prompt, sampling=Sampling(logit_bias={letter: 100.0}))
    done = plain.start(request).result(30)
    assert (done.finish_reason, done.text) == ("length", "q" * 20)


def test_time_ends_an_answer(plain: LlamaCppBackend) -> None:
    (letter,) = plain.tokenize("q")
    endless = asking(max_tokens=None, sampling=Sampling(logit_bias={letter: 100.0}))
    start = time.monotonic()
    running = plain.start(Request(**{**vars(endless), "time_limit_s": 0.2}))
    waiting = plain.start(Request(**{**vars(endless), "time_limit_s": 0.05}))
    done = waiting.result(5)
    assert (done.finish_reason, done.text) == ("timeout", "")
    done = running.result(5)
    assert time.monotonic() - start < 2
    assert done.finish_reason == "timeout"
    assert set(done.text) == {"q"}


def test_a_cancelled_answer_frees_its_slot(plain: LlamaCppBackend) -> None:
    (letter,) = plain.tokenize("q")
    endless = asking(max_tokens=None, sampling=Sampling(logit_bias={letter: 100.0}))
    begun = threading.Event()
    running = plain.start(endless, on_piece=lambda _: begun.set())
    waiting = plain.start(endless)
    assert begun.wait(10)
    waiting.cancel()
    with pytest.raises(CancelledError):
        waiting.result(0)
    running.cancel()
    with pytest.raises(CancelledError):
        running.result(5)
    start = time.monotonic()
    assert plain.start(asking(max_tokens=2)).result(10).usage.completion_tokens == 2
    assert time.monotonic() - start < 5
    running.cancel()


def test_the_queue_has_an_end(plain: LlamaCppBackend) -> None:
    (letter,) = plain.tokenize("q")
    endless = asking(max_tokens=None, sampling=Sampling(logit_bias={letter: 100.0}))
    jobs = [plain.start(endless) for _ in range(3)]
    with pytest.raises(BusyError, match="are waiting: ask again later"):
        plain.start(endless)
    for job in jobs:
        job.cancel()
    for job in jobs:
        with pytest.raises(CancelledError):
            job.result(5)


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ({"model": "other"}, UnknownModelError, "no model 'other': known is memory"),
        ({"max_tokens": 0}, ValueError, "max_tokens is 0"),
        ({"messages": None, "prompt": []}, ValueError, "the prompt is empty"),
        ({"messages": None, "prompt": [5, 999]}, ValueError, "token 999 .* ids below 320"),
        ({"messages": None, "prompt": [5] * CONTEXT}, ContextError, "has 2048 tokens"),
        ({"sampling": Sampling(logit_bias={320: 1.0})}, ValueError, "token 320"),
        (
            {"constraint": Constraint(kind="schema", value={"type": "string", "format": "none"})},
            ValueError,
            "cannot be enforced",
        ),
        ({"constraint": Constraint(kind="gbnf", value="root ::= ((")}, ValueError, "gbnf"),
        ({"constraint": Constraint(kind="lark", value="start: [")}, ValueError, "lark"),
        ({"num_logprobs": 1}, ValueError, "--engine-option speculation=none"),
    ],
)
def test_what_cannot_be_met_is_refused(
    backend: LlamaCppBackend, wrong: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        backend.start(Request(**{"messages": chat(), "max_tokens": 5, **wrong}))


def test_log_probabilities_are_those_of_the_local_engine(
    plain: LlamaCppBackend, local: LocalBackend
) -> None:
    request = asking(constraint=HELD, num_logprobs=3, max_tokens=10)
    found, wanted = (one.start(request).result(30) for one in (plain, local))
    for theirs, ours in zip(found.tokens, wanted.tokens, strict=True):
        assert theirs.logprob == pytest.approx(ours.logprob, abs=0.02)
        for (_, their_top), (_, our_top) in zip(theirs.top, ours.top, strict=True):
            assert their_top == pytest.approx(our_top, abs=0.02)
    own_only = plain.start(asking(num_logprobs=0, max_tokens=1)).result(30).tokens[0]
    assert own_only.logprob is not None
    assert own_only.top == ()


def test_a_shared_beginning_is_computed_once_for_all_slots(base: Base, path: Path) -> None:
    opened = LlamaCppBackend(path, base.chat, options=options())
    shared, _ = base.chat.prompt_parts(MEMORY.messages("x"))
    opened.share_prefix(MEMORY.messages("x"))
    requests = [Request(messages=MEMORY.messages(f"no {i}"), max_tokens=9) for i in range(SLOTS)]
    done = [job.result(30) for job in [opened.start(request) for request in requests]]
    opened.close()
    assert all(one.usage.cached_tokens >= len(shared) - 1 for one in done)
    assert all(one.usage.cached_tokens < one.usage.prompt_tokens for one in done)


def test_a_shared_beginning_without_room_for_a_text_is_said(backend: LlamaCppBackend) -> None:
    turns: list[Any] = [{"role": "system", "content": "x" * CONTEXT}, *chat()[1:]]
    words = rf"has \d+ tokens, the context is {CONTEXT}: .* --engine-option context=N"
    with pytest.raises(ContextError, match=words):
        backend.share_prefix(turns)
    with pytest.raises(ContextError, match=words):
        backend.start(Request(messages=turns))


def test_counts_add_up(base: Base, path: Path) -> None:
    opened = LlamaCppBackend(path, base.chat, options=options(speculation="none"))
    done = [opened.start(asking(text, max_tokens=5)).result(30) for text in ("one", "one")]
    stats = opened.stats()
    assert stats.prompt_tokens == sum(one.usage.prompt_tokens for one in done)
    assert stats.cached_tokens == done[1].usage.cached_tokens == done[1].usage.prompt_tokens - 1
    assert stats.tokens_model == sum(len(one.tokens) for one in done)
    assert stats.forwards == sum(one.num_forwards for one in done)
    # Each prompt, and all tokens of an answer but the last.
    computed = stats.prompt_tokens - stats.cached_tokens
    assert stats.forward_tokens == computed + stats.tokens_model - 2
    opened.close()
    with pytest.raises(BusyError, match="closing"):
        opened.start(asking())


def test_closing_finishes_what_is_under_way(base: Base, path: Path) -> None:
    opened = LlamaCppBackend(path, base.chat, options=options(num_slots=1))
    jobs = [opened.start(asking(constraint=HELD)) for _ in range(3)]
    opened.close()
    assert {job.result(0).finish_reason for job in jobs} == {"stop"}


def test_sets_are_a_part_of_the_file(backend: LlamaCppBackend) -> None:
    assert [model.name for model in backend.models()] == ["memory"]
    assert backend.models()[0].task == load_task("memory")
    with pytest.raises(ValueError, match="spokesmith export gguf"):
        backend.load_set("memory-smollm2-135m")
    with pytest.raises(UnknownModelError):
        backend.unload_set("memory")


def test_texts_and_tokens(backend: LlamaCppBackend, local: LocalBackend) -> None:
    for text in [*TEXTS, "<|im_end|>"]:
        for special in (True, False):
            tokens = backend.tokenize(text, parse_special=special)
            assert tokens == local.tokenize(text, parse_special=special)
            assert tokens == backend.engine.tokenize(text, control_tokens=special)
            assert backend.detokenize(tokens) == text
    assert backend.token_bytes(backend.tokenize("a")[0]) == b"a"
    with pytest.raises(ValueError, match="token 320"):
        backend.detokenize([320])


def test_the_files_own_tokenizer_is_read(base: Base, path: Path) -> None:
    found = read_gguf_chat(read_header(path))
    for text in TEXTS:
        assert found.prompt_ids(chat(text)) == base.chat.prompt_ids(chat(text))
    assert found.stop_ids == base.chat.stop_ids


def test_a_tokenizer_that_cuts_otherwise_is_refused(path: Path) -> None:
    other = byte_tokenizer()
    other.add_tokens(["job"])
    with pytest.raises(ValueError, match=r"into other tokens .* --tokenizer FOLDER"):
        LlamaCppBackend(path, ChatFormat(other), options=options())


def test_a_proxy_of_the_environment_is_not_asked(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert try_to_load(path).vocabulary == 320


def test_an_engine_that_does_not_start_is_not_taken_for_a_bad_file(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "xllamacpp").mkdir()
    lacks = "raise ImportError('libgomp.so.1: cannot open shared object file')"
    (tmp_path / "xllamacpp" / "__init__.py").write_text(lacks)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(ValueError, match=r"does not start \(libgomp.so.1: cannot open [a-z ]*\)"):
        try_to_load(path)


def test_files_that_cannot_be_loaded_are_said_in_one_line(
    base: Base, path: Path, tmp_path: Path
) -> None:
    content = path.read_bytes()
    damaged = {
        "cut.gguf": (content[: len(content) // 2], "corrupted or incomplete"),
        "begun.gguf": (content[:200], "exceeds remaining file size"),
        "other.gguf": (content.replace(b"llama", b"lamas"), "unknown model architecture: 'lamas'"),
        "text.gguf": (b"no GGUF at all", "no GGUF file"),
        "counts.gguf": (content[:8] + b"\xff" * 16 + content[24:], "llama.cpp cannot load"),
    }
    for name, (changed, words) in damaged.items():
        (tmp_path / name).write_bytes(changed)
        with pytest.raises(ValueError, match=words) as caught:
            LlamaCppBackend(tmp_path / name, base.chat, options=options())
        assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match="no file at"):
        LlamaCppBackend(tmp_path / "none.gguf", base.chat)
