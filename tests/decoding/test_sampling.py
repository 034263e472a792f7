"""Draws have the distribution that was asked for, however many tokens a step confirms."""

import time
from collections import Counter
from typing import Any

import pytest
import torch
from torch import Tensor

from spokesmith.decoding import Constraint, Sampling
from spokesmith.decoding.grammar import GrammarCompiler
from spokesmith.decoding.row import Row
from spokesmith.decoding.sampling import LEAST_TEMPERATURE, Sampler, Scores
from spokesmith.testing import byte_tokenizer

CPU = torch.device("cpu")
NUM_DRAWS = 3000
LOGITS = torch.tensor([2.0, 1.0, 0.0, -1.0, -2.0, 0.5])
BEST = 0


def draws(count: int = NUM_DRAWS, mask: Tensor | None = None, **choices: Any) -> Counter[int]:
    return Counter(
        Sampler(Sampling(temperature=1.0, seed=seed, **choices), CPU).pick(
            LOGITS, BEST, lambda _: True, lambda: mask
        )
        for seed in range(count)
    )


def assert_like(found: Counter[int], expected: Tensor) -> None:
    """Within four standard deviations of the counts that a distribution gives."""
    total = sum(found.values())
    for token, share in enumerate(expected.tolist()):
        spread = 4 * (total * share * (1 - share)) ** 0.5
        assert abs(found[token] - total * share) <= spread, (token, found, share)


def test_draws_have_the_distribution_of_the_logits() -> None:
    assert_like(draws(), LOGITS.softmax(0))


def test_a_mask_leaves_the_others_in_proportion() -> None:
    mask = torch.tensor([False, True, True, False, True, True])
    assert_like(draws(mask=mask), LOGITS.masked_fill(~mask, -torch.inf).softmax(0))


@pytest.mark.parametrize(
    ("choices", "kept"),
    [({"top_k": 2}, [0, 1]), ({"min_p": 0.3}, [0, 1]), ({"top_p": 0.8}, [0, 1, 5])],
)
def test_what_narrows_the_choice(choices: dict[str, Any], kept: list[int]) -> None:
    mask = torch.tensor([token in kept for token in range(len(LOGITS))])
    assert_like(draws(**choices), LOGITS.masked_fill(~mask, -torch.inf).softmax(0))


def test_so_many_tokens_are_drawn_from_where_more_are_as_likely() -> None:
    logits = torch.tensor([1.0, 5.0, 5.0, 5.0])
    for count in (1, 2, 3):
        found = {
            Sampler(Sampling(temperature=1.0, seed=seed, top_k=count), CPU).pick(
                logits, 1, lambda _: True, lambda: None
            )
            for seed in range(100)
        }
        assert len(found) == count
        assert 0 not in found


def test_the_most_likely_token_alone_is_what_a_greedy_answer_takes() -> None:
    """In bfloat16 two tokens are often as likely as each other."""
    sampler = Sampler(Sampling(temperature=1.0, top_k=1), CPU)
    assert sampler.pick(torch.tensor([1.0, 5.0, 5.0]), 2, lambda _: True, lambda: None) == 2


def test_biases_and_penalties_change_logits() -> None:
    sampler = Sampler(Sampling(logit_bias={4: 5.0}), CPU)
    assert sampler.pick(LOGITS, BEST, lambda _: True, lambda: None) == 4
    sampler = Sampler(Sampling(presence_penalty=0.4, frequency_penalty=0.4), CPU)
    picked = []
    for _ in range(4):
        picked.append(sampler.pick(LOGITS, BEST, lambda _: True, lambda: None))
        sampler.accept(picked[-1])
    # 2.0 falls to 1.2, 0.8; then 1.0 is next, and so on.
    assert picked == [0, 0, 1, 0]


def test_a_bias_for_every_token_costs_no_more_than_one() -> None:
    logits = torch.randn(2**18, generator=torch.Generator().manual_seed(0))
    biases = torch.randn(len(logits), generator=torch.Generator().manual_seed(1))
    sampler = Sampler(Sampling(logit_bias=dict(enumerate(biases.tolist()))), CPU)
    start = time.perf_counter()
    picked = {sampler.pick(logits, BEST, lambda _: True, lambda: None) for _ in range(5)}
    # One by one the biases take longer by far than all at once do on a busy machine.
    assert time.perf_counter() - start < 5
    assert picked == {int((logits + biases).argmax())}


@pytest.mark.parametrize("temperature", [1e-40, 1e-6, LEAST_TEMPERATURE])
def test_the_smallest_temperatures_take_the_most_likely_token(temperature: float) -> None:
    sampler = Sampler(Sampling(temperature=temperature), CPU)
    assert sampler.is_greedy == (temperature < LEAST_TEMPERATURE)
    assert sampler.pick(1000 * LOGITS, BEST, lambda _: True, lambda: None) == BEST


def test_the_smallest_nucleus_is_the_most_likely_token() -> None:
    sampler = Sampler(Sampling(temperature=1.0, top_p=1e-300), CPU)
    assert sampler.pick(LOGITS, BEST, lambda _: True, lambda: None) == BEST


def test_a_draw_depends_on_its_place_and_seed_alone() -> None:
    def third(warm_up: int) -> int:
        sampler = Sampler(Sampling(temperature=1.0, seed=9), CPU)
        for _ in range(warm_up):
            sampler.pick(LOGITS, BEST, lambda _: True, lambda: None)
        for _ in range(2):
            sampler.accept(0)
        return sampler.pick(LOGITS, BEST, lambda _: True, lambda: None)

    assert third(0) == third(5)


@pytest.mark.parametrize("other", [1 + 2**12, 1 + 2**32, 1 + 2**60])
def test_seeds_draw_apart_however_far_apart_they_are(other: int) -> None:
    def drawn(seed: int) -> list[int]:
        sampler, found = Sampler(Sampling(temperature=1.0, seed=seed), CPU), list[int]()
        for _ in range(20):
            found.append(sampler.pick(LOGITS, BEST, lambda _: True, lambda: None))
            sampler.accept(found[-1])
        return found

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(other)


@pytest.mark.parametrize("guess", ["ab", "ba", "bb", ""])
def test_guesses_change_no_distribution(guess: str) -> None:
    """Two letters are drawn from known logits, with a right guess, a wrong one, or none."""
    tokenizer = byte_tokenizer()
    compiler = GrammarCompiler(tokenizer, tokenizer.eos_token_id, 320)
    letters = tokenizer("ab", add_special_tokens=False).input_ids
    guessed = tokenizer(guess, add_special_tokens=False).input_ids
    logits = torch.zeros(3, 320)
    logits[0, letters[0]] = logits[1, letters[1]] = 1.0
    best = logits.argmax(dim=-1).tolist()
    found: Counter[str] = Counter()
    for seed in range(800):
        row = Row(
            prompt=[1],
            spokes=None,
            max_tokens=2,
            sampler=Sampler(Sampling(temperature=1.0, seed=seed), CPU),
            stop_ids=(tokenizer.eos_token_id,),
            grammar=compiler.start(Constraint(kind="regex", value="[ab]{2}")),
            num_computed=1,
        )
        row.guessed, row.origins = list(guessed), ["copied"] * len(guessed)
        ended = row.take(Scores(logits=logits, best=best))
        while ended is None:
            rest = len(row.chosen)
            ended = row.take(Scores(logits=logits[rest:], best=best[rest:]))
        found[tokenizer.decode([one.id for one in row.chosen])] += 1
    likely = torch.tensor([1.0, 0.0]).softmax(0)
    expected = {
        first + second: float(likely[int(first == "b")] * likely[int(second == "a")])
        for first in "ab"
        for second in "ab"
    }
    names = list(expected)
    assert_like(
        Counter({place: found[name] for place, name in enumerate(names)}),
        torch.tensor([expected[name] for name in names]),
    )
