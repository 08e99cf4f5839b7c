#!/usr/bin/env python3
"""Whoever builds the package or the container needs what tools/setup.sh says, so that a library that
is new is new in all three."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What is not a library: tools, by whatever name they have elsewhere. The container has no systemd.
LEFT_OUT = {"debian/control": set(), "Dockerfile": {"libsystemd-dev"}}


def libraries():
    text = (ROOT / "tools/setup.sh").read_text()
    body = re.search(r"^need_for_building\(\) \{\n(.*?)^\}", text, re.M | re.S).group(1)
    return set(re.findall(r"need_(?:module|header) \S+ (\S+-dev)$", body, re.M)) - {"libc6-dev"}


def main():
    wrong = []
    for name, left_out in LEFT_OUT.items():
        words = set(re.findall(r"[\w.+-]+", (ROOT / name).read_text()))
        wrong += [f"{name}: {package} is missing" for package in libraries() - left_out - words]
    print("\n".join(sorted(wrong)))
    return 1 if wrong or not libraries() else 0


sys.exit(main())
