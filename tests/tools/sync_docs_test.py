#!/usr/bin/env python3
"""What tools/sync_docs.py accepts, refuses and repairs; then the pages of this project."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "sync_docs.py"
EXAMPLE = "int a;\n  // docs:begin one\n  int b;\n    int c;\n  // docs:end\nint d;\n"
GOOD = "Text.\n\n<!-- from examples/x.cpp one -->\n```cpp\nint b;\n  int c;\n```\n\n```shell\ntools/test\n```\n"


def sync(*arguments):
    return subprocess.run([sys.executable, "-B", str(TOOL), *arguments], capture_output=True, text=True)


class SyncDocs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        (self.root / "examples").mkdir()
        (self.root / "docs").mkdir()
        (self.root / "examples" / "x.cpp").write_text(EXAMPLE)
        self.page = self.root / "docs" / "page.md"
        self.page.write_text(GOOD)
        (self.root / "README.md").write_text("# Read\n")

    def expect(self, status, *words, options=()):
        result = sync("--root", str(self.root), *options)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        for word in words:
            self.assertIn(word, result.stdout)

    def test_equal_blocks_pass(self):
        self.expect(0)

    def test_a_changed_example_is_shown_and_written(self):
        (self.root / "examples" / "x.cpp").write_text(EXAMPLE.replace("int c", "long c"))
        self.expect(1, "-  int c;", "+  long c;", "--write", options=["--check"])
        self.expect(0, "updated docs/page.md", options=["--write"])
        self.expect(0)
        self.assertEqual(self.page.read_text(), GOOD.replace("int c", "long c"))

    def test_an_empty_block_is_filled(self):
        self.page.write_text("<!-- from examples/x.cpp one -->\n```cpp\n```\n")
        self.expect(1)
        self.expect(0, options=["--write"])
        self.assertIn("int b;", self.page.read_text())

    def test_code_without_a_source_is_refused(self):
        self.page.write_text("```cpp\nint e;\n```\n")
        self.expect(1, "docs/page.md:1", "without a source")

    def test_missing_files_regions_and_links_are_named(self):
        self.page.write_text(GOOD.replace("x.cpp", "y.cpp"))
        self.expect(1, "there is no examples/y.cpp")
        self.page.write_text(GOOD.replace(" one ", " two "))
        self.expect(1, "no region two")
        self.page.write_text("See [this](that.md).\n")
        self.expect(1, "docs/page.md:1", "that.md")

    def test_a_lambda_is_not_a_link(self):
        (self.root / "examples" / "x.cpp").write_text(EXAMPLE.replace("int b;", "use([](int b) {});"))
        self.expect(0, options=["--write"])
        self.page.write_text(self.page.read_text() + "\nSee [this](that.md).\n")
        self.expect(1, "docs/page.md:13", "that.md")

    def test_tests_that_a_table_names_must_be_there(self):
        (self.root / "tests").mkdir()
        (self.root / "tests" / "a_test.cpp").write_text('TEST_P(queue, keeps_order) {}\nrunner.run<Order>("order", 20);\n')
        table = "| dropped | shown by |\n|---|---|\n| `x()` | `{}` |\n\n| other | table |\n|---|---|\n| a | `b` |\n"
        for name in ("queue.keeps_order", "keeps_order", "order"):
            self.page.write_text(table.format(name))
            self.expect(0)
        self.page.write_text(table.format("queue.loses_order"))
        self.expect(1, "docs/page.md:3", "no test queue.loses_order")

    def fake_skua(self, text):
        script = self.root / "skua"
        script.write_text(f"#!/bin/sh\n{text}\n")
        script.chmod(0o755)
        (self.root / "examples" / "config").mkdir(exist_ok=True)
        (self.root / "runtime" / "config").mkdir(parents=True, exist_ok=True)
        for header in ("options.hpp", "config/load.hpp"):
            (self.root / "runtime" / header).write_text("// Nothing.\n")
        return f"--skua={script}"

    def test_what_the_command_prints_is_shown_and_written(self):
        skua = self.fake_skua('echo "$SKUA_WORKERS $*, in $(basename "$PWD")"')
        marker = "<!-- output of SKUA_WORKERS=2 skua config print -->\n"
        self.page.write_text(marker + "```text\nold\nlines\n```\nafter\n")
        self.expect(0)
        self.expect(1, "-old", "+2 config print, in config", options=[skua])
        self.expect(0, "updated docs/page.md", options=["--write", skua])
        self.assertEqual(self.page.read_text(), marker + "```text\n2 config print, in config\n```\nafter\n")
        self.expect(0, options=[skua])

    def test_a_table_that_the_command_prints(self):
        skua = self.fake_skua("printf '| a |\\n|---|\\n| 1 |\\n'")
        marker = "<!-- output of skua x -->\n"
        self.page.write_text(marker + "| b |\n\nafter\n")
        self.expect(0, options=["--write", skua])
        self.assertEqual(self.page.read_text(), marker + "| a |\n|---|\n| 1 |\n\nafter\n")
        self.page.write_text(marker + "after\n")
        self.expect(1, "a fenced block or a table follows", options=[skua])

    def test_what_the_command_prints_in_a_header(self):
        skua = self.fake_skua("printf 'one\\n  two\\n'")
        header = self.root / "runtime" / "options.hpp"
        text = "int a;\n  /// The keys (output of skua x):\n{}  /// After.\n  ///   kept\n"
        header.write_text(text.format("  ///   old\n  ///     lines\n"))
        self.expect(1, "-  ///   old", "+  ///   one", options=[skua])
        self.expect(0, options=["--write", skua])
        self.assertEqual(header.read_text(), text.format("  ///   one\n  ///     two\n"))
        self.expect(0, options=[skua])

    def test_a_whole_file(self):
        (self.root / "examples" / "x.toml").write_text("a = 1\n\nb = 2\n")
        self.page.write_text("<!-- from examples/x.toml -->\n```toml\na = 1\n\nb = 2\n```\n")
        self.expect(0)
        self.page.write_text("<!-- from examples/x.toml -->\n```toml\na = 2\n```\n")
        self.expect(1, "+a = 1", "+b = 2")

    def test_the_pages_of_this_project_are_in_step(self):
        result = sync("--check")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)


if __name__ == "__main__":
    unittest.main()
