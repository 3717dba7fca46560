/* Generalised advantage estimation and its adjoint, with sums in double. */
#ifndef BLPO_RL_GAE_H
#define BLPO_RL_GAE_H

#include "core/real.h"

/* gamma (1 - d_t) */
static inline double blpo__discount(double gamma, int terminated)
{
    return terminated ? 0.0 : gamma;
}

/* gamma lambda (1 - d_t)(1 - c_t) */
static inline double blpo__keep(double gamma, double gae_lambda, int terminated, int truncated)
{
    return terminated || truncated ? 0.0 : gamma * gae_lambda;
}

/* One step as the recursion from the end back sees it. */
typedef struct blpo__gae_step {
    double reward, value, next_value; /* r_t, V(s_t), V(s'_t); the last is not looked at where the step is terminated */
    int terminated, truncated;
} blpo__gae_step;

/* A_t, from `after` = A_{t+1}. */
double blpo__gae_back(const blpo__gae_step *step, double gamma, double gae_lambda, double after);

#endif
