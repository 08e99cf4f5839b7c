"""The real clients, against a node and against the gateway: they must notice no difference.

What passes at the node proves that the simulated node is a good Ollama; the same through the
gateway proves the gateway.
"""

import anthropic
import ollama
import openai
import pytest
from harness import npm

CHAT = "qwen2.5:0.5b"
SLOW = "llama3.2:1b"  # slow enough to be left in the middle
EMBED = "nomic-embed-text"
MISSING = "no-such-model"
HELLO = [{"role": "user", "content": "Hello there"}]
OPTIONS = {"num_predict": 12, "temperature": 0, "seed": 7}


@pytest.fixture(scope="module", params=["direct", "gateway"])
def url(request, module_stage):
    models = [CHAT, f"{EMBED},embed", f"{SLOW},tps=50"]
    if request.param == "direct":
        return module_stage.node(*models).url
    nodes = [module_stage.node(*models) for _ in range(2)]
    return module_stage.gateway(nodes).url


# ollama, PyPI


def test_ollama_lists(url):
    models = ollama.Client(url).list().models
    assert sorted(m.model for m in models) == sorted([f"{EMBED}:latest", CHAT, SLOW])
    assert all(m.digest and m.size and m.modified_at for m in models)


def test_ollama_shows(url):
    shown = ollama.Client(url).show(CHAT)
    assert shown.details.family and shown.modelinfo and "completion" in shown.capabilities


@pytest.mark.parametrize("stream", [False, True])
def test_ollama_generates(url, stream):
    answer = ollama.Client(url).generate(CHAT, "Hello there", options=OPTIONS, stream=stream)
    parts = list(answer) if stream else [answer]
    assert len(parts) > 2 or not stream
    assert "".join(part.response for part in parts)
    assert [part.done for part in parts] == [False] * (len(parts) - 1) + [True]
    assert parts[-1].done_reason in ("stop", "length")
    assert parts[-1].eval_count == 12 and parts[-1].prompt_eval_count


def test_ollama_streams_what_it_would_say_at_once(url):
    client = ollama.Client(url)
    said = client.generate(CHAT, "Hello there", options=OPTIONS).response
    parts = client.generate(CHAT, "Hello there", options=OPTIONS, stream=True)
    assert "".join(part.response for part in parts) == said


@pytest.mark.parametrize("stream", [False, True])
def test_ollama_chats(url, stream):
    answer = ollama.Client(url).chat(CHAT, HELLO, options=OPTIONS, stream=stream)
    parts = list(answer) if stream else [answer]
    assert "".join(part.message.content for part in parts)
    assert parts[-1].done and parts[-1].message.role == "assistant"


def test_ollama_embeds(url):
    client = ollama.Client(url)
    found = client.embed(EMBED, ["one", "two", "one"]).embeddings
    assert len(found) == 3 and found[0] == found[2] != found[1]
    assert client.embeddings(EMBED, "one").embedding


def test_ollama_loads_and_unloads(url):
    client = ollama.Client(url)
    assert client.generate(CHAT, "", keep_alive="1h").done_reason == "load"
    assert CHAT in [m.model for m in client.ps().models]
    assert client.generate(CHAT, "", keep_alive=0).done_reason == "unload"
    assert CHAT not in [m.model for m in client.ps().models]


def test_ollama_understands_a_missing_model(url):
    with pytest.raises(ollama.ResponseError) as raised:
        ollama.Client(url).generate(MISSING, "Hello")
    assert raised.value.status_code == 404
    assert raised.value.error == f"model '{MISSING}' not found"


def test_ollama_may_leave_in_mid_stream(url):
    client = ollama.Client(url)
    stream = client.chat(SLOW, HELLO, options={**OPTIONS, "num_predict": 2000}, stream=True)
    assert next(stream).message.content
    stream.close()
    assert client.chat(CHAT, HELLO, options=OPTIONS).done


# openai, PyPI


@pytest.fixture
def openai_client(url):
    with openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
        yield client


def test_openai_lists_and_retrieves(openai_client):
    assert CHAT in [m.id for m in openai_client.models.list()]
    assert openai_client.models.retrieve(CHAT).id == CHAT


def test_openai_chats(openai_client):
    answer = openai_client.chat.completions.create(model=CHAT, messages=HELLO, max_tokens=12)
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason in ("stop", "length")
    assert answer.usage.completion_tokens == 12


def test_openai_streams_a_chat(openai_client):
    chunks = list(
        openai_client.chat.completions.create(
            model=CHAT,
            messages=HELLO,
            max_tokens=12,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] in ("stop", "length")
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens == 12


@pytest.mark.parametrize("stream", [False, True])
def test_openai_completes(openai_client, stream):
    answer = openai_client.completions.create(
        model=CHAT, prompt="Once", max_tokens=12, stream=stream
    )
    parts = list(answer) if stream else [answer]
    assert "".join(part.choices[0].text for part in parts if part.choices)


def test_openai_embeds(openai_client):
    floats = openai_client.embeddings.create(model=EMBED, input=["a", "b"], encoding_format="float")
    assert len(floats.data) == 2 and floats.data[0].embedding != floats.data[1].embedding
    assert openai_client.embeddings.create(model=EMBED, input="a").data[0].embedding


@pytest.mark.parametrize("stream", [False, True])
def test_openai_responds(openai_client, stream):
    answer = openai_client.responses.create(
        model=CHAT, input="Hello there", max_output_tokens=12, stream=stream
    )
    if stream:
        events = list(answer)
        assert events[0].type == "response.created"
        assert events[-1].type in ("response.completed", "response.incomplete")
        answer = events[-1].response
    assert answer.output_text


def test_openai_understands_a_missing_model(openai_client):
    with pytest.raises(openai.NotFoundError) as raised:
        openai_client.chat.completions.create(model=MISSING, messages=HELLO)
    assert f"model '{MISSING}' not found" in str(raised.value)
    assert raised.value.type == "not_found_error"


def test_openai_may_leave_in_mid_stream(openai_client):
    stream = openai_client.chat.completions.create(
        model=SLOW, messages=HELLO, max_tokens=2000, stream=True
    )
    assert next(iter(stream)).choices
    stream.close()
    assert openai_client.chat.completions.create(model=CHAT, messages=HELLO, max_tokens=2).choices


# anthropic, PyPI


@pytest.fixture
def anthropic_client(url):
    with anthropic.Anthropic(base_url=url, api_key="none", max_retries=0) as client:
        yield client


def test_anthropic_answers(anthropic_client):
    answer = anthropic_client.messages.create(model=CHAT, max_tokens=12, messages=HELLO)
    assert answer.content[0].text and answer.role == "assistant"
    assert answer.usage.output_tokens == 12


def test_anthropic_streams(anthropic_client):
    with anthropic_client.messages.stream(model=CHAT, max_tokens=12, messages=HELLO) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text and final.content[0].text == text
    assert final.stop_reason in ("end_turn", "max_tokens")


def test_anthropic_understands_a_missing_model(anthropic_client):
    with pytest.raises(anthropic.NotFoundError) as raised:
        anthropic_client.messages.create(model=MISSING, max_tokens=12, messages=HELLO)
    assert raised.value.body["error"]["type"] == "not_found_error"
    assert f"model '{MISSING}' not found" in raised.value.body["error"]["message"]


# npm


def npm_ollama(url, call, request=None, **rest):
    return npm.call("ollama", url, {"call": call, "with": request, **rest})


def npm_openai(url, call, request=None, **rest):
    return npm.call("openai", url, {"call": call, "with": request, **rest})


def test_npm_ollama_lists_and_shows(url):
    models = npm_ollama(url, "list")["answer"]["models"]
    assert sorted(m["name"] for m in models) == sorted([f"{EMBED}:latest", CHAT, SLOW])
    assert npm_ollama(url, "show", {"model": CHAT})["answer"]["details"]["family"]


@pytest.mark.parametrize("stream", [False, True])
def test_npm_ollama_generates_and_chats(url, stream):
    request = {"model": CHAT, "prompt": "Hello", "options": OPTIONS, "stream": stream}
    said = npm_ollama(url, "generate", request)
    parts = said["parts"] if stream else [said["answer"]]
    assert "".join(p["response"] for p in parts) and parts[-1]["done"]
    request = {"model": CHAT, "messages": HELLO, "options": OPTIONS, "stream": stream}
    said = npm_ollama(url, "chat", request)
    parts = said["parts"] if stream else [said["answer"]]
    assert "".join(p["message"]["content"] for p in parts) and parts[-1]["done"]


def test_npm_ollama_embeds(url):
    assert (
        len(npm_ollama(url, "embed", {"model": EMBED, "input": ["a", "b"]})["answer"]["embeddings"])
        == 2
    )


def test_npm_ollama_aborts(url):
    request = {"model": SLOW, "messages": HELLO, "options": {"num_predict": 5000}, "stream": True}
    error = npm_ollama(url, "chat", request, abort_after=2)["error"]
    assert error["name"] == "AbortError"


def test_npm_ollama_understands_a_missing_model(url):
    error = npm_ollama(url, "chat", {"model": MISSING, "messages": HELLO})["error"]
    assert error["status"] == 404 and error["message"] == f"model '{MISSING}' not found"


@pytest.mark.parametrize("stream", [False, True])
def test_npm_openai_chats(url, stream):
    request = {"model": CHAT, "messages": HELLO, "max_tokens": 12, "stream": stream}
    said = npm_openai(url, "chat.completions.create", request)
    if stream:
        assert "".join(p["choices"][0]["delta"].get("content") or "" for p in said["parts"])
    else:
        assert said["answer"]["choices"][0]["message"]["content"]


def test_npm_openai_retrieves_and_embeds(url):
    assert npm_openai(url, "models.retrieve", CHAT)["answer"]["id"] == CHAT
    found = npm_openai(url, "embeddings.create", {"model": EMBED, "input": ["a", "b"]})
    assert len(found["answer"]["data"]) == 2


def test_npm_openai_aborts(url):
    request = {"model": SLOW, "messages": HELLO, "max_tokens": 5000, "stream": True}
    said = npm_openai(url, "chat.completions.create", request, abort_after=2)
    # It ends its own loop without an error, after what had come already.
    assert 2 <= len(said["parts"]) < 50


def test_npm_openai_understands_a_missing_model(url):
    error = npm_openai(url, "chat.completions.create", {"model": MISSING, "messages": HELLO})[
        "error"
    ]
    assert error["status"] == 404 and f"model '{MISSING}' not found" in error["message"]
