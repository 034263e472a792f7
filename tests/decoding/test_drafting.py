"""Guesses at how an answer goes on: where they are read, and what the grammar makes of them."""

from generating import generate

from spokesmith.bases import Base
from spokesmith.decoding import Constraint, Engine, Features
from spokesmith.decoding.drafting import (
    FIRST_CHANCES,
    MOST_EARLIER_TOKENS,
    CopyIndex,
    Drafter,
    Experience,
    guess,
)
from spokesmith.decoding.sets import unload_set
from spokesmith.spokes import SpokesConfig, SpokeSet, attach
from spokesmith.testing import tiny_base

ALIKE = list(range(300))
OBJECT = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "kind": {"enum": ["old", "new"]}},
    "required": ["name", "kind"],
    "additionalProperties": False,
}


def test_the_last_place_of_the_longest_ending_is_found() -> None:
    index = CopyIndex(ALIKE, [1, 2, 3, 4, 9, 2, 3, 5])
    assert index.find([7, 1, 2, 3]) == (3, 3)
    assert index.find([8, 8, 2, 3]) == (2, 7)
    assert index.find([8, 8, 8, 8]) is None


def test_what_agrees_beyond_the_longest_key_counts() -> None:
    index = CopyIndex(ALIKE, [5, *range(20, 29), 6])
    assert index.find([0, *range(20, 29)]) == (9, 10)
    assert index.find([0, 0, *range(22, 29)]) == (7, 10)


def likeliest(drafter: Drafter, guessed: list[int]) -> int | None:
    found = drafter.propose(guessed)
    assert found == sorted(found, reverse=True)
    return found[0][1] if found else None


def test_an_earlier_answer_is_read_where_much_more_of_the_ending_stands_there() -> None:
    experience = Experience(ALIKE)
    experience.add([*range(100, 110), 20])
    own = [109, 14, *range(100, 110)]
    assert likeliest(Drafter(ALIKE, own, experience), []) == 20
    assert likeliest(Drafter(ALIKE, own, experience, recalls=False), []) == 14
    # One token alone says little in an answer to another text.
    assert likeliest(Drafter(ALIKE, [*own, 50, 109], experience), []) == 50


def test_what_is_guessed_already_is_a_part_of_the_ending() -> None:
    drafter = Drafter(ALIKE, [1, 2, 3, 4, 9], Experience(ALIKE))
    assert likeliest(drafter, []) is None
    assert likeliest(drafter, [1, 2]) == 3
    assert likeliest(drafter, [1, 2, 3]) == 4


def test_chances_follow_what_came_true() -> None:
    experience = Experience(ALIKE)
    before = experience.chance("own", 2)
    for start in range(10, 40):
        # What follows two equal tokens is never what followed them before.
        drafter = Drafter(ALIKE, [1, 2, 3, 0, 1, 2], experience)
        drafter.extend(start, forced=False)
    assert experience.chance("own", 2) < before / 3
    assert experience.chance("own", 3) == FIRST_CHANCES["own"][2]


def test_nothing_is_learned_where_there_was_no_choice() -> None:
    experience = Experience(ALIKE)
    Drafter(ALIKE, [1, 2, 3, 0, 1, 2], experience).extend(9, forced=True)
    assert experience.chance("own", 2) == FIRST_CHANCES["own"][1]


def test_guesses_end_where_their_chance_gets_too_small() -> None:
    def count(least_chance: float) -> int:
        drafter = Drafter(ALIKE, [*range(40), 0], Experience(ALIKE))
        return len(guess(drafter, None, (), 30, least_chance=least_chance)[0])

    assert count(0.0) == 30
    assert count(1.0) == 0
    lengths = [count(chance) for chance in (0.01, 0.1, 0.2, 0.3, 0.4)]
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[0] > lengths[-1] > 0


def test_old_answers_are_forgotten() -> None:
    experience = Experience(ALIKE)
    for start in range(40):
        experience.add([start] * 1000)
    assert len(experience.index) <= MOST_EARLIER_TOKENS + 1000
    assert experience.index.find([0] * 4) is None
    found = experience.index.find([39] * 4)
    assert found is not None
    assert found[0] == 4


def text_of(base: Base, tokens: list[int]) -> str:
    return base.tokenizer.decode(tokens)


def test_what_must_follow_is_guessed_to_its_end_and_goes_before_a_copy() -> None:
    base = tiny_base("llama")
    engine = Engine(base)
    held = engine.grammars.start(Constraint(kind="schema", value=OBJECT))
    tokens, origins = guess(None, held, base.chat.stop_ids, 99, least_chance=0.5)
    assert text_of(base, tokens) == '{"name":"'
    assert set(origins) == {"forced"}
    misleading = base.tokenizer.encode('{"name":"Bo","kind":"{"name":"Al', add_special_tokens=False)
    for token in base.tokenizer.encode('{"name":"', add_special_tokens=False):
        held.accept(token)
    prompt = [*misleading, *base.tokenizer.encode('{"name":"')]
    drafter = Drafter(ALIKE, prompt, Experience(ALIKE))
    tokens, origins = guess(drafter, held, base.chat.stop_ids, 99, least_chance=0.1)
    assert text_of(base, tokens).startswith("Al") or text_of(base, tokens).startswith("Bo")
    assert origins[0] == "copied"


def test_what_was_answered_before_is_answered_again_in_fewer_forwards() -> None:
    base = tiny_base("llama")
    asked = Constraint(kind="schema", value=OBJECT)

    def twice(features: Features) -> list[int]:
        engine = Engine(base, features=features)
        found = [
            generate(engine, [70, 71, 72], spokes=None, max_tokens=60, constraint=asked)
            for _ in range(2)
        ]
        engine.close()
        assert found[0].tokens == found[1].tokens
        return [one.num_forwards for one in found]

    first, second = twice(Features())
    assert second < first / 2
    first, second = twice(Features(recalling=False))
    assert second == first


def test_a_set_that_goes_takes_its_answers_along() -> None:
    base = tiny_base("llama")
    config = SpokesConfig(
        hidden_size=base.config.hidden_size, num_layers=base.config.num_hidden_layers
    )
    attach(base.model, base.sites(), SpokeSet.create(config, seed=0), name="here")
    engine = Engine(base)
    generate(engine, [70, 71], spokes="here", max_tokens=5)
    assert len(engine.batch.experience["here"].index) > 0
    unload_set(engine, "here")
    assert "here" not in engine.batch.experience
