/*
 * A doubly linked list whose links live inside its members.
 *
 * The same struct is the head of a list and the link of a member. A link that
 * is in no list points at itself, so that removing it twice is harmless and
 * list_linked() tells. Who owns the members is said at the field that is the
 * head, together with the name of their link.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next;
	struct list *prev;
};

#define LIST_ENTRY(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

/* The first member, or NULL. */
#define LIST_FIRST(head, type, member) \
	(list_empty(head) ? NULL : LIST_ENTRY(list_peek(head), type, member))

/* The body may remove `it` from the list, but no other member. */
#define LIST_FOR_EACH(it, head, type, member)                                   \
	for (struct list *it##_at = list_peek(head), *it##_next = it##_at->next;    \
	     it##_at != (head) && ((it) = LIST_ENTRY(it##_at, type, member), true); \
	     it##_at = it##_next, it##_next = it##_at->next)

static inline void
list_init(struct list *l)
{
	l->next = l;
	l->prev = l;
}

static inline bool
list_empty(const struct list *head)
{
	return head->next == head;
}

#ifdef __clang_analyzer__
/* It cannot follow what list_remove does to the neighbours, and would take the first for the one
 * that was removed, and freed, before it: so it is told nothing of which one this is. */
struct list *list_peek(const struct list *head);
#else
static inline struct list *
list_peek(const struct list *head)
{
	return head->next;
}
#endif

static inline bool
list_linked(const struct list *link)
{
	return link->next != link;
}

static inline void
list_insert_after(struct list *at, struct list *link)
{
	link->prev = at;
	link->next = at->next;
	at->next->prev = link;
	at->next = link;
}

static inline void
list_add_first(struct list *head, struct list *link)
{
	list_insert_after(head, link);
}

static inline void
list_add_last(struct list *head, struct list *link)
{
	list_insert_after(head->prev, link);
}

static inline void
list_remove(struct list *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	list_init(link);
}

#endif
