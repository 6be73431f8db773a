/* bench.h - code that all benchmark guests share: the work size, random numbers, a checksum.
 *
 * A benchmark is `NAME.wasm [N]`: N scales the work (see each file), the default takes about
 * half a second compiled natively with -O3. The output depends only on N, never on time or on
 * the machine, so the outputs of two runtimes must be equal. */
#ifndef GUESTS_BENCH_H
#define GUESTS_BENCH_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The work size: argv[1], or the default. */
static inline uint32_t work_size(int argc, char **argv, uint32_t standard) {
    return argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : standard;
}

/* xorshift32: small, fast and the same everywhere. The state must not be 0. */
static inline uint32_t random_next(uint32_t *state) {
    uint32_t x = *state;
    x ^= x << 13, x ^= x >> 17, x ^= x << 5;
    return *state = x;
}

/* FNV-1a over bytes; start with HASH_START and chain the results. */
#define HASH_START 0xcbf29ce484222325u
static inline uint64_t hash_bytes(uint64_t hash, const void *data, size_t len) {
    const uint8_t *p = data;
    for (size_t i = 0; i < len; i++) hash = (hash ^ p[i]) * 0x100000001b3u;
    return hash;
}

/* Allocates memory, or ends the program. */
static inline void *allocate(size_t len) {
    void *p = malloc(len);
    if (!p) {
        fputs("out of memory\n", stderr);
        exit(1);
    }
    return p;
}

#endif
