/* The table of APIs. */
#include "api.h"

#include <string.h>

static void
add_text(struct buf *out, const char *key, const char *text)
{
	buf_addf(out, "\"%s\":", key);
	buf_add_json(out, text, strlen(text));
}

static void
add_model(struct buf *out, const struct ask *ask)
{
	buf_addc(out, '{');
	add_text(out, "model", ask->model);
	buf_addc(out, ',');
}

static void
add_messages(struct buf *out, const struct ask *ask)
{
	buf_adds(out, "\"messages\":");
	if (ask->messages != NULL) {
		buf_adds(out, ask->messages);
		return;
	}
	buf_adds(out, "[{\"role\":\"user\",");
	add_text(out, "content", ask->prompt);
	buf_adds(out, "}]");
}

/* Ollama's own: what steers the model is an object of its own. */
static void
end_native(struct buf *out, const struct ask *ask)
{
	buf_addf(out, ",\"stream\":%s", ask->stream ? "true" : "false");
	if (ask->output_tokens > 0 || ask->options[0] != '\0') {
		buf_adds(out, ",\"options\":{");
		if (ask->output_tokens > 0)
			buf_addf(out, "\"num_predict\":%lld%s", (long long)ask->output_tokens,
			         ask->options[0] == '\0' ? "" : ",");
		buf_addf(out, "%s}", ask->options);
	}
	buf_addc(out, '}');
}

static void
end_flat(struct buf *out, const struct ask *ask, const char *limit)
{
	if (ask->output_tokens > 0)
		buf_addf(out, ",\"%s\":%lld", limit, (long long)ask->output_tokens);
	if (ask->options[0] != '\0')
		buf_addf(out, ",%s", ask->options);
	buf_addf(out, ",\"stream\":%s}", ask->stream ? "true" : "false");
}

/* OpenAI's streams say how many tokens there were only when asked to. */
static void
end_openai(struct buf *out, const struct ask *ask)
{
	if (ask->stream)
		buf_adds(out, ",\"stream_options\":{\"include_usage\":true}");
	end_flat(out, ask, "max_tokens");
}

static void
add_generate(struct buf *out, const struct ask *ask)
{
	add_model(out, ask);
	add_text(out, "prompt", ask->prompt);
	end_native(out, ask);
}

static void
add_chat(struct buf *out, const struct ask *ask)
{
	add_model(out, ask);
	add_messages(out, ask);
	end_native(out, ask);
}

static void
add_openai_chat(struct buf *out, const struct ask *ask)
{
	add_model(out, ask);
	add_messages(out, ask);
	end_openai(out, ask);
}

static void
add_completions(struct buf *out, const struct ask *ask)
{
	add_model(out, ask);
	add_text(out, "prompt", ask->prompt);
	end_openai(out, ask);
}

static void
add_responses(struct buf *out, const struct ask *ask)
{
	add_model(out, ask);
	if (ask->messages != NULL)
		buf_addf(out, "\"input\":%s", ask->messages);
	else
		add_text(out, "input", ask->prompt);
	end_flat(out, ask, "max_output_tokens");
}

/* max_tokens is no option there. */
static void
add_anthropic(struct buf *out, const struct ask *ask)
{
	struct ask bounded = *ask;

	if (bounded.output_tokens == 0)
		bounded.output_tokens = 4096;
	add_model(out, ask);
	add_messages(out, ask);
	end_flat(out, &bounded, "max_tokens");
}

static void
add_embed(struct buf *out, const struct ask *ask)
{
	add_model(out, ask);
	add_text(out, "input", ask->prompt);
	if (ask->options[0] != '\0')
		buf_addf(out, ",\"options\":{%s}", ask->options);
	buf_addc(out, '}');
}

static void
add_embeddings(struct buf *out, const struct ask *ask)
{
	add_model(out, ask);
	add_text(out, "input", ask->prompt);
	if (ask->options[0] != '\0')
		buf_addf(out, ",%s", ask->options);
	buf_addc(out, '}');
}

static const struct api apis[] = {
    {"generate", "/api/generate", true, false, "", add_generate},
    {"chat", "/api/chat", true, true, "", add_chat},
    {"openai", "/v1/chat/completions", true, true, "", add_openai_chat},
    {"completions", "/v1/completions", true, false, "", add_completions},
    {"responses", "/v1/responses", true, true, "", add_responses},
    {"messages", "/v1/messages", true, true, "anthropic-version: 2023-06-01\r\n", add_anthropic},
    {"embed", "/api/embed", false, false, "", add_embed},
    {"embeddings", "/v1/embeddings", false, false, "", add_embeddings},
};

const struct api *
api_find(const char *name)
{
	for (size_t i = 0; i < sizeof(apis) / sizeof(apis[0]); i++)
		if (strcmp(apis[i].name, name) == 0)
			return &apis[i];
	return NULL;
}

const char *
api_names(void)
{
	return "generate, chat, openai, completions, responses, messages, embed, embeddings";
}
