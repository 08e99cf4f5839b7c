#!/usr/bin/env python3
"""The simulator as a program: its options, its CSV, its picture.

    test_program.py BENCH_SCHEDSIM DIR     DIR: where bench/schedsim is
"""

import csv
import pathlib
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

PROGRAM, HERE = sys.argv[1], pathlib.Path(sys.argv[2])
ONE_NODE = str(HERE / "traces" / "one-node.conf")


def run(*args):
    return subprocess.run([PROGRAM, *args], capture_output=True, text=True)


def without_time(text):
    """All but the last line, which tells how long it took."""
    return text.rstrip("\n").rsplit("\n", 1)[0]


class Program(unittest.TestCase):
    def test_two_runs_say_the_same_and_name_their_seeds(self):
        args = ("--workload", "W2", "--policy", "drover,leastconn", "--seeds", "5,6")
        first, second = run(*args), run(*args)
        self.assertEqual(first.returncode, 0, first.stderr)
        self.assertEqual(without_time(first.stdout), without_time(second.stdout))
        self.assertIn("seeds 5 6;", first.stdout)

    def test_goals_are_told_where_both_sides_ran(self):
        both = run("--workload", "W2", "--policy", "drover,leastconn", "--seeds", "1")
        alone = run("--workload", "W2", "--policy", "drover", "--seeds", "1")
        self.assertIn("of 4 goals met", both.stdout)
        self.assertNotIn("goals met", alone.stdout)

    def test_csv_and_picture_hold_every_result(self):
        with tempfile.TemporaryDirectory() as scratch:
            table, picture = pathlib.Path(scratch, "a.csv"), pathlib.Path(scratch, "a.svg")
            done = run("--workload", ONE_NODE, "--csv", str(table), "--svg", str(picture))
            self.assertEqual(done.returncode, 0, done.stderr)
            rows = list(csv.DictReader(table.read_text().splitlines()))
            texts = [t.text for t in xml.etree.ElementTree.parse(picture).iter() if t.text]
        names = [row["policy"] for row in rows]
        self.assertEqual(names, ["wrr", "leastconn", "fifo", "haproxy", "bound", "drover"])
        self.assertTrue(all(int(row["done"]) == 234 for row in rows))
        for name in names:
            self.assertIn(name, texts)

    def test_what_it_does_not_know_is_refused(self):
        for args in (
            ("--policy", "random"),
            ("--seeds", "one"),
            ("--workload", "W0"),
            ("--colour",),
            ("W1",),
        ):
            self.assertEqual(run(*args).returncode, 2, args)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
