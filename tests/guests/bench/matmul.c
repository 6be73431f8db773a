/* matmul.c - square matrix products in f64 and f32, blocked for the cache: loads, stores and multiply-adds.
 *
 * Usage: matmul.wasm [N]   N: rows and columns (rounded up to a multiple of the block)
 * The f64 entries are multiples of 1/8, so their sums are exact; the f32 sums do round. */
#include "bench.h"

enum { BLOCK = 32 };

#define DEFINE_MULTIPLY(NAME, TYPE)                                                                         \
    static void NAME(TYPE *restrict c, const TYPE *restrict a, const TYPE *restrict b, uint32_t n) {        \
        memset(c, 0, sizeof *c * n * n);                                                                    \
        for (uint32_t i0 = 0; i0 < n; i0 += BLOCK)                                                          \
            for (uint32_t k0 = 0; k0 < n; k0 += BLOCK)                                                      \
                for (uint32_t j0 = 0; j0 < n; j0 += BLOCK)                                                  \
                    for (uint32_t i = i0; i < i0 + BLOCK; i++)                                              \
                        for (uint32_t k = k0; k < k0 + BLOCK; k++) {                                        \
                            TYPE factor = a[i * n + k];                                                     \
                            for (uint32_t j = j0; j < j0 + BLOCK; j++) c[i * n + j] += factor * b[k * n + j]; \
                        }                                                                                   \
    }

DEFINE_MULTIPLY(multiply_f64, double)
DEFINE_MULTIPLY(multiply_f32, float)

int main(int argc, char **argv) {
    uint32_t n = (work_size(argc, argv, 672) + BLOCK - 1) / BLOCK * BLOCK, seed = 7;
    size_t count = (size_t)n * n;
    double *a = allocate(count * sizeof *a), *b = allocate(count * sizeof *b), *c = allocate(count * sizeof *c);
    float *fa = allocate(count * sizeof *fa), *fb = allocate(count * sizeof *fb), *fc = allocate(count * sizeof *fc);

    for (size_t i = 0; i < count; i++) {
        a[i] = (int)(random_next(&seed) % 64 - 32) / 8.0;
        b[i] = (int)(random_next(&seed) % 64 - 32) / 8.0;
        fa[i] = (float)a[i], fb[i] = 0.3f * (float)b[i];
    }
    multiply_f64(c, a, b, n);
    multiply_f32(fc, fa, fb, n);

    double trace = 0;
    float f32_trace = 0;
    for (size_t i = 0; i < n; i++) trace += c[i * n + i], f32_trace += fc[i * n + i];
    printf("matmul %u f64 trace %.6f hash %016llx\n", n, trace,
           (unsigned long long)hash_bytes(HASH_START, c, count * sizeof *c));
    printf("matmul %u f32 trace %.9g hash %016llx\n", n, f32_trace,
           (unsigned long long)hash_bytes(HASH_START, fc, count * sizeof *fc));
    return 0;
}
