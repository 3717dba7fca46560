/* What a policy's network outputs mean: a categorical or a diagonal Gaussian distribution of actions. Formulas:
 * distribution.c. Rows are finite; an action is int64_t[1] (discrete) or real[n] (continuous). */
#ifndef BLPO_RL_DISTRIBUTION_H
#define BLPO_RL_DISTRIBUTION_H

#include "core/random.h"
#include "core/real.h"

typedef struct blpo__distribution {
    int32_t kind;        /* a blpo_action_kind */
    int64_t n;           /* logits, or dimensions of the action */
    const real *log_std; /* [n] Gaussian; else NULL */
} blpo__distribution;

double blpo__log_prob(const blpo__distribution *d, const real *output, const void *action);

/* Returns the log-probability; of_output [n] receives its derivative in the outputs, of_log_std [n] that in log_std
 * (Gaussian; may be NULL). Neither overlaps output. */
double blpo__log_prob_score(const blpo__distribution *d, const real *output, const void *action, real *of_output,
                            real *of_log_std);

/* The same, and the entropy: for a categorical distribution one exp an outcome and one log for all of it. */
double blpo__log_prob_score_entropy(const blpo__distribution *d, const real *output, const void *action, real *of_output,
                                    real *of_log_std, double *entropy);

double blpo__entropy(const blpo__distribution *d, const real *output);

/* of_output [n] receives the derivative of the entropy in the outputs. In log_std it is 1 in every dimension. */
void blpo__entropy_score(const blpo__distribution *d, const real *output, real *of_output);

/* Categorical: one uniform number of the stream. Gaussian: one normal a dimension. */
void blpo__sample(const blpo__distribution *d, const real *output, blpo__stream *stream, void *action);

/* The likeliest action: the lowest index among equals, or the mean. */
void blpo__mode(const blpo__distribution *d, const real *output, void *action);

#endif
