/* Vectors of the level this is compiled for, by the compilers' vector extensions: arithmetic on them reads as on numbers,
 * and where the processor has none of that width the compiler makes plain code of it. */
#ifndef BLPO_LINALG_KERNELS_VECTORS_H
#define BLPO_LINALG_KERNELS_VECTORS_H

#include "linalg/kernels.h"

#include <blpo/network.h>

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
enum { VECTOR_BYTES = 64, TILE_ROWS = 8 }; /* 16 sums of 32 registers: fmas take 4 cycles, two start in each */
#elif defined(__AVX2__)
enum { VECTOR_BYTES = 32, TILE_ROWS = 6 }; /* 12 sums, 2 of B, 1 of A: 15 of 16 registers */
#else
enum { VECTOR_BYTES = 16, TILE_ROWS = 4 }; /* 8 sums; without fma a product needs a register of its own */
#endif

enum {
    LANES = VECTOR_BYTES / (int)sizeof(real),
    TILE_VECTORS = 2,
    TILE_COLUMNS = TILE_VECTORS * LANES
};

typedef real vector __attribute__((vector_size(VECTOR_BYTES), aligned(VECTOR_BYTES), may_alias));
typedef real loose_vector __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(real)), may_alias)); /* in memory only */

#define INLINE static inline __attribute__((always_inline))

/* For the ends of rows and the like: a function of its own, compiled for size. Compilers make more code of these loops than of those
 * that they end. */
#define FEW_NUMBERS __attribute__((noinline, cold))

/* Before a loop with a constant count, so that what it indexes can live in registers. */
#if defined(__clang__)
#define UNROLLED _Pragma("clang loop unroll(full)")
#else
#define UNROLLED _Pragma("GCC unroll 8")
#endif

/* limit where x is beyond it, else x: a NaN of x stays one. The x86 instruction gives its second operand for a NaN. */
#if !defined(BLPO__FLOAT64) && defined(__AVX512F__)
INLINE vector at_most(vector limit, vector x) { return (vector)_mm512_min_ps((__m512)limit, (__m512)x); }
INLINE vector at_least(vector limit, vector x) { return (vector)_mm512_max_ps((__m512)limit, (__m512)x); }
#elif !defined(BLPO__FLOAT64) && defined(__AVX2__)
INLINE vector at_most(vector limit, vector x) { return (vector)_mm256_min_ps((__m256)limit, (__m256)x); }
INLINE vector at_least(vector limit, vector x) { return (vector)_mm256_max_ps((__m256)limit, (__m256)x); }
#elif !defined(BLPO__FLOAT64) && defined(__x86_64__)
INLINE vector at_most(vector limit, vector x) { return (vector)_mm_min_ps((__m128)limit, (__m128)x); }
INLINE vector at_least(vector limit, vector x) { return (vector)_mm_max_ps((__m128)limit, (__m128)x); }
#else
INLINE vector at_most(vector limit, vector x)
{
    for (int i = 0; i < LANES; i++)
        x[i] = x[i] > limit[i] ? limit[i] : x[i];
    return x;
}

INLINE vector at_least(vector limit, vector x)
{
    for (int i = 0; i < LANES; i++)
        x[i] = x[i] < limit[i] ? limit[i] : x[i];
    return x;
}
#endif

/* The same number in every lane. */
INLINE vector all(real x)
{
    return x - (vector){0};
}

#endif
