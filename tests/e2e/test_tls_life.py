"""TLS while it changes: certificates that are renewed, programs that take over. No client notices."""

import signal
import ssl
import threading

import harness
import pytest
from harness import certificates, tls, wire
from harness.upgrade import Load, upgrade

LIMIT_S = wire.LIMIT_S
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


def settings(certificate=None, **more):
    return {"tls": (certificate or certificates.local()).settings(), **more}


def issue(name):
    return certificates.authority().issue(name, "localhost", "127.0.0.1")


def put(certificate, folder):
    for name in ("cert", "key"):
        part = folder / f"{name}.pem"
        part.write_bytes(getattr(certificate, name).read_bytes())
        part.chmod(0o600)
    return certificates.Certificate(folder / "cert.pem", folder / "key.pem")


def reload(gateway, says="by SIGHUP"):
    mark = gateway.mark()
    gateway.signal(signal.SIGHUP)
    return gateway.wait_line(says, after=mark)


def name_on(client):
    certificate = client.socket.tls.getpeercert()
    return dict(part[0] for part in certificate["subject"])["commonName"]


def common_name(gateway):
    with wire.Wire(gateway.url) as client:
        return name_on(client)


def healthy(client):
    client.request("GET", "/healthz")
    return client.read_answer().status == 200


def session_of(gateway, context, session=None):
    """(whether that one was resumed, the next one), of a connection that asked something."""
    client = tls.TlsSocket(wire.knock(gateway.url), context, "localhost", session=session)
    client.sendall(wire.format_request("GET", "/healthz", "localhost"))
    assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
    found = client.tls.session_reused, client.tls.session
    client.close()
    return found


# certificates


def test_a_reload_swaps_the_certificate_while_an_answer_streams_on(stage, tmp_path):
    go_on = threading.Event()

    def play(exchange):
        exchange.begin()
        exchange.chunk(b"before")
        assert go_on.wait(LIMIT_S)
        exchange.chunk(b"after")
        exchange.end()

    gateway = stage.gateway([stage.fake(play)], settings(put(issue("one"), tmp_path)))
    assert common_name(gateway) == "one"
    with wire.Wire(gateway.url) as client:
        client.request("POST", "/api/generate", harness.body_for("/api/generate"))
        answer = client.read_head()
        pieces = client.read_pieces(answer)
        assert next(pieces) == b"before"
        put(issue("two"), tmp_path)
        reload(gateway)
        assert common_name(gateway) == "two"
        go_on.set()
        assert list(pieces) == [b"after"]
        assert healthy(client)


def test_no_request_fails_while_certificates_are_renewed(stage, tmp_path):
    """Whoever came before keeps the certificate that it saw."""
    node = stage.node("tiny,tps=400", parallel=8)
    rows = [{"url": node.url, "parallel": 8}]
    gateway = stage.gateway(rows, settings(put(issue("number 0"), tmp_path)))
    early = [wire.Wire(gateway.url)]
    load = Load(gateway)
    for number in range(1, 4):
        load.wait_more(2)
        put(issue(f"number {number}"), tmp_path)
        reload(gateway)
        early.append(wire.Wire(gateway.url))
    load.wait_more(2)
    load.end()
    for number, client in enumerate(early):
        assert name_on(client) == f"number {number}" and healthy(client)
        client.close()


def is_another_key(used, other):
    used.key.write_bytes(other.key.read_bytes())
    return r"tls\.key: .*key\.pem: is not the key of the first certificate in .*cert\.pem"


def is_cut_off(used, other):
    text = other.cert.read_bytes()
    used.cert.write_bytes(text[: len(text) // 2])
    return r"tls\.cert: .*cert\.pem: is damaged \(bad end line\): cut off"


def is_empty(used, _):
    used.cert.write_bytes(b"")
    return r"tls\.cert: .*cert\.pem: holds no certificate"


def is_gone(used, _):
    used.key.unlink()
    return r"tls\.key: .*key\.pem: No such file"


def is_something_else(used, other):
    used.key.write_bytes(other.cert.read_bytes())
    return r"tls\.key: .*key\.pem: holds no private key"


def is_locked(used, other):
    certificates.openssl(
        "pkey", "-in", other.key, "-out", used.key, "-aes256", "-passout", "pass:word"
    )
    return r"tls\.key: .*key\.pem: is protected by a passphrase"


@pytest.mark.parametrize(
    "is_broken", [is_another_key, is_cut_off, is_empty, is_gone, is_something_else, is_locked]
)
def test_a_reload_with_what_is_no_certificate_changes_nothing(stage, tmp_path, is_broken):
    used = put(issue("one"), tmp_path)
    gateway = stage.gateway([stage.fake()], settings(used))
    says = is_broken(used, issue("two"))
    reload(gateway, says)
    assert common_name(gateway) == "one"
    answer = wire.post(gateway.admin, "/admin/v1/reload")
    assert answer.status == 422 and "tls." in str(answer.json())
    put(issue("three"), tmp_path)
    reload(gateway)
    assert common_name(gateway) == "three"


def test_a_reload_of_the_same_certificate_leaves_sessions_as_they_are(stage):
    gateway = stage.gateway([stage.fake()], settings())
    context = tls.trusting()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    _, session = session_of(gateway, context)
    reload(gateway)
    assert session_of(gateway, context, session)[0]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_session_of_a_former_certificate_is_not_resumed(stage, tmp_path, version):
    """Its client would not see the new one; a whole handshake is had without being asked for."""
    gateway = stage.gateway([stage.fake()], settings(put(issue("one"), tmp_path)))
    context = tls.trusting()
    context.minimum_version = context.maximum_version = version
    _, session = session_of(gateway, context)
    put(issue("two"), tmp_path)
    reload(gateway)
    assert not session_of(gateway, context, session)[0]


# another program


def test_no_request_fails_while_programs_take_over_from_each_other(stage, tmp_path):
    """Each with a certificate of its own."""
    node = stage.node("tiny,tps=400", parallel=8)
    rows = [{"url": node.url, "parallel": 8}]
    gateway = stage.gateway(rows, settings(put(issue("number 0"), tmp_path)))
    load = Load(gateway)
    now = gateway
    for number in range(1, 4):
        load.wait_more(2)
        put(issue(f"number {number}"), tmp_path)
        now = upgrade(stage, gateway, now)
        assert common_name(gateway) == f"number {number}"
    load.wait_more(2)
    load.end()


def test_a_connection_that_is_idle_has_its_next_request_answered_and_ends_well(stage):
    gateway = stage.gateway([stage.fake()], settings())
    with wire.Wire(gateway.url) as idle:
        assert healthy(idle)
        upgrade(stage, gateway)
        idle.request("GET", "/healthz")
        answer = idle.read_answer()
        assert answer.status == 200 and answer.header("Connection") == "close"
        assert idle.read_all() == b"" and idle.socket.closed_well
    assert gateway.wait_exit_code() == 0


def test_a_handshake_that_was_begun_is_ended_by_the_program_that_began_it(stage):
    gateway = stage.gateway([stage.fake()], settings())
    slow = tls.TlsSocket(wire.knock(gateway.url), tls.trusting(), "localhost", begin=True)
    harness.turn(gateway)
    upgrade(stage, gateway)
    slow.shake()
    slow.sendall(wire.format_request("GET", "/healthz", "localhost"))
    said = b""
    while piece := slow.recv(65536):
        said += piece
    assert said.startswith(b"HTTP/1.1 200 ") and b"\r\nConnection: close\r\n" in said
    assert gateway.wait_exit_code() == 0


@pytest.mark.parametrize("version", VERSIONS)
def test_a_session_of_a_former_program_costs_a_handshake_and_nothing_else(stage, version):
    gateway = stage.gateway([stage.fake()], settings())
    context = tls.trusting()
    context.minimum_version = context.maximum_version = version
    _, session = session_of(gateway, context)
    upgrade(stage, gateway)
    assert not session_of(gateway, context, session)[0]


def test_a_new_program_whose_certificate_is_broken_does_not_take_over(stage, tmp_path):
    used = put(issue("one"), tmp_path)
    gateway = stage.gateway([stage.fake()], settings(used))
    used.cert.write_text("no certificate")
    mark = gateway.mark()
    gateway.signal(signal.SIGUSR2)
    gateway.wait_line(r"tls\.cert: .*cert\.pem: holds no certificate", mark)
    gateway.wait_line("ended with status 1.*goes on serving", mark)
    assert common_name(gateway) == "one"
