/* gz.h - the parts of the gz program: buffers, Huffman codes, and the DEFLATE (RFC 1951) coder
 * and decoder. main.c adds the gzip container (RFC 1952) and the command line. */
#ifndef GZ_H
#define GZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- A byte buffer that grows (main.c). ---- */

struct buffer {
    uint8_t *data;
    size_t length, capacity;
};

void buffer_reserve(struct buffer *b, size_t more);
void buffer_put(struct buffer *b, uint8_t byte);
void buffer_append(struct buffer *b, const void *data, size_t len);
void buffer_free(struct buffer *b);

/* malloc and realloc that end the program when memory runs out. */
void *must_alloc(size_t len);
void *must_realloc(void *p, size_t len);

/* ---- The alphabets of DEFLATE, shared by both directions (huffman.c). ---- */

enum {
    END_OF_BLOCK = 256,
    LITERALS = 286,      /* literal bytes, end of block, match lengths */
    FIXED_LITERALS = 288,/* the fixed code also names two symbols that never occur */
    DISTANCES = 30,
    CODE_LENGTHS = 19,   /* the code that describes the other two codes */
    MAX_BITS = 15,
    MAX_LENGTH_BITS = 7, /* limit for the code-length code */
    MIN_MATCH = 3,
    MAX_MATCH = 258,
    WINDOW = 32768,
};

enum block_kind { BLOCK_STORED, BLOCK_FIXED, BLOCK_DYNAMIC, BLOCK_KINDS };

extern const uint16_t LENGTH_BASE[29], DISTANCE_BASE[DISTANCES];
extern const uint8_t LENGTH_EXTRA[29], DISTANCE_EXTRA[DISTANCES];
extern const uint8_t CODE_LENGTH_ORDER[CODE_LENGTHS];

/* ---- Huffman codes (huffman.c). ---- */

/* Optimal code lengths of at most `limit` bits for `count` symbols. A symbol with frequency 0 gets
 * length 0. When fewer than two symbols occur, two get length 1, so the code is complete. */
void huffman_lengths(const uint32_t *frequency, int count, int limit, uint8_t *lengths);

/* The canonical codes for `lengths`, with their bits reversed as DEFLATE writes them. */
void huffman_codes(const uint8_t *lengths, int count, uint16_t *codes);

/* The code lengths of the fixed code. */
void huffman_fixed(uint8_t literals[FIXED_LITERALS], uint8_t distances[DISTANCES]);

enum { FAST_BITS = 10 };

/* Decoding: codes of up to FAST_BITS are found in one step, longer ones by counting. */
struct decoder {
    uint16_t fast[1 << FAST_BITS]; /* symbol << 4 | length; 0: not a short code */
    uint16_t count[MAX_BITS + 1];  /* codes of each length */
    uint16_t symbol[FIXED_LITERALS]; /* symbols in order of their codes */
};

/* False if the lengths describe more codes than there is room for. */
bool decoder_init(struct decoder *d, const uint8_t *lengths, int count);

/* ---- Compression (deflate.c). ---- */

struct deflate_stats {
    uint32_t blocks[BLOCK_KINDS];
    uint64_t literals, matches, matched_bytes;
    uint32_t longest_match, farthest_match;
};

/* Effort 1 (fast) to 9 (small). Appends a complete DEFLATE stream to `out`. */
void deflate(const uint8_t *data, size_t len, int effort, struct buffer *out, struct deflate_stats *stats);

/* ---- Decompression (inflate.c). ---- */

/* Appends the contents of the DEFLATE stream at `data` to `out`, and sets `used` to the length of
 * the stream. Returns NULL, or a message about the error in the stream. */
const char *inflate(const uint8_t *data, size_t len, struct buffer *out, size_t *used);

#endif
