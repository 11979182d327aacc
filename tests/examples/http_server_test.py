#!/usr/bin/env python3
"""The HTTP server as its clients see it: curl, and raw sockets where curl is too polite.

usage: http_server_test.py SERVER BACKEND        77 if the kernel refuses io_uring
"""
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time
import unittest

SERVER, BACKEND = sys.argv[1:3]
PATIENCE = 20  # seconds until something that must happen counts as not happening
GET = b"GET /plaintext HTTP/1.1\r\nHost: h\r\n\r\n"


def post(body, fields=b""):
    return b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n%s\r\n%s" % (len(body), fields, body)


class Server:
    def __init__(self, *arguments):
        command = [SERVER, "--port", "0", "--workers", "2", "--backend", BACKEND, *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        match = re.fullmatch(r"listening on 127\.0\.0\.1:(\d+) \(workers 2, backend \w+\)\n", line)
        if not match:
            raise RuntimeError(f"server said {line!r} and exited with {self.process.wait(PATIENCE)}")
        self.port = int(match[1])

    def connect(self, receive_buffer=None):
        connection = socket.socket()
        connection.settimeout(PATIENCE)
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.connect(("127.0.0.1", self.port))
        return connection

    def exchange(self, request):
        """Sends `request`, and returns all that comes until the server closes; a reset is an error."""
        with self.connect() as connection:
            connection.sendall(request)
            return read_all(connection)

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self, with_signal=signal.SIGTERM):
        self.process.send_signal(with_signal)
        self.process.stdout.close()
        return self.process.wait(PATIENCE)


def read_all(connection):
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)


def read_response(connection):
    """One response with a body, and nothing behind it."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            raise EOFError(f"closed after {data!r}")
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(re.search(rb"Content-Length: (\d+)", head)[1])
    while len(body) < length:
        body += connection.recv(65536)
    return head, body


def read_until(connection, end):
    data = b""
    while not data.endswith(end):
        part = connection.recv(65536)
        if not part:
            raise EOFError(f"closed after {data!r}")
        data += part
    return data


def status_of(response):
    return int(re.match(rb"HTTP/1\.1 (\d{3}) [^\r]+\r\n", response)[1])


def curl(*arguments, stdin=b""):
    return subprocess.run(["curl", "-sS", "--max-time", str(PATIENCE), *arguments], input=stdin, check=True,
                          stdout=subprocess.PIPE).stdout


def eventually(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


class WithCurl(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()

    @classmethod
    def tearDownClass(cls):
        assert cls.server.stop() == 0

    def test_plaintext(self):
        self.assertEqual(curl(self.server.url("/plaintext?ignored")), b"Hello, World!")

    def test_json_with_its_head(self):
        head, _, body = curl("-i", self.server.url("/json")).partition(b"\r\n\r\n")
        self.assertEqual(body, b'{"message":"Hello, World!"}')
        self.assertIn(b"HTTP/1.1 200 OK\r\n", head)
        self.assertIn(b"\r\nContent-Type: application/json\r\n", head)
        self.assertRegex(head, rb"\r\nDate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT")

    def test_one_connection_for_two_requests(self):
        url = self.server.url("/plaintext")
        self.assertEqual(curl("-w", "%{num_connects}", url, url), b"Hello, World!1Hello, World!0")

    def test_http_1_0(self):
        self.assertIn(b"Connection: close", curl("-0", "-i", self.server.url("/plaintext")))
        kept = curl("-0", "-i", "-H", "Connection: keep-alive", self.server.url("/plaintext"))
        self.assertIn(b"Connection: keep-alive", kept)

    def test_echo_of_a_mebibyte(self):
        body = os.urandom(1024 * 1024)
        for fields in (["Expect:"], ["Expect: 100-continue"], ["Transfer-Encoding: chunked"]):
            arguments = [word for field in fields for word in ("-H", field)]
            self.assertTrue(curl("--data-binary", "@-", *arguments, self.server.url("/echo"), stdin=body) == body, fields)

    def test_head(self):
        head = curl("-I", self.server.url("/plaintext"))
        self.assertIn(b"HTTP/1.1 200 OK", head)
        self.assertIn(b"Content-Length: 13\r\n", head)

    def test_unknown_paths_and_methods(self):
        self.assertIn(b"HTTP/1.1 404 Not Found", curl("-i", self.server.url("/nothing")))
        refusal = curl("-i", "-X", "DELETE", self.server.url("/json"))
        self.assertIn(b"HTTP/1.1 405 Method Not Allowed", refusal)
        self.assertIn(b"\r\nAllow: GET, HEAD\r\n", refusal)
        self.assertIn(b"\r\nAllow: POST\r\n", curl("-i", self.server.url("/echo")))


class WithSockets(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()

    @classmethod
    def tearDownClass(cls):
        assert cls.server.stop() == 0

    def test_a_hundred_requests_in_one_send(self):
        bodies = [b"%d" % i for i in range(100)]
        answer = self.server.exchange(b"".join(post(body) for body in bodies) + post(b"end", b"Connection: close\r\n"))
        self.assertEqual(re.findall(rb"\r\n\r\n(\d+|end)", answer), [*bodies, b"end"])

    def test_large_bodies_in_one_send(self):
        body = b"x" * 300_000
        answer = self.server.exchange(post(body) * 8 + post(b"", b"Connection: close\r\n"))
        self.assertEqual(answer.count(body), 8)

    def test_a_request_byte_by_byte(self):
        with self.server.connect() as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in post(b"hello"):
                connection.send(bytes([byte]))
            self.assertEqual(read_response(connection)[1], b"hello")

    def test_head_has_no_body(self):
        answer = self.server.exchange(b"HEAD /json HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        self.assertTrue(answer.endswith(b"\r\n\r\n"))

    def test_a_client_that_shuts_down_its_side_gets_its_answers(self):
        with self.server.connect() as connection:
            connection.sendall(GET * 3)
            connection.shutdown(socket.SHUT_WR)
            self.assertEqual(read_all(connection).count(b"Hello, World!"), 3)

    def test_continue_comes_once_and_before_the_answer(self):
        with self.server.connect() as connection:
            connection.sendall(GET + post(b"hello", b"Expect: 100-continue\r\n")[:-5])
            before = read_until(connection, b"HTTP/1.1 100 Continue\r\n\r\n")
            self.assertEqual(before.count(b"HTTP/1.1"), 2)
            self.assertEqual(before.count(b"Hello, World!"), 1)
            connection.sendall(b"hello")
            self.assertEqual(read_until(connection, b"hello").count(b"HTTP/1.1"), 1)

    def test_errors_are_answered_and_end_the_connection(self):
        for expected, request in (
            (400, b"GET / HTTP/1.1\nHost: h\n\n"),
            (400, b"GET / HTTP/1.1\r\n\r\n"),
            (400, b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            (413, b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1048577\r\n\r\n" + b"x" * 200_000),
            (417, b"GET / HTTP/1.1\r\nHost: h\r\nExpect: miracles\r\n\r\n"),
            (431, b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: h\r\n\r\n"),
            (431, b"GET / HTTP/1.1\r\nHost: h\r\n" + b"A: b\r\n" * 1000 + b"\r\n"),
            (501, b"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n"),
            (505, b"GET / HTTP/2.0\r\nHost: h\r\n\r\n"),
        ):
            with self.subTest(status=expected, request=request[:60]):
                answer = self.server.exchange(request + GET)
                self.assertEqual(status_of(answer), expected)
                self.assertIn(b"\r\nConnection: close\r\n", answer)
                self.assertEqual(answer.count(b"HTTP/1.1 "), 1)

    def test_connections_opened_and_dropped_leave_nothing_behind(self):
        before = self.server.descriptors()
        reset = struct.pack("ii", 1, 0)
        for i in range(600):
            connection = self.server.connect()
            connection.send((b"", GET, GET[:10], post(b"x" * 1000)[:-1])[i % 4])
            if i % 3 == 0:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            connection.close()
        self.assertTrue(eventually(lambda: self.server.descriptors() <= before))
        self.assertEqual(curl(self.server.url("/plaintext")), b"Hello, World!")

    def test_many_connections_at_a_time(self):
        connections = [self.server.connect() for _ in range(300)]
        for connection in connections:
            connection.sendall(GET)
        for connection in connections:
            self.assertEqual(read_response(connection)[1], b"Hello, World!")
            connection.close()


class WithTimeouts(unittest.TestCase):
    def setUp(self):
        self.server = Server("--idle-timeout-ms", "1500", "--header-timeout-ms=400", "--body-timeout-ms", "400",
                             "--write-timeout-ms", "400")
        self.addCleanup(lambda: self.assertEqual(self.server.stop(), 0))

    def trickle(self, connection, data):
        """Sends a byte now and then until the server answers."""
        for byte in data:
            try:
                connection.send(bytes([byte]))
                connection.settimeout(0.05)
                return connection.recv(1, socket.MSG_PEEK)
            except socket.timeout:
                connection.settimeout(PATIENCE)
        self.fail("the server let it go on")

    def test_a_slow_head_is_answered_with_408(self):
        with self.server.connect() as connection:
            connection.sendall(GET)
            read_response(connection)
            self.trickle(connection, GET * 10)
            answer = read_all(connection)
            self.assertEqual(status_of(answer), 408)
            self.assertIn(b"\r\nConnection: close\r\n", answer)

    def test_a_slow_body_is_answered_with_408(self):
        with self.server.connect() as connection:
            connection.sendall(post(b"x" * 1000)[:-1000])
            self.trickle(connection, b"x" * 999)
            self.assertEqual(status_of(read_all(connection)), 408)

    def test_an_idle_connection_is_closed_without_a_word(self):
        for said in (b"", GET):
            start = time.monotonic()
            with self.server.connect() as connection:
                connection.sendall(said)
                if said:
                    read_response(connection)
                self.assertEqual(read_all(connection), b"")
                self.assertGreater(time.monotonic() - start, 1.4)

    def test_a_busy_connection_outlives_the_idle_timeout(self):
        with self.server.connect() as connection:
            for _ in range(8):
                connection.sendall(GET)
                read_response(connection)
                time.sleep(0.3)

    def test_a_client_that_does_not_read_loses_its_connection(self):
        before = self.server.descriptors()
        with self.server.connect(receive_buffer=4096) as connection:
            with self.assertRaises(ConnectionError):
                for _ in range(500):  # more than all buffers between us can hold
                    connection.sendall(post(b"x" * 1_000_000))
            self.assertTrue(eventually(lambda: self.server.descriptors() <= before))


class Lifetime(unittest.TestCase):
    def test_beyond_the_limit_connections_wait(self):
        server = Server("--connections", "2")
        first, second, third = (server.connect() for _ in range(3))
        for connection in (first, second):
            connection.sendall(GET)
            read_response(connection)
        third.sendall(GET)
        third.settimeout(0.3)
        with self.assertRaises(socket.timeout):
            third.recv(1)
        first.close()
        third.settimeout(PATIENCE)
        self.assertEqual(read_response(third)[1], b"Hello, World!")
        second.close()
        third.close()
        self.assertEqual(server.stop(), 0)

    def test_signals_end_it_with_connections_open(self):
        for with_signal in (signal.SIGTERM, signal.SIGINT):
            server = Server()
            idle, busy = server.connect(), server.connect()
            busy.sendall(GET + GET[:10])
            read_response(busy)
            self.assertEqual(server.stop(with_signal), 0)
            for connection in (idle, busy):
                try:
                    self.assertEqual(read_all(connection), b"")
                except ConnectionResetError:
                    pass
                connection.close()

    def test_bad_arguments_are_named(self):
        for argument in ("--port=x", "--port=70000", "--connections=0", "--unknown"):
            result = subprocess.run([SERVER, argument], stderr=subprocess.PIPE, timeout=PATIENCE)
            self.assertEqual(result.returncode, 1)
            self.assertIn(argument.split("=")[0].encode(), result.stderr)


def is_refused():
    """Whether the kernel refuses the back end; the server then ends at once and says so."""
    server = subprocess.Popen([SERVER, "--port", "0", "--backend", BACKEND], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
    listens = server.stdout.readline() != ""
    server.kill()
    return not listens and "io_uring_setup" in server.communicate()[1]


if __name__ == "__main__":
    if is_refused():
        sys.exit(77)
    unittest.main(argv=sys.argv[:1], verbosity=2)
