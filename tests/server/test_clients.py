"""Clients that people have, against a running server: each by its own ways."""

import asyncio
import json
import os
from collections.abc import Iterator

import pytest
from pydantic import BaseModel
from scripted_backend import BASE, SET, ScriptedBackend
from serving import serve, service_over

from spokesmith.backends.request import Request

KEY = "key-for-tests"
ARGUMENTS = '{"city":"Köln","days":3}'


class Weather(BaseModel):
    """The weather of a city."""

    city: str
    days: int


def answer(request: Request) -> str:
    """What a good engine says: held to a schema it fits it, asked for a call it makes one."""
    constraint = request.constraint
    if constraint is None:
        return "Hello there"
    if constraint.kind == "lark":
        call = f'{{"name":"Weather","arguments":{ARGUMENTS}}}'
        return f"<tool_call>\n{call}\n</tool_call>"
    if "arguments" in str(constraint.value):
        return f'{{"name":"Weather","arguments":{ARGUMENTS}}}'
    return ARGUMENTS


@pytest.fixture(scope="module")
def backend() -> ScriptedBackend:
    return ScriptedBackend(answer)


@pytest.fixture(scope="module")
def url(backend: ScriptedBackend) -> Iterator[str]:
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    with serve(service_over(backend, api_keys=(KEY,))) as url:
        yield f"{url}/v1"


MESSAGES = [{"role": "system", "content": "Hi"}, {"role": "user", "content": "Weather in Köln?"}]
TOOL = {
    "type": "function",
    "function": {"name": "Weather", "parameters": Weather.model_json_schema()},
}


class TestOpenAI:
    """The `openai` SDK."""

    @pytest.fixture
    def client(self, url: str):  # noqa: ANN201
        from openai import OpenAI

        with OpenAI(base_url=url, api_key=KEY, max_retries=0) as client:
            yield client

    def test_chat(self, client) -> None:  # noqa: ANN001
        done = client.chat.completions.create(model=BASE, messages=MESSAGES, max_tokens=100)
        assert done.choices[0].message.content == "Hello there"
        assert done.choices[0].finish_reason == "stop"
        assert done.usage.completion_tokens == 11
        assert done.choices[0].closed is False

    def test_stream(self, client) -> None:  # noqa: ANN001
        chunks = list(
            client.chat.completions.create(
                model=BASE,
                messages=MESSAGES,
                stream=True,
                stream_options={"include_usage": True},
            )
        )
        text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        assert text == "Hello there"
        assert chunks[-1].usage.total_tokens > 11

    def test_async(self, url: str) -> None:
        from openai import AsyncOpenAI

        async def run() -> list[str | None]:
            async with AsyncOpenAI(base_url=url, api_key=KEY) as client:
                asked = [
                    client.chat.completions.create(model=BASE, messages=MESSAGES)  # type: ignore
                    for _ in range(5)
                ]
                return [one.choices[0].message.content for one in await asyncio.gather(*asked)]

        assert asyncio.run(run()) == ["Hello there"] * 5

    def test_structured_parse(self, client, backend: ScriptedBackend) -> None:  # noqa: ANN001
        done = client.chat.completions.parse(model=BASE, messages=MESSAGES, response_format=Weather)
        assert done.choices[0].message.parsed == Weather(city="Köln", days=3)
        constraint = backend.requests[-1].constraint
        assert constraint is not None
        assert constraint.value["required"] == ["city", "days"]

    def test_structured_stream(self, client) -> None:  # noqa: ANN001
        with client.chat.completions.stream(
            model=BASE, messages=MESSAGES, response_format=Weather
        ) as stream:
            for _ in stream:
                pass
            final = stream.get_final_completion()
        assert final.choices[0].message.parsed == Weather(city="Köln", days=3)

    @pytest.mark.parametrize(
        "choice",
        ["auto", "required", {"type": "function", "function": {"name": "Weather"}}],
    )
    def test_tools(self, client, choice) -> None:  # noqa: ANN001
        done = client.chat.completions.create(
            model=BASE, messages=MESSAGES, tools=[TOOL], tool_choice=choice
        )
        call = done.choices[0].message.tool_calls[0]
        assert call.function.name == "Weather"
        assert json.loads(call.function.arguments) == {"city": "Köln", "days": 3}
        assert done.choices[0].finish_reason == "tool_calls"
        answered = [
            *MESSAGES,
            done.choices[0].message,
            {"role": "tool", "tool_call_id": call.id, "content": "rain"},
        ]
        again = client.chat.completions.create(model=BASE, messages=answered)
        assert again.choices[0].message.content == "Hello there"

    def test_tools_in_a_stream(self, client) -> None:  # noqa: ANN001
        with client.chat.completions.stream(model=BASE, messages=MESSAGES, tools=[TOOL]) as stream:
            for _ in stream:
                pass
            message = stream.get_final_completion().choices[0].message
        assert json.loads(message.tool_calls[0].function.arguments)["days"] == 3

    def test_text_completion_models_and_log_probabilities(self, client) -> None:  # noqa: ANN001
        done = client.completions.create(model=BASE, prompt="a", max_tokens=5)
        assert done.choices[0].text == "Hello"
        assert [model.id for model in client.models.list()] == [BASE, SET]
        assert client.models.retrieve(SET).id == SET
        chat = client.chat.completions.create(
            model=BASE, messages=MESSAGES, logprobs=True, top_logprobs=1
        )
        assert chat.choices[0].logprobs.content[0].token == "H"

    def test_errors_are_the_sdks_own(self, client, url: str) -> None:  # noqa: ANN001
        import openai

        with pytest.raises(openai.BadRequestError) as caught:
            client.chat.completions.create(model=BASE, messages=MESSAGES, temperature=-1)
        assert caught.value.param == "temperature"
        with pytest.raises(openai.NotFoundError):
            client.chat.completions.create(model="gpt-4", messages=MESSAGES)
        with (
            openai.OpenAI(base_url=url, api_key="wrong", max_retries=0) as stranger,
            pytest.raises(openai.AuthenticationError),
        ):
            stranger.models.list()

    def test_a_cut_structured_answer_is_an_error_of_the_sdk(self, client) -> None:  # noqa: ANN001
        import openai

        with pytest.raises(openai.LengthFinishReasonError):
            client.chat.completions.parse(
                model=BASE, messages=MESSAGES, response_format=Weather, max_tokens=5
            )


@pytest.mark.parametrize("mode", ["TOOLS", "JSON", "JSON_SCHEMA", "TOOLS_STRICT"])
def test_instructor(url: str, mode: str) -> None:
    import instructor
    from openai import OpenAI

    with OpenAI(base_url=url, api_key=KEY) as client:
        patched = instructor.from_openai(client, mode=instructor.Mode[mode])
        found = patched.chat.completions.create(
            model=BASE, messages=MESSAGES, response_model=Weather, max_retries=0
        )
    assert (found.city, found.days) == ("Köln", 3)


def test_langchain(url: str) -> None:
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(model=BASE, base_url=url, api_key=KEY, max_retries=0)  # type: ignore
    assert model.invoke("Hi").content == "Hello there"
    assert "".join(str(chunk.content) for chunk in model.stream("Hi")) == "Hello there"
    for method in ("json_schema", "function_calling", "json_mode"):
        held = model.with_structured_output(Weather, method=method)  # type: ignore[arg-type]
        assert held.invoke("Weather in Köln as json?") == Weather(city="Köln", days=3)
    call = model.bind_tools([Weather]).invoke("Weather?").tool_calls[0]
    assert call["name"] == "Weather"
    assert call["args"] == {"city": "Köln", "days": 3}


def test_litellm(url: str) -> None:
    import litellm

    given = {"model": f"openai/{BASE}", "api_base": url, "api_key": KEY, "messages": MESSAGES}
    done = litellm.completion(**given, temperature=0, max_tokens=50)
    assert done.choices[0].message.content == "Hello there"  # type: ignore[union-attr]
    held = litellm.completion(**given, response_format=Weather)
    assert json.loads(held.choices[0].message.content) == json.loads(ARGUMENTS)  # type: ignore
    chunks = litellm.completion(**given, stream=True)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)  # type: ignore
    assert text == "Hello there"
    called = litellm.completion(**given, tools=[TOOL], tool_choice="required")
    assert called.choices[0].message.tool_calls[0].function.name == "Weather"  # type: ignore
    texts = litellm.text_completion(
        model=f"text-completion-openai/{BASE}", api_base=url, api_key=KEY, prompt="a", max_tokens=5
    )
    assert texts.choices[0].text == "Hello"  # type: ignore[union-attr]
