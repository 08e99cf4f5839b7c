"""Plants bugs in core, one at a time, and demands that the simulation catches each.

usage: planted.py BUILD_DIR [NUMBER]

The changed file is compiled as the build does it (same compiler, flags, sanitizers) and linked
in front of the library. A bug whose text is no longer found once in its file is an error: mend
the list below.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
CORE = ROOT / "src" / "core"
WORLDS = "150"

# What goes wrong; file; text; its replacement.
BUGS = [
    ("a slot is not given back", "node.c", "	b->busy--;\n", ""),
    ("a variant's slot is not given back", "node.c", "if (--p->busy == 0)", "if (p->busy == 1)"),
    (
        "one slot too many on a node",
        "place.c",
        "if (b->busy < b->slots)",
        "if (b->busy <= b->slots)",
    ),
    (
        "one slot too many of a model",
        "place.c",
        "return p->busy < b->parallel && (p->busy > 0",
        "return p->busy <= b->parallel && (p->busy > 0",
    ),
    (
        "one slot too few of a model",
        "place.c",
        "return p->busy < b->parallel && (p->busy > 0",
        "return p->busy + 1 < b->parallel && (p->busy > 0",
    ),
    (
        "one model too many in flight",
        "place.c",
        "b->busy_variants < b->max_loaded",
        "b->busy_variants <= b->max_loaded",
    ),
    (
        "a model never goes to a node that holds another",
        "place.c",
        "p->busy > 0 || b->busy_variants",
        "p->busy > 0 || b->resident",
    ),
    (
        "nothing is evicted",
        "node.c",
        "while (b->resident >= b->max_loaded &&",
        "while (b->resident > 1000 &&",
    ),
    ("the trial that left is waited for", "node.c", "	if (b->trial == j) {", "	if (b == NULL) {"),
    ("trials without number", "breaker.c", "return !k->trial_out;", "return true;"),
    (
        "a hang is one failure among others",
        "backend.c",
        "breaker_trip(&b->breaker",
        "breaker_saw_failure(&b->breaker",
    ),
    (
        "a refused connection leaves the node up",
        "backend.c",
        "return set_health(b, BACKEND_DOWN, now_ms) || trial_failed;",
        "return trial_failed;",
    ),
    (
        "a busy node is not given a pause",
        "backend.c",
        "	b->paused_until_ms = now_ms + b->pause_ms;\n",
        "",
    ),
    (
        "a listing is added, not replaced",
        "backend.c",
        "variant_set_listed(v, b, false);",
        ";",
    ),
    (
        "a listing's leftovers stay",
        "fleet.c",
        "v->jobs > 0 || v->places_known > 0",
        "v->jobs > 0 || v->places_known >= 0",
    ),
    (
        "what the configuration forbids is listed",
        "fleet.c",
        "p->listed = listed && p->allowed;",
        "p->listed = listed;",
    ),
    ("classes do not count", "fair.h", "COMMON_COST * fair_class_steps[class]", "COMMON_COST"),
    (
        "low costs its class what normal does",
        "fair.c",
        "    [CLASS_LOW] = 8,",
        "    [CLASS_LOW] = 2,",
    ),
    ("keys do not count", "queue.c", "	    .key_time = j->account->time,\n", ""),
    (
        "keys do not count within a lane",
        "queue.c",
        "f->account->time < first->account->time ||",
        "false ||",
    ),
    (
        "a key that returns brings its savings",
        "fair.c",
        "a->time = a->time > least ? a->time : least;",
        "(void)least;",
    ),
    (
        "a class that returns brings its savings",
        "fair.c",
        "	if (f->class_time[class] < least)\n",
        "	if (f == NULL)\n",
    ),
    (
        "a key that returns owes nothing",
        "fair.c",
        "a->time = a->time > least ? a->time : least;",
        "a->time = least;",
    ),
    (
        "real counts do not correct",
        "sched.c",
        "	fair_correct(&s->queue.fair, j, fair_cost(prompt, output));\n",
        "",
    ),
    (
        "an attempt is charged each time",
        "fair.c",
        "j->account->time += fair_key_time(j, cost) - fair_key_time(j, j->charged);",
        "j->account->time += fair_key_time(j, cost);",
    ),
    (
        "weights of keys do not count",
        "fair.c",
        "return j->weight > 0 ? j->weight : 1;",
        "return 1;",
    ),
    (
        "a key's share is not kept",
        "admit.c",
        "j->account->waiting >= s->conf.per_key",
        "j->account->waiting >= 1000",
    ),
    (
        "the oldest gives way",
        "queue.c",
        "LIST_ENTRY(f->jobs.prev, struct job, queue_link)",
        "LIST_ENTRY(f->jobs.next, struct job, queue_link)",
    ),
    (
        "the smallest key gives way",
        "queue.c",
        "f->account->waiting - found->account->waiting",
        "found->account->waiting - f->account->waiting",
    ),
    ("a higher class gives way", "queue.c", "c >= (int)newcomer->class", "c >= 0"),
    (
        "equals displace each other",
        "queue.c",
        "<= newcomer->account->waiting + 1",
        "< newcomer->account->waiting",
    ),
    (
        "nobody ages",
        "queue.h",
        "now_ms - j->queued_at_ms >= q->aging_ms",
        "now_ms - j->queued_at_ms >= 1000000000",
    ),
    (
        "nobody starves",
        "queue.h",
        ">= STARVING_TIMES * q->aging_ms",
        ">= 1000000000",
    ),
    (
        "who aged is not lifted in its lane",
        "queue.c",
        "	if (job_is_aged(q, lane_oldest(l), now_ms))\n",
        "	if (q == NULL)\n",
    ),
    (
        "who aged goes before the keys that were served less",
        "queue.c",
        "	if (job_is_starving(q, lane_oldest(l), now_ms))\n",
        "	if (job_is_aged(q, lane_oldest(l), now_ms))\n",
    ),
    (
        "who starves waits for its key's turn",
        "queue.c",
        "		t.key_time = INT64_MIN;\n",
        "",
    ),
    (
        "a job that is tried again goes to the end",
        "queue.c",
        "sequence_at(head->prev, offset) < sequence",
        "true",
    ),
    (
        "deadlines are not kept in mind",
        "queue.c",
        "	if (j->deadline_ms > 0 && j->deadline_ms < q->next_deadline_ms)\n",
        "	if (q == NULL)\n",
    ),
    ("lanes of different nodes are one", "queue.c", "a->only == b->only && ", ""),
    (
        "weights do not count",
        "place.c",
        "return a.load * b.weight < b.load * a.weight;",
        "return a.load < b.load;",
    ),
    (
        "nodes that hold the model are not preferred",
        "place.c",
        "b == last ? SERVED_LAST : HOLDS;",
        "b == last ? SERVED_LAST : EVICTS;",
    ),
    ("a free place is not preferred", "place.c", "? HAS_PLACE : EVICTS", "? EVICTS : EVICTS"),
    ("conversations are not sent back", "place.c", "? SERVED_LAST : HOLDS", "? HOLDS : HOLDS"),
    (
        "the failed node is tried first again",
        "place.c",
        "	if (b != need->avoid)\n",
        "	if (need != NULL)\n",
    ),
    (
        "the failed node is never tried again",
        "place.c",
        "if (other != b && place_serves(other, need) &&",
        "if (other != NULL &&",
    ),
    ("no node is kept for who waited too long", "keep.c", "		b = choose(l, y);\n", "		b = NULL;\n"),
    (
        "a kept node is not left alone",
        "keep.h",
        "oldest->sequence > lane_oldest(l)->sequence;",
        "oldest->sequence < lane_oldest(l)->sequence;",
    ),
    (
        "a kept node is kept from the elder too",
        "keep.h",
        " &&\n	       oldest->sequence > lane_oldest(l)->sequence;",
        ";",
    ),
    (
        "nodes are kept without need",
        "keep.c",
        "		if (!must_run_dry(b, l->need.variant))\n			return NULL;\n",
        "",
    ),
    (
        "the place of a job kept for outlives it",
        "moves.c",
        "	if (j == lane_oldest(j->lane))\n		keep_drop(j->lane);\n",
        "",
    ),
    (
        "the queue is one longer",
        "admit.c",
        "return s->queue.waiting >= s->conf.queue_size",
        "return s->queue.waiting > s->conf.queue_size",
    ),
    (
        "a full queue refuses who could start",
        "admit.c",
        "		if (start_newcomer(s, j, now_ms))\n",
        "		if (s == NULL)\n",
    ),
    (
        "jobs that can start count as waiting",
        "admit.c",
        "		while (moves_start_next(s, now_ms))\n",
        "		while (false)\n",
    ),
    (
        "one attempt too many",
        "sched.c",
        "j->attempts >= s->conf.retry_attempts",
        "j->attempts > s->conf.retry_attempts",
    ),
    (
        "by orders a failed node is waited out for one that gets no model",
        "place.c",
        "(!other->fleet->by_orders || need->variant->places[other->index].residency != ABSENT)",
        "true",
    ),
    (
        "what a client unloads goes on being sent",
        "place.c",
        "return p->residency == LOADED && p->busy < b->parallel",
        "return p->residency >= LOADED && p->busy < b->parallel",
    ),
    (
        "a node that waits for one model to leave is sent more for it",
        "place.c",
        "(!has_room(b, need->variant) || backend_holds_breath(b))",
        "!has_room(b, need->variant)",
    ),
    (
        "nobody is told of a load that failed",
        "swap.c",
        "	f->changes++;\n",
        "",
    ),
    (
        "a node that went down has no grace",
        "outlook.c",
        "if (b->given_up)",
        "if (b->health == BACKEND_DOWN)",
    ),
    ("the failed node is forgotten", "sched.c", "	j->avoid = j->backend;\n", ""),
    (
        "max_wait is a moment late",
        "sched.c",
        "now_ms - j->queued_at_ms < bound",
        "now_ms - j->queued_at_ms <= bound",
    ),
    (
        "nobody wakes for a node that comes back",
        "sched.c",
        "int64_t at = backend_back_at_ms(s->fleet.backends[i], now_ms);",
        "int64_t at = INT64_MAX;",
    ),
    (
        "hopeless jobs wait on",
        "sched.c",
        "if (s->changes_weighed == s->fleet.changes)",
        "if (s != NULL)",
    ),
    (
        "a node that is down is waited for",
        "outlook.c",
        "if (b->given_up)",
        "if (false)",
    ),
    (
        "a node in use is told to unload",
        "swap.c",
        "		if (w->out->places[b->index].busy > 0)\n			return false;\n",
        "",
    ),
    ("an order is given twice", "swap.c", "		move(b, SWAP_LOADING, now_ms);\n", ""),
    (
        "jobs go where their model is not loaded",
        "place.c",
        "return p->residency == LOADED && p->busy",
        "return p->busy",
    ),
    (
        "a model is loaded on a full node",
        "swap_choice.c",
        "		if (rival == NULL && b->resident < b->max_loaded) {\n			keep_better(&best, swap_weigh_free",
        "		if (true) {\n			keep_better(&best, swap_weigh_free",
    ),
    (
        "a load is wished for though none of its nodes may serve the lane",
        "swap_choice.c",
        "return place_serves(b, &l->need) && !place_is_avoided(k->survey, b, &l->need);",
        "return l->need.variant->places[b->index].listed;",
    ),
    (
        "who starves waits until it pays",
        "swap_cost.c",
        "w->starving ? now : pays < starves ? pays : starves",
        "pays",
    ),
    (
        "what runs gives way to what nobody asked for",
        "warm.c",
        "p->residency == LOADED && p->busy == 0 && v->wait_weight == 0 &&",
        "p->residency == LOADED && v->wait_weight == 0 &&",
    ),
    (
        "two changes of a node at once",
        "warm.c",
        "if (b->swap.step != SWAP_NONE || is_wanted_by_others(b, v))",
        "if (is_wanted_by_others(b, v))",
    ),
    (
        "two variants of one model are at work on a node",
        "place.c",
        " &&\n	       !place_has_busy_rival(b, v);",
        ";",
    ),
    (
        "a node that was not asked lacks everything",
        "outlook.c",
        "!slotless && b->has_listed &&",
        "!slotless &&",
    ),
]


# Many times what the run takes without a bug.
LIMIT_S = 30


def command_of(build, source):
    for entry in json.loads((build / "compile_commands.json").read_text()):
        if (build / entry["file"]).resolve() == source:
            command = shlex.split(entry["command"])
            return command[1:] if pathlib.Path(command[0]).name == "ccache" else command
    sys.exit(f"{source} is not in the build")


def includers_of(name):
    """The sources that a change of that file reaches, through headers too."""
    reached = {name}
    while True:
        more = {
            p.name
            for p in CORE.glob("*.[ch]")
            if reached & set(re.findall(r'#include "(\S+)"', p.read_text()))
        }
        if more <= reached:
            return sorted(n for n in reached if n.endswith(".c"))
        reached |= more


def compile_changed(build, name, work):
    """Compiles what the change touches, without the time that optimizing takes."""
    sources = includers_of(name)
    for source in sources:
        command = command_of(build, CORE / source)
        command[command.index("-o") + 1] = str(work / f"{source}.o")
        command[command.index("-c") + 1] = str(work / source)
        for flag in ("-MF", "-MQ"):
            at = command.index(flag)
            del command[at : at + 2]
        command.remove("-MD")
        subprocess.run(command + ["-w", "-O0"], cwd=build, check=True)
    flags = [a for a in command if a.startswith(("-fsanitize", "--coverage"))]
    return command[0], flags, [work / f"{source}.o" for source in sources]


def is_caught(build, bug):
    with tempfile.TemporaryDirectory() as work:
        return is_caught_in(build, pathlib.Path(work), bug)


def is_caught_in(build, work, bug):
    what, name, text, replacement = bug
    shutil.copytree(CORE, work, dirs_exist_ok=True)
    original = (CORE / name).read_text()
    if original.count(text) != 1:
        sys.exit(f"planted bug '{what}': its text is in {name} {original.count(text)} times")
    (work / name).write_text(original.replace(text, replacement))
    compiler, flags, changed = compile_changed(build, name, work)
    simulation = sorted((build / "tests/sim/test_sched_sim.p").glob("*.o"))
    subprocess.run(
        [
            compiler,
            *flags,
            "-o",
            work / "sim",
            *simulation,
            *changed,
            build / "src/core/libcore.a",
            build / "src/base/libbase.a",
            "-lm",
        ],
        check=True,
    )
    try:
        run = subprocess.run(
            [work / "sim", WORLDS],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=LIMIT_S,
        )
    except subprocess.TimeoutExpired:
        print("ok    ", what, "it comes to no end", sep=" | ", flush=True)
        return True
    first_line = run.stderr.strip().splitlines()[:1]
    print("ok    " if run.returncode != 0 else "MISSED", what, *first_line, sep=" | ", flush=True)
    return run.returncode != 0


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    bugs = BUGS if len(sys.argv) < 3 else [BUGS[int(sys.argv[2])]]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        missed = sum(not caught for caught in pool.map(lambda bug: is_caught(build, bug), bugs))
    print(f"{len(bugs) - missed} of {len(bugs)} planted bugs caught")
    return 1 if missed else 0


sys.exit(main())
