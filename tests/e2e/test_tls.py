"""TLS where clients come in: who is let in, how it ends, and that all else is as without it."""

import json
import os
import re
import socket
import ssl
import subprocess
import threading

import harness
import httpx
import openai
import pytest
from harness import certificates, fake, tls, wire

LIMIT_S = wire.LIMIT_S


def settings(certificate=None, **more):
    return {"tls": (certificate or certificates.local()).settings(), **more}


@pytest.fixture(scope="module")
def pair(module_stage):
    """A gateway that speaks TLS, and the node behind it."""
    node = module_stage.fake()
    return module_stage.gateway([node], settings()), node


def address_of(url):
    return wire.place_of(url)[1]


def shake(gateway, **changes):
    """A handshake of a client with these properties."""
    context = tls.trusting()
    for name, value in changes.items():
        current = getattr(context, name)
        if callable(current):
            current(value)
        else:
            setattr(context, name, value)
    return tls.TlsSocket(wire.knock(gateway.url), context, "localhost")


def handshakes(gateway):
    text = wire.get(gateway.admin, "/metrics").body.decode()
    found = re.findall(r'^drover_tls_handshakes_total{result="(\w+)"} (\d+)$', text, re.M)
    return {result: int(count) for result, count in found}


def all_of(plain):
    data = b""
    try:
        while piece := plain.recv(65536):
            data += piece
    except ConnectionResetError:
        pass
    return data


# who is let in


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_versions_from_1_2_on_are_spoken(pair, version):
    gateway, _ = pair
    context = tls.trusting()
    context.minimum_version = context.maximum_version = version
    with wire.Wire(gateway.url, context=context) as client:
        assert client.socket.tls.version() == version.name.replace("_", ".")
        client.request("GET", "/healthz")
        assert client.read_answer().body == b"ok\n"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_older_versions_are_refused_by_their_alert(pair):
    gateway, _ = pair
    context = tls.trusting()
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError, match="TLSV1_ALERT_PROTOCOL_VERSION"):
        tls.TlsSocket(wire.knock(gateway.url), context, "localhost")


def test_a_client_that_speaks_http_1_1_among_others_gets_that(pair):
    gateway, _ = pair
    client = shake(gateway, set_alpn_protocols=["h2", "http/1.1"])
    assert client.tls.selected_alpn_protocol() == "http/1.1"
    assert shake(gateway).tls.selected_alpn_protocol() is None


def test_a_client_that_speaks_http_2_alone_is_refused_by_its_alert(pair):
    gateway, _ = pair
    with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
        shake(gateway, set_alpn_protocols=["h2"])


@pytest.mark.parametrize("begin", [b"GET /api/tags HTTP/1.1\r\nHost: a\r\n\r\n", b"DELETE", b"\r\n"])
def test_plain_http_is_told_what_it_came_to(pair, begin):
    gateway, _ = pair
    plain = wire.knock(gateway.url)
    plain.sendall(begin)
    head, body = all_of(plain).split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n") and b"Connection: close" in head
    assert json.loads(body)["error"].startswith("this port speaks HTTPS")


@pytest.mark.parametrize("begin", [b"\x80\x2e\x01\x00\x02", b"\x15\x03\x01\x00\x02\x02\x28", b"\0"])
def test_what_is_neither_is_closed(pair, begin):
    gateway, _ = pair
    plain = wire.knock(gateway.url)
    plain.sendall(begin)
    assert all_of(plain) == b""


def test_a_broken_handshake_is_closed_by_an_alert(pair):
    gateway, _ = pair
    before = handshakes(gateway)["failed"]
    plain = wire.knock(gateway.url)
    plain.sendall(b"\x16\x03\x01\x00\x05hello")
    assert all_of(plain)[:1] == b"\x15"
    assert handshakes(gateway)["failed"] == before + 1


@pytest.mark.parametrize("begin", [b"", b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc"])
def test_a_handshake_that_hangs_is_closed_at_its_limit(stage, begin):
    gateway = stage.gateway([stage.fake()], settings(timeouts={"client_head": "100ms"}))
    plain = wire.knock(gateway.url)
    plain.sendall(begin)
    assert all_of(plain) == b""


def test_many_handshakes_at_once_all_come_to_their_end(pair):
    gateway, _ = pair
    before = handshakes(gateway)["full"]

    def get():
        return wire.get(gateway.url, "/healthz").status

    assert [one.result(LIMIT_S) for one in [harness.later(get) for _ in range(40)]] == [200] * 40
    assert handshakes(gateway)["full"] == before + 40


def test_sockets_stay_plain(stage, tmp_path):
    path = f"unix:{tmp_path}/s"
    more = {"listen": ["127.0.0.1:0", path]}
    gateway = stage.gateway([stage.fake()], settings(**more))
    assert gateway.urls[0].startswith("https://127.0.0.1:") and gateway.urls[1] == path
    assert [wire.get(url, "/healthz").status for url in gateway.urls] == [200, 200]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_is_resumed(pair, version):
    gateway, _ = pair
    before = handshakes(gateway)["resumed"]
    context = tls.trusting()
    context.minimum_version = context.maximum_version = version
    session = None
    for reused in (False, True):
        client = tls.TlsSocket(wire.knock(gateway.url), context, "localhost", session=session)
        client.sendall(wire.format_request("GET", "/healthz", "localhost"))
        assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert client.tls.session_reused == reused
        session = client.tls.session
        client.close()
    assert handshakes(gateway)["resumed"] == before + 1


def s_client(gateway, text, *options):
    host, port = address_of(gateway.url)
    ca = certificates.authority().cert
    command = ["openssl", "s_client", "-connect", f"{host}:{port}", "-CAfile", ca, *options]
    return subprocess.run(command, input=text, capture_output=True, timeout=LIMIT_S)


def test_openssl_finds_nothing_to_complain_about(pair):
    gateway, _ = pair
    request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    options = ["-verify_return_error", "-verify_hostname", "localhost", "-ign_eof"]
    done = s_client(gateway, request, *options)
    assert done.returncode == 0, done
    assert b"Verify return code: 0 (ok)" in done.stdout
    assert b"\r\n\r\nok\n" in done.stdout


def test_a_renegotiation_is_refused(pair):
    gateway, _ = pair
    done = s_client(gateway, b"R\n", "-tls1_2")
    assert b"no renegotiation" in done.stderr


def test_new_keys_in_mid_connection_change_nothing(pair):
    gateway, _ = pair
    host, port = address_of(gateway.url)
    command = ["openssl", "s_client", "-connect", f"{host}:{port}", "-tls1_3", "-crlf"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as client:
        client.stdin.write(b"K\n")  # asks for new keys of both sides
        client.stdin.flush()
        while b"KEYUPDATE" not in client.stderr.readline():
            assert client.poll() is None
        client.stdin.write(b"GET /healthz HTTP/1.1\nHost: localhost\nConnection: close\n\n")
        client.stdin.flush()
        assert b"\r\n\r\nok\n" in client.stdout.read()


# requests and their ends


def test_requests_come_one_after_the_other_and_all_at_once(pair):
    gateway, _ = pair
    with wire.Wire(gateway.url) as client:
        for _ in range(3):
            client.request("GET", "/healthz")
            assert client.read_answer().status == 200
        client.send(wire.format_request("GET", "/healthz", "localhost") * 20)
        assert [client.read_answer().status for _ in range(20)] == [200] * 20


def test_a_request_of_one_byte_a_record_is_read(pair):
    gateway, _ = pair
    body = json.dumps(harness.run("byte by byte")).encode()
    with wire.Wire(gateway.url) as client:
        for byte in wire.format_request("POST", "/api/generate", "localhost", (), body):
            client.send(bytes([byte]))
        assert client.read_answer().status == 200


def test_records_cut_into_single_bytes_are_read(pair):
    gateway, _ = pair
    with wire.Wire(gateway.url) as client:
        client.socket.tls.write(wire.format_request("GET", "/healthz", "localhost"))
        for byte in client.socket.outgoing.read():
            client.socket.plain.sendall(bytes([byte]))
        assert client.read_answer().status == 200


def test_an_absolute_target_may_say_https(pair):
    """RFC 9110 7.4: it must have come so. In the clear it is refused (http_requests.py)."""
    gateway, node = pair
    answer = wire.ask(gateway.url, "POST", "https://localhost/api/generate", harness.run())
    assert answer.status == 200
    assert node.exchanges[-1].target == "/api/generate"


def test_the_node_is_told_that_it_was_asked_by_https(pair):
    gateway, node = pair
    lies = [("X-Forwarded-Proto", "http")]
    assert gateway.post("/api/generate", harness.run(), lies).status == 200
    assert node.exchanges[-1].field("X-Forwarded-Proto") == "https"


def test_what_a_trusted_proxy_was_asked_by_is_passed_on(stage):
    node = stage.fake()
    gateway = stage.gateway([node], {"trusted_proxies": ["127.0.0.1"]})
    for told, seen in (("https", "https"), ("http", None), ("gopher", None)):
        headers = [("X-Forwarded-For", "203.0.113.1"), ("X-Forwarded-Proto", told)]
        assert gateway.post("/api/generate", harness.run(), headers).status == 200
        assert node.exchanges[-1].field("X-Forwarded-Proto") == seen


@pytest.mark.parametrize("path", ["/api/generate", "/v1/chat/completions"])
def test_the_first_token_is_at_the_client_before_the_second_is_made(stage, path):
    seen = threading.Event()

    def play(exchange):
        exchange.begin("text/event-stream" if path.startswith("/v1") else fake.NDJSON)
        exchange.chunk(b"data: one\n\n")
        assert seen.wait(LIMIT_S)
        exchange.chunk(b"data: two\n\n")
        exchange.end()

    gateway = stage.gateway([stage.fake(play)], settings())
    with wire.Wire(gateway.url) as client:
        client.request("POST", path, harness.body_for(path, stream=True))
        pieces = client.read_pieces(client.read_head())
        assert next(pieces) == b"data: one\n\n"
        seen.set()
        assert list(pieces) == [b"data: two\n\n"]


def pattern(size):
    return bytes(i * 7 % 251 for i in range(251)) * (size // 251 + 1)


def test_large_bodies_go_both_ways(stage):
    prompt = "x" * (20 << 20)
    answer = json.dumps({"response": "y" * (20 << 20), "done": True}).encode()
    node = stage.fake(lambda exchange: exchange.reply(answer))
    gateway = stage.gateway([node], settings())
    got = gateway.post("/api/generate", harness.run(prompt))
    assert got.whole and got.body == answer
    assert node.exchanges[0].json()["prompt"] == prompt


def test_a_client_that_reads_nothing_holds_the_node_back(stage):
    """And gets all of it, once it reads."""
    blocked = threading.Event()
    piece = pattern(1 << 16)[: 1 << 16]

    def play(exchange):
        exchange.begin()
        exchange.socket.setblocking(False)
        sent = 0
        data = b"%x\r\n%s\r\n" % (len(piece), piece)
        while sent < 64 << 20:  # more than all buffers between the two hold
            try:
                at = exchange.socket.send(data[sent % len(data) :])
                sent += at
            except BlockingIOError:
                blocked.set()
                exchange.socket.setblocking(True)
                exchange.send(data[sent % len(data) :])
                break
        exchange.end()

    gateway = stage.gateway([stage.fake(play)], settings())
    with wire.Wire(gateway.url, receive_buffer=4096) as client:
        client.request("POST", "/api/generate", harness.body_for("/api/generate"))
        assert blocked.wait(LIMIT_S)
        assert gateway.resident_kib() < gateway.memory_factor * (64 << 10)
        answer = client.read_answer()
        assert answer.whole and answer.body == piece * (len(answer.body) // len(piece))


def test_a_client_that_takes_nothing_is_cut(stage):
    def play(exchange):
        exchange.begin()
        for _ in range(1000):
            exchange.chunk(pattern(1 << 16))

    more = {"timeouts": {"client_write": "200ms"}}
    gateway = stage.gateway([stage.fake(play)], settings(**more))
    with wire.Wire(gateway.url, receive_buffer=4096) as client:
        client.request("POST", "/api/generate", harness.body_for("/api/generate"))
        gateway.wait_line(r"route=/api/generate .*end=\"?client")


def test_a_request_that_is_too_large_hears_so_while_it_still_sends(stage):
    gateway = stage.gateway([stage.fake()], settings(max_body="1MiB"))
    with wire.Wire(gateway.url) as client:
        size = 8 << 20
        client.request("POST", "/api/generate", None, [("Content-Length", size)])
        for _ in range(size >> 16):
            client.send(pattern(1 << 16)[: 1 << 16])
        answer = client.read_answer()
        assert answer.status == 413 and answer.whole
        assert client.read_all() == b"" and client.socket.closed_well


# how connections end


def test_an_answer_that_ends_the_connection_ends_it_with_the_alert(pair):
    gateway, _ = pair
    for version in ("1.0", "1.1"):
        with wire.Wire(gateway.url) as client:
            client.request("GET", "/healthz", headers=[("Connection", "close")], version=version)
            assert client.read_answer().body == b"ok\n"
            assert client.read_all() == b"" and client.socket.closed_well


def test_a_connection_that_was_idle_for_long_ends_with_the_alert(stage):
    gateway = stage.gateway([stage.fake()], settings(timeouts={"client_idle": "50ms"}))
    with wire.Wire(gateway.url) as client:
        client.request("GET", "/healthz")
        assert client.read_answer().status == 200
        assert client.read_all() == b"" and client.socket.closed_well


def test_an_answer_that_a_node_broke_off_does_not_end_with_the_alert(stage):
    """Of HTTP/1.0 without a length nothing else would tell."""

    def play(exchange):
        exchange.begin()
        exchange.chunk(b"half of ")
        exchange.close()

    gateway = stage.gateway([stage.fake(play)], settings())
    with wire.Wire(gateway.url) as client:
        client.request("POST", "/api/generate", harness.body_for("/api/generate"), version="1.0")
        client.read_answer()
        assert not client.socket.closed_well


@pytest.mark.parametrize("leave", ["alert", "fin", "both", "reset"])
@pytest.mark.parametrize("streams", [False, True])
def test_a_client_that_leaves_is_noticed(stage, leave, streams):
    gone = threading.Event()

    def play(exchange):
        if streams:
            exchange.begin()
            exchange.chunk(b"one")
        exchange.wait_gone()
        gone.set()

    node = stage.fake(play)
    gateway = stage.gateway([node], settings())
    client = wire.Wire(gateway.url)
    client.request("POST", "/api/generate", harness.body_for("/api/generate"))
    node.wait_exchanges(1)
    if streams:
        assert next(client.read_pieces(client.read_head())) == b"one"
    if leave == "alert":
        client.socket.say_end()
    elif leave == "fin":
        client.socket.plain.shutdown(socket.SHUT_WR)
    elif leave == "both":
        client.close()
    else:
        client.reset()
    assert gone.wait(LIMIT_S)
    gateway.wait_line(r"status=499 .*end=\"?client")


def test_a_client_that_leaves_while_it_waits_is_noticed(stage):
    gate = threading.Event()

    def play(exchange):
        assert gate.wait(LIMIT_S)
        exchange.node.answer(exchange)

    node = stage.fake(play)
    gateway = stage.gateway([{"url": node.url, "slots": 1}], settings())
    first = harness.later(gateway.post, "/api/generate", harness.run("first"))
    node.wait_exchanges(1)
    client = wire.Wire(gateway.url)
    client.request("POST", "/api/generate", harness.run("second"))
    harness.turn(gateway)
    client.socket.say_end()
    gateway.wait_line(r"status=499 .*end=\"?client")
    gate.set()
    assert first.result(LIMIT_S).status == 200
    assert len(node.exchanges) == 1


def test_a_request_that_was_cut_off_is_none(pair):
    """The end of its bytes is not the end of its body."""
    gateway, node = pair
    before = len(node.exchanges)
    body = json.dumps(harness.run()).encode()
    for well in (True, False):
        client = wire.Wire(gateway.url)
        client.send(wire.format_request("POST", "/api/generate", "localhost", (), body)[:-1])
        if well:
            client.socket.say_end()
        client.socket.plain.shutdown(socket.SHUT_WR)
        assert client.read_all() == b""
    assert len(node.exchanges) == before


# clients


def test_curl_takes_its_answers(pair):
    gateway, _ = pair
    command = ["curl", "-sS", "--cacert", certificates.authority().cert, f"{gateway.url}/healthz"]
    done = subprocess.run(command, capture_output=True, timeout=LIMIT_S)
    assert (done.returncode, done.stdout) == (0, b"ok\n"), done


def test_curl_refuses_another_authority_and_another_name(stage):
    other = certificates.authority("other").issue("127.0.0.1")
    named = certificates.authority().issue("elsewhere.example")
    for certificate, status in ((other, 60), (named, 60)):
        gateway = stage.gateway([stage.fake()], settings(certificate))
        command = ["curl", "-sS", "--cacert", certificates.authority().cert, gateway.url]
        assert subprocess.run(command, capture_output=True, timeout=LIMIT_S).returncode == status


def test_the_official_client_streams(stage):
    node = stage.node("tiny")
    gateway = stage.gateway([node], settings(certificates.authority().issue("127.0.0.1")))
    web = httpx.Client(verify=tls.trusting(), timeout=LIMIT_S)
    client = openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="none", http_client=web)
    stream = client.chat.completions.create(
        model="tiny", messages=[{"role": "user", "content": "hello"}], stream=True
    )
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream)


# what the configuration says


def check(stage, folder, text):
    from conftest import find_program

    path = folder / "t.yaml"
    path.write_text(text)
    environment = {"PATH": os.environ["PATH"]}
    return subprocess.run(
        [find_program(stage.request.config, "drover"), "check", "-c", "t.yaml"],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        cwd=folder,
        env=environment,
    )


def test_check_says_what_is_wrong_with_the_files(stage, tmp_path):
    made = certificates.authority().issue("localhost")
    other = certificates.authority().issue("localhost")
    done = check(stage, tmp_path, f"drain: 1s\ntls:\n  cert: {made.cert}\n  key: {other.key}\n")
    assert done.returncode == 1
    assert done.stderr == (
        f"t.yaml:4:8: tls.key: {other.key}: is not the key of the first certificate in "
        f"{made.cert}\n"
    )


def test_check_warns_of_what_works_and_yet_will_not_do(stage, tmp_path):
    made = certificates.authority().issue("localhost", days=-1)
    made.key.chmod(0o644)
    backends = "backends: [{url: 'https://10.0.0.1:11434', name: far, tls: {verify: false}}]"
    done = check(stage, tmp_path, f"tls: {{cert: {made.cert}, key: {made.key}}}\n{backends}\n")
    assert done.returncode == 0
    first, second, third = done.stderr.splitlines()
    assert re.fullmatch(rf"tls.cert: {made.cert} has expired, on .* UTC; clients refuse it", first)
    assert second.startswith("tls.key: every user of this machine may read ")
    assert third.startswith("backends[0].tls.verify: whoever answers at https://10.0.0.1:11434 is ")


def test_what_check_warns_of_is_in_the_log_of_the_start(stage):
    made = certificates.authority().issue("localhost", "127.0.0.1", days=-1)
    gateway = stage.gateway([stage.fake()], settings(made))
    gateway.wait_line(r"warn  configuration: tls.cert: .* has expired, on ")


# what is told of it


def test_the_time_that_the_certificate_expires_is_a_metric(pair):
    gateway, _ = pair
    text = wire.get(gateway.admin, "/metrics").body.decode()
    at_s = int(re.search(r"^drover_tls_certificate_expires_seconds (\d+)$", text, re.M).group(1))
    told = shake(gateway).tls.getpeercert()["notAfter"]
    assert at_s == ssl.cert_time_to_seconds(told)
