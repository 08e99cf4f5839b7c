"""What nodes may answer, broken and hostile ones too, and what must become of each.

One row an answer, each with the section that decides (RFC 9112 where no other document is named).
`status`, `fields` and `body` are what the client sees, its own fields and those of the gateway left
out; `whole` says whether the client can tell that the answer has ended; `kept` whether the next
request goes to the node on the same connection.
"""

from dataclasses import dataclass

STAYS, CLOSES, RESETS = "stays", "closes", "resets"

BODY = b'{"done":true}'
LENGTH = b"%d" % len(BODY)
TYPE = b"Content-Type: application/json\r\n"
TYPED = [("Content-Type", "application/json")]
OK = b"HTTP/1.1 200 OK\r\n"
OLD = b"HTTP/1.0 200 OK\r\n"
FRAME = b"Content-Length: " + LENGTH + b"\r\n"
CODED = b"Transfer-Encoding: chunked\r\n"
POST, HEAD = "POST", "HEAD"


def answer(fields=FRAME, body=BODY, line=OK):
    return line + TYPE + fields + b"\r\n" + body


def framed(fields, line=OK):
    return answer(fields + FRAME, BODY, line)


def length(value):
    return answer(b"Content-Length: " + value + b"\r\n")


def chunk(data, size=None, end=b"\r\n"):
    return (size if size is not None else b"%x" % len(data)) + end + data + b"\r\n"


WHOLE = chunk(BODY) + b"0\r\n\r\n"
SIZE = b"%x" % len(BODY)
STRAY = answer(body=b'{"evil":true}')


def chunked(body, line=OK):
    return answer(CODED, body, line)


def coding(value):
    return answer(b"Transfer-Encoding: " + value + b"\r\n", WHOLE)


def sized(size, end=b"\r\n"):
    return chunked(chunk(BODY, size, end) + b"0\r\n\r\n")


def line(text):
    return framed(b"", text)


@dataclass
class Case:
    rule: str
    name: str
    data: bytes
    then: str = STAYS  # what the node does behind it
    status: int = 200
    fields: object = None  # [(name, value)]; None: the type alone
    body: object = BODY
    whole: bool = True
    kept: bool = True
    method: str = POST


def passed(rule, name, data, **more):
    return Case(rule, name, data, **more)


def once(rule, name, data, **more):
    """It is passed on, and the connection is not used again."""
    return Case(rule, name, data, kept=False, **more)


def refused(rule, name, data, then=STAYS):
    """The client gets a 502 of the gateway, and nothing of it."""
    return Case(rule, name, data, then, status=502, fields=[], body=None, kept=False)


def cut(rule, name, data, body=b"", then=STAYS):
    """Its head had left; the client sees that it is not whole."""
    return Case(rule, name, data, then, body=body, whole=False, kept=False)


def empty(rule, name, data, status, kept=True, fields=None, method=POST):
    """An answer without a body."""
    return Case(rule, name, data, STAYS, status, fields, b"", True, kept, method)


STATUS_LINES = [
    passed("4", "a right answer", answer()),
    passed("4", "a reason of bytes above 127", line(b"HTTP/1.1 200 \xc3\xbc\r\n")),
    passed("4", "no reason", line(b"HTTP/1.1 200 \r\n")),
    passed("4", "no reason and no space", line(b"HTTP/1.1 200\r\n")),
    passed("9110 15", "a status nobody knows", line(b"HTTP/1.1 299 x\r\n"), status=299),
    passed("9110 15.5", "an error of its own", line(b"HTTP/1.1 418 x\r\n"), status=418),
    passed("9110 15.6", "a failure of its own", line(b"HTTP/1.1 599 x\r\n"), status=599),
    passed("9110 15.4", "a redirection", framed(b"Location: http://a/\r\n", b"HTTP/1.1 302 x\r\n"),
           status=302, fields=[*TYPED, ("Location", "http://a/")]),
    refused("9110 15", "status 099", line(b"HTTP/1.1 099 x\r\n")),
    refused("9110 15", "status 600", line(b"HTTP/1.1 600 x\r\n")),
    refused("4", "status of two digits", line(b"HTTP/1.1 20 x\r\n")),
    refused("4", "status of four digits", line(b"HTTP/1.1 2000 x\r\n")),
    refused("4", "status with a letter", line(b"HTTP/1.1 2x0 x\r\n")),
    refused("4", "status with a sign", line(b"HTTP/1.1 +20 x\r\n")),
    refused("4", "no status", line(b"HTTP/1.1 OK\r\n")),
    refused("4", "nothing but a version", line(b"HTTP/1.1\r\n")),
    refused("4", "two spaces", line(b"HTTP/1.1  200 OK\r\n")),
    refused("4", "a tab for the space", line(b"HTTP/1.1\t200 OK\r\n")),
    refused("2.2", "a space before it", b" " + answer()),
    refused("2.2", "an empty line before it", b"\r\n" + answer()),
    refused("2.2", "LF ends it", line(b"HTTP/1.1 200 OK\n")),
    refused("2.2", "CR ends it", line(b"HTTP/1.1 200 OK\r")),
    refused("4", "a NUL in the reason", line(b"HTTP/1.1 200 O\x00K\r\n")),
    refused("2.2", "a CR in the reason", line(b"HTTP/1.1 200 O\rK\r\n")),
    refused("2.3", "1.2", line(b"HTTP/1.2 200 OK\r\n")),
    refused("2.3", "2.0", line(b"HTTP/2.0 200 OK\r\n")),
    refused("2.3", "http in small letters", line(b"http/1.1 200 OK\r\n")),
    refused("2.3", "another protocol", line(b"ICY 200 OK\r\n")),
    refused("2.3", "0.9: the body alone", BODY, CLOSES),
    refused("2.1", "a banner of SSH", b"SSH-2.0-OpenSSH_9.2\r\n"),
    refused("2.1", "an alert of TLS", b"\x15\x03\x01\x00\x02\x02\x46", CLOSES),
    refused("2.1", "frames of HTTP/2", b"\x00\x00\x12\x04\x00\x00\x00\x00\x00", CLOSES),
    refused("8", "nothing", b"", CLOSES),
    refused("8", "half a status line", b"HTTP/1.1 20", CLOSES),
    refused("8", "half a head", OK + TYPE + b"X-A", CLOSES),
    refused("8", "half a head, then RST", OK + TYPE + b"X-A", RESETS),
]  # fmt: skip

INTERIM = b"HTTP/1.1 102 Processing\r\n\r\n"

INTERIMS = [
    passed("9110 15.2", "100 before it", b"HTTP/1.1 100 Continue\r\n\r\n" + answer()),
    passed("9110 15.2", "three before it", INTERIM * 3 + answer()),
    passed("9110 15.2", "one with fields",
           b"HTTP/1.1 103 Early Hints\r\nLink: x\r\nX-A: y\r\n\r\n" + answer()),
    passed("9110 15.2", "one that nobody knows", b"HTTP/1.1 199 x\r\n\r\n" + answer()),
    passed("6.3", "one that says a length: it has no body",
           b"HTTP/1.1 103 x\r\nContent-Length: 5\r\n\r\n" + answer()),
    refused("6.3", "one with a body",
            b"HTTP/1.1 103 x\r\nContent-Length: 5\r\n\r\nhello" + answer()),
    refused("9110 15.2", "one with a field that is none", b"HTTP/1.1 103 x\r\nX\r\n\r\n" + answer()),
    refused("9110 15.2", "101 of them", INTERIM * 101 + answer()),
    refused("9110 15.2", "one and no more", INTERIM, CLOSES),
    refused("9110 15.2", "one in a flood", b"HTTP/1.1 103 x\r\n" + b"Link: x\r\n" * 10000),
    refused("9110 15.2.2", "101: nobody asked for it",
            b"HTTP/1.1 101 x\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n" + answer()),
    refused("9110 15.2.2", "101 bare", b"HTTP/1.1 101 Switching Protocols\r\n\r\n"),
    refused("9110 15.5.22", "426: the upgrade would be the node's",
            framed(b"Upgrade: h2c\r\nConnection: upgrade\r\n", b"HTTP/1.1 426 x\r\n")),
    once("9110 15.2", "one behind the answer", answer() + INTERIM),
]  # fmt: skip

LENGTHS = [
    passed("5.1", "a space behind it", length(LENGTH + b" ")),
    passed("9110 8.6", "zeros before it", length(b"000" + LENGTH)),
    passed("6.3", "0", answer(b"Content-Length: 0\r\n", b""), body=b""),
    refused("6.3", "twice, equal", answer(FRAME + FRAME)),
    refused("6.3", "twice, different", answer(FRAME + b"Content-Length: 5\r\n")),
    refused("6.3", "a list of equals", length(LENGTH + b"," + LENGTH)),
    refused("9110 8.6", "with a plus", length(b"+" + LENGTH)),
    refused("9110 8.6", "with a minus", length(b"-1")),
    refused("9110 8.6", "hexadecimal", length(b"0xd")),
    refused("9110 8.6", "with an underscore", length(b"1_3")),
    refused("9110 8.6", "a word", length(b"all")),
    refused("9110 8.6", "empty", length(b"")),
    refused("9110 8.6", "that wraps 64 bits", length(b"%d" % (2**64 + len(BODY)))),
    refused("9110 8.6", "that wraps to a minus", length(b"%d" % (2**63 + len(BODY)))),
    refused("5.1", "a space before its colon", answer(b"Content-Length : " + LENGTH + b"\r\n")),
    refused("5.2", "folded", answer(b"Content-Length:\r\n " + LENGTH + b"\r\n")),
    cut("8", "beyond the body", length(b"99"), BODY, CLOSES),
    cut("8", "beyond the body, then RST", length(b"99"), BODY, RESETS),
    once("6.3", "short of the body", length(b"4"), body=BODY[:4]),
    once("6.3", "0, and a body", answer(b"Content-Length: 0\r\n"), body=b""),
    once("6.3", "and an empty line behind the body", answer() + b"\r\n"),
    once("6.3", "and another answer behind it", answer() + STRAY),
    once("9.6", "and the end", answer(), then=CLOSES),
]  # fmt: skip

CODINGS = [
    passed("7", "chunked", chunked(WHOLE)),
    passed("7", "CHUNKED", coding(b"CHUNKED")),
    passed("5.1", "a tab before it", coding(b"\tchunked")),
    refused("6.1", "and a length before it", answer(FRAME + CODED, WHOLE)),
    refused("6.1", "and a length behind it", answer(CODED + FRAME, WHOLE)),
    refused("6.1", "identity, and a length", framed(b"Transfer-Encoding: identity\r\n")),
    refused("6.3", "identity", coding(b"identity"), CLOSES),
    refused("6.3", "gzip", coding(b"gzip"), CLOSES),
    refused("6.1", "gzip, chunked", coding(b"gzip, chunked")),
    refused("6.3", "chunked, identity", coding(b"chunked, identity")),
    refused("6.1", "chunked, chunked", coding(b"chunked, chunked")),
    refused("6.3", "twice", answer(CODED + CODED, WHOLE)),
    refused("6.3", "xchunked", coding(b"xchunked")),
    refused("7", "with a parameter", coding(b"chunked;q=1")),
    refused("6.3", "a comma before it", coding(b",chunked")),
    refused("6.3", "empty", coding(b"")),
    refused("5.1", "a space before its colon", answer(b"Transfer-Encoding : chunked\r\n", WHOLE)),
    refused("5.2", "folded", coding(b"\r\n chunked")),
    refused("9110 5.5", "a vertical tab before it", coding(b"\x0bchunked")),
    refused("6.1", "of 1.0", chunked(WHOLE, OLD)),
    once("6.3", "none: until the end", answer(b""), then=CLOSES),
    once("6.3", "none, and it says keep-alive", answer(b"Connection: keep-alive\r\n"),
         then=CLOSES),
    once("6.3", "none, of 1.0", answer(b"", line=OLD), then=CLOSES),
    cut("8", "none, and RST for the end", answer(b""), BODY, RESETS),
]  # fmt: skip

CHUNKS = [
    passed("7.1", "two", chunked(chunk(BODY[:5]) + chunk(BODY[5:]) + b"0\r\n\r\n")),
    passed("7.1", "one a byte",
           chunked(b"".join(chunk(BODY[i : i + 1]) for i in range(len(BODY))) + b"0\r\n\r\n")),
    passed("7.1", "none but the last", chunked(b"0\r\n\r\n"), body=b""),
    passed("7.1", "zeros before a size", sized(b"000" + SIZE)),
    passed("7.1.1", "an extension", sized(SIZE + b';a="b"')),
    passed("9110 5.6.3", "white space around an extension", sized(SIZE + b" ; a")),
    cut("7.1.1", "an extension of 300 bytes", sized(SIZE + b";" + b"a" * 300)),
    cut("7.1.1", "extensions without end", chunked(chunk(b" ", b"1;" + b"a" * 240) * 80), b" " * 68),
    cut("7.1.1", "an extension with a bare LF", sized(SIZE + b";a\n")),
    cut("7.1.1", "an extension with a bare CR", sized(SIZE + b";a\rb")),
    cut("7.1.1", "an extension whose quotes stay open", sized(SIZE + b';a="b')),
    cut("7.1", "white space behind a size", sized(SIZE + b" ")),
    cut("7.1", "a size that wraps 64 bits", sized(SIZE.rjust(17, b"1"))),
    cut("7.1", "a size with a minus", sized(b"-" + SIZE)),
    cut("7.1", "a size with 0x", sized(b"0x" + SIZE)),
    cut("7.1", "a size that is none", sized(b"xyz")),
    cut("7.1", "no size", sized(b"")),
    cut("7.1", "a size, bare LF", sized(SIZE, b"\n")),
    cut("7.1", "data longer than their size", chunked(b"4\r\n" + BODY + b"\r\n0\r\n\r\n"), BODY[:4]),
    cut("7.1", "data without their CRLF", chunked(SIZE + b"\r\n" + BODY + b"0\r\n\r\n"), BODY),
    cut("8", "the end in mid-chunk", chunked(b"ff\r\n" + BODY), BODY, CLOSES),
    cut("8", "the end between two chunks", chunked(chunk(BODY)), BODY, CLOSES),
    cut("8", "the end before the last CRLF", chunked(chunk(BODY) + b"0\r\n"), BODY, CLOSES),
    cut("8", "RST between two chunks", chunked(chunk(BODY)), BODY, RESETS),
    passed("7.1.2", "a trailer is dropped", chunked(chunk(BODY) + b"0\r\nX-T: v\r\n\r\n")),
    passed("9110 6.5.1", "a trailer that would frame is dropped",
           chunked(chunk(BODY) + b"0\r\nContent-Length: 1\r\nSet-Cookie: a=b\r\n\r\n")),
    cut("7.1.2", "a trailer that is folded",
        chunked(chunk(BODY) + b"0\r\nX-T: v\r\n w\r\n\r\n"), BODY),
    cut("7.1.2", "a trailer like an answer",
        chunked(chunk(BODY) + b"0\r\nHTTP/1.1 200 OK\r\n\r\n"), BODY),
    cut("7.1.2", "33 trailers", chunked(chunk(BODY) + b"0\r\n" + b"X: y\r\n" * 33 + b"\r\n"), BODY),
    once("6.3", "another answer behind them", chunked(WHOLE) + STRAY),
]  # fmt: skip

NO_CONTENT = b"HTTP/1.1 204 No Content\r\n"
NOT_MODIFIED = b"HTTP/1.1 304 Not Modified\r\n"

BODILESS = [
    empty("6.3", "204", NO_CONTENT + b"\r\n", 204, fields=[]),
    empty("9110 8.6", "204 with length 0", NO_CONTENT + b"Content-Length: 0\r\n\r\n", 204,
          fields=[]),
    empty("9110 8.6", "204 with a length", NO_CONTENT + FRAME + b"\r\n", 204, False, []),
    empty("6.3", "204 with a body", NO_CONTENT + FRAME + b"\r\n" + BODY, 204, False, []),
    empty("6.1", "204 with chunks", NO_CONTENT + CODED + b"\r\n" + WHOLE, 204, False, []),
    empty("6.3", "204 and an answer behind it", NO_CONTENT + b"\r\n" + STRAY, 204, False, []),
    empty("6.3", "304", NOT_MODIFIED + b"ETag: x\r\n\r\n", 304, fields=[("ETag", "x")]),
    empty("6.3", "304 with a length", NOT_MODIFIED + FRAME + b"\r\n", 304, fields=[]),
    empty("6.3", "304 with a body", NOT_MODIFIED + FRAME + b"\r\n" + BODY, 304, False, []),
    empty("9110 9.3.2", "HEAD", OK + FRAME + b"\r\n", 200, fields=[], method=HEAD),
    empty("9110 9.3.2", "HEAD without a length", OK + b"\r\n", 200, fields=[], method=HEAD),
    empty("6.1", "HEAD with a coding", OK + CODED + b"\r\n", 200, fields=[], method=HEAD),
    empty("6.3", "HEAD with a body", OK + FRAME + b"\r\n" + BODY, 200, False, [], HEAD),
    empty("6.3", "HEAD with chunks", OK + CODED + b"\r\n" + WHOLE, 200, False, [], HEAD),
    passed("9110 15.3.6", "205 with a body: it is framed", line(b"HTTP/1.1 205 x\r\n"), status=205),
]  # fmt: skip

FIELDS = [
    passed("5", "no type", OK + FRAME + b"\r\n" + BODY, fields=[]),
    passed("9110 5.3", "a name twice keeps its order", framed(b"X-A: 1\r\nX-B: 2\r\nx-a: 3\r\n"),
           fields=[*TYPED, ("X-A", "1"), ("X-B", "2"), ("x-a", "3")]),
    passed("5.1", "white space around a value", framed(b"X-A: \t a  b \t\r\n"),
           fields=[*TYPED, ("X-A", "a  b")]),
    passed("9110 5.5", "bytes above 127", framed(b"X-A: \xc3\xbc\r\n"),
           fields=[*TYPED, ("X-A", "\xc3\xbc")]),
    passed("9110 5.3", "Content-Type twice: the first", framed(b"content-type: text/html\r\n")),
    refused("5.2", "a line folded by a space", framed(b"X-A: b\r\n c\r\n")),
    refused("5.2", "a line folded by a tab", framed(b"X-A: b\r\n\tSet-Cookie: c\r\n")),
    refused("2.2", "white space before the first field", OK + b" X: y\r\n" + FRAME + b"\r\n"),
    refused("5.1", "a space before the colon", framed(b"X-A : b\r\n")),
    refused("5", "no colon", framed(b"X-A\r\n")),
    refused("5", "no name", framed(b": b\r\n")),
    refused("9110 5.1", "a name with a space", framed(b"X A: b\r\n")),
    refused("9110 5.1", "a name with a NUL", framed(b"X\x00A: b\r\n")),
    refused("9110 5.5", "NUL in a value", framed(b"X-A: b\x00c\r\n")),
    refused("2.2", "CR in a value: a split answer", framed(b"X-A: b\rSet-Cookie: c\r\n")),
    refused("2.2", "LF behind one field: a split answer", framed(b"X-A: b\nSet-Cookie: c\r\n")),
    refused("2.2", "LF for every CRLF", answer().replace(b"\r\n", b"\n")),
    refused("2.2", "LF ends the head", OK + TYPE + FRAME + b"\n" + BODY),
    refused("9110 5.5", "a control byte in a value", framed(b"X-A: \x1b[2J\r\n")),
    passed("9110 5.4", "100 fields", framed(b"X: y\r\n" * 98), fields=[*TYPED, *[("X", "y")] * 98]),
    refused("9110 5.4", "101 fields", framed(b"X: y\r\n" * 99)),
    refused("9110 5.4", "a field of 70,000 bytes", framed(b"X: " + b"y" * 70000 + b"\r\n")),
    refused("9110 5.4", "a head without end", OK + b"X-A: b\r\n" * 20000),
    refused("9110 5.4", "a line without end", OK + b"X-A: " + b"b" * 200000),
]  # fmt: skip

CONNECTIONS = [
    passed("9.3", "keep-alive", framed(b"Connection: keep-alive\r\nKeep-Alive: timeout=9\r\n")),
    once("9.6", "close", framed(b"Connection: close\r\n")),
    once("9.6", "close beside keep-alive", framed(b"Connection: keep-alive, CLOSE\r\n")),
    once("9110 5.3", "close in a second line",
         framed(b"Connection: x\r\nConnection: close\r\n")),
    once("9.3", "1.0", framed(b"", OLD)),
    passed("9.3", "1.0 that stays", framed(b"Connection: keep-alive\r\n", OLD)),
    passed("9110 7.6.1", "fields that it names",
           framed(b"Connection: x-a, X-B\r\nX-A: 1\r\nx-b: 2\r\nX-C: 3\r\n"),
           fields=[*TYPED, ("X-C", "3")]),
    passed("9110 7.6.1", "fields of one connection",
           framed(b"Proxy-Connection: x\r\nTE: x\r\nTrailer: X-T\r\nUpgrade: h2,h2c\r\n")),
    refused("9110 7.6.1", "it names Content-Type", framed(b"Connection: Content-Type\r\n")),
    refused("9110 7.6.1", "it names Content-Length", framed(b"Connection: content-length\r\n")),
    refused("9110 7.6.1", "it names Transfer-Encoding",
            chunked(WHOLE).replace(CODED, CODED + b"Connection: transfer-encoding\r\n")),
    passed("9110 6.6.1", "Date is ours", framed(b"Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n")),
    passed("CONTRACT", "what is the gateway's to say",
           framed(b"X-Request-Id: evil\r\nX-Drover-Backend: evil\r\nX-Forwarded-For: evil\r\n"
                  b"Access-Control-Allow-Origin: *\r\nAccess-Control-Allow-Credentials: true\r\n")),
    passed("7838 3", "the way round the gateway", framed(b'Alt-Svc: h2="evil:443"\r\n')),
    passed("9110 8.4", "compressed, though nobody asked", framed(b"Content-Encoding: gzip\r\n"),
           fields=[*TYPED, ("Content-Encoding", "gzip")]),
    passed("9110 8.3", "a type that is wrong",
           OK + b"Content-Type: text/html\r\n" + FRAME + b"\r\n" + BODY,
           fields=[("Content-Type", "text/html")]),
    passed("9110 11.6.1", "a challenge",
           framed(b"WWW-Authenticate: Bearer\r\n", b"HTTP/1.1 401 x\r\n"), status=401,
           fields=[*TYPED, ("WWW-Authenticate", "Bearer")]),
]  # fmt: skip

GROUPS = {
    "status line": STATUS_LINES,
    "1xx": INTERIMS,
    "Content-Length": LENGTHS,
    "Transfer-Encoding": CODINGS,
    "chunks": CHUNKS,
    "no body": BODILESS,
    "fields": FIELDS,
    "connection": CONNECTIONS,
}
CASES = [(group, case) for group, cases in GROUPS.items() for case in cases]
