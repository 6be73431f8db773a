/* trap.c - traps inside three nested, named functions, to test messages and backtraces.
 *
 * Usage: trap.wasm KIND, where KIND is one of
 *   div          integer division by zero
 *   overflow     INT_MIN / -1
 *   unreachable  the unreachable instruction
 *   load         load beyond the end of memory
 *   store        store beyond the end of memory
 *   convert      float to integer conversion of a NaN
 *   null         indirect call through table entry 0
 *   signature    indirect call with the wrong type
 *
 * Built with its name section: a backtrace reads inner <- middle <- outer <- main. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdint.h>
#include <string.h>

#define NOINLINE __attribute__((noinline))

/* Volatile operands keep the compiler from folding or removing operations that are undefined
 * in C but trap in WebAssembly. */
static volatile int zero = 0, minus_one = -1, smallest = INT_MIN, sink;
static volatile double not_a_number = NAN;
static volatile uintptr_t beyond = 0xfffffff0u;

static double halve(double x) { return x / 2; }
static double (*volatile as_double)(double) = halve;

NOINLINE static int inner(const char *kind) {
    if (strcmp(kind, "div") == 0) return 7 / zero;
    if (strcmp(kind, "overflow") == 0) return smallest / minus_one;
    if (strcmp(kind, "unreachable") == 0) __builtin_trap();
    if (strcmp(kind, "load") == 0) return *(volatile int *)beyond;
    if (strcmp(kind, "store") == 0) return *(volatile int *)beyond = 1;
    if (strcmp(kind, "null") == 0) return ((int (*volatile)(int))(uintptr_t)zero)(1);
    if (strcmp(kind, "signature") == 0) return ((int (*volatile)(int))(uintptr_t)as_double)(1);
#ifdef __wasm__
    if (strcmp(kind, "convert") == 0) return __builtin_wasm_trunc_s_i32_f64(not_a_number);
#endif
    return 0;
}

NOINLINE static int middle(const char *kind) {
    int value = inner(kind);
    sink = value; /* work after the call: no tail call, so the frame stays */
    return value;
}

NOINLINE static int outer(const char *kind) {
    int value = middle(kind);
    sink = value + 1;
    return value;
}

int main(int argc, char **argv) {
    const char *kind = argc > 1 ? argv[1] : "unreachable";
    printf("trapping: %s\n", kind);
    fflush(stdout);
    int value = outer(kind);
    printf("no trap: %d\n", value);
    return 1;
}
