/* sieve.c - the sieve of Eratosthenes over odd numbers, one byte each: strided byte stores.
 *
 * Usage: sieve.wasm [N]    N: sieves of the numbers below 4,000,000 */
#include "bench.h"

enum { LIMIT = 4000000 };

static uint8_t composite[LIMIT / 2]; /* entry i stands for 2 i + 1 */

static uint32_t count_primes(uint64_t *sum) {
    uint32_t primes = 1;
    *sum = 2;
    memset(composite, 0, sizeof composite);
    for (uint32_t i = 1; i < LIMIT / 2; i++) {
        if (composite[i]) continue;
        uint32_t p = 2 * i + 1;
        primes++, *sum += p;
        if (p < 2000)
            for (uint32_t j = 2 * i * (i + 1); j < LIMIT / 2; j += p) composite[j] = 1;
    }
    return primes;
}

int main(int argc, char **argv) {
    uint32_t rounds = work_size(argc, argv, 60);
    uint64_t sum = 0, total = 0;
    uint32_t primes = 0;
    for (uint32_t i = 0; i < rounds; i++) primes = count_primes(&sum), total += primes;
    printf("sieve below %d: %u primes, sum %llu, total %llu\n", LIMIT, primes, (unsigned long long)sum,
           (unsigned long long)total);
    return 0;
}
