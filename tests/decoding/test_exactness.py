"""Whatever makes the engine fast changes no answer: it writes what the plainest loop writes.

In float64, where two ways to compute a logit differ by less than any two logits do.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from generating import generate
from spoked_bases import exact, outspoken

from spokesmith.bases import Base, find_base
from spokesmith.bases.base import chat_of
from spokesmith.decoding import Constraint, Engine, Features, Generation, Sampling
from spokesmith.decoding.grammar import GrammarCompiler
from spokesmith.decoding.packing import fix_layout
from spokesmith.spokes import SpokeSet, attach, using
from spokesmith.testing import FAMILY_SIZES, tiny_base

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 8},
        "level": {"enum": ["low", "lower", "high"]},
        "parts": {
            "type": "array",
            "maxItems": 2,
            "items": {
                "type": "object",
                "properties": {"name": {"type": "string", "maxLength": 8}},
                "required": ["name"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["name", "level", "parts"],
    "additionalProperties": False,
}
HELD = Constraint(kind="schema", value=SCHEMA)
NUM_PROMPTS = 26
MAX_TOKENS = 90
WORDS = "the pump in hall three stopped at noon because Marta moved a valve".split()


@pytest.fixture(scope="module", params=FAMILY_SIZES)
def base(request: pytest.FixtureRequest) -> Base:
    # Torch multiplies the matrices of experts in float32 at the most.
    dtype = "float32" if request.param == "gemma4_experts" else "float64"
    base = outspoken(tiny_base(request.param, dtype=dtype))
    for seed, (name, placement) in enumerate((("noise", "residual"), ("other", "residual"))):
        config = base.spokes_config(placement=placement, num_spokes=1, rank=8)
        spokes = SpokeSet.create(config, seed=seed).to(getattr(torch, dtype))
        for index in config.layer_indices:
            generator = torch.Generator().manual_seed(10 * seed + index)
            torch.nn.init.normal_(spokes.at(index).up, std=3.0, generator=generator)
        attach(base.model, base.sites(), spokes, name=name)
    return base


def prompts(base: Base) -> list[list[int]]:
    """Texts of different lengths that begin alike."""
    draws = np.random.default_rng(0)
    texts = [" ".join(draws.choice(WORDS, draws.integers(3, 16))) for _ in range(NUM_PROMPTS)]
    return [base.tokenizer(f"Encode this as JSON, please: {text}\n").input_ids for text in texts]


# Reading a large vocabulary takes longer than an answer.
compiler_of = cache(GrammarCompiler)


def plain(base: Base, prompt: list[int], spokes: str | None, *, held: bool) -> list[int]:
    """The plainest loop: the whole sequence again for every token, masked, the most likely one."""
    vocabulary = base.model.get_output_embeddings().weight.shape[0]
    compiler = compiler_of(base.tokenizer, base.chat.end_id, vocabulary)
    grammar = compiler.start(HELD) if held else None
    ids = list(prompt)
    with torch.no_grad(), using(base.model, spokes):
        while len(ids) < len(prompt) + MAX_TOKENS:
            # A tensor, not a number, by which gemma4 would leave out positions in layers too.
            last = torch.tensor([len(ids) - 1])
            output = base.model(torch.tensor([ids]), use_cache=False, logits_to_keep=last)
            logits = output.logits[0, -1]
            if grammar is not None:
                logits[~torch.from_numpy(grammar.allowed())] = -torch.inf
            token = int(logits.argmax())
            if token == base.chat.end_id:
                break
            ids.append(token)
            if grammar is not None:
                grammar.accept(token)
    return ids[len(prompt) :]


def answers(
    base: Base,
    features: Features,
    num_slots: int,
    sets: list[str | None],
    *,
    held: bool = True,
    sampling: Sampling | None = None,
    count: int = NUM_PROMPTS,
) -> list[Generation]:
    engine, asked = Engine(base, num_slots=num_slots, features=features), prompts(base)

    def ask(place: int) -> Generation:
        return generate(
            engine,
            asked[place],
            spokes=sets[place % len(sets)],
            max_tokens=MAX_TOKENS,
            constraint=HELD if held else None,
            sampling=sampling,
        )

    with ThreadPoolExecutor(NUM_PROMPTS) as pool:
        found = list(pool.map(ask, range(count)))
    engine.close()
    return found


ALL = Features()
NONE = Features(forced=False, copying=False, prefix_cache=False, fixed_layout=False)


@pytest.fixture(scope="module")
def expected(base: Base) -> list[list[int]]:
    return [
        plain(base, prompt, ["noise", None, "other"][place % 3], held=True)
        for place, prompt in enumerate(prompts(base))
    ]


FIXED_SHAPES = Features(captured=True)


@pytest.mark.parametrize("features", [ALL, NONE, FIXED_SHAPES], ids=["all", "none", "fixed-shapes"])
@pytest.mark.parametrize("num_slots", [1, 8])
def test_held_answers_equal_the_plain_loop(
    base: Base, expected: list[list[int]], features: Features, num_slots: int
) -> None:
    found = answers(base, features, num_slots, ["noise", None, "other"])
    assert [one.tokens for one in found] == expected
    guessed = sum(one.origin in ("forced", "copied") for each in found for one in each.chosen)
    assert (guessed > 0) == features.forced


@pytest.mark.parametrize("model_type", FAMILY_SIZES)
def test_in_a_fixed_layout_answers_equal_the_plain_loop(
    monkeypatch: pytest.MonkeyPatch, model_type: str
) -> None:
    """As every CPU with such a layout runs, with the `ffn` spokes in the blocks."""
    base, sets = outspoken(exact(model_type)), ["noise", None, "third", "other"]
    expected = [
        plain(base, prompt, sets[place % len(sets)], held=True)
        for place, prompt in enumerate(prompts(base)[:12])
    ]
    bare = [plain(base, prompt, None, held=True) for prompt in prompts(base)[:3]]
    assert bare != expected[:3]
    monkeypatch.setattr("spokesmith.decoding.packing.can_pack", lambda weight: True)
    assert fix_layout(base) is not None
    for num_slots in (1, 8):
        found = answers(base, ALL, num_slots, sets, count=len(expected))
        assert [one.tokens for one in found] == expected


@pytest.mark.parametrize("model_type", ["llama", "gemma4_text", "qwen3_5_text"])
def test_tokens_of_many_letters_equal_the_plain_loop_s(model_type: str) -> None:
    tokenizer = find_base("smollm2-135m").tokenizer
    sizes = {"vocab_size": len(tokenizer)}
    if model_type == "gemma4_text":
        sizes["vocab_size_per_layer_input"] = len(tokenizer)
    tiny = tiny_base(model_type, dtype="float64", **sizes)
    base = replace(tiny, tokenizer=tokenizer, chat=chat_of(tokenizer, tiny.family))
    found = answers(base, ALL, 3, [None], count=4)
    assert [one.tokens for one in found] == [
        plain(base, prompt, None, held=True) for prompt in prompts(base)[:4]
    ]
    forced = [one.id for each in found for one in each.chosen if one.origin == "forced"]
    assert any(len(tokenizer.decode([token])) > 1 for token in forced)


def test_chunks_of_prompts_change_nothing(base: Base, expected: list[list[int]]) -> None:
    found = answers(base, Features(step_tokens=16), 4, ["noise", None, "other"])
    assert [one.tokens for one in found] == expected


def test_free_answers_equal_the_plain_loop(base: Base) -> None:
    found = answers(base, ALL, 8, ["noise"], held=False, count=8)
    for prompt, one in zip(prompts(base), found, strict=False):
        assert one.tokens == plain(base, prompt, "noise", held=False)


def test_draws_are_the_same_however_they_are_guessed(base: Base) -> None:
    sampling = Sampling(temperature=0.8, top_p=0.9, seed=5)
    with_guesses = answers(base, ALL, 8, ["noise"], sampling=sampling, count=8)
    without = answers(base, NONE, 1, ["noise"], sampling=sampling, count=8)
    assert [one.tokens for one in with_guesses] == [one.tokens for one in without]


def test_one_at_a_time_takes_fewer_forwards_than_tokens(base: Base) -> None:
    found = answers(base, ALL, 1, ["noise"], count=8)
    tokens = sum(len(one.tokens) for one in found)
    assert sum(one.num_forwards for one in found) < 0.75 * tokens


def test_prefixes_are_found_and_never_mixed(base: Base) -> None:
    engine = Engine(base, num_slots=1)
    first = prompts(base)[0]
    cached = {}
    for spokes in ("noise", "other", None, "noise", "other", None):
        for prompt in (first, [*first[:-3], 65, 66, 67]):
            one = generate(engine, prompt, spokes=spokes, max_tokens=6)
            cached.setdefault(spokes, []).append(one.num_cached)
            fresh = Engine(base, features=NONE)
            assert one.tokens == generate(fresh, prompt, spokes=spokes, max_tokens=6).tokens
    if not engine.runner.has_states:
        for lengths in cached.values():
            assert lengths[0] == lengths[1] == 0
            assert lengths[2] == lengths[3] == len(first) - 3


def test_a_shared_beginning_that_is_named_is_kept_at_once(base: Base) -> None:
    engine = Engine(base)
    prompt = prompts(base)[0]
    generate(engine, prompt, spokes="noise", max_tokens=2, num_shared=20)
    other = [*prompt[:20], *prompts(base)[1][24:]]
    one = generate(engine, other, spokes="noise", max_tokens=12, num_shared=20)
    assert one.num_cached == 20
    fresh = Engine(base, features=NONE)
    assert one.tokens == generate(fresh, other, spokes="noise", max_tokens=12).tokens
