"""Requests that are wrong, nearly wrong, or odd and right, and what must become of each.

One row a request, each with the section that decides (RFC 9112 where no other document is named;
what it says of proxies alone does not bind a gateway, RFC 9110 3.7). Behind each a second request
is pipelined: `answers` lists the statuses of all answers that come on the connection before the
gateway closes it, so (400,) says that the second was not read any more, (200, 200) that it was.
`sees` are the exact bytes that the node is sent: nothing where the request is refused, and never
what was smuggled.
"""

import json
from dataclasses import dataclass

NOTHING = ()
NODE = b"<node>"  # stands for the address of the node


def body_of(prompt):
    return json.dumps({"model": "tiny", "prompt": prompt, "stream": False}).encode()


BODY = body_of("hello")
LENGTH = b"%d" % len(BODY)
HOST = b"Host: localhost\r\n"
LINE = b"POST /api/generate HTTP/1.1\r\n"
FRAME = b"Content-Length: " + LENGTH + b"\r\n"
CODED = b"Transfer-Encoding: chunked\r\n"
JSON = b"Content-Type: application/json\r\n"
CLOSE = b"Connection: close\r\n"


def request(fields=b"", body=b"", line=LINE, host=HOST):
    return line + host + fields + b"\r\n" + body


def framed(fields=b"", line=LINE, host=HOST):
    """A request that is whole and right but for what is given."""
    return request(fields + FRAME, BODY, line, host)


def target(path, method=b"POST", host=HOST):
    return framed(line=method + b" " + path + b" HTTP/1.1\r\n", host=host)


def version(text):
    return framed(line=b"POST /api/generate " + text + b"\r\n")


def bare(line, fields=b"", host=HOST):
    """A request without a body."""
    return request(fields, b"", line + b" HTTP/1.1\r\n", host)


def length(value):
    return request(b"Content-Length: " + value + b"\r\n", BODY)


def coding(value, body=None):
    return request(b"Transfer-Encoding: " + value + b"\r\n", WHOLE if body is None else body)


def chunk(data, size=None, end=b"\r\n"):
    return (size if size is not None else b"%x" % len(data)) + end + data + b"\r\n"


def chunked(*chunks, last=b"0\r\n\r\n"):
    return request(CODED, b"".join(chunks) + last)


def sized(size, end=b"\r\n"):
    """The body in one chunk that says its size so."""
    return chunked(chunk(BODY, size, end))


def trailed(trailers):
    return chunked(chunk(BODY), last=b"0\r\n" + trailers + b"\r\n")


def connection(value, fields=b""):
    return framed(b"Connection: " + value + b"\r\n" + fields)


def host(value):
    return framed(host=b"Host: " + value + b"\r\n")


SIZE = b"%x" % len(BODY)
WHOLE = chunk(BODY) + b"0\r\n\r\n"
SMUGGLED = request(b"Content-Length: %d\r\n" % len(body_of("smuggled")), body_of("smuggled"))


def sent(fields=b"", path=b"/api/generate", via=b"1.1", body=BODY):
    """What the node is sent of one request."""
    return (
        b"POST " + path + b" HTTP/1.1\r\nHost: " + NODE + b"\r\n" + fields +
        b"X-Forwarded-For: 127.0.0.1\r\nVia: " + via + b" drover\r\n"
        b"Content-Length: %d\r\n\r\n" % len(body) + body
    )  # fmt: skip


@dataclass
class Case:
    rule: str
    name: str
    data: object  # bytes; or several, each but the first sent when something was answered
    answers: tuple
    sees: tuple = NOTHING
    leaves: bool = False  # the client half-closes behind it; nothing is pipelined
    only_plain: bool = False  # TLS makes it right


def refused(rule, name, data, status=400):
    """And the connection with it: nobody can tell where the next request begins, or should."""
    return Case(rule, name, data, (status,))


def declined(rule, name, data, status):
    """It was understood, and so the connection goes on."""
    return Case(rule, name, data, (status, 200))


def passed(rule, name, data, sees=None, answers=(200, 200)):
    return Case(rule, name, data, answers, (sent() if sees is None else sees,))


REQUEST_LINES = [
    passed("3", "a right request", framed()),
    passed("2.2", "an empty line before it", b"\r\n" + framed()),
    passed("2.2", "five empty lines before it", b"\r\n" * 5 + framed()),
    refused("2.2", "a space before it", b" " + framed()),
    refused("2.2", "a bare CR before it", b"\r" + framed()),
    refused("3", "tabs for spaces", framed(line=b"POST\t/api/generate\tHTTP/1.1\r\n")),
    refused("3", "two spaces for one", framed(line=b"POST  /api/generate  HTTP/1.1\r\n")),
    refused("3", "a vertical tab for a space", framed(line=b"POST\x0b/api/generate HTTP/1.1\r\n")),
    refused("3", "a space behind the version", version(b"HTTP/1.1 ")),
    refused("3", "a word behind the version", version(b"HTTP/1.1 x")),
    refused("2.2", "two CRs at its end", framed(line=b"POST /api/generate HTTP/1.1\r\r\n")),
    refused("2.2", "a CR alone at its end", framed(line=b"POST /api/generate HTTP/1.1\r")),
    refused("2.2", "an LF alone at its end", framed(line=b"POST /api/generate HTTP/1.1\n")),
    refused("3", "no target", framed(line=b"POST HTTP/1.1\r\n")),
    refused("3", "nothing but a method", framed(line=b"POST\r\n")),
    refused("3.1", "no method", framed(line=b" /api/generate HTTP/1.1\r\n")),
    refused("3.1", "a method that is no token", target(b"/api/generate", b"PO(ST")),
    refused("3.1", "a method with a NUL", target(b"/api/generate", b"PO\x00ST")),
    refused("9110 9.1", "an unknown method", target(b"/api/generate", b"FOO"), 501),
    refused("9110 9.1", "a method in small letters", target(b"/api/generate", b"post"), 501),
    refused("9110 9.3.8", "TRACE", bare(b"TRACE /api/tags", b"Max-Forwards: 0\r\n"), 501),
    refused("3", "a method of 9000 letters", target(b"/api/generate", b"A" * 9000), 414),
    refused("3", "a target of 7001 letters", target(b"/" + b"a" * 7000), 414),
    refused("3", "a line of 9000 letters", target(b"/" + b"a" * 9000), 414),
    passed("3", "a target of 6915 letters", target(b"/api/generate?" + b"a" * 6900),
           sent(path=b"/api/generate?" + b"a" * 6900)),
    refused("2.1", "the first words of TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
]

VERSIONS = [
    refused("2.3", "0.9", b"GET /api/tags\r\n\r\n"),
    refused("2.3", "0.9, one line", b"GET /api/tags\r\n"),
    refused("9110 15.6.6", "0.9, said", version(b"HTTP/0.9"), 505),
    refused("9110 2.5", "1.2", version(b"HTTP/1.2"), 505),
    refused("2.3", "1.10", version(b"HTTP/1.10"), 505),
    refused("9110 15.6.6", "2.0", version(b"HTTP/2.0"), 505),
    refused("9110 15.6.6", "99.9", version(b"HTTP/99.9"), 505),
    refused("2.3", "http in small letters", version(b"http/1.1")),
    refused("2.3", "half a version", version(b"HTTP/1.")),
    refused("2.3", "a version without its point", version(b"HTTP/11")),
    refused("2.3", "another protocol", version(b"ICY/1.1")),
    refused("9113 3.4", "the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    passed("9.3", "1.0 ends with its answer", version(b"HTTP/1.0"), sent(via=b"1.0"), (200,)),
    passed("9.3", "1.0 that asks to stay",
           framed(b"Connection: Keep-Alive\r\n", b"POST /api/generate HTTP/1.0\r\n"),
           sent(via=b"1.0")),
    passed("3.2", "1.0 without a Host", framed(line=b"POST /api/generate HTTP/1.0\r\n", host=b""),
           sent(via=b"1.0"), (200,)),
    refused("3.2", "1.0 with two Hosts",
            framed(b"Host: b\r\n", b"POST /api/generate HTTP/1.0\r\n")),
    refused("6.1", "1.0 with a coding", request(CODED, WHOLE, b"POST /api/generate HTTP/1.0\r\n")),
]  # fmt: skip

TARGETS = [
    passed("3.2.1", "a query", target(b"/api/generate?a"), sent(path=b"/api/generate?a")),
    passed("3.2.1", "an odd query", target(b"/api/generate?&&==;a%20/?[]"),
           sent(path=b"/api/generate?&&==;a%20/?[]")),
    passed("3.2.2", "absolute form", target(b"http://localhost/api/generate")),
    passed("9110 4.2.3", "absolute form in capitals", target(b"HTTP://LOCALHOST/api/generate")),
    passed("3.2.2", "absolute form against its Host",
           target(b"http://localhost/api/generate", host=b"Host: evil.example\r\n")),
    declined("3.2.2", "absolute form of another host", target(b"http://evil:99/api/generate"), 403),
    Case("3.2.2", "absolute form without a path", bare(b"GET http://localhost"), (200, 200)),
    Case("3.2.2", "absolute form with a query alone", bare(b"GET http://localhost?q"), (200, 200)),
    declined("3.2.2", "absolute form of another host, of 1.0 without a Host",
             framed(line=b"POST http://evil/api/generate HTTP/1.0\r\nConnection: keep-alive\r\n",
                    host=b""), 403),
    refused("3.2", "absolute form without a Host",
            target(b"http://localhost/api/generate", host=b"")),
    refused("9110 4.2.1", "absolute form, no host", target(b"http:///api/generate")),
    refused("9110 4.2.1", "absolute form, a port alone", target(b"http://:80/api/generate")),
    refused("9110 4.2.4", "absolute form, a user", target(b"http://me@localhost/api/generate")),
    refused("3986 3.2.3", "absolute form, port 65536",
            target(b"http://localhost:65536/api/generate")),
    Case("9110 7.4", "absolute form, https in the clear",
         target(b"https://localhost/api/generate"), (421,), only_plain=True),
    refused("9110 4.2", "absolute form, ftp", target(b"ftp://localhost/api/generate")),
    refused("3.2.3", "authority form", target(b"localhost:80")),
    refused("9110 9.3.6", "CONNECT", bare(b"CONNECT evil:443", host=b"Host: evil:443\r\n"), 501),
    Case("9110 9.3.7", "asterisk form", bare(b"OPTIONS *"), (204, 200)),
    Case("9110 7.6.2", "asterisk form, not to be forwarded",
         bare(b"OPTIONS *", b"Max-Forwards: 0\r\n"), (204, 200)),
    Case("3.2.4", "asterisk form in absolute form", bare(b"OPTIONS http://localhost"), (204, 200)),
    refused("3.2.4", "asterisk form of GET", bare(b"GET *")),
    refused("3.2.4", "more than an asterisk", bare(b"OPTIONS *x")),
    refused("3.2.1", "no slash in front", target(b"api/generate")),
    refused("3.2", "a fragment", target(b"/api/generate#f?q")),
    refused("3.2", "a space", target(b"/api/generate y")),
    refused("3.2", "a NUL", target(b"/api/generate\x00")),
    refused("3.2", "a byte above 127", target(b"/api/generate\xff")),
    refused("3.2", "a backslash", target(b"/api\\generate")),
    refused("3986 2.1", "an escaped NUL", target(b"/api/generate%00")),
    refused("3986 2.1", "a query with a broken escape", target(b"/api/generate?a=%zz&b=1")),
    refused("3986 2.1", "a query with half an escape", target(b"/api/generate?%")),
    declined("3986 6.2.2.3", "..", target(b"/api/../api/generate"), 404),
    declined("3986 6.2.2.3", ".. escaped", target(b"/api/%2e%2e/api/generate"), 404),
    declined("3986 6.2.2.2", "a letter escaped", target(b"/api/gener%61te"), 404),
    declined("9110 4.2.3", "a letter in capitals", target(b"/api/Generate"), 404),
    declined("3.2.1", "two slashes", target(b"//api/generate"), 404),
    declined("3.2.1", "a slash behind it", target(b"/api/generate/"), 404),
    declined("3.2.1", "a longer path than a route's", target(b"/api/generateXYZ"), 404),
]  # fmt: skip

HOSTS = [
    refused("3.2", "no Host", framed(host=b"")),
    refused("3.2", "two Hosts", framed(b"Host: evil.example\r\n")),
    refused("3.2", "two equal Hosts", framed(HOST)),
    refused("3.2", "Host folded", framed(host=b"Host:\r\n localhost\r\n")),
    passed("3.2", "Host empty", host(b"")),
    passed("9110 7.2", "Host with a port", host(b"localhost:8080")),
    passed("3986 3.2.3", "Host with an empty port", host(b"localhost:")),
    passed("9110 5.5", "Host with spaces around it", host(b"\t localhost \t")),
    passed("3986 3.2.2", "Host in brackets", host(b"[::1]:8080")),
    declined("9110 7.2", "Host of somebody else", host(b"evil.example"), 403),
    refused("3.2", "Host with a user", host(b"me@localhost")),
    refused("3.2", "Host with a path", host(b"localhost/api")),
    refused("3.2", "Host with a scheme", host(b"http://localhost")),
    refused("3.2", "Host of two", host(b"localhost, evil.example")),
    refused("3.2", "Host with a space", host(b"localhost evil")),
    refused("3986 3.2.3", "Host with port 99999", host(b"localhost:99999")),
    refused("3986 3.2.3", "Host with a word for a port", host(b"localhost:http")),
    refused("3986 3.2.2", "Host with half a bracket", host(b"[::1")),
    refused("3986 3.2.2", "Host with something behind the bracket", host(b"[::1]evil")),
    refused("3986 3.2.2", "Host with no address in brackets", host(b"[1:2]")),
]

FIELDS = [
    passed("5", "a further field", framed(b"X-A: y\r\n"), sent(b"X-A: y\r\n")),
    passed("9110 5.1", "names in any letters",
           request(b"cOnTeNt-LeNgTh: " + LENGTH + b"\r\n", BODY, host=b"hOsT: localhost\r\n")),
    passed("5.1", "white space around a value", framed(b"X-A:\t  a  b \t\r\n"),
           sent(b"X-A: a  b\r\n")),
    passed("9110 5.5", "an empty value", framed(b"X-A:\r\n"), sent(b"X-A: \r\n")),
    passed("9110 5.5", "a value of bytes above 127", framed(b"X-A: \xc3\xbc\xff\r\n"),
           sent(b"X-A: \xc3\xbc\xff\r\n")),
    passed("9110 5.3", "a name twice keeps its order", framed(b"X-A: 1\r\nX-B: 2\r\nX-A: 3\r\n"),
           sent(b"X-A: 1\r\nX-B: 2\r\nX-A: 3\r\n")),
    refused("5.2", "a line folded by a space", framed(b"X-A: b\r\n c: d\r\n")),
    refused("5.2", "a line folded by a tab", framed(b"X-A: b\r\n\tc\r\n")),
    refused("5.2", "a length that is folded",
            request(b"Content-Length: 1\r\n\t0\r\n", b"0123456789")),
    refused("5.2", "a coding that is folded", coding(b"\r\n chunked")),
    refused("2.2", "white space before the first field", framed(host=b" " + HOST)),
    refused("2.2", "a line of white space before the first field", framed(host=b" \r\n" + HOST)),
    refused("2.2", "LF for every CRLF", framed().replace(b"\r\n", b"\n")),
    refused("2.2", "LF behind one field", framed(b"X-A: b\nX-B: c\r\n")),
    refused("2.2", "LF ends the head", LINE + HOST + FRAME + b"\n" + BODY),
    refused("2.2", "CR ends the head", LINE + HOST + FRAME + b"\r" + BODY),
    refused("2.2", "CR in a value", framed(b"X-A: b\rc\r\n")),
    refused("2.2", "CR before a field", framed(b"\rX-A: b\r\n")),
    refused("9110 5.5", "NUL in a value", framed(b"X-A: b\x00c\r\n")),
    refused("9110 5.5", "a control byte in a value", framed(b"X-A: \x01\r\n")),
    refused("9110 5.5", "DEL in a value", framed(b"X-A: \x7f\r\n")),
    refused("5.1", "a space before the colon", framed(b"X-A : b\r\n")),
    refused("5.1", "a tab before the colon", framed(b"X-A\t: b\r\n")),
    refused("5.1", "a space before the colon of a coding",
            request(b"Transfer-Encoding : chunked\r\n", WHOLE)),
    refused("5.1", "a space before the colon of a length",
            request(b"Content-Length : %d\r\n" % len(SMUGGLED), SMUGGLED)),
    refused("9110 5.1", "a name with a NUL", framed(b"X-\x00A: b\r\n")),
    refused("9110 5.1", "a name with a space", framed(b"a b: v\r\n")),
    refused("9110 5.1", "a name in brackets", framed(b"(a): v\r\n")),
    refused("9110 5.1", "a name beyond ASCII", framed(b"a\xc3\xa9: v\r\n")),
    refused("5", "no name", framed(b": v\r\n")),
    refused("5", "no colon", framed(b"foo\r\n")),
    refused("5", "no colon in the first line", framed(host=b"foo\r\n" + HOST)),
    passed("5.4", "100 fields", framed(b"X-A: y\r\n" * 98), sent(b"X-A: y\r\n" * 98)),
    refused("9110 5.4", "101 fields", framed(b"X-A: y\r\n" * 99), 431),
    passed("9110 5.4", "a field of 7,900 bytes", framed(b"X-A: " + b"a" * 7895 + b"\r\n"),
           sent(b"X-A: " + b"a" * 7895 + b"\r\n")),
    refused("9110 5.4", "a field of 8,100 bytes", framed(b"X-A: " + b"a" * 8095 + b"\r\n"), 431),
    refused("9110 5.4", "a head over 32 KiB", framed((b"X-A: " + b"a" * 7000 + b"\r\n") * 5), 431),
    refused("9110 5.4", "10,000 fields", framed(b"X-A: y\r\n" * 10000), 431),
    refused("9110 5.3", "Content-Type twice", framed(JSON + b"Content-Type: text/plain\r\n")),
    refused("9110 5.3", "Content-Encoding twice",
            framed(b"Content-Encoding: zstd\r\nContent-Encoding: identity\r\n")),
    declined("9110 11.6.2", "Authorization twice",
             framed(b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n"), 400),
]  # fmt: skip

LENGTHS = [
    passed("5.1", "a space behind it", length(LENGTH + b" ")),
    passed("5.1", "a tab before it", length(b"\t" + LENGTH)),
    passed("9110 8.6", "zeros before it", length(LENGTH.rjust(8, b"0"))),
    refused("6.3", "twice, equal", request(FRAME + FRAME, BODY)),
    refused("6.3", "twice, the second 0",
            request(b"Content-Length: %d\r\nContent-Length: 0\r\n" % len(SMUGGLED), SMUGGLED)),
    refused("6.3", "twice, the first 0",
            request(b"Content-Length: 0\r\nContent-Length: %d\r\n" % len(SMUGGLED), SMUGGLED)),
    refused("6.3", "a list of equals", length(LENGTH + b", " + LENGTH)),
    refused("6.3", "a list with nothing in it", length(LENGTH + b",")),
    refused("9110 8.6", "with a plus", length(b"+" + LENGTH)),
    refused("9110 8.6", "with a minus", length(b"-1")),
    refused("9110 8.6", "hexadecimal", length(b"0x3e")),
    refused("9110 8.6", "with an underscore", length(b"6_2")),
    refused("9110 8.6", "with a point", length(LENGTH + b".0")),
    refused("9110 8.6", "with an exponent", length(b"6e1")),
    refused("9110 8.6", "quoted", length(b'"' + LENGTH + b'"')),
    refused("9110 8.6", "a word behind it", length(LENGTH + b" x")),
    refused("9110 8.6", "two numbers", length(LENGTH + b" 6")),
    refused("9110 8.6", "a no-break space behind it", length(LENGTH + b"\xa0")),
    refused("9110 8.6", "empty", request(b"Content-Length:\r\n", SMUGGLED)),
    refused("9110 8.6", "of 24 digits", length(LENGTH.rjust(24, b"0"))),
    refused("9110 8.6", "that wraps 64 bits", length(b"%d" % (2**64 + len(BODY)))),
    refused("9110 8.6", "that wraps to a minus", length(b"%d" % (2**63 + len(BODY)))),
    refused("9110 15.5.14", "beyond what is taken", length(b"99999999"), 413),
    refused("9110 15.5.12", "none, where a body is needed", request(), 411),
    refused("6.3", "none, and what would be a body", request(b"", BODY), 411),
    refused("9110 15.5.12", "none, of 1.0 with a body to its end",
            request(b"", BODY, b"POST /api/generate HTTP/1.0\r\n"), 411),
    refused("9110 15.5.12", "none, of a DELETE with a body", bare(b"DELETE /api/delete"), 411),
    refused("9110 15.5.12", "none, of an upload",
            bare(b"POST /api/blobs/sha256:" + b"0" * 64), 411),
    declined("6.3", "0", length(b"0")[: -len(BODY)], 400),
    Case("6.3", "of a GET: its body is no request",
         request(b"Content-Length: %d\r\n" % len(SMUGGLED), SMUGGLED, b"GET /healthz HTTP/1.1\r\n"),
         (200, 200)),
    Case("9.3", "of a GET with more to come",
         request(b"Content-Length: 999\r\n", SMUGGLED, b"GET /healthz HTTP/1.1\r\n"), (200,)),
    Case("8", "beyond what was sent", request(FRAME, BODY[:-1]), (), leaves=True),
]  # fmt: skip

CODINGS = [
    passed("7", "chunked", coding(b"chunked")),
    passed("7", "CHUNKED", coding(b"CHUNKED")),
    passed("5.1", "a space behind it", coding(b"chunked ")),
    passed("5.1", "a tab before it", coding(b"\tchunked")),
    refused("6.1", "and a length before it",
            request(b"Content-Length: 4\r\n" + CODED, b"0\r\n\r\n" + SMUGGLED)),
    refused("6.1", "and a length behind it",
            request(CODED + b"Content-Length: 4\r\n", b"0\r\n\r\n" + SMUGGLED)),
    refused("6.1", "and a length of 0", request(CODED + b"Content-Length: 0\r\n", WHOLE)),
    refused("6.1", "identity, and a length",
            request(b"Transfer-Encoding: identity\r\n" + FRAME, BODY)),
    refused("6.3", "identity", coding(b"identity")),
    refused("6.3", "chunked, identity", coding(b"chunked, identity")),
    refused("6.3", "identity, chunked", coding(b"identity, chunked"), 501),
    refused("6.3", "chunked, gzip", coding(b"chunked, gzip")),
    refused("6.1", "gzip, chunked", coding(b"gzip, chunked"), 501),
    refused("6.3", "gzip alone", coding(b"gzip")),
    refused("6.1", "chunked, chunked", coding(b"chunked, chunked")),
    refused("6.3", "twice", request(CODED + CODED, WHOLE)),
    refused("6.3", "twice, the second unknown", request(CODED + b"Transfer-Encoding: x\r\n", WHOLE)),
    refused("6.3", "twice, the first unknown", request(b"Transfer-Encoding: x\r\n" + CODED, WHOLE)),
    refused("6.3", "xchunked", coding(b"xchunked")),
    refused("6.3", "chunkedx", coding(b"chunkedx")),
    refused("6.3", "quoted", coding(b'"chunked"')),
    refused("7", "with a parameter", coding(b"chunked;q=1")),
    refused("6.3", "empty", coding(b"")),
    refused("6.3", "a comma before it", coding(b", chunked")),
    refused("6.3", "a comma behind it", coding(b"chunked,")),
    refused("9110 5.5", "a NUL behind it", coding(b"chunked\x00")),
    refused("9110 5.5", "a vertical tab before it", coding(b"\x0bchunked")),
    refused("6.3", "a no-break space before it", coding(b"\xa0chunked")),
    passed("9110 5.1", "a name that only looks like it",
           framed(b"Transfer-Encodin: chunked\r\n"), sent(b"Transfer-Encodin: chunked\r\n")),
    passed("9110 17.10", "a name that a CGI would take for it",
           framed(b"Transfer_Encoding: chunked\r\nContent_Length: 0\r\n")),
    Case("6.3", "of a GET: its body is not read",
         request(CODED, b"0\r\n\r\n", b"GET /healthz HTTP/1.1\r\n"), (200,)),
]  # fmt: skip

CHUNKS = [
    passed("7.1", "two", chunked(chunk(BODY[:9]), chunk(BODY[9:]))),
    passed("7.1", "one a byte", chunked(*(chunk(BODY[i : i + 1]) for i in range(len(BODY))))),
    passed("7.1", "a size in capitals", sized(SIZE.upper())),
    passed("7.1", "zeros before a size", sized(SIZE.rjust(9, b"0"))),
    passed("7.1", "a last chunk of many zeros", chunked(chunk(BODY), last=b"0000\r\n\r\n")),
    passed("7.1.1", "an extension", sized(SIZE + b";a=b")),
    passed("7.1.1", "an extension, quoted", sized(SIZE + b';a="b;\\"c"')),
    passed("9110 5.6.3", "white space around an extension", sized(SIZE + b" \t; a = b")),
    passed("7.1.1", "an extension of the last chunk",
           chunked(chunk(BODY), last=b"0;a\r\n\r\n")),
    refused("7.1.1", "an extension of 300 bytes", sized(SIZE + b";" + b"a" * 300)),
    refused("7.1.1", "extensions without end",
            chunked(*(chunk(BODY[i : i + 1], b"1;" + b"a" * 240) for i in range(62)),
                    *(chunk(b" ", b"1;" + b"a" * 240) for i in range(200)))),
    refused("7.1.1", "an extension with a bare LF", sized(SIZE + b";a\n")),
    refused("7.1.1", "an extension with a bare CR", sized(SIZE + b";a\rb")),
    refused("7.1.1", "an extension whose quotes stay open", sized(SIZE + b';a="b')),
    refused("9110 5.6.4", "an extension whose end is escaped", sized(SIZE + b';a="b\\"')),
    refused("9110 5.5", "an extension with a NUL", sized(SIZE + b";\x00")),
    refused("7.1", "white space behind a size", sized(SIZE + b" ")),
    refused("7.1", "white space before a size", sized(b" " + SIZE)),
    refused("7.1", "a size that wraps 64 bits", sized(SIZE.rjust(2, b"0").rjust(17, b"1"))),
    refused("7.1", "a size of 16 digits", sized(b"f" * 16)),
    refused("9110 15.5.14", "a size beyond what is taken",
            chunked(chunk(b"{" + b" " * 1100000, b"ffffff")), 413),
    refused("7.1", "a size with a minus", sized(b"-5")),
    refused("7.1", "a size with a plus", sized(b"+" + SIZE)),
    refused("7.1", "a size with 0x", sized(b"0x" + SIZE)),
    refused("7.1", "a size with an underscore", sized(b"3_e")),
    refused("7.1", "a size with a comma", sized(SIZE + b",")),
    refused("7.1", "no size", sized(b"")),
    refused("7.1", "a size that is no digit", chunked(b"\x85\r\n\r\n" + SMUGGLED)),
    refused("7.1", "a size, bare LF", sized(SIZE, b"\n")),
    refused("7.1", "a size, bare CR", sized(SIZE, b"\r")),
    refused("7.1", "data longer than its size", chunked(b"5\r\n" + BODY + b"\r\n")),
    refused("7.1", "data with two bytes for its CRLF", chunked(SIZE + b"\r\n" + BODY + b"XX")),
    refused("7.1", "data with LF for its CRLF", chunked(SIZE + b"\r\n" + BODY + b"\n")),
    refused("7.1", "data with CR for its CRLF", chunked(SIZE + b"\r\n" + BODY + b"\r")),
    passed("7.1.2", "a trailer is dropped", trailed(b"X-T: v\r\n")),
    passed("7.1.2", "a trailer that would frame is dropped",
           trailed(b"Content-Length: 5\r\nTransfer-Encoding: x\r\nHost: evil\r\n")),
    refused("7.1.2", "a trailer that is folded", trailed(b"X-T: v\r\n w\r\n")),
    refused("7.1.2", "a trailer without a colon", trailed(b"X-T\r\n")),
    refused("7.1.2", "a trailer, a space before its colon", trailed(b"X-T : v\r\n")),
    refused("7.1.2", "a trailer, bare LF", trailed(b"X-T: v\n")),
    refused("7.1.2", "a trailer like a request line",
            trailed(b"POST /api/generate HTTP/1.1: x\r\nHost: q\r\n")),
    refused("7.1.2", "33 trailers", trailed(b"X-T: v\r\n" * 33)),
    refused("7.1.2", "a trailer of 9,000 bytes", trailed(b"X-T: " + b"v" * 9000 + b"\r\n")),
    refused("7.1", "the end is LF", chunked(chunk(BODY), last=b"0\r\n\n")),
    refused("7.1", "the end is missing", chunked(chunk(BODY), last=b"0\r\n") + SMUGGLED),
    Case("8", "no last chunk", chunked(chunk(BODY), last=b""), (), leaves=True),
]  # fmt: skip

CONNECTIONS = [
    passed("9.6", "close", connection(b"close"), answers=(200,)),
    passed("9110 7.6.1", "CLOSE", connection(b"CLOSE"), answers=(200,)),
    passed("9.3", "keep-alive", connection(b"keep-alive")),
    passed("9.3", "close beside keep-alive", connection(b"keep-alive, close"), answers=(200,)),
    passed("9110 5.3", "close in a second line",
           connection(b"keep-alive", b"Connection: close\r\n"), answers=(200,)),
    passed("9110 5.6.1", "empty elements", connection(b", ,close,"), answers=(200,)),
    passed("9110 7.6.1", "a field that it names", connection(b"x-a", b"X-A: 1\r\nX-B: 2\r\n"),
           sent(b"X-B: 2\r\n")),
    passed("9110 7.6.1", "fields that it names, and close",
           connection(b"X-A , close", b"X-A: 1\r\n"), answers=(200,)),
    refused("9110 7.6.1", "it names Content-Type", connection(b"content-type", JSON)),
    refused("9110 7.6.1", "it names Content-Encoding", connection(b"Content-Encoding")),
    refused("9110 7.6.1", "it names Content-Length", connection(b"close, content-length")),
    refused("9110 7.6.1", "it names Transfer-Encoding", connection(b"Transfer-Encoding")),
    refused("9110 7.6.1", "it names Host", connection(b"Host")),
    refused("9110 7.6.1", "it names Authorization", connection(b"authorization")),
    passed("C.2.2", "Proxy-Connection means nothing", framed(b"Proxy-Connection: close\r\n")),
    passed("9110 7.6.1", "Keep-Alive goes no further", framed(b"Keep-Alive: timeout=9\r\n")),
    passed("9110 10.1.4", "TE goes no further", framed(b"TE: trailers, gzip\r\n")),
    passed("9110 6.6.2", "Trailer goes no further", framed(b"Trailer: X-T\r\n")),
    passed("9110 7.8", "an upgrade to HTTP/2",
           framed(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                  b"HTTP2-Settings: AAMA\r\n")),
    passed("9110 7.8", "an upgrade to WebSocket",
           framed(b"Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n"),
           sent(b"Sec-WebSocket-Key: x\r\n")),
    passed("9110 7.8", "an upgrade that Connection does not name", framed(b"Upgrade: h2c\r\n")),
    passed("9110 7.6.3", "Via goes on in front of ours", framed(b"Via: 1.0 a, 1.1 b\r\n"),
           sent(b"Via: 1.0 a, 1.1 b\r\n")),
    passed("9110 11.7.2", "Proxy-Authorization goes no further",
           framed(b"Proxy-Authorization: Basic x\r\n")),
    passed("9110 17.10", "Proxy, which a CGI would take for a setting",
           framed(b"Proxy: http://evil.example\r\n")),
    passed("9110 17.10", "X_Forwarded_For, which a CGI would take for ours",
           framed(b"X_Forwarded_For: 203.0.113.7\r\nX_Other: 1\r\n"), sent(b"X_Other: 1\r\n")),
    passed("9110 12.5.3", "Accept-Encoding goes no further: answers are read here",
           framed(b"Accept-Encoding: gzip\r\n")),
    Case("9.3.2", "two at once are answered in order", framed() + framed(), (200, 200, 200),
         (sent(), sent())),
    Case("9.3.2", "one that is refused between", framed() + length(b"+1") + framed(), (200, 400),
         (sent(),)),
    Case("9.6", "nothing is read behind close", connection(b"close") + SMUGGLED, (200,), (sent(),)),
]  # fmt: skip

EXPECTATIONS = [
    passed("9110 10.1.1", "with the body at hand", framed(b"Expect: 100-continue\r\n")),
    passed("9110 10.1.1", "before the body",
           (request(b"Expect: 100-Continue\r\n" + FRAME), BODY), answers=(100, 200, 200)),
    passed("9110 10.1.1", "before the chunks",
           (request(b"Expect: 100-continue\r\n" + CODED), WHOLE), answers=(100, 200, 200)),
    passed("9110 10.1.1", "of 1.0 is not heard",
           framed(b"Expect: 100-continue\r\n", b"POST /api/generate HTTP/1.0\r\n"),
           sent(via=b"1.0"), (200,)),
    Case("9110 10.1.1", "without a body",
         bare(b"GET /healthz", b"Expect: 100-continue\r\n"), (200, 200)),
    Case("9110 10.1.1", "where nothing will be read", (request(
        b"Expect: 100-continue\r\n" + FRAME, line=b"POST /api/no HTTP/1.1\r\n"), BODY), (404,)),
    Case("9110 10.1.1", "of more than is taken",
         (request(b"Expect: 100-continue\r\nContent-Length: 99999999\r\n"), BODY), (413,)),
    refused("9110 10.1.1", "of something else", framed(b"Expect: 200-ok\r\n"), 417),
    refused("9110 10.1.1", "of more", framed(b"Expect: 100-continue, x\r\n"), 417),
    refused("9110 10.1.1", "of nothing", framed(b"Expect:\r\n"), 417),
]  # fmt: skip

METHODS = [
    Case("9110 9.3.2", "HEAD has no body", bare(b"HEAD /healthz"), (200, 200)),
    Case("9110 9.3.2", "HEAD of what nodes know", bare(b"HEAD /api/tags"), (200, 200)),
    Case("9110 9.3.2", "HEAD of what is not there", bare(b"HEAD /no"), (404, 200)),
    Case("9110 9.3.2", "HEAD that is refused", bare(b"HEAD /healthz", host=b""), (400,)),
    declined("9110 15.5.6", "GET of what is posted to", bare(b"GET /api/generate"), 405),
    declined("9110 15.5.6", "POST to what is read", framed(line=b"POST /api/tags HTTP/1.1\r\n"), 405),
    declined("9110 15.5.6", "PUT", target(b"/api/generate", b"PUT"), 405),
    declined("9110 15.5.6", "PATCH", target(b"/api/generate", b"PATCH"), 405),
    declined("9110 15.5.6", "DELETE", target(b"/api/generate", b"DELETE"), 405),
    declined("9110 15.5.6", "OPTIONS of a route", bare(b"OPTIONS /api/generate"), 405),
    refused("9110 15.5.1", "a body that is no JSON",
            request(b"Content-Length: 4\r\n", b"a=%z")),
]  # fmt: skip

GROUPS = {
    "request line": REQUEST_LINES,
    "version": VERSIONS,
    "target": TARGETS,
    "Host": HOSTS,
    "fields": FIELDS,
    "Content-Length": LENGTHS,
    "Transfer-Encoding": CODINGS,
    "chunks": CHUNKS,
    "connection": CONNECTIONS,
    "Expect": EXPECTATIONS,
    "method": METHODS,
}
CASES = [(group, case) for group, cases in GROUPS.items() for case in cases]
