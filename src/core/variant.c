/* The options of variants. */
#include "core/variant.h"

const char *
variant_option_name(enum variant_option o)
{
	static const char *const names[VARIANT_OPTIONS] = {
	    [OPTION_NUM_CTX] = "num_ctx",   [OPTION_NUM_BATCH] = "num_batch",
	    [OPTION_NUM_GPU] = "num_gpu",   [OPTION_MAIN_GPU] = "main_gpu",
	    [OPTION_USE_MMAP] = "use_mmap", [OPTION_NUM_THREAD] = "num_thread",
	};

	return names[o];
}

void
variant_options_set(struct variant_options *v, enum variant_option o, int32_t value)
{
	v->given |= 1u << o;
	v->values[o] = value;
}

void
variant_options_unset(struct variant_options *v, enum variant_option o)
{
	v->given &= ~(1u << o);
	v->values[o] = 0;
}
