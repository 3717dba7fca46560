/* What the library's objectives tend to on a Garnet as rollouts grow, exactly.
 *
 * d: how often the walk is in each state. It goes on for ever (cut 0): stationary, d = P_pi^T d. It is cut and begun again with
 * chance 1 - gamma: the discounted visits of game.h. Then with kappa = gamma lambda (1 - cut), pi' the policy that is
 * improved, pi the one that acted:
 *
 *     J(theta', w) = -sum_s d(s) sum_a pi'(a|s) A_w(s, a)
 *     A_w(s, a)    = r(s, a) + gamma P(s, a) . Phi w - phi(s) . w + kappa P(s, a) . abar,
 *     abar         = (I - kappa P_pi)^-1 (r_pi + gamma P_pi Phi w - Phi w)
 *     v            = Phi^T (I - gamma P_pi^T)(I - kappa P_pi^T)^-1 d
 *
 * This J is made of advantages: the value of the state where an action was taken is subtracted, which that of game.h is not. */
#ifndef STUDIES_THEORY_LIMIT_H
#define STUDIES_THEORY_LIMIT_H

#include "game.h"

typedef struct limit {
    double kappa;
    double advantage[THETA]; /* A_w(s, a) at the best response */
    double direct[THETA];    /* grad_theta' J */
    double v[STATES];        /* [m] */
    double implicit[THETA];  /* (d2 g / dtheta dw) H^-1 v with g's own mixed derivative, not that of f2 */
} limit;

/* The stationary distribution of a policy. */
void limit_stationary(const evaluation *e, double d[STATES]);

/* The game has GAME_FIXED weights that are d, and is at its best response. */
void limit_of(game *g, double lambda, double cut, limit *out);

/* J(theta', w) with the game's theta' and w and all else of the policy that acted. */
double limit_outer(const game *g, const evaluation *acted, double kappa);

/* x = (H + rho I)^-1 v by LAPACK. */
void game_solve(const game *g, double rho, const double *v, double *x);

#endif
