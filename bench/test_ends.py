#!/usr/bin/env python3
"""The two ends of the benchmark, without a gateway: what they count must be true.

    test_ends.py BENCH-ORIGIN BENCH-LOAD
"""

import json
import socket
import subprocess
import sys
import threading
import time
import unittest

ORIGIN, LOAD = sys.argv[1:3]
PIPES = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}


def load(mode, port, **options):
    command = [LOAD, mode, "--port", str(port), "--seconds", "20"]
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    with subprocess.Popen(command, **PIPES) as process:
        return json.loads(process.stdout.read())


class WithOrigin(unittest.TestCase):
    def setUp(self):
        self.origin = subprocess.Popen([ORIGIN], **PIPES)
        self.port = int(self.origin.stdout.readline().split()[1])

    def tearDown(self):
        self.origin.stdin.close()
        self.assertEqual(self.origin.wait(20), 0)
        self.origin.stdout.close()

    def test_counts_small_answers(self):
        result = load("json", self.port, connections=7, requests=100)
        self.assertEqual((result["completed"], result["failed"], result["lines"]), (100, 0, 0))

    def test_counts_the_tokens_of_undelayed_streams(self):
        result = load("stream", self.port, connections=3, tokens=20000)
        self.assertEqual((result["completed"], result["lines"]), (3, 3 * 20001))

    def test_paces_tokens(self):
        result = load("stream", self.port, connections=10, tokens=20, pace=3)
        self.assertEqual((result["completed"], result["lines"]), (10, 10 * 21))
        self.assertGreaterEqual(result["seconds"], 19 * 0.003)

    def test_keeps_a_rate_and_times_each_request(self):
        result = load("json", self.port, connections=4, requests=200, rate=2000)
        self.assertEqual((result["completed"], result["failed"]), (200, 0))
        self.assertGreaterEqual(result["seconds"], 199 / 2000)
        times = [result[name] for name in ("p50_us", "p99_us", "p99.9_us", "max_us")]
        self.assertEqual(times, sorted(times))
        self.assertGreater(times[0], 0)

    def test_asks_different_questions_of_a_size(self):
        result = load("hit", self.port, connections=2, requests=60, bodies=7, **{"body-bytes": 1024})
        self.assertEqual((result["completed"], result["hits"]), (60, 0))

    def test_leaves_connections_open(self):
        command = [LOAD, "idle", "--port", str(self.port), "--connections", "5"]
        with subprocess.Popen(command, **PIPES) as process:
            self.assertEqual(process.stdout.readline(), "ready\n")
            process.stdin.close()
            result = json.loads(process.stdout.read())
        self.assertEqual((result["completed"], result["pending"]), (5, 0))

    def test_holds_requests_until_told_to_go(self):
        command = [LOAD, "hold", "--port", str(self.port), "--connections", "5"]
        with subprocess.Popen(command, **PIPES) as process:
            self.assertEqual(process.stdout.readline(), "ready\n")
            process.stdin.close()
            result = json.loads(process.stdout.read())
        self.assertEqual((result["pending"], result["failed"]), (5, 0))


class WithBrokenAnswers(unittest.TestCase):
    def answer(self, answer, mode="stream"):
        """What is said of one request, of two tokens if it is a stream, that gets this answer."""
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def serve():
                peer = listener.accept()[0]
                peer.recv(65536)
                peer.sendall(answer)
                peer.close()

            thread = threading.Thread(target=serve)
            thread.start()
            result = load(mode, listener.getsockname()[1], tokens=2)
            thread.join()
        return result

    def ends_of(self, answer):
        result = self.answer(answer)
        return result["completed"], result["failed"]

    HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    def test_takes_a_whole_stream(self):
        self.assertEqual(self.ends_of(self.HEAD + b"6\r\na\nb\nc\n\r\n0\r\n\r\n"), (1, 0))

    def test_misses_a_token(self):
        self.assertEqual(self.ends_of(self.HEAD + b"4\r\na\nb\n\r\n0\r\n\r\n"), (0, 1))

    def test_sees_a_cut(self):
        self.assertEqual(self.ends_of(self.HEAD + b"6\r\na\nb\nc\n\r\n"), (0, 1))

    def test_sees_broken_chunks(self):
        self.assertEqual(self.ends_of(self.HEAD + b"5\r\na\nb\nc\n\r\n0\r\n\r\n"), (0, 1))

    def test_sees_a_hit(self):
        answer = b"HTTP/1.1 200 OK\r\nX-Drover-Cache: hit\r\nContent-Length: 2\r\n\r\n{}"
        self.assertEqual(self.answer(answer, "hit")["hits"], 1)

    def test_sees_a_refusal(self):
        refusal = b"HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\n{}"
        self.assertEqual(self.ends_of(refusal), (0, 1))

    def test_sees_bytes_behind_the_end(self):
        surplus = self.HEAD + b"6\r\na\nb\nc\n\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n"
        self.assertEqual(self.ends_of(surplus), (0, 1))

    def test_what_waits_for_a_connection_waits_in_its_figure(self):
        """Two that are due at once over one connection, and the first is held."""
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def serve():
                with listener.accept()[0] as peer:
                    peer.recv(65536)
                    until = time.monotonic() + 0.02
                    while time.monotonic() < until:
                        pass
                    peer.sendall(answer)
                    peer.recv(65536)
                    peer.sendall(answer)
                    peer.recv(65536)

            thread = threading.Thread(target=serve)
            thread.start()
            result = load("json", listener.getsockname()[1], requests=2, rate=1000000)
            thread.join()
        self.assertGreaterEqual(result["p50_us"], 20000 - 1)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
