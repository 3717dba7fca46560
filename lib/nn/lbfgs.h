/* Minimising a smooth function with a budget of evaluations. */
#ifndef BLPO_NN_LBFGS_H
#define BLPO_NN_LBFGS_H

#include "core/memory.h"
#include "core/real.h"

enum { BLPO__LBFGS_PAIRS = 10 };

/* value and gradient [n] at x [n]; a value that is not finite says that x is too far out. 0, or a negative
 * code that ends it all. */
typedef int (*blpo__evaluate_fn)(void *context, const real *x, double *value, real *gradient);

typedef struct blpo__lbfgs {
    int64_t n;
    real *x, *gradient;                /* [n] the best point so far */
    real *trial, *trial_gradient;      /* [n] */
    real *direction;                   /* [n] */
    real *step[BLPO__LBFGS_PAIRS];     /* [n] s_i = x_{i+1} - x_i, a ring */
    real *change[BLPO__LBFGS_PAIRS];   /* [n] y_i, of the gradients */
    double inverse[BLPO__LBFGS_PAIRS]; /* 1 / y_i . s_i */
    int64_t n_pairs;                   /* so far: the last one is at (n_pairs - 1) % PAIRS */
} blpo__lbfgs;

void blpo__lbfgs_create(blpo__lbfgs *lbfgs, int64_t n, blpo__memory *memory);

/* From `start` [n], by at most `budget` evaluations, budget >= 1: *first is the value at start (NaN where value or
 * gradient are not finite there), *least the least one found, at lbfgs->x. 0, or the code of `evaluate`. */
int blpo__lbfgs_minimise(blpo__lbfgs *lbfgs, const real *start, int64_t budget, blpo__evaluate_fn evaluate,
                         void *context, double *first, double *least);

#endif
