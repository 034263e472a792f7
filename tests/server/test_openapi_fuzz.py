"""Whatever the OpenAPI document allows, and much that it does not, is never answered by a 5xx.

The engine is the real one on a tiny base, so that templates, grammars and sets are at work too.
"""

import string
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import httpx
import numpy as np
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from scripted_backend import ScriptedBackend
from serving import serve, service_over

from spokesmith.backends import LocalBackend
from spokesmith.backends.request import Request
from spokesmith.server.app import create_app
from spokesmith.server.embedder import Embedder
from spokesmith.server.embedding_model import Window
from spokesmith.server.service import Loading
from spokesmith.spokes import SpokesCard, SpokeSet, save_spokes
from spokesmith.testing import tiny_base

EXAMPLES = 40
MAX_TOKENS = 4
DOCUMENT = create_app(service_over(ScriptedBackend())).openapi()
OPERATIONS = [found.ok() for found in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations()]
TAKE_BODIES = [
    operation
    for operation in OPERATIONS
    if "requestBody" in DOCUMENT["paths"][operation.path][operation.method]
]
# No folder of a made-up name holds a set.
DO_WORK = [operation for operation in TAKE_BODIES if operation.path != "/v1/spokes"]
CASES = [(operation, GenerationMode.POSITIVE) for operation in OPERATIONS] + [
    (operation, GenerationMode.NEGATIVE) for operation in TAKE_BODIES
]
fuzzed = partial(
    settings,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


class BriefBackend(LocalBackend):
    """The local engine; whatever is asked for, answers have a few tokens at most."""

    def start(self, request: Request, **heard: Any) -> Any:
        wanted = MAX_TOKENS if request.max_tokens is None else request.max_tokens
        return super().start(replace(request, max_tokens=min(wanted, MAX_TOKENS)), **heard)


class ScriptedVectors:
    """An embedding model that is none: every text has the same vector."""

    name, dimensions = "vectors", 3

    def answers_to(self, name: str) -> bool:
        return name == self.name

    def windows(self, text: str) -> list[Window]:
        return [Window(text=text, num_tokens=len(text.encode()))]

    def text_of(self, token_ids: list[int]) -> str:
        return bytes(token_ids).decode()

    def embed(self, texts: list[str]) -> np.ndarray:
        return np.ones((len(texts), self.dimensions), dtype=np.float32)

    def mean(self, vectors: np.ndarray, weights: list[int]) -> np.ndarray:
        return vectors[0]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    base, folder = tiny_base(), tmp_path_factory.mktemp("set")
    spokes = SpokeSet.create(base.spokes_config(placement="ffn", num_spokes=1, rank=4), seed=0)
    card = SpokesCard(
        spokes=spokes.config, base=base.name, base_fingerprint=base.fingerprint, task="memory"
    )
    save_spokes(folder, spokes, card)
    backend = BriefBackend(base, spokes=None, num_slots=8)
    backend.load_set(str(folder), name="memory")
    service = service_over(backend)
    vectors: Any = ScriptedVectors()
    service.embedder = Loading("embedder", lambda: Embedder(vectors))
    with serve(service) as url:
        yield url


def check_response(response: Any) -> None:
    assert response.status_code < 500, response.text
    if response.status_code >= 400:
        assert response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("operation", "mode"), CASES, ids=lambda part: getattr(part, "label", str(part))
)
def test_no_request_is_answered_by_a_failure(
    url: str, operation: Any, mode: GenerationMode
) -> None:
    statuses: set[int] = set()

    @fuzzed(max_examples=EXAMPLES)
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        if mode == GenerationMode.POSITIVE and isinstance(case.body, dict):
            # A name that is made up hardly ever names a model, so nothing behind it would run.
            case.body.pop("model", None)
        response = case.call(base_url=url, timeout=20)
        check_response(response)
        statuses.add(response.status_code)

    check()
    assert statuses
    if mode == GenerationMode.POSITIVE and operation in DO_WORK:
        assert 200 in statuses


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
KEYWORDS = """
    $defs $ref additionalProperties allOf anyOf const contains default dependentRequired enum
    exclusiveMinimum format if items maxItems maxLength maximum minItems minLength minimum
    multipleOf not oneOf pattern patternProperties prefixItems properties required then type
    uniqueItems x-guidance
""".split()
WORDS = """
    string object array integer number null boolean a b # #/$defs/a #/properties/a date-time uuid
    ( [a- \\d+ (?=a) a{9999} ^a|b$
""".split()
SCHEMAS = st.recursive(
    JSON | st.sampled_from(WORDS),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*KEYWORDS, "a", "b"]), inner, max_size=4)
    ),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.sampled_from(KEYWORDS), SCHEMAS, max_size=5)
PARTS = ["root", "a", "::=", "\n", "|", '"', '"a"', "[", "[^", "[a-z]", "]", "\\", "(", ")", "{"]
PARTS += ["}", "{1,2}", "*", "+", "?", "-", "#", "\\x", ".", " ", "root ::= a\n", "a ::= "]
RULES = ['"a"', "[a-z]", "[^a]*", '"b"?', '("a" | "b")+', "root", "a", '"a"{1,2}', '"\\x41"', "| ."]
GRAMMARS = (
    st.lists(st.sampled_from(PARTS), min_size=1, max_size=12).map(" ".join)
    | st.lists(st.sampled_from(RULES)).map(lambda rules: f"root ::= {' '.join(rules)}")
    | st.text(string.printable, min_size=1, max_size=30)
)
OPTIONS = """
    bos_token chat_template content date_string enable_thinking loop message messages namespace
    raise_exception self strftime_now tokenize tools xml_tools
""".split()
FIELDS = {
    "json_schema": OBJECTS,
    "response_format": st.builds(
        lambda schema, strict: {
            "type": "json_schema",
            "json_schema": {"schema": schema, "strict": strict},
        },
        OBJECTS,
        st.booleans(),
    ),
    "tools": OBJECTS.map(
        lambda schema: [{"function": {"name": "f", "parameters": {**schema, "type": "object"}}}]
    ),
    "grammar": GRAMMARS,
    "chat_template_kwargs": st.dictionaries(st.sampled_from(OPTIONS), JSON, max_size=3),
}


@pytest.mark.parametrize("field", FIELDS)
def test_what_shapes_an_answer_is_never_a_failure(url: str, field: str) -> None:
    statuses: set[int] = set()
    messages = [{"role": "system", "content": "Hi"}, {"role": "user", "content": "Well?"}]

    with httpx.Client(base_url=url, timeout=30) as client:

        @fuzzed(max_examples=4 * EXAMPLES)
        @given(value=FIELDS[field])
        def check(value: Any) -> None:
            body = {"messages": messages, field: value}
            response = client.post("/v1/chat/completions", json=body)
            check_response(response)
            statuses.add(response.status_code)

        check()
    assert statuses == {200, 400}


def test_embeddings_are_made(url: str) -> None:
    body = {"input": ["a", "b"], "encoding_format": "float"}
    assert len(httpx.post(f"{url}/v1/embeddings", json=body).json()["data"]) == 2


@pytest.mark.parametrize("source", ["x" * 300, "a\0b"])
def test_folders_that_cannot_be_looked_into_are_no_sets(url: str, source: str) -> None:
    check_response(httpx.post(f"{url}/v1/spokes", json={"source": source}))


def test_the_page_of_the_document_loads_nothing_from_elsewhere(url: str) -> None:
    response = httpx.get(f"{url}/docs")
    assert response.headers["content-type"].startswith("text/html")
    for path in DOCUMENT["paths"]:
        assert f"<code>{path}</code>" in response.text
    assert "on_truncation" in response.text
    assert "http://" not in response.text
    assert "https://" not in response.text
    assert "<script" not in response.text
    # The server may stand below a path.
    assert "href=/" not in response.text


def test_the_document_names_every_route(url: str) -> None:
    paths = httpx.get(f"{url}/openapi.json").json()["paths"]
    assert {
        "/completion",
        "/detokenize",
        "/health",
        "/metrics",
        "/props",
        "/tokenize",
        "/v1/chat/completions",
        "/v1/completions",
        "/v1/embeddings",
        "/v1/encode",
        "/v1/models",
        "/v1/models/{name}",
        "/v1/spokes",
        "/v1/spokes/{name}",
    } == set(paths)
    for path in paths.values():
        for operation in path.values():
            assert "422" not in operation["responses"]
            assert operation["description"] or operation["summary"]
