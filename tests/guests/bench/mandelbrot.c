/* mandelbrot.c - escape times of an N by N view of the Mandelbrot set: scalar f64 in a tight loop.
 *
 * Usage: mandelbrot.wasm [N]   N: width and height */
#include "bench.h"

enum { LIMIT = 200 };

static uint32_t escape_time(double cr, double ci) {
    double zr = 0, zi = 0, zr2 = 0, zi2 = 0;
    uint32_t n = 0;
    while (n < LIMIT && zr2 + zi2 <= 4.0) {
        zi = 2 * zr * zi + ci;
        zr = zr2 - zi2 + cr;
        zr2 = zr * zr, zi2 = zi * zi;
        n++;
    }
    return n;
}

int main(int argc, char **argv) {
    uint32_t size = work_size(argc, argv, 2000), inside = 0;
    uint64_t hash = HASH_START;
    for (uint32_t y = 0; y < size; y++) {
        for (uint32_t x = 0; x < size; x++) {
            uint32_t n = escape_time(3.0 * x / size - 2.2, 3.0 * y / size - 1.5);
            uint8_t shade = (uint8_t)n;
            inside += n == LIMIT;
            hash = hash_bytes(hash, &shade, 1);
        }
    }
    printf("mandelbrot %u inside %u hash %016llx\n", size, inside, (unsigned long long)hash);
    return 0;
}
