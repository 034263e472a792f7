"""The local engine as a backend: names, texts, stop texts, sets that come and go under load."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from spoked_bases import third_call_lacks_memory

from spokesmith.backends import LocalBackend
from spokesmith.backends.completion import Piece
from spokesmith.backends.request import BusyError, CancelledError, Request, UnknownModelError
from spokesmith.backends.text_stream import TextStream
from spokesmith.bases import Base
from spokesmith.decoding import Constraint, Features, Sampling
from spokesmith.decoding.joined import JoinedBlocks
from spokesmith.spokes import Placement, SpokesCard, SpokeSet, load_spokes, save_spokes
from spokesmith.spokes.modules import Spoke
from spokesmith.tasks import load_task, save_task
from spokesmith.testing import byte_tokenizer, tiny_base

TOKENIZER = byte_tokenizer()
MESSAGES: Any = [{"role": "system", "content": "Answer."}, {"role": "user", "content": "x"}]


@pytest.fixture
def base() -> Base:
    return tiny_base(dtype="float64")


def save_set(base: Base, folder: Path, seed: int, placement: Placement = "residual") -> str:
    config = base.spokes_config(placement=placement, num_spokes=1, rank=8)
    spokes = SpokeSet.create(config, seed=seed)
    for index in config.layer_indices:
        generator = torch.Generator().manual_seed(seed)
        torch.nn.init.normal_(spokes.at(index).up, std=4.0, generator=generator)
    card = SpokesCard(
        spokes=config, base=base.name, base_fingerprint=base.fingerprint, task="memory"
    )
    save_spokes(folder, spokes, card)
    return str(folder)


def test_a_set_brings_its_task_or_is_refused(base: Base, tmp_path: Path) -> None:
    letter = replace(load_task("memory"), name="letter", prompt="Who writes?")
    folder = Path(save_set(base, tmp_path / "set", seed=1))
    spokes, card = load_spokes(folder)
    save_spokes(folder, spokes, replace(card, task="letter", prompt_hash=letter.prompt_hash))
    backend = LocalBackend(base, spokes=None)
    with pytest.raises(ValueError, match="trained for the task 'letter', which is not with it"):
        backend.load_set(str(folder))
    assert [model.name for model in backend.models()] == [base.name]
    save_task(letter, folder / "task")
    model = backend.load_set(str(folder))
    assert model.name == "letter"
    assert model.task is not None
    assert model.task.prompt == letter.prompt
    backend.close()


def pieces_of(text: str, stop: tuple[str, ...], seed: int) -> tuple[str, str | None]:
    """A text through a stream in steps of random length; what came, and what stopped it."""
    ids = TOKENIZER(text, add_special_tokens=False).input_ids
    stream, draws, came = TextStream(TOKENIZER, stop), random.Random(seed), ""
    while ids:
        step = draws.randint(1, 5)
        came += stream.add(ids[:step])
        assert "\ufffd" not in came
        ids = ids[step:]
    came += stream.end()
    assert came == stream.text
    return came, stream.stop_text


@pytest.mark.parametrize("seed", range(8))
def test_a_stream_gives_whole_characters(seed: int) -> None:
    text = 'Zoë wrote "日本語" 🙂 at 12°C, ﬁnally…\n'
    assert pieces_of(text, (), seed) == (text, None)


@pytest.mark.parametrize("seed", range(8))
def test_a_stream_ends_before_the_first_stop_text(seed: int) -> None:
    text = "one STO two STOP three END"
    assert pieces_of(text, ("END", "STOP"), seed) == ("one STO two ", "STOP")
    assert pieces_of(text, ("nowhere",), seed) == (text, None)
    assert pieces_of(text, ("ENDING",), seed) == (text, None)


def test_pieces_make_the_whole(base: Base) -> None:
    backend = LocalBackend(base, spokes=None)
    heard: list[Piece] = []
    ended = threading.Event()
    job = backend.start(
        Request(messages=MESSAGES, max_tokens=40),
        on_piece=heard.append,
        on_end=lambda _: ended.set(),
    )
    completion = job.result(30)
    assert ended.wait(5)
    assert "".join(piece.text for piece in heard) == completion.text
    assert [one for piece in heard for one in piece.tokens] == list(completion.tokens)
    assert completion.usage.completion_tokens == 40


def test_a_stop_text_ends_the_work(base: Base) -> None:
    backend = LocalBackend(base, spokes=None)
    free = backend.start(Request(messages=MESSAGES, max_tokens=60)).result(30)
    stop = free.text[10:13]
    stopped = backend.start(Request(messages=MESSAGES, max_tokens=2000, stop=(stop,))).result(30)
    assert stopped.finish_reason == "stop"
    assert stopped.stop_text == stop
    assert stopped.text == free.text[: free.text.index(stop)]
    assert backend.stats().running == 0


def test_an_answer_that_ends_at_a_stop_text_tells_its_costs(base: Base) -> None:
    free = LocalBackend(base, spokes=None).start(Request(messages=MESSAGES, max_tokens=60))
    text = free.result(30).text
    backend = LocalBackend(base, spokes=None)
    ask = Request(messages=MESSAGES, max_tokens=200, stop=(text[40:43],))
    first, second = (backend.start(ask).result(30) for _ in range(2))
    assert first.text == second.text == text[: text.index(text[40:43])]
    assert second.usage.cached_tokens > 0
    assert second.timing.waiting_s > 0
    assert second.timing.first_token_s > second.timing.waiting_s
    # It has been learnt of the first what is to be guessed.
    assert 0 < second.num_forwards < first.num_forwards


def test_a_stop_text_ends_an_answer_before_its_caller_holds_it(
    base: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = LocalBackend(base, spokes=None)
    submit, heard = backend.engine.submit, threading.Event()

    def slowly(*args: Any, **options: Any) -> Any:
        ticket = submit(*args, **options)
        assert heard.wait(20)
        return ticket

    monkeypatch.setattr(backend.engine, "submit", slowly)
    (letter,) = backend.tokenize("q")
    sampling = Sampling(logit_bias={letter: 100.0})
    ask = Request(messages=MESSAGES, max_tokens=100, sampling=sampling, stop=("q",))
    done = backend.start(ask, on_piece=lambda _: heard.set()).result(30)
    assert (done.text, done.finish_reason, done.usage.completion_tokens) == ("", "stop", 1)


def test_an_ending_that_a_stop_text_cuts_closes_nothing(base: Base) -> None:
    held = Constraint(kind="regex", value="[a-z]{8}END;")
    ask = Request(messages=MESSAGES, constraint=held, max_tokens=5, on_truncation="close")
    backend = LocalBackend(base, spokes=None)
    whole, cut = (backend.start(replace(ask, stop=stop)).result(30) for stop in ((), ("END",)))
    assert (whole.finish_reason, whole.closed) == ("length", True)
    assert whole.text == f"{cut.text}END;"
    assert (cut.finish_reason, cut.stop_text, cut.closed) == ("stop", "END", False)


def test_a_cancelled_job_says_so(base: Base) -> None:
    backend = LocalBackend(base, spokes=None)
    started = threading.Event()
    job = backend.start(
        Request(messages=MESSAGES, max_tokens=3000), on_piece=lambda _: started.set()
    )
    assert started.wait(20)
    job.cancel()
    with pytest.raises(CancelledError):
        job.result(20)


def test_models_are_the_base_and_the_sets(base: Base, tmp_path: Path) -> None:
    backend = LocalBackend(base, spokes=None)
    loaded = backend.load_set(save_set(base, tmp_path / "one", 1), name="one")
    assert [model.name for model in backend.models()] == [base.name, "one"]
    assert loaded.task == load_task("memory")
    ask = Request(messages=MESSAGES, max_tokens=12)
    bare = backend.start(ask).result(30).text
    with_set = backend.start(Request(messages=MESSAGES, max_tokens=12, model="one")).result(30)
    assert with_set.text != bare
    with pytest.raises(ValueError, match="a set named 'one' is attached"):
        backend.load_set(str(tmp_path / "one"), name="one")
    backend.unload_set("one")
    with pytest.raises(UnknownModelError, match="no model 'one'"):
        backend.start(Request(messages=MESSAGES, model="one"))
    with pytest.raises(UnknownModelError):
        backend.unload_set("one")
    assert backend.start(ask).result(30).text == bare


@pytest.mark.parametrize(("owner", "method"), [(Spoke, "to"), (JoinedBlocks, "_join")])
def test_a_set_for_which_memory_is_lacking_is_refused(
    base: Base, tmp_path: Path, owner: Any, method: str
) -> None:
    folder = save_set(base, tmp_path / "one", 1, "ffn")
    ask = Request(messages=MESSAGES, max_tokens=12)
    backend, fresh = (
        LocalBackend(one, spokes=None, features=Features(captured=True))
        for one in (base, tiny_base(dtype="float64"))
    )
    bare = backend.start(ask).result(30).text
    with (
        third_call_lacks_memory(owner, method),
        pytest.raises(ValueError, match=r"'one' does not fit beside the base \(no memory is left"),
    ):
        backend.load_set(folder, name="one")
    assert [model.name for model in backend.models()] == [base.name]
    assert backend.start(ask).result(30).text == bare
    for one in (backend, fresh):
        one.load_set(folder, name="one")
    texts = {one.start(replace(ask, model="one")).result(30).text for one in (backend, fresh)}
    assert len(texts) == 1
    assert texts != {bare}


def test_a_set_that_is_loaded_has_its_prompt_ready(base: Base, tmp_path: Path) -> None:
    backend = LocalBackend(base, spokes=None, num_slots=4)
    task = backend.load_set(save_set(base, tmp_path / "one", 1), name="one").task
    assert task is not None
    jobs = [
        backend.start(Request(messages=task.messages(text), model="one", max_tokens=2))
        for text in ("A pump stopped.", "Rain.", "Marta called.", "Nothing.")
    ]
    shared = {job.result(30).usage.cached_tokens for job in jobs}
    assert len(shared) == 1
    assert min(shared) > 100


def test_sets_come_and_go_and_no_answer_is_lost(base: Base, tmp_path: Path) -> None:
    backend = LocalBackend(base, spokes=None, num_slots=4)
    folders = [save_set(base, tmp_path / str(seed), seed) for seed in (1, 2)]
    backend.load_set(folders[0], name="steady")
    ask = Request(messages=MESSAGES, max_tokens=24, model="steady")
    wanted = backend.start(ask).result(30).text
    texts: list[str] = []
    errors: list[Exception] = []

    def keep_asking() -> None:
        for _ in range(12):
            try:
                texts.append(backend.start(ask).result(30).text)
            except Exception as error:
                errors.append(error)

    threads = [threading.Thread(target=keep_asking) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(6):
        backend.load_set(folders[1], name="passing")
        passing = backend.start(Request(messages=MESSAGES, max_tokens=8, model="passing"))
        backend.unload_set("passing")
        assert passing.result(30).usage.completion_tokens == 8
    for thread in threads:
        thread.join()
    assert not errors
    assert texts == [wanted] * 36


def test_a_set_stays_for_requests_that_are_still_being_prepared(
    base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = LocalBackend(base, spokes=None)
    backend.load_set(save_set(base, tmp_path / "one", 1), name="one")
    prepare, preparing, go_on = backend.prompt_ids, threading.Event(), threading.Event()

    def slowly(request: Request) -> tuple[list[int], list[int]]:
        preparing.set()
        assert go_on.wait(20)
        return [], prepare(Request(prompt="Weather?"))

    ask = Request(messages=MESSAGES, max_tokens=8, model="one")
    with ThreadPoolExecutor(2) as threads:
        with monkeypatch.context() as patch:
            patch.setattr(backend, "prompt_parts", slowly)
            starting = threads.submit(backend.start, ask)
            assert preparing.wait(20)
        unloading = threads.submit(backend.unload_set, "one")
        with pytest.raises(TimeoutError):
            unloading.result(0.2)
        with pytest.raises(UnknownModelError):
            backend.start(ask)
        go_on.set()
        assert starting.result(20).result(20).usage.completion_tokens == 8
        unloading.result(20)


def test_a_set_that_comes_back_with_other_weights_is_not_mixed_up(
    base: Base, tmp_path: Path
) -> None:
    long: Any = [{"role": "system", "content": "Answer at length. " * 5}, MESSAGES[1]]
    ask = Request(messages=long, max_tokens=16, model="same")
    folders = {seed: save_set(base, tmp_path / str(seed), seed) for seed in (1, 2)}
    wanted = {}
    for seed, folder in folders.items():
        fresh = LocalBackend(tiny_base(dtype="float64"), spokes=None)
        fresh.load_set(folder, name="same", prefill=False)
        wanted[seed] = fresh.start(ask).result(30).text
    assert wanted[1] != wanted[2]
    backend = LocalBackend(base, spokes=None)
    for seed in (1, 2, 1):
        backend.load_set(folders[seed], name="same")
        first, second = (backend.start(ask).result(30) for _ in range(2))
        assert first.text == second.text == wanted[seed]
        assert second.usage.cached_tokens > 0
        backend.unload_set("same")


def test_what_was_made_for_a_set_is_not_asked_of_another_one(base: Base, tmp_path: Path) -> None:
    """A set may go and another take its name between a request's prompt and its start."""
    one, other = (save_set(base, tmp_path / name, seed=index) for index, name in enumerate("ab"))
    backend = LocalBackend(base, spokes=None)
    model = backend.load_set(one, name="mine")
    request = Request(messages=MESSAGES, model="mine", made_for=model, max_tokens=3)
    assert backend.start(request).result(60).usage.completion_tokens == 3
    backend.unload_set("mine")
    with pytest.raises(UnknownModelError):
        backend.start(request)
    backend.load_set(other, name="mine")
    with pytest.raises(BusyError, match="'mine' became another set"):
        backend.start(request)
    assert backend.start(replace(request, made_for=None)).result(60)
    backend.close()


def test_no_set_takes_the_name_of_the_base(base: Base, tmp_path: Path) -> None:
    folder = save_set(base, tmp_path / base.name, seed=1)
    spokes, card = load_spokes(Path(folder))
    backend = LocalBackend(base, spokes=None)
    with pytest.raises(ValueError, match="the base's own name"):
        backend.load_set(folder, name=base.name)
    save_spokes(Path(folder), spokes, replace(card, task=""))
    with pytest.raises(ValueError, match="the base's own name"):
        backend.load_set(folder)
    assert [model.name for model in backend.models()] == [base.name]
    backend.close()


def test_tokens_and_texts(base: Base) -> None:
    backend = LocalBackend(base, spokes=None)
    ids = backend.tokenize("Zoë <|end|>", parse_special=False)
    assert backend.detokenize(ids) == "Zoë <|end|>"
    assert len(backend.tokenize("<|end|>")) == 1
    assert b"".join(map(backend.token_bytes, ids)).decode() == "Zoë <|end|>"
    with pytest.raises(ValueError, match="token 5000 is none of the base's"):
        backend.detokenize([5000])
    raw = Request(prompt=ids, max_tokens=3)
    assert backend.prompt_ids(raw) == ids
    assert backend.start(raw).result(30).usage.prompt_tokens == len(ids)


@pytest.mark.parametrize(
    ("constraint", "check"),
    [
        (Constraint(kind="regex", value="[ab]{3}c"), lambda text: len(text) == 4),
        (Constraint(kind="gbnf", value='root ::= "yes" | "no"'), {"yes", "no"}.__contains__),
        (Constraint(kind="lark", value='start: "yes" | "no"'), {"yes", "no"}.__contains__),
    ],
)
def test_other_grammars_hold(base: Base, constraint: Constraint, check: Any) -> None:
    backend = LocalBackend(base, spokes=None)
    completion = backend.start(
        Request(messages=MESSAGES, constraint=constraint, max_tokens=20)
    ).result(30)
    assert completion.finish_reason == "stop"
    assert check(completion.text)


@pytest.mark.parametrize("kind", ["gbnf", "lark", "regex"])
def test_a_grammar_that_is_none_is_refused(base: Base, kind: Any) -> None:
    backend = LocalBackend(base, spokes=None)
    with pytest.raises(ValueError, match=f"the {kind} can"):
        backend.start(Request(messages=MESSAGES, constraint=Constraint(kind=kind, value="((")))
