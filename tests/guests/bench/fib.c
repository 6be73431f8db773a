/* fib.c - Fibonacci by double recursion: the cost of a direct call and return.
 *
 * Usage: fib.wasm [N]      N: which Fibonacci number */
#include "bench.h"

__attribute__((noinline)) static uint32_t fib(uint32_t n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

int main(int argc, char **argv) {
    uint32_t n = work_size(argc, argv, 42);
    printf("fib(%u) = %u\n", n, fib(n));
    return 0;
}
