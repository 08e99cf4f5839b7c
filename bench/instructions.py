#!/usr/bin/env python3
"""Counts what drover executes for one unit of work, so that it cannot creep.

    bench/instructions.py [--build DIR] [--check | --write] [--profile DIR]

Measured are the processor's instructions (by valgrind) and the system calls of the whole process,
for one small request, one token of a paced and of an undelayed stream, and one hit of the cache.
Unlike times, they are the same on a busy machine. A figure is the difference of two runs, one of
which did more of that work, divided by how much more.

--check    compares with instructions.json, and ends with 1 where a figure is higher
--write    writes instructions.json; so does `make instructions`
--profile  leaves the profile of each run in DIR, for callgrind_annotate
"""

import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from gateways import HERE, Cpus, Drover, Node, Trouble, start, stop
from works import run_load

COMMITTED = HERE / "instructions.json"
# Runs of one program differ by a percent, and by a tenth of a call. Between paced tokens time
# passes, and what is done by the clock counts too: on a busy machine up to five percent.
MOST_MORE = {"request": 0.05, "undelayed token": 0.05, "token": 0.1, "hit": 0.05}
MOST_MORE_CALLS = 0.25
BUILT = "gcc 12, -O3"  # what is compared; other programs have other figures
RECVFROM = "45"  # as x86-64 numbers system calls
CLOCK_GETTIME = "228"  # which is none where there is no valgrind
BODIES = 100
SKIPPED = 77

# A run does so much of everything, and one more run for each work so much more of that.
LITTLE = {"request": 100, "undelayed token": 1000, "token": 20, "hit": 100}
MORE = {"request": 2000, "undelayed token": 400000, "token": 4000, "hit": 1000}
PACE_MS = 1


class Skipped(Exception):
    """The figures could not be compared here; its text says why."""


class Counted(Drover):
    """drover under valgrind, which slows it down about fifty times."""

    template = "drover-counted.yaml.in"

    def command(self, config):
        self.profile = config.parent / "profile"
        self.calls = config.parent / "calls.log"
        return [
            "valgrind",
            "--tool=callgrind",
            "--vgdb=no",
            f"--callgrind-out-file={self.profile}",
            "--trace-syscalls=yes",
            f"--log-file={self.calls}",
            *super().command(config),
        ]

    def counted(self):
        """Instructions, system calls, and those that read; once it was stopped."""
        total = re.search(r"^totals: (\d+)", self.profile.read_text(), re.MULTILINE)
        # One that may block has a second line, for its end.
        calls = re.findall(r"^SYSCALL\S*\(\s*(\d+)\) sys_", self.calls.read_text(), re.MULTILINE)
        calls = [call for call in calls if call != CLOCK_GETTIME]
        return int(total.group(1)), len(calls), calls.count(RECVFROM)


class Bench:
    def __init__(self, build, folder):
        self.build, self.folder = build, folder
        self.cpus, self.nice = Cpus(), 0


def run(bench, origin, work):
    """One process that did this work and has ended."""
    gateway = Counted(bench)
    gateway.start([Node("node", origin, parallel=8)])

    def load(mode, **options):
        return run_load(bench, mode, gateway.name, gateway.port, **options)

    hits = {"bodies": BODIES, "body_bytes": 1024}
    try:
        load("json", requests=work["request"])
        load("stream", tokens=work["token"], pace=PACE_MS)
        load("stream", tokens=work["undelayed token"])
        load("hit", requests=BODIES, **hits)
        if load("hit", requests=work["hit"], **hits)["hits"] != work["hit"]:
            raise Trouble("what was kept is not found")
    finally:
        gateway.stop()
    return gateway


def figures_of(base, ran, name, undelayed):
    """For each of so many more. Of the paced tokens, those that were read together with the one
    before count as undelayed: the busier the machine, the more there are."""
    instructions, calls, reads = (b - a for a, b in zip(base.counted(), ran.counted()))
    more = MORE[name]
    if name == "token":
        instructions -= (more - reads) * undelayed["instructions"]
        more = reads
    return {"instructions": round(instructions / more), "system calls": round(calls / more, 2)}


def measure(bench, profiles):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    origin = start([bench.build / "bench/bench-origin"], bench.cpus.ends, 0, **pipes)
    figures = {}
    try:
        port = int(origin.stdout.readline().split()[1])
        base = run(bench, port, LITTLE)
        runs = {"base": base}
        for name, more in MORE.items():
            runs[name] = run(bench, port, {**LITTLE, name: LITTLE[name] + more})
            undelayed = figures.get("undelayed token", {})
            figures[name] = figures_of(base, runs[name], name, undelayed)
    finally:
        stop(origin)
    for name, ran in runs.items():
        if profiles:
            shutil.copy(ran.profile, profiles / name.replace(" ", "-"))
    return figures


def is_higher(name, kind, now, then):
    most = then + MOST_MORE_CALLS if kind == "system calls" else then * (1 + MOST_MORE[name])
    return now > most


def compare(figures, committed):
    """Prints both; returns whether one is higher than it was."""
    worse = False
    for name, kinds in figures.items():
        for kind, now in kinds.items():
            then = committed.get(name, {}).get(kind, now)
            higher = is_higher(name, kind, now, then)
            worse = worse or higher
            words = f"was {then}, {100 * (now / then - 1):+.1f} %" if then else f"was {then}"
            print(f"{name}: {now} {kind} ({words}){' HIGHER' if higher else ''}")
    return worse


def how_built(build):
    options = json.loads((build / "meson-info/intro-buildoptions.json").read_text())
    values = {option["name"]: option["value"] for option in options}
    program = pathlib.Path(Counted(Bench(build, None)).find()).read_bytes()
    gcc = re.search(rb"GCC: \([^)]*\) (\d+)", program)  # every program tells its compiler
    if b"clang version" in program or gcc is None:
        return "another compiler"
    words = f"gcc {gcc.group(1).decode()}, -O{values['optimization']}"
    return words if values["b_sanitize"] == "none" else words + ", sanitized"


def demand_comparable(build):
    flags = re.search(r"^flags\s*:.*", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    if flags is None or "avx2" not in flags.group(0).split():
        raise Skipped("the figures are of x86-64 with AVX2")
    if how_built(build) != BUILT:
        raise Skipped(f"the figures are of {BUILT}; this is {how_built(build)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parent / "build")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--profile", type=pathlib.Path, metavar="DIR")
    args = parser.parse_args()
    build = args.build.resolve()
    if shutil.which("valgrind") is None:
        raise Skipped("no valgrind here")
    if args.check or args.write:
        demand_comparable(build)
    if args.profile:
        args.profile.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="drover-bench-") as folder:
        figures = measure(Bench(build, pathlib.Path(folder)), args.profile)
    committed = json.loads(COMMITTED.read_text()) if COMMITTED.exists() else {}
    worse = compare(figures, committed)
    if args.write:
        COMMITTED.write_text(json.dumps(figures, indent=2) + "\n")
    if worse and args.check:
        print(
            "\nThat is more than it was. Where it is worth it, `make instructions` writes the new"
            "\nfigures, to be committed with the change. Where it is spent: bench/instructions.py"
            "\n--profile DIR, then callgrind_annotate --inclusive=yes DIR/request."
        )
    return 1 if worse and args.check else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Skipped as skipped:
        print(f"instructions: {skipped}")
        sys.exit(SKIPPED)
    except Trouble as trouble:
        sys.exit(f"instructions: {trouble}")
