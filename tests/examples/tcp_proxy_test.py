#!/usr/bin/env python3
"""The proxy: curl gets files through it, socat talks to socat, half-closes are handed on, an upstream that is away is
named.

usage: tcp_proxy_test.py PROXY        SKUA_BACKEND chooses the back end; 77 if the kernel refuses io_uring, or no curl
                                      or no socat
"""
import functools
import hashlib
import http.server
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

PATIENCE = 20  # seconds until something that must happen counts as not happening
SKIPPED = 77


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class Proxy:
    """The proxy to an upstream port; a context."""

    def __init__(self, program, upstream):
        self.process = subprocess.Popen([program, f"127.0.0.1:{upstream}", "127.0.0.1:0"],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        found = re.fullmatch(r"listening on 127\.0\.0\.1:(\d+)\n", line)
        self.said = "" if found else line + self.process.stderr.read()
        self.port = int(found[1]) if found else 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def report(self):
        return self.process.stdout.readline()


def check_curl(program, folder):
    large = os.urandom(8 << 20)
    (folder / "large").write_bytes(large)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with Proxy(program, server.server_port) as proxy:
        fetches = [subprocess.Popen(["curl", "-sSf", "--max-time", str(PATIENCE), f"http://127.0.0.1:{proxy.port}/large"],
                                    stdout=subprocess.PIPE) for _ in range(4)]
        for fetch in fetches:
            assert fetch.communicate()[0] == large and fetch.returncode == 0
        there, back = map(int, re.fullmatch(r"(\d+) bytes there, (\d+) back\n", proxy.report()).groups())
        assert there > 0 and back > len(large), (there, back)
    server.shutdown()


def check_socat(program):
    """One socat sends, ends its direction and waits; behind the proxy another hands all of it to a program."""
    upstream = subprocess.Popen(["socat", "-dd", "TCP4-LISTEN:0,bind=127.0.0.1", "EXEC:sha256sum"],
                                stderr=subprocess.PIPE, text=True)
    port = int(re.search(r"listening on AF=2 127\.0\.0\.1:(\d+)", upstream.stderr.readline())[1])
    sent = os.urandom(8 << 20)
    with Proxy(program, port) as proxy:
        client = subprocess.run(["socat", "-t", str(PATIENCE), "-", f"TCP4:127.0.0.1:{proxy.port}"],
                                input=sent, capture_output=True, timeout=PATIENCE, check=True)
        assert client.stdout.split()[0].decode() == hashlib.sha256(sent).hexdigest(), client
        assert proxy.report() == f"{len(sent)} bytes there, {len(client.stdout)} back\n"
    upstream.communicate(timeout=PATIENCE)


def check_half_close(program):
    """The upstream answers only when it has seen the end of the question."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(PATIENCE)

    def answer():
        connection, _ = listener.accept()
        question = b"".join(iter(lambda: connection.recv(65536), b""))
        connection.sendall(b"%d bytes" % len(question))
        connection.close()

    thread = threading.Thread(target=answer)
    thread.start()
    with Proxy(program, listener.getsockname()[1]) as proxy:
        client = socket.create_connection(("127.0.0.1", proxy.port), PATIENCE)
        client.sendall(b"?" * 1_000_000)
        client.shutdown(socket.SHUT_WR)
        assert b"".join(iter(lambda: client.recv(100), b"")) == b"1000000 bytes"
        assert proxy.report() == "1000000 bytes there, 13 back\n"
    thread.join()


def check_no_upstream(program):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with Proxy(program, port) as proxy:
        client = socket.create_connection(("127.0.0.1", proxy.port), PATIENCE)
        assert client.recv(1) == b""
        assert proxy.report() == f"0 bytes there, 0 back: connect 127.0.0.1:{port}: Connection refused\n"


def main():
    program = sys.argv[1]
    with Proxy(program, 1) as proxy:
        if not proxy.port:
            print(proxy.said)
            return SKIPPED if os.environ.get("SKUA_BACKEND") == "io_uring" and "io_uring_setup" in proxy.said else 1
    check_half_close(program)
    check_no_upstream(program)
    if missing := [tool for tool in ("curl", "socat") if not shutil.which(tool)]:
        print("missing:", *missing)
        return SKIPPED
    check_socat(program)
    with tempfile.TemporaryDirectory() as folder:
        check_curl(program, pathlib.Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
