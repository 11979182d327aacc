#!/usr/bin/env python3
"""The line store: answers line by line, however the lines are cut, and is in step again after one that is too long.

usage: line_store_test.py SERVER        SKUA_BACKEND chooses the back end; 77 if the kernel refuses io_uring
"""
import os
import re
import socket
import subprocess
import sys

PATIENCE = 20  # seconds until something that must happen counts as not happening
SKIPPED = 77


def check(port):
    first = socket.create_connection(("127.0.0.1", port), PATIENCE)
    second = socket.create_connection(("127.0.0.1", port), PATIENCE)
    for byte in b"SET bird great skua\r\n":
        first.send(bytes([byte]))
    answers = first.makefile("rb")
    assert answers.readline() == b"OK\n"
    second.sendall(b"GET bird\nGET fish\nFLY\n" + b"x" * 100_000 + b"\nGET bird\nQUIT\nGET bird\n")
    expected = b"VALUE great skua\nNONE\nERROR unknown command\nERROR line too long\nVALUE great skua\n"
    received = bytearray()
    try:
        while chunk := second.recv(65536):
            received += chunk
    except ConnectionResetError:  # the line after QUIT was never read
        pass
    assert received == expected, received
    first.shutdown(socket.SHUT_WR)
    assert answers.readline() == b"", "the server closes when its client has ended"


def main():
    with subprocess.Popen([sys.argv[1], "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            line = server.stdout.readline()
            if not (found := re.fullmatch(r"listening on 127\.0\.0\.1:(\d+)\n", line)):
                said = line + server.stderr.read()
                print(said)
                return SKIPPED if os.environ.get("SKUA_BACKEND") == "io_uring" and "io_uring_setup" in said else 1
            check(int(found[1]))
            assert server.poll() is None, f"the server ended with {server.returncode}"
        finally:
            server.kill()
    return 0


if __name__ == "__main__":
    sys.exit(main())
