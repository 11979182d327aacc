#!/usr/bin/env python3
"""Checks that every memory ordering is justified, and generates docs/memory-orderings.md.

    tools/check_orderings.py               check; also that the document is up to date, if there is one
    tools/check_orderings.py --write-docs  check, and write the document

The rules, for core, scheduler, reactor and runtime:
  * An acquire, release, acq_rel or seq_cst has a tag in a comment on its line or within four lines above:
        // [LQ2] release: a thief that sees the new tail sees the slot; pairs with [LQ3].
    The tag names the ordering that the code has, is defined once, and says what it pairs with: tags, or itself.
  * A relaxed says why, in a comment with that word on its line, within six lines above, or above the function or
    class that it is in.
  * Orderings are written out, and nobody but the seams in core names the standard library's threads and atomics.
"""

import argparse
import pathlib
import re
import sys
from dataclasses import dataclass, field

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENT = pathlib.Path("docs/memory-orderings.md")
LAYERS = ("core", "scheduler", "reactor", "runtime")
SEAMS = re.compile(r"core/(atomic|mutex|thread)\.[ch]pp")

TAG = r"\[[A-Z]+\d+\]"
ORDERING = re.compile(r"memory_order(?:_|::)(relaxed|consume|acquire|release|acq_rel|seq_cst)\b")
DEFINITION = re.compile(rf"({TAG})\s+(consume|acquire|release|acq_rel|seq_cst)\b")
PARTNERS = re.compile(rf"pairs with\s+((?:itself|{TAG})(?:(?:,|\s|and)+(?:itself|{TAG}))*)", re.IGNORECASE)
FORBIDDEN = re.compile(r"\bstd::(?:atomic\w*|mutex|(?:shared|recursive|timed)_\w*mutex|j?thread|condition_variable\w*)\b"
                       r"|\batomic_(?:thread|signal)_fence\b")
ACCESS = re.compile(r"(?:\.|->)(?:load\(\)|fetch_(?:add|sub|and|or|xor)\(|compare_exchange_\w+\(|exchange\()")


@dataclass
class Tag:
    name: str
    ordering: str
    file: str
    line: int
    text: str
    partners: list
    uses: list = field(default_factory=list)  # lines of the orderings that it explains


class Source:
    """A file, each line split into code and comment."""

    def __init__(self, path):
        self.name = str(path.relative_to(ROOT))
        self.code, self.comment = [], []
        for line in path.read_text().splitlines():
            bare = re.sub(r'"(\\.|[^"\\])*"', lambda text: '"' + "_" * (len(text[0]) - 2) + '"', line)
            start = bare.find("//")
            self.code.append(bare if start < 0 else bare[:start])
            self.comment.append("" if start < 0 else line[start:].lstrip("/<! ").rstrip())

    def is_comment(self, at):
        return 0 <= at < len(self.code) and bool(self.comment[at]) and not self.code[at].strip()

    def block(self, at):
        """First and last line of the comment that line `at` belongs to."""
        first = last = at
        if self.is_comment(at):
            while self.is_comment(first - 1):
                first -= 1
            while self.is_comment(last + 1):
                last += 1
        return first, last

    def comments_near(self, at, above):
        """Lines with a comment: on the line, and in blocks that reach into the lines above. Nearest first."""
        lines = set()
        for near in range(max(0, at - above), at + 1):
            if self.comment[near]:
                first, last = self.block(near)
                lines.update(range(first, last + 1))
        return sorted(lines, reverse=True)

    def comments_of_enclosing(self, at):
        """Lines of the comments above the functions and classes around line `at`, told by their indentation."""
        depth = len(self.code[at]) - len(self.code[at].lstrip())
        for above in range(at, -1, -1):
            if not self.code[above].strip():
                continue
            indent = len(self.code[above]) - len(self.code[above].lstrip())
            if above == at or indent < depth:
                depth = indent
                if self.is_comment(above - 1):
                    first, last = self.block(above - 1)
                    yield from range(first, last + 1)

    def statement(self, at):
        """The code from line `at` to the end of its statement."""
        text = ""
        for line in self.code[at:at + 8]:
            text += line + " "
            if ";" in line or "{" in line:
                break
        return text


class Checker:
    def __init__(self):
        self.tags = {}
        self.relaxed = 0
        self.faults = []

    def fault(self, source, at, text):
        self.faults.append(f"{source.name}:{at + 1}: {text}")

    def find_tags(self, source):
        for at, comment in enumerate(source.comment):
            definitions = list(DEFINITION.finditer(comment))
            for index, found in enumerate(definitions):
                end = definitions[index + 1].start() if index + 1 < len(definitions) else len(comment)
                text = comment[found.start():end]
                if end == len(comment):
                    for below in range(at + 1, source.block(at)[1] + 1):
                        continued = source.comment[below]
                        following = DEFINITION.search(continued)
                        text += " " + (continued[:following.start()] if following else continued)
                        if following:
                            break
                self.define(source, at, found, text.strip())

    def define(self, source, at, found, text):
        name = found[1]
        if name in self.tags:
            other = self.tags[name]
            self.fault(source, at, f"{name} is defined already, at {other.file}:{other.line}")
            return
        partners = [word for list_ in PARTNERS.findall(text) for word in re.findall(rf"itself|{TAG}", list_)]
        self.tags[name] = Tag(name, found[2], source.name, at + 1, text[len(name):].strip(), partners)

    def check_orderings(self, source):
        for at, code in enumerate(source.code):
            for ordering in ORDERING.findall(code):
                if ordering == "relaxed":
                    self.check_relaxed(source, at)
                else:
                    self.check_tagged(source, at, ordering)
            if ACCESS.search(code) and "order" not in source.statement(at):
                self.fault(source, at, "the memory ordering is not written out")

    def check_relaxed(self, source, at):
        self.relaxed += 1
        near = [*source.comments_near(at, 6), *source.comments_of_enclosing(at)]
        if not any(re.search(r"\brelaxed\b", source.comment[line], re.IGNORECASE) for line in near):
            self.fault(source, at, "relaxed without a reason: say why in a comment with the word relaxed")

    def check_tagged(self, source, at, ordering):
        near = [match for line in source.comments_near(at, 4) for match in DEFINITION.finditer(source.comment[line])]
        for match in near:
            if match[2] == ordering and match[1] in self.tags:
                self.tags[match[1]].uses.append(f"{source.name}:{at + 1}")
                return
        if near:
            self.fault(source, at, f"the code says {ordering}, the tag {near[0][1]} says {near[0][2]}")
        else:
            self.fault(source, at, f"{ordering} without a tag: // [XY1] {ordering}: why; pairs with [XY2]")

    def check_tags(self):
        for tag in self.tags.values():
            where = f"{tag.file}:{tag.line}: {tag.name}"
            if not tag.partners:
                self.faults.append(f"{where} does not say what it pairs with")
            for partner in tag.partners:
                if partner != "itself" and partner not in self.tags:
                    self.faults.append(f"{where} pairs with {partner}, which is defined nowhere")
            if not tag.uses:
                self.faults.append(f"{where} explains no ordering: none that is {tag.ordering} stands near it")

    def check_seams(self, source):
        if SEAMS.fullmatch(source.name):
            return
        for at, code in enumerate(source.code):
            for name in FORBIDDEN.findall(code):
                self.fault(source, at, f"{name} outside of the seams: use skua::seam (core/atomic.hpp, mutex.hpp, thread.hpp)")


def document(tags):
    """The table of all tags, by file."""
    lines = ["# Memory orderings", "",
             "Generated by `tools/check_orderings.py --write-docs` from the comments beside the code. Each row is one tag:",
             "where it stands, the ordering, what it guarantees and with which other orderings it pairs. What is `relaxed`",
             "says why in its place.", ""]
    for file in sorted({tag.file for tag in tags}):
        lines += [f"## {file}", "", "| tag | where | ordering | why | pairs with |", "|---|---|---|---|---|"]
        for tag in sorted((tag for tag in tags if tag.file == file), key=lambda tag: natural(tag.name)):
            why = re.sub(rf"^{tag.ordering}\b[:,]?\s*|\s+Failure$", "", tag.text).replace("|", "\\|")
            where = ", ".join(re.sub(r".*:", "line ", use) for use in dict.fromkeys(tag.uses))
            lines.append(f"| {tag.name} | {where} | {tag.ordering} | {why} | {', '.join(dict.fromkeys(tag.partners))} |")
        lines.append("")
    return "\n".join(lines)


def natural(name):
    letters, digits = re.fullmatch(r"\[([A-Z]+)(\d+)\]", name).groups()
    return letters, int(digits)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write-docs", action="store_true", help=f"write {DOCUMENT}")
    arguments = parser.parse_args()

    files = sorted(path for layer in LAYERS for path in (ROOT / layer).rglob("*.[ch]pp"))
    sources = [Source(path) for path in files]
    checker = Checker()
    for source in sources:
        checker.find_tags(source)
    for source in sources:
        checker.check_orderings(source)
        checker.check_seams(source)
    checker.check_tags()

    path, text = ROOT / DOCUMENT, document(checker.tags.values())
    if arguments.write_docs:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    elif path.exists() and path.read_text() != text:
        checker.faults.append(f"{DOCUMENT} is out of date: tools/check_orderings.py --write-docs")

    for fault in checker.faults:
        print(fault)
    print(f"{len(files)} files, {len(checker.tags)} tags, {checker.relaxed} relaxed accesses, {len(checker.faults)} faults")
    return 1 if checker.faults else 0


if __name__ == "__main__":
    sys.exit(main())
