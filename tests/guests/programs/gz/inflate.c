/* inflate.c - the DEFLATE decoder. Every length and distance is checked, so no input can make it
 * read or write outside its buffers. */
#include "gz.h"

#include <string.h>

struct bit_reader {
    const uint8_t *data;
    size_t len, at;
    uint64_t bits;
    int count;
    bool overrun; /* bits beyond the end were consumed */
};

static void refill(struct bit_reader *r) {
    while (r->count <= 56 && r->at < r->len) {
        r->bits |= (uint64_t)r->data[r->at++] << r->count;
        r->count += 8;
    }
}

static void consume(struct bit_reader *r, int count) {
    if (count > r->count) r->overrun = true, count = r->count;
    r->bits >>= count, r->count -= count;
}

static uint32_t get_bits(struct bit_reader *r, int count) {
    if (r->count < count) refill(r);
    uint32_t value = (uint32_t)r->bits & ((1u << count) - 1);
    consume(r, count);
    return value;
}

/* The next symbol, or -1 if no code matches. */
static int get_symbol(struct bit_reader *r, const struct decoder *d) {
    if (r->count < MAX_BITS) refill(r);
    uint32_t entry = d->fast[r->bits & ((1u << FAST_BITS) - 1)];
    if (entry) {
        consume(r, (int)(entry & 15));
        return (int)(entry >> 4);
    }
    int32_t code = 0, first = 0, index = 0;
    for (int length = 1; length <= MAX_BITS; length++) {
        code |= (int32_t)(r->bits >> (length - 1)) & 1;
        int32_t count = d->count[length];
        if (code - count < first) {
            consume(r, length);
            return d->symbol[index + (code - first)];
        }
        index += count, first = (first + count) << 1, code <<= 1;
    }
    return -1;
}

static const char *inflate_stored(struct bit_reader *r, struct buffer *out) {
    consume(r, r->count % 8);
    uint32_t length = get_bits(r, 16), complement = get_bits(r, 16);
    if (length != (complement ^ 0xffff)) return "stored block with a bad length";
    r->at -= (size_t)r->count / 8; /* whole bytes read ahead go back */
    r->bits = 0, r->count = 0;
    if (r->len - r->at < length) return "stored block is cut off";
    buffer_append(out, r->data + r->at, length);
    r->at += length;
    return NULL;
}

static const char *copy_match(struct bit_reader *r, struct buffer *out, size_t start, int length_symbol,
                              const struct decoder *distances) {
    if (length_symbol >= 29) return "bad length symbol";
    uint32_t length = LENGTH_BASE[length_symbol] + get_bits(r, LENGTH_EXTRA[length_symbol]);
    int d = get_symbol(r, distances);
    if (d < 0 || d >= DISTANCES) return "bad distance symbol";
    uint32_t distance = DISTANCE_BASE[d] + get_bits(r, DISTANCE_EXTRA[d]);
    if (distance > out->length - start) return "distance before the start";
    buffer_reserve(out, length);
    uint8_t *to = out->data + out->length;
    const uint8_t *from = to - distance;
    out->length += length;
    if (distance >= length) {
        memcpy(to, from, length);
    } else {
        while (length-- > 0) *to++ = *from++; /* overlapping: repeats what it writes */
    }
    return NULL;
}

static const char *inflate_coded(struct bit_reader *r, struct buffer *out, size_t start, const struct decoder *literals,
                                 const struct decoder *distances) {
    for (;;) {
        int symbol = get_symbol(r, literals);
        if (symbol < 0) return "bad literal code";
        if (r->overrun) return "stream is cut off";
        if (symbol < END_OF_BLOCK) {
            buffer_put(out, (uint8_t)symbol);
        } else if (symbol == END_OF_BLOCK) {
            return NULL;
        } else {
            const char *error = copy_match(r, out, start, symbol - 257, distances);
            if (error) return error;
        }
    }
}

static const char *read_codes(struct bit_reader *r, struct decoder *literals, struct decoder *distances) {
    uint8_t lengths[FIXED_LITERALS + 32] = {0}, code_lengths[CODE_LENGTHS] = {0};
    struct decoder lengths_decoder;
    int literal_count = (int)get_bits(r, 5) + 257, distance_count = (int)get_bits(r, 5) + 1;
    int code_length_count = (int)get_bits(r, 4) + 4;
    if (literal_count > LITERALS || distance_count > DISTANCES) return "too many symbols";

    for (int i = 0; i < code_length_count; i++) code_lengths[CODE_LENGTH_ORDER[i]] = (uint8_t)get_bits(r, 3);
    if (!decoder_init(&lengths_decoder, code_lengths, CODE_LENGTHS)) return "over-subscribed code lengths";
    for (int i = 0; i < literal_count + distance_count;) {
        int symbol = get_symbol(r, &lengths_decoder), repeat = 1;
        uint8_t value = 0;
        if (symbol < 0 || r->overrun) return "bad code length";
        switch (symbol) {
        case 16:
            if (i == 0) return "repeat without a length";
            value = lengths[i - 1], repeat = 3 + (int)get_bits(r, 2);
            break;
        case 17: repeat = 3 + (int)get_bits(r, 3); break;
        case 18: repeat = 11 + (int)get_bits(r, 7); break;
        default: value = (uint8_t)symbol;
        }
        if (i + repeat > literal_count + distance_count) return "too many code lengths";
        memset(lengths + i, value, (size_t)repeat);
        i += repeat;
    }
    if (lengths[END_OF_BLOCK] == 0) return "no end-of-block code";
    if (!decoder_init(literals, lengths, literal_count)) return "over-subscribed literal code";
    if (!decoder_init(distances, lengths + literal_count, distance_count)) return "over-subscribed distance code";
    return NULL;
}

const char *inflate(const uint8_t *data, size_t len, struct buffer *out, size_t *used) {
    struct bit_reader r = {.data = data, .len = len};
    struct decoder literals, distances;
    size_t start = out->length;
    bool last = false;
    while (!last) {
        const char *error = NULL;
        last = get_bits(&r, 1);
        switch (get_bits(&r, 2)) {
        case BLOCK_STORED: error = inflate_stored(&r, out); break;
        case BLOCK_FIXED: {
            uint8_t literal_lengths[FIXED_LITERALS], distance_lengths[DISTANCES];
            huffman_fixed(literal_lengths, distance_lengths);
            decoder_init(&literals, literal_lengths, FIXED_LITERALS);
            decoder_init(&distances, distance_lengths, DISTANCES);
            error = inflate_coded(&r, out, start, &literals, &distances);
            break;
        }
        case BLOCK_DYNAMIC:
            error = read_codes(&r, &literals, &distances);
            if (!error) error = inflate_coded(&r, out, start, &literals, &distances);
            break;
        default: error = "unknown block kind";
        }
        if (error) return error;
        if (r.overrun) return "stream is cut off";
    }
    *used = r.at - (size_t)r.count / 8;
    return NULL;
}
