/*
 * The models that a node has. Kept in the order in which /api/tags lists them:
 * the one changed last comes first.
 */
#include "catalog.h"

#include "base/mem.h"
#include "base/unit.h"
#include "node/node.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct family {
	const char *prefix; /* of a model's name */
	const char *name;
};

static const struct family families[] = {
    {"qwen3", "qwen3"},   {"qwen2", "qwen2"},
    {"llama", "llama"},   {"gemma", "gemma3"},
    {"mistral", "llama"}, {"deepseek-r1", "qwen2"},
    {"phi", "phi3"},      {"nomic-embed", "nomic-bert"},
    {"mxbai", "bert"},    {"all-minilm", "bert"},
    {"bge", "bert"},      {"gpt-oss", "gptoss"},
};

static bool
is_name_char(char c, bool first)
{
	return isalnum((unsigned char)c) || c == '_' || (!first && (c == '-' || c == '.'));
}

/* One part of a name: 1 to 80 characters, the first a letter, a digit or an underscore. */
static bool
is_part(struct str part)
{
	if (part.len < 1 || part.len > 80)
		return false;
	for (size_t i = 0; i < part.len; i++)
		if (!is_name_char(part.ptr[i], i == 0))
			return false;
	return true;
}

/* Without the registry and the namespace that Ollama leaves out. */
static const char *
skip_defaults(const char *name)
{
	static const char *const prefixes[] = {"registry.ollama.ai/", "library/"};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (strncasecmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			name += strlen(prefixes[i]);
	return name;
}

bool
catalog_shorten_name(const char *name, struct buf *out)
{
	const char *slash, *colon, *base;
	struct str model, tag = str_of("latest");

	name = skip_defaults(name);
	slash = strrchr(name, '/');
	base = slash == NULL ? name : slash + 1;
	colon = strchr(base, ':');
	model = (struct str){base, colon == NULL ? strlen(base) : (size_t)(colon - base)};
	if (colon != NULL)
		tag = str_of(colon + 1);
	if (!is_part(model) || !is_part(tag) || (slash != NULL && slash == name))
		return false;
	buf_add(out, name, (size_t)(base - name));
	buf_add(out, model.ptr, model.len);
	buf_addc(out, ':');
	buf_add(out, tag.ptr, tag.len);
	return true;
}

bool
catalog_is_remote_name(const char *name)
{
	const char *colon = strrchr(name, ':');
	size_t len = strlen(name);

	if (colon == NULL)
		return false;
	return strcasecmp(colon, ":cloud") == 0 ||
	       (len >= 6 && strcasecmp(name + len - 6, "-cloud") == 0);
}

static char *
lower(const char *text)
{
	char *copy = mem_strdup(text);

	for (char *p = copy; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return copy;
}

/* "72b" in qwen2.5:72b-instruct -> "72B", and the bytes of its weights at 4 bits. */
static void
guess_parameters(struct model *m)
{
	const char *at = strchr(m->key, ':') + 1;
	char *end;
	double billions = strtod(at, &end);

	if (end == at || *end != 'b' || billions <= 0 || billions > 10000)
		billions = m->embeds ? 0.137 : 7.6;
	if (billions < 1)
		snprintf(m->parameters, sizeof(m->parameters), "%.0fM", billions * 1000);
	else
		snprintf(m->parameters, sizeof(m->parameters), "%gB", billions);
	m->size_bytes = (int64_t)(billions * (m->embeds ? 2e9 : 0.62e9));
}

static void
guess_family(struct model *m)
{
	snprintf(m->family, sizeof(m->family), "%s", m->embeds ? "bert" : "llama");
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (str_starts_nocase(str_of(m->key), families[i].prefix)) {
			snprintf(m->family, sizeof(m->family), "%s", families[i].name);
			return;
		}
}

static void
compute_digest(char out[DIGEST_HEX_SIZE], const char *what, const char *key)
{
	struct buf text = {0};

	buf_addf(&text, "%s %s", what, key);
	digest_of(out, (struct str){text.data, text.len});
	buf_finish(&text);
}

static struct model *
model_create(const char *name, int64_t now_wall_ms)
{
	struct model *m = NEW(struct model);

	list_init(&m->link);
	m->users = 1;
	m->name = mem_strdup(name);
	m->key = lower(name);
	m->modified_ms = now_wall_ms;
	m->remote = catalog_is_remote_name(m->key);
	m->embeds = strstr(m->key, "embed") != NULL;
	compute_digest(m->digest, "manifest", m->key);
	compute_digest(m->weights, "weights", m->key);
	return m;
}

struct model *
model_keep(struct model *m)
{
	m->users++;
	return m;
}

void
model_release(struct model **mp)
{
	struct model *m = *mp;

	*mp = NULL;
	if (m == NULL || --m->users > 0)
		return;
	free(m->name);
	free(m->key);
	free(m);
}

static void
unlist(struct model *m)
{
	list_remove(&m->link);
	model_release(&m);
}

void
catalog_init(struct catalog *c)
{
	list_init(&c->models);
}

void
catalog_finish(struct catalog *c)
{
	struct model *m;

	LIST_FOR_EACH (m, &c->models, struct model, link)
		unlist(m);
}

static struct model *
find_key(const struct catalog *c, const char *key)
{
	struct model *m;

	LIST_FOR_EACH (m, &c->models, struct model, link)
		if (strcmp(m->key, key) == 0)
			return m;
	return NULL;
}

struct model *
catalog_find(const struct catalog *c, const char *name)
{
	struct buf full = {0};
	struct model *m = NULL;

	if (catalog_shorten_name(name, &full)) {
		for (size_t i = 0; i < full.len; i++)
			full.data[i] = (char)tolower((unsigned char)full.data[i]);
		m = find_key(c, full.data);
	}
	buf_finish(&full);
	return m;
}

static void
list_newest(struct catalog *c, struct model *m)
{
	struct model *old = find_key(c, m->key);

	if (old != NULL)
		unlist(old);
	list_add_first(&c->models, &m->link);
}

static bool
set_number(struct str value, double *out)
{
	char text[32], *end;

	if (value.len == 0 || value.len >= sizeof(text))
		return false;
	memcpy(text, value.ptr, value.len);
	text[value.len] = '\0';
	*out = strtod(text, &end);
	return *end == '\0' && *out >= 0 && *out < 1e12;
}

static bool
set_option(struct model *m, struct str key, struct str value)
{
	if (str_eq(key, "load"))
		return unit_parse_duration_ms(value, &m->load_ms);
	if (str_eq(key, "unload"))
		return unit_parse_duration_ms(value, &m->unload_ms);
	if (str_eq(key, "size"))
		return unit_parse_size_bytes(value, &m->size_bytes);
	if (str_eq(key, "tps"))
		return set_number(value, &m->tokens_per_s);
	if (str_eq(key, "share"))
		return set_number(value, &m->share);
	if (str_eq(key, "prefill"))
		return set_number(value, &m->prefill_per_s);
	return false;
}

static bool
set_flag(struct model *m, struct str key)
{
	if (str_eq(key, "embed"))
		m->embeds = true;
	else if (str_eq(key, "thinking"))
		m->thinks = true;
	else if (str_eq(key, "vision"))
		m->sees = true;
	else if (str_eq(key, "cloud"))
		m->remote = true;
	else
		return false;
	return true;
}

static bool
set_part(struct model *m, struct str part)
{
	const char *equals = memchr(part.ptr, '=', part.len);
	struct str key = part;

	if (equals == NULL)
		return set_flag(m, part);
	key.len = (size_t)(equals - part.ptr);
	return set_option(m, key, (struct str){equals + 1, part.len - key.len - 1});
}

bool
catalog_add(struct catalog *c, struct str text, int64_t now_wall_ms, struct buf *why)
{
	struct buf name = {0};
	struct str rest = text, part;
	struct model *m = NULL;
	char *first;
	int64_t size;

	str_split(&rest, ',', &part);
	first = mem_strndup(part.ptr, part.len);
	if (!catalog_shorten_name(first, &name)) {
		buf_addf(why, "model '%s': no valid name", first);
		goto out;
	}
	m = model_create(name.data, now_wall_ms);
	while (str_split(&rest, ',', &part))
		if (!set_part(m, part)) {
			buf_addf(why, "model '%s': cannot use '%.*s'", first, STR_ARG(part));
			model_release(&m);
			goto out;
		}
	size = m->size_bytes;
	guess_family(m);
	guess_parameters(m);
	if (size > 0)
		m->size_bytes = size;
	list_newest(c, m);
out:
	free(first);
	buf_finish(&name);
	return m != NULL;
}

bool
catalog_remove(struct catalog *c, const char *name)
{
	struct model *m = catalog_find(c, name);

	if (m == NULL)
		return false;
	unlist(m);
	return true;
}

void
catalog_alias(struct catalog *c, const struct model *from, const char *to, int64_t now_wall_ms)
{
	struct model *m = NEW(struct model);

	*m = *from;
	list_init(&m->link);
	m->users = 1;
	m->name = mem_strdup(to);
	m->key = lower(to);
	m->modified_ms = now_wall_ms;
	list_newest(c, m);
}

const char *
node_model_help(void)
{
	return "NAME[,load=2s][,unload=500ms][,tps=50][,prefill=500][,share=0.25][,size=4GB]"
	       "[,embed][,thinking][,vision][,cloud]\n"
	       "    load, unload  how long it takes to load it and to free its memory (default 0)\n"
	       "    tps           tokens a second of one answer (default: as fast as possible)\n"
	       "    prefill       tokens a second at which a prompt is read (default: at once)\n"
	       "    share         what each further answer at once costs: with 0.25, four at once run\n"
	       "                  at 1/1.75 of the speed (default: nothing)\n"
	       "    size          of its weights (default: by the number in its name)\n"
	       "    embed         gives embeddings and no answers (default: when named so)\n"
	       "    thinking      thinks before it answers\n"
	       "    vision        takes images\n"
	       "    cloud         needs no runner (default: when its name ends in cloud)\n";
}
