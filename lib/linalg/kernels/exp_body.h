/* exp and log in double, a vector of numbers at a time: what softmax, ratios of probabilities and their logarithms take. The C
 * library's take one number at a time.
 *
 *   exp   x = k log 2 + r, |r| <= log 2 / 2;   e^r = 1 + r + r^2 P(r),  P of degree 9;   times 2^k in two steps, so that
 *         results below the normal numbers are rounded once
 *   log   x = 2^k (1 + f), 1 + f within sqrt(1/2) and sqrt(2);   s = f / (2 + f),   log(1 + f) = f - f^2/2 + s (f^2/2 + z T(z)),
 *         z = s^2,  T of degree 6: log((1 + s)/(1 - s)) = 2 s + s z T(z)
 *
 * P and T interpolate at Chebyshev nodes: relative errors 1.6e-17 and 4.6e-18. log 2 is two numbers, the first with 21 zeroes
 * at its end, so that k times it is exact. With the roundings e^x is within 1.1 units in the last place (1.07 at worst in three
 * million numbers), log x within 0.9 (0.86 without fused multiply-add, 0.75 with it); tests/linalg/test_activation.c looks.
 * Integers come and go by adding 1.5 2^52, which puts them into the low bits. */

typedef uint64_t wide_bits __attribute__((vector_size(VECTOR_BYTES), aligned(VECTOR_BYTES), may_alias));

/* As at_most and at_least. */
#if defined(__AVX512F__)
INLINE wide wide_at_most(wide limit, wide x) { return (wide)_mm512_min_pd((__m512d)limit, (__m512d)x); }
INLINE wide wide_at_least(wide limit, wide x) { return (wide)_mm512_max_pd((__m512d)limit, (__m512d)x); }
#elif defined(__AVX2__)
INLINE wide wide_at_most(wide limit, wide x) { return (wide)_mm256_min_pd((__m256d)limit, (__m256d)x); }
INLINE wide wide_at_least(wide limit, wide x) { return (wide)_mm256_max_pd((__m256d)limit, (__m256d)x); }
#elif defined(__x86_64__)
INLINE wide wide_at_most(wide limit, wide x) { return (wide)_mm_min_pd((__m128d)limit, (__m128d)x); }
INLINE wide wide_at_least(wide limit, wide x) { return (wide)_mm_max_pd((__m128d)limit, (__m128d)x); }
#else
INLINE wide wide_at_most(wide limit, wide x)
{
    for (int i = 0; i < WIDE; i++)
        x[i] = x[i] > limit[i] ? limit[i] : x[i];
    return x;
}

INLINE wide wide_at_least(wide limit, wide x)
{
    for (int i = 0; i < WIDE; i++)
        x[i] = x[i] < limit[i] ? limit[i] : x[i];
    return x;
}
#endif

INLINE wide wide_all(double x) { return x - (wide){0}; }

static const double TO_INTEGER = 0x1.8p52, LOG2_HIGH = 0x1.62e42fee00000p-1, LOG2_LOW = 0x1.a39ef35793c76p-33;

/* x a whole number plus TO_INTEGER: 2 to that number. */
INLINE wide power_of_two(wide x)
{
    return (wide)(((wide_bits)x << 52) + 0x3ff0000000000000);
}

/* Beyond the limits e^x is 0 or infinite for certain. A NaN comes through in r. */
INLINE wide exp_of(wide x)
{
    x = wide_at_least(wide_all(-746.0), wide_at_most(wide_all(710.0), x));
    const wide k = (x * 1.4426950408889634 + TO_INTEGER) - TO_INTEGER, half = k * 0.5 + TO_INTEGER;
    const wide r = (x - k * LOG2_HIGH) - k * LOG2_LOW;
    wide p = 2.510038549551032e-08 * r + 2.7620088445409746e-07;
    p = p * r + 2.7557268459997064e-06;
    p = p * r + 2.4801521295954376e-05;
    p = p * r + 1.9841269863053618e-04;
    p = p * r + 1.3888888917213717e-03;
    p = p * r + 8.333333333330062e-03;
    p = p * r + 4.166666666662413e-02;
    p = p * r + 1.6666666666666669e-01;
    p = p * r + 5.000000000000001e-01;
    return (1.0 + (r + r * r * p)) * power_of_two(half) * power_of_two((k - (half - TO_INTEGER)) + TO_INTEGER);
}

/* x - x is NaN for what is not finite: the bits of that would be taken for a number. */
INLINE wide log_of(wide x)
{
    const wide_bits least = (wide_bits)wide_all(0x1.6a09e667f3bcdp-1), one = (wide_bits)wide_all(1.0); /* sqrt(1/2) */
    const wide_bits power = ((wide_bits)x - least + one) >> 52;
    const wide k = (wide)(power | (wide_bits)wide_all(0x1p52)) - (0x1p52 + 1023.0);
    const wide f = (wide)((wide_bits)x - (power << 52) + one) - 1.0;
    const wide s = f / (2.0 + f), z = s * s, square = 0.5 * f * f;
    wide t = 1.4616585424888623e-01 * z + 1.5331710618210773e-01;
    t = t * z + 1.8182889455674947e-01;
    t = t * z + 2.2222211130259878e-01;
    t = t * z + 2.857142862600327e-01;
    t = t * z + 3.9999999999899444e-01;
    t = t * z + 6.66666666666667e-01;
    return k * LOG2_HIGH - ((square - (s * (square + z * t) + k * LOG2_LOW)) - f) + (x - x);
}

/* x becomes f(x); 1 is in the domain of both. */
INLINE void map_wide(wide (*f)(wide), double *x, int64_t n)
{
    int64_t i = 0;
    for (; i + WIDE <= n; i += WIDE)
        *(loose_wide *)(x + i) = f(*(const loose_wide *)(x + i));
    if (i < n) {
        wide tail = wide_all(1.0);
        memcpy(&tail, x + i, (size_t)(n - i) * sizeof *x);
        tail = f(tail);
        memcpy(x + i, &tail, (size_t)(n - i) * sizeof *x);
    }
}

static void exp_all(double *x, int64_t n)
{
    map_wide(exp_of, x, n);
}

static void log_all(double *x, int64_t n)
{
    map_wide(log_of, x, n);
}
