"""Plants bugs in core, one at a time, and demands that the simulation catches each.

usage: planted.py BUILD_DIR [NUMBER]

The changed file is compiled as the build does it (same compiler, flags, sanitizers) and linked
in front of the library. A bug whose text is no longer found once in its file is an error: mend
planted_bugs.py.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

from planted_bugs import LIMIT_BUGS, SCHED_BUGS

ROOT = pathlib.Path(__file__).resolve().parents[2]
CORE = ROOT / "src" / "core"

# A program, its argument, and what it must find.
SIMULATIONS = [
    ("test_sched_sim", "150", SCHED_BUGS),
    ("test_limit_sim", "3", LIMIT_BUGS),
]

# Many times what the run takes without a bug.
LIMIT_S = 30


def command_of(build, source):
    for entry in json.loads((build / "compile_commands.json").read_text()):
        if (build / entry["file"]).resolve() == source:
            command = shlex.split(entry["command"])
            return command[1:] if pathlib.Path(command[0]).name == "ccache" else command
    sys.exit(f"{source} is not in the build")


def includers_of(name):
    """The sources that a change of that file reaches, through headers too."""
    reached = {name}
    while True:
        more = {
            p.name
            for p in CORE.glob("*.[ch]")
            if reached & set(re.findall(r'#include "(\S+)"', p.read_text()))
        }
        if more <= reached:
            return sorted(n for n in reached if n.endswith(".c"))
        reached |= more


def compile_changed(build, name, work):
    """Compiles what the change touches, without the time that optimizing takes."""
    sources = includers_of(name)
    for source in sources:
        command = command_of(build, CORE / source)
        command[command.index("-o") + 1] = str(work / f"{source}.o")
        command[command.index("-c") + 1] = str(work / source)
        for flag in ("-MF", "-MQ"):
            at = command.index(flag)
            del command[at : at + 2]
        command.remove("-MD")
        subprocess.run(command + ["-w", "-O0"], cwd=build, check=True)
    flags = [a for a in command if a.startswith(("-fsanitize", "--coverage"))]
    return command[0], flags, [work / f"{source}.o" for source in sources]


def is_caught(build, program, argument, bug):
    with tempfile.TemporaryDirectory() as work:
        return is_caught_in(build, pathlib.Path(work), program, argument, bug)


def is_caught_in(build, work, program, argument, bug):
    what, name, text, replacement = bug
    shutil.copytree(CORE, work, dirs_exist_ok=True)
    original = (CORE / name).read_text()
    if original.count(text) != 1:
        sys.exit(f"planted bug '{what}': its text is in {name} {original.count(text)} times")
    (work / name).write_text(original.replace(text, replacement))
    compiler, flags, changed = compile_changed(build, name, work)
    simulation = sorted((build / f"tests/sim/{program}.p").glob("*.o"))
    subprocess.run(
        [
            compiler,
            *flags,
            "-o",
            work / "sim",
            *simulation,
            *changed,
            build / "src/core/libcore.a",
            build / "src/base/libbase.a",
            "-lm",
        ],
        check=True,
    )
    try:
        run = subprocess.run(
            [work / "sim", argument],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=LIMIT_S,
        )
    except subprocess.TimeoutExpired:
        print("ok    ", what, "it comes to no end", sep=" | ", flush=True)
        return True
    first_line = run.stderr.strip().splitlines()[:1]
    print("ok    " if run.returncode != 0 else "MISSED", what, *first_line, sep=" | ", flush=True)
    return run.returncode != 0


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    bugs = [(program, argument, bug) for program, argument, found in SIMULATIONS for bug in found]
    if len(sys.argv) > 2:
        bugs = [bugs[int(sys.argv[2])]]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        missed = sum(not caught for caught in pool.map(lambda row: is_caught(build, *row), bugs))
    print(f"{len(bugs) - missed} of {len(bugs)} planted bugs caught")
    return 1 if missed else 0


sys.exit(main())
