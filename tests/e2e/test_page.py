"""The dashboard in a real browser, in front of the real program."""

import os
import pathlib
import re

import harness
import pytest
from harness import wire
from harness.browser import Browser
from harness.puppet import Puppet

WEB = pathlib.Path(__file__).resolve().parents[2] / "src/app/web"
STATUS = "/admin/v1/status"
REQUESTS = "/admin/v1/requests"
BOSS = "the-boss-key-0123456789"
KEYS = [
    {"name": "alice", "key": "alices-key-0123456789", "priority": "high", "concurrent": 8},
    {"name": "batch", "key": "batch-key-0123456789", "priority": "low"},
]
# Minutes of a gateway that is never still; `make soak-page` asks for ten hours.
UPDATES = int(os.environ.get("DROVER_PAGE_UPDATES", "300"))
LIVE = "document.body.dataset.link === 'live'"


@pytest.fixture(scope="module")
def browser():
    browser = Browser()
    yield browser
    browser.stop()


@pytest.fixture
def page(browser):
    """A tab that must have had nothing to complain about."""
    page = browser.page()
    yield page
    said = [words for words in page.said if not page.forgives(words)]
    page.close()
    assert said == []


def rows_of(page, table):
    """What each row says, as a list of cells."""
    return page.run(
        f"[...document.querySelectorAll('#{table} tbody tr:not(.gone)')]"
        ".map((row) => [...row.cells].map((cell) => cell.textContent))"
    )


def has_rows(table, count):
    return f"document.querySelectorAll('#{table} tbody tr:not(.gone)').length === {count}"


class Busy:
    """One request runs, stopped in the middle; two keys wait for the one slot."""

    def __init__(self, stage, settings=None):
        self.node = stage.node("tiny", parallel=1)
        row = {"name": "one", "url": self.node.url, "parallel": 1, "slots": 1}
        self.gateway = stage.gateway([row], {"keys": KEYS, **(settings or {})})
        self.clients = {}
        warm = self.gateway.post("/api/generate", harness.run("warm"), self.head(0, "warm"))
        assert warm.status == 200
        self.node.gate("mid", "before_token:3")
        self.send("runs", 0, "gate:mid")
        self.node.wait("gated", 1)
        self.send("first", 0, "one")
        self.send("second", 1, "two")

    def head(self, key, name):
        return [("Authorization", f"Bearer {KEYS[key]['key']}"), ("X-Request-Id", name)]

    def send(self, name, key, prompt):
        client = self.clients[name] = wire.Wire(self.gateway.url)
        body = harness.run(prompt, stream=True)
        client.request("POST", "/api/generate", body, self.head(key, name))
        harness.turn(self.gateway)

    def shown(self, path):
        return wire.get(self.gateway.admin, path).json()

    def open(self, page):
        page.open(self.gateway.admin)
        page.wait(f"{LIVE} && {has_rows('waiting', 2)} && {has_rows('running', 1)}")

    def finish(self, *names):
        self.node.open("mid")
        for name in names:
            assert self.clients[name].read_answer().status == 200


def test_it_shows_what_status_and_requests_say(stage, page):
    busy = Busy(stage)
    busy.open(page)
    status, requests = busy.shown(STATUS), busy.shown(REQUESTS)
    by_id = {row["id"]: row for row in requests}
    waiting, running = rows_of(page, "waiting"), rows_of(page, "running")
    assert [row[:4] + [row[7]] for row in waiting] == [
        [str(r["position"] + 1), r["key"], r["model"], r["class"], r["id"]]
        for r in sorted((by_id["first"], by_id["second"]), key=lambda r: r["position"])
    ]
    assert all(row[4] == "a free slot" and row[5] and row[6] for row in waiting)
    (row,) = running
    assert row[:4] + [row[7]] == ["alice", "tiny", "one", str(by_id["runs"]["tokens"]), "runs"]
    (node,) = status["backends"]
    assert page.texts("#nodes h3") == [node["name"]]
    assert page.run("document.querySelectorAll('#nodes .cell').length") == node["slots"]
    assert page.run("document.querySelectorAll('#nodes .cell.busy').length") == node["busy"]
    assert page.texts("#nodes .models .name") == [m["name"] for m in node["models"]]
    assert page.text("#figure-waiting") == str(status["queue"]["waiting"])
    assert page.text("#figure-slots") == str(status["running"])
    assert page.text("#sentence").startswith("2 requests wait")
    assert "alice with tiny" in page.text("#detail")
    assert [row[:2] for row in rows_of(page, "keys")] == [["alice", "2"], ["batch", "1"]]
    assert "2 of 8 used" in rows_of(page, "keys")[0][2]
    busy.finish("runs", "first", "second")
    page.wait(f"{has_rows('waiting', 0)} && {has_rows('running', 0)}")
    page.wait("document.querySelector('#sentence').textContent === 'Nobody waits; nothing runs.'")


def test_cancel_asks_and_then_cancels(stage, page):
    busy = Busy(stage)
    busy.open(page)
    button = "#waiting tr[data-id=second] button"
    page.click(button)
    page.wait("document.querySelector('#ask').open")
    assert "second, of batch for tiny" in page.text("#ask")
    page.click("#ask button[value=no]")
    page.wait("!document.querySelector('#ask').open")
    assert {row["id"] for row in busy.shown(REQUESTS)} == {"runs", "first", "second"}
    page.click(button)
    page.wait("document.querySelector('#ask').open")
    page.click("#ask button[value=yes]")
    answer = busy.clients["second"].read_answer()
    assert answer.status == 403 and "administrator" in answer.json()["error"]
    page.wait("!document.querySelector('#waiting tr[data-id=second]:not(.gone)')")
    page.wait("[...document.querySelectorAll('#recent td')].some((c) => c.textContent === 'second')")
    busy.finish("runs", "first")


def test_who_is_quick_cancels_once(stage, page):
    """The dialog says later that it was closed, perhaps after the next one was answered."""
    busy = Busy(stage)
    busy.open(page)
    page.run(
        "['no', 'yes'].forEach((value) => {"
        "document.querySelector('#waiting tr[data-id=second] button').click();"
        "document.querySelector(`#ask button[value=${value}]`).click(); })"
    )
    assert busy.clients["second"].read_answer().status == 403
    page.wait("!document.querySelector('#waiting tr[data-id=second]:not(.gone)')")
    page.wait("[...document.querySelectorAll('#recent td')].some((c) => c.textContent === 'second')")
    busy.finish("runs", "first")


def test_all_of_it_is_done_by_keyboard_and_the_focus_stays(stage, page):
    busy = Busy(stage)
    busy.open(page)
    page.run("document.querySelector('#waiting tr[data-id=second] button').focus()")
    before = page.text("#waiting tr[data-id=second] td:nth-child(6)")
    page.wait(f"document.querySelector('[data-id=second] td:nth-child(6)').innerText !== '{before}'")
    focused = "document.activeElement.closest('tr')?.dataset.id"
    assert page.run(focused) == "second", "over updates"
    page.press("Enter", 13, "\r")
    page.wait("document.querySelector('#ask').open")
    assert page.run("document.activeElement.value") == "no", "what does no harm comes first"
    page.press("Tab", 9)
    page.press("Enter", 13, "\r")
    assert busy.clients["second"].read_answer().status == 403
    page.wait(has_rows("waiting", 1))
    page.wait("document.activeElement.id === 'waiting-title'")
    busy.finish("runs", "first")


def test_drain_drains_and_resume_resumes(stage, page):
    node = stage.fake()
    gateway = stage.gateway([{"name": "one", "url": node.url}])
    page.open(gateway.admin)
    button = "#nodes li[data-name=one] button"
    for state, verb in (("draining", "Resume"), ("up", "Drain")):
        page.wait(f"{LIVE} && document.querySelector('{button}')")
        page.click(button)
        page.wait(f"document.querySelector('#nodes .chip').textContent === '{state}'")
        page.wait(f"document.querySelector('{button}').textContent === '{verb}'")
        assert page.run(f"document.querySelector('{button}').getAttribute('aria-label')") == (
            f"{verb} one"
        )
        (row,) = wire.get(gateway.admin, STATUS).json()["backends"]
        assert row["state"] == state
    assert "No node takes work" not in page.text("#sentence")


def test_who_signs_in_sees_it_and_a_wrong_key_is_told(stage, page):
    boss = {"name": "boss", "key": BOSS, "admin": True}
    gateway = stage.gateway([stage.fake()], {"keys": [*KEYS, boss]})
    page.forgive("401 (Unauthorized)")
    page.open(gateway.admin)
    shown = "!document.getElementById('sign-in').hidden"
    for wrong in ("nobodys-key-0123456789", KEYS[0]["key"]):
        page.wait(f"{shown} && document.activeElement.id === 'key'")
        page.type(wrong)
        page.press("Enter", 13, "\r")
        page.wait("document.getElementById('key-wrong').textContent.includes('no key of an admin')")
        page.run("document.getElementById('key-wrong').textContent = ''")
    page.type(BOSS)
    page.press("Enter", 13, "\r")
    page.wait(f"{LIVE} && {has_rows('keys', 3)} && document.getElementById('sign-in').hidden")
    page.open(gateway.admin)
    page.wait(f"{LIVE} && {has_rows('keys', 3)}")
    page.click("#nodes button")
    page.wait("document.querySelector('#nodes .chip').textContent === 'draining'")
    assert BOSS not in page.run("document.documentElement.outerHTML + location.href")
    page.click("#sign-out")
    page.wait(shown)
    assert page.run("sessionStorage.length + localStorage.length + document.cookie.length") == 0
    assert page.run("document.getElementById('board').hidden")


def test_it_comes_back_when_the_gateway_does(stage, page):
    node = stage.fake()
    row = {"name": "one", "url": node.url}
    first = stage.gateway([row])
    page.forgive("ERR_CONNECTION", "ERR_INCOMPLETE", "ERR_EMPTY_RESPONSE")
    page.open(first.admin)
    page.wait(LIVE)
    address = first.admin.split("//")[1]
    first.stop()
    page.wait("document.body.dataset.link === 'lost'")
    assert "Trying again" in page.text("#trouble")
    stage.gateway([{**row, "name": "another"}], {"admin": address})
    page.wait(f"{LIVE} && document.querySelector('#nodes h3').textContent === 'another'")
    assert page.run("document.getElementById('trouble').hidden")
    assert page.texts("#nodes h3") == ["another"]


def test_no_name_can_be_markup(stage, page):
    evil = "<img src=x onerror=window.hit=1><script>window.hit=1</script>"
    gateway = stage.gateway([stage.fake(models=["tiny:latest", evil])])
    assert gateway.post("/api/generate", {"model": evil + "2", "prompt": "x"}).status == 404
    page.open(gateway.admin)
    page.wait(f"{LIVE} && {has_rows('recent', 1)}")
    assert evil + "2" in rows_of(page, "recent")[0]
    page.wait("document.querySelectorAll('#nodes .name').length === 2")
    assert any(name.startswith(evil) for name in page.texts("#nodes .name"))
    assert page.run("document.querySelectorAll('main img, main script').length") == 0
    assert page.run("window.hit") is None


def test_the_policy_lets_nothing_else_in(stage, page):
    gateway = stage.gateway([stage.fake()])
    answer = wire.get(gateway.admin, "/")
    policy = answer.header("content-security-policy")
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy and "base-uri 'none'" in policy
    page.open(gateway.admin)
    page.wait(LIVE)
    assert page.said == []
    page.forgive("Content Security Policy", "Content-Security-Policy")
    page.run(
        "document.body.append(Object.assign(document.createElement('script'),"
        "{textContent: 'window.hit = 1'}))"
    )
    assert page.run("window.hit") is None
    stopped = "fetch('http://127.0.0.1:9/').then(() => 'sent', (e) => e.name)"
    assert page.run(stopped, wait=True) == "TypeError"
    assert len(page.said) >= 2
    # Nothing of the page is of another place.
    used = page.run("performance.getEntriesByType('resource').map((e) => new URL(e.name).origin)")
    assert set(used) == {gateway.admin}


@pytest.mark.parametrize("file", sorted(p.name for p in WEB.iterdir() if p.suffix != ".py"))
def test_each_file_is_served_as_what_it_is_and_once(module_gateway, file):
    types = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg", ".html": "text/html"}
    answer = wire.get(module_gateway.admin, f"/web/{file}")
    assert answer.status == 200 and answer.body == (WEB / file).read_bytes()
    assert answer.header("content-type").startswith(types[pathlib.Path(file).suffix])
    assert answer.header("x-content-type-options") == "nosniff"
    assert answer.header("content-security-policy") and answer.header("cache-control") == "no-cache"
    again = [("If-None-Match", f'"other", W/{answer.header("etag")}')]
    kept = wire.get(module_gateway.admin, f"/web/{file}", again)
    assert kept.status == 304 and kept.body == b""
    other = wire.get(module_gateway.admin, f"/web/{file}", [("If-None-Match", '"other"')])
    assert other.status == 200


@pytest.fixture(scope="module")
def module_gateway(module_stage):
    return module_stage.gateway([module_stage.fake()])


@pytest.mark.parametrize("file", ["none.js", "..%2fmain.c", "embed.py", "index.html%00"])
def test_nothing_else_is_served(module_gateway, file):
    assert wire.get(module_gateway.admin, f"/web/{file}").status in (400, 404, 405)
    assert wire.get(module_gateway.url, "/web/main.js").status == 404


def test_it_can_be_read_by_those_who_do_not_see_it(stage, page):
    busy = Busy(stage)
    busy.open(page)
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    found = {}
    for node in nodes:
        if not node.get("ignored"):
            role = node.get("role", {}).get("value")
            found.setdefault(role, []).append(node.get("name", {}).get("value", ""))
    assert all(found[role] for role in ("banner", "main", "contentinfo", "heading", "status"))
    assert all(found["button"]), found["button"]
    assert len(set(found["button"])) == len(found["button"]), "each is told from the others"
    assert all(found["table"]) and len(found["table"]) >= 3
    assert all(found["image"] if "image" in found else found["img"])
    assert {"Key", "Model", "Starts in", "Tokens"} <= set(found["columnheader"])
    assert {"alice", "batch"} <= set(found["rowheader"])
    busy.finish("runs", "first", "second")


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_hangs_over_the_edge(browser, module_puppet, width):
    page = browser.page(dark=width == 768, width=width, height=740)
    page.open(module_puppet.url)
    page.wait(f"{LIVE} && {has_rows('waiting', Puppet.WAITING)}")
    assert page.run("document.documentElement.scrollWidth") <= width
    over = (
        "[...document.querySelectorAll('main *')].filter((e) => e.checkVisibility() &&"
        " !e.closest('.hidden-text, thead') && e.getBoundingClientRect().right > innerWidth + 1)"
        ".map((e) => e.outerHTML.slice(0, 80))"
    )
    assert page.run(over) == []
    # Nor over its own cell, but for what ends in dots.
    over = (
        "[...document.querySelectorAll('td, tbody th')].filter((e) => e.checkVisibility() &&"
        " getComputedStyle(e).overflow !== 'hidden' && e.scrollWidth > e.clientWidth + 1)"
        ".map((e) => e.outerHTML.slice(0, 80))"
    )
    assert page.run(over) == []
    page.close()


@pytest.fixture(scope="module")
def module_puppet():
    puppet = Puppet(WEB)
    yield puppet
    puppet.stop()


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_text_can_be_read_in_both_schemes():
    light, dark = (WEB / "colours.css").read_text().split("@media")
    pairs = [(text, on) for text in ("text", "quiet", "accent") for on in ("page", "card", "faint")]
    pairs += [(kind, f"{kind}-faint") for kind in ("good", "warn", "bad")]
    pairs += [("bad", "card"), ("accent-text", "accent")]
    for scheme in (light, dark):
        colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", scheme))
        for text, on in pairs:
            low, high = sorted(luminance(colours[name]) for name in (text, on))
            assert (high + 0.05) / (low + 0.05) >= 4.5, (text, on)


def test_a_page_left_open_does_not_grow(page):
    puppet = Puppet(WEB, paused=True)
    page.open(puppet.url)

    def after(updates):
        puppet.play(updates)
        page.wait(f"document.querySelector('#version').textContent === '{puppet.version}'")
        return page.heap_bytes(), page.counts()["nodes"]

    heap, nodes = after(UPDATES // 3)
    more_heap, more_nodes = after(UPDATES)
    assert more_nodes < nodes * 1.2 + 500, (nodes, more_nodes)
    assert more_heap < heap * 1.2 + 1_000_000, (heap, more_heap)
    # The hour is there, and no more than that.
    drawn = page.run("document.querySelector('[data-chart=tokens] .line').getAttribute('d')")
    assert drawn.count("L") == 359
    print(f"\n{UPDATES} updates: {heap} to {more_heap} bytes, {nodes} to {more_nodes} nodes")
    puppet.stop()
