/* sort.c - quicksort and heapsort with a comparator behind a function pointer: call_indirect.
 *
 * Usage: sort.wasm [N]     N: records sorted
 * Each order is sorted by both algorithms from the same shuffled records; results must agree. */
#include "bench.h"

#include <stdbool.h>

struct record {
    uint32_t key, serial;
    double weight;
};

typedef int (*compare_fn)(const struct record *, const struct record *);

static int by_key(const struct record *a, const struct record *b) {
    if (a->key != b->key) return a->key < b->key ? -1 : 1;
    return a->serial < b->serial ? -1 : a->serial > b->serial;
}

static int by_weight(const struct record *a, const struct record *b) {
    if (a->weight != b->weight) return a->weight < b->weight ? -1 : 1;
    return by_key(a, b);
}

static int by_serial_descending(const struct record *a, const struct record *b) {
    return a->serial > b->serial ? -1 : a->serial < b->serial;
}

static inline void swap(struct record *a, struct record *b) {
    struct record t = *a;
    *a = *b, *b = t;
}

static void insertion_sort(struct record *r, size_t n, compare_fn compare) {
    for (size_t i = 1; i < n; i++) {
        struct record moving = r[i];
        size_t j = i;
        for (; j > 0 && compare(&moving, &r[j - 1]) < 0; j--) r[j] = r[j - 1];
        r[j] = moving;
    }
}

static void quick_sort(struct record *r, size_t n, compare_fn compare) {
    while (n > 16) {
        size_t middle = n / 2, last = n - 1;
        if (compare(&r[middle], &r[0]) < 0) swap(&r[middle], &r[0]);
        if (compare(&r[last], &r[0]) < 0) swap(&r[last], &r[0]);
        if (compare(&r[last], &r[middle]) < 0) swap(&r[last], &r[middle]);
        struct record pivot = r[middle];
        size_t i = 0, j = last;
        for (;;) {
            while (compare(&r[i], &pivot) < 0) i++;
            while (compare(&pivot, &r[j]) < 0) j--;
            if (i >= j) break;
            swap(&r[i++], &r[j--]);
        }
        size_t left = j + 1; /* recurse into the smaller part, loop over the larger */
        if (left < n - left) {
            quick_sort(r, left, compare);
            r += left, n -= left;
        } else {
            quick_sort(r + left, n - left, compare);
            n = left;
        }
    }
    insertion_sort(r, n, compare);
}

static void sift_down(struct record *r, size_t root, size_t n, compare_fn compare) {
    for (size_t child; (child = 2 * root + 1) < n; root = child) {
        if (child + 1 < n && compare(&r[child], &r[child + 1]) < 0) child++;
        if (compare(&r[root], &r[child]) >= 0) return;
        swap(&r[root], &r[child]);
    }
}

static void heap_sort(struct record *r, size_t n, compare_fn compare) {
    for (size_t i = n / 2; i-- > 0;) sift_down(r, i, n, compare);
    for (size_t end = n; end-- > 1;) {
        swap(&r[0], &r[end]);
        sift_down(r, 0, end, compare);
    }
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        compare_fn compare;
    } orders[] = {{"key", by_key}, {"weight", by_weight}, {"serial", by_serial_descending}};
    uint32_t n = work_size(argc, argv, 400000), seed = 42;
    struct record *records = allocate(n * sizeof *records);
    struct record *quick = allocate(n * sizeof *quick), *heap = allocate(n * sizeof *heap);

    for (uint32_t i = 0; i < n; i++) {
        records[i].serial = i;
        records[i].key = random_next(&seed) % (n / 4 + 1);
        records[i].weight = (int32_t)random_next(&seed) / 1024.0;
    }
    for (size_t o = 0; o < sizeof orders / sizeof *orders; o++) {
        memcpy(quick, records, n * sizeof *records);
        memcpy(heap, records, n * sizeof *records);
        quick_sort(quick, n, orders[o].compare);
        heap_sort(heap, n, orders[o].compare);
        printf("sort %u by %-6s %016llx %s\n", n, orders[o].name,
               (unsigned long long)hash_bytes(HASH_START, quick, n * sizeof *quick),
               memcmp(quick, heap, n * sizeof *quick) == 0 ? "agree" : "DISAGREE");
        memcpy(records, quick, n * sizeof *records); /* the next order starts from this one */
    }
    return 0;
}
