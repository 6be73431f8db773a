/* deflate.c - LZ77 with hash chains and lazy matching, in the kind of block that is smallest. */
#include "gz.h"

#include <stdlib.h>
#include <string.h>

/* ---- Writing bits, least significant first. ---- */

struct bit_writer {
    struct buffer *out;
    uint64_t bits;
    int count;
};

static void put_bits(struct bit_writer *w, uint32_t value, int count) {
    w->bits |= (uint64_t)value << w->count;
    w->count += count;
    while (w->count >= 8) {
        buffer_put(w->out, (uint8_t)w->bits);
        w->bits >>= 8, w->count -= 8;
    }
}

static void align_to_byte(struct bit_writer *w) {
    if (w->count > 0) put_bits(w, 0, 8 - w->count);
}

/* ---- Tokens: the output of LZ77. ---- */

struct token {
    uint16_t length;   /* 0: a literal */
    uint16_t distance; /* or the literal byte; WINDOW itself fits */
};

enum { BLOCK_TOKENS = 8192 };

static uint8_t length_symbol[MAX_MATCH + 1];
static uint8_t near_distance_symbol[257]; /* distances up to 256 */

static void init_symbols(void) {
    for (int s = 0; s < 29; s++)
        for (int i = 0; i < 1 << LENGTH_EXTRA[s] && LENGTH_BASE[s] + i <= MAX_MATCH; i++)
            length_symbol[LENGTH_BASE[s] + i] = (uint8_t)s;
    for (int s = 0; s < 16; s++)
        for (int i = 0; i < 1 << DISTANCE_EXTRA[s]; i++) near_distance_symbol[DISTANCE_BASE[s] + i] = (uint8_t)s;
}

static int distance_symbol(uint32_t distance) {
    if (distance <= 256) return near_distance_symbol[distance];
    int s = 16;
    while (s + 1 < DISTANCES && DISTANCE_BASE[s + 1] <= distance) s++;
    return s;
}

/* ---- Finding matches. ---- */

enum { HASH_BITS = 15, NIL = -1 };

struct effort {
    int chain;        /* maximum number of candidates */
    uint32_t lazy;    /* matches this long are taken without looking at the next byte */
};

static const struct effort EFFORTS[10] = {{0, 0},    {4, 0},    {8, 0},     {16, 6},    {16, 12},
                                          {32, 16},  {64, 32},  {128, 64},  {512, 128}, {4096, 258}};

struct matcher {
    const uint8_t *data;
    size_t len, inserted;
    int64_t *head, *previous; /* positions by hash, and the one before each position in its chain */
    struct effort effort;
};

static uint32_t hash3(const uint8_t *p) {
    return (((uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2]) * 2654435761u) >> (32 - HASH_BITS);
}

static void insert_up_to(struct matcher *m, size_t end) {
    for (; m->inserted < end; m->inserted++) {
        if (m->inserted + MIN_MATCH > m->len) continue;
        uint32_t h = hash3(m->data + m->inserted);
        m->previous[m->inserted % WINDOW] = m->head[h];
        m->head[h] = (int64_t)m->inserted;
    }
}

static struct token find_match(struct matcher *m, size_t at) {
    struct token best = {0, 0};
    size_t most = m->len - at < MAX_MATCH ? m->len - at : MAX_MATCH;
    if (most < MIN_MATCH) return best;
    insert_up_to(m, at);
    int64_t candidate = m->head[hash3(m->data + at)];
    for (int chain = m->effort.chain; chain > 0 && candidate != NIL; chain--) {
        size_t distance = at - (size_t)candidate;
        if (distance > WINDOW) break;
        const uint8_t *a = m->data + candidate, *b = m->data + at;
        if (a[best.length] == b[best.length]) {
            size_t n = 0;
            while (n < most && a[n] == b[n]) n++;
            if (n > best.length && n >= MIN_MATCH) {
                best = (struct token){(uint16_t)n, (uint16_t)(distance)};
                if (n == most) break;
            }
        }
        candidate = m->previous[(size_t)candidate % WINDOW];
    }
    /* A short match far away costs more bits than its literals. */
    if (best.length == MIN_MATCH && best.distance > 4096) best.length = 0;
    return best;
}

/* ---- Blocks. ---- */

struct block {
    struct token tokens[BLOCK_TOKENS];
    int count;
    const uint8_t *raw; /* the bytes that the tokens encode */
    size_t raw_length;
};

struct codes {
    uint8_t literal_lengths[FIXED_LITERALS], distance_lengths[DISTANCES];
    uint16_t literals[FIXED_LITERALS], distances[DISTANCES];
};

static void finish_codes(struct codes *c) {
    huffman_codes(c->literal_lengths, FIXED_LITERALS, c->literals);
    huffman_codes(c->distance_lengths, DISTANCES, c->distances);
}

static void count_symbols(const struct block *b, uint32_t literals[FIXED_LITERALS], uint32_t distances[DISTANCES]) {
    memset(literals, 0, sizeof *literals * FIXED_LITERALS);
    memset(distances, 0, sizeof *distances * DISTANCES);
    literals[END_OF_BLOCK] = 1;
    for (int i = 0; i < b->count; i++) {
        const struct token *t = &b->tokens[i];
        if (t->length == 0) {
            literals[t->distance]++;
        } else {
            literals[257 + length_symbol[t->length]]++;
            distances[distance_symbol(t->distance)]++;
        }
    }
}

static uint64_t coded_bits(const struct codes *c, const uint32_t *literals, const uint32_t *distances) {
    uint64_t bits = 0;
    for (int s = 0; s < LITERALS; s++)
        bits += (uint64_t)literals[s] * (c->literal_lengths[s] + (s > 256 ? LENGTH_EXTRA[s - 257] : 0));
    for (int s = 0; s < DISTANCES; s++) bits += (uint64_t)distances[s] * (c->distance_lengths[s] + DISTANCE_EXTRA[s]);
    return bits;
}

/* The header of a dynamic block: both codes' lengths, run-length coded, and the code for that. */
struct header {
    uint8_t symbols[LITERALS + DISTANCES], extra[LITERALS + DISTANCES];
    int count, literal_count, distance_count, code_length_count;
    uint8_t lengths[CODE_LENGTHS];
    uint16_t codes[CODE_LENGTHS];
};

static const uint8_t RUN_EXTRA_BITS[CODE_LENGTHS] = {[16] = 2, [17] = 3, [18] = 7};

static void add_symbol(struct header *h, int symbol, int extra) {
    h->symbols[h->count] = (uint8_t)symbol;
    h->extra[h->count++] = (uint8_t)extra;
}

static void add_run(struct header *h, int length, int run) {
    if (length == 0) {
        for (; run >= 3; ) {
            int n = run < 138 ? run : 138;
            add_symbol(h, n <= 10 ? 17 : 18, n <= 10 ? n - 3 : n - 11);
            run -= n;
        }
    } else {
        add_symbol(h, length, 0), run--;
        for (; run >= 3;) {
            int n = run < 6 ? run : 6;
            add_symbol(h, 16, n - 3);
            run -= n;
        }
    }
    while (run-- > 0) add_symbol(h, length, 0);
}

static void make_header(struct header *h, const struct codes *c) {
    uint8_t all[LITERALS + DISTANCES];
    uint32_t frequency[CODE_LENGTHS] = {0};
    h->count = 0;
    h->literal_count = LITERALS, h->distance_count = DISTANCES, h->code_length_count = CODE_LENGTHS;
    while (h->literal_count > 257 && c->literal_lengths[h->literal_count - 1] == 0) h->literal_count--;
    while (h->distance_count > 1 && c->distance_lengths[h->distance_count - 1] == 0) h->distance_count--;
    memcpy(all, c->literal_lengths, (size_t)h->literal_count);
    memcpy(all + h->literal_count, c->distance_lengths, (size_t)h->distance_count);

    int total = h->literal_count + h->distance_count;
    for (int i = 0, run; i < total; i += run) {
        for (run = 1; i + run < total && all[i + run] == all[i]; run++) {}
        add_run(h, all[i], run);
    }
    for (int i = 0; i < h->count; i++) frequency[h->symbols[i]]++;
    huffman_lengths(frequency, CODE_LENGTHS, MAX_LENGTH_BITS, h->lengths);
    huffman_codes(h->lengths, CODE_LENGTHS, h->codes);
    while (h->code_length_count > 4 && h->lengths[CODE_LENGTH_ORDER[h->code_length_count - 1]] == 0)
        h->code_length_count--;
}

static uint64_t header_bits(const struct header *h) {
    uint64_t bits = 14 + 3 * (uint64_t)h->code_length_count;
    for (int i = 0; i < h->count; i++) bits += h->lengths[h->symbols[i]] + RUN_EXTRA_BITS[h->symbols[i]];
    return bits;
}

static void write_header(struct bit_writer *w, const struct header *h) {
    put_bits(w, (uint32_t)h->literal_count - 257, 5);
    put_bits(w, (uint32_t)h->distance_count - 1, 5);
    put_bits(w, (uint32_t)h->code_length_count - 4, 4);
    for (int i = 0; i < h->code_length_count; i++) put_bits(w, h->lengths[CODE_LENGTH_ORDER[i]], 3);
    for (int i = 0; i < h->count; i++) {
        int s = h->symbols[i];
        put_bits(w, h->codes[s], h->lengths[s]);
        put_bits(w, h->extra[i], RUN_EXTRA_BITS[s]);
    }
}

static void write_tokens(struct bit_writer *w, const struct block *b, const struct codes *c) {
    for (int i = 0; i < b->count; i++) {
        const struct token *t = &b->tokens[i];
        if (t->length == 0) {
            put_bits(w, c->literals[t->distance], c->literal_lengths[t->distance]);
            continue;
        }
        int l = length_symbol[t->length], d = distance_symbol(t->distance);
        put_bits(w, c->literals[257 + l], c->literal_lengths[257 + l]);
        put_bits(w, t->length - LENGTH_BASE[l], LENGTH_EXTRA[l]);
        put_bits(w, c->distances[d], c->distance_lengths[d]);
        put_bits(w, t->distance - DISTANCE_BASE[d], DISTANCE_EXTRA[d]);
    }
    put_bits(w, c->literals[END_OF_BLOCK], c->literal_lengths[END_OF_BLOCK]);
}

/* A stored block holds at most 65535 bytes, so one block of tokens may need several. */
static void write_stored(struct bit_writer *w, const uint8_t *data, size_t len, bool last, struct deflate_stats *stats) {
    do {
        size_t n = len < 65535 ? len : 65535;
        put_bits(w, last && n == len, 1);
        put_bits(w, BLOCK_STORED, 2);
        align_to_byte(w);
        put_bits(w, (uint32_t)n, 16);
        put_bits(w, (uint32_t)n ^ 0xffff, 16);
        buffer_append(w->out, data, n);
        data += n, len -= n;
        stats->blocks[BLOCK_STORED]++;
    } while (len > 0);
}

static void write_block(struct bit_writer *w, const struct block *b, bool last, struct deflate_stats *stats) {
    uint32_t literals[FIXED_LITERALS], distances[DISTANCES];
    struct codes fixed, dynamic = {0};
    struct header header;

    count_symbols(b, literals, distances);
    huffman_fixed(fixed.literal_lengths, fixed.distance_lengths);
    huffman_lengths(literals, LITERALS, MAX_BITS, dynamic.literal_lengths);
    huffman_lengths(distances, DISTANCES, MAX_BITS, dynamic.distance_lengths);
    make_header(&header, &dynamic);

    uint64_t stored_bits = 8 * (uint64_t)b->raw_length + 40 * (b->raw_length / 65535 + 1);
    uint64_t fixed_bits = coded_bits(&fixed, literals, distances);
    uint64_t dynamic_bits = header_bits(&header) + coded_bits(&dynamic, literals, distances);
    if (stored_bits < fixed_bits && stored_bits < dynamic_bits) {
        write_stored(w, b->raw, b->raw_length, last, stats);
        return;
    }
    bool use_fixed = fixed_bits <= dynamic_bits;
    struct codes *codes = use_fixed ? &fixed : &dynamic;
    enum block_kind kind = use_fixed ? BLOCK_FIXED : BLOCK_DYNAMIC;
    finish_codes(codes);
    put_bits(w, last, 1);
    put_bits(w, kind, 2);
    if (!use_fixed) write_header(w, &header);
    write_tokens(w, b, codes);
    stats->blocks[kind]++;
}

static void note_match(struct deflate_stats *stats, struct token t) {
    stats->matches++, stats->matched_bytes += t.length;
    if (t.length > stats->longest_match) stats->longest_match = t.length;
    if (t.distance > stats->farthest_match) stats->farthest_match = t.distance;
}

void deflate(const uint8_t *data, size_t len, int effort, struct buffer *out, struct deflate_stats *stats) {
    struct bit_writer writer = {.out = out};
    struct block *block = must_alloc(sizeof *block);
    struct matcher m = {.data = data, .len = len, .effort = EFFORTS[effort]};
    m.head = must_alloc(sizeof *m.head << HASH_BITS);
    m.previous = must_alloc(sizeof *m.previous * WINDOW);
    for (size_t i = 0; i < (size_t)1 << HASH_BITS; i++) m.head[i] = NIL;
    memset(stats, 0, sizeof *stats);
    init_symbols();

    block->count = 0, block->raw = data;
    struct token current = find_match(&m, 0);
    for (size_t at = 0; at < len;) {
        struct token next = {0, 0};
        bool have_next = false;
        if (current.length > 0 && current.length < m.effort.lazy) {
            next = find_match(&m, at + 1);
            have_next = true;
            if (next.length > current.length) current.length = 0; /* the match one byte on is better */
        }
        if (current.length == 0) {
            block->tokens[block->count++] = (struct token){0, data[at++]};
            stats->literals++;
        } else {
            block->tokens[block->count++] = current;
            note_match(stats, current);
            at += current.length;
            have_next = false;
        }
        if (block->count == BLOCK_TOKENS) {
            block->raw_length = (size_t)(data + at - block->raw);
            write_block(&writer, block, at == len, stats);
            block->count = 0, block->raw = data + at;
        }
        current = have_next ? next : find_match(&m, at);
    }
    if (block->count > 0 || len == 0) {
        block->raw_length = (size_t)(data + len - block->raw);
        write_block(&writer, block, true, stats);
    }
    align_to_byte(&writer);
    free(m.head), free(m.previous), free(block);
}
