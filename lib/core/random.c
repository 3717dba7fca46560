#include "core/random.h"

#include <Random123/philox.h>

#include <math.h>

blpo__stream blpo__stream_at(uint64_t seed, blpo__purpose purpose, uint64_t a, uint64_t b, uint64_t c)
{
    return (blpo__stream){{seed, (uint64_t)purpose}, {a, b, c, 0}, {0}, 0};
}

static void refill(blpo__stream *stream)
{
    const philox4x64_key_t key = {{stream->key[0], stream->key[1]}};
    const philox4x64_ctr_t counter = {
        {stream->counter[0], stream->counter[1], stream->counter[2], stream->counter[3]++}};
    const philox4x64_ctr_t block = philox4x64(counter, key);
    for (int i = 0; i < 4; i++)
        stream->block[i] = block.v[i];
    stream->left = 4;
}

uint64_t blpo__next(blpo__stream *stream)
{
    if (stream->left == 0)
        refill(stream);
    return stream->block[4 - stream->left--];
}

double blpo__uniform(blpo__stream *stream)
{
    return ((double)(blpo__next(stream) >> 12) + 0.5) * 0x1p-52; /* exact: neither 0 nor 1 can come of rounding */
}

double blpo__normal(blpo__stream *stream)
{
    const double radius = sqrt(-2.0 * log(blpo__uniform(stream)));
    return radius * cos(6.283185307179586476925 * blpo__uniform(stream));
}

int64_t blpo__below(blpo__stream *stream, int64_t n)
{
    const uint64_t range = (uint64_t)n;
    const uint64_t reject = (0 - range) % range; /* 2^64 mod n: below it, the remainders are not equally likely */
    uint64_t x = blpo__next(stream);
    while (x < reject)
        x = blpo__next(stream);
    return (int64_t)(x % range);
}

void blpo__shuffle(blpo__stream *stream, int64_t *order, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const int64_t j = blpo__below(stream, i + 1);
        order[i] = order[j];
        order[j] = i;
    }
}

static int holds(const int64_t *index, int64_t n, int64_t value)
{
    for (int64_t i = 0; i < n; i++)
        if (index[i] == value)
            return 1;
    return 0;
}

void blpo__draw_distinct(blpo__stream *stream, int64_t *index, int64_t k, int64_t n)
{
    for (int64_t i = 0; i < k; i++) {
        const int64_t last = n - k + i;
        const int64_t pick = blpo__below(stream, last + 1);
        index[i] = holds(index, i, pick) ? last : pick;
    }
}
