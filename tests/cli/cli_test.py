#!/usr/bin/env python3
"""The skua command: what it prints, how it ends, and how wide it is.

usage: cli_test.py SKUA [unittest options]
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

SKUA = str(pathlib.Path(sys.argv.pop(1)).resolve())
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("SKUA_")}


class Command(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_skua(self, *arguments, **variables):
        return subprocess.run([SKUA, *arguments], cwd=self.folder, capture_output=True, text=True,
                              env={**ENVIRONMENT, **variables})

    def expect(self, status, *arguments, **variables):
        """What it prints: on standard output, or on standard error if it fails before it prints anything."""
        result = self.run_skua(*arguments, **variables)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        self.assertEqual(bool(result.stdout), not result.stderr, result.stdout + result.stderr)
        return result.stdout or result.stderr

    def write(self, text, name="skua.toml"):
        (self.folder / name).write_text(text)


class Config(Command):
    def test_check_prints_all_errors(self):
        self.write('wrokers = 2\nbackend = "kqueue"\n[blocking]\nthreads = 0\n')
        self.assertEqual(self.expect(1, "config", "check", "skua.toml"),
                         "option wrokers (from skua.toml:1; did you mean workers?): no such option\n"
                         'option backend = "kqueue" (from skua.toml:2): expected auto, io_uring or epoll\n'
                         'option blocking.threads = "0" (from skua.toml:4): expected a number from 1 to 1024\n')

    def test_check_accepts_what_is_right(self):
        self.write("workers = 2\n")
        self.assertEqual(self.expect(0, "config", "check", "skua.toml"), "skua.toml is fine\n")

    def test_check_of_a_file_that_is_not_there_or_no_toml(self):
        self.assertEqual(self.expect(1, "config", "check", "a.toml"), "open a.toml: No such file or directory\n")
        self.write("workers = = 2\n")
        self.assertRegex(self.expect(1, "config", "check", "skua.toml"), r"option file skua\.toml:1:11 \(.*\): not valid TOML\n")

    def test_explain_by_key_variable_and_flag(self):
        text = self.expect(0, "config", "explain", "blocking.keep_alive_ms")
        for line in ("blocking.keep_alive_ms\n", "takes          a number from 0 to 3600000 (ms)\n", "default        10000\n",
                     "environment    SKUA_BLOCKING_KEEP_ALIVE_MS\n", "command line   --blocking-keep-alive-ms\n",
                     "while running  can change: Runtime::reconfigure()\n"):
            self.assertIn(line, text)
        for spelled in ("SKUA_BLOCKING_KEEP_ALIVE_MS",):
            self.assertEqual(self.expect(0, "config", "explain", spelled), text)
        self.assertEqual(self.expect(0, "config", "explain", "--", "--blocking-keep-alive-ms"), text)
        self.assertIn("while running  cannot change: needs a restart\n", self.expect(0, "config", "explain", "backend"))

    def test_explain_what_is_no_key(self):
        self.assertEqual(self.expect(1, "config", "explain", "worker"),
                         "option worker (from command line; did you mean workers?): no such option\n")

    def test_explain_lists_all_keys(self):
        lines = self.expect(0, "config", "explain").splitlines()
        self.assertIn("workers                       auto or a number from 1 to 1024 (threads)", lines)
        self.assertEqual(len(lines), len(self.expect(0, "config", "print").splitlines()))

    def test_print_says_who_set_it(self):
        self.write("workers = 2\n[blocking]\nthreads = 3\n")
        lines = self.expect(0, "config", "print", SKUA_BLOCKING_THREADS="4").splitlines()
        self.assertEqual([line.split() for line in lines if line.startswith(("workers ", "blocking.th", "backend"))],
                         [["workers", "2", "skua.toml:1"], ["backend", "auto", "default"],
                          ["blocking.threads", "4", "SKUA_BLOCKING_THREADS"]])

    def test_print_toml_can_be_read_again(self):
        self.write("workers = 2\n")
        for style in ((), ("--brief",)):
            text = self.expect(0, "config", "print", "--toml", *style, SKUA_BACKEND="epoll")
            self.write(text, "again.toml")
            self.expect(0, "config", "check", "again.toml")
            printed = self.expect(0, "config", "print", SKUA_CONFIG="again.toml")
            self.assertRegex(printed, r"(?m)^workers +2 +again\.toml:\d+$")
            self.assertRegex(printed, r"(?m)^backend +epoll +again\.toml:\d+$")

    def test_print_of_a_bad_environment(self):
        self.assertEqual(self.expect(1, "config", "print", SKUA_WORKERS="many"),
                         'option workers = "many" (from SKUA_WORKERS): expected auto or a number from 1 to 1024\n')

    def test_a_variable_that_means_nothing_is_a_warning(self):
        result = self.run_skua("config", "print", SKUA_WROKERS="2")
        self.assertEqual(result.returncode, 0)
        self.assertEqual(result.stderr, "skua: warning: SKUA_WROKERS is set, and means nothing to the runtime; "
                                        "did you mean SKUA_WORKERS?\n")

    def test_nothing_is_wider_than_a_terminal(self):
        keys = [line.split()[0] for line in self.expect(0, "config", "explain").splitlines()]
        for arguments in (["print"], ["print", "--toml"], ["print", "--toml", "--brief"], ["explain"],
                          *(["explain", key] for key in keys)):
            for line in self.expect(0, "config", *arguments).splitlines():
                # A comment of a file may be longer.
                self.assertLessEqual(len(line), 110 if line.startswith("#") else 80, line)

    def test_misuse(self):
        self.assertEqual(self.run_skua("config").returncode, 106)  # CLI11: a subcommand is required
        self.assertIn("FILE is required", self.run_skua("config", "check").stderr)
        self.assertIn("--brief requires --toml", self.run_skua("config", "print", "--brief").stderr)


class Help(Command):
    def test_help_and_version(self):
        text = self.expect(0, "--help")
        for word in ("config", "doctor", "new", "help", "--version"):
            self.assertIn(word, text)
        self.assertEqual(self.expect(0, "help"), text)
        self.assertEqual(self.expect(1), text)
        self.assertTrue(re.fullmatch(r"skua \d+\.\d+\.\d+\n", self.expect(0, "--version")))
        commands = (["config"], ["config", "check"], ["config", "explain"], ["config", "print"], ["doctor"], ["new"])
        for line in "".join([text, *(self.expect(0, *command, "--help") for command in commands)]).splitlines():
            self.assertLessEqual(len(line), 80, line)

    def test_unknown_command(self):
        self.assertIn("stop", self.run_skua("stop").stderr)


class New(Command):
    def test_refuses_names_that_cannot_be(self):
        for name in ("Hello", "7up", "a b", "test", "a.b", "héllo", "-x", "/"):
            result = self.run_skua("new", "--", name)
            self.assertEqual(result.returncode, 2, name)
            self.assertIn("is no name for a project", result.stderr)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_leaves_what_is_there_alone(self):
        (self.folder / "hello").mkdir()
        self.assertEqual(self.expect(1, "new", "hello"), "skua new: make hello: File exists\n")
        self.assertEqual(list((self.folder / "hello").iterdir()), [])
        self.assertEqual(self.expect(1, "new", "absent/hello"), "skua new: make absent/hello: No such file or directory\n")

    def test_names_everything_and_leaves_no_placeholder(self):
        self.assertIn("made my-server2", self.expect(0, "new", "my-server2/"))
        files = {file.name: file.read_text() for file in (self.folder / "my-server2").iterdir()}
        self.assertEqual(sorted(files), sorted([".gitignore", "CMakeLists.txt", "Dockerfile", "README.md", "main.cpp",
                                                "server.cpp", "server.hpp", "server_test.cpp", "skua.toml"]))
        for name, text in files.items():
            self.assertNotIn("{{", text, name)
        self.assertIn("project(my-server2 ", files["CMakeLists.txt"])
        self.expect(0, "config", "check", "my-server2/skua.toml")


if __name__ == "__main__":
    unittest.main()
