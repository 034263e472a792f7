"""The engine and its grammars on a tiny random base, which writes nonsense unless it is held."""

import json
import threading
from typing import Any

import pytest
import torch
from generating import generate

from spokesmith.backends import LocalBackend
from spokesmith.bases import Base
from spokesmith.decoding import Constraint, Engine, Sampling
from spokesmith.decoding.row import masks_along
from spokesmith.metrics.compliance import check, parse_strict
from spokesmith.spokes import SpokeSet, attach
from spokesmith.tasks import canonical_json, load_task
from spokesmith.tasks.verbatim import held_to_text
from spokesmith.testing import FAMILY_SIZES, tiny_base

HELD = Constraint(kind="schema", value=load_task("memory").schema)
SMALL: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 6},
        "level": {"enum": ["low", "high"]},
        "score": {"type": "integer", "minimum": 0, "maximum": 100},
        "tags": {"type": "array", "maxItems": 2, "items": {"type": "string", "maxLength": 4}},
    },
    "required": ["name", "level", "score", "tags"],
    "additionalProperties": False,
}
PROMPT = list(range(65, 91))


VERBATIM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "names": {
            "type": "array",
            "minItems": 2,
            "maxItems": 4,
            "items": {"type": "string", "maxLength": 30},
        }
    },
    "required": ["names"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module", params=FAMILY_SIZES)
def base(request: pytest.FixtureRequest) -> Base:
    base = tiny_base(request.param)
    spokes = SpokeSet.create(base.spokes_config(placement="residual", num_spokes=1, rank=8), seed=0)
    for index in spokes.config.layer_indices:
        torch.nn.init.normal_(
            spokes.at(index).up, std=5.0, generator=torch.Generator().manual_seed(index)
        )
    attach(base.model, base.sites(), spokes, name="noise")
    return base


def greedy(base: Base, prompt: list[int], count: int) -> list[int]:
    """The plainest greedy decoding: the whole sequence again for every token."""
    ids = list(prompt)
    for _ in range(count):
        with torch.no_grad():
            ids.append(int(base.model(torch.tensor([ids]), use_cache=False).logits[0, -1].argmax()))
        if ids[-1] == base.chat.end_id:
            break
    return ids[len(prompt) :]


def test_free_decoding_equals_the_plain_loop(base: Base) -> None:
    wanted = greedy(base, PROMPT, 20)
    found = generate(Engine(base), PROMPT, spokes="noise", max_tokens=20)
    ended = wanted[-1] == base.chat.end_id
    assert found.tokens == (wanted[:-1] if ended else wanted)
    assert found.finish_reason == ("stop" if ended else "length")
    assert 0 < found.first_token_s <= found.total_s


def test_spokes_are_those_asked_for(base: Base) -> None:
    engine = Engine(base)
    with_spokes = generate(engine, PROMPT, spokes="noise", max_tokens=8).tokens
    without = generate(engine, PROMPT, spokes=None, max_tokens=8).tokens
    assert with_spokes != without
    assert generate(engine, PROMPT, spokes="noise", max_tokens=8).tokens == with_spokes


@pytest.mark.parametrize("seed", range(6))
def test_a_schema_always_holds(base: Base, seed: int) -> None:
    backend = LocalBackend(base, spokes="noise")
    completion = backend.complete(
        [{"role": "user", "content": "x"}], SMALL, max_tokens=400, temperature=1.5, seed=seed
    )
    assert completion.finish_reason == "stop"
    assert check(completion.text, SMALL).valid
    value = parse_strict(completion.text)
    # The grammar and the canonical form agree on spacing and the order of keys.
    assert list(value) == list(SMALL["properties"])
    assert completion.text.replace(" ", "").startswith('{"name":"')
    without_strings = json.dumps({**value, "name": "", "tags": []}, separators=(",", ":"))
    assert " " not in without_strings
    assert canonical_json(value, SMALL).count('":') == completion.text.count('":')


def test_a_cut_answer_says_so(base: Base) -> None:
    generation = generate(Engine(base), PROMPT, spokes=None, max_tokens=5, constraint=HELD)
    assert generation.finish_reason == "length"
    assert len(generation.tokens) == 5
    assert base.tokenizer.decode(generation.tokens) == '{"gis'


def test_the_same_seed_gives_the_same_answer(base: Base) -> None:
    engine = Engine(base)

    def sample(seed: int) -> list[int]:
        return generate(
            engine,
            PROMPT,
            spokes="noise",
            max_tokens=16,
            sampling=Sampling(temperature=1.0, top_p=0.95, seed=seed),
        ).tokens

    assert sample(3) == sample(3)
    assert len({tuple(sample(seed)) for seed in range(5)}) > 1


def test_an_over_long_prompt_names_both_numbers(base: Base) -> None:
    with pytest.raises(ValueError, match="the prompt has 5000 tokens, the base's context is 4096"):
        generate(Engine(base), [65] * 5000, spokes=None, max_tokens=4)


def test_the_context_ends_an_answer_as_length(base: Base) -> None:
    generation = generate(Engine(base), [65] * 4090, spokes=None, max_tokens=50, constraint=HELD)
    assert generation.finish_reason == "length"
    assert len(generation.tokens) <= 6


def test_a_schema_that_cannot_be_enforced_is_refused(base: Base) -> None:
    schema = {"type": "object", "properties": {"a": {"$ref": "#/nowhere"}}, "required": ["a"]}
    held = Constraint(kind="schema", value=schema)
    with pytest.raises(ValueError, match="the schema cannot be enforced"):
        generate(Engine(base), PROMPT, spokes=None, max_tokens=4, constraint=held)


def test_a_schema_is_compiled_once(base: Base) -> None:
    engine, held = Engine(base), Constraint(kind="schema", value=SMALL)
    for _ in range(3):
        generate(engine, PROMPT, spokes=None, max_tokens=3, constraint=held)
    assert len(engine.grammars._compiled) == 1


def test_fields_held_to_a_text_hold_its_words(base: Base) -> None:
    """Nonsense by chance says nothing that the text does not say."""
    text = "Ana Grün met Otto (P-7) on 4 May,\nin Köln."
    schema = held_to_text(VERBATIM, ["/names/*"], text)
    engine, names = Engine(base), set[str]()
    for seed in range(8):
        found = generate(
            engine,
            PROMPT,
            spokes="noise",
            max_tokens=200,
            constraint=Constraint(kind="schema", value=schema),
            sampling=Sampling(temperature=1.0, seed=seed),
        )
        answer = base.tokenizer.decode(found.tokens)
        assert check(answer, schema).valid, answer
        names.update(parse_strict(answer)["names"])
    assert len(names) >= 2
    assert all(name in " ".join(text.split()) for name in names)


def test_masks_for_draws_are_made_while_the_base_computes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine, made = Engine(tiny_base()), threading.Event()
    run = engine.runner.run

    def make(*given: Any) -> Any:
        masks = masks_along(*given)
        made.set()
        return masks

    def wait_for_masks(works: Any) -> Any:
        assert made.wait(10), "nobody makes masks while the base computes"
        made.clear()
        return run(works)

    monkeypatch.setattr("spokesmith.decoding.batch.masks_along", make)
    monkeypatch.setattr(engine.runner, "run", wait_for_masks)
    found = generate(
        engine,
        PROMPT,
        spokes=None,
        constraint=Constraint(kind="regex", value="[a-z]{8}"),
        sampling=Sampling(temperature=1.0),
    )
    assert len(found.tokens) == 8
