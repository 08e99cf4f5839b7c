#!/usr/bin/env python3
"""Checks the manual pages: their form, that no option or setting is missing, and that the list of
settings is that of the program.

    man.py [--fix] DROVER DROVER-NODE DROVER-BENCH

--fix writes the list of settings anew. Exit 77 where there is no mandoc.
"""

import pathlib
import re
import shutil
import subprocess
import sys

PAGES = pathlib.Path(__file__).resolve().parents[2] / "docs" / "man"
OPTION = re.compile(r"(?<![\w-])(--[a-z][a-z-]+|-[a-z])\b")
SETTING = re.compile(r"^(?P<sub>    - |  )(?P<name>[a-z][\w.]*)(?: +(?P<variable>DROVER_\w+))?"
                     r"(?: \((?P<default>.*)\))?$")  # fmt: skip
BEGIN = '.\\" settings: what'
END = '.\\" settings: end\n'


def output(*words):
    return subprocess.run([str(w) for w in words], capture_output=True, text=True, check=True).stdout


def escape(text):
    """Text as mdoc takes it: no macro at the start of a line, no backslash."""
    text = text.replace("\\", "\\e")
    return "\\&" + text if text.startswith((".", "'")) else text


def settings_of(help_text):
    """(level, name, variable, default, help) of each setting, in its order."""
    lines = help_text.split("settings, with their variable and default:\n")[1].split("\n\n")[0]
    found = []
    for line in lines.splitlines():
        if line.startswith("      "):
            found[-1][4].append(line.strip())
            continue
        m = SETTING.match(line)
        assert m, f"not understood in --help: {line!r}"
        found.append((m["sub"] == "    - ", m["name"], m["variable"], m["default"], []))
    return found


def format_setting(name, variable, default, words):
    said = [f"Ev {variable}"] if variable else []
    if default is not None:
        said += [f"No default {escape(default)}"]
    head = f".It Cm {name}" + (" Pq " + " , ".join(said) if said else "")
    text = " ".join(words) + "."
    sentences = re.split(r"(?<=\.) (?=[A-Z])", text[:1].upper() + text[1:])
    return [head, *map(escape, sentences)]


def settings_as_mdoc(help_text):
    lines = [".Bl -tag -width Ds"]
    nested = False
    for sub, name, variable, default, words in settings_of(help_text):
        if sub and not nested:
            lines.append(".Bl -tag -width Ds")
        elif nested and not sub:
            lines.append(".El")
        nested = sub
        lines += format_setting(name, variable, default, words)
    lines += [".El"] * (1 + nested)
    return "\n".join(lines) + "\n"


def with_settings(page, block):
    begin = page.index("\n", page.index(BEGIN)) + 1
    return page[:begin] + block + page[page.index(END) :]


def plain(page):
    text = output("mandoc", "-T", "utf8", page)
    return re.sub(r".\x08", "", text).replace("\u2010", "-").replace("\u2212", "-")


def check_form(page):
    done = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", str(page)], capture_output=True, text=True
    )
    return done.stdout.splitlines()


def check_options(page, help_text):
    # Of drover, only what stands before the settings: their words may have dashes too.
    said = set(OPTION.findall(help_text.split("settings, with")[0]))
    text = plain(page)
    return [f"{page.name}: {option} is missing" for option in sorted(said) if option not in text]


def main():
    if shutil.which("mandoc") is None:
        print("mandoc is not here")
        return 77
    fix = "--fix" in sys.argv
    programs = [word for word in sys.argv[1:] if word != "--fix"]
    helps = {pathlib.Path(p).name: output(p, "--help") for p in programs}
    file = PAGES / "drover.yaml.5"
    wanted = with_settings(file.read_text(), settings_as_mdoc(helps["drover"]))
    complaints = []
    if fix:
        file.write_text(wanted)
    elif file.read_text() != wanted:
        complaints.append(f"{file.name}: not the settings of the program; run `make man`")
    for name, text in helps.items():
        complaints += check_options(PAGES / f"{name}.1", text)
    for page in sorted(PAGES.iterdir()):
        complaints += check_form(page)
    print("\n".join(complaints))
    return 1 if complaints else 0


sys.exit(main())
