"""Fixtures: programs that are started for a test, watched, and judged when it is over."""

import os
import pathlib

import pytest
from harness import certificates, faults, npm
from harness.bench import Bench
from harness.fake import FakeNode
from harness.gateway import Gateway
from harness.node import Node
from harness.places import needs_root  # noqa: F401, a fixture

ROOT = pathlib.Path(__file__).resolve().parents[2]


def pytest_addoption(parser):
    parser.addoption(
        "--build",
        default=os.environ.get("DROVER_BUILD", "build"),
        help="the folder that meson built in",
    )
    parser.addoption("--faults", help="faults at full size; the table is written to this file")
    parser.addoption("--memcheck", action="store_true", help="the gateways run under valgrind")
    parser.addoption("--tls", action="store_true", help="clients come to the gateways by TLS")


MEMCHECK = (
    "valgrind --quiet --error-exitcode=99 --leak-check=full --track-origins=yes"
    " --errors-for-leak-kinds=definite,indirect,possible"
).split()


def pytest_configure(config):
    if config.getoption("--tls"):
        Gateway.usual["tls"] = certificates.local().settings()
        for name in ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"):  # for libraries of clients
            os.environ[name] = str(certificates.authority().cert)


def find_program(config, name):
    folder = ROOT / config.getoption("--build")
    for path in (folder / name, folder / "bench" / name, *folder.glob(f"src/*/{name}")):
        if path.is_file():
            return path
    raise pytest.UsageError(f"no {name} in {folder}: build it first, or say --build")


class Stage:
    """What one test (or module) has started; all of it ends with it, in the opposite order."""

    def __init__(self, request, folder):
        self.request = request
        self.folder = folder
        self.started = []

    def add(self, thing):
        self.started.append(thing)
        programs = getattr(self.request.node, "programs", None)
        if programs is None:
            programs = self.request.node.programs = []
        programs.append(thing)
        return thing

    def room(self):
        room = self.folder / str(len(self.started))
        room.mkdir()
        return room

    # Each is on the stage before it is waited for: what fails to start is ended and shown too.

    def node(self, *models, **options):
        binary = find_program(self.request.config, "drover-node")
        node = self.add(Node(binary, self.room(), models, **options))
        node.wait_listening()
        return node

    def fake(self, play=None, **options):
        return self.add(FakeNode(play, **options))

    def gateway(self, backends, settings=None, ready=True, **options):
        binary = find_program(self.request.config, "drover")
        if self.request.config.getoption("--memcheck"):
            options["launcher"] = (*options.get("launcher", ()), *MEMCHECK)
        gateway = self.add(Gateway(binary, self.room(), backends, settings, **options))
        if self.request.config.getoption("--memcheck"):
            gateway.memory_factor = 8  # it keeps a map of what is initialised, and what was freed
        gateway.wait_listening()
        if ready:
            gateway.wait_ready()
        return gateway

    def bench(self, target, *arguments):
        binary = find_program(self.request.config, "drover-bench")
        return self.add(Bench(binary, self.room(), target, arguments))

    def end(self):
        wrong = []
        for thing in reversed(self.started):
            try:
                thing.stop()
            except AssertionError as e:
                wrong.append(str(e))
        assert not wrong, "\n\n".join(wrong)


def open_stage(request, folder):
    stage = Stage(request, folder)
    yield stage
    stage.end()


@pytest.fixture
def stage(request, tmp_path):
    yield from open_stage(request, tmp_path)


@pytest.fixture(scope="module")
def module_stage(request, tmp_path_factory):
    yield from open_stage(request, tmp_path_factory.mktemp("stage"))


@pytest.fixture(scope="session")
def fault_table(request):
    table = faults.Table()
    yield table
    if request.config.getoption("--faults"):
        table.write(ROOT / request.config.getoption("--faults"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for holder in (item, item.getparent(pytest.Module)):
            for program in getattr(holder, "programs", []):
                if hasattr(program, "log"):
                    report.sections.append((f"{program.name} logged", program.log()[-20000:]))


def pytest_sessionfinish():
    npm.finish()
