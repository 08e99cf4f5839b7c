/*
 * One table. Each row bears a checksum: SQLite would not notice a body that the disk
 * has spoilt. The file is locked as long as it is open, so that two gateways never
 * share one.
 *
 * A file that is found damaged is moved aside, what can be read of it is copied
 * into a new one, and then it is removed.
 */
#include "cache_file.h"

#include "base/mem.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The version of the table, of the tags and of what the bodies are. Files of another are emptied.
 */
enum { FORMAT_VERSION = 1, SUM_BYTES = 16, PAGE_BYTES = 4096 };

enum statement { BEGIN, COMMIT, ROLLBACK, PUT, REMOVE, STATEMENTS };

struct cache_file {
	char *path; /* owned */
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENTS];
	struct sha256_hasher *hasher; /* owned */
};

static const char *const statement_texts[STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [PUT] = ("INSERT OR REPLACE INTO entries (key, model, tag, made, body, sum) "
             "VALUES (?, ?, ?, ?, ?, ?)"),
    [REMOVE] = "DELETE FROM entries WHERE key = ?",
};

static const char create_text[] = "CREATE TABLE IF NOT EXISTS entries (key BLOB PRIMARY KEY, "
                                  "model TEXT NOT NULL, tag INTEGER NOT NULL, "
                                  "made INTEGER NOT NULL, body BLOB NOT NULL, sum BLOB NOT NULL)";

enum outcome { OPENED, DAMAGED, UNUSABLE };

/* --- helpers of SQLite --- */

static bool
is_damage(int code)
{
	code &= 0xff;
	return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

static int
run(sqlite3 *db, const char *text)
{
	return sqlite3_exec(db, text, NULL, NULL, NULL);
}

static bool
step(struct cache_file *f, enum statement which)
{
	sqlite3_stmt *s = f->statements[which];
	bool ok = sqlite3_step(s) == SQLITE_DONE;

	return sqlite3_reset(s) == SQLITE_OK && ok;
}

static struct str
column(sqlite3_stmt *s, int at)
{
	const void *bytes = sqlite3_column_blob(s, at);

	return (struct str){bytes == NULL ? "" : bytes, (size_t)sqlite3_column_bytes(s, at)};
}

/* --- rows --- */

static struct sha256
sum_of(struct cache_file *f, const struct cache_disk_row *row)
{
	struct buf head = {0};
	struct sha256 sum;

	buf_add(&head, row->key.bytes, SHA256_BYTES);
	buf_addf(&head, "%u %lld %zu ", row->tag, (long long)row->made_wall_ms, row->model.len);
	buf_add(&head, row->model.ptr, row->model.len);
	sha256_begin(f->hasher);
	sha256_add(f->hasher, (struct str){head.data, head.len});
	sha256_add(f->hasher, row->body);
	sum = sha256_end(f->hasher);
	buf_finish(&head);
	return sum;
}

static bool
read_row(struct cache_file *f, sqlite3_stmt *s, struct cache_disk_row *row)
{
	struct str key = column(s, 0), sum = column(s, 5);
	struct sha256 want;

	if (key.len != SHA256_BYTES || sum.len != SUM_BYTES)
		return false;
	memcpy(row->key.bytes, key.ptr, SHA256_BYTES);
	row->model = column(s, 1);
	row->tag = (unsigned)sqlite3_column_int64(s, 2);
	row->made_wall_ms = sqlite3_column_int64(s, 3);
	row->body = column(s, 4);
	want = sum_of(f, row);
	return memcmp(sum.ptr, want.bytes, SUM_BYTES) == 0;
}

struct count {
	size_t sound;
	size_t spoilt; /* their checksum does not fit */
};

/* Calls `load` for each sound row of `db`. */
static int
read_rows(struct cache_file *f, sqlite3 *db, cache_file_load load, void *arg, struct count *n)
{
	sqlite3_stmt *s = NULL;
	struct cache_disk_row row;
	int code = sqlite3_prepare_v2(
	    db, "SELECT key, model, tag, made, body, sum FROM entries ORDER BY rowid", -1, &s, NULL);

	while (code == SQLITE_OK || code == SQLITE_ROW) {
		code = sqlite3_step(s);
		if (code != SQLITE_ROW)
			break;
		if (read_row(f, s, &row)) {
			load(&row, arg);
			n->sound++;
		} else {
			n->spoilt++;
		}
	}
	sqlite3_finalize(s);
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* What reading the rows does not touch: the index, and what is free. */
static int
check_structure(sqlite3 *db)
{
	sqlite3_stmt *s = NULL;
	int code = sqlite3_prepare_v2(db, "PRAGMA integrity_check(1)", -1, &s, NULL);
	bool sound = false;

	if (code == SQLITE_OK)
		code = sqlite3_step(s);
	if (code == SQLITE_ROW)
		sound = str_eq(column(s, 0), "ok");
	sqlite3_finalize(s);
	if (code == SQLITE_ROW)
		return sound ? SQLITE_OK : SQLITE_CORRUPT;
	return code;
}

/* --- opening --- */

static void
close_db(struct cache_file *f)
{
	for (int i = 0; i < STATEMENTS; i++) {
		sqlite3_finalize(f->statements[i]);
		f->statements[i] = NULL;
	}
	sqlite3_close(f->db);
	f->db = NULL;
}

/* The file and what SQLite has beside it. */
static void
for_each_part(const char *path, void (*fn)(const char *part, const char *other), const char *other)
{
	static const char *const ends[] = {"", "-wal", "-shm", "-journal"};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct buf part = {0}, with = {0};

		buf_addf(&part, "%s%s", path, ends[i]);
		buf_addf(&with, "%s%s", other, ends[i]);
		fn(buf_text(&part), buf_text(&with));
		buf_finish(&part);
		buf_finish(&with);
	}
}

static void
remove_part(const char *part, const char *other)
{
	(void)other;
	unlink(part);
}

/* A part that is not there leaves none behind. */
static void
move_part(const char *part, const char *other)
{
	if (rename(part, other) != 0)
		unlink(other);
}

static int64_t
read_number(sqlite3 *db, const char *query)
{
	sqlite3_stmt *s = NULL;
	int64_t n = -1;

	if (sqlite3_prepare_v2(db, query, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
		n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return n;
}

static int
prepare(struct cache_file *f)
{
	int code = SQLITE_OK;

	for (int i = 0; i < STATEMENTS && code == SQLITE_OK; i++)
		code = sqlite3_prepare_v2(f->db, statement_texts[i], -1, &f->statements[i], NULL);
	return code;
}

/* A new file has version 0. */
static int
settle_version(struct cache_file *f, struct buf *report)
{
	char text[64];
	int64_t version = read_number(f->db, "PRAGMA user_version");

	if (version > 0 && version != FORMAT_VERSION) {
		buf_addf(report, "its format is version %lld, not %d: all of it is lost",
		         (long long)version, FORMAT_VERSION);
		if (run(f->db, "DROP TABLE IF EXISTS entries") != SQLITE_OK)
			return SQLITE_CORRUPT;
	}
	snprintf(text, sizeof(text), "PRAGMA user_version = %d", FORMAT_VERSION);
	return version == FORMAT_VERSION ? SQLITE_OK : run(f->db, text);
}

/* A header that says "of a newer SQLite" makes it read-only; so does who owns the file. */
static int
check_writable(struct cache_file *f)
{
	if (sqlite3_db_readonly(f->db, "main") == 0)
		return SQLITE_OK;
	return access(f->path, W_OK) == 0 ? SQLITE_CORRUPT : SQLITE_READONLY;
}

static int
set_bytes(struct cache_file *f, size_t file_bytes)
{
	char pages[64];

	snprintf(pages, sizeof(pages), "PRAGMA max_page_count = %zu", file_bytes / PAGE_BYTES + 1);
	return run(f->db, pages);
}

/* Exclusive before WAL: then the index of the journal is in memory, and no one else gets in. */
static int
open_db(struct cache_file *f, size_t file_bytes, struct buf *report)
{
	int code = sqlite3_open_v2(f->path, &f->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);

	if (code == SQLITE_OK)
		code = run(f->db, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
		                  "PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 4194304;");
	if (code == SQLITE_OK)
		code = check_writable(f);
	if (code == SQLITE_OK)
		code = settle_version(f, report);
	if (code == SQLITE_OK)
		code = run(f->db, create_text);
	if (code == SQLITE_OK)
		code = set_bytes(f, file_bytes);
	return code == SQLITE_OK ? prepare(f) : code;
}

static enum outcome
outcome_of(struct cache_file *f, int code, struct buf *report)
{
	if (code == SQLITE_OK)
		return OPENED;
	if (is_damage(code))
		return DAMAGED;
	buf_clear(report);
	buf_addf(report, "%s", f->db == NULL ? sqlite3_errstr(code) : sqlite3_errmsg(f->db));
	return UNUSABLE;
}

/* --- a damaged file --- */

struct rescue {
	struct cache_file *file;
	cache_file_load load;
	void *arg;
};

/* What cannot be written again is still loaded. */
static void
rescue_row(const struct cache_disk_row *row, void *arg)
{
	struct rescue *r = arg;

	if (!cache_file_put(r->file, row))
		sqlite3_clear_bindings(r->file->statements[PUT]);
	r->load(row, r->arg);
}

static void
read_damaged(struct cache_file *f, const char *path, cache_file_load load, void *arg,
             struct count *n)
{
	struct rescue r = {f, load, arg};
	sqlite3 *db = NULL;
	bool begun = cache_file_begin(f);

	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK)
		read_rows(f, db, rescue_row, &r, n);
	sqlite3_close(db);
	if (begun && !cache_file_commit(f))
		cache_file_undo(f);
}

static enum outcome
replace_damaged(struct cache_file *f, size_t file_bytes, cache_file_load load, void *arg,
                struct buf *report)
{
	struct buf aside = {0}, ignored = {0};
	struct count n = {0};
	enum outcome outcome;

	buf_addf(&aside, "%s.damaged", f->path);
	close_db(f);
	for_each_part(f->path, move_part, buf_text(&aside));
	outcome = outcome_of(f, open_db(f, file_bytes, &ignored), report);
	if (outcome == OPENED) {
		read_damaged(f, buf_text(&aside), load, arg, &n);
		buf_clear(report);
		buf_addf(report, "it is damaged: %zu entries could be read, the others are lost", n.sound);
	}
	for_each_part(buf_text(&aside), remove_part, "");
	buf_finish(&aside);
	buf_finish(&ignored);
	return outcome;
}

/* --- the interface --- */

/* Rows that were loaded before the damage was met are loaded again: the same ones. */
struct cache_file *
cache_file_open(const char *path, size_t file_bytes, cache_file_load load, void *arg,
                struct buf *report)
{
	struct cache_file *f = NEW(struct cache_file);
	struct count n = {0};
	enum outcome outcome;

	f->path = mem_strdup(path);
	f->hasher = sha256_hasher_create();
	outcome = outcome_of(f, open_db(f, file_bytes, report), report);
	if (outcome == OPENED)
		outcome = outcome_of(f, read_rows(f, f->db, load, arg, &n), report);
	if (outcome == OPENED)
		outcome = n.spoilt > 0 ? DAMAGED : outcome_of(f, check_structure(f->db), report);
	if (outcome == DAMAGED)
		outcome = replace_damaged(f, file_bytes, load, arg, report);
	if (outcome != OPENED)
		cache_file_close(&f);
	return f;
}

void
cache_file_set_bytes(struct cache_file *f, size_t file_bytes)
{
	/* Where it fails, the former bound holds. */
	(void)set_bytes(f, file_bytes);
}

void
cache_file_close(struct cache_file **fp)
{
	struct cache_file *f = *fp;

	*fp = NULL;
	if (f == NULL)
		return;
	close_db(f);
	sha256_hasher_destroy(&f->hasher);
	free(f->path);
	free(f);
}

void
cache_file_give_up(struct cache_file **fp)
{
	close_db(*fp);
	for_each_part((*fp)->path, remove_part, "");
	cache_file_close(fp);
}

bool
cache_file_begin(struct cache_file *f)
{
	return step(f, BEGIN);
}

bool
cache_file_put(struct cache_file *f, const struct cache_disk_row *row)
{
	sqlite3_stmt *s = f->statements[PUT];
	struct sha256 sum = sum_of(f, row);
	bool ok;

	sqlite3_bind_blob(s, 1, row->key.bytes, SHA256_BYTES, SQLITE_STATIC);
	sqlite3_bind_text(s, 2, row->model.ptr, (int)row->model.len, SQLITE_STATIC);
	sqlite3_bind_int64(s, 3, row->tag);
	sqlite3_bind_int64(s, 4, row->made_wall_ms);
	sqlite3_bind_blob64(s, 5, row->body.ptr, row->body.len, SQLITE_STATIC);
	sqlite3_bind_blob(s, 6, sum.bytes, SUM_BYTES, SQLITE_STATIC);
	ok = step(f, PUT);
	sqlite3_clear_bindings(s);
	return ok;
}

bool
cache_file_remove(struct cache_file *f, const struct sha256 *key)
{
	sqlite3_bind_blob(f->statements[REMOVE], 1, key->bytes, SHA256_BYTES, SQLITE_STATIC);
	return step(f, REMOVE);
}

bool
cache_file_commit(struct cache_file *f)
{
	return step(f, COMMIT);
}

/* SQLite may have undone it already. */
void
cache_file_undo(struct cache_file *f)
{
	if (sqlite3_get_autocommit(f->db) == 0 && !step(f, ROLLBACK))
		return;
}
