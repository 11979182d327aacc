#!/usr/bin/env python3
"""Drives examples/upper_case as a shell would: by pipes, files and a reader who has enough.

  upper_case_test.py PROGRAM        SKUA_BACKEND chooses the back end; 77 if the kernel refuses io_uring
"""
import os
import subprocess
import sys
import tempfile


def shell(line, program, text=""):
    return subprocess.run(["bash", "-c", "set -o pipefail; " + line, "bash", program], input=text, capture_output=True,
                          text=True, timeout=30)


def is_refused(program):
    said = shell('"$1"', program).stderr
    return os.environ.get("SKUA_BACKEND") == "io_uring" and "io_uring_setup" in said


def main():
    program = sys.argv[1]
    if is_refused(program):
        return 77
    large = "".join(f"line {i}\n" for i in range(50_000))
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(large)
        file.flush()
        cases = [
            ("pipes", 'cat | "$1" | cat', "hello\n", "HELLO\n"),
            ("a file", f'"$1" < {file.name}', "", large.upper()),
            ("a reader who has enough", f'"$1" < {file.name} | head -1', "", "LINE 0\n"),
        ]
        for name, line, text, expected in cases:
            result = shell(line, program, text)
            if (result.returncode, result.stdout, result.stderr) != (0, expected, ""):
                print(f"{name}: status {result.returncode}, {result.stdout[:100]!r}, {result.stderr!r}")
                return 1
    print("ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
