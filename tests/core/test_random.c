/* Random streams: the generator against its published answers, draws that are uniform, streams that do not meet. */
#include "support/check.h"

#include "core/random.h"

#include <Random123/philox.h>
#include <math.h>
#include <string.h>

/* Known answers of Philox 4x64-10 (Random123, kat_vectors): counter and key all zero, all ones. */
static void the_generator_gives_the_published_answers(void **state)
{
    (void)state;
    const philox4x64_ctr_t zero = { { 0, 0, 0, 0 } };
    const philox4x64_key_t key = { { 0, 0 } };
    const uint64_t expected[4] = { UINT64_C(0x16554d9eca36314c), UINT64_C(0xdb20fe9d672d0fdc), UINT64_C(0xd7e772cee186176b),
                                   UINT64_C(0x7e68b68aec7ba23b) };
    const philox4x64_ctr_t out = philox4x64(zero, key);
    assert_memory_equal(out.v, expected, sizeof expected);
}

/* Key (seed, purpose), counter (a, b, c, number of the block): changing that changes every run of every user. */
static void a_stream_is_the_generator_keyed_as_documented(void **state)
{
    (void)state;
    blpo__stream s = blpo__stream_at(11, BLPO__FOR_ORDER, 22, 33, 44);
    const philox4x64_key_t key = { { 11, 5 } };
    for (uint64_t block = 0; block < 3; block++) {
        const philox4x64_ctr_t counter = { { 22, 33, 44, block } };
        const philox4x64_ctr_t out = philox4x64(counter, key);
        for (int i = 0; i < 4; i++)
            assert_true(blpo__next(&s) == out.v[i]);
    }
}

/* The two ends of what the generator can give. */
static void uniform_numbers_are_never_0_or_1(void **state)
{
    (void)state;
    blpo__stream s = { .block = { 0, UINT64_MAX, 1, UINT64_MAX - 1 }, .left = 4 };
    for (int i = 0; i < 4; i++) {
        const double u = blpo__uniform(&s);
        assert_true(u > 0.0 && u < 1.0);
    }
}

/* 10000 draws below 7: chi-square with 6 degrees of freedom; 27.9 is exceeded by one fair seed in ten thousand. */
static void numbers_below_n_are_uniform(void **state)
{
    (void)state;
    blpo__stream s = blpo__stream_at(1, BLPO__FOR_ACTION, 2, 3, 4);
    double count[7] = { 0 }, chi = 0.0;
    for (int i = 0; i < 10000; i++) {
        const int64_t x = blpo__below(&s, 7);
        assert_in_range(x, 0, 6);
        count[x] += 1.0;
    }
    for (int i = 0; i < 7; i++)
        chi += (count[i] - 10000.0 / 7.0) * (count[i] - 10000.0 / 7.0) / (10000.0 / 7.0);
    assert_true(chi < 27.9);
    assert_int_equal(blpo__below(&s, 1), 0);
}

/* Mean of 10000 uniforms 1/2 to 5 / sqrt(12 10000), of their squares 1/3 to 5 sqrt(4/45 / 10000). Never 0 or 1. */
static void uniform_numbers_have_the_moments(void **state)
{
    (void)state;
    blpo__stream s = blpo__stream_at(9, BLPO__FOR_ACTION, 0, 0, 0);
    double mean = 0.0, square = 0.0;
    for (int i = 0; i < 10000; i++) {
        const double u = blpo__uniform(&s);
        assert_true(u > 0.0 && u < 1.0);
        mean += u / 10000.0;
        square += u * u / 10000.0;
    }
    assert_close(mean, 0.5, 0.0, 5.0 / sqrt(12.0 * 10000.0));
    assert_close(square, 1.0 / 3.0, 0.0, 5.0 * sqrt(4.0 / 45.0 / 10000.0));
}

/* All 24 orders of 4 in 12000 shuffles, 500 each: chi-square with 23 degrees of freedom; 57.1 is exceeded by one fair seed in
 * ten thousand. */
static void shuffles_are_uniform_over_permutations(void **state)
{
    (void)state;
    double count[256] = { 0 }, chi = 0.0;
    int seen = 0;
    for (uint64_t i = 0; i < 12000; i++) {
        blpo__stream s = blpo__stream_at(5, BLPO__FOR_ORDER, i, 0, 0);
        int64_t order[4];
        blpo__shuffle(&s, order, 4);
        assert_int_equal((1 << order[0]) | (1 << order[1]) | (1 << order[2]) | (1 << order[3]), 15);
        count[order[0] | order[1] << 2 | order[2] << 4 | order[3] << 6] += 1.0;
    }
    for (int i = 0; i < 256; i++) {
        seen += count[i] > 0.0;
        chi += count[i] > 0.0 ? (count[i] - 500.0) * (count[i] - 500.0) / 500.0 : 0.0;
    }
    assert_int_equal(seen, 24);
    assert_true(chi < 57.1);
}

/* Streams of other seeds, purposes and coordinates differ in their first number: 2^-64 each that they do not. */
static void streams_are_keyed_by_every_coordinate(void **state)
{
    (void)state;
    blpo__stream s[6] = { blpo__stream_at(1, BLPO__FOR_ACTION, 2, 3, 4), blpo__stream_at(2, BLPO__FOR_ACTION, 2, 3, 4),
                          blpo__stream_at(1, BLPO__FOR_ORDER, 2, 3, 4),  blpo__stream_at(1, BLPO__FOR_ACTION, 3, 3, 4),
                          blpo__stream_at(1, BLPO__FOR_ACTION, 2, 4, 4), blpo__stream_at(1, BLPO__FOR_ACTION, 2, 3, 5) };
    uint64_t first[6];
    for (int i = 0; i < 6; i++)
        first[i] = blpo__next(&s[i]);
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < i; j++)
            assert_true(first[i] != first[j]);
}

/* A thousand numbers of one stream: none comes twice (block after block, not the same block again). */
static void a_stream_does_not_repeat(void **state)
{
    (void)state;
    blpo__stream s = blpo__stream_at(3, BLPO__FOR_INDICES, 0, 0, 0);
    uint64_t x[1000];
    for (int i = 0; i < 1000; i++) {
        x[i] = blpo__next(&s);
        for (int j = 0; j < i; j++)
            assert_true(x[i] != x[j]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_generator_gives_the_published_answers),
        cmocka_unit_test(a_stream_is_the_generator_keyed_as_documented),
        cmocka_unit_test(uniform_numbers_are_never_0_or_1),
        cmocka_unit_test(numbers_below_n_are_uniform),
        cmocka_unit_test(uniform_numbers_have_the_moments),
        cmocka_unit_test(shuffles_are_uniform_over_permutations),
        cmocka_unit_test(streams_are_keyed_by_every_coordinate),
        cmocka_unit_test(a_stream_does_not_repeat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
