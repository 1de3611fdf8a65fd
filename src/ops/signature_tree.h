/* A binary tree of Chen products over tensors that follow each other in time. Its shape is fixed by
 * the number of leaves. */
#ifndef SG_SIGNATURE_TREE_H
#define SG_SIGNATURE_TREE_H
#include "ops/cpu/lanes/lanes.h"
#include <stdatomic.h>

typedef struct {
    const sigad_plan *kept, *whole; /* of nodes and of cotangents, without scalar term */
    sg_join join;
    sg_join_vjp join_vjp;
    bool keeps; /* the factors, for the way back; else a product replaces its right factor */
    char *node, *bar;
    int64_t node_bytes, bar_bytes;
} sg_tree;

int64_t sg_tree_nodes(bool keeps, int64_t leaves);

/* The product of leaves first .. end - 1, as wide as subtrees are; and one leaf. */
char *sg_tree_node(const sg_tree *tree, int64_t first, int64_t end);
char *sg_tree_leaf(const sg_tree *tree, int64_t leaf);

/* Products over leaves first .. end - 1. */
void sg_tree_join(const sg_tree *tree, int64_t first, int64_t end);

/* The same for threads that bring leaves: a leaf is there; now are those products that only waited
 * for it. Whether the product of all `leaves` is, a power of two. `arrived` has an entry for each
 * leaf, 0 at first. */
bool sg_tree_arrive(const sg_tree *tree, int64_t leaf, int64_t leaves, atomic_int *arrived);

/* From the cotangent of that product to those of its parts of `least` leaves. The cotangent of a
 * node lies where that of its first leaf will. */
void sg_tree_split(const sg_tree *tree, int64_t first, int64_t end, int64_t least);
#endif
