#!/usr/bin/env python3
"""Checks the units of systemd: that they are right, and that the service is shut in.

    units.py PROGRAM SERVICE SOCKET

Exit 77 where there is no systemd-analyze.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

MOST_EXPOSED = 2.0  # of systemd-analyze's ten


def analyze(*words):
    done = subprocess.run(["systemd-analyze", *words], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def main():
    if shutil.which("systemd-analyze") is None:
        print("systemd-analyze is not here")
        return 77
    program, service, socket = (pathlib.Path(word).resolve() for word in sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        # The program need not be installed to be looked at.
        text = re.sub(r"^ExecStart=\S+", f"ExecStart={program}", service.read_text(), flags=re.M)
        units = [pathlib.Path(folder) / name for name in ("drover.service", "drover.socket")]
        units[0].write_text(text)
        units[1].write_text(socket.read_text())
        code, said = analyze("verify", "--man=no", *map(str, units))
        said = "\n".join(line for line in said.splitlines() if "drover" in line)
        if code != 0 or said:
            print(said)
            return 1
        code, said = analyze("security", "--offline=true", str(units[0]))
    found = re.search(r"Overall exposure level for drover\.service: ([0-9.]+)", said)
    print(found.group(0) if found else said)
    return 0 if found and float(found.group(1)) <= MOST_EXPOSED else 1


sys.exit(main())
