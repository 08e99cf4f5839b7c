#!/usr/bin/env python3
"""How much of what reads foreign bytes is reached by the unit tests and the corpora of the fuzzers.

    tools/coverage.py [--missed] [FLOOR...]      proto and conf when none is named

Prints lines reached of lines for each source file; --missed adds the numbers of those that were
not. Exit 1 when one file is below the bound. Builds in build-coverage/, with gcc and its gcov.
"""

import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build-coverage"
LEAST_PERCENT = 90
FLOORS = ["proto", "conf"]


def run(command, **options):
    return subprocess.run(command, cwd=ROOT, check=True, **options)


def build(floors):
    """The tests of these floors and of the fuzzers' corpora; what meson would run of each."""
    if not (BUILD / "build.ninja").exists():
        run(["meson", "setup", BUILD, "-Db_coverage=true"], stdout=subprocess.DEVNULL)
    said = run(["meson", "introspect", "--tests", BUILD], capture_output=True).stdout
    wanted = tuple(f"{floor}/" for floor in floors) + ("fuzz/",)
    tests = [t for t in json.loads(said) if t["name"].startswith(wanted)]
    words = {(BUILD / word).resolve() for t in tests for word in t["cmd"]}
    targets = [str(w.relative_to(BUILD)) for w in sorted(words) if w.is_relative_to(BUILD)]
    run(["ninja", "-C", BUILD, *targets], stdout=subprocess.DEVNULL)
    return tests


def replay(tests):
    for counts in BUILD.rglob("*.gcda"):
        counts.unlink()
    for test in tests:
        env = {**os.environ, **test["env"]}
        done = subprocess.run(test["cmd"], cwd=BUILD, env=env, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{test['name']} failed:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")


def counts_of(floor):
    """{source: {line: times}}. A line that several functions came from counts where one ran."""
    found = {}
    for notes in sorted(BUILD.glob(f"src/{floor}/*.p/*.gcno")):
        said = run(["gcov", "--json-format", "--stdout", notes], capture_output=True).stdout
        for file in json.loads(said)["files"]:
            path = (BUILD / file["file"]).resolve()
            if path.suffix != ".c" or not path.is_relative_to(ROOT / "src" / floor):
                continue
            lines = found.setdefault(str(path.relative_to(ROOT)), {})
            for line in file["lines"]:
                number = line["line_number"]
                lines[number] = lines.get(number, 0) + line["count"]
    return found


def show(path, lines, missed):
    reached = sum(1 for times in lines.values() if times)
    percent = 100 * reached / len(lines)
    print(f"{percent:6.1f} %  {reached:5} of {len(lines):5}  {path}")
    if missed and reached < len(lines):
        print("          missed:", *(n for n, times in sorted(lines.items()) if not times))
    return reached, percent


def main():
    missed = "--missed" in sys.argv[1:]
    floors = [word for word in sys.argv[1:] if not word.startswith("-")] or FLOORS
    replay(build(floors))
    all_reached = all_lines = 0
    low = []
    for floor in floors:
        for path, lines in counts_of(floor).items():
            reached, percent = show(path, lines, missed)
            all_reached += reached
            all_lines += len(lines)
            if percent < LEAST_PERCENT:
                low.append(path)
    print(f"{100 * all_reached / all_lines:6.1f} %  {all_reached:5} of {all_lines:5}  in all")
    if low:
        print(f"below {LEAST_PERCENT} %: {', '.join(low)}")
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
