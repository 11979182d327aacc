#!/usr/bin/env python3
"""Builds the HTTP server example, drives it with wrk, and prints what it did.

One line for each back end and number of workers: requests per second, latency, the server's CPU time per request.
Exit status 0 only if every answer was right and no request failed. Start it as tools/run, which installs what is
missing.
"""

import argparse
import ctypes
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parent.parent
LOG = ROOT / "build" / "logs" / "run.log"
READY_SECONDS = 10
SYS_IO_URING_SETUP = 425  # on every architecture


class Failure(Exception):
    """What went wrong, for the user."""


class Progress:
    """Says what goes on: on a terminal in one line that is overwritten, elsewhere line by line."""

    def __init__(self):
        self.terminal = sys.stdout.isatty()

    def during(self, text, wait):
        """Shows `text` with the seconds until wait(0.2) is true, then leaves a finished line."""
        start = time.monotonic()
        if not self.terminal:
            print(text, flush=True)
        for step in range(1 << 30):
            if wait(0.2):
                break
            if self.terminal:
                wheel = "|/-\\"[step % 4]
                print(f"\r\033[K{wheel} {text} ({time.monotonic() - start:.0f} s)", end="", flush=True)
        if self.terminal:
            print("\r\033[K", end="", flush=True)


def wait_for(process):
    """For Progress.during: waits for a process a moment at a time."""
    def wait(seconds):
        try:
            process.wait(seconds)
            return True
        except subprocess.TimeoutExpired:
            return False
    return wait


def run_logged(progress, text, command):
    """Runs a command with its output in the log; shows the log's end if it fails."""
    with LOG.open("a") as log:
        print(f"\n$ {shlex.join(command)}", file=log, flush=True)
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        progress.during(text, wait_for(process))
    if process.returncode != 0:
        tail = "\n".join("    " + line for line in LOG.read_text(errors="replace").splitlines()[-30:])
        raise Failure(f"{text}: failed\n{tail}\nTo reproduce: {shlex.join(command)}")


def build(progress):
    """Builds the example; returns its path."""
    jobs = str(len(os.sched_getaffinity(0)))
    configure = ["cmake", "--preset", "release"]
    if subprocess.run(["which", "ccache"], capture_output=True).returncode == 0:
        configure.append("-DCMAKE_CXX_COMPILER_LAUNCHER=ccache")
    run_logged(progress, "configuring", configure)
    run_logged(progress, "building http_server", ["cmake", "--build", "--preset", "release", "-j", jobs,
                                                  "--target", "http_server"])
    folder = ROOT / "build" / "release" / "examples"
    for path in (folder / "http_server", folder / "http" / "http_server"):
        if path.exists():
            return str(path)
    raise Failure(f"the build left no http_server in {folder}")


def why_no_io_uring():
    """Why the kernel creates no ring for us; empty if it does."""
    libc = ctypes.CDLL(None, use_errno=True)
    ring = libc.syscall(SYS_IO_URING_SETUP, 8, ctypes.create_string_buffer(120))
    if ring < 0:
        return os.strerror(ctypes.get_errno())
    os.close(ring)
    return ""


class Server:
    """The server, for one `with`: it listens when the block begins, and has ended well when the block ends."""

    def __init__(self, command, port, workers, backend):
        self.command = [*command, "--port", str(port), "--workers", str(workers), "--backend", backend]
        self.lines = []
        self.ready = threading.Event()

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.ready.wait(READY_SECONDS)
        found = re.search(r"listening on \S*:(\d+)", "".join(self.lines))
        if not found:
            self.process.kill()
            self.process.wait()
            self.reader.join()
            raise Failure(f"the server did not come up: {shlex.join(self.command)}\n{self.output()}")
        self.url = f"http://127.0.0.1:{found[1]}"
        return self

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line)
            if "listening on" in line:
                self.ready.set()
        self.ready.set()  # it ended: do not wait for longer

    def __exit__(self, kind, *_):
        if self.process.poll() is not None:
            raise Failure(f"the server ended with status {self.process.returncode}\n{self.output()}")
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(READY_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failure(f"the server did not stop {READY_SECONDS} s after SIGTERM\n{self.output()}") from None
        if kind is None and self.process.returncode != 0:
            raise Failure(f"after SIGTERM the server ended with status {self.process.returncode}\n{self.output()}")

    def output(self):
        return "".join("    " + line for line in self.lines[-30:]).rstrip() or "    (it said nothing)"

    def cpu_seconds(self):
        """User and system time that the process has used."""
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        fields = stat[stat.rindex(")") + 2:].split()  # the name before may hold spaces
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def check_answer(url, path, body_pattern, content_type):
    """Asks curl for a page and compares status, type and body."""
    command = ["curl", "-sS", "--max-time", "5", "-w", "\n%{http_code} %{content_type}", url + path]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        raise Failure(f"{path}: {result.stderr.strip()}")
    body, _, last = result.stdout.rpartition("\n")
    status, _, actual_type = last.partition(" ")
    if status != "200" or not re.fullmatch(body_pattern, body.strip()) or not actual_type.startswith(content_type):
        raise Failure(f"{path}: answered {status} {actual_type!r} {body!r}")


@dataclass
class Measurement:
    backend: str
    workers: str
    requests: int = 0
    rate: float = 0
    p50: str = ""
    p99: str = ""
    cpu_us: float = 0
    errors: int = 0


def parse_wrk(text):
    """Requests, rate, median and 99th percentile, errors: from wrk's own words."""
    requests = re.search(r"(\d+) requests in", text)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    p50, p99 = (re.search(rf"^ +{percentile}% +(\S+)$", text, re.MULTILINE) for percentile in (50, 99))
    if not (requests and rate and p50 and p99):
        raise Failure(f"wrk said:\n{text}")
    errors = 0
    if sockets := re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text):
        errors += sum(map(int, sockets.groups()))
    if answers := re.search(r"Non-2xx or 3xx responses: (\d+)", text):
        errors += int(answers[1])
    return int(requests[1]), float(rate[1]), p50[1], p99[1], errors


def wrk(progress, text, url, connections, seconds):
    """Drives the server; wrk's output."""
    command = ["wrk", "-t2", f"-c{connections}", f"-d{seconds}s", "--latency", url + "/plaintext"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    progress.during(text, wait_for(process))
    output = process.stdout.read()
    with LOG.open("a") as log:
        print(f"\n$ {shlex.join(command)}\n{output}", file=log)
    if process.returncode != 0:
        raise Failure(f"wrk failed:\n{output}")
    return output


def measure(progress, command, arguments, backend, workers):
    """One server: checked, warmed up, driven."""
    name = f"{backend}, {workers} worker{'' if workers == '1' else 's'}"
    with Server(command, arguments.port, workers, backend) as server:
        check_answer(server.url, "/plaintext", "Hello, World!", "text/plain")
        check_answer(server.url, "/json", r'\{\s*"message"\s*:\s*"Hello, World!"\s*\}', "application/json")
        wrk(progress, f"{name}: warming up", server.url, arguments.connections, 1)
        before = server.cpu_seconds()
        output = wrk(progress, f"{name}: measuring for {arguments.seconds} s", server.url, arguments.connections,
                     arguments.seconds)
        used = server.cpu_seconds() - before
        requests, rate, p50, p99, errors = parse_wrk(output)
        check_answer(server.url, "/plaintext", "Hello, World!", "text/plain")
    print(f"{name}: {rate:,.0f} requests/s", flush=True)
    return Measurement(backend, workers, requests, rate, p50, p99, used * 1e6 / max(1, requests), errors)


def table(measurements):
    """Aligned columns, numbers to the right."""
    rows = [("back end", "workers", "requests/s", "p50", "p99", "CPU µs/request", "errors")]
    rows += [(m.backend, m.workers, f"{m.rate:,.0f}", m.p50, m.p99, f"{m.cpu_us:.2f}", str(m.errors))
             for m in measurements]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) if column == 0 else cell.rjust(width)
                       for column, (cell, width) in enumerate(zip(row, widths))) for row in rows]
    lines.insert(1, "-" * len(lines[0]))
    return "\n".join(lines)


def parse_arguments():
    parser = argparse.ArgumentParser(prog="tools/run", description=__doc__.split("\n\n")[0],
                                     epilog="The log is build/logs/run.log.")
    parser.add_argument("--workers", default="1,2", help="numbers of workers, or auto, with commas (default 1,2)")
    parser.add_argument("--backend", default="both", choices=("auto", "io_uring", "epoll", "both"))
    parser.add_argument("--seconds", type=int, default=5, help="how long each is measured (default 5)")
    parser.add_argument("--connections", type=int, default=64, help="connections of the load (default 64)")
    parser.add_argument("--port", type=int, default=0, help="of the server (default: any that is free)")
    parser.add_argument("--server-command", help=argparse.SUPPRESS)  # drives another server instead: to test this file
    arguments = parser.parse_args()
    for workers in arguments.workers.split(","):
        if not re.fullmatch(r"auto|[1-9]\d*", workers):
            parser.error(f"--workers: expected numbers or auto, with commas, not {workers!r}")
    if arguments.seconds < 1 or arguments.connections < 2:
        parser.error("at least 1 second and 2 connections")
    return arguments


def main():
    arguments = parse_arguments()
    progress = Progress()
    LOG.parent.mkdir(parents=True, exist_ok=True)
    LOG.write_text("")
    backends = ["io_uring", "epoll"] if arguments.backend == "both" else [arguments.backend]
    if arguments.backend == "both" and (reason := why_no_io_uring()):
        print(f"io_uring is refused here ({reason}): epoll alone is measured. `skua doctor` knows more.")
        backends = ["epoll"]
    measurements = []
    try:
        command = shlex.split(arguments.server_command or "") or [build(progress)]
        for backend in backends:
            for workers in arguments.workers.split(","):
                measurements.append(measure(progress, command, arguments, backend, workers))
    except Failure as failure:
        print(f"tools/run: {failure}", file=sys.stderr)
        return 1
    print(f"\n{arguments.connections} connections, GET /plaintext, {arguments.seconds} s each, "
          f"{len(os.sched_getaffinity(0))} processors shared with wrk\n\n{table(measurements)}")
    failed = sum(m.errors for m in measurements)
    if failed:
        print(f"\ntools/run: {failed} requests failed", file=sys.stderr)
    return 1 if failed or not all(m.requests for m in measurements) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
