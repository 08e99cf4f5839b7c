"""Requests that are wrong, nearly wrong, or odd and right, and what must become of each.

Each row names the rule that decides. `sees` lists the prompts of the requests that a node may be
sent: none where the request is refused, the first alone where a second one was smuggled in.
Statuses are those that the rule leaves free to choose; the first is the one we give.
"""

import json
from dataclasses import dataclass

NOTHING = ()
THE_ONE = ("hello",)


def body_of(prompt):
    return json.dumps({"model": "tiny", "prompt": prompt, "stream": False}).encode()


BODY = body_of("hello")
LENGTH = b"%d" % len(BODY)
HALF = len(BODY) // 2
HOST = b"Host: localhost\r\n"
LINE = b"POST /api/generate HTTP/1.1\r\n"
FRAME = b"Content-Length: " + LENGTH + b"\r\n"


def request(fields=b"", body=b"", line=LINE, host=HOST):
    return line + host + fields + b"\r\n" + body


def framed(fields=b"", line=LINE, host=HOST):
    """A request that is whole and right but for what is given."""
    return request(fields + FRAME, BODY, line, host)


def target(path, method=b"POST"):
    return framed(line=method + b" " + path + b" HTTP/1.1\r\n")


def chunk(data, size=None, end=b"\r\n"):
    return (size if size is not None else b"%x" % len(data)) + end + data + b"\r\n"


def chunked(body, fields=b"Transfer-Encoding: chunked\r\n", line=LINE):
    return request(fields, body, line)


SMUGGLED_BODY = body_of("smuggled")
SMUGGLED = request(b"Content-Length: %d\r\n" % len(SMUGGLED_BODY), SMUGGLED_BODY)
WHOLE = chunk(BODY) + b"0\r\n\r\n"


@dataclass
class Case:
    name: str
    rule: str  # a section of RFC 9112 unless it says otherwise
    data: bytes
    statuses: tuple
    sees: tuple = NOTHING


def refused(name, rule, data, *statuses):
    return Case(name, rule, data, statuses or (400,))


def passed(name, rule, data):
    return Case(name, rule, data, (200,), THE_ONE)


CASES = [
    passed("a right request", "3", framed()),
    # Content-Length
    refused("length twice, equal", "6.3", request(FRAME + FRAME, BODY)),
    refused(
        "length twice, the second 0",
        "6.3",
        request(b"Content-Length: %d\r\nContent-Length: 0\r\n" % len(SMUGGLED), SMUGGLED),
    ),
    refused(
        "length a list",
        "6.3",
        request(b"Content-Length: " + LENGTH + b", " + LENGTH + b"\r\n", BODY),
    ),
    refused(
        "length with a plus", "9110 8.6", request(b"Content-Length: +" + LENGTH + b"\r\n", BODY)
    ),
    refused("length hexadecimal", "9110 8.6", request(b"Content-Length: 0x5\r\n", BODY)),
    refused("length negative", "9110 8.6", request(b"Content-Length: -1\r\n", BODY)),
    refused("length empty", "9110 8.6", request(b"Content-Length:\r\n", SMUGGLED)),
    passed("length, space behind", "5.1", request(b"Content-Length: " + LENGTH + b" \r\n", BODY)),
    refused(
        "length, two numbers", "9110 8.6", request(b"Content-Length: " + LENGTH + b" 6\r\n", BODY)
    ),
    passed("length, tab before", "5.1", request(b"Content-Length:\t" + LENGTH + b"\r\n", BODY)),
    refused(
        "length of 24 digits",
        "6.3",
        request(b"Content-Length: " + LENGTH.rjust(24, b"0") + b"\r\n", BODY),
    ),
    refused(
        "length that wraps 64 bits", "6.3", request(b"Content-Length: %d\r\n" % (2**64 + 5), BODY)
    ),
    refused("length of 3e19", "6.3", request(b"Content-Length: 30000000000000000000\r\n", BODY)),
    # Transfer-Encoding
    refused(
        "length, then chunked",
        "6.1",
        request(b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n" + SMUGGLED),
    ),
    refused(
        "chunked, then length",
        "6.1",
        request(b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", b"0\r\n\r\n" + SMUGGLED),
    ),
    passed("CHUNKED in capitals", "7", chunked(WHOLE, b"Transfer-Encoding: CHUNKED\r\n")),
    passed("chunked, space behind", "5.1", chunked(WHOLE, b"Transfer-Encoding: chunked \r\n")),
    passed("chunked, tab before", "5.1", chunked(WHOLE, b"Transfer-Encoding:\tchunked\r\n")),
    refused(
        "coding, space before the colon", "5.1", chunked(WHOLE, b"Transfer-Encoding : chunked\r\n")
    ),
    refused(
        "length, space before the colon",
        "5.1",
        request(b"Content-Length : %d\r\n" % len(SMUGGLED), SMUGGLED),
    ),
    refused("coding xchunked", "6.1", chunked(WHOLE, b"Transfer-Encoding: xchunked\r\n"), 501, 400),
    refused(
        "coding gzip, chunked",
        "6.1",
        chunked(WHOLE, b"Transfer-Encoding: gzip, chunked\r\n"),
        501,
        400,
    ),
    refused(
        "coding chunked, identity",
        "6.3",
        chunked(WHOLE, b"Transfer-Encoding: chunked, identity\r\n"),
        400,
        501,
    ),
    refused(
        "coding identity, and a length",
        "6.1",
        request(b"Transfer-Encoding: identity\r\n" + FRAME, BODY),
        400,
        501,
    ),
    refused(
        "coding twice",
        "6.3",
        chunked(WHOLE, b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n"),
        400,
        501,
    ),
    refused(
        "coding with a NUL", "9110 5.5", chunked(WHOLE, b"Transfer-Encoding: chunked\x00x\r\n")
    ),
    refused("chunked on 1.0", "6.1", chunked(WHOLE, line=b"POST /api/generate HTTP/1.0\r\n")),
    # Lines of the head
    refused("folded line, space", "5.2", framed(b"X-A: b\r\n c: d\r\n")),
    refused("folded line, tab", "5.2", framed(b"X-A: b\r\n\tc\r\n")),
    refused("folded length", "5.2", request(b"Content-Length: 1\r\n\t0\r\n", b"0123456789")),
    refused("bare LF line ends", "2.2", framed().replace(b"\r\n", b"\n")),
    passed("a further field", "5", framed(b"X: y\r\n")),
    refused("bare LF ends the head", "2.2", LINE + HOST + FRAME + b"\n" + BODY),
    refused("bare CR in a value", "2.2", framed(b"X-A: b\rc\r\n")),
    refused("NUL in a value", "9110 5.5", framed(b"X-A: b\x00c\r\n")),
    refused("NUL in a name", "5.1", framed(b"X-\x00A: b\r\n")),
    refused("control byte in a value", "9110 5.5", framed(b"X-A: \x01\r\n")),
    refused("line without a colon", "5", framed(b"foo\r\n")),
    refused("first line without a colon", "5", framed(host=b"foo\r\n" + HOST)),
    refused("empty name", "5", framed(b": v\r\n")),
    refused("name with a space", "5.1", framed(b"a b: v\r\n")),
    refused("space before the first name", "2.2", framed(host=b" " + HOST)),
    # Chunks
    passed("chunk extension", "7.1.1", chunked(chunk(BODY, b"%x;a=b" % len(BODY)) + b"0\r\n\r\n")),
    refused(
        "chunk size wraps 64 bits", "7.1", chunked(chunk(BODY, b"10000000000000005") + b"0\r\n\r\n")
    ),
    refused(
        "chunk size huge", "7.1", chunked(chunk(BODY, b"ffffffffffffffff") + b"0\r\n\r\n"), 400, 413
    ),
    refused("chunk size negative", "7.1", chunked(chunk(BODY, b"-5") + b"0\r\n\r\n")),
    refused("chunk size 0x", "7.1", chunked(chunk(BODY, b"0x5") + b"0\r\n\r\n")),
    refused("chunk size no digit", "7.1", chunked(b"\x85\r\n\r\n" + SMUGGLED)),
    refused(
        "chunk size, space behind", "7.1.1", chunked(chunk(BODY, b"%x " % len(BODY)) + b"0\r\n\r\n")
    ),
    refused("chunk size, bare LF", "7.1", chunked(chunk(BODY, end=b"\n") + b"0\r\n\r\n")),
    refused(
        "chunk without its CRLF", "7.1", chunked(b"%x\r\n" % len(BODY) + BODY + b"X\r\n0\r\n\r\n")
    ),
    passed("a trailer", "7.1.2", chunked(chunk(BODY) + b"0\r\nX-T: v\r\n\r\n")),
    refused(
        "a trailer like a request line",
        "7.1.2",
        chunked(chunk(BODY) + b"0\r\nX-T: v\r\nPOST /api/generate HTTP/1.1: x\r\nHost: q\r\n\r\n"),
    ),
    refused(
        "a trailer, then a request", "7.1.2", chunked(chunk(BODY) + b"0\r\nX-T: v\r\n" + SMUGGLED)
    ),
    # Versions
    refused("0.9", "2.3", b"GET /api/tags\r\n\r\n"),
    refused("0.9, one line", "2.3", b"GET /api/tags\r\n"),
    refused("1.2", "9110 15.6.6", framed(line=b"POST /api/generate HTTP/1.2\r\n"), 505),
    refused("2.0", "9110 15.6.6", framed(line=b"POST /api/generate HTTP/2.0\r\n"), 505),
    refused("99.9", "2.3", framed(line=b"POST /api/generate HTTP/99.9\r\n"), 505, 400),
    refused("the preface of HTTP/2", "9110 15.6.6", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, 400),
    # Host
    refused("no Host", "3.2", framed(host=b"")),
    refused("two Hosts", "3.2", framed(b"Host: b\r\n")),
    refused("Host that is none", "3.2", framed(host=b"Host: a/b@c\r\n")),
    # Targets
    refused("absolute form, another host", "3.2.2", target(b"http://evil:99/api/generate"), 403),
    refused("absolute form, ftp", "3.2.2", target(b"ftp://localhost/api/generate")),
    refused(
        "CONNECT", "3.2.3", b"CONNECT evil:443 HTTP/1.1\r\nHost: evil:443\r\n\r\n", 501, 400, 405
    ),
    refused("OPTIONS *", "3.2.4", b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", 404, 405, 204),
    refused("an unknown method", "9110 9.1", target(b"/api/generate", b"FOO"), 501),
    refused("a method in small letters", "9110 9.1", target(b"/api/generate", b"post"), 501),
    refused(
        "a method of 9000 letters", "3.1", target(b"/api/generate", b"A" * 9000), 414, 501, 400
    ),
    refused("a target of 8000 letters", "3", target(b"/" + b"a" * 8000), 414),
    refused("a target of 9000 letters", "3", target(b"/" + b"a" * 9000), 414),
    refused("a field of 8100 letters", "5", framed(b"X-A: " + b"a" * 8100 + b"\r\n"), 431),
    refused("a field of 9000 letters", "5", framed(b"X-A: " + b"a" * 9000 + b"\r\n"), 431),
    refused("10,000 fields", "5", framed(b"".join(b"X-%d: y\r\n" % i for i in range(10000))), 431),
    refused("a path with ..", "3986 6.2.2.3", target(b"/api/../api/generate"), 404),
    refused("a path with an escaped ..", "3986 6.2.2.3", target(b"/api/%2e%2e/api/generate"), 404),
    refused("a path with an escaped NUL", "3986 2.1", target(b"/api/generate%00"), 400, 404),
    refused("a path with a NUL", "3", target(b"/api/generate\x00")),
    refused("a path with a space", "3.2", target(b"/api/generate y")),
    refused("a path with a byte above 127", "3.2", target(b"/api/generate\xff")),
    refused("a path with a fragment", "3.2", target(b"/api/generate#f?q")),
    passed("a query", "3.2.1", target(b"/api/generate?a")),
    refused("a query with a broken escape", "3986 2.1", target(b"/api/generate?a=%zz&b=1")),
    refused("a query with half an escape", "3986 2.1", target(b"/api/generate?%")),
    passed("an odd query", "3.2.1", target(b"/api/generate?&&==;a")),
    refused(
        "tabs in the request line",
        "3",
        b"POST\t/api/generate\tHTTP/1.1\r\n" + HOST + FRAME + b"\r\n" + BODY,
    ),
    refused(
        "two spaces in the request line", "3", framed(line=b"POST  /api/generate  HTTP/1.1\r\n")
    ),
    refused(
        "a space behind the request line", "3", framed(line=b"POST /api/generate HTTP/1.1 \r\n")
    ),
    passed("empty lines before it", "2.2", b"\r\n\r\n" + framed()),
    refused("a longer path than a route's", "3.2.1", target(b"/api/generateXYZ"), 404),
    # Connection
    passed("Connection: CLOSE", "9.6", framed(b"Connection: CLOSE\r\n")),
    passed("Connection: close, x", "9110 7.6.1", framed(b"Connection: close, x\r\n")),
    passed(
        "an upgrade to HTTP/2",
        "9110 7.8",
        framed(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n"),
    ),
    refused(
        "a body that is no JSON",
        "CONTRACT: refusals",
        request(
            b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 4\r\n", b"a=%z"
        ),
    ),
]
