/* A minibatch of CartPole as the library's update sees it: one trajectory of 128 steps, the critic after its steps on it, and
 * what the solver is asked to invert.
 *
 *     g(w) = (1/T) sum_t (R_t - V_w(s_t))^2,      V a network with two hidden tanh layers, or linear in features
 *     J    = sqrt(2/T) dV/dw  [T][p]              e_t = R_t - V_w(s_t)
 *     H    = J^T J - (2/T) sum_t e_t d2V/dw2      Gauss-Newton: J^T J alone */
#ifndef STUDIES_THEORY_MINIBATCH_H
#define STUDIES_THEORY_MINIBATCH_H

#include <stdint.h>

enum { STEPS = 128, OBS = 4, HIDDEN = 32, FEATURES = 101 };

typedef enum critic_kind { CRITIC_NEURAL = 0, CRITIC_LINEAR = 1 } critic_kind;

typedef struct minibatch {
    critic_kind kind;
    int64_t p;
    double obs[STEPS * OBS];
    double returns[STEPS];
    double *w; /* [p] in the library's order */
    double *v; /* [p] grad_w J */
} minibatch;

/* Trains with the published settings for so many updates of 512 steps (a linear critic: at its exact best response), then
 * takes one more trajectory. The policy has its 64-64 units; the critic has 32-32, so that its H has 1249 rows and not 4545.
 * Ends the program when that fails. */
void minibatch_make(critic_kind kind, int64_t updates, uint64_t seed, minibatch *out);
void minibatch_free(minibatch *m);

/* FEATURES features of an observation: a constant and cosines of random directions and phases (Rahimi, Recht, NIPS 2007). */
void minibatch_features(const double obs[OBS], double phi[FEATURES]);

/* jacobian [STEPS][p]; gauss_newton and hessian [p][p], full. */
void minibatch_jacobian(const minibatch *m, double *jacobian);
void minibatch_gauss_newton(const minibatch *m, const double *jacobian, double *gauss_newton);
void minibatch_hessian(const minibatch *m, const double *gauss_newton, double *hessian);

#endif
