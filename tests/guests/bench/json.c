/* json.c - writes a JSON document, parses it into a tree, and folds the tree: recursive descent over bytes.
 *
 * Usage: json.wasm [N]     N: times the document is parsed
 * The parser covers RFC 8259: nested values, escapes with surrogate pairs, and numbers. */
#include "bench.h"

#include <stdbool.h>

enum kind { NUL, FALSE_, TRUE_, NUMBER, STRING, ARRAY, OBJECT };

struct value {
    enum kind kind;
    double number;
    char *text;           /* STRING, and the key below an OBJECT in `name` */
    uint32_t length;
    char *name;
    struct value *child, *next;
};

struct parser {
    const char *at, *error;
    char *arena;
    size_t used;
};

enum { ARENA = 8 << 20, DOCUMENT = 1 << 20 };

static void *take(struct parser *p, size_t len) {
    len = (len + 7) & ~(size_t)7;
    if (p->used + len > ARENA) {
        fputs("json: document too big\n", stderr);
        exit(1);
    }
    p->used += len;
    return p->arena + p->used - len;
}

static bool fail(struct parser *p, const char *error) {
    if (!p->error) p->error = error;
    return false;
}

static void skip_space(struct parser *p) {
    while (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r') p->at++;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static bool parse_hex4(struct parser *p, uint32_t *out) {
    *out = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(*p->at);
        if (digit < 0) return fail(p, "bad \\u escape");
        *out = *out << 4 | (uint32_t)digit, p->at++;
    }
    return true;
}

static char *put_utf8(char *out, uint32_t c) {
    if (c < 0x80) {
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xc0 | c >> 6), *out++ = (char)(0x80 | (c & 63));
    } else if (c < 0x10000) {
        *out++ = (char)(0xe0 | c >> 12), *out++ = (char)(0x80 | (c >> 6 & 63)), *out++ = (char)(0x80 | (c & 63));
    } else {
        *out++ = (char)(0xf0 | c >> 18), *out++ = (char)(0x80 | (c >> 12 & 63));
        *out++ = (char)(0x80 | (c >> 6 & 63)), *out++ = (char)(0x80 | (c & 63));
    }
    return out;
}

static bool parse_escape(struct parser *p, char **out) {
    uint32_t c, low;
    switch (*p->at++) {
    case '"': *(*out)++ = '"'; return true;
    case '\\': *(*out)++ = '\\'; return true;
    case '/': *(*out)++ = '/'; return true;
    case 'b': *(*out)++ = '\b'; return true;
    case 'f': *(*out)++ = '\f'; return true;
    case 'n': *(*out)++ = '\n'; return true;
    case 'r': *(*out)++ = '\r'; return true;
    case 't': *(*out)++ = '\t'; return true;
    case 'u':
        if (!parse_hex4(p, &c)) return false;
        if (c >= 0xd800 && c < 0xdc00) {
            if (p->at[0] != '\\' || p->at[1] != 'u') return fail(p, "lone surrogate");
            p->at += 2;
            if (!parse_hex4(p, &low)) return false;
            if (low < 0xdc00 || low > 0xdfff) return fail(p, "lone surrogate");
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        }
        *out = put_utf8(*out, c);
        return true;
    default: return fail(p, "unknown escape");
    }
}

static bool parse_string(struct parser *p, char **text, uint32_t *length) {
    const char *end = ++p->at;
    while (*end != '"' && *end) end += *end == '\\' && end[1] ? 2 : 1;
    if (!*end) return fail(p, "unterminated string");
    char *out = take(p, (size_t)(end - p->at) + 1); /* an escape never grows when decoded */
    *text = out;
    while (p->at < end) {
        if ((unsigned char)*p->at < 0x20) return fail(p, "control character in string");
        if (*p->at != '\\') {
            *out++ = *p->at++;
            continue;
        }
        p->at++;
        if (!parse_escape(p, &out)) return false;
    }
    *out = 0;
    *length = (uint32_t)(out - *text);
    p->at = end + 1;
    return true;
}

/* Exact for up to 15 digits and exponents within 22, which is all this document uses. */
static bool parse_number(struct parser *p, double *out) {
    static const double powers[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                      1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    bool negative = *p->at == '-';
    int64_t digits = 0;
    int exponent = 0;
    p->at += negative;
    if (*p->at < '0' || *p->at > '9') return fail(p, "bad number");
    while (*p->at >= '0' && *p->at <= '9') digits = digits * 10 + (*p->at++ - '0');
    if (*p->at == '.')
        for (p->at++; *p->at >= '0' && *p->at <= '9'; exponent--) digits = digits * 10 + (*p->at++ - '0');
    if (*p->at == 'e' || *p->at == 'E') {
        int sign = p->at[1] == '-' ? -1 : 1, e = 0;
        p->at += 1 + (p->at[1] == '-' || p->at[1] == '+');
        while (*p->at >= '0' && *p->at <= '9') e = e * 10 + (*p->at++ - '0');
        exponent += sign * e;
    }
    if (exponent < -22 || exponent > 22) return fail(p, "exponent out of range");
    double value = exponent < 0 ? (double)digits / powers[-exponent] : (double)digits * powers[exponent];
    *out = negative ? -value : value;
    return true;
}

static bool parse_literal(struct parser *p, const char *word) {
    size_t n = strlen(word);
    if (strncmp(p->at, word, n) != 0) return fail(p, "unknown literal");
    p->at += n;
    return true;
}

static bool parse_value(struct parser *p, struct value *v);

/* The elements of an array or the members of an object, up to and including `close`. */
static bool parse_children(struct parser *p, struct value *parent, char close) {
    struct value **tail = &parent->child;
    p->at++;
    skip_space(p);
    if (*p->at == close) return p->at++, true;
    for (;;) {
        struct value *v = take(p, sizeof *v);
        memset(v, 0, sizeof *v);
        skip_space(p);
        if (close == '}') {
            uint32_t ignored;
            if (*p->at != '"') return fail(p, "expected a key");
            if (!parse_string(p, &v->name, &ignored)) return false;
            skip_space(p);
            if (*p->at++ != ':') return fail(p, "expected a colon");
        }
        if (!parse_value(p, v)) return false;
        *tail = v, tail = &v->next;
        skip_space(p);
        if (*p->at == close) return p->at++, true;
        if (*p->at++ != ',') return fail(p, "expected a comma");
    }
}

static bool parse_value(struct parser *p, struct value *v) {
    skip_space(p);
    switch (*p->at) {
    case '{': v->kind = OBJECT; return parse_children(p, v, '}');
    case '[': v->kind = ARRAY; return parse_children(p, v, ']');
    case '"': v->kind = STRING; return parse_string(p, &v->text, &v->length);
    case 't': v->kind = TRUE_; return parse_literal(p, "true");
    case 'f': v->kind = FALSE_; return parse_literal(p, "false");
    case 'n': v->kind = NUL; return parse_literal(p, "null");
    default: v->kind = NUMBER; return parse_number(p, &v->number);
    }
}

struct totals {
    uint32_t values, deepest;
    double sum;
    uint64_t hash;
};

static void fold(const struct value *v, uint32_t depth, struct totals *t) {
    t->values++;
    if (depth > t->deepest) t->deepest = depth;
    if (v->name) t->hash = hash_bytes(t->hash, v->name, strlen(v->name));
    if (v->kind == NUMBER) t->sum += v->number;
    if (v->kind == STRING) t->hash = hash_bytes(t->hash, v->text, v->length);
    for (const struct value *c = v->child; c; c = c->next) fold(c, depth + 1, t);
}

/* About 200 KB of records with every kind of value. Returns the length. */
static size_t write_document(char *out) {
    static const char *const notes[] = {"plain", "tab\\tand \\\"quotes\\\"", "caf\\u00e9 \\u20ac", "music \\ud834\\udd1e"};
    uint32_t seed = 17;
    char *start = out;
    out += sprintf(out, "{\n  \"version\": 3,\n  \"records\": [");
    for (int i = 0; i < 1200; i++) {
        uint32_t r = random_next(&seed);
        out += sprintf(out, "%s\n    {\"id\": %d, \"name\": \"record-%08x\", \"price\": %d.%02d, \"ratio\": %de-%d, ",
                       i ? "," : "", i, (unsigned)r, (int)(r % 5000), (int)(r % 100), (int)(r % 999) - 500, (int)(r % 9));
        out += sprintf(out, "\"active\": %s, \"parent\": %s, \"note\": \"%s\", ", r & 64 ? "true" : "false",
                       r & 128 ? "null" : "{\"kind\": \"group\", \"path\": [\"a\", [\"b\", [\"c\", []]]]}", notes[r >> 30]);
        out += sprintf(out, "\"tags\": [\"t%u\", \"u%u\", %u]}", r % 10, r % 7, r % 1000);
    }
    out += sprintf(out, "\n  ]\n}\n");
    return (size_t)(out - start);
}

int main(int argc, char **argv) {
    uint32_t rounds = work_size(argc, argv, 1200);
    char *document = allocate(DOCUMENT);
    size_t length = write_document(document);
    struct parser parser = {.arena = allocate(ARENA)};
    struct totals totals = {.hash = HASH_START};

    for (uint32_t i = 0; i < rounds; i++) {
        struct value root = {0};
        parser.at = document, parser.used = 0;
        if (!parse_value(&parser, &root)) {
            fprintf(stderr, "json: %s at byte %zu\n", parser.error, (size_t)(parser.at - document));
            return 1;
        }
        fold(&root, 0, &totals);
    }
    printf("json %zu bytes x %u: %u values, depth %u, sum %.6f, hash %016llx\n", length, rounds, totals.values,
           totals.deepest, totals.sum, (unsigned long long)totals.hash);
    return 0;
}
