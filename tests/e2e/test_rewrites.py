"""What rules change in a body, and that they change nothing else."""

import json

import pytest
from rewrites import MODELS, ROWS, RULES


@pytest.fixture(scope="module")
def played(module_stage):
    node = module_stage.fake(models=MODELS)
    return node, module_stage.gateway([{"url": node.url, "max_loaded": 16}], RULES)


@pytest.mark.parametrize("name", ROWS)
def test_a_body_arrives_as_the_corpus_has_it(played, name):
    node, gateway = played
    row = ROWS[name]
    seen = len(node.exchanges)
    answer = gateway.post(row.route, row.sent())
    if row.refused:
        assert answer.status == 400 and len(node.exchanges) == seen
        error = answer.json()["error"]
        assert row.refused in (error if isinstance(error, str) else error["message"])
        return
    assert answer.status == 200
    assert answer.header("x-drover-rewrite") == row.said
    assert node.exchanges[-1].body == row.arrives()


def members(value, path=()):
    """All values with their places; numbers as they are written."""
    if not isinstance(value, (dict, list)) or not value:
        return {path: json.dumps(value)}
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    return {place: text for k, v in pairs for place, text in members(v, (*path, k)).items()}


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.said])
def test_another_reader_finds_the_named_members_changed_alone(name):
    """The corpus itself, read by Python: what is said is what differs."""
    row = ROWS[name]
    before, after = (
        members(json.loads(body, parse_int=str, parse_float=str))
        for body in (row.sent(), row.arrives())
    )
    places = before.keys() | after.keys()
    changed = {place for place in places if before.get(place) != after.get(place)}
    said = {part.split("=")[0] for part in row.said.split(", ")}
    # Options may come into being; of an object that gave way its members went with it.
    assert said <= {place[-1] for place in changed}
    assert all(said & set(place) or place == ("options",) for place in changed)
