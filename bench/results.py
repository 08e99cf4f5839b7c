"""The page of results: a part for each comparison, written anew when that has been run."""

import datetime
import pathlib
import re

HEAD = """# What was measured

Each part says the command that writes it, the machine and the programs. Figures are comparable
within a part only: they are of one run, in which the gateways took turns.
"""


def lines_of(table):
    """As Markdown."""
    head, *rows = table
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield f"| {' | '.join(row)} |"


def write(path, title, command, head, table, notes=()):
    """`table` is a list of rows of text, the first of them its head."""
    today = datetime.date.today().isoformat()
    lines = [f"## {title}", "", f"`{command}`, {today}. " + ". ".join(head) + ".", ""]
    lines += [*lines_of(table), ""]
    lines += [f"- {note}" for note in notes]
    part = "\n".join(lines).rstrip() + "\n"
    page = path.read_text() if pathlib.Path(path).exists() else HEAD
    old = re.compile(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", re.M | re.S)
    if old.search(page):
        page = old.sub(lambda _: part + "\n", page)
    else:
        page = page.rstrip() + "\n\n" + part
    path.write_text(page.rstrip() + "\n")
