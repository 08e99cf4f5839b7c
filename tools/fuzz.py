#!/usr/bin/env python3
"""Runs the fuzzers, each for a while, and says what came of it.

    tools/fuzz.py [--seconds N] [TARGET...]      all targets, 60 s each, when nothing is said

Builds in build-fuzz/ with clang, AddressSanitizer and UndefinedBehaviorSanitizer. A target begins
with the corpus of tests/fuzz/corpus and its dictionary; what it finds worth keeping goes to
build-fuzz/found/TARGET, and is where the next run goes on. Exit 1 when one crashed: the input is
in build-fuzz/crashes, and becomes a seed of the corpus together with the mending.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build-fuzz"
FUZZ = ROOT / "tests" / "fuzz"
OPTIONS = ["-Dfuzzers=enabled", "-Db_sanitize=address,undefined", "-Db_lundef=false"]
# Longer input than any that a bound would let through finds nothing new. The world of the scheduler
# is checked as a whole after each event, and so some hundred of them take long enough.
LONGEST = 16384
LONGEST_SCRIPT = 512
# What each target reads. The scheduler's is a list of operations: it has no words.
DICTIONARIES = {
    "body": "json",
    "cache_key": "json",
    "form": "form",
    "http_answer": "http",
    "http_chunks": "http",
    "http_head": "http",
    "json": "json",
    "listing": "json",
    "load_answer": "json",
    "rename": "json",
    "rewrite": "json",
    "sched": None,
    "settings": "settings",
    "transcript": "json",
    "usage": "json",
}


def build(targets):
    if not (BUILD / "build.ninja").exists():
        command = ["meson", "setup", BUILD, *OPTIONS]
        subprocess.run(command, cwd=ROOT, env={**os.environ, "CC": "clang"}, check=True)
    programs = [f"tests/{'sim' if t == 'sched' else 'fuzz'}/fuzz_{t}" for t in targets]
    subprocess.run(["ninja", "-C", BUILD, *programs], cwd=ROOT, check=True)
    return [BUILD / program for program in programs]


def statistic(said, name):
    found = re.search(rf"^stat::{name}:\s+(\d+)", said, re.MULTILINE)
    return int(found.group(1)) if found else 0


def run(target, program, seconds):
    """A line of the table; True when nothing was found."""
    found = BUILD / "found" / target
    crashes = BUILD / "crashes"
    found.mkdir(parents=True, exist_ok=True)
    crashes.mkdir(exist_ok=True)
    before = {path.name for path in crashes.iterdir()}
    longest = LONGEST_SCRIPT if target == "sched" else LONGEST
    command = [program, f"-max_total_time={seconds}", f"-max_len={longest}", "-print_final_stats=1"]
    command += ["-timeout=60", "-rss_limit_mb=2048", f"-artifact_prefix={crashes}/{target}-"]
    if DICTIONARIES[target] is not None:
        command.append(f"-dict={FUZZ / 'dict' / DICTIONARIES[target]}.dict")
    command += [found, FUZZ / "corpus" / target]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace")
    said = done.stderr
    reached = re.findall(r"cov: (\d+)", said)
    print(
        f"{target:12} {seconds:6} s {statistic(said, 'number_of_executed_units'):11} runs "
        f"{statistic(said, 'average_exec_per_sec'):7} /s {reached[-1] if reached else '-':>6} edges "
        f"{len(list(found.iterdir())):6} inputs kept  {'well' if done.returncode == 0 else 'FOUND'}",
        flush=True,
    )
    if done.returncode != 0:
        print(said[-6000:])
        for name in sorted({path.name for path in crashes.iterdir()} - before):
            print(f"  the input: {crashes / name}")
    return done.returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(DICTIONARIES))
    asked = parser.parse_args()
    unknown = set(asked.targets) - set(DICTIONARIES)
    if unknown:
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    targets = asked.targets or list(DICTIONARIES)
    programs = build(targets)
    well = [run(target, program, asked.seconds) for target, program in zip(targets, programs)]
    return 0 if all(well) else 1


if __name__ == "__main__":
    sys.exit(main())
