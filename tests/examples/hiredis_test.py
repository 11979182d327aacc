#!/usr/bin/env python3
"""Starts a Redis server on a Unix socket and runs examples/hiredis against it.

  hiredis_test.py PROGRAM REDIS_SERVER        SKUA_BACKEND chooses the back end; 77 if the kernel refuses io_uring
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import time


def main():
    program, server = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as folder:
        socket = pathlib.Path(folder) / "redis.sock"
        redis = subprocess.Popen([server, "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", folder],
                                 stdout=subprocess.DEVNULL)
        try:
            end = time.monotonic() + 20
            while not socket.exists():
                if redis.poll() is not None or time.monotonic() > end:
                    print("the server does not start")
                    return 77
                time.sleep(0.01)
            result = subprocess.run([program, str(socket)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                    timeout=40)
            print(result.stdout, result.stderr, end="")
            if os.environ.get("SKUA_BACKEND") == "io_uring" and "io_uring_setup" in result.stderr:
                return 77
            return 0 if result.returncode == 0 and result.stdout == "2000 visits\n" else 1
        finally:
            redis.kill()
            redis.wait()


if __name__ == "__main__":
    sys.exit(main())
