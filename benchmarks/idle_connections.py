#!/usr/bin/env python3
"""What connections cost that do nothing, and what they cost those that do something.

  idle_connections.py SERVER [--idle 18000] [--active 500] [--rate 5000] [--seconds 10] [--backend B] [--workers N]

SERVER is benchmark_echo_server. Prints the server's memory for each idle connection (beyond the 1 KiB that the program
itself keeps for each), and the round trips of the active connections, at a fixed rate of requests, without and with the
idle ones. The client is one Python thread: its own delays are in all figures alike. A sent request is due at its time,
not when the client got to it.
"""
import argparse, pathlib, random, selectors, socket, subprocess, sys, time

MESSAGE = b"0123456789abcdef" * 4


def resident_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def connect(port, count):
    connections = []
    for _ in range(count):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connections.append(connection)
    return connections


def ping(connection):
    connection.sendall(MESSAGE)
    if connection.recv(len(MESSAGE), socket.MSG_WAITALL) != MESSAGE:
        sys.exit("the server answered something else")


def round_trips(connections, rate, seconds):
    """Milliseconds from when each request was due until its answer was there."""
    selector = selectors.DefaultSelector()
    free = list(connections)
    random.shuffle(free)
    for connection in connections:
        selector.register(connection, selectors.EVENT_READ)
    due_of, times = {}, []
    start = time.perf_counter()
    due = start
    while True:
        now = time.perf_counter()
        if now > start + seconds:
            return times
        while due <= now and free:
            connection = free.pop()
            connection.send(MESSAGE)
            due_of[connection] = due
            due += 1 / rate
        for key, _ in selector.select(max(0, min(due - time.perf_counter(), 0.05))):
            if len(key.fileobj.recv(4096)) != len(MESSAGE):
                sys.exit("a short or missing answer")
            times.append((time.perf_counter() - due_of.pop(key.fileobj)) * 1e3)
            free.insert(random.randrange(len(free) + 1), key.fileobj)


def report(what, times, cpu, seconds):
    times.sort()
    at = lambda share: times[int(share * (len(times) - 1))]
    print(f"{what:24} {len(times) / seconds:8.0f}/s   p50 {at(.5):6.2f}   p99 {at(.99):6.2f}   p99.9 {at(.999):6.2f} ms   "
          f"server {cpu / len(times) * 1e6:5.1f} us of CPU a request", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("server")
    parser.add_argument("--idle", type=int, default=18000)
    parser.add_argument("--active", type=int, default=500)
    parser.add_argument("--rate", type=float, default=5000)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--backend", default="io_uring")
    parser.add_argument("--workers", default="1")
    parser.add_argument("--port", type=int, default=9321)
    options = parser.parse_args()
    server = subprocess.Popen([options.server, "-p", str(options.port), "-w", options.workers, "-b", options.backend,
                               "-s", "1024"])
    try:
        time.sleep(0.5)
        active = connect(options.port, options.active)
        for connection in active:
            ping(connection)

        def measure(what):
            before = cpu_seconds(server.pid)
            times = round_trips(active, options.rate, options.seconds)
            report(what, times, cpu_seconds(server.pid) - before, options.seconds)

        measure("alone")
        before = resident_kib(server.pid)
        idle = connect(options.port, options.idle)
        for connection in idle:
            ping(connection)  # each has been served once, and waits
        grown = resident_kib(server.pid) - before
        print(f"{options.idle} idle connections: {grown} KiB, {grown * 1024 / options.idle - 1024:.0f} bytes each "
              "beyond its buffer")
        before = cpu_seconds(server.pid)
        time.sleep(5)
        print(f"nothing to do for 5 s: {(cpu_seconds(server.pid) - before) * 1e3:.0f} ms of CPU")
        measure(f"beside {options.idle} idle")
        for connection in random.sample(idle, 1000):
            ping(connection)
    finally:
        server.kill()
        server.wait()


main()
