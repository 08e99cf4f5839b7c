"""Who may do what: each route with no key, a wrong, the right one, one without the right."""

import json
import pathlib
import re
import subprocess

import harness
import pytest
from conftest import find_program
from harness import fake, wire

ROOT = pathlib.Path(__file__).resolve().parents[2]
RIGHT, POOR, WRONG = "dk-right-0000", "dk-poor-0000", "dk-wrong-0000"
KEYS = [
    {"name": "right", "key": RIGHT, "admin": True, "priority": "high"},
    {"name": "poor", "key": POOR, "models": ["other:*", "plain"], "priority": "low"},
]
TINY = {"model": "tiny", "prompt": "hello", "input": "hello"}
FORM = b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\ntiny\r\n--b--\r\n'
FORM_TYPE = [("Content-Type", "multipart/form-data; boundary=b")]
BLOB = "sha256:" + "0" * 64

# What a route asks of a key beside being known: nothing, a model that it may use, or that it may
# manage. Then a right body.
OPEN, KNOWN, MODEL, MANAGE = "open", "known", "model", "manage"
ROUTES = {
    **{("POST", path): (MODEL, {"model": "tiny", **body}) for path, body in harness.RUNS.items()},
    ("POST", "/v1/images/generations"): (MODEL, TINY),
    ("POST", "/v1/images/edits"): (MODEL, TINY),
    ("POST", "/v1/audio/transcriptions"): (MODEL, FORM),
    ("GET", "/"): (OPEN, None),
    ("HEAD", "/"): (OPEN, None),
    ("GET", "/healthz"): (OPEN, None),
    ("HEAD", "/healthz"): (OPEN, None),
    ("GET", "/readyz"): (OPEN, None),
    ("HEAD", "/readyz"): (OPEN, None),
    ("GET", "/api/version"): (KNOWN, None),
    ("HEAD", "/api/version"): (KNOWN, None),
    ("GET", "/api/tags"): (KNOWN, None),
    ("HEAD", "/api/tags"): (KNOWN, None),
    ("GET", "/api/ps"): (KNOWN, None),
    ("GET", "/v1/models"): (KNOWN, None),
    ("GET", "/v1/models/*"): (MODEL, None),
    ("POST", "/api/show"): (MODEL, TINY),
    ("POST", "/api/pull"): (MANAGE, TINY),
    ("POST", "/api/push"): (MANAGE, TINY),
    ("POST", "/api/create"): (MANAGE, TINY),
    ("DELETE", "/api/delete"): (MANAGE, TINY),
    ("POST", "/api/copy"): (MANAGE, {"source": "tiny", "destination": "new"}),
    ("POST", "/api/blobs/*"): (MANAGE, b"blob"),
    ("HEAD", "/api/blobs/*"): (MANAGE, None),
    ("POST", "/api/me"): (MANAGE, {}),
    ("POST", "/api/signout"): (MANAGE, {}),
    ("GET", "/api/status"): (MANAGE, None),
    ("GET", "/api/experimental/*"): (MANAGE, None),
    ("POST", "/api/experimental/*"): (MANAGE, {}),
    ("DELETE", "/api/user/keys/*"): (MANAGE, None),
    ("GET", "/drover/v1/requests/*"): (KNOWN, None),
    ("GET", "/drover/v1/me"): (KNOWN, None),
}
TAILS = {"/v1/models/*": "tiny", "/api/blobs/*": BLOB}


def bearer(key):
    return [("Authorization", f"Bearer {key}")]


def play(exchange):
    answer = fake.ANSWERS.get(exchange.target, {"status": "success"})
    if exchange.method == "HEAD":
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    else:
        exchange.reply(answer)


@pytest.fixture(scope="module")
def guarded(module_stage):
    node = module_stage.fake(play, models=["tiny:latest", "other:1", "plain:latest"])
    return node, module_stage.gateway([node], {"keys": KEYS, "log": {"level": "debug"}})


def routes_of_the_program():
    """All rows of the table in src/proto/route.c."""
    text = (ROOT / "src/proto/route.c").read_text()
    table = text[text.index("static const struct route routes[] = {") :]
    table = table[: table.index("\n};")]
    rows = [("POST", path) for path in re.findall(r'RUN\("([^"]+)"', table)]
    rows += [(m, path) for path, m in re.findall(r'(?:NAMED|PLAIN)\("([^"]+)", (\w+),', table)]
    rows += [
        (m, path) for path, m in re.findall(r'\.path = "([^"]+)",\s+\.method = HTTP_(\w+)', table)
    ]
    assert len(rows) == table.count('"/')
    return rows


def test_every_route_is_in_the_table_below():
    assert sorted(ROUTES) == sorted(routes_of_the_program())


def call(gateway, method, path, body, headers):
    path = path.replace("*", TAILS.get(path, "thing"))
    if body is FORM:
        headers = headers + FORM_TYPE
    return wire.ask(gateway.url, method, path, body, headers)


def check_words(path, answer):
    """The refusal is in the dialect of the path."""
    said = json.loads(answer.body)
    if path.startswith("/v1/messages"):
        assert said["type"] == "error" and said["error"]["message"]
    elif path.startswith("/v1"):
        assert said["error"]["message"] and said["error"]["type"]
    else:
        assert isinstance(said["error"], str)


@pytest.mark.parametrize("method,path", sorted(ROUTES), ids=lambda x: x)
def test_each_route_with_each_kind_of_key(guarded, method, path):
    node, gateway = guarded
    needs, body = ROUTES[method, path]
    for headers in ([], bearer(WRONG), [("X-Api-Key", WRONG)], bearer("")):
        seen = len(node.exchanges)
        answer = call(gateway, method, path, body, headers)
        if needs == OPEN:
            assert answer.status == 200
            continue
        assert answer.status == 401
        assert answer.header("www-authenticate") == 'Bearer realm="drover"'
        assert len(node.exchanges) == seen
        if method != "HEAD":
            check_words(path, answer)
    for headers in (bearer(RIGHT), [("x-api-key", RIGHT)]):
        assert call(gateway, method, path, body, headers).status in (200, 201, 404)
    seen = len(node.exchanges)
    answer = call(gateway, method, path, body, bearer(POOR))
    if needs in (MODEL, MANAGE):
        assert answer.status == 403
        assert len(node.exchanges) == seen
        if method != "HEAD":
            check_words(path, answer)
    else:
        assert answer.status in (200, 404)


def test_what_is_no_route_stays_none(guarded):
    for path in ("/admin/v1/status", "/debug/pprof", "/metrics"):
        assert guarded[1].get(path, bearer(RIGHT)).status == 404


def test_two_keys_are_refused(guarded):
    gateway = guarded[1]
    for headers in (
        bearer(RIGHT) + bearer(RIGHT),
        [("X-Api-Key", RIGHT), ("X-Api-Key", RIGHT)],
        bearer(RIGHT) + [("X-Api-Key", POOR)],
    ):
        assert gateway.get("/api/tags", headers).status == 400
    assert gateway.get("/api/tags", bearer(RIGHT) + [("X-Api-Key", RIGHT)]).status == 200


@pytest.mark.parametrize("scheme,status", [("bearer", 200), ("BEARER ", 200), ("Basic", 401)])
def test_the_scheme(guarded, scheme, status):
    headers = [("Authorization", f"{scheme} {RIGHT}")]
    assert guarded[1].get("/api/tags", headers).status == status


def test_another_scheme_does_not_hide_the_key(guarded):
    headers = [("Authorization", "Basic dXNlcjpwYXNz"), ("X-Api-Key", RIGHT)]
    assert guarded[1].get("/api/tags", headers).status == 200


def test_a_preflight_brings_no_key(guarded):
    headers = [("Origin", "http://localhost:3000"), ("Access-Control-Request-Method", "POST")]
    answer = wire.ask(guarded[1].url, "OPTIONS", "/api/chat", None, headers)
    assert answer.status == 204
    assert "authorization" in answer.header("access-control-allow-headers").lower()


def test_neither_the_key_nor_what_is_ours_reaches_a_node(guarded):
    node, gateway = guarded
    ours = [("X-Drover-Priority", "low"), ("X-Drover-Session", "s"), ("X-Drover-Timeout", "30s")]
    for headers in (bearer(RIGHT), [("X-Api-Key", RIGHT)]):
        assert gateway.post("/api/generate", harness.run(), headers + ours).status == 200
        head = node.exchanges[-1].head.decode().lower()
        assert RIGHT not in head and "x-drover" not in head
        assert "authorization" not in head and "api-key" not in head


def test_models_are_matched_as_they_are_meant(guarded):
    gateway = guarded[1]
    for model in ("other:1", "OTHER:1", "plain", "plain:latest"):
        assert gateway.post("/api/generate", harness.run(model=model), bearer(POOR)).status == 200
    for model in ("tiny", "plain:2", "another:1"):
        answer = gateway.post("/api/generate", harness.run(model=model), bearer(POOR))
        assert answer.status == 403 and model in answer.json()["error"]


def test_unloading_is_for_those_who_may_use_the_model(guarded):
    unload = {"model": "tiny", "keep_alive": 0}
    assert guarded[1].post("/api/generate", unload, bearer(POOR)).status == 403
    assert guarded[1].post("/api/generate", unload, bearer(RIGHT)).status == 200


def test_a_key_has_a_highest_class(guarded):
    gateway = guarded[1]
    body = harness.run(model="plain")
    for wanted, status in (("high", 403), ("normal", 403), ("low", 200), ("none", 400)):
        headers = bearer(POOR) + [("X-Drover-Priority", wanted)]
        assert gateway.post("/api/generate", body, headers).status == status
    for wanted in ("high", "low"):
        headers = bearer(RIGHT) + [("X-Drover-Priority", wanted)]
        assert gateway.post("/api/generate", body, headers).status == 200


def test_a_node_is_chosen_by_administrators(guarded):
    node, gateway = guarded
    choice = [("X-Drover-Backend", gateway.names[0])]
    body = harness.run(model="plain")
    assert gateway.post("/api/generate", body, bearer(RIGHT) + choice).status == 200
    assert gateway.post("/api/generate", body, bearer(POOR) + choice).status == 403


def test_me_tells_what_a_key_may(guarded):
    gateway = guarded[1]
    me = gateway.get("/drover/v1/me", bearer(POOR)).json()
    assert me["key"] == "poor" and me["models"] == ["other:*", "plain"]
    assert me["priority"] == "low" and me["admin"] is False
    assert me["limits"] == dict.fromkeys(("requests_per_minute", "tokens_per_minute", "concurrent"))
    assert gateway.get("/drover/v1/me", bearer(RIGHT)).json()["admin"] is True


def test_requests_of_others_are_not_seen(stage):
    node = stage.node("tiny")
    gateway = stage.gateway([node], {"keys": [dict(k, models=[]) for k in KEYS]})
    node.gate("g", "before_first_token")
    headers = [*bearer(RIGHT), ("X-Request-Id", "mine")]
    waiting = harness.later(gateway.post, "/api/generate", harness.run("gate:g"), headers)
    node.wait("running", 1)
    assert gateway.get("/drover/v1/requests/mine", bearer(RIGHT)).json()["id"] == "mine"
    assert gateway.get("/drover/v1/requests/mine", bearer(POOR)).status == 404
    node.open("g")
    assert waiting.result().status == 200


def test_with_keys_no_answer_is_for_every_page(stage):
    node = stage.fake()
    for keys, allowed in (([], "*"), (KEYS, "http://page.example")):
        gateway = stage.gateway([node], {"keys": keys, "cors": {"origins": ["*"]}})
        headers = bearer(RIGHT) + [("Origin", "http://page.example")]
        answer = gateway.get("/api/tags", headers)
        assert answer.header("access-control-allow-origin") == allowed


def test_the_log_has_the_name_and_never_the_key(guarded):
    gateway = guarded[1]
    planted = "dk-planted-4711"
    gateway.get("/api/tags", [*bearer(planted), ("X-Request-Id", "wrong-one")])
    gateway.get("/api/tags", [*bearer(RIGHT), ("X-Request-Id", "right-one")])
    assert "key=right" in gateway.wait_line("id=right-one").string
    assert "key=-" in gateway.wait_line("id=wrong-one").string
    for secret in (planted, RIGHT, POOR):
        assert secret not in gateway.log()
        assert secret not in pathlib.Path(f"/proc/{gateway.pid}/cmdline").read_text()


def test_a_new_key_opens_what_its_lines_say(stage, request):
    drover = find_program(request.config, "drover")
    said = subprocess.run([drover, "key", "alice"], capture_output=True, text=True, check=True)
    key = re.search(r"^dk-[0-9a-f]{48}$", said.stdout, re.M).group()
    lines = r"^keys:\n  - name: \"alice\"\n    key_sha256: ([0-9a-f]{64})$"
    digest = re.search(lines, said.stdout, re.M)
    again = subprocess.run([drover, "key", "alice"], capture_output=True, text=True, check=True)
    assert key not in again.stdout
    keys = [{"name": "alice", "key_sha256": digest.group(1)}]
    gateway = stage.gateway([stage.fake()], {"keys": keys})
    assert gateway.get("/drover/v1/me", bearer(key)).json()["key"] == "alice"
    assert gateway.get("/drover/v1/me", bearer(key[:-1])).status == 401


# The page of the dashboard has nothing of what it shows, and must be there to ask for the key.
OPEN_ADMIN_ROUTES = ("/healthz", "/", "/web/*")


def admin_routes():
    """All rows of the table in src/app/admin.c."""
    text = (ROOT / "src/app/admin.c").read_text()
    table = text[text.index("static const struct admin_route routes[] = {") :]
    table = table[: table.index("\n};")]
    rows = re.findall(r'\{HTTP_(\w+), "([^"]+)"', table)
    assert len(rows) == table.count('"/')
    return rows


@pytest.fixture(scope="module", params=["an administrator", "none"])
def administered(request, module_stage):
    keys = KEYS if request.param == "an administrator" else KEYS[1:]
    return keys is KEYS, module_stage.gateway([module_stage.fake()], {"keys": keys})


@pytest.mark.parametrize("method,path", admin_routes(), ids=lambda x: x)
def test_the_admin_api_needs_an_administrators_key_where_there_is_one(administered, method, path):
    needs_key, gateway = administered
    for key in ("", WRONG, POOR, RIGHT):
        with wire.Wire(gateway.admin) as client:
            client.request(method, path.replace("*", "thing"), None, bearer(key) if key else [])
            answer = client.read_head()
        refused = needs_key and key != RIGHT and path not in OPEN_ADMIN_ROUTES
        assert (answer.status == 401) == refused
        assert (answer.header("www-authenticate") is not None) == refused
