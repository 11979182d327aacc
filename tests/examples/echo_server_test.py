#!/usr/bin/env python3
"""The echo server: what goes in comes out, on several connections at once, however large.

usage: echo_server_test.py SERVER        SKUA_BACKEND chooses the back end; 77 if the kernel refuses io_uring
"""
import os
import re
import socket
import subprocess
import sys
import threading

PATIENCE = 20  # seconds until something that must happen counts as not happening
SKIPPED = 77
LARGE = 4 << 20  # more than the socket buffers on both sides hold


def receive(connection, size):
    data = bytearray()
    while len(data) < size and (chunk := connection.recv(65536)):
        data += chunk
    return bytes(data)


def check_echo(connection, message):
    """Sends and receives at the same time: the server stops reading while nobody takes what it writes."""
    sender = threading.Thread(target=connection.sendall, args=(message,))
    sender.start()
    answer = receive(connection, len(message))
    sender.join()
    assert answer == message, f"{len(message)} bytes went in, {len(answer)} came back, or others"


def check_server(port):
    connections = [socket.create_connection(("127.0.0.1", port), PATIENCE) for _ in range(8)]
    for round_trip in range(3):
        for number, connection in enumerate(connections):
            check_echo(connection, b"connection %d, round trip %d" % (number, round_trip))
    check_echo(connections[0], os.urandom(LARGE))
    for connection in connections:
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b"", "the server closes when its client has ended"
        connection.close()


def main():
    with subprocess.Popen([sys.argv[1], "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            line = server.stdout.readline()
            if not (found := re.fullmatch(r"listening on 127\.0\.0\.1:(\d+)\n", line)):
                said = line + server.stderr.read()
                refused = os.environ.get("SKUA_BACKEND") == "io_uring" and "io_uring_setup" in said
                print(said)
                return SKIPPED if refused else 1
            check_server(int(found[1]))
            assert server.poll() is None, f"the server ended with {server.returncode}"
        finally:
            server.kill()
    return 0


if __name__ == "__main__":
    sys.exit(main())
