#!/usr/bin/env python3
"""The checker is checked: a rule finds the sample that breaks it and passes the one beside it."""

import contextlib
import json
import pathlib
import tempfile
import unittest

import analyse
import lint

LONG_BODY = "\tx();\n" * lint.MOST_LINES_OF_FUNCTION


def function(body):
    return "void\nf(void)\n{\n" + body + "}\n"


class TestLint(unittest.TestCase):
    @contextlib.contextmanager
    def house(self, files):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder).resolve()
            for name, text in files.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            yield lint.Lint(root)

    def found(self, check, files):
        with self.house(files) as checker:
            getattr(checker, f"check_{check}")()
            return checker.complaints

    def assert_finds(self, check, name, text, words):
        found = self.found(check, {name: text})
        self.assertEqual(len(found), 1, found)
        self.assertIn(words, found[0])
        self.assertTrue(found[0].startswith(name + ":"), found)

    def assert_passes(self, check, name, text):
        self.assertEqual(self.found(check, {name: text}), [])

    def test_a_floor_includes_itself_and_those_below(self):
        self.assert_passes(
            "floors", "src/core/a.c", '#include "core/job.h"\n#include "base/mem.h"\n'
        )
        self.assert_passes("floors", "src/app/a.c", '#include "conf/settings.h"\n')
        self.assert_passes("floors", "src/load/a.c", '#include "io/exchange.h"\n')
        self.assert_finds("floors", "src/load/a.c", '#include "core/job.h"\n', "load must not")
        self.assert_finds("floors", "src/app/a.c", '#include "load/run.h"\n', "app must not")
        self.assert_finds("floors", "src/base/a.c", '#include "core/job.h"\n', "base must not")
        self.assert_finds(
            "floors", "include/proto/a.h", '#include "core/job.h"\n', "proto must not"
        )
        self.assert_finds("floors", "src/io/a.c", '#include "conf/settings.h"\n', "io must not")
        self.assert_finds(
            "floors", "tests/unit/core/a.c", '#include "io/front.h"\n', "core must not"
        )
        self.assert_finds("floors", "tests/sim/a.c", '#include "io/front.h"\n', "core must not")

    def test_core_reads_no_clock_and_knows_no_library_of_effects(self):
        for header in (
            "<time.h>",
            "<event2/event.h>",
            "<cjson/cJSON.h>",
            '"base/clock.h"',
            "<sys/time.h>",
        ):
            self.assert_finds("floors", "src/core/a.c", f"#include {header}\n", "core decides")
        self.assert_passes("floors", "src/io/a.c", "#include <event2/event.h>\n#include <time.h>\n")

    def test_a_library_stays_where_it_is_reserved_for(self):
        self.assert_passes("floors", "src/base/map.c", "#include <uthash.h>\n")
        self.assert_finds("floors", "src/base/str.c", "#include <uthash.h>\n", "uthash")
        self.assert_passes("floors", "src/io/front_gate.c", "#include <evhtp/evhtp.h>\n")
        self.assert_finds("floors", "src/io/upstream.c", "#include <evhtp/evhtp.h>\n", "libevhtp")
        self.assert_finds("floors", "src/app/main.c", "#include <cyaml/cyaml.h>\n", "YAML")

    def test_long_files_and_functions_are_found(self):
        self.assert_passes("sizes", "src/base/a.c", function(LONG_BODY[: -2 * len("\tx();\n")]))
        self.assert_finds("sizes", "src/base/a.c", function(LONG_BODY), "a function of")
        self.assert_finds("sizes", "src/base/a.c", "\n" * (lint.MOST_LINES_OF_SOURCE + 1), "lines")
        self.assert_finds(
            "sizes", "include/base/a.h", "\n" * (lint.MOST_LINES_OF_HEADER + 1), "lines"
        )

    def test_words_of_unfinished_work_are_found(self):
        self.assert_finds("words", "src/base/a.c", "/* TO" + "DO later */\n", "unfinished")
        self.assert_passes("words", "src/base/a.c", 'mkstemp("/tmp/aXXXXXX");\n')

    def test_a_test_that_sleeps_is_found(self):
        self.assert_finds("words", "tests/e2e/test_a.py", "time.sl" + "eep(1)\n", "never for time")
        self.assert_finds(
            "words", "tests/unit/io/test_a.c", "\tusl" + "eep(5);\n", "never for time"
        )
        self.assert_passes("words", "src/node/a.c", "\tusl" + "eep(5);\n")

    def test_paths_of_a_machine_are_found(self):
        self.assert_finds("words", "README.md", "see /wo" + "rk/main/x\n", "a path of")
        self.assert_passes("words", "README.md", "see docs/wo" + "rk/x\n")

    def test_a_lock_file_that_names_a_registry_is_found(self):
        self.assert_finds("words", "js/package-lock.json", '{"resolved": "x"}\n', "registry")
        self.assert_passes("words", "js/package-lock.json", '{"integrity": "x"}\n')

    def test_another_format_is_found(self):
        with self.house({".clang-format": "BasedOnStyle: LLVM\n", "a.c": "int  x ;\n"}) as checker:
            checker.check_format()
            if checker.skipped:
                self.skipTest(checker.skipped[0])
            self.assertIn("make format", checker.complaints[0])


LEAKING = """#include <stdlib.h>
int f(int n);
int
f(int n)
{
	int *p = malloc(sizeof(*p));

	if (n > 3)
		return 0;
	free(p);
	return n;
}
"""


class TestCppcheck(unittest.TestCase):
    def said_of(self, text):
        with tempfile.TemporaryDirectory() as folder:
            build = pathlib.Path(folder).resolve()
            row = {"directory": folder, "file": "a.c", "command": "cc -c a.c"}
            (build / "compile_commands.json").write_text(json.dumps([row]))
            (build / "a.c").write_text(text)
            return analyse.cppcheck(build)

    def test_a_leak_on_one_way_out_is_found(self):
        if analyse.version_of("cppcheck") is None:
            self.skipTest("it is not here")
        self.assertEqual(self.said_of(LEAKING), 1)
        self.assertEqual(self.said_of(LEAKING.replace("return 0", "n = 0")), 0)


if __name__ == "__main__":
    unittest.main()
