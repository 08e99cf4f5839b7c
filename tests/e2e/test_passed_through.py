"""Tools, images and formats of the real clients reach the node as the client wrote them.

Each call is made twice, at the node itself and through the gateway: the node must have been sent
the same body, and the client must have understood the same answer.
"""

import base64
import json

import anthropic
import ollama
import openai
import pytest
from harness import npm

# A red dot of 1 x 1.
IMAGE = base64.b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
        "0000000c49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
    )
).decode()
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTION = {"name": "look_up", "description": "The weather – now ☂", "parameters": SCHEMA}
TOOL = {"type": "function", "function": FUNCTION}
URL = f"data:image/png;base64,{IMAGE}"


@pytest.fixture(scope="module")
def ways(module_stage):
    node = module_stage.fake()
    return node, module_stage.gateway([node])


def call_ollama_chat(url):
    return ollama.Client(url).chat(
        "tiny",
        messages=[{"role": "user", "content": "What is this? ", "images": [IMAGE]}],
        tools=[TOOL],
        options={"temperature": 0.1, "num_ctx": 2048},
        keep_alive="10m",
    )


def call_ollama_generate(url):
    return ollama.Client(url).generate(
        "tiny", "What is this?", images=[IMAGE], format=SCHEMA, system="Be brief.\u2028"
    )


def call_openai_chat(url):
    client = openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)
    return client.chat.completions.create(
        model="tiny",
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image_url", "image_url": {"url": URL}},
                ],
            }
        ],
        tools=[TOOL],
        response_format={"type": "json_schema", "json_schema": {"name": "city", "schema": SCHEMA}},
    )


def call_anthropic_messages(url):
    client = anthropic.Anthropic(base_url=url, api_key="none", max_retries=0)
    source = {"type": "base64", "media_type": "image/png", "data": IMAGE}
    return client.messages.create(
        model="tiny",
        max_tokens=64,
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image", "source": source},
                ],
            }
        ],
        tools=[{"name": "look_up", "description": "The weather", "input_schema": SCHEMA}],
    )


CALLS = [call_ollama_chat, call_ollama_generate, call_openai_chat, call_anthropic_messages]


def compare(ways, call):
    node, gateway = ways
    before = len(node.requests)
    direct = call(node.url)
    through = call(gateway.url)
    assert direct == through
    (_, body_direct), (_, body_through) = node.requests[before:]
    assert body_direct == body_through
    return direct, json.loads(body_direct)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_python_clients(ways, call):
    _, body = compare(ways, call)
    assert IMAGE in json.dumps(body)


def test_tool_calls_come_back(ways):
    answer, _ = compare(ways, call_ollama_chat)
    assert answer.message.tool_calls[0].function.arguments == {"city": "Oslo"}
    answer, _ = compare(ways, call_openai_chat)
    assert answer.choices[0].message.tool_calls[0].function.name == "look_up"
    answer, _ = compare(ways, call_anthropic_messages)
    assert answer.content[0].input == {"city": "Oslo"}


def test_npm_ollama(ways):
    request = {
        "model": "tiny",
        "messages": [{"role": "user", "content": "What is this?", "images": [IMAGE]}],
        "tools": [TOOL],
    }
    answer, body = compare(
        ways, lambda url: npm.call("ollama", url, {"call": "chat", "with": request})
    )
    assert answer["answer"]["message"]["tool_calls"][0]["function"]["name"] == "look_up"
    assert body["tools"] == [TOOL] and body["messages"][0]["images"] == [IMAGE]


def test_npm_openai(ways):
    content = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": URL}},
    ]
    request = {"model": "tiny", "messages": [{"role": "user", "content": content}], "tools": [TOOL]}
    spec = {"call": "chat.completions.create", "with": request}
    answer, body = compare(ways, lambda url: npm.call("openai", url, spec))
    call = answer["answer"]["choices"][0]["message"]["tool_calls"][0]
    assert call["function"]["arguments"] == '{"city":"Oslo"}'
    assert body["tools"] == [TOOL] and body["messages"][0]["content"] == content
