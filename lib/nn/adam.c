#include "nn/adam.h"

#include "linalg/kernels.h"

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
void blpo__adam_step(blpo__adam *adam, double rate, const real *gradient, real *x)
{
    adam->t++;
    const double root = sqrt(1.0 - pow(adam->beta2, (double)adam->t));
    const blpo__adam_factors factors = {.b1 = (real)adam->beta1,
                                        .c1 = (real)(1.0 - adam->beta1),
                                        .b2 = (real)adam->beta2,
                                        .c2 = (real)(1.0 - adam->beta2),
                                        .step = (real)(rate * root / (1.0 - pow(adam->beta1, (double)adam->t))),
                                        .epsilon = (real)(adam->epsilon * root)};
    blpo__kernels_best()->adam(&factors, adam->n, gradient, adam->m, adam->v, x);
}
