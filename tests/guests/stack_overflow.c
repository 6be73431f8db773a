/* stack_overflow.c - infinite recursion, which the runtime must report as a trap.
 *
 * Usage: stack_overflow.wasm [DEPTH]
 * With DEPTH the recursion stops there and prints it, which shows how deep a runtime can go.
 * Frames have only locals, so the call stack overflows and not the linear-memory
 * stack. Built with its name section. */
#include <stdio.h>
#include <stdlib.h>

static volatile unsigned limit; /* 0: none */
static volatile unsigned level;

__attribute__((noinline)) static unsigned dive(unsigned depth) {
    if (depth == limit) return depth;
    level = depth;
    unsigned deepest = dive(depth + 1);
    level = depth; /* a store after the call: this is not a tail call */
    return deepest;
}

int main(int argc, char **argv) {
    limit = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
    puts("diving");
    fflush(stdout);
    printf("returned from depth %u\n", dive(1));
    return 0;
}
