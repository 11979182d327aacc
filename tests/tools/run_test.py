"""How tools/run.py reads what wrk says."""

import importlib.util
import pathlib
import sys
import unittest

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "run.py"
sys.dont_write_bytecode = True
spec = importlib.util.spec_from_file_location("run", TOOL)
run = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = run
spec.loader.exec_module(run)

OUTPUT = """Running 3s test @ http://127.0.0.1:33817/plaintext
  2 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   768.31us  541.52us  12.04ms   94.50%
    Req/Sec    42.39k     2.11k   47.31k    69.99%
  Latency Distribution
     50%  650.00us
     75%  801.00us
     90%    1.01ms
     99%    1.22ms
  253471 requests in 3.01s, 31.67MB read
Requests/sec:  84297.31
Transfer/sec:     10.53MB
"""
ERRORS = "  Socket errors: connect 1, read 20, write 300, timeout 4000\n  Non-2xx or 3xx responses: 50000\n"


class ParseWrk(unittest.TestCase):
    def test_numbers(self):
        self.assertEqual(run.parse_wrk(OUTPUT), (253471, 84297.31, "650.00us", "1.22ms", 0))

    def test_errors_are_summed(self):
        self.assertEqual(run.parse_wrk(OUTPUT + ERRORS)[4], 54321)

    def test_what_is_not_understood_is_a_failure(self):
        with self.assertRaises(run.Failure):
            run.parse_wrk("unable to connect to 127.0.0.1:1")


class Table(unittest.TestCase):
    def test_columns_are_aligned(self):
        measurement = run.Measurement("epoll", "2", 10, 94634, "520.00us", "6.87ms", 6, 0)
        head, rule, row = run.table([measurement]).splitlines()
        self.assertEqual(len(head), len(rule))
        self.assertEqual(len(head), len(row))
        self.assertIn("94,634", row)


if __name__ == "__main__":
    unittest.main()
