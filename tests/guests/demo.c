/* demo.c - lines, words, bytes and SHA-256 of a file, like wc(1) and sha256sum(1).
 *
 * Usage: demo.wasm FILE        (FILE below a folder mounted into the guest)
 *
 * Counting follows wc: a line ends with a newline, a word is a run of bytes other than
 * ASCII white space. Exit status: 0 done, 1 the file cannot be read, 2 wrong usage. */
#include "sha256.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

struct counts {
    unsigned long long lines, words, bytes;
    bool in_word;
};

static bool is_space(unsigned char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static void count(struct counts *c, const unsigned char *data, size_t len) {
    c->bytes += len;
    for (size_t i = 0; i < len; i++) {
        bool space = is_space(data[i]);
        c->lines += data[i] == '\n';
        c->words += !space && !c->in_word;
        c->in_word = !space;
    }
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fputs("usage: demo FILE\n", stderr);
        return 2;
    }
    FILE *file = fopen(argv[1], "rb");
    if (!file) {
        fprintf(stderr, "demo: cannot open %s: %s\n", argv[1], strerror(errno));
        return 1;
    }

    static unsigned char buffer[64 * 1024];
    struct counts counts = {0};
    struct sha256 hash;
    sha256_init(&hash);
    for (size_t n; (n = fread(buffer, 1, sizeof buffer, file)) > 0;) {
        count(&counts, buffer, n);
        sha256_update(&hash, buffer, n);
    }
    if (ferror(file)) {
        fprintf(stderr, "demo: cannot read %s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    fclose(file);

    uint8_t digest[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];
    sha256_final(&hash, digest);
    sha256_hex(digest, hex);
    printf("file    %s\nlines   %llu\nwords   %llu\nbytes   %llu\nsha256  %s\n", argv[1], counts.lines,
           counts.words, counts.bytes, hex);
    return 0;
}
