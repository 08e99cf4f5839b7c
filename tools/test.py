#!/usr/bin/env python3
"""Builds drover in several ways, runs the tests of each, and adds up what they said.

    tools/test.py [gcc] [asan] [clang]      all three when none is named

Prints a line a step, what failed in full, and in the end one line with the sums.
Everything is left in build-NAME/, the longer output in build-NAME/meson-logs/.
"""

import os
import pathlib
import subprocess
import sys
import time
import xml.etree.ElementTree as xml

ROOT = pathlib.Path(__file__).resolve().parent.parent

SANITIZE = ["-Db_sanitize=address,undefined", "-Db_lundef=false"]
SANITIZER_ENV = {
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1:exitcode=99",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
}
# The compiler, options of meson, and the suites that tell nothing new there.
WAYS = {
    "gcc": ("gcc", [], set()),
    "asan": ("gcc", SANITIZE, {"lint", "e2e-tls"}),
    "clang": ("clang", [], {"lint", "e2e", "e2e-tls"}),
}


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def add_junit(self, path):
        for case in xml.parse(path).getroot().iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                self.failed += 1
            elif case.find("skipped") is not None:
                self.skipped += 1
            else:
                self.passed += 1

    def __str__(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def say(way, words):
    print(f"[{way}] {words}", flush=True)


def run(command, log, env=None):
    """Quietly, into a file; True when it went well."""
    with open(log, "wb") as out:
        return subprocess.run(command, cwd=ROOT, env=env, stdout=out, stderr=out).returncode == 0


def build(way, folder):
    compiler, options, _ = WAYS[way]
    log = ROOT / f"{folder}.log"
    env = dict(os.environ, CC=compiler)
    if not (ROOT / folder / "build.ninja").exists():
        # A newer compiler warns of more: that is CI's business, not the user's.
        options = ["-Dwerror=true" if "CI" in os.environ else "-Dwerror=false", *options]
        say(way, f"meson setup {folder} ({compiler} {' '.join(options)})")
        if not run(["meson", "setup", folder, *options], log, env):
            print(log.read_text(errors="replace"))
            return False
    say(way, "compiling")
    if not run(["meson", "compile", "-C", folder], log, env):
        said = log.read_text(errors="replace")
        print(said[max(said.find("FAILED:"), 0) :])
        return False
    log.unlink()
    return True


def is_e2e(suite):
    return suite.startswith("e2e")


def suites_of(folder):
    listed = subprocess.run(
        ["meson", "test", "-C", folder, "--list"], cwd=ROOT, capture_output=True, text=True
    )
    lines = [line for line in listed.stdout.splitlines() if " / " in line]
    suites = {line.split(" / ")[0].split(":")[-1].strip() for line in lines}
    return sorted(suites, key=lambda suite: (is_e2e(suite), suite))  # the longest last


def run_suite(way, folder, suite):
    tally = Tally()
    started = time.monotonic()
    results = ROOT / folder / "meson-logs" / "testlog.junit.xml"
    env = dict(os.environ)
    # The end-to-end suites count their own cases and show their own progress.
    inner = ROOT / folder / "meson-logs" / f"{suite}.junit.xml"
    command = ["meson", "test", "-C", folder, "--no-rebuild", "--suite", suite]
    # Limits are for what hangs, not for a machine that is slow.
    command += ["--timeout-multiplier", "10"]
    command.append("--verbose" if is_e2e(suite) else "--print-errorlogs")
    if way == "asan":
        env.update(SANITIZER_ENV)
    results.unlink(missing_ok=True)
    inner.unlink(missing_ok=True)
    if is_e2e(suite):
        say(way, f"{suite}: the real programs and the real clients")
        ok = subprocess.run(command, cwd=ROOT, env=env).returncode == 0
    else:
        log = ROOT / folder / f"{suite}.log"
        ok = run(command, log, env)
        if not ok:
            print(log.read_text(errors="replace"))
    report = inner if is_e2e(suite) else results
    if report.exists():
        tally.add_junit(report)
    if not ok and tally.failed == 0:
        tally.failed = 1  # it died before it could say which
    say(way, f"{suite}: {tally} in {time.monotonic() - started:.0f} s")
    return tally


def run_way(way):
    tally = Tally()
    folder = f"build-{way}"
    if not build(way, folder):
        say(way, "does not build")
        tally.failed = 1
        return tally
    for suite in suites_of(folder):
        if suite not in WAYS[way][2]:
            tally.add(run_suite(way, folder, suite))
    return tally


def main():
    ways = sys.argv[1:] or list(WAYS)
    unknown = set(ways) - set(WAYS)
    if unknown:
        sys.exit(f"tools/test.py: no such way of building: {', '.join(sorted(unknown))}")
    total = Tally()
    for way in ways:
        total.add(run_way(way))
    print(
        f"{total.passed} passed, {total.failed} failed"
        + (f", {total.skipped} skipped" if total.skipped else "")
    )
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
