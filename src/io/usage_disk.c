/*
 * The accounts on disk. `late` and the database are the thread's from usage_disk_open on.
 */
#include "io/usage_disk.h"

#include "base/list.h"
#include "base/mem.h"
#include "writer.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What waits for a disk that fails: what is beyond it is lost. */
enum {
	FORMAT_VERSION = 1,
	LATE_MOST = 100000,
	OTHER_NUMBERS = 6,
	NUMBERS = OTHER_NUMBERS + TALLY_REFUSALS
};

struct order {
	struct writer_order order; /* first */
	struct tally_row row;      /* its texts are behind it */
	char texts[];
};

struct usage_disk {
	sqlite3 *db;
	sqlite3_stmt *put;
	struct list late; /* of struct order, owned, by order.link: could not be written yet */
	size_t late_count;
	int64_t hour;               /* the latest that was seen */
	_Atomic int64_t keep_hours; /* the thread reads it */
	struct writer *writer;      /* owned */
};

static const char create_text[] =
    "CREATE TABLE IF NOT EXISTS usage (hour INTEGER NOT NULL, key TEXT NOT NULL, "
    "model TEXT NOT NULL, requests INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, "
    "output_tokens INTEGER NOT NULL, slot_ms INTEGER NOT NULL, waited_ms INTEGER NOT NULL, "
    "cached INTEGER NOT NULL, "
    "refused_limit INTEGER NOT NULL, refused_forbidden INTEGER NOT NULL, "
    "refused_busy INTEGER NOT NULL, refused_invalid INTEGER NOT NULL, "
    "PRIMARY KEY (hour, key, model)) WITHOUT ROWID";
static const char put_text[] =
    "INSERT OR REPLACE INTO usage VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
static const char read_text[] = "SELECT * FROM usage ORDER BY hour";

/* In the order of the columns, behind hour, key and model. */
static int64_t *
number_of(struct tally_count *n, int i)
{
	int64_t *const numbers[] = {&n->requests, &n->prompt_tokens, &n->output_tokens,
	                            &n->slot_ms,  &n->waited_ms,     &n->cached};

	return i < OTHER_NUMBERS ? numbers[i] : &n->refused[i - OTHER_NUMBERS];
}

/* --- the thread --- */

static bool
run(sqlite3 *db, const char *text)
{
	return sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK;
}

static bool
put_row(struct usage_disk *d, const struct tally_row *row)
{
	struct tally_count count = row->count;
	bool ok;

	sqlite3_bind_int64(d->put, 1, row->hour);
	sqlite3_bind_text(d->put, 2, row->key, -1, SQLITE_STATIC);
	sqlite3_bind_text(d->put, 3, row->model, -1, SQLITE_STATIC);
	for (int i = 0; i < NUMBERS; i++)
		sqlite3_bind_int64(d->put, 4 + i, *number_of(&count, i));
	ok = sqlite3_step(d->put) == SQLITE_DONE;
	ok = sqlite3_reset(d->put) == SQLITE_OK && ok;
	sqlite3_clear_bindings(d->put);
	return ok;
}

static bool
drop_old(struct usage_disk *d)
{
	char text[80];

	snprintf(text, sizeof(text), "DELETE FROM usage WHERE hour <= %lld",
	         (long long)(d->hour - atomic_load(&d->keep_hours)));
	return run(d->db, text);
}

static bool
put_all(struct usage_disk *d)
{
	const struct order *o;
	int64_t before = d->hour;
	bool ok;

	if (!run(d->db, "BEGIN IMMEDIATE"))
		return false;
	ok = true;
	LIST_FOR_EACH (o, &d->late, const struct order, order.link) {
		ok = ok && put_row(d, &o->row);
		d->hour = o->row.hour > d->hour ? o->row.hour : d->hour;
	}
	ok = ok && (d->hour == before || drop_old(d));
	if (ok && run(d->db, "COMMIT"))
		return true;
	(void)run(d->db, "ROLLBACK");
	return false;
}

static void
drop_late(struct usage_disk *d, size_t keep)
{
	struct order *o;

	while (d->late_count > keep) {
		o = LIST_FIRST(&d->late, struct order, order.link);
		list_remove(&o->order.link);
		d->late_count--;
		free(o);
	}
}

static bool
write_on(struct list *orders, void *arg)
{
	struct usage_disk *d = arg;
	bool written;

	while (!list_empty(orders)) {
		struct list *link = orders->next;

		list_remove(link);
		list_add_last(&d->late, link);
		d->late_count++;
	}
	written = put_all(d);
	drop_late(d, written ? 0 : LATE_MOST);
	return written;
}

/* --- opening --- */

static int64_t
read_version(sqlite3 *db)
{
	sqlite3_stmt *s = NULL;
	int64_t version = -1;

	if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &s, NULL) == SQLITE_OK &&
	    sqlite3_step(s) == SQLITE_ROW)
		version = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return version;
}

/* Exclusive, so that two gateways never share one. */
static bool
open_db(struct usage_disk *d, const char *path, struct buf *report)
{
	char text[64];
	int64_t version;

	if (sqlite3_open_v2(path, &d->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
	        SQLITE_OK ||
	    !run(d->db, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
	                "PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 4194304;"))
		return false;
	version = read_version(d->db);
	if (version != 0 && version != FORMAT_VERSION) {
		buf_addf(report, "its format is version %lld, not %d", (long long)version, FORMAT_VERSION);
		return false;
	}
	snprintf(text, sizeof(text), "PRAGMA user_version = %d", FORMAT_VERSION);
	return run(d->db, create_text) && run(d->db, text) && drop_old(d) &&
	       sqlite3_prepare_v2(d->db, put_text, -1, &d->put, NULL) == SQLITE_OK;
}

static const char *
text_at(sqlite3_stmt *s, int column)
{
	const void *text = sqlite3_column_text(s, column);

	return text == NULL ? "" : text;
}

static bool
read_rows(struct usage_disk *d, tally_fn load, void *arg)
{
	sqlite3_stmt *s = NULL;
	int code = sqlite3_prepare_v2(d->db, read_text, -1, &s, NULL);

	while (code == SQLITE_OK || code == SQLITE_ROW) {
		struct tally_row row = {0};

		code = sqlite3_step(s);
		if (code != SQLITE_ROW)
			break;
		row.hour = sqlite3_column_int64(s, 0);
		row.key = text_at(s, 1);
		row.model = text_at(s, 2);
		for (int i = 0; i < NUMBERS; i++)
			*number_of(&row.count, i) = sqlite3_column_int64(s, 3 + i);
		load(&row, arg);
	}
	sqlite3_finalize(s);
	return code == SQLITE_DONE;
}

static void
disk_free(struct usage_disk *d)
{
	drop_late(d, 0);
	sqlite3_finalize(d->put);
	sqlite3_close(d->db);
	free(d);
}

struct usage_disk *
usage_disk_open(const char *path, int64_t now_hour, int64_t keep_hours, tally_fn load, void *arg,
                struct buf *report)
{
	struct usage_disk *d = NEW(struct usage_disk);

	d->hour = now_hour;
	atomic_init(&d->keep_hours, keep_hours);
	list_init(&d->late);
	if (open_db(d, path, report) && read_rows(d, load, arg)) {
		d->writer = writer_create(write_on, d);
		if (d->writer != NULL)
			return d;
		buf_adds(report, "no thread could be started to write it");
	}
	if (report->len == 0)
		buf_adds(report, d->db == NULL ? "there is no memory for it" : sqlite3_errmsg(d->db));
	disk_free(d);
	return NULL;
}

/* --- the interface --- */

void
usage_disk_set_keep(struct usage_disk *d, int64_t keep_hours)
{
	atomic_store(&d->keep_hours, keep_hours);
}

void
usage_disk_put(struct usage_disk *d, const struct tally_row *row)
{
	size_t key = strlen(row->key) + 1, model = strlen(row->model) + 1;
	struct order *o = mem_alloc(sizeof(*o) + key + model);

	*o = (struct order){.order.bytes = sizeof(*o) + key + model, .row = *row};
	list_init(&o->order.link);
	memcpy(o->texts, row->key, key);
	memcpy(o->texts + key, row->model, model);
	o->row.key = o->texts;
	o->row.model = o->texts + key;
	writer_add(d->writer, &o->order);
}

bool
usage_disk_is_failing(struct usage_disk *d)
{
	return writer_is_failing(d->writer);
}

enum disk_news
usage_disk_news(struct usage_disk *d)
{
	return writer_news(d->writer);
}

void
usage_disk_wait(struct usage_disk *d)
{
	writer_wait(d->writer);
}

void
usage_disk_close(struct usage_disk **dp)
{
	struct usage_disk *d = *dp;

	*dp = NULL;
	if (d == NULL)
		return;
	writer_destroy(&d->writer);
	disk_free(d);
}
