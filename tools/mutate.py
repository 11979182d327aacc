#!/usr/bin/env python3
"""Checks the power of the model tests: applies known bugs to production headers and expects the models to refute them.

tests/model/mutations.toml lists the bugs: each replaces one piece of text in one header. For each the header tree is
copied to BUILD/NAME, changed there, the model's .cpp compiled against it and run. A model that passes lets a bug
survive; a piece of text that is not found exactly once is an error, so that entries cannot rot.

Exit status: 0 all refuted, 1 some survived, 2 an entry or a build is broken.
"""

import argparse
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import time
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODELS = ROOT / "tests" / "model"
# Where it lies below skua/ in the model's include root: where it lies in the repository.
FOLDERS = {"core": "core", "scheduler": "scheduler", "reactor": "reactor", "runtime": "runtime",
           "blocking": "runtime/blocking", "sync": "runtime/sync", "task": "runtime/task",
           "time": "runtime/time"}
# -O0: a bug is found in few interleavings, so compiling is what costs.
FLAGS = ["-std=c++20", "-O0", "-w", "-fno-sized-deallocation", "-DSKUA_MODEL", "-DSKUA_ASSERTIONS"]
SECONDS = 300


class Broken(Exception):
    """The entry or its build is broken: neither refuted nor survived."""


def mutate(text: str, entry: dict) -> str:
    pieces = text.split(entry["original"])
    found = len(pieces) - 1
    index = entry.get("occurrence", 1)
    if found == 0 or index > found or (found > 1 and "occurrence" not in entry):
        raise Broken(f"the original text occurs {found} times in {entry['header']}")
    if entry["mutated"] == entry["original"]:
        raise Broken("the mutation changes nothing")
    return entry["original"].join(pieces[:index]) + entry["mutated"] + entry["original"].join(pieces[index:])


def make_tree(folder: pathlib.Path, entry: dict) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for mounted, source_folder in FOLDERS.items():
        source = ROOT / source_folder
        target = folder / "include" / "skua" / mounted
        target.mkdir(parents=True)
        for file in (*source.glob("*.hpp"), *source.glob("*.cpp")):
            shutil.copy(file, target)
    header = folder / "include" / "skua" / entry["header"]
    if not header.is_file():
        raise Broken(f"there is no {entry['header']}")
    header.write_text(mutate(header.read_text(), entry))


def run(entry: dict, build: pathlib.Path, compiler: str) -> tuple[bool, str]:
    """True if the bug was refuted, and how."""
    folder = build / entry["name"]
    make_tree(folder, entry)
    program = folder / "model"
    command = [compiler, *FLAGS, f"-I{folder / 'include'}", f"-I{MODELS / 'include'}",
               str(MODELS / f"{entry['model']}.cpp"), "-o", str(program)]
    compiled = subprocess.run(command, capture_output=True, text=True)
    if compiled.returncode != 0:
        raise Broken("it does not compile:\n" + compiled.stderr)
    outcome = ""
    for scenario in entry["scenarios"]:
        try:
            result = subprocess.run([program, scenario], capture_output=True, text=True, timeout=SECONDS)
        except subprocess.TimeoutExpired as timeout:
            raise Broken(f"{scenario}: no result within {SECONDS} s") from timeout
        if result.returncode == 2:
            raise Broken(f"{entry['model']}.cpp does not know {scenario}")
        if result.returncode != 0:
            line = result.stdout.partition("\n")[0]
            return True, f"{scenario}: {line.split(' s  ')[-1].lower()}, interleaving {line.split(' s  ')[0].split()[-2]}" \
                if " s  " in line else f"{scenario}: ended with status {result.returncode}"
        outcome += result.stdout
    return False, outcome.rstrip()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="mutations to run; all by default")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "mutants")
    parser.add_argument("--compiler", default=os.environ.get("CXX", "g++"))
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()

    entries = tomllib.loads((MODELS / "mutations.toml").read_text())["mutation"]
    known = [entry["name"] for entry in entries]
    if len(set(known)) != len(known):
        sys.exit("two mutations have the same name")
    if unknown := set(arguments.names) - set(known):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    if arguments.names:
        entries = [entry for entry in entries if entry["name"] in arguments.names]

    survivors, broken = [], []

    def judge(entry: dict) -> None:
        start = time.monotonic()
        try:
            refuted, how = run(entry, arguments.build, arguments.compiler)
        except Broken as error:
            broken.append(entry["name"])
            verdict, how = "BROKEN", str(error)
        else:
            verdict = "refuted" if refuted else "SURVIVED"
            if not refuted:
                survivors.append(entry["name"])
        print(f"{entry['name']:<52} {verdict:<9} {time.monotonic() - start:6.1f} s  {how}", flush=True)

    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        list(pool.map(judge, entries))

    print(f"{len(entries)} mutations: {len(entries) - len(survivors) - len(broken)} refuted, "
          f"{len(survivors)} survived, {len(broken)} broken")
    for name in survivors:
        print(f"survived: {name}")
    if broken:
        return 2
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
