/* In which order requests are shown. */
#ifndef TOP_ORDER_H
#define TOP_ORDER_H

#include "picture.h"

enum order_by { BY_TURN, BY_AGE, BY_TOKENS, BY_RATE, BY_KEY, BY_MODEL };

enum { ORDERS = BY_MODEL + 1 };

const char *order_name(enum order_by by);
/* Those that are equal stay as the API had them. */
void order_rows(struct picture *p, enum order_by by);

#endif
