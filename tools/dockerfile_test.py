#!/usr/bin/env python3
"""Carries out the Dockerfile where no engine is: each stage is a root that debootstrap makes, each
RUN a command in it. Then starts what came of it as its user, and asks its health check.

    dockerfile_test.py [MIRROR]      as root; a few minutes, and the network
"""

import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]


def instructions():
    text = (ROOT / "Dockerfile").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            yield word, rest.strip()


class Stage:
    def __init__(self, folder, release, mirror):
        self.root = folder
        self.where = "/"
        self.user = "root"
        self.env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(
            ["debootstrap", "--variant=minbase", release, folder, *([mirror] if mirror else [])],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        # How this machine reaches its mirror is how the root does.
        for conf in [*pathlib.Path("/etc/apt/apt.conf.d").iterdir(), "/etc/resolv.conf"]:
            if "Acquire" in pathlib.Path(conf).read_text() or str(conf).endswith("resolv.conf"):
                shutil.copy(conf, f"{folder}{conf}")

    def command(self, words):
        inside = f"cd {shlex.quote(self.where)} && exec " + shlex.join(words)
        user = ["setpriv", "--reuid", self.user, "--regid", self.user, "--clear-groups"]
        return ["chroot", self.root, *(user if self.user != "root" else []), "sh", "-c", inside]

    def run(self, words, **more):
        return subprocess.run(self.command(words), env=self.env, check=True, **more)

    def copy(self, rest, stages):
        words = rest.split()
        source = ROOT
        if words[0].startswith("--from="):
            source = pathlib.Path(stages[words.pop(0)[7:]].root)
        target = pathlib.Path(self.root + os.path.join(self.where, words[-1]))
        if words[:-1] == ["."]:
            target.mkdir(parents=True, exist_ok=True)
            tar = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True)
            subprocess.run(["tar", "-x", "-C", target], input=tar.stdout, check=True)
            return
        for name in words[:-1]:
            shutil.copy(source / name.lstrip("/"), target)


def build(folder, mirror):
    stages = {}
    stage = health = entry = None
    for word, rest in instructions():
        print(f"{word} {rest[:100]}", flush=True)
        if word == "FROM":
            m = re.fullmatch(r"debian:(\w+?)(?:-slim)?(?: AS (\w+))?", rest)
            name = m.group(2) or "last"
            stage = stages[name] = Stage(os.path.join(folder, name), m.group(1), mirror)
        elif word == "RUN":
            stage.run(["sh", "-c", rest])
        elif word == "COPY":
            stage.copy(rest, stages)
        elif word == "WORKDIR":
            stage.where = rest
            os.makedirs(stage.root + rest, exist_ok=True)
        elif word == "USER":
            stage.user = rest
        elif word == "ENV":
            stage.env.update(pair.split("=", 1) for pair in rest.split())
        elif word == "HEALTHCHECK":
            health = json.loads(rest.split("CMD ", 1)[1])
        elif word == "ENTRYPOINT":
            entry = json.loads(rest)
        else:
            assert word in ("VOLUME", "EXPOSE"), word
    return stage, health, entry


def mirror_of_this_machine():
    """None: debootstrap knows one itself."""
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)"]
    said = subprocess.run(command, capture_output=True, text=True).stdout.split()
    return said[0] if said else None


def main():
    mirror = sys.argv[1] if len(sys.argv) > 1 else mirror_of_this_machine()
    with tempfile.TemporaryDirectory() as folder:
        stage, health, entry = build(folder, mirror)
        before = subprocess.run(stage.command(health), env=stage.env, stderr=subprocess.DEVNULL)
        assert before.returncode != 0, "healthy before it runs"
        serving = subprocess.Popen(
            stage.command([*entry, "--demo"]), env=stage.env, stderr=subprocess.PIPE, text=True
        )
        for line in serving.stderr:
            print(line, end="")
            if "admin API on" in line:
                break
        stage.run(health)
        serving.terminate()
        assert serving.wait() == 0
        size = subprocess.run(["du", "-sm", stage.root], capture_output=True, text=True).stdout
        print(f"healthy while it runs; {size.split()[0]} MB, of which the base is most")


main()
