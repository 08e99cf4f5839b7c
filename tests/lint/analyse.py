#!/usr/bin/env python3
"""Runs the two analysers that read C: cppcheck over everything, clang-tidy file by file.

    analyse.py [--build DIR] cppcheck
    analyse.py [--build DIR] [--jobs N] tidy [FILE...]

What is excused stands beside its reason: in cppcheck.txt, in .clang-tidy, and at the line where
it is a single one. Exit 1 when there is something to mend, 77 when it cannot be looked for here.
"""

import argparse
import hashlib
import json
import pathlib
import shlex
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]

# Those of Debian 12. Others find other things: what is clean for one need not be for the next.
VERSIONS = {"cppcheck": "Cppcheck 2.10", "clang-tidy": "LLVM version 14."}

LIBRARIES = ["posix", "gnu", "openssl", "sqlite3", str(HERE / "cppcheck.xml")]


def version_of(tool):
    """What it says of itself, or None where the one that is known is not here."""
    if shutil.which(tool) is None:
        return None
    said = subprocess.run([tool, "--version"], capture_output=True, text=True).stdout
    return said if VERSIONS[tool] in said else None


def cppcheck(build):
    memory = build / "cppcheck"  # what it found in a file, until that changes
    memory.mkdir(exist_ok=True)
    return subprocess.run(
        [
            "cppcheck",
            "--quiet",
            "--error-exitcode=1",
            "--enable=warning,style,performance,portability",
            "--std=c11",
            f"--project={build / 'compile_commands.json'}",
            f"--cppcheck-build-dir={memory}",
            f"--suppressions-list={HERE / 'cppcheck.txt'}",
            *(f"--library={library}" for library in LIBRARIES),
            "--template={file}:{line}: {severity}: {message} [{id}]",
        ],
        cwd=ROOT,
    ).returncode


class Tidy:
    """Files that were clean are remembered by all that went into that: a file as the preprocessor
    leaves it, comments and so excuses with it, how it is compiled, and what is asked of it."""

    def __init__(self, build, version):
        self.build = build
        self.memory = build / "tidy"
        self.memory.mkdir(exist_ok=True)
        self.version = version

    def asked_of(self, source):
        """The settings that it comes under, from those of the house down."""
        folders = [folder for folder in reversed(source.parents) if folder.is_relative_to(ROOT)]
        files = [folder / ".clang-tidy" for folder in folders]
        return self.version + "".join(file.read_text() for file in files if file.exists())

    def key_of(self, source, command, folder):
        words = iter(shlex.split(command))
        bare = []
        for word in words:
            if word in ("-MQ", "-MF", "-o"):
                next(words)
            elif word not in ("-MD", "-c", "ccache"):
                bare.append(word)
        made = subprocess.run([*bare, "-D__clang_analyzer__", "-E", "-CC"], cwd=folder, capture_output=True, check=True)
        return hashlib.sha256(self.asked_of(source).encode() + command.encode() + made.stdout).hexdigest()

    def look(self, row):
        """What it finds in one file, or None when that is known to be clean."""
        source, command, folder = row
        known = self.memory / self.key_of(source, command, folder)
        if known.exists():
            return None
        said = subprocess.run(
            ["clang-tidy", "-p", str(self.build), "--quiet", str(source)],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        if said.returncode == 0 and not said.stdout.strip():
            known.touch()
            return ""
        return said.stdout.strip() or said.stderr


def tidy(build, wanted, jobs):
    rows = {}
    for row in json.loads((build / "compile_commands.json").read_text()):
        source = (pathlib.Path(row["directory"]) / row["file"]).resolve()
        rows.setdefault(source, (source, row["command"], row["directory"]))
    names = [pathlib.Path(name).resolve() for name in wanted] or sorted(rows)
    strange = [str(name) for name in names if name not in rows]
    if strange:
        sys.exit(f"clang-tidy: not compiled here: {', '.join(strange)}")
    checker = Tidy(build, version_of("clang-tidy"))
    known = wrong = 0
    with ThreadPoolExecutor(jobs) as pool:
        for found in pool.map(checker.look, (rows[name] for name in names)):
            known += found is None
            wrong += bool(found)
            if found:
                print(found, flush=True)
    print(f"clang-tidy: {len(names)} files, {known} of them unchanged since they were clean; "
          f"something to mend in {wrong}")
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("tool", choices=["cppcheck", "tidy"])
    parser.add_argument("files", nargs="*")
    args = parser.parse_args()
    name = "clang-tidy" if args.tool == "tidy" else args.tool
    if version_of(name) is None:
        print(f"skipped: needs {name}, {VERSIONS[name]}")
        return 77
    build = args.build.resolve()
    return cppcheck(build) if args.tool == "cppcheck" else tidy(build, args.files, args.jobs)


if __name__ == "__main__":
    sys.exit(main())
