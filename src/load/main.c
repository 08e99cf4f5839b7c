/*
 * drover-bench: the load generator.
 * Exit status: 0; 1 nothing was answered, or a file could not be written; 2 wrong
 * usage; 130 stopped by Ctrl-C.
 */
#include "base/mem.h"
#include "io/loop.h"
#include "models.h"
#include "report.h"
#include "result.h"
#include "run.h"
#include "sweep.h"

#include <stdio.h>
#include <stdlib.h>

enum { EXIT_NOTHING = 1, EXIT_USAGE = 2, EXIT_INTERRUPTED = 130 };

static bool
print(const struct tally *t, const struct plan *plan, const struct comparison *other,
      struct buf *why)
{
	struct buf table = {0}, json = {0}, page = {0};
	bool good = true;

	result_add_json(&json, t, plan->url, other);
	if (plan->output == OUTPUT_TABLE)
		result_add_table(&table, t, plan->url, other);
	fputs(buf_text(plan->output == OUTPUT_JSON ? &json : &table), stdout);
	if (plan->output == OUTPUT_JSON && result_own_limit(t) != NULL)
		fprintf(stderr, "drover-bench: %s\n", result_own_limit(t));
	if (plan->save != NULL)
		good = result_write_file(plan->save, &json, why);
	if (plan->report != NULL) {
		report_add_page(&page, t, plan->url, other);
		good = result_write_file(plan->report, &page, why) && good;
	}
	buf_finish(&table);
	buf_finish(&json);
	buf_finish(&page);
	return good;
}

static void
say_nothing(const struct tally *t, struct buf *why)
{
	if (t->start_us == 0)
		buf_adds(why, "stopped while it was warming up: nothing was measured");
	else
		buf_addf(why, "nothing was answered; %lld requests were under way",
		         (long long)t->unfinished);
}

static int
run_once(const struct plan *plan, struct buf *why)
{
	struct comparison other;
	struct tally *t;
	struct loop *l;
	enum run_end end;
	int status = EXIT_SUCCESS;

	if (plan->compare != NULL && !comparison_read(&other, plan->compare, plan, why))
		return EXIT_NOTHING;
	t = NEW(struct tally);
	l = loop_create();
	tally_init(t, plan);
	end = run(l, plan, plan->url, t, why);
	if (end == RUN_BAD || end == RUN_GAVE_UP || t->all.whole == 0)
		status = EXIT_NOTHING;
	if (end == RUN_INTERRUPTED)
		status = EXIT_INTERRUPTED;
	if (end == RUN_DONE || end == RUN_INTERRUPTED) {
		if (t->all.ended == 0)
			say_nothing(t, why);
		if (t->all.ended + t->unfinished > 0 &&
		    !print(t, plan, plan->compare == NULL ? NULL : &other, why))
			status = EXIT_NOTHING;
	}
	tally_finish(t);
	free(t);
	loop_destroy(&l);
	return status;
}

static int
help(void)
{
	struct buf text = {0};

	plan_add_help(&text);
	fputs(buf_text(&text), stdout);
	buf_finish(&text);
	return EXIT_SUCCESS;
}

static int
obey(struct plan *plan, struct buf *why)
{
	if (!result_may_write(plan->save, why) || !result_may_write(plan->report, why))
		return EXIT_NOTHING;
	switch (plan->command) {
	case PLAN_RUN:
		if (plan->models.count == 0 && !models_choose(plan, why))
			return EXIT_USAGE;
		return run_once(plan, why);
	case PLAN_SWEEP: return sweep(plan, why);
	case PLAN_HELP: return help();
	case PLAN_VERSION: puts("drover-bench " DROVER_VERSION); return EXIT_SUCCESS;
	}
	abort();
}

int
main(int argc, char **argv)
{
	struct plan plan;
	struct buf why = {0};
	int status = plan_read(argc, argv, &plan, &why);

	if (status == EXIT_SUCCESS) {
		status = obey(&plan, &why);
		plan_finish(&plan);
	}
	if (why.len > 0)
		fprintf(stderr, "drover-bench: %s%s\n", buf_text(&why),
		        status == EXIT_USAGE ? "; try --help" : "");
	buf_finish(&why);
	return status;
}
