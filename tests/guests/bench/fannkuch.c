/* fannkuch.c - the most prefix reversals over all permutations of N: short loops over small arrays.
 *
 * Usage: fannkuch.wasm [N] N: elements permuted, 3 to 16 */
#include "bench.h"

enum { MAX = 16 };

static int reversals(const uint8_t *permutation, uint32_t n) {
    uint8_t p[MAX];
    int count = 0;
    memcpy(p, permutation, n);
    for (uint8_t first; (first = p[0]) != 0; count++)
        for (uint8_t *a = p, *b = p + first; a < b; a++, b--) {
            uint8_t t = *a;
            *a = *b, *b = t;
        }
    return count;
}

int main(int argc, char **argv) {
    uint32_t n = work_size(argc, argv, 10), index = 0;
    uint8_t permutation[MAX], count[MAX];
    int most = 0, checksum = 0;
    if (n < 3 || n > MAX) return 2;

    for (uint32_t i = 0; i < n; i++) permutation[i] = (uint8_t)i, count[i] = 0;
    for (;; index++) {
        int r = reversals(permutation, n);
        if (r > most) most = r;
        checksum += index % 2 ? -r : r;

        uint32_t i = 1; /* next permutation: rotate longer and longer prefixes */
        for (; i < n; i++) {
            uint8_t first = permutation[0];
            memmove(permutation, permutation + 1, i);
            permutation[i] = first;
            if (++count[i] <= i) break;
            count[i] = 0;
        }
        if (i == n) break;
    }
    printf("fannkuch(%u): checksum %d, most reversals %d\n", n, checksum, most);
    return 0;
}
