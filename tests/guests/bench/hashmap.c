/* hashmap.c - a string-keyed hash map that grows, shrinks and is searched: hashing, comparing, scattered loads.
 *
 * Usage: hashmap.wasm [N]  N: thousands of operations
 * Open addressing with linear probing and backward-shift deletion; keys live in one arena. */
#include "bench.h"

struct entry {
    uint32_t hash;      /* 0: empty */
    uint32_t key;       /* offset into the arena */
    uint64_t value;
};

struct map {
    struct entry *entries;
    uint32_t capacity, count; /* the capacity is a power of two */
};

static char *arena;
static size_t arena_used, arena_size;

static uint32_t keep(const char *key, size_t len) {
    if (arena_used + len + 1 > arena_size) {
        arena_size = arena_size ? 2 * arena_size : 1 << 16;
        arena = realloc(arena, arena_size);
        if (!arena) exit(1);
    }
    memcpy(arena + arena_used, key, len + 1);
    arena_used += len + 1;
    return (uint32_t)(arena_used - len - 1);
}

static uint32_t hash_key(const char *key, size_t len) {
    uint64_t h = hash_bytes(HASH_START, key, len);
    uint32_t folded = (uint32_t)(h ^ h >> 32);
    return folded ? folded : 1;
}

static void map_init(struct map *m, uint32_t capacity) {
    m->entries = calloc(capacity, sizeof *m->entries);
    if (!m->entries) exit(1);
    m->capacity = capacity, m->count = 0;
}

static struct entry *slot(struct map *m, const char *key, uint32_t hash) {
    uint32_t i = hash & (m->capacity - 1);
    while (m->entries[i].hash && (m->entries[i].hash != hash || strcmp(arena + m->entries[i].key, key) != 0))
        i = (i + 1) & (m->capacity - 1);
    return &m->entries[i];
}

static void grow(struct map *m) {
    struct map bigger;
    map_init(&bigger, 2 * m->capacity);
    for (uint32_t i = 0; i < m->capacity; i++) {
        if (!m->entries[i].hash) continue;
        uint32_t j = m->entries[i].hash & (bigger.capacity - 1);
        while (bigger.entries[j].hash) j = (j + 1) & (bigger.capacity - 1);
        bigger.entries[j] = m->entries[i];
    }
    bigger.count = m->count;
    free(m->entries);
    *m = bigger;
}

static uint64_t *get_or_insert(struct map *m, const char *key, size_t len) {
    uint32_t hash = hash_key(key, len);
    struct entry *e = slot(m, key, hash);
    if (!e->hash) {
        if (4 * (m->count + 1) > 3 * m->capacity) {
            grow(m);
            e = slot(m, key, hash);
        }
        *e = (struct entry){hash, keep(key, len), 0};
        m->count++;
    }
    return &e->value;
}

static int erase(struct map *m, const char *key, size_t len) {
    struct entry *e = slot(m, key, hash_key(key, len));
    if (!e->hash) return 0;
    uint32_t mask = m->capacity - 1, hole = (uint32_t)(e - m->entries), i = hole;
    for (;;) {
        i = (i + 1) & mask;
        if (!m->entries[i].hash) break;
        uint32_t home = m->entries[i].hash & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) m->entries[hole] = m->entries[i], hole = i;
    }
    m->entries[hole].hash = 0;
    m->count--;
    return 1;
}

static size_t make_key(char key[24], uint32_t n) {
    static const char *const prefixes[] = {"user:", "session:", "/static/img/", "order-"};
    const char *prefix = prefixes[n % 4];
    size_t len = strlen(prefix);
    memcpy(key, prefix, len);
    do key[len++] = (char)('a' + n % 26), n /= 26;
    while (n);
    key[len] = 0;
    return len;
}

int main(int argc, char **argv) {
    uint32_t operations = 1000 * work_size(argc, argv, 4000), seed = 99, erased = 0;
    uint64_t found = 0, order_free = 0;
    struct map map;
    char key[24];
    map_init(&map, 16);

    for (uint32_t i = 0; i < operations; i++) {
        uint32_t r = random_next(&seed), n = r % 100000;
        size_t len = make_key(key, n * n % 250007);
        if (r >> 28 == 0)
            erased += (uint32_t)erase(&map, key, len);
        else if (r >> 28 < 8)
            *get_or_insert(&map, key, len) += r & 0xff;
        else
            found += slot(&map, key, hash_key(key, len))->hash != 0;
    }
    for (uint32_t i = 0; i < map.capacity; i++) {
        const struct entry *e = &map.entries[i];
        if (e->hash) order_free += hash_bytes(e->value, arena + e->key, strlen(arena + e->key));
    }
    printf("hashmap %u operations: %u entries, %u erased, %llu found, sum %016llx\n", operations, map.count, erased,
           (unsigned long long)found, (unsigned long long)order_free);
    return 0;
}
