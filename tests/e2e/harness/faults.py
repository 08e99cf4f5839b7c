"""The table of faults, as far as this run has measured it."""

HEAD = """# Faults, and what was measured

`make faults` provokes each of these on the real program, at the size that is said, and writes this
page; `make test` does the same in small. Times are of a shared machine with two cores.

| fault | measured |
|---|---|
"""

TAIL = """
Storms have commands of their own: `make reload-storm` (20 reloads a second under load),
`make upgrade-storm` (the program replaced under load), `make chaos` (seeded faults for ten minutes,
then the logs of clients, gateway and nodes are reconciled by request).
"""


class Table:
    def __init__(self):
        self.rows = []

    def add(self, fault, measured):
        self.rows.append(f"| {fault} | {measured} |\n".replace("\n", " ").rstrip() + "\n")

    def write(self, path):
        path.write_text(HEAD + "".join(self.rows) + TAIL)
