#!/usr/bin/env python3
"""Load on the HTTP example with connections opened and dropped at random; then nothing must be left of it.

  http_churn_test.py SERVER BACKEND WORKERS [--seconds N] [--connections N] [--sanitized] [--seed N]

A warm-up fills the server's pools. Then, for N seconds, the connections send whole requests, halves and several at once,
read the answer or not, and end by FIN or RST. Every answer that was awaited must be a 200. Afterwards the server's
descriptors must be what they were before, and its memory within 4 MiB of it (a sanitizer keeps freed memory: not then).
"""
import argparse, os, pathlib, random, re, selectors, signal, socket, struct, subprocess, sys, time

REQUEST = b"GET /plaintext HTTP/1.1\r\nHost: x\r\n\r\n"
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close() resets the connection


class Connection:
    """One client: connects, sends, perhaps reads, ends. `step` does what is possible now and says whether it is over."""

    def __init__(self, port, dice):
        self.dice = dice
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.connect_ex(("127.0.0.1", port))
        self.awaited = dice.choice((0, 1, 1, 1, 4, 16))
        self.requests_left = dice.choice((1, 1, 3, 20)) if self.awaited else 1
        self.received = b""
        self.sent = False
        self.answers = 0

    def send(self):
        data = REQUEST * self.awaited or REQUEST[: self.dice.randrange(len(REQUEST))]
        self.socket.send(data)
        self.sent = True
        return not self.awaited or self.dice.random() < 0.1  # dropped before the answer

    def receive(self):
        data = self.socket.recv(65536)
        if not data:
            raise RuntimeError("the server closed a connection that was in order")
        self.received += data
        whole = self.received.count(b"Hello, World!")
        if whole < self.awaited:
            return False
        if self.received.count(b"HTTP/1.1 200 OK") != whole:
            raise RuntimeError(f"not a 200: {self.received[:200]!r}")
        self.answers += whole
        self.received, self.sent = b"", False
        self.requests_left -= 1
        return self.requests_left == 0

    def step(self):
        return self.receive() if self.sent else self.send()

    def end(self):
        if self.dice.random() < 0.3:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.socket.close()


def churn(port, seconds, count, dice):
    """Returns how many connections there were, and how many answers."""
    selector = selectors.DefaultSelector()

    def open_one():
        connection = Connection(port, dice)
        selector.register(connection.socket, selectors.EVENT_WRITE, connection)

    for _ in range(count):
        open_one()
    opened, answers, end = count, 0, time.monotonic() + seconds
    while time.monotonic() < end:
        for key, _ in selector.select(0.1):
            connection = key.data
            if connection.step():
                selector.unregister(connection.socket)
                answers += connection.answers
                connection.end()
                open_one()
                opened += 1
            else:
                selector.modify(connection.socket, selectors.EVENT_READ if connection.sent else selectors.EVENT_WRITE, connection)
    for key in list(selector.get_map().values()):
        key.data.end()
    return opened, answers


def state(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return len(os.listdir(f"/proc/{pid}/fd")), int(re.search(r"VmRSS:\s+(\d+)", status)[1])


def settled(pid, wanted_fds):
    """The state once the descriptors are back, or after 5 s."""
    end = time.monotonic() + 5
    while state(pid)[0] > wanted_fds and time.monotonic() < end:
        time.sleep(0.05)
    return state(pid)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server")
    parser.add_argument("backend")
    parser.add_argument("workers")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--connections", type=int, default=500)
    parser.add_argument("--sanitized", action="store_true")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    dice = random.Random(options.seed)
    server = subprocess.Popen([options.server, "--port", "0", "--workers", options.workers, "--backend", options.backend],
                              stdout=subprocess.PIPE, text=True)
    ready = re.search(r":(\d+)", server.stdout.readline())
    if not ready:  # a back end that is refused here
        sys.exit(77 if options.backend == "io_uring" and server.wait(10) != 0 else 1)
    try:
        port = int(ready[1])
        idle_fds, _ = state(server.pid)
        churn(port, max(2, options.seconds / 10), options.connections, dice)
        before = settled(server.pid, idle_fds)
        opened, answers = churn(port, options.seconds, options.connections, dice)
        after = settled(server.pid, idle_fds)
    finally:
        server.send_signal(signal.SIGTERM)
        code = server.wait(10)
    print(f"{options.backend}, {options.workers} workers, seed {options.seed}: {opened} connections, {answers} answers in "
          f"{options.seconds:.0f} s; descriptors {idle_fds} -> {after[0]}; memory {before[1]} -> {after[1]} KiB; exit {code}")
    if after[0] != idle_fds or before[0] != idle_fds:
        sys.exit("descriptors are left over")
    if after[1] > before[1] + 4096 and not options.sanitized:
        sys.exit("memory has grown")
    if code != 0 or answers == 0:
        sys.exit("the server did not end well, or answered nothing")


main()
