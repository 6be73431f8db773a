/* lz.c - an LZ77 compressor with hash chains, and its decompressor, over generated text.
 *
 * Usage: lz.wasm [N]       N: times 1 MiB of text is compressed and restored
 * Format: a token byte holds a literal count and a match length (15 continues in bytes of 255),
 * then the literals, then a 16-bit distance; distance 0 ends the stream. */
#include "bench.h"

enum { SIZE = 1 << 20, HASH_BITS = 15, WINDOW = 1 << 15, MIN_MATCH = 4, MAX_CHAIN = 16 };

static uint8_t text[SIZE], packed[SIZE + SIZE / 128 + 64], restored[SIZE];
static int32_t head[1 << HASH_BITS], previous[WINDOW];

/* Text that can be compressed: made-up words with different frequencies. */
static void make_text(uint32_t seed) {
    static const char *const syllables[] = {"ka", "re", "tion", "mo", "li", "ster", "un", "da",
                                            "ve", "or", "pla", "in", "e", "the", "ing", "s"};
    static char words[512][16];
    for (int i = 0; i < 512; i++) {
        int parts = 1 + (int)(random_next(&seed) % 3);
        words[i][0] = 0;
        while (parts-- > 0) strcat(words[i], syllables[random_next(&seed) % 16]);
    }
    for (size_t at = 0, column = 0; at < SIZE;) {
        uint32_t r = random_next(&seed) % 512;
        const char *word = words[r * r / 512];
        size_t len = strlen(word);
        for (size_t i = 0; i < len && at < SIZE; i++) text[at++] = (uint8_t)word[i];
        column += len + 1;
        if (at < SIZE) text[at++] = column > 72 ? '\n' : ' ';
        if (column > 72) column = 0;
    }
}

static uint32_t load32(const uint8_t *p) {
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
}

static uint32_t hash4(const uint8_t *p) { return load32(p) * 2654435761u >> (32 - HASH_BITS); }

static void remember(uint32_t at) {
    uint32_t h = hash4(text + at);
    previous[at % WINDOW] = head[h];
    head[h] = (int32_t)at;
}

static uint32_t match_length(uint32_t a, uint32_t b) {
    uint32_t n = 0;
    while (b + n < SIZE && text[a + n] == text[b + n]) n++;
    return n;
}

static uint32_t longest_match(uint32_t at, uint32_t *distance) {
    uint32_t best = 0;
    int32_t candidate = head[hash4(text + at)];
    for (int chain = 0; chain < MAX_CHAIN && candidate >= 0 && at - (uint32_t)candidate < WINDOW; chain++) {
        if (at + best < SIZE && text[(uint32_t)candidate + best] == text[at + best]) {
            uint32_t n = match_length((uint32_t)candidate, at);
            if (n > best) best = n, *distance = at - (uint32_t)candidate;
        }
        candidate = previous[(uint32_t)candidate % WINDOW];
    }
    return best;
}

static uint8_t *put_length(uint8_t *out, uint32_t rest) {
    for (; rest >= 255; rest -= 255) *out++ = 255;
    *out++ = (uint8_t)rest;
    return out;
}

static uint8_t *put_sequence(uint8_t *out, uint32_t from, uint32_t literals, uint32_t match, uint32_t distance) {
    uint32_t l = literals < 15 ? literals : 15, m = match < 15 ? match : 15;
    *out++ = (uint8_t)(l << 4 | m);
    if (l == 15) out = put_length(out, literals - 15);
    memcpy(out, text + from, literals);
    out += literals;
    *out++ = (uint8_t)distance, *out++ = (uint8_t)(distance >> 8);
    if (m == 15) out = put_length(out, match - 15);
    return out;
}

static size_t compress(void) {
    uint8_t *out = packed;
    uint32_t at = 0, literals = 0;
    memset(head, -1, sizeof head);
    while (at + MIN_MATCH <= SIZE) {
        uint32_t distance = 0, length = longest_match(at, &distance);
        if (length < MIN_MATCH) {
            remember(at++), literals++;
            continue;
        }
        out = put_sequence(out, at - literals, literals, length - MIN_MATCH, distance);
        literals = 0;
        for (uint32_t end = at + length; at < end; at++)
            if (at + MIN_MATCH <= SIZE) remember(at);
    }
    literals += SIZE - at;
    return (size_t)(put_sequence(out, SIZE - literals, literals, 0, 0) - packed);
}

static uint32_t get_length(const uint8_t **in, uint32_t start) {
    uint32_t n = start;
    if (start < 15) return n;
    do n += **in;
    while (*(*in)++ == 255);
    return n;
}

static size_t decompress(void) {
    const uint8_t *in = packed;
    uint8_t *out = restored;
    for (;;) {
        uint8_t token = *in++;
        uint32_t literals = get_length(&in, token >> 4);
        memcpy(out, in, literals);
        out += literals, in += literals;
        uint32_t distance = in[0] | (uint32_t)in[1] << 8;
        in += 2;
        if (distance == 0) return (size_t)(out - restored);
        uint32_t length = get_length(&in, token & 15) + MIN_MATCH;
        for (const uint8_t *from = out - distance; length > 0; length--) *out++ = *from++;
    }
}

int main(int argc, char **argv) {
    uint32_t rounds = work_size(argc, argv, 25), failures = 0;
    uint64_t hash = HASH_START;
    size_t total = 0;
    for (uint32_t i = 0; i < rounds; i++) {
        make_text(i + 1);
        size_t size = compress();
        total += size;
        hash = hash_bytes(hash, packed, size);
        failures += decompress() != SIZE || memcmp(text, restored, SIZE) != 0;
    }
    printf("lz %u MiB -> %zu bytes, hash %016llx, failures %u\n", rounds, total, (unsigned long long)hash, failures);
    return failures != 0;
}
