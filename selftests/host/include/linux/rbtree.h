/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of <linux/rbtree.h> that pure kernel code uses, on the host: the
 * same calls over a sorted list, which is all that a test needs.
 */
#ifndef HOST_LINUX_RBTREE_H
#define HOST_LINUX_RBTREE_H

#include <linux/types.h>

struct rb_node {
	struct rb_node *rb_next;
	struct rb_node *rb_self;	/* itself while it is in no tree */
};

struct rb_root_cached {
	struct rb_node *rb_leftmost;
};

#define RB_ROOT_CACHED ((struct rb_root_cached) { NULL })
#define RB_CLEAR_NODE(node) ((node)->rb_self = (node))
#define RB_EMPTY_NODE(node) ((node)->rb_self == (node))

#define rb_entry(ptr, type, member) container_of(ptr, type, member)
#define rb_entry_safe(ptr, type, member) \
	({ __typeof__(ptr) _node = (ptr); _node ? rb_entry(_node, type, member) : NULL; })

#define rb_first_cached(root) ((root)->rb_leftmost)

static inline struct rb_node *rb_next(const struct rb_node *node)
{
	return node->rb_next;
}

static inline void rb_add_cached(struct rb_node *node, struct rb_root_cached *root,
				 bool (*less)(struct rb_node *, const struct rb_node *))
{
	struct rb_node **link = &root->rb_leftmost;

	while (*link && !less(node, *link))
		link = &(*link)->rb_next;
	node->rb_self = NULL;
	node->rb_next = *link;
	*link = node;
}

static inline void rb_erase_cached(struct rb_node *node, struct rb_root_cached *root)
{
	struct rb_node **link = &root->rb_leftmost;

	while (*link != node)
		link = &(*link)->rb_next;
	*link = node->rb_next;
}

#endif
