#!/usr/bin/env python3
"""The example of signals: reads its configuration again, ends in good order, and at once when told twice.

usage: signals_test.py PROGRAM        SKUA_BACKEND chooses the back end; 77 if the kernel refuses io_uring
"""
import os
import signal
import subprocess
import sys

SKIPPED = 77


class Program:
    def __init__(self, *arguments):
        # As from an interactive shell: a test that runs in the background would have SIGINT ignored.
        usual = lambda: [signal.signal(number, signal.SIG_DFL) for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM)]
        self.process = subprocess.Popen([sys.argv[1], *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True, preexec_fn=usual)

    def expect(self, line):
        said = self.process.stdout.readline()
        assert said == line + "\n", f"{said!r} instead of {line!r}; {self.process.stderr.read()}"

    def send(self, number):
        self.process.send_signal(number)

    def ends_with(self, code):
        ended = self.process.wait(20)
        assert ended == code, f"ended with {ended} instead of {code}"


def refused():
    probe = Program()
    said = probe.process.stdout.readline()
    probe.process.kill()
    return said != "ready\n" and "io_uring_setup" in probe.process.stderr.read()


def main():
    if os.environ.get("SKUA_BACKEND") == "io_uring" and refused():
        return SKIPPED
    for last in (signal.SIGTERM, signal.SIGINT):
        program = Program()
        program.expect("ready")
        for _ in range(3):
            program.send(signal.SIGHUP)
            program.expect("configuration read again")
        program.send(last)
        program.expect("finishing")
        program.expect("done")
        program.ends_with(0)

    impatient = Program()
    impatient.expect("ready")
    impatient.send(signal.SIGINT)
    impatient.expect("finishing")
    impatient.send(signal.SIGINT)
    impatient.ends_with(-signal.SIGINT)
    return 0


if __name__ == "__main__":
    sys.exit(main())
