#!/usr/bin/env python3
"""Checks what the compiler does not: floors, sizes, words and format of the sources.

    lint.py [--root DIR] [--fix] CHECK...

Checks: floors, sizes, words, format. Each complaint is a line FILE:LINE: what;
exit 1 when there is one, 77 when a check could not be made here.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys

# A floor, and what its files may include. Public headers of include/FLOOR belong to it too.
FLOORS = {
    "base": {"base"},
    "conf": {"base", "conf"},
    "proto": {"base", "proto"},
    "core": {"base", "core"},
    "io": {"base", "proto", "core", "io"},
    "node": {"base", "proto", "core", "io", "node"},
    "load": {"base", "proto", "io", "load"},
    "top": {"base", "proto", "io", "top"},
    "app": {"base", "conf", "proto", "core", "io", "node", "top", "app"},
}

# Libraries that only some files may see: header, where it is allowed, why.
RESERVED = [
    (r"uthash\.h", r"src/base/map\.c", "uthash stays behind base/map.h"),
    (r"evhtp(/.*|\.h)", r"src/io/front[^/]*\.[ch]", "libevhtp stays behind io/front.h"),
    (r"cyaml/.*|yaml\.h", r"(src|tests/unit)/conf/.*", "YAML stays on the floor conf"),
    (r"(n?curses|term)\.h", r"src/top/screen\.c", "ncurses stays behind top/screen.h"),
    (r"sqlite3\.h", r"src/io/(cache_file|usage_disk)\.c", "SQLite stays behind io/*_disk.h"),
]

# Decisions know no clock, no JSON, no file and no network.
FORBIDDEN_IN_CORE = re.compile(
    r"event2/.*|event\.h|evhtp.*|cjson/.*|cyaml/.*|openssl/.*|time\.h|sys/.*|netinet/.*|arpa/.*"
    r"|netdb\.h|fcntl\.h|unistd\.h|signal\.h|base/clock\.h"
)

MOST_LINES_OF_SOURCE = 600
MOST_LINES_OF_HEADER = 150
MOST_LINES_OF_FUNCTION = 90

FORMATTER_MAJOR = 14  # what Debian 12 has; other versions format otherwise

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')

# Pieces are joined so that this file does not contain what it looks for.
UNFINISHED = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX"]) + r")\b")
SLEEPING = re.compile(r"\b(u?sleep|nanosleep|clock_nanosleep|setTimeout)" + r"\s*\(")
MACHINE_PATH = re.compile(r"(^|[\s\"'=:(])/(" + "|".join(["work", "root", "tmp/wt", "home"]) + ")/")
TEXT_SUFFIXES = {".c", ".h", ".py", ".sh", ".md", ".build", ".yaml", ".yml", ".js", ".mjs", ".txt"}


class Lint:
    def __init__(self, root):
        self.root = root
        self.complaints = []
        self.skipped = []

    def complain(self, path, line, what):
        self.complaints.append(f"{path.relative_to(self.root)}:{line}: {what}")

    def files(self, *suffixes):
        """Files of the project: what git tracks, or everything where there is no git."""
        listed = subprocess.run(
            ["git", "-C", str(self.root), "ls-files", "-co", "--exclude-standard"],
            capture_output=True,
            text=True,
        )
        if listed.returncode == 0 and (self.root / ".git").exists():
            names = [self.root / name for name in listed.stdout.splitlines()]
        else:
            names = [p for p in self.root.rglob("*") if "node_modules" not in p.parts]
        return sorted(p for p in names if p.suffix in suffixes and p.is_file())

    def lines(self, path):
        return path.read_text(encoding="utf-8", errors="replace").splitlines()

    # floors ---------------------------------------------------------------------------------

    def floor_of(self, path):
        """The floor a file lives on, or None for what stands beside the house."""
        parts = path.relative_to(self.root).parts
        if len(parts) >= 3 and parts[0] in ("include", "src") and parts[1] in FLOORS:
            return parts[1]
        if len(parts) >= 4 and parts[:2] == ("tests", "unit") and parts[2] in FLOORS:
            return parts[2]
        if parts[:2] == ("tests", "sim"):
            return "core"
        return None

    def check_floors(self):
        for path in self.files(".c", ".h"):
            for number, text in enumerate(self.lines(path), 1):
                found = INCLUDE.match(text)
                if found:
                    self.check_include(path, number, found.group(1) == '"', found.group(2))

    def check_include(self, path, number, quoted, header):
        where = path.relative_to(self.root).as_posix()
        floor = self.floor_of(path)
        target = header.split("/")[0] if "/" in header else None
        if quoted and floor and target in FLOORS and target not in FLOORS[floor]:
            self.complain(path, number, f"{floor} must not include {header}")
        if floor == "core" and where.startswith(("src/", "include/")):
            if FORBIDDEN_IN_CORE.fullmatch(header):
                self.complain(path, number, f"core decides, it must not include {header}")
        for pattern, allowed, why in RESERVED:
            if re.fullmatch(pattern, header) and not re.fullmatch(allowed, where):
                self.complain(path, number, f"{why}: no {header} here")

    # sizes ----------------------------------------------------------------------------------

    def check_sizes(self):
        for path in self.files(".c", ".h"):
            lines = self.lines(path)
            most = MOST_LINES_OF_HEADER if path.suffix == ".h" else MOST_LINES_OF_SOURCE
            if len(lines) > most:
                self.complain(path, len(lines), f"{len(lines)} lines, at most {most}")
            self.check_functions(path, lines)

    def check_functions(self, path, lines):
        # The format puts the braces of a function, and only those, at the line's start alone.
        start = None
        for number, text in enumerate(lines, 1):
            if text == "{":
                start = number
            elif text == "}" and start is not None:
                length = number - start + 1
                if length > MOST_LINES_OF_FUNCTION:
                    what = f"a function of {length} lines, at most {MOST_LINES_OF_FUNCTION}"
                    self.complain(path, start, what)
                start = None

    # words ----------------------------------------------------------------------------------

    def check_words(self):
        for path in self.files(*TEXT_SUFFIXES):
            in_tests = path.relative_to(self.root).parts[0] == "tests"
            for number, text in enumerate(self.lines(path), 1):
                if UNFINISHED.search(text):
                    self.complain(path, number, "unfinished work is an issue, not a comment")
                if MACHINE_PATH.search(text):
                    self.complain(path, number, "a path of somebody's machine")
                if in_tests and SLEEPING.search(text):
                    self.complain(path, number, "tests wait for events, never for time")
        for path in self.files(".json"):
            if path.name == "package-lock.json" and '"resolved"' in path.read_text():
                self.complain(path, 1, "names a registry; see .npmrc beside it")

    # format ---------------------------------------------------------------------------------

    def find_formatter(self):
        for name in (f"clang-format-{FORMATTER_MAJOR}", "clang-format"):
            if shutil.which(name):
                said = subprocess.run([name, "--version"], capture_output=True, text=True).stdout
                found = re.search(r"version (\d+)", said)
                if found and int(found.group(1)) == FORMATTER_MAJOR:
                    return name
        return None

    def check_format(self, fix=False):
        formatter = self.find_formatter()
        if formatter is None:
            self.skipped.append(f"format: needs clang-format {FORMATTER_MAJOR}")
            return
        files = [str(p) for p in self.files(".c", ".h")]
        if fix:
            subprocess.run([formatter, "-i", *files], check=True)
            return
        command = [formatter, "--dry-run", "--Werror", "--ferror-limit=1", *files]
        said = subprocess.run(command, capture_output=True, text=True)
        for text in said.stderr.splitlines():
            found = re.match(r"(.+?):(\d+):\d+: error: code should be clang-formatted", text)
            if found:
                self.complain(pathlib.Path(found.group(1)), found.group(2), "run make format")
        if said.returncode != 0 and not self.complaints:
            self.complaints.append(said.stderr)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=pathlib.Path)
    parser.add_argument("--fix", action="store_true")
    parser.add_argument("checks", nargs="+", choices=["floors", "sizes", "words", "format"])
    args = parser.parse_args()
    root = (args.root or pathlib.Path(__file__).resolve().parents[2]).resolve()
    lint = Lint(root)
    for check in args.checks:
        if check == "format":
            lint.check_format(args.fix)
        else:
            getattr(lint, f"check_{check}")()
    for line in lint.complaints:
        print(line)
    for line in lint.skipped:
        print(f"skipped: {line}")
    if lint.complaints:
        return 1
    return 77 if lint.skipped else 0


if __name__ == "__main__":
    sys.exit(main())
