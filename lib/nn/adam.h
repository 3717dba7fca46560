/* Adam (Kingma and Ba, arXiv:1412.6980), bias-corrected, epsilon outside the root:
 *   m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2,  x -= rate (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps) */
#ifndef BLPO_NN_ADAM_H
#define BLPO_NN_ADAM_H

#include "core/memory.h"
#include "core/parallel.h"
#include "core/real.h"

typedef struct blpo__adam {
    int64_t n;
    double beta1, beta2, epsilon;
    real *m, *v; /* [n] */
    int64_t t;   /* steps made */
} blpo__adam;

void blpo__adam_create(blpo__adam *adam, int64_t n, double beta1, double beta2, double epsilon, blpo__memory *memory);
void blpo__adam_copy(blpo__adam *to, const blpo__adam *from);
void blpo__adam_step(blpo__adam *adam, double rate, const real *gradient, real *x);

/* Blocks for a step that threads make together; one where they have no other work close by, since waking them costs more. */
int64_t blpo__adam_blocks(const blpo__adam *adam, int threads_are_awake);

/* The same in so many blocks. Returns |gradient|, as blpo__norm(), which is not finite where the gradient is not. */
double blpo__adam_step_in_blocks(blpo__adam *adam, const blpo__parallel *parallel, int64_t n_blocks, double rate,
                                 const real *gradient, real *x);

#endif
