/* binary_trees.c - builds and drops many binary trees: malloc, free and pointer chasing.
 *
 * Usage: binary_trees.wasm [N]     N: depth of the deepest tree */
#include "bench.h"

struct node {
    struct node *left, *right;
};

static struct node *build(uint32_t depth) {
    struct node *n = allocate(sizeof *n);
    n->left = depth ? build(depth - 1) : NULL;
    n->right = depth ? build(depth - 1) : NULL;
    return n;
}

static uint32_t count(const struct node *n) { return n->left ? 1 + count(n->left) + count(n->right) : 1; }

static void drop(struct node *n) {
    if (n->left) drop(n->left), drop(n->right);
    free(n);
}

int main(int argc, char **argv) {
    enum { MIN_DEPTH = 4 };
    uint32_t n = work_size(argc, argv, 18), deepest = n < MIN_DEPTH + 2 ? MIN_DEPTH + 2 : n;
    struct node *kept = build(deepest);
    for (uint32_t depth = MIN_DEPTH; depth <= deepest; depth += 4) {
        uint32_t trees = 1u << (deepest - depth + MIN_DEPTH), nodes = 0;
        for (uint32_t i = 0; i < trees; i++) {
            struct node *tree = build(depth);
            nodes += count(tree);
            drop(tree);
        }
        printf("binary_trees depth %2u: %u trees, %u nodes\n", depth, trees, nodes);
    }
    printf("binary_trees kept %u nodes of depth %u\n", count(kept), deepest);
    drop(kept);
    return 0;
}
