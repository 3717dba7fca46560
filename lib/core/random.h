/* Counter-based random streams: Philox 4x64-10 (Salmon et al., SC 2011) from Random123. A stream is a pure function of its
 * key and coordinates, so no draw depends on scheduling or on what was drawn before elsewhere. */
#ifndef BLPO_CORE_RANDOM_H
#define BLPO_CORE_RANDOM_H

#include <stdint.h>

/* What a stream is for: part of its key. Numbers are kept for ever: changing one changes every run. */
typedef enum blpo__purpose {
    BLPO__FOR_POLICY_INIT = 1,  /* (layer, 0, 0) */
    BLPO__FOR_CRITIC_INIT = 2,  /* (layer, 0, 0) */
    BLPO__FOR_ACTION = 3,       /* (environment, step, 0) */
    BLPO__FOR_ENV_SEED = 4,     /* (environment, reset, 0) */
    BLPO__FOR_ORDER = 5,        /* (update, epoch, 0) */
    BLPO__FOR_INDICES = 6,      /* (solve, 0, 0); in a trainer (update, minibatch, 0) */
    BLPO__FOR_CALLER = 7,       /* (stream, counter, 0) */
    BLPO__FOR_SKETCH = 8,       /* (solve, 0, column); in a trainer (update, minibatch, column) */
    BLPO__FOR_SPECTRUM = 9      /* (solve, 0, 0); in a trainer (update, minibatch, 0) */
} blpo__purpose;

typedef struct blpo__stream {
    uint64_t key[2];
    uint64_t counter[4]; /* the three coordinates, then the number of the block */
    uint64_t block[4];
    int left; /* unused numbers of the block */
} blpo__stream;

blpo__stream blpo__stream_at(uint64_t seed, blpo__purpose purpose, uint64_t a, uint64_t b, uint64_t c);
uint64_t blpo__next(blpo__stream *stream);
double blpo__uniform(blpo__stream *stream);                /* in (0, 1), 52 bits */
double blpo__normal(blpo__stream *stream);                 /* Box and Muller, one number of the pair */
int64_t blpo__below(blpo__stream *stream, int64_t n);      /* uniform in 0 .. n - 1, without bias */
void blpo__shuffle(blpo__stream *stream, int64_t *order, int64_t n); /* order becomes a permutation of 0 .. n - 1 */

/* k distinct numbers of 0 .. n - 1, every set equally likely (Floyd's algorithm, CACM 30(9), 1987), k <= n. O(k^2). */
void blpo__draw_distinct(blpo__stream *stream, int64_t *index, int64_t k, int64_t n);

#endif
