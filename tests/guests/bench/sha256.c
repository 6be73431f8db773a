/* sha256.c - SHA-256 over a 1 MiB buffer: 32-bit rotates, adds and logic in one long dependency chain.
 *
 * Usage: sha256.wasm [N]   N: MiB hashed */
#include "../sha256.h"
#include "bench.h"

int main(int argc, char **argv) {
    enum { SIZE = 1 << 20 };
    uint32_t rounds = work_size(argc, argv, 160), seed = 1;
    uint8_t *buffer = allocate(SIZE), digest[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];
    struct sha256 hash;

    for (size_t i = 0; i < SIZE; i++) buffer[i] = (uint8_t)random_next(&seed);
    sha256_init(&hash);
    for (uint32_t i = 0; i < rounds; i++) sha256_update(&hash, buffer, SIZE);
    sha256_final(&hash, digest);
    sha256_hex(digest, hex);
    printf("sha256 %u MiB %s\n", rounds, hex);
    return 0;
}
