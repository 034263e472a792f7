"""Guesses at how an answer goes on: where they are read, and what the grammar makes of them."""

from spokesmith.bases import Base
from spokesmith.decoding import Constraint, Engine, Features
from spokesmith.decoding.drafting import (
    MOST_EARLIER_TOKENS,
    CopyIndex,
    Drafter,
    EarlierAnswers,
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


def test_the_last_place_of_the_longest_ending_is_read() -> None:
    index = CopyIndex(ALIKE, [1, 2, 3, 4, 9, 2, 3, 5])
    assert index.find([7, 1, 2, 3]) == (3, 3)
    assert index.find([8, 8, 2, 3]) == (2, 7)
    assert index.find([8, 8, 8, 8]) == (0, 8)


def test_an_earlier_answer_is_read_where_more_of_the_ending_stands_there() -> None:
    earlier = EarlierAnswers(ALIKE)
    earlier.add([10, 11, 12, 13, 20])
    own = [12, 13, 14, 10, 11, 12, 13]
    assert Drafter(ALIKE, own).propose([], 2) == [14, 10]
    assert Drafter(ALIKE, own, earlier).propose([], 2) == [20]


def test_one_token_alone_is_not_looked_up_in_earlier_answers() -> None:
    earlier = EarlierAnswers(ALIKE)
    earlier.add([1, 2, 3])
    assert Drafter(ALIKE, [9, 1], earlier).propose([], 3) == []
    assert Drafter(ALIKE, [9, 1], earlier).propose([2], 3) == [3]


def test_old_answers_are_forgotten() -> None:
    earlier = EarlierAnswers(ALIKE)
    for start in range(40):
        earlier.add([start] * 1000)
    assert len(earlier.index) <= MOST_EARLIER_TOKENS + 1000
    assert earlier.index.find([0] * 4) == (0, len(earlier.index))
    assert earlier.index.find([39] * 4)[0] == 4


def text_of(base: Base, tokens: list[int]) -> str:
    return base.tokenizer.decode(tokens)


def test_what_must_follow_is_guessed_to_its_end_and_goes_before_a_copy() -> None:
    base = tiny_base("llama")
    engine = Engine(base)
    held = engine.grammars.start(Constraint(kind="schema", value=OBJECT))
    tokens, origins = guess(None, held, base.chat.stop_ids, 99, copy_room=9)
    assert text_of(base, tokens) == '{"name":"'
    assert set(origins) == {"forced"}
    misleading = base.tokenizer.encode('{"name":"Bo","kind":"{"name":"Al', add_special_tokens=False)
    for token in base.tokenizer.encode('{"name":"', add_special_tokens=False):
        held.accept(token)
    drafter = Drafter(ALIKE, [*misleading, *base.tokenizer.encode('{"name":"')])
    tokens, origins = guess(drafter, held, base.chat.stop_ids, 99, copy_room=99)
    assert text_of(base, tokens).startswith("Al") or text_of(base, tokens).startswith("Bo")
    assert origins[0] == "copied"


def test_what_was_answered_before_is_answered_again_in_fewer_forwards() -> None:
    base = tiny_base("llama")
    asked = Constraint(kind="schema", value=OBJECT)

    def twice(features: Features) -> list[int]:
        engine = Engine(base, features=features)
        found = [
            engine.generate([70, 71, 72], spokes=None, max_tokens=60, constraint=asked)
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
    engine.generate([70, 71], spokes="here", max_tokens=5)
    assert len(engine._earlier["here"].index) > 0
    unload_set(engine, "here")
    assert "here" not in engine._earlier
