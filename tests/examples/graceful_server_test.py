#!/usr/bin/env python3
"""The server that ends in good order: once told it finishes, told twice it ends; and what SKUA_MAIN makes of options.

usage: graceful_server_test.py SERVER        SKUA_BACKEND chooses the back end; 77 if the kernel refuses io_uring
"""
import os
import re
import signal
import socket
import subprocess
import sys
import time

PATIENCE = 20  # seconds until something that must happen counts as not happening
SKIPPED = 77


class Server:
    def __init__(self, *arguments, **variables):
        # As from an interactive shell: a test that runs in the background would have SIGINT ignored.
        usual = lambda: [signal.signal(number, signal.SIG_DFL) for number in (signal.SIGINT, signal.SIGTERM)]
        self.process = subprocess.Popen([sys.argv[1], *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True, preexec_fn=usual, env={**os.environ, **variables})

    def port(self):
        said = self.process.stdout.readline()
        found = re.fullmatch(r"listening on 127\.0\.0\.1:(\d+)\n", said)
        assert found, f"{said!r}; {self.process.stderr.read()}"
        return int(found[1])

    def expect(self, line):
        said = self.process.stdout.readline()
        assert said == line + "\n", f"{said!r} instead of {line!r}; {self.process.stderr.read()}"

    def ends_with(self, code, *errors):
        ended = self.process.wait(PATIENCE)
        said = self.process.stderr.read()
        assert ended == code, f"ended with {ended} instead of {code}: {said}"
        for error in errors:
            assert error in said, f"{said!r} does not say {error!r}"


def connect(port):
    connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    check_echo(connection, b"hello")
    return connection


def check_echo(connection, message):
    connection.sendall(message)
    answer = b""
    while len(answer) < len(message):
        chunk = connection.recv(64)
        assert chunk, "the server hung up"
        answer += chunk
    assert answer == message


def wait_until_refused(port):
    """The kernel may hold a listener for a moment longer than the server does."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
        except (ConnectionRefusedError, ConnectionResetError):
            return
        time.sleep(0.001)
    raise AssertionError("it still listens")


def refused():
    probe = Server("127.0.0.1:0")
    said = probe.process.stdout.readline()
    probe.process.kill()
    return not said and "io_uring_setup" in probe.process.stderr.read()


def finishes_what_it_has_begun(number):
    server = Server("127.0.0.1:0", "--workers=2")
    port = server.port()
    client = connect(port)
    server.process.send_signal(number)
    server.expect("finishing")
    wait_until_refused(port)
    check_echo(client, b"still here")
    client.close()
    server.expect("done")
    server.ends_with(0)


def second_signal_ends_it(first, second):
    server = Server("127.0.0.1:0")
    client = connect(server.port())
    server.process.send_signal(first)
    server.expect("finishing")
    server.process.send_signal(second)
    server.ends_with(-second)
    client.close()


def without_clients_it_ends_at_once():
    server = Server("127.0.0.1:0", SKUA_WORKERS="1")
    server.port()
    server.process.send_signal(signal.SIGTERM)
    server.expect("finishing")
    server.expect("done")
    server.ends_with(0)


def prints_its_options():
    server = Server("--print-config", "--workers=3", SKUA_BLOCKING_THREADS="5")
    said = [line.split() for line in server.process.stdout.read().splitlines()]
    server.ends_with(0)
    assert ["workers", "3", "--workers"] in said, said
    assert ["blocking.threads", "5", "SKUA_BLOCKING_THREADS"] in said, said
    assert ["reactor.mode", "workers", "default"] in said, said


def says_what_is_wrong():
    Server("--workers=none").ends_with(2, "workers", "--workers")
    Server("127.0.0.1:0", SKUA_REACTOR_MODE="sideways").ends_with(2, "SKUA_REACTOR_MODE")
    Server("nowhere").ends_with(1, "nowhere")


def main():
    if os.environ.get("SKUA_BACKEND") == "io_uring" and refused():
        return SKIPPED
    for number in (signal.SIGTERM, signal.SIGINT):
        finishes_what_it_has_begun(number)
    second_signal_ends_it(signal.SIGINT, signal.SIGINT)
    second_signal_ends_it(signal.SIGTERM, signal.SIGINT)
    without_clients_it_ends_at_once()
    prints_its_options()
    says_what_is_wrong()
    return 0


if __name__ == "__main__":
    sys.exit(main())
