"""What the comparisons share: processes that die with them, and the gateways beside each other.

One worker or thread each; their configurations are the *.in files beside this one. Everything
runs on loopback, on free ports.
"""

import ctypes
import dataclasses
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
PATIENCE_S = 20
UNBOUNDED = 1000  # requests at once
PR_SET_PDEATHSIG = 1


class Trouble(Exception):
    """What makes the comparison impossible or worthless; its text is for the user."""


# processes ----------------------------------------------------------------------------------


class Cpus:
    """The gateway on one CPU, the two ends of the benchmark on another, if there are two."""

    def __init__(self):
        allowed = sorted(os.sched_getaffinity(0))
        self.gateway = {allowed[0]}
        self.ends = {allowed[-1]}

    def words(self):
        if self.gateway == self.ends:
            return "one CPU for all"
        return f"gateway on CPU {min(self.gateway)}, both ends on CPU {min(self.ends)}"


def start(command, cpus, nice, **more):
    """A process that dies with this one."""
    libc = ctypes.CDLL(None)

    def prepare():
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        os.sched_setaffinity(0, cpus)
        os.nice(nice)
        group = pathlib.Path("/proc/self/autogroup")
        if nice and group.exists():  # where sessions are scheduled as groups, see sched(7)
            group.write_text(str(nice))

    command = [str(part) for part in command]
    return subprocess.Popen(command, preexec_fn=prepare, start_new_session=True, **more)


def stop(process):
    process.terminate()
    try:
        process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until(what, test, every_s=0.02):
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        found = test()
        if found is not None:
            return found
        time.sleep(every_s)
    raise Trouble(f"{what}: not within {PATIENCE_S} s")


def cpu_ns(pid):
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total


def resident_mib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) / 1024


# nodes --------------------------------------------------------------------------------------


class SimulatedNode:
    """A drover-node of its own; `models` as its --model wants them, which stay loaded."""

    def __init__(self, bench, parallel, max_loaded, models):
        command = [bench.build / "src/node/drover-node", "--listen", "127.0.0.1:0"]
        command += ["--parallel", parallel, "--max-loaded", max_loaded, "--keep-alive", -1]
        for model in models:
            command += ["--model", model]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        self.process = start(command, bench.cpus.ends, bench.nice, **pipes)
        said = self.process.stdout.readline()
        if "listening on" not in said:
            raise Trouble(f"drover-node: {said}")
        self.port = int(said.strip().rsplit(":", 1)[1])

    def loads(self):
        url = f"http://127.0.0.1:{self.port}/sim/state"
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
            return json.load(answer)["counts"]["loads"]

    def stop(self):
        stop(self.process)
        self.process.stdout.close()


# gateways -----------------------------------------------------------------------------------


@dataclasses.dataclass
class Node:
    """What a gateway is told of a node. No bound (None): it may be sent everything at once."""

    name: str
    port: int
    weight: int = 1
    parallel: int = None
    max_loaded: int = 1


class Sealed:
    """What a gateway needs to speak TLS: a certificate that nobody has to trust, and its key."""

    def __init__(self, folder):
        self.cert, self.key, self.both = (folder / f"tls-{x}.pem" for x in ("cert", "key", "both"))
        kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]
        files = ["-subj", "/CN=bench", "-keyout", self.key, "-out", self.cert]
        subprocess.run(["openssl", "req", "-x509", *kind, *files], check=True, capture_output=True)
        self.both.write_text(self.cert.read_text() + self.key.read_text())


class Gateway:
    """A gateway that can be started; `pid` is the process that does the work."""

    name = program = template = None
    queues = False  # whether it sends no more to a node than the node has slots
    caches = False  # whether it can keep answers to POST

    def __init__(self, bench):
        self.bench = bench
        self.process = None

    def find(self):
        return shutil.which(self.program, path=os.environ.get("PATH", "") + ":/usr/sbin")

    def version(self):
        said = subprocess.run([self.find(), "-v"], capture_output=True, text=True)
        return re.search(r"\d+\.\d+\.\d+\S*", said.stdout + said.stderr).group(0)

    def start(self, nodes, sealed=None, **values):
        """With `sealed`, clients come by TLS."""
        self.port = free_port()
        self.scheme = "https" if sealed else "http"
        folder = pathlib.Path(tempfile.mkdtemp(prefix=self.name + "-", dir=self.bench.folder))
        servers = "\n".join(self.server(node) for node in nodes)
        values = {"PORT": self.port, "SERVERS": servers, "DIR": folder, **values}
        values["TLS"] = self.tls(sealed) if sealed else ""
        text = (HERE / self.template).read_text()
        config = folder / self.template.removesuffix(".in")
        config.write_text(re.sub(r"@([A-Z]+)@", lambda m: str(values[m.group(1)]), text))
        said = folder / "said.log"
        with said.open("w") as out:
            command = self.command(config)
            cpus, nice = self.bench.cpus.gateway, self.bench.nice
            self.process = start(command, cpus, nice, stdout=out, stderr=out)
        self.said = said
        wait_until(f"{self.name} serves", self.serves)
        self.pid = self.find_worker()

    def serves(self):
        if self.process.poll() is not None:
            raise Trouble(f"{self.name} ended:\n{self.said.read_text()}")
        body = b'{"model":"bench","prompt":"","stream":false}'
        url = f"{self.scheme}://127.0.0.1:{self.port}/api/generate"
        request = urllib.request.Request(url, body)
        trusting = ssl._create_unverified_context() if self.scheme == "https" else None
        try:
            with urllib.request.urlopen(request, None, PATIENCE_S, context=trusting) as answer:
                return True if answer.status == 200 else None
        except urllib.error.HTTPError as refusal:
            return True if refusal.code == 404 else None  # by a node that has no such model
        except OSError:
            return None

    def find_worker(self):
        return self.process.pid

    def stop(self):
        if self.process is not None:
            stop(self.process)
            self.process = None

    def wait_until_quiet(self):
        """Until it has done all it has to do; a probe of a node's health is no work."""

        def is_quiet():
            before = cpu_ns(self.pid)
            time.sleep(0.2)
            return True if cpu_ns(self.pid) - before < 1_000_000 else None

        wait_until(f"{self.name} is quiet", is_quiet)


class Drover(Gateway):
    name, program, template = "drover", "drover", "drover.yaml.in"
    remedy = "build it first"
    queues = caches = True

    def find(self):
        for path in ("drover", "src/app/drover"):
            if (self.bench.build / path).exists():
                return str(self.bench.build / path)
        return None

    def version(self):
        said = subprocess.run([self.find(), "--version"], capture_output=True, text=True)
        return said.stdout.split()[-1]

    def server(self, node):
        limits = f"parallel: {node.parallel or UNBOUNDED}, max_loaded: {node.max_loaded}"
        url = f"http://127.0.0.1:{node.port}"
        return f"  - {{name: {node.name}, url: '{url}', weight: {node.weight}, {limits}}}"

    def tls(self, sealed):
        return f"tls: {{cert: '{sealed.cert}', key: '{sealed.key}'}}"

    def command(self, config):
        return [self.find(), "serve", "-c", config]


class Nginx(Gateway):
    name, program, template = "nginx", "nginx", "nginx.conf.in"
    remedy = "apt-get install nginx-light"
    caches = True

    def server(self, node):
        return f"        server 127.0.0.1:{node.port} weight={node.weight} max_fails=0;"

    def tls(self, sealed):
        return f" ssl; ssl_certificate {sealed.cert}; ssl_certificate_key {sealed.key}"

    def command(self, config):
        return [self.find(), "-p", config.parent, "-e", config.parent / "start.log", "-c", config]

    def find_worker(self):
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return int(children.read_text().split()[0])


class CachingNginx(Nginx):
    """Answers are buffered, as they must be to be kept."""

    template = "nginx-cache.conf.in"


class Haproxy(Gateway):
    name, program, template = "haproxy", "haproxy", "haproxy.cfg.in"
    remedy = "apt-get install haproxy"

    def server(self, node):
        pool = "pool-max-conn 1024 pool-purge-delay 75s"
        bound = f"maxconn {node.parallel * node.max_loaded}" if node.parallel else ""
        return f"    server {node.name} 127.0.0.1:{node.port} weight {node.weight} {pool} {bound}"

    def tls(self, sealed):
        return f" ssl crt {sealed.both} alpn http/1.1"

    def command(self, config):
        return [self.find(), "-db", "-f", config]


# tables ---


def machine(cpus):
    model = "unknown processor"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return f"{model}, {os.cpu_count()} CPUs, Linux {platform.release()}; {cpus.words()}"


def print_table(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in [rows[0], ["-" * width for width in widths], *rows[1:]]:
        print("| " + " | ".join(text.ljust(width) for text, width in zip(row, widths)) + " |")
