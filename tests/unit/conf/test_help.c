#include "../check.h"

#include "conf/call.h"
#include "table.h"

#include <string.h>

static void
help_names_every_key_variable_and_option(void **state)
{
	struct buf help = {0};

	settings_add_help(&help);
	for (size_t i = 0; i < settings_table.count; i++) {
		const struct row *row = &settings_table.rows[i];
		struct buf variable = {0};

		table_add_variable(row->path, &variable);
		assert_non_null(strstr(buf_text(&help), row->path));
		assert_non_null(strstr(buf_text(&help), buf_text(&variable)));
		assert_non_null(strstr(buf_text(&help), row->help));
		if (row->option != NULL)
			assert_non_null(strstr(buf_text(&help), row->option));
		buf_finish(&variable);
	}
	buf_finish(&help);
}

static void
help_fits_a_terminal(void **state)
{
	struct buf help = {0};

	settings_add_help(&help);
	for (const char *line = buf_text(&help); *line != '\0';) {
		size_t len = strcspn(line, "\n");

		assert_true(len <= 100);
		assert_true(len == 0 || line[len - 1] != ' ');
		line += len + 1;
	}
	buf_finish(&help);
}

static void
help_names_what_a_word_may_be(void **state)
{
	struct buf help = {0};

	settings_add_help(&help);
	assert_non_null(strstr(buf_text(&help), ": admin, all, none\n"));
	assert_non_null(strstr(buf_text(&help), "DROVER_QUEUE_SIZE (512)\n"));
	buf_finish(&help);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(help_names_every_key_variable_and_option),
	    cmocka_unit_test(help_fits_a_terminal),
	    cmocka_unit_test(help_names_what_a_word_may_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
