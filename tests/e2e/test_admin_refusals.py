"""Who may not use the admin API, for each of its routes as the program itself lists them: a new
route is in the table from the moment that it exists."""

import re

import harness
import pytest
from harness import wire

ADMIN, PLAIN = "an-administrators-key-of-32-letters", "a-plain-key-that-is-of-32-letters"
KEYS = [{"name": "root", "key": ADMIN, "admin": True}, {"name": "plain", "key": PLAIN}]
# No key is needed for these alone; the page's files are the same for everybody.
OPEN = {"/healthz", "/", "/web/one"}
# On the front listener they are other routes, of the same name.
ALSO_IN_FRONT = {"/healthz", "/"}
# The least that there is: a listing that cannot be read must not make an empty table.
KNOWN = {
    "GET /healthz",
    "GET /metrics",
    "GET /admin/v1/events",
    "GET /admin/v1/status",
    "GET /admin/v1/requests",
    "GET /admin/v1/usage",
    "DELETE /admin/v1/requests/*",
    "POST /admin/v1/cache/purge",
    "POST /admin/v1/warm",
    "POST /admin/v1/backends/*/drain",
    "POST /admin/v1/backends/*/resume",
}


def bearer(key):
    return ("Authorization", f"Bearer {key}")


class Guarded:
    """A gateway with keys, one request under way, and what its admin API has."""

    def __init__(self, stage):
        self.node = stage.fake(lambda exchange: exchange.wait_gone())
        row = {"name": "one", "url": self.node.url}
        self.gateway = stage.gateway([row], {"keys": KEYS}, ready=False)
        self.gateway.wait_line("one.*is up")
        self.client = wire.Wire(self.gateway.url)
        headers = [bearer(PLAIN), ("X-Request-Id", "one")]
        self.client.request("POST", "/api/generate", harness.run(), headers)
        self.node.wait_exchanges(1)

    def routes(self):
        """(method, path), with a name that there is in the place of a star."""
        none = wire.ask(self.gateway.admin, "GET", "/none")
        assert none.status == 404
        listed = re.findall(r"([A-Z]+) (/[^\s,\"]*)", none.json()["error"])
        assert {f"{method} {path}" for method, path in listed} >= KNOWN
        found = [(method, path.replace("*", "one")) for method, path in listed]
        return found + [("HEAD", path) for method, path in found if method == "GET"]

    def ask(self, method, path, *headers, front=False):
        body = None if method in ("GET", "HEAD", "DELETE") else b'{"model":"tiny"}'
        url = self.gateway.url if front else self.gateway.admin
        return wire.ask(url, method, path, body, headers)

    def check_untouched(self):
        status = self.ask("GET", "/admin/v1/status", bearer(ADMIN)).json()
        assert status["running"] == 1 and status["backends"][0]["state"] == "up"
        assert "cancelled" not in self.gateway.log() and not self.node.orders


@pytest.fixture(scope="module")
def guarded(module_stage):
    made = Guarded(module_stage)
    yield made
    made.client.close()  # else the gateway drains for as long as it may


@pytest.mark.parametrize(
    "who,headers",
    [
        ("no key", []),
        ("an unknown key", [bearer("nobody-has-this-key-of-32-letters")]),
        ("a part of the key", [bearer(ADMIN[:-1])]),
        ("a key with more behind it", [bearer(ADMIN + "x")]),
        ("a key without rights", [bearer(PLAIN)]),
        ("another scheme", [("Authorization", f"Basic {ADMIN}")]),
        ("two keys", [bearer(PLAIN), bearer(ADMIN)]),
        ("a key in the query", None),
    ],
)
def test_no_route_is_there_without_an_administrators_key(guarded, who, headers):
    for method, path in guarded.routes():
        if path in OPEN:
            continue
        target = path if headers is not None else f"{path}?key={ADMIN}&api_key={ADMIN}"
        answer = guarded.ask(method, target, *(headers or []))
        # Two keys are no request that is read at all.
        assert answer.status in ((400, 401) if who == "two keys" else (401,)), (method, path, answer)
        assert ADMIN.encode() not in answer.body
    guarded.check_untouched()


@pytest.mark.parametrize(
    "header",
    [
        ("Host", "evil.example"),
        ("Host", "127.0.0.1.evil.example"),
        ("Host", "localhost.evil.example"),
        ("Host", "10.0.0.1"),
        ("Origin", "http://evil.example"),
        ("Origin", "null"),
        ("Origin", "http://localhost:1"),
    ],
)
def test_no_route_is_there_for_another_host_or_page_even_with_the_key(guarded, header):
    for method, path in guarded.routes():
        answer = guarded.ask(method, path, bearer(ADMIN), header)
        assert answer.status == 403, (method, path, answer)
        assert answer.header("access-control-allow-origin") is None
    guarded.check_untouched()


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_no_form_of_another_page_does_anything_even_with_the_key(guarded, site):
    for method, path in guarded.routes():
        if method not in ("GET", "HEAD"):
            answer = guarded.ask(method, path, bearer(ADMIN), ("Sec-Fetch-Site", site))
            assert answer.status == 403, (method, path, answer)
    guarded.check_untouched()


@pytest.mark.parametrize("key", [None, PLAIN, ADMIN])
def test_no_route_is_on_the_front_listener(guarded, key):
    for method, path in guarded.routes():
        if path in ALSO_IN_FRONT:
            continue
        for target in (path, "/" + path, path + "/", path.replace("/v1", "/%761")):
            answer = guarded.ask(method, target, *([bearer(key)] if key else []), front=True)
            assert answer.status in (400, 404), (method, target, answer)
    guarded.check_untouched()


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_no_other_method_does_what_a_route_does(guarded, method):
    routes = guarded.routes()
    for path in {path for _, path in routes}:
        if (method, path) not in routes:
            answer = guarded.ask(method, path, bearer(ADMIN))
            assert answer.status in (405, 501), (method, path, answer)
    guarded.check_untouched()
