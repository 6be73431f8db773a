/* blake2b.c - BLAKE2b-512 (RFC 7693) over a 1 MiB buffer: 64-bit rotates, adds and exclusive ors.
 *
 * Usage: blake2b.wasm [N]  N: MiB hashed */
#include "bench.h"

enum { BLOCK = 128 };

struct blake2b {
    uint64_t h[8], length;
    uint8_t block[BLOCK];
    size_t fill;
};

static const uint64_t IV[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
                               0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

static const uint8_t SIGMA[12][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
};

static inline uint64_t rotr(uint64_t x, int n) { return x >> n | x << (64 - n); }

static inline void mix(uint64_t v[16], int a, int b, int c, int d, uint64_t x, uint64_t y) {
    v[a] += v[b] + x, v[d] = rotr(v[d] ^ v[a], 32);
    v[c] += v[d], v[b] = rotr(v[b] ^ v[c], 24);
    v[a] += v[b] + y, v[d] = rotr(v[d] ^ v[a], 16);
    v[c] += v[d], v[b] = rotr(v[b] ^ v[c], 63);
}

static void compress(struct blake2b *s, const uint8_t *block, int last) {
    uint64_t v[16], m[16];
    memcpy(m, block, sizeof m); /* little-endian, like every WebAssembly memory */
    memcpy(v, s->h, sizeof s->h);
    memcpy(v + 8, IV, sizeof IV);
    v[12] ^= s->length;
    if (last) v[14] = ~v[14];
    for (int r = 0; r < 12; r++) {
        const uint8_t *k = SIGMA[r];
        mix(v, 0, 4, 8, 12, m[k[0]], m[k[1]]);
        mix(v, 1, 5, 9, 13, m[k[2]], m[k[3]]);
        mix(v, 2, 6, 10, 14, m[k[4]], m[k[5]]);
        mix(v, 3, 7, 11, 15, m[k[6]], m[k[7]]);
        mix(v, 0, 5, 10, 15, m[k[8]], m[k[9]]);
        mix(v, 1, 6, 11, 12, m[k[10]], m[k[11]]);
        mix(v, 2, 7, 8, 13, m[k[12]], m[k[13]]);
        mix(v, 3, 4, 9, 14, m[k[14]], m[k[15]]);
    }
    for (int i = 0; i < 8; i++) s->h[i] ^= v[i] ^ v[i + 8];
}

static void init(struct blake2b *s) {
    memcpy(s->h, IV, sizeof IV);
    s->h[0] ^= 0x01010000 ^ 64; /* no key, 64-byte digest */
    s->length = 0, s->fill = 0;
}

/* The last block is compressed differently, so a full block waits until more input follows. */
static void update(struct blake2b *s, const uint8_t *p, size_t len) {
    while (len > 0) {
        if (s->fill == BLOCK) {
            s->length += BLOCK;
            compress(s, s->block, 0);
            s->fill = 0;
        }
        size_t take = BLOCK - s->fill < len ? BLOCK - s->fill : len;
        memcpy(s->block + s->fill, p, take);
        s->fill += take, p += take, len -= take;
    }
}

static void final(struct blake2b *s) {
    s->length += s->fill;
    memset(s->block + s->fill, 0, BLOCK - s->fill);
    compress(s, s->block, 1);
}

int main(int argc, char **argv) {
    enum { SIZE = 1 << 20 };
    uint32_t rounds = work_size(argc, argv, 400), seed = 1;
    uint8_t *buffer = allocate(SIZE);
    struct blake2b hash;

    for (size_t i = 0; i < SIZE; i++) buffer[i] = (uint8_t)random_next(&seed);
    init(&hash);
    for (uint32_t i = 0; i < rounds; i++) update(&hash, buffer, SIZE);
    final(&hash);
    printf("blake2b %u MiB ", rounds);
    for (int i = 0; i < 64; i++) printf("%02x", (unsigned)(hash.h[i / 8] >> 8 * (i % 8)) & 255);
    putchar('\n');
    return 0;
}
