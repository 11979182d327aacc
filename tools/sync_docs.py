#!/usr/bin/env python3
"""Keeps the code in README.md and docs/ equal to the examples, which are compiled and run.

A region of a file in examples/ is marked by

    // docs:begin NAME
    ...
    // docs:end

and a page shows it by a fenced block after a line that says where it comes from:

    <!-- from examples/hello.cpp NAME -->

--check (the default) prints what differs and exits with 1; --write updates the pages. Every block of C++ needs a source,
every page that a page links to must be there, and every test that a table names in its column "test" or "shown by".
"""
import argparse
import difflib
import pathlib
import re
import sys
import textwrap

SOURCE = re.compile(r"<!-- from (\S+) (\S+) -->")
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
    arguments = parser.parse_args()
    root = arguments.root

    status = 0
    tests = known_tests(root)
    for page in [root / "README.md", *sorted((root / "docs").rglob("*.md"))]:
        name = page.relative_to(root)
        try:
            lines = page.read_text().splitlines()
            wanted = synchronized(root, name, lines)
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
            print("\n".join(difflib.unified_diff(lines, wanted, str(name), "the examples", lineterm="")))
            print(f"{name} differs from the examples: tools/sync_docs.py --write")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
