#include "ops/signature_tree.h"
#include <string.h>

int64_t sg_tree_nodes(bool keeps, int64_t leaves)
{
    return keeps ? 2 * leaves - 1 : leaves;
}

/* Where [first, end) is cut: the left part is as large a power of two as can be. */
static int64_t middle_of(int64_t first, int64_t end)
{
    int64_t half = 1;
    while (2 * half < end - first) half *= 2;
    return first + half;
}

/* Of the leaves first .. end - 1. Where factors are kept, a product stands between its factors'
 * last and first leaf. */
char *sg_tree_node(const sg_tree *t, int64_t first, int64_t end)
{
    int64_t kept = end - first == 1 ? 2 * first : 2 * middle_of(first, end) - 1;
    return t->node + (t->keeps ? kept : end - 1) * t->node_bytes;
}

char *sg_tree_leaf(const sg_tree *t, int64_t leaf)
{
    return sg_tree_node(t, leaf, leaf + 1);
}

/* The product of both halves of [first, end). */
static void join_halves(const sg_tree *t, int64_t first, int64_t end)
{
    int64_t middle = middle_of(first, end);
    char *right = sg_tree_node(t, middle, end), *product = sg_tree_node(t, first, end);
    if (t->keeps) memcpy(product, right, (size_t)t->node_bytes);
    t->join(t->kept, t->kept->degree, sg_tree_node(t, first, middle), product);
}

void sg_tree_join(const sg_tree *t, int64_t first, int64_t end)
{
    if (end - first == 1) return;
    int64_t middle = middle_of(first, end);
    sg_tree_join(t, first, middle);
    sg_tree_join(t, middle, end);
    join_halves(t, first, end);
}

bool sg_tree_arrive(const sg_tree *t, int64_t leaf, int64_t leaves, atomic_int *arrived)
{
    for (int64_t size = 2; size <= leaves; size *= 2) {
        int64_t first = leaf / size * size;
        if (!atomic_fetch_add_explicit(&arrived[first + size / 2], 1, memory_order_acq_rel))
            return false;
        join_halves(t, first, first + size);
    }
    return true;
}

void sg_tree_split(const sg_tree *t, int64_t first, int64_t end, int64_t least)
{
    if (end - first <= least) return;
    int64_t middle = middle_of(first, end);
    t->join_vjp(t->whole, sg_tree_node(t, first, middle), sg_tree_node(t, middle, end),
                t->bar + first * t->bar_bytes, t->bar + middle * t->bar_bytes);
    sg_tree_split(t, first, middle, least);
    sg_tree_split(t, middle, end, least);
}
