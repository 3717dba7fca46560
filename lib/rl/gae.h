/* Generalised advantage estimation and its adjoint, with sums in double. */
#ifndef BLPO_RL_GAE_H
#define BLPO_RL_GAE_H

#include "core/real.h"

/* One trajectory as the recursion sees it: discount[t] = gamma (1 - d_t), keep[t] = gamma lambda (1 - d_t)(1 - c_t). */
double blpo__discount(double gamma, int terminated);
double blpo__keep(double gamma, double gae_lambda, int terminated, int truncated);

/* One step as the recursion from the end back sees it. */
typedef struct blpo__gae_step {
    double reward, value, next_value; /* r_t, V(s_t), V(s'_t); the last is not looked at where the step is terminated */
    int terminated, truncated;
} blpo__gae_step;

/* A_t, from `after` = A_{t+1}. */
double blpo__gae_back(const blpo__gae_step *step, double gamma, double gae_lambda, double after);

/* delta[n] becomes A[n]: A_t = delta_t + keep_t A_{t+1}, A_n = 0. */
void blpo__accumulate_back(int64_t n, const double *keep, double *delta);

/* a[n] = dJ/dA becomes y[n] = dJ/ddelta: y_t = a_t + keep_{t-1} y_{t-1}. */
void blpo__accumulate_forward(int64_t n, const double *keep, double *a);

#endif
