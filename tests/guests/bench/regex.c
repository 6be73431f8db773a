/* regex.c - a regular expression engine: parses to a Thompson NFA and runs it as a lazily built DFA.
 *
 * Usage: regex.wasm [N]    N: times each pattern scans the text
 * Syntax: literals, . [a-z] [^a-z] \d \w \s, ( ), |, * + ?. Matches are counted leftmost-longest
 * and do not overlap. The scan is the table walk a real engine would do. */
#include "bench.h"

#include <stdbool.h>

enum { MAX_STATES = 512, MAX_DFA = 256, NONE = -1 };
enum node_kind { SET, SPLIT, MATCH };

struct nfa_state {
    enum node_kind kind;
    int next, other;       /* other: the second way out of a SPLIT */
    uint32_t set[8];       /* SET: one bit per byte */
};

struct regex {
    struct nfa_state nfa[MAX_STATES];
    int states, start;
    const char *at;        /* while parsing */

    /* The DFA: a state is a set of NFA states. Entry DEAD is the empty set; UNBUILT is not known yet. */
    uint32_t sets[MAX_DFA][MAX_STATES / 32];
    bool accepts[MAX_DFA];
    int16_t step[MAX_DFA][256];
    int dfa_states, dfa_start;
};

enum { DEAD = 0, UNBUILT = -1 };

static void fail(const char *why) {
    fprintf(stderr, "regex: %s\n", why);
    exit(1);
}

/* ---- Parsing: each piece is built so that its exits lead to a state that is already known. ---- */

static int add_state(struct regex *r, enum node_kind kind, int next, int other) {
    if (r->states == MAX_STATES) fail("pattern too long");
    r->nfa[r->states] = (struct nfa_state){.kind = kind, .next = next, .other = other};
    return r->states++;
}

static void set_range(uint32_t set[8], unsigned from, unsigned to) {
    for (unsigned c = from; c <= to; c++) set[c / 32] |= 1u << c % 32;
}

static void set_class(uint32_t set[8], char name) {
    switch (name) {
    case 'd': set_range(set, '0', '9'); break;
    case 'w': set_range(set, '0', '9'), set_range(set, 'a', 'z'), set_range(set, 'A', 'Z'), set_range(set, '_', '_'); break;
    case 's': set_range(set, '\t', '\r'), set_range(set, ' ', ' '); break;
    default: set_range(set, (unsigned char)name, (unsigned char)name);
    }
}

static void parse_bracket(struct regex *r, uint32_t set[8]) {
    bool negated = *r->at == '^';
    r->at += negated;
    while (*r->at && *r->at != ']') {
        if (*r->at == '\\') {
            set_class(set, r->at[1]), r->at += 2;
        } else if (r->at[1] == '-' && r->at[2] && r->at[2] != ']') {
            set_range(set, (unsigned char)r->at[0], (unsigned char)r->at[2]), r->at += 3;
        } else {
            set_range(set, (unsigned char)*r->at, (unsigned char)*r->at), r->at++;
        }
    }
    if (*r->at++ != ']') fail("missing ]");
    if (negated)
        for (int i = 0; i < 8; i++) set[i] = ~set[i];
}

/* The length of the atom at `p`, with its repetition operator. */
static size_t item_length(const char *p) {
    const char *start = p;
    if (*p == '(') {
        int depth = 0;
        do {
            if (!*p) fail("missing )");
            if (*p == '\\') p++;
            depth += (*p == '(') - (*p == ')');
            p++;
        } while (depth);
    } else if (*p == '[') {
        for (p++; *p && *p != ']'; p++)
            if (*p == '\\') p++;
        p++;
    } else {
        p += *p == '\\' ? 2 : 1;
    }
    return (size_t)(p - start) + (*p == '*' || *p == '+' || *p == '?');
}

static int parse_alternatives(struct regex *r, const char *from, const char *to, int next);

static int parse_atom(struct regex *r, const char *from, const char *to, int next) {
    if (*from == '(') return parse_alternatives(r, from + 1, to - 1, next);
    int state = add_state(r, SET, next, NONE);
    uint32_t *set = r->nfa[state].set;
    if (*from == '[') {
        r->at = from + 1;
        parse_bracket(r, set);
    } else if (*from == '.') {
        set_range(set, 0, 255), set[0] &= ~(1u << '\n');
    } else if (*from == '\\') {
        set_class(set, from[1]);
    } else {
        set_range(set, (unsigned char)*from, (unsigned char)*from);
    }
    return state;
}

static int parse_item(struct regex *r, const char *from, const char *to, int next) {
    char last = to - from > 1 && to[-2] != '\\' ? to[-1] : 0;
    if (to - from > 2 && from[0] == '\\') last = to[-1];
    switch (last) {
    case '?': return add_state(r, SPLIT, parse_atom(r, from, to - 1, next), next);
    case '*':
    case '+': {
        int loop = add_state(r, SPLIT, NONE, next);
        int body = parse_atom(r, from, to - 1, loop);
        r->nfa[loop].next = body;
        return last == '*' ? loop : body;
    }
    default: return parse_atom(r, from, to, next);
    }
}

/* A sequence is built from its last item backwards, as each needs to know what follows it. */
static int parse_sequence(struct regex *r, const char *from, const char *to, int next) {
    if (from == to) return next;
    const char *rest = from + item_length(from);
    return parse_item(r, from, rest, parse_sequence(r, rest, to, next));
}

static int parse_alternatives(struct regex *r, const char *from, const char *to, int next) {
    const char *bar = from;
    while (bar < to && *bar != '|') bar += item_length(bar);
    int first = parse_sequence(r, from, bar, next);
    if (bar >= to) return first;
    return add_state(r, SPLIT, first, parse_alternatives(r, bar + 1, to, next));
}

/* ---- The DFA, built as the scan meets new states. ---- */

static void close_over(const struct regex *r, uint32_t *set, int state) {
    uint32_t bit = 1u << state % 32;
    if (set[state / 32] & bit) return;
    set[state / 32] |= bit;
    if (r->nfa[state].kind != SPLIT) return;
    close_over(r, set, r->nfa[state].next);
    close_over(r, set, r->nfa[state].other);
}

static int find_or_add(struct regex *r, const uint32_t *set) {
    for (int i = 0; i < r->dfa_states; i++)
        if (memcmp(r->sets[i], set, sizeof r->sets[i]) == 0) return i;
    if (r->dfa_states == MAX_DFA) fail("pattern needs too many states");
    int added = r->dfa_states++;
    memcpy(r->sets[added], set, sizeof r->sets[added]);
    memset(r->step[added], UNBUILT, sizeof r->step[added]);
    r->accepts[added] = false;
    for (int i = 0; i < r->states; i++)
        if (set[i / 32] >> i % 32 & 1 && r->nfa[i].kind == MATCH) r->accepts[added] = true;
    return added;
}

__attribute__((noinline)) static int build_step(struct regex *r, int from, uint8_t c) {
    uint32_t set[MAX_STATES / 32] = {0};
    for (int i = 0; i < r->states; i++)
        if (r->sets[from][i / 32] >> i % 32 & 1 && r->nfa[i].kind == SET && r->nfa[i].set[c / 32] >> c % 32 & 1)
            close_over(r, set, r->nfa[i].next);
    int to = find_or_add(r, set);
    r->step[from][c] = (int16_t)to;
    return to;
}

static void compile(struct regex *r, const char *pattern) {
    uint32_t set[MAX_STATES / 32] = {0};
    memset(r, 0, sizeof *r);
    int match = add_state(r, MATCH, NONE, NONE);
    r->start = parse_alternatives(r, pattern, pattern + strlen(pattern), match);
    find_or_add(r, set); /* DEAD */
    close_over(r, set, r->start);
    r->dfa_start = find_or_add(r, set);
}

/* The length of the longest match at `text`, or 0; empty matches do not count. */
static size_t longest(struct regex *r, const uint8_t *text, size_t len) {
    size_t best = 0;
    int state = r->dfa_start;
    for (size_t i = 0; i < len; i++) {
        int next = r->step[state][text[i]];
        if (next == UNBUILT) next = build_step(r, state, text[i]);
        if (next == DEAD) break;
        state = next;
        if (r->accepts[state]) best = i + 1;
    }
    return best;
}

/* ---- The workload. ---- */

static size_t make_text(uint8_t *out, size_t size) {
    static const char *const hosts[] = {"example.com", "mail.test.org", "a-b.net", "localhost"};
    static const char *const words[] = {"the", "Error", "request", "from", "took", "warning:", "cache", "0x1F", "done"};
    uint32_t seed = 3;
    size_t n = 0;
    while (n + 128 < size) {
        uint32_t r = random_next(&seed);
        char *line = (char *)out + n;
        switch (r % 8) {
        case 0: n += (size_t)sprintf(line, "%04u-%02u-%02u %02u:%02u ", 1990 + r % 40, 1 + r % 12, 1 + r % 28, r % 24, r % 60); break;
        case 1: n += (size_t)sprintf(line, "user%u@%s ", r % 1000, hosts[r >> 30]); break;
        case 2: n += (size_t)sprintf(line, "http://%s/p/%u?q=%x ", hosts[r >> 30], r % 97, (unsigned)(r >> 8)); break;
        case 3: n += (size_t)sprintf(line, "%u.%u.%u.%u\n", r >> 24, r >> 16 & 255, r >> 8 & 255, r & 255); break;
        default: n += (size_t)sprintf(line, "%s ", words[(r >> 4) % 9]);
        }
    }
    return n;
}

int main(int argc, char **argv) {
    static const struct {
        const char *name, *pattern;
    } patterns[] = {
        {"date", "\\d\\d\\d\\d-\\d\\d-\\d\\d( \\d\\d:\\d\\d)?"},
        {"mail", "[\\w.]+@[\\w\\-]+(\\.[\\w\\-]+)*"},
        {"url", "https?://[^ \\s/]+(/[^ \\s?]*)?(\\?[^ \\s]*)?"},
        {"address", "\\d+\\.\\d+\\.\\d+\\.\\d+"},
        {"word", "(Error|warning|request|done):?"},
        {"hex", "0x[0-9A-Fa-f]+"},
    };
    enum { SIZE = 1 << 20 };
    static struct regex regex;
    uint32_t rounds = work_size(argc, argv, 12);
    uint8_t *text = allocate(SIZE);
    size_t len = make_text(text, SIZE);

    for (size_t p = 0; p < sizeof patterns / sizeof *patterns; p++) {
        uint32_t matches = 0;
        uint64_t hash = HASH_START;
        compile(&regex, patterns[p].pattern);
        for (uint32_t i = 0; i < rounds; i++) {
            for (size_t at = 0, n; at < len; at += n ? n : 1) {
                n = longest(&regex, text + at, len - at);
                if (n == 0) continue;
                matches++;
                hash = (hash ^ (at << 8) ^ n) * 0x100000001b3u;
            }
        }
        printf("regex %-8s %u matches, %d states, hash %016llx\n", patterns[p].name, matches, regex.dfa_states,
               (unsigned long long)hash);
    }
    free(text);
    return 0;
}
