#!/usr/bin/env python3
"""The control endpoint, asked by curl: pages, who may ask, limits, and an answer when every worker is stuck.

usage: control_test.py PROGRAM BACKEND        77 if the kernel refuses io_uring
"""
import concurrent.futures
import json
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

PATIENCE = 30  # seconds until something that must happen counts as not happening
SKIPPED = 77
PROGRAM, BACKEND = sys.argv[1:3]
NOBODY = 65534
PAGES = ("/", "/workers", "/tasks", "/io", "/config")


class Refused(Exception):
    """The kernel refuses io_uring."""


class Program:
    def __init__(self, listen):
        self.process = subprocess.Popen([PROGRAM, BACKEND, listen], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        said = self.process.stdout.readline()
        found = re.fullmatch(r"listening on (.*)\n", said)
        if not found:
            self.error = self.process.stderr.read()
            self.code = self.process.wait(PATIENCE)
            if self.code == SKIPPED:
                raise Refused(self.error)
        self.address = found[1] if found else None

    def __enter__(self):
        assert self.address is not None, self.error
        return self

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __exit__(self, kind, *_):
        if kind is None and self.process.poll() is None:
            self.tell("quit", answer=False)
            assert self.process.wait(PATIENCE) == 0, self.process.stderr.read()
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()

    def tell(self, command, answer=True):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        if answer:
            said = self.process.stdout.readline()
            assert said == command + "\n", said

    def curl(self, path, *arguments, prefix=()):
        """Code of curl, status of the answer, its headers and its body."""
        to = ["--unix-socket", self.address, "http://localhost" + path] if self.address.startswith("/") else \
            [f"http://{self.address}{path}"]
        done = subprocess.run([*prefix, "curl", "-sS", "-i", "--max-time", str(PATIENCE), *arguments, *to],
                              capture_output=True, text=True, timeout=PATIENCE + 5)
        head, _, body = done.stdout.partition("\n\n")
        status = int(head.split()[1]) if head.startswith("HTTP/1.1 ") else 0
        return done.returncode, status, head, body

    def get(self, path, *arguments, status=200):
        code, got, head, body = self.curl(path, *arguments)
        assert code == 0 and got == status, (path, code, got, head, body)
        return head, body

    def connect(self):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(PATIENCE)
        connection.connect(self.address)
        return connection


def eventually(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def read_all(connection):
    answer = b""
    while chunk := connection.recv(65536):
        answer += chunk
    return answer.decode()


def pages_are_text_for_curl(program):
    for page in PAGES:
        head, body = program.get(page)
        assert "Content-Type: text/plain; charset=utf-8" in head, head
        assert "<" not in body or page == "/tasks", body
    tasks = program.get("/tasks")[1]
    assert tasks.startswith("Tasks\n4 alive\n"), tasks
    waiting = re.findall(r"^ *\d+ +reader +waiting +\d+ B +(\S+control_program\.cpp:\d+) +(\S+control_program\.cpp:\d+)$",
                         tasks, re.M)
    assert len(waiting) == 3 and len(set(waiting)) == 1 and waiting[0][0] != waiting[0][1], tasks
    assert "\x1b" not in tasks, "a control sequence reached the terminal"
    assert "1 shown" in program.get("/tasks?most=1")[1]
    config = program.get("/config")[1]
    assert re.search(rf"^backend +{BACKEND} +--backend +auto, io_uring or epoll$", config, re.M), config
    assert re.search(r"^workers +2 +code ", config, re.M), config
    assert re.search(r"^metrics.poll_sample +\d+ +default ", config, re.M), config
    assert f"2 workers on {BACKEND}, 4 tasks alive" in program.get("/")[1]
    assert BACKEND in program.get("/io")[1]
    assert len(re.findall(r"^ +[01]  (?:sleeping|awake) ", program.get("/workers")[1], re.M)) == 2
    assert program.get("/healthz")[1] == "ok\n"
    assert program.get("/readyz")[1] == "ready\n"


def pages_are_html_for_browsers(program):
    for page in PAGES:
        head, body = program.get(page, "-H", "Accept: text/html,application/xhtml+xml;q=0.9")
        assert "Content-Type: text/html; charset=utf-8" in head, head
        assert "Content-Security-Policy: default-src 'none'" in head, head
        assert body.startswith("<!DOCTYPE html>") and body.endswith("</html>\n"), body
        assert f'<a href="{page}" aria-current="page">' in body, body
        assert "<script" not in body, body
    assert "&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;" in program.get("/tasks", "-H", "Accept: text/html")[1]


def metrics_are_for_prometheus(program):
    head, body = program.get("/metrics", "-H", "Accept: text/html")
    assert "Content-Type: text/plain; version=0.0.4" in head, head
    assert re.search(r'^skua_spawn_site_tasks\{file="\S+control_program\.cpp",line="\d+"\} 3$', body, re.M), body
    if shutil.which("promtool"):
        judged = subprocess.run(["promtool", "check", "metrics"], input=body, capture_output=True, text=True)
        assert judged.returncode == 0 and not judged.stdout + judged.stderr, judged


def what_is_no_page(program):
    assert "/ lists them all" in program.get("/nowhere", status=404)[1]
    head, _ = program.get("/", "-X", "POST", "-d", "", status=405)
    assert "Allow: GET, HEAD" in head, head
    program.get("/", "-d", "a body", status=405)
    program.get("/", "-X", "GET", "-d", "a body", status=413)
    code, status, head, body = program.curl("/tasks", "--head")
    assert code == 0 and status == 200 and not body and "Content-Length: " in head, head
    for wrong in (b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET / HTTP/2\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
                  b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"GET /\x01 HTTP/1.1\r\n\r\n"):
        with program.connect() as connection:
            connection.sendall(wrong)
            answer = read_all(connection)
            assert answer.startswith("HTTP/1.1 400 "), (wrong, answer)


def a_request_that_is_too_large(program):
    program.get("/", "-H", "X-Filling: " + "x" * 9000, status=431)
    program.get("/" + "x" * 20000, status=431)


def a_client_that_does_not_get_on(program):
    began = time.monotonic()
    with program.connect() as slow, program.connect() as silent, program.connect() as gone:
        slow.sendall(b"GET / HT")
        gone.sendall(b"GET /tasks HTTP/1.1\r\n")
        gone.shutdown(socket.SHUT_WR)
        program.get("/healthz")  # others are served meanwhile
        assert read_all(slow).startswith("HTTP/1.1 408 ")
        assert read_all(silent).startswith("HTTP/1.1 408 ")
        assert read_all(gone) == ""
    assert time.monotonic() - began < PATIENCE


def a_request_in_pieces(program):
    with program.connect() as connection:
        for byte in b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n":
            connection.sendall(bytes([byte]))
        assert read_all(connection).endswith("\r\n\r\nok\n")


def more_connections_than_are_served_at_once(program):
    idle = [program.connect() for _ in range(16)]
    program.get("/healthz")  # waits in the kernel, until these are late
    for connection in idle:
        connection.close()


def a_hundred_requests_under_load(program):
    program.tell("load")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        paths = [page for _ in range(15) for page in (*PAGES, "/metrics", "/readyz")]
        answers = list(pool.map(lambda path: program.get(path)[1], paths))
    assert all(answers) and len(answers) > 100
    polled = [sum(map(int, re.findall(r"^skua_worker_polls_total\S* (\d+)$", program.get("/metrics")[1], re.M)))
              for _ in range(2)]
    assert polled[0] < polled[1], polled


def every_worker_is_stuck(program):
    program.tell("stuck")
    eventually(lambda: program.curl("/readyz")[1] == 503, "it says that it is ready")
    said = program.get("/readyz", status=503)[1]
    assert "all workers are stuck" in said and re.search(r"^worker 1: for [\d.]+ m?s$", said, re.M), said
    assert program.get("/healthz")[1] == "ok\n"
    for page in (*PAGES, "/metrics"):
        program.get(page)
    assert len(re.findall(r" stuck for [\d.]+ m?s ", program.get("/workers")[1])) == 2
    assert len(re.findall(r"^ *\d+ +running ", program.get("/tasks")[1], re.M)) == 2, program.get("/tasks")[1]
    program.tell("free")
    eventually(lambda: program.curl("/readyz")[1] == 200, "it is not ready again")
    stalls = [int(n) for n in re.findall(r"^skua_worker_stalls_total\S* (\d+)$", program.get("/metrics")[1], re.M)]
    assert stalls == [1, 1], stalls


def only_the_same_user_may_ask(program):
    mode = os.stat(program.address).st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600, oct(mode)
    if os.geteuid() != 0:
        return
    assert answer_to_nobody(program) is None, "the file system lets others in"
    os.chmod(program.address, 0o666)
    os.chmod(os.path.dirname(program.address), 0o755)
    assert answer_to_nobody(program) == b"", "the peer's user is not looked at"
    program.get("/")


def answer_to_nobody(program):
    """What another user hears; None if he cannot connect."""
    ends = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            with program.connect() as connection:
                os.write(ends[1], b"connected")
                connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
                os.write(ends[1], connection.recv(100))
        except OSError:
            pass
        os._exit(0)
    os.close(ends[1])
    os.waitpid(child, 0)
    with open(ends[0], "rb") as said:
        heard = said.read()
    return heard.removeprefix(b"connected") if heard else None


def a_socket_in_use_and_a_stale_one(directory):
    path = os.path.join(directory, "control.sock")
    with Program(path) as first:
        second = Program(path)
        assert second.address is None and second.code == 1 and "in use" in second.error, second.error
        first.get("/")
        first.kill()
    assert os.path.exists(path)
    with Program(path) as third:
        third.get("/")
    assert not os.path.exists(path), "the socket is left behind"
    with open(path, "w", encoding="ascii") as file:
        file.write("precious")
    assert Program(path).address is None
    with open(path, encoding="ascii") as file:
        assert file.read() == "precious"


def loopback_only(directory):
    for wrong in ("0.0.0.0:9180", "127.0.0.2:9180", "192.168.0.1:80", "localhost:80", "127.0.0.1", "127.0.0.1:x",
                  "127.0.0.1:70000", "relative.sock", "/" + "x" * 200, "on"):
        program = Program(wrong)
        assert program.address is None and program.code == 2 and "control.listen" in program.error, (wrong, program.error)
    with Program("127.0.0.1:0") as program:
        assert re.fullmatch(r"127\.0\.0\.1:[1-9]\d*", program.address), program.address
        port = program.address.split(":")[1]
        program.get("/")
        program.get("/", "-H", f"Host: localhost:{port}")
        program.get("/", "-H", "Host: LOCALHOST")
        program.get("/", "-H", f"Host: [::1]:{port}")
        for host in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example", "localhost.evil.example", ""):
            assert "Host header" in program.get("/tasks", "-H", f"Host: {host}" if host else "Host;", status=403)[1], host
        assert Program(program.address).code == 1
    with Program("off") as program:
        assert program.address == "" and os.listdir(directory) == []


PROMETHEUS_CONFIG = """
global: {{scrape_interval: 200ms, scrape_timeout: 200ms}}
scrape_configs:
  - job_name: known
    static_configs: [{{targets: ["{target}"]}}]
"""


class Prometheus:
    """A server that scrapes `target`."""

    def __init__(self, target, directory):
        with socket.create_server(("127.0.0.1", 0)) as reserved:
            self.address = f"127.0.0.1:{reserved.getsockname()[1]}"
        config = os.path.join(directory, "prometheus.yml")
        with open(config, "w", encoding="ascii") as file:
            file.write(PROMETHEUS_CONFIG.format(target=target))
        self.server = subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={directory}/data", "--log.level=error",
             f"--web.listen-address={self.address}"], stderr=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.kill()
        self.server.wait()

    def ask(self, path, **parameters):
        url = f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                return json.load(answer)["data"]
        except OSError:  # it has not begun to listen
            return None

    def value(self, query):
        """Of the one series that is the answer; None: there is none yet."""
        answer = self.ask("query", query=query)
        return float(answer["result"][0]["value"][1]) if answer and answer["result"] else None


def a_prometheus_scrapes_it_under_load():
    if not shutil.which("prometheus"):
        return
    with Program("127.0.0.1:0") as program, tempfile.TemporaryDirectory() as directory:
        program.tell("load")
        with Prometheus(program.address, directory) as prometheus:
            eventually(lambda: (prometheus.value("sum(rate(skua_worker_polls_total[5s]))") or 0) > 100, "no polls arrive")
            eventually(lambda: (prometheus.value("sum(count_over_time(up[1m]))") or 0) > 10, "it does not go on")
            assert prometheus.value("min_over_time(up[1m])") == 1, "a scrape has failed"
            [target] = prometheus.ask("targets")["activeTargets"]
            assert target["health"] == "up" and not target["lastError"], target
            assert prometheus.value("sum(resets(skua_worker_polls_total[1m]))") == 0, "a counter went down"
            assert prometheus.value("count(skua_worker_polls_total)") == 2
            median = prometheus.value("histogram_quantile(0.5, rate(skua_poll_seconds_bucket[5s]))")
            assert 0 < median < 1, median
            assert prometheus.value("skua_tasks_spawned_total - skua_tasks_ended_total - skua_tasks") == 0


def main():
    with tempfile.TemporaryDirectory() as directory:
        try:
            loopback_only(directory)
        except Refused:
            return SKIPPED
        a_prometheus_scrapes_it_under_load()
        a_socket_in_use_and_a_stale_one(directory)
        os.unlink(os.path.join(directory, "control.sock"))
        with Program(os.path.join(directory, "control.sock")) as program:
            for test in (pages_are_text_for_curl, pages_are_html_for_browsers, metrics_are_for_prometheus, what_is_no_page,
                         a_request_that_is_too_large, a_request_in_pieces, a_client_that_does_not_get_on,
                         more_connections_than_are_served_at_once, every_worker_is_stuck, a_hundred_requests_under_load,
                         only_the_same_user_may_ask):
                test(program)
    return 0


if __name__ == "__main__":
    sys.exit(main())
