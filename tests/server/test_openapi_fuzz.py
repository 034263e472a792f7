"""Whatever the OpenAPI document allows, and much that it does not, is never answered by a 5xx."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from scripted_backend import ScriptedBackend
from serving import serve, service_over

from spokesmith.server.app import create_app

EXAMPLES = 15
DOCUMENT = create_app(service_over(ScriptedBackend())).openapi()
OPERATIONS = [found.ok() for found in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations()]
TAKE_BODIES = [
    operation
    for operation in OPERATIONS
    if "requestBody" in DOCUMENT["paths"][operation.path][operation.method]
]
CASES = [(operation, GenerationMode.POSITIVE) for operation in OPERATIONS] + [
    (operation, GenerationMode.NEGATIVE) for operation in TAKE_BODIES
]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serve(service_over(ScriptedBackend('{"a":"b"}'))) as url:
        yield url


@pytest.mark.parametrize(
    ("operation", "mode"), CASES, ids=lambda part: getattr(part, "label", str(part))
)
def test_no_request_is_answered_by_a_failure(
    url: str, operation: Any, mode: GenerationMode
) -> None:
    statuses: set[int] = set()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        response = case.call(base_url=url, timeout=20)
        assert response.status_code < 500, response.text
        if response.status_code >= 400:
            assert response.json()["error"]["message"]
        statuses.add(response.status_code)

    check()
    assert statuses


def test_the_page_of_the_document_loads_nothing_from_elsewhere(url: str) -> None:
    response = httpx.get(f"{url}/docs")
    assert response.headers["content-type"].startswith("text/html")
    for path in DOCUMENT["paths"]:
        assert f"<code>{path}</code>" in response.text
    assert "on_truncation" in response.text
    assert "http://" not in response.text
    assert "https://" not in response.text
    assert "<script" not in response.text


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
