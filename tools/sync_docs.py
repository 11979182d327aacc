#!/usr/bin/env python3
"""Keeps the code in README.md and docs/ equal to the examples, which are compiled and run.

A region of a file in examples/ is marked by

    // docs:begin NAME
    ...
    // docs:end

and a page shows it by a fenced block after a line that says where it comes from; without a name it is the whole file:

    <!-- from examples/hello.cpp NAME -->

With --skua PATH, a built skua command, what it prints is kept up to date too: in a fenced block or a table after

    <!-- output of skua config print -->

and in a header, in the lines of a comment that are moved to the right after one that ends in "(output of skua ...):".
The command runs in examples/config/, with no SKUA_ variables but those that stand before it.

--check (the default) prints what differs and exits with 1; --write updates the pages. Every block of C++ needs a source,
every page that a page links to must be there, and every test that a table names in its column "test" or "shown by".
"""
import argparse
import difflib
import os
import pathlib
import re
import shlex
import subprocess
import sys
import textwrap

HEADERS = ("runtime/options.hpp", "runtime/config/load.hpp")
OUTPUT = re.compile(r"<!-- output of (.+) -->")
COMMENT = re.compile(r"(\s*//+) .*\(output of (.+)\):")
SOURCE = re.compile(r"<!-- from (\S+)(?: (\S+))? -->")
TEST = re.compile(r"\bTEST(?:_[FP])?\(\s*(\w+),\s*(\w+)\s*\)")
MODEL = re.compile(r"runner\.run<[^>]+>\(\"(\w+)\"")
PROOF_COLUMNS = ("test", "shown by")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


class Mistake(Exception):
    """What is wrong with a page or an example, for its author."""


def region(root, path, name):
    """The lines of a region, moved to the left margin."""
    file = root / path
    if not file.is_file():
        raise Mistake(f"there is no {path}")
    if name is None:
        return file.read_text().splitlines()
    lines, inside = [], False
    for line in file.read_text().splitlines():
        marker = line.strip()
        if marker == f"// docs:begin {name}":
            inside = True
        elif marker == "// docs:end" and inside:
            return textwrap.dedent("\n".join(lines)).splitlines()
        elif inside and not marker.startswith("// docs:begin "):
            lines.append(line)
    raise Mistake(f"{path} has no region {name} from docs:begin to docs:end")


def synchronized(root, page, lines):
    """The page as it should be."""
    result, block, source = [], None, None
    for number, line in enumerate(lines, 1):
        if block is None and line.startswith("```") and len(line) > 3:
            block = line
            if line == "```cpp" and source is None:
                raise Mistake(f"{page}:{number}: a block of C++ without a source: put <!-- from examples/x.cpp NAME --> before it")
            result += [line, *(region(root, *source) if source else [])]
        elif block is None and line == "```":
            raise Mistake(f"{page}:{number}: a fenced block names its language: cpp, shell, cmake, toml or text")
        elif line == "```":
            block = source = None
            result.append(line)
        elif block is None or source is None:
            result.append(line)
        if block is None:
            found = SOURCE.fullmatch(line)
            source = found.groups() if found else source
            if source and not found and line and line != "```":
                raise Mistake(f"{page}:{number}: a source line stands right before its block")
    if block is not None or source is not None:
        raise Mistake(f"{page}: the last block does not end")
    return result


class Skua:
    """What the command prints."""

    def __init__(self, path, folder):
        self.path, self.folder = path.resolve(), folder
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("SKUA_")}

    def output(self, command):
        words = shlex.split(command)
        variables = [words.pop(0) for word in list(words) if word.startswith("SKUA_") and "=" in word]
        if not words or words.pop(0) != "skua":
            raise Mistake(f"not a skua command: {command}")
        result = subprocess.run([self.path, *words], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                text=True, env={**self.environment, **dict(v.split("=", 1) for v in variables)})
        return result.stdout.rstrip("\n").splitlines()


def with_outputs(page, lines, skua):
    """The page with what the commands print now."""
    result, rest = [], iter(lines)
    for line in rest:
        result.append(line)
        found = OUTPUT.fullmatch(line)
        if not found:
            continue
        first = next(rest, "")
        is_fenced = first.startswith("```")
        if not is_fenced and not first.startswith("|"):
            raise Mistake(f"{page}: a fenced block or a table follows {line}")
        result += [first, *skua.output(found[1])] if is_fenced else skua.output(found[1])
        end = "```" if is_fenced else ""
        for old in rest:
            if old == end:
                result.append(end)
                break
    return result


def header_with_outputs(lines, skua):
    """The header, in whose comments stands what the commands print now."""
    result, prefix = [], None
    for line in lines:
        if prefix is not None and line.startswith(prefix + "   "):
            continue
        prefix = None
        result.append(line)
        found = COMMENT.fullmatch(line)
        if found:
            prefix = found[1]
            result += [f"{prefix}   {output}" for output in skua.output(found[2])]
    return result


def check_links(page, lines):
    inside = False
    for number, line in enumerate(lines, 1):
        if line.startswith("```"):
            inside = not inside
        if inside:  # a lambda looks like a link
            continue
        for target in LINK.findall(line):
            if not (page.parent / target).exists():
                raise Mistake(f"{page}:{number}: links to {target}, which is not there")


def known_tests(root):
    """The names by which a page may call a test: suite.name, name; of a model, its scenario."""
    names = set()
    for file in (root / "tests").rglob("*.cpp"):
        text = file.read_text()
        for suite, name in TEST.findall(text):
            names |= {name, f"{suite}.{name}"}
        names |= set(MODEL.findall(text))
    return names


def check_tests(page, lines, known):
    proves = False
    for number, line in enumerate(lines, 1):
        if not line.startswith("|"):
            proves = False
            continue
        last = line.strip().strip("|").split("|")[-1].strip()
        if not proves:
            proves = last in PROOF_COLUMNS
            continue
        for name in re.findall(r"`([^`]+)`", last):
            if name not in known:
                raise Mistake(f"{page}:{number}: there is no test {name}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="tell what differs (the default)")
    mode.add_argument("--write", action="store_true", help="update the pages")
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    parser.add_argument("--skua", type=pathlib.Path, help="a built skua command: checks what pages and headers quote of it")
    arguments = parser.parse_args()
    root = arguments.root
    skua = Skua(arguments.skua, root / "examples" / "config") if arguments.skua else None

    status = 0
    tests = known_tests(root)
    headers = [root / header for header in HEADERS] if skua else []
    for page in [root / "README.md", *sorted((root / "docs").rglob("*.md")), *headers]:
        name = page.relative_to(root)
        try:
            lines = page.read_text().splitlines()
            if page in headers:
                wanted = header_with_outputs(lines, skua)
            else:
                wanted = synchronized(root, name, lines)
                wanted = with_outputs(name, wanted, skua) if skua else wanted
                check_links(page, lines)
                check_tests(name, lines, tests)
        except Mistake as mistake:
            print(mistake)
            status = 1
            continue
        if wanted == lines:
            continue
        if arguments.write:
            page.write_text("\n".join(wanted) + "\n")
            print(f"updated {name}")
        else:
            print("\n".join(difflib.unified_diff(lines, wanted, str(name), "as it should be", lineterm="")))
            option = f" --skua {arguments.skua}" if skua else ""
            print(f"{name} differs from the examples: tools/sync_docs.py --write{option}")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
