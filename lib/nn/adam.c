#include "nn/adam.h"

#include "linalg/kernels.h"
#include "linalg/vector.h"

#include <math.h>
#include <string.h>

void blpo__adam_create(blpo__adam *adam, int64_t n, double beta1, double beta2, double epsilon, blpo__memory *memory)
{
    *adam = (blpo__adam){n, beta1, beta2, epsilon, NULL, NULL, 0};
    adam->m = blpo__allocate(memory, n, sizeof *adam->m);
    adam->v = blpo__allocate(memory, n, sizeof *adam->v);
}

void blpo__adam_copy(blpo__adam *to, const blpo__adam *from)
{
    memcpy(to->m, from->m, (size_t)from->n * sizeof *to->m);
    memcpy(to->v, from->v, (size_t)from->n * sizeof *to->v);
    to->t = from->t;
}

/* rate (m / c1) / (sqrt(v / c2) + eps) = (rate sqrt(c2) / c1) m / (sqrt(v) + eps sqrt(c2)) */
static blpo__adam_factors next_factors(blpo__adam *adam, double rate)
{
    adam->t++;
    const double root = sqrt(1.0 - pow(adam->beta2, (double)adam->t));
    return (blpo__adam_factors){.b1 = (real)adam->beta1,
                                .c1 = (real)(1.0 - adam->beta1),
                                .b2 = (real)adam->beta2,
                                .c2 = (real)(1.0 - adam->beta2),
                                .step = (real)(rate * root / (1.0 - pow(adam->beta1, (double)adam->t))),
                                .epsilon = (real)(adam->epsilon * root)};
}

void blpo__adam_step(blpo__adam *adam, double rate, const real *gradient, real *x)
{
    const blpo__adam_factors factors = next_factors(adam, rate);
    blpo__kernels_best()->adam(&factors, adam->n, gradient, adam->m, adam->v, x);
}

/* ---- in blocks ---- */

enum { LEAST_BLOCK = 2048 }; /* fewer numbers take no longer than another thread to come to them */

typedef struct step {
    const blpo__adam *adam;
    blpo__adam_factors factors;
    const real *gradient;
    real *x;
    int64_t n_blocks;
    double square[BLPO__MAX_PIECES]; /* |gradient|^2 of each */
} step;

static void step_block(void *context, int64_t block)
{
    step *s = context;
    const int64_t at = blpo__piece_begin(s->adam->n, s->n_blocks, block);
    const int64_t n = blpo__piece_begin(s->adam->n, s->n_blocks, block + 1) - at;
    s->square[block] = blpo__dot(s->gradient + at, s->gradient + at, n);
    blpo__kernels_best()->adam(&s->factors, n, s->gradient + at, s->adam->m + at, s->adam->v + at, s->x + at);
}

int64_t blpo__adam_blocks(const blpo__adam *adam, int threads_are_awake)
{
    return threads_are_awake ? blpo__even_pieces(adam->n, LEAST_BLOCK) : 1;
}

double blpo__adam_step_in_blocks(blpo__adam *adam, const blpo__parallel *parallel, int64_t n_blocks, double rate,
                                 const real *gradient, real *x)
{
    step s = {adam, next_factors(adam, rate), gradient, x, n_blocks, {0}};
    blpo__parallel_run(parallel, n_blocks, step_block, &s);
    double sum = 0.0;
    for (int64_t i = 0; i < n_blocks; i++)
        sum += s.square[i];
    return blpo__is_plain_square(sum) ? sqrt(sum) : blpo__norm(gradient, adam->n);
}
