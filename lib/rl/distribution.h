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

/* What an update asks of its rows at once. */
typedef struct blpo__scores {
    int64_t rows;
    const real *output;         /* [rows][n] */
    const void *actions;        /* int64_t or real[n] each: row t took number at[t] of them */
    const int64_t *at;
    real *of_output;            /* [rows][n] derivative of the log-probability in the outputs; apart from them */
    real *of_log_std;           /* [rows][n] and in log_std; Gaussian only */
    double *log_prob, *entropy; /* [rows] */
} blpo__scores;

void blpo__log_prob_scores(const blpo__distribution *d, const blpo__scores *s);

double blpo__entropy(const blpo__distribution *d, const real *output);

/* of_output [n] receives the derivative of the entropy in the outputs. In log_std it is 1 in every dimension. */
void blpo__entropy_score(const blpo__distribution *d, const real *output, real *of_output);

/* Categorical: one uniform number of the stream. Gaussian: one normal a dimension. */
void blpo__sample(const blpo__distribution *d, const real *output, blpo__stream *stream, void *action);

/* The likeliest action: the lowest index among equals, or the mean. */
void blpo__mode(const blpo__distribution *d, const real *output, void *action);

#endif
