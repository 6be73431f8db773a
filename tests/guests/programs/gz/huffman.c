/* huffman.c - length-limited Huffman codes by package-merge, canonical codes, and decoding tables. */
#include "gz.h"

#include <stdlib.h>
#include <string.h>

const uint16_t LENGTH_BASE[29] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                  31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
const uint8_t LENGTH_EXTRA[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
const uint16_t DISTANCE_BASE[DISTANCES] = {1,   2,   3,   4,   5,   7,    9,    13,   17,   25,   33,   49,   65,    97,    129,
                                           193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
const uint8_t DISTANCE_EXTRA[DISTANCES] = {0, 0, 0, 0, 1, 1, 2, 2,  3,  3,  4,  4,  5,  5,  6,
                                           6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13};
const uint8_t CODE_LENGTH_ORDER[CODE_LENGTHS] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};

/* ---- Package-merge (Larmore and Hirschberg, 1990). ----
 *
 * Each round pairs the cheapest items of the previous list into packages and merges those with the
 * leaves. After `limit` rounds the first 2 n - 2 items of the list are the solution: a symbol's code
 * length is the number of times its leaf occurs in them, counted through the packages. */

struct item {
    uint64_t weight;
    int symbol;      /* a leaf, or -1 */
    int first, second; /* a package: indices into the previous round's list */
};

static int by_weight(const void *a, const void *b) {
    const struct item *x = a, *y = b;
    if (x->weight != y->weight) return x->weight < y->weight ? -1 : 1;
    return x->symbol - y->symbol;
}

static void count_leaves(struct item *const *lists, int round, int index, uint8_t *lengths) {
    const struct item *item = &lists[round][index];
    if (item->symbol >= 0) {
        lengths[item->symbol]++;
        return;
    }
    count_leaves(lists, round - 1, item->first, lengths);
    count_leaves(lists, round - 1, item->second, lengths);
}

/* Merges the sorted leaves with the packages made from `previous` into `out`; returns its size. */
static int merge_round(const struct item *leaves, int n, const struct item *previous, int count, struct item *out) {
    int size = 0, leaf = 0;
    for (int pair = 0; pair + 1 < count; pair += 2) {
        uint64_t weight = previous[pair].weight + previous[pair + 1].weight;
        while (leaf < n && leaves[leaf].weight <= weight) out[size++] = leaves[leaf++];
        out[size++] = (struct item){weight, -1, pair, pair + 1};
    }
    while (leaf < n) out[size++] = leaves[leaf++];
    return size;
}

void huffman_lengths(const uint32_t *frequency, int count, int limit, uint8_t *lengths) {
    struct item leaves[FIXED_LITERALS], *lists[MAX_BITS];
    int n = 0;
    memset(lengths, 0, (size_t)count);
    for (int s = 0; s < count; s++)
        if (frequency[s]) leaves[n++] = (struct item){frequency[s], s, 0, 0};
    if (n < 2) {
        int used = n ? leaves[0].symbol : 0;
        lengths[used] = lengths[used == 0 ? 1 : 0] = 1;
        return;
    }
    qsort(leaves, (size_t)n, sizeof *leaves, by_weight);

    struct item *storage = must_alloc(sizeof *storage * (size_t)limit * 2 * (size_t)n);
    int size = n;
    lists[0] = storage;
    memcpy(lists[0], leaves, sizeof *leaves * (size_t)n);
    for (int round = 1; round < limit; round++) {
        lists[round] = storage + (size_t)round * 2 * (size_t)n;
        size = merge_round(leaves, n, lists[round - 1], size, lists[round]);
    }
    for (int i = 0; i < 2 * n - 2; i++) count_leaves(lists, limit - 1, i, lengths);
    free(storage);
}

/* ---- Canonical codes. ---- */

static uint16_t reverse_bits(uint32_t code, int length) {
    uint32_t reversed = 0;
    for (int i = 0; i < length; i++) reversed |= (code >> i & 1) << (length - 1 - i);
    return (uint16_t)reversed;
}

/* The first code of each length. False if the lengths are over-subscribed. */
static bool first_codes(const uint8_t *lengths, int count, uint16_t per_length[MAX_BITS + 1], uint32_t next[MAX_BITS + 1]) {
    uint32_t code = 0;
    memset(per_length, 0, sizeof *per_length * (MAX_BITS + 1));
    for (int s = 0; s < count; s++) per_length[lengths[s]]++;
    per_length[0] = 0;
    for (int bits = 1; bits <= MAX_BITS; bits++) {
        code = (code + per_length[bits - 1]) << 1;
        next[bits] = code;
        if (code + per_length[bits] > 1u << bits) return false;
    }
    return true;
}

void huffman_codes(const uint8_t *lengths, int count, uint16_t *codes) {
    uint16_t per_length[MAX_BITS + 1];
    uint32_t next[MAX_BITS + 1];
    first_codes(lengths, count, per_length, next);
    for (int s = 0; s < count; s++) codes[s] = lengths[s] ? reverse_bits(next[lengths[s]]++, lengths[s]) : 0;
}

void huffman_fixed(uint8_t literals[FIXED_LITERALS], uint8_t distances[DISTANCES]) {
    for (int s = 0; s < FIXED_LITERALS; s++) literals[s] = s < 144 ? 8 : s < 256 ? 9 : s < 280 ? 7 : 8;
    memset(distances, 5, DISTANCES);
}

bool decoder_init(struct decoder *d, const uint8_t *lengths, int count) {
    uint32_t next[MAX_BITS + 1];
    uint16_t offset[MAX_BITS + 2] = {0};
    memset(d->fast, 0, sizeof d->fast);
    if (!first_codes(lengths, count, d->count, next)) return false;
    for (int bits = 1; bits <= MAX_BITS; bits++) offset[bits + 1] = (uint16_t)(offset[bits] + d->count[bits]);
    for (int s = 0; s < count; s++) {
        int length = lengths[s];
        if (!length) continue;
        d->symbol[offset[length]++] = (uint16_t)s;
        uint32_t code = next[length]++;
        if (length > FAST_BITS) continue;
        for (uint32_t i = reverse_bits(code, length); i < 1u << FAST_BITS; i += 1u << length)
            d->fast[i] = (uint16_t)(s << 4 | length);
    }
    return true;
}
