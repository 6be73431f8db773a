/* clock_random.c - checks clocks, sleeping and random numbers without printing their values.
 *
 * Usage: clock_random.wasm
 * One line per check, "NAME ok" or "NAME FAILED"; exit status 1 if any failed. */
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int failures;

static void check(const char *name, bool ok) {
    printf("%s %s\n", name, ok ? "ok" : "FAILED");
    failures += !ok;
}

static int64_t now(clockid_t clock) {
    struct timespec t;
    if (clock_gettime(clock, &t) != 0) return -1;
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static bool never_goes_back(void) {
    int64_t last = now(CLOCK_MONOTONIC);
    for (int i = 0; i < 1000; i++) {
        int64_t next = now(CLOCK_MONOTONIC);
        if (next < last || next < 0) return false;
        last = next;
    }
    return true;
}

static bool has_resolution(clockid_t clock) {
    struct timespec t = {-1, -1};
    return clock_getres(clock, &t) == 0 && (t.tv_sec > 0 || (t.tv_sec == 0 && t.tv_nsec > 0));
}

static bool sleeps_at_least(int64_t nanoseconds) {
    struct timespec wait = {0, (long)nanoseconds};
    int64_t start = now(CLOCK_MONOTONIC);
    if (nanosleep(&wait, NULL) != 0) return false;
    return now(CLOCK_MONOTONIC) - start >= nanoseconds;
}

/* 256 random bytes miss a given byte value with probability 0.37, so seeing fewer than 100 of
 * the 256 values means the source is broken. */
static bool looks_random(const uint8_t *bytes, size_t len) {
    bool seen[256] = {0};
    int distinct = 0;
    for (size_t i = 0; i < len; i++) {
        distinct += !seen[bytes[i]];
        seen[bytes[i]] = true;
    }
    return distinct >= 100;
}

int main(void) {
    enum { YEAR_2020 = 1577836800 };
    check("realtime", now(CLOCK_REALTIME) / 1000000000 > YEAR_2020);
    check("time", time(NULL) > YEAR_2020);
    check("monotonic", never_goes_back());
    check("realtime resolution", has_resolution(CLOCK_REALTIME));
    check("monotonic resolution", has_resolution(CLOCK_MONOTONIC));
    check("sleep", sleeps_at_least(20 * 1000 * 1000));
    check("yield", sched_yield() == 0);

    uint8_t first[256] = {0}, second[256] = {0}, too_long[257];
    check("entropy", getentropy(first, sizeof first) == 0 && looks_random(first, sizeof first));
    check("entropy again", getentropy(second, sizeof second) == 0 && memcmp(first, second, sizeof first) != 0);
    check("entropy empty", getentropy(first, 0) == 0);
    check("entropy limit", getentropy(too_long, sizeof too_long) == -1 && errno == EIO);
    return failures != 0;
}
