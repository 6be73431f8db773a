/* simd.c - vector kernels for -msimd128, in f32x4, i32x4, i16x8 and u8x16.
 *
 * Usage: simd.wasm [N]     N: passes over the 1 MiB buffers
 * Written with the vector types of GCC and Clang, so the same source builds natively for comparison.
 * Kernels: a 5-tap filter (f32), a sum of absolute differences (u8), ASCII upper-casing by mask (u8),
 * alpha blending through 16-bit lanes, and a dot product of 16-bit samples into 32-bit sums. */
#include "bench.h"

typedef float f32x4 __attribute__((vector_size(16)));
typedef int32_t i32x4 __attribute__((vector_size(16)));
typedef int16_t i16x8 __attribute__((vector_size(16)));
typedef uint16_t u16x8 __attribute__((vector_size(16)));
typedef uint8_t u8x16 __attribute__((vector_size(16)));
typedef uint8_t u8x8 __attribute__((vector_size(8)));
typedef int16_t i16x4 __attribute__((vector_size(8)));

enum { SIZE = 1 << 20 };

#define LOAD(TYPE, FROM) ({ TYPE v_; memcpy(&v_, (FROM), sizeof v_); v_; })
#define STORE(TO, VALUE) ({ __typeof__(VALUE) v_ = (VALUE); memcpy((TO), &v_, sizeof v_); })

static uint8_t image[SIZE + 16], other[SIZE + 16], blended[SIZE + 16];
static float signal[SIZE / 4 + 8], filtered[SIZE / 4 + 8];
static int16_t left[SIZE / 2], right[SIZE / 2];

/* A binomial low-pass filter; the taps overlap, so loads are unaligned. */
__attribute__((noinline)) static void filter(float *out, const float *in, size_t n) {
    for (size_t i = 0; i < n; i += 4) {
        f32x4 a = LOAD(f32x4, in + i), b = LOAD(f32x4, in + i + 1), c = LOAD(f32x4, in + i + 2);
        f32x4 d = LOAD(f32x4, in + i + 3), e = LOAD(f32x4, in + i + 4);
        STORE(out + i, ((a + e) + (b + d) * 4.0f + c * 6.0f) * 0.0625f);
    }
}

__attribute__((noinline)) static uint64_t absolute_differences(const uint8_t *a, const uint8_t *b, size_t n) {
    uint64_t sum = 0;
    for (size_t i = 0; i < n;) {
        u16x8 lanes = {0}; /* 128 vectors add at most 2 * 128 * 255 to a lane, which still fits */
        for (size_t end = i + 128 * 16 < n ? i + 128 * 16 : n; i < end; i += 16) {
            u8x16 x = LOAD(u8x16, a + i), y = LOAD(u8x16, b + i);
            u8x16 mask = (u8x16)(x > y), d = (mask & (x - y)) | (~mask & (y - x));
            lanes += (u16x8)d & 0x00ff;
            lanes += (u16x8)d >> 8;
        }
        for (int l = 0; l < 8; l++) sum += lanes[l];
    }
    return sum;
}

__attribute__((noinline)) static void upper_case(uint8_t *text, size_t n) {
    for (size_t i = 0; i < n; i += 16) {
        u8x16 c = LOAD(u8x16, text + i);
        u8x16 lower = (u8x16)((c - 'a') < 26);
        STORE(text + i, c - (lower & 32));
    }
}

/* out = (a * alpha + b * (256 - alpha)) / 256, widening bytes to 16 bits and narrowing back. */
__attribute__((noinline)) static void blend(uint8_t *out, const uint8_t *a, const uint8_t *b, size_t n, uint16_t alpha) {
    for (size_t i = 0; i < n; i += 8) {
        u16x8 x = __builtin_convertvector(LOAD(u8x8, a + i), u16x8);
        u16x8 y = __builtin_convertvector(LOAD(u8x8, b + i), u16x8);
        u16x8 mixed = (x * alpha + y * (uint16_t)(256 - alpha)) >> 8;
        STORE(out + i, __builtin_convertvector(mixed, u8x8));
    }
}

__attribute__((noinline)) static int64_t dot(const int16_t *a, const int16_t *b, size_t n) {
    int64_t sum = 0;
    for (size_t i = 0; i < n;) {
        i32x4 lanes = {0};
        for (size_t end = i + 256 < n ? i + 256 : n; i < end; i += 4) {
            i32x4 x = __builtin_convertvector(LOAD(i16x4, a + i), i32x4);
            i32x4 y = __builtin_convertvector(LOAD(i16x4, b + i), i32x4);
            lanes += x * y;
        }
        for (int l = 0; l < 4; l++) sum += lanes[l];
    }
    return sum;
}

int main(int argc, char **argv) {
    uint32_t passes = work_size(argc, argv, 700), seed = 5;
    uint64_t differences = 0, letters = 0;
    int64_t correlation = 0;

    for (size_t i = 0; i < SIZE; i++) image[i] = (uint8_t)random_next(&seed), other[i] = (uint8_t)random_next(&seed);
    for (size_t i = 0; i < SIZE / 4 + 8; i++) signal[i] = (float)(random_next(&seed) % 2048) - 1024.0f;
    for (size_t i = 0; i < SIZE / 2; i++) {
        left[i] = (int16_t)(random_next(&seed) % 4096 - 2048); /* 64 products of 2048^2 fit 32 bits */
        right[i] = (int16_t)(random_next(&seed) % 4096 - 2048);
    }

    for (uint32_t pass = 0; pass < passes; pass++) {
        filter(filtered, signal, SIZE / 4);
        filter(signal, filtered, SIZE / 4);
        differences += absolute_differences(image, other, SIZE);
        blend(blended, image, other, SIZE, (uint16_t)(pass % 257));
        upper_case(blended, SIZE);
        memcpy(image, blended, SIZE);
        for (size_t i = pass % 64; i < SIZE; i += 4096) image[i] = (uint8_t)random_next(&seed);
        correlation += dot(left, right, SIZE / 2);
        left[pass % (SIZE / 2)] ^= 1;
    }
    for (size_t i = 0; i < SIZE; i++) letters += blended[i] >= 'A' && blended[i] <= 'Z';
    printf("simd %u passes: signal %016llx, image %016llx, differences %llu, letters %llu, correlation %lld\n", passes,
           (unsigned long long)hash_bytes(HASH_START, signal, SIZE),
           (unsigned long long)hash_bytes(HASH_START, image, SIZE), (unsigned long long)differences,
           (unsigned long long)letters, (long long)correlation);
    return 0;
}
