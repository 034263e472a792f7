"""Keys, pages of other sites, and hosts of other names."""

import base64
from collections.abc import Iterator

import httpx
import pytest
from scripted_backend import BASE, ScriptedBackend
from serving import client_of, error_of

from spokesmith.server.service import Settings

CHAT = {"model": BASE, "messages": [{"role": "user", "content": "a"}]}
KEYS = ("k-1", "zwei-ü", "clé-à")


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with client_of(ScriptedBackend("a"), api_keys=KEYS) as client:
        yield client


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"anyone:{password}".encode()).decode()


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer k-1"},
        {"Authorization": "bearer  k-1"},
        {"X-Api-Key": "k-1"},
        {"X-Api-Key": "zwei-ü".encode()},
        {"Authorization": "Bearer zwei-ü"},
        {"Authorization": "Bearer clé-à"},
        {"Authorization": basic("zwei-ü")},
        {"Authorization": "Bearer wrong", "X-Api-Key": "k-1"},
    ],
)
def test_a_key_lets_in(client: httpx.Client, headers: dict[str, str | bytes]) -> None:
    given = {name: v if isinstance(v, bytes) else v.encode() for name, v in headers.items()}
    assert client.get("/v1/models", headers=given).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer k-2"},
        {"Authorization": "Bearer k-1x"},
        {"Authorization": "k-1"},
        {"Authorization": "Basic k-1"},
        {"Authorization": basic("")},
        {"Authorization": "Basic ====="},
        {"X-Api-Key": ""},
    ],
)
def test_anything_else_does_not(client: httpx.Client, headers: dict[str, str]) -> None:
    error = error_of(client.get("/v1/models", headers=headers), 401)
    assert error["type"] == "authentication_error"
    assert error["code"] == "invalid_api_key"


def test_every_route_but_health_needs_it(client: httpx.Client) -> None:
    document = client.get("/openapi.json", headers={"X-Api-Key": "k-1"}).json()
    routes = [(path, method) for path, item in document["paths"].items() for method in item]
    assert len(routes) > 12
    for path, method in [*routes, ("/", "get"), ("/openapi.json", "get"), ("/nowhere", "get")]:
        response = client.request(method, path.replace("{name}", "x"), json={})
        assert response.status_code == (200 if path == "/health" else 401), path
    assert document["security"] == [{"bearer": []}, {"header": []}]


def test_a_browser_may_ask_its_user(client: httpx.Client) -> None:
    assert "Basic" in client.get("/").headers["www-authenticate"]
    assert client.get("/", headers={"Authorization": basic("k-1")}).status_code == 200
    # A page that sent a key tells of a wrong one itself.
    wrong = client.get("/v1/models", headers={"Authorization": "Bearer wrong"})
    assert wrong.headers["www-authenticate"] == "Bearer"


def test_keys_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    import hmac

    from spokesmith.server.access import Access

    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return real(one, other)

    real = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", compare)
    access = Access(None, Settings(api_keys=("a", "b")))  # type: ignore[arg-type]
    from starlette.datastructures import Headers

    assert access._refusal("GET", Headers({"x-api-key": "a"})) is None
    assert compared == [(b"a", b"a"), (b"a", b"b")]


def test_without_keys_none_is_asked_for() -> None:
    with client_of(ScriptedBackend("a")) as client:
        assert client.post("/v1/chat/completions", json=CHAT).status_code == 200


def test_pages_of_other_sites_may_not_call_unless_asked_for() -> None:
    other, own = {"Origin": "https://evil.example"}, {"Origin": "http://app.example"}
    with client_of(ScriptedBackend("a")) as client:
        response = client.post("/v1/chat/completions", json=CHAT, headers=other)
        assert error_of(response, 403)["code"] == "foreign_origin"
        error_of(client.delete("/v1/spokes/memory", headers={"Origin": "null"}), 403)
        read = client.get("/v1/models", headers=other)
        assert "access-control-allow-origin" not in read.headers
        itself = {"Origin": str(client.base_url).rstrip("/")}
        assert client.post("/v1/chat/completions", json=CHAT, headers=itself).status_code == 200
        assert client.options("/v1/models", headers=other).status_code == 405
    with client_of(ScriptedBackend("a"), cors_origins=("http://app.example",)) as client:
        response = client.post("/v1/chat/completions", json=CHAT, headers=own)
        assert response.headers["access-control-allow-origin"] == "http://app.example"
        error_of(client.post("/v1/chat/completions", json=CHAT, headers=other), 403)


def test_a_browsers_question_beforehand_needs_no_key() -> None:
    asked = {
        "Origin": "http://app.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    with client_of(
        ScriptedBackend("a"), api_keys=KEYS, cors_origins=("http://app.example",)
    ) as client:
        response = client.options("/v1/chat/completions", headers=asked)
        assert response.status_code == 200
        assert response.headers["access-control-allow-origin"] == "http://app.example"
        refused = client.post("/v1/chat/completions", json=CHAT, headers=asked)
        assert refused.status_code == 401
        assert refused.headers["access-control-allow-origin"] == "http://app.example"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8899", 200),
        ("127.0.0.1", 200),
        ("[::1]:8899", 200),
        ("::1", 200),
        ("127.0.0.2:8899", 200),
        ("evil.example:8899", 403),
        ("localhost.evil.example", 403),
    ],
)
def test_a_name_that_only_leads_here_is_refused(host: str, status: int) -> None:
    with client_of(ScriptedBackend("a"), only_local_names=True) as client:
        assert client.get("/v1/models", headers={"Host": host}).status_code == status


def test_a_page_behind_a_proxy_may_call_its_server() -> None:
    def asked(site: str, **more: str) -> httpx.Response:
        headers = {"Origin": "https://site.example", "Sec-Fetch-Site": site, **more}
        return client.post("/v1/chat/completions", json=CHAT, headers=headers)

    with client_of(ScriptedBackend("a"), only_local_names=True) as client:
        assert asked("same-origin").status_code == 200
        for site in ("same-site", "cross-site", "none"):
            assert error_of(asked(site), 403)["code"] == "foreign_origin"
        # As a page does whose name was made to lead here.
        rebound = asked("same-origin", Host="site.example")
        assert error_of(rebound, 403)["code"] == "foreign_host"
