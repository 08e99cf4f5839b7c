"""What `make run` starts: in front of the Ollama that answers, else in front of simulated nodes."""

import pytest
from conftest import ROOT, find_program
from harness import fake, wire
from harness.program import Program


@pytest.fixture
def run(request, stage, tmp_path):
    def start(ollama_host, *arguments):
        binary = find_program(request.config, "drover")
        env = {
            "BUILD": str(binary.parents[2]),
            "DROVER_LISTEN": "127.0.0.1:0",
            "DROVER_ADMIN": "127.0.0.1:0",
            "OLLAMA_HOST": ollama_host,
        }
        command = ["bash", ROOT / "tools/run.sh", *arguments]
        program = stage.add(Program("make run", command, env=env, cwd=tmp_path))
        return program, program.wait_line(r"listening on (\S+)").group(1)

    return start


@pytest.mark.parametrize("form", ["{}", "http://{}", "http://{}/"])
def test_an_ollama_that_answers_is_used(stage, run, form):
    node = stage.fake(models=["its-own:1"])
    program, url = run(form.format(node.host))
    program.wait_line(f"Ollama answers on {node.host}")
    answer = wire.post(url, "/api/generate", {"model": "its-own:1", "prompt": "x"})
    assert answer.status == 200 and len(node.exchanges) == 1


def test_without_one_the_demo_starts_and_says_so(stage, run):
    gone = stage.fake()
    gone.halt()
    program, url = run(gone.host)
    program.wait_line(f"no Ollama answers on {gone.host}.*--demo")
    assert wire.get(url, "/api/tags").json()["models"]


def test_what_answers_but_is_no_ollama_does_not_count(stage, run):
    class Other(fake.FakeNode):
        def probe_answer(self, exchange):
            exchange.reply({}, "404 Not Found")
            return None

    other = stage.add(Other())
    program, _ = run(other.host)
    program.wait_line("no Ollama answers.*--demo")


def test_arguments_are_the_users_own_choice(stage, run):
    node = stage.fake()
    program, url = run("127.0.0.1:1", "--backend", node.url)
    assert wire.post(url, "/api/generate", {"model": "tiny", "prompt": "x"}).status == 200
    assert "Ollama answers" not in program.log()
