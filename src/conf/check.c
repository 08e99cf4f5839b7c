/* What no single value shows. */
#include "check.h"

#include "base/mem.h"
#include "base/tls.h"
#include "base/unit.h"
#include "check_keys.h"
#include "syntax.h"
#include "url.h"
#include "value.h"

#include <stdlib.h>
#include <string.h>

/* Who said a key of the record. */
static const struct origin *
origin_of(const struct record *r, const char *path)
{
	int row = table_find(r->table, path);

	if (row < 0)
		abort();
	return &r->slots[row].origin;
}

static const struct slot *
slot_of(const struct record *root, const char *path)
{
	return &root->slots[table_find(root->table, path)];
}

static const struct slot *
backend_slot(const struct record *root)
{
	return slot_of(root, "backends");
}

/* ---- defaults that follow from others ---- */

static char *
name_of_url(const char *text)
{
	struct buf name = {0}, why = {0};
	struct url url;

	if (!url_parse(str_of(text), &url, &why))
		abort();
	url_add_hostport(&url, &name);
	buf_finish(&why);
	return buf_take(&name);
}

void
check_settle_backend(struct backend_settings *b, bool slots_said)
{
	if (b->name == NULL && b->url != NULL)
		b->name = name_of_url(b->url);
	if (!slots_said)
		b->slots = b->parallel * b->max_loaded;
}

void
check_settle(const struct record *root, struct settings *s)
{
	for (size_t i = 0; i < s->backend_count; i++) {
		const struct record *r = backend_slot(root)->records[i];

		check_settle_backend(&s->backends[i], origin_of(r, "slots")->source != FROM_DEFAULT);
	}
	check_keys_settle(root, s);
}

/* ---- rules between keys ---- */

/* Blames the one of the two that was said last. */
static void
complain_order(const struct record *r, const char *smaller, const char *larger,
               struct report *report)
{
	int low = table_find(r->table, smaller), high = table_find(r->table, larger);
	const struct slot *slots = r->slots;
	bool blame_high = slots[high].origin.source > slots[low].origin.source;
	struct buf least = {0}, most = {0};

	(void)value_add_text(&r->table->rows[low], record_base(r), &least);
	(void)value_add_text(&r->table->rows[high], record_base(r), &most);
	if (blame_high)
		record_complain(r, &slots[high].origin, larger, report, "%s is less than %s, %s",
		                buf_text(&most), smaller, buf_text(&least));
	else
		record_complain(r, &slots[low].origin, smaller, report, "%s is more than %s, %s",
		                buf_text(&least), larger, buf_text(&most));
	buf_finish(&least);
	buf_finish(&most);
}

static void
check_ca(const struct record *r, const struct backend_settings *b, struct report *report)
{
	struct buf why = {0};
	SSL_CTX *context = tls_client_context(b->tls_ca, b->tls_verify, &why);

	if (context == NULL)
		record_complain(r, origin_of(r, "tls.ca"), "tls.ca", report, "%s", buf_text(&why));
	SSL_CTX_free(context);
	buf_finish(&why);
}

static void
check_tls(const struct record *r, const struct backend_settings *b, struct report *report)
{
	bool is_tls = strncasecmp(b->url, "https:", 6) == 0;

	if (b->tls_ca != NULL && !is_tls)
		record_complain(r, origin_of(r, "tls.ca"), "tls.ca", report,
		                "only counts for an https url");
	else if (b->tls_ca != NULL)
		check_ca(r, b, report);
	if (!b->tls_verify && !is_tls)
		record_complain(r, origin_of(r, "tls.verify"), "tls.verify", report,
		                "only counts for an https url");
}

static bool
same_name(const struct backend_settings *a, const struct backend_settings *b)
{
	return a->name != NULL && b->name != NULL && strcmp(a->name, b->name) == 0;
}

static void
check_name(const struct slot *slot, const struct settings *s, size_t i, struct report *report)
{
	const struct record *r = slot->records[i];
	const struct origin *from = origin_of(r, "name");

	/* A name that nobody said came of the url. */
	if (from->source == FROM_DEFAULT)
		from = origin_of(r, "url");
	for (size_t j = 0; j < i; j++)
		if (same_name(&s->backends[i], &s->backends[j])) {
			record_complain(r, from, "name", report, "\"%s\" is the name of backends[%zu] too",
			                s->backends[i].name, j);
			return;
		}
}

static void
check_backends(const struct record *root, const struct settings *s, struct report *report)
{
	const struct slot *slot = backend_slot(root);

	if (s->backend_count == 0 && !s->demo)
		record_complain(root, &slot->origin, "backends", report,
		                "the list is empty; give a backend, or leave the key out");
	for (size_t i = 0; i < s->backend_count; i++) {
		const struct record *r = slot->records[i];

		check_name(slot, s, i, report);
		if (s->backends[i].url == NULL)
			record_complain(r, &r->origin, "", report, "url is missing; a backend needs one");
		else
			check_tls(r, &s->backends[i], report);
	}
}

static bool
has_backend(const struct settings *s, const char *name)
{
	for (size_t i = 0; i < s->backend_count; i++)
		if (s->backends[i].name != NULL && strcmp(s->backends[i].name, name) == 0)
			return true;
	return false;
}

/* Of the simulated nodes of a demonstration the names are not known yet. */
static void
check_warm(const struct record *r, const struct settings *s, const struct model_settings *m,
           struct report *report)
{
	const struct text_list *names = &m->warm.backends;

	for (size_t i = 0; i < names->count && !s->demo; i++)
		if (!has_backend(s, names->items[i]))
			record_complain(r, origin_of(r, "warm.backends"), "warm.backends", report,
			                "\"%s\" is no backend", names->items[i]);
}

static void
check_models(const struct record *root, const struct settings *s, struct report *report)
{
	const struct slot *slot = slot_of(root, "models");

	for (size_t i = 0; i < s->model_count; i++) {
		const struct model_settings *m = &s->models[i];
		const struct record *r = slot->records[i];

		if (m->match == NULL)
			record_complain(r, &r->origin, "", report, "match is missing; a rule needs one");
		if (m->num_predict.most > 0 && m->num_predict.usual > m->num_predict.most)
			complain_order(r, "num_predict.default", "num_predict.max", report);
		if (m->num_ctx.most > 0 && m->num_ctx.usual > m->num_ctx.most)
			complain_order(r, "num_ctx.default", "num_ctx.max", report);
		check_warm(r, s, m, report);
	}
}

static void
check_listen(const struct record *root, const struct settings *s, struct report *report)
{
	const struct origin *from = origin_of(root, "listen");

	if (s->listen.count == 0)
		record_complain(root, from, "listen", report, "the list is empty; give an address");
	for (size_t i = 0; i < s->listen.count; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(s->listen.items[i], s->listen.items[j]) == 0)
				record_complain(root, from, "listen", report, "\"%s\" is in the list twice",
				                s->listen.items[i]);
}

static bool
takes_free_port(const char *address)
{
	size_t len = strlen(address);

	return len >= 2 && strcmp(address + len - 2, ":0") == 0;
}

static bool
speaks_tcp(const struct settings *s)
{
	for (size_t i = 0; i < s->listen.count; i++)
		if (strncmp(s->listen.items[i], "unix:", 5) != 0)
			return true;
	return false;
}

/* The files are read as they will be for service. */
static void
check_tls_files(const struct record *root, const struct settings *s, struct report *report)
{
	static const char *const paths[] = {[TLS_CERT] = "tls.cert", [TLS_KEY] = "tls.key"};
	enum tls_file blame;
	struct buf why = {0};
	SSL_CTX *context = tls_server_context(s->tls.cert, s->tls.key, &blame, &why);

	if (context == NULL)
		record_complain(root, origin_of(root, paths[blame]), paths[blame], report, "%s",
		                buf_text(&why));
	SSL_CTX_free(context);
	buf_finish(&why);
}

static void
check_front_tls(const struct record *root, const struct settings *s, struct report *report)
{
	if (s->tls.cert == NULL && s->tls.key == NULL)
		return;
	if (s->tls.key == NULL)
		record_complain(root, origin_of(root, "tls.cert"), "tls.cert", report,
		                "needs its key too; give tls.key");
	else if (s->tls.cert == NULL)
		record_complain(root, origin_of(root, "tls.key"), "tls.key", report,
		                "needs its certificate too; give tls.cert");
	else if (!speaks_tcp(s))
		record_complain(root, origin_of(root, "tls.cert"), "tls.cert", report,
		                "does nothing here: `listen` has sockets only, and those are never TLS");
	else
		check_tls_files(root, s, report);
}

/* Where nobody said `admin`, there is a place for `listen` alone. */
static void
complain_shared(const struct record *root, const char *address, struct report *report)
{
	const struct origin *from = origin_of(root, "admin");

	if (from->source != FROM_DEFAULT)
		record_complain(root, from, "admin", report,
		                "\"%s\" is in `listen` too; give it an address of its own", address);
	else
		record_complain(root, origin_of(root, "listen"), "listen", report,
		                "\"%s\" is where the dashboard is, unless `admin` says otherwise; give "
		                "one of them another address",
		                address);
}

static void
check_admin(const struct record *root, const struct settings *s, struct report *report)
{
	if (strcmp(s->admin, "off") != 0 && !syntax_is_on_loopback(s->admin) &&
	    !settings_have_admin_key(s))
		record_complain(root, origin_of(root, "admin"), "admin", report,
		                "\"%s\" is not of this machine alone, and no key has admin: true; give "
		                "127.0.0.1:port, [::1]:port, localhost:port, unix:/path or off",
		                s->admin);
	for (size_t i = 0; i < s->listen.count && !takes_free_port(s->admin); i++)
		if (strcmp(s->listen.items[i], s->admin) == 0)
			complain_shared(root, s->admin, report);
}

/* First of all: the rules below compare each with each. */
static bool
check_lengths(const struct record *r, struct report *report)
{
	bool fine = true;

	for (size_t i = 0; i < r->table->count; i++) {
		const struct row *row = &r->table->rows[i];
		size_t count = 0;

		if (row->kind == KIND_TEXTS)
			count = value_texts(row, record_base(r))->count;
		else if (row->kind == KIND_PAIRS)
			count = value_pairs(row, record_base(r))->count;
		else if (row->kind == KIND_RECORDS)
			count = r->slots[i].record_count;
		if (table_is_list(row) && count > (size_t)row->most) {
			record_complain(r, &r->slots[i].origin, row->path, report,
			                "has %zu entries; give at most %lld", count, (long long)row->most);
			fine = false;
		}
		for (size_t n = 0; n < r->slots[i].record_count; n++)
			fine = check_lengths(r->slots[i].records[n], report) && fine;
	}
	return fine;
}

void
check_all(const struct record *root, const struct settings *s, struct report *report)
{
	if (!check_lengths(root, report))
		return;
	check_listen(root, s, report);
	check_front_tls(root, s, report);
	check_admin(root, s, report);
	check_backends(root, s, report);
	check_models(root, s, report);
	check_keys(root, s, report);
	check_aliases(root, s, report);
	if (s->breaker.open > s->breaker.max_open)
		complain_order(root, "breaker.open", "breaker.max_open", report);
}
