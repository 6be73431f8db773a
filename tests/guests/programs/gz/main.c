/* main.c - gz: compresses and restores gzip files, interchangeable with gzip(1).
 *
 * Usage: gz.wasm pack IN OUT       compress IN into OUT
 *        gz.wasm unpack IN OUT     restore OUT from the gzip file IN ("-": standard output)
 *        gz.wasm test FILE...      check gzip files and list what they hold
 *        gz.wasm report FILE...    compress each FILE in memory at three efforts, restore it,
 *                                  compare, and print sizes and block statistics
 *
 * Exit status: 0 done, 1 a file is unreadable or damaged, 2 wrong usage. */
#include "gz.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Memory. ---- */

void *must_realloc(void *p, size_t len) {
    void *grown = realloc(p, len ? len : 1);
    if (!grown) {
        fputs("gz: out of memory\n", stderr);
        exit(1);
    }
    return grown;
}

void *must_alloc(size_t len) { return must_realloc(NULL, len); }

void buffer_reserve(struct buffer *b, size_t more) {
    if (b->capacity - b->length >= more) return;
    size_t capacity = b->capacity ? 2 * b->capacity : 4096;
    while (capacity - b->length < more) capacity *= 2;
    b->data = must_realloc(b->data, capacity);
    b->capacity = capacity;
}

void buffer_put(struct buffer *b, uint8_t byte) {
    if (b->length == b->capacity) buffer_reserve(b, 1);
    b->data[b->length++] = byte;
}

void buffer_append(struct buffer *b, const void *data, size_t len) {
    buffer_reserve(b, len);
    if (len) memcpy(b->data + b->length, data, len);
    b->length += len;
}

void buffer_free(struct buffer *b) {
    free(b->data);
    *b = (struct buffer){0};
}

/* ---- Messages and files. ---- */

static bool complain(const char *format, ...) {
    va_list args;
    va_start(args, format);
    fputs("gz: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return false;
}

static bool read_file(const char *path, struct buffer *out) {
    FILE *file = fopen(path, "rb");
    if (!file) return complain("cannot open %s: %s", path, strerror(errno));
    uint8_t chunk[16384];
    for (size_t n; (n = fread(chunk, 1, sizeof chunk, file)) > 0;) buffer_append(out, chunk, n);
    bool ok = !ferror(file);
    fclose(file);
    return ok || complain("cannot read %s", path);
}

static bool write_file(const char *path, const struct buffer *b) {
    FILE *file = strcmp(path, "-") == 0 ? stdout : fopen(path, "wb");
    if (!file) return complain("cannot create %s: %s", path, strerror(errno));
    bool ok = b->length == 0 || fwrite(b->data, 1, b->length, file) == b->length;
    ok &= file == stdout ? fflush(file) == 0 : fclose(file) == 0;
    return ok || complain("cannot write %s", path);
}

/* ---- The gzip container. ---- */

enum { FLAG_CRC = 2, FLAG_EXTRA = 4, FLAG_NAME = 8, FLAG_COMMENT = 16, HEADER = 10, TRAILER = 8 };

static uint32_t crc32(const uint8_t *data, size_t len) {
    static uint32_t table[8][256]; /* slicing by eight: table[k] skips k further bytes */
    if (!table[0][1]) {
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t c = i;
            for (int bit = 0; bit < 8; bit++) c = c >> 1 ^ (c & 1 ? 0xedb88320 : 0);
            table[0][i] = c;
        }
        for (int k = 1; k < 8; k++)
            for (uint32_t i = 0; i < 256; i++) table[k][i] = table[k - 1][i] >> 8 ^ table[0][table[k - 1][i] & 255];
    }
    uint32_t c = 0xffffffff;
    for (; len >= 8; data += 8, len -= 8) {
        c ^= (uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24;
        c = table[7][c & 255] ^ table[6][c >> 8 & 255] ^ table[5][c >> 16 & 255] ^ table[4][c >> 24] ^
            table[3][data[4]] ^ table[2][data[5]] ^ table[1][data[6]] ^ table[0][data[7]];
    }
    while (len-- > 0) c = c >> 8 ^ table[0][(c ^ *data++) & 255];
    return ~c;
}

static void put_le32(struct buffer *b, uint32_t v) {
    for (int i = 0; i < 4; i++) buffer_put(b, (uint8_t)(v >> 8 * i));
}

static uint32_t get_le32(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* No name and no time are stored: the same input always gives the same file. */
static void gzip_pack(const struct buffer *in, int effort, struct buffer *out, struct deflate_stats *stats) {
    static const uint8_t header[HEADER] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
    buffer_append(out, header, sizeof header);
    deflate(in->data, in->length, effort, out, stats);
    put_le32(out, crc32(in->data, in->length));
    put_le32(out, (uint32_t)in->length);
}

struct member {
    const char *name; /* inside the file's data, or NULL */
    uint32_t crc;
    size_t packed, size;
};

static const char *skip_text(const uint8_t *data, size_t len, size_t *at) {
    while (*at < len && data[*at] != 0) ++*at;
    return ++*at > len ? "header is cut off" : NULL;
}

static const char *skip_header(const uint8_t *data, size_t len, size_t *at, const char **name) {
    const char *error = NULL;
    *name = NULL;
    if (len < HEADER + TRAILER || data[0] != 0x1f || data[1] != 0x8b) return "not a gzip file";
    if (data[2] != 8) return "unknown compression method";
    uint8_t flags = data[3];
    *at = HEADER;
    if (flags & FLAG_EXTRA) *at += 2 + (data[*at] | (size_t)data[*at + 1] << 8);
    if (flags & FLAG_NAME) {
        *name = (const char *)data + *at;
        error = skip_text(data, len, at);
    }
    if (!error && flags & FLAG_COMMENT) error = skip_text(data, len, at);
    if (flags & FLAG_CRC) *at += 2;
    return error ? error : *at > len ? "header is cut off" : NULL;
}

/* Unpacks one member of a gzip file. A file may hold several, one after the other. */
static const char *gzip_unpack(const uint8_t *data, size_t len, struct buffer *out, struct member *member) {
    size_t at = 0, used, start = out->length;
    const char *error = skip_header(data, len, &at, &member->name);
    if (!error) error = inflate(data + at, len - at, out, &used);
    if (error) return error;
    at += used;
    if (len - at < TRAILER) return "trailer is cut off";
    member->size = out->length - start;
    member->packed = at + TRAILER;
    member->crc = crc32(out->data + start, member->size);
    if (get_le32(data + at) != member->crc) return "checksum does not match";
    if (get_le32(data + at + 4) != (uint32_t)member->size) return "size does not match";
    return NULL;
}

static bool unpack_file(const char *path, const struct buffer *in, struct buffer *out, bool list) {
    for (size_t at = 0; at < in->length;) {
        struct member member;
        const char *error = gzip_unpack(in->data + at, in->length - at, out, &member);
        if (error) return complain("%s: %s", path, error);
        if (list)
            printf("%s: %s, %zu -> %zu bytes, crc %08x, ok\n", path, member.name ? member.name : "(no name)",
                   member.packed, member.size, (unsigned)member.crc);
        at += member.packed;
    }
    return in->length > 0 || complain("%s: empty file", path);
}

/* ---- The commands. ---- */

static bool command_pack(char **args) {
    struct buffer in = {0}, out = {0};
    struct deflate_stats stats;
    bool ok = read_file(args[0], &in);
    if (ok) {
        gzip_pack(&in, 9, &out, &stats);
        ok = write_file(args[1], &out);
    }
    if (ok) printf("%s: %zu -> %zu bytes\n", args[1], in.length, out.length);
    buffer_free(&in), buffer_free(&out);
    return ok;
}

static bool command_unpack(char **args) {
    struct buffer in = {0}, out = {0};
    bool ok = read_file(args[0], &in) && unpack_file(args[0], &in, &out, false) && write_file(args[1], &out);
    buffer_free(&in), buffer_free(&out);
    return ok;
}

static bool command_test(char **args) {
    bool ok = true;
    for (; *args; args++) {
        struct buffer in = {0}, out = {0};
        ok &= read_file(*args, &in) && unpack_file(*args, &in, &out, true);
        buffer_free(&in), buffer_free(&out);
    }
    return ok;
}

static bool report_effort(const char *path, const struct buffer *in, int effort) {
    struct buffer packed = {0}, restored = {0};
    struct deflate_stats s;
    struct member member;
    gzip_pack(in, effort, &packed, &s);
    const char *error = gzip_unpack(packed.data, packed.length, &restored, &member);
    if (!error && (restored.length != in->length ||
                   (in->length > 0 && memcmp(restored.data, in->data, in->length) != 0)))
        error = "restored data differs";
    if (error) return complain("%s: %s", path, error);
    printf("  effort %d: %zu bytes, %.2f%%, packed crc %08x\n", effort, packed.length,
           in->length ? 100.0 * (double)packed.length / (double)in->length : 0.0,
           (unsigned)crc32(packed.data, packed.length));
    printf("    blocks: %u stored, %u fixed, %u dynamic\n", s.blocks[BLOCK_STORED], s.blocks[BLOCK_FIXED],
           s.blocks[BLOCK_DYNAMIC]);
    printf("    %llu literals, %llu matches of %.2f bytes, longest %u, farthest %u\n", (unsigned long long)s.literals,
           (unsigned long long)s.matches, s.matches ? (double)s.matched_bytes / (double)s.matches : 0.0,
           s.longest_match, s.farthest_match);
    buffer_free(&packed), buffer_free(&restored);
    return true;
}

static bool command_report(char **args) {
    bool ok = true;
    for (; *args; args++) {
        struct buffer in = {0};
        if (!read_file(*args, &in)) {
            ok = false;
            continue;
        }
        printf("%s: %zu bytes, crc %08x\n", *args, in.length, (unsigned)crc32(in.data, in.length));
        for (int effort = 1; effort <= 9; effort += 4) ok &= report_effort(*args, &in, effort);
        buffer_free(&in);
    }
    return ok;
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        int least, most;
        bool (*run)(char **args);
    } commands[] = {{"pack", 2, 2, command_pack},
                    {"unpack", 2, 2, command_unpack},
                    {"test", 1, 1000, command_test},
                    {"report", 1, 1000, command_report}};
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[1], commands[i].name) == 0 && argc - 2 >= commands[i].least && argc - 2 <= commands[i].most)
            return commands[i].run(argv + 2) ? 0 : 1;
    fputs("usage: gz pack IN OUT | unpack IN OUT | test FILE... | report FILE...\n", stderr);
    return 2;
}
