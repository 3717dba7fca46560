/* The actor-critic game on a Garnet, exactly: no samples, no neural network.
 *
 *     follower   g(theta, w) = sum_s d(s) (V(s) - phi(s) . w)^2
 *     leader     J(theta, w) = -rho0 . (r_pi + gamma P_pi Phi w) - tau / (1 - gamma) mean_s entropy(pi(.|s))
 *
 * with V the exact values of the policy (evaluate.h), Phi [STATES][m] given features, and weights d of a choice:
 *
 *     GAME_FIXED      any numbers that theta does not move; uniform unless set otherwise
 *     GAME_VISITS     (1 - gamma) rho0 (I - gamma P_pi)^-1, the discounted visits, which theta moves
 *
 * tau / (1 - gamma): a trajectory makes 1 / (1 - gamma) discounted visits, so tau weighs the entropy of one against its reward.
 *
 * Derivatives, with e = V - Phi w, u = Phi x, and m, q of evaluate.h:
 *
 *     w*(theta) = argmin_w |sqrt(d) (V - Phi w)|, by QR        grad_w g = -2 Phi^T D e        H = 2 Phi^T D Phi
 *     v = grad_w J = -gamma Phi^T P_pi^T rho0
 *     direct = grad_theta J = -d/dtheta sum_s rho0(s) sum_a pi(a|s) q_w(s, a) - entropy's,     q_w = r + gamma P Phi w
 *     (d^2 g / dtheta dw) x = -2 d/dtheta [ sum_s (d(s) u(s))' V(s) + sum_s (e(s) u(s))' d(s) ]
 *
 * where what bears a prime is held. Both sums are values of a policy: the first of the rewards r under start weights d u, the
 * second, for GAME_VISITS, of the rewards e u under (1 - gamma) rho0. With as many independent features as states e = 0,
 * Phi w* = V, and J(theta, w*(theta)) = -rho0 . V - entropy's, whose gradient is the policy gradient. */
#ifndef STUDIES_THEORY_GAME_H
#define STUDIES_THEORY_GAME_H

#include "evaluate.h"

#include <blpo/hypergrad.h>

/* The number type of arrays that cross the library's interface: float, or double in the float64 build. */
#ifdef BLPO__FLOAT64
typedef double study_real;
#else
typedef float study_real;
#endif

typedef enum game_weights { GAME_FIXED = 0, GAME_VISITS = 1 } game_weights;

typedef struct game {
    const garnet *process;
    int64_t m;                       /* features, 1 .. STATES */
    double feature[STATES * STATES]; /* [STATES][m] */
    game_weights weights;
    double weight[STATES]; /* d; set by game_at() for GAME_VISITS */
    double tau;

    double theta[THETA]; /* where game_at() is */
    evaluation policy;
    double value[STATES]; /* V */
    double w[STATES];     /* [m] */
    double fit[STATES];   /* Phi w */
} game;

/* Uniform fixed weights, one-hot features, no entropy. The process is borrowed. */
void game_init(game *g, const garnet *process);

/* m features: a constant and m - 1 standard normal numbers a state. m = STATES: one-hot. */
void game_set_features(game *g, int64_t m, uint64_t seed);

/* Moves to theta, and w to its best response. */
void game_at(game *g, const double theta[THETA]);

/* Another w [m], theta as it is. */
void game_respond(game *g, const double *w);

double game_outer(const game *g);                                   /* J */
double game_inner(const game *g);                                   /* g */
double game_return(const game *g);                                  /* rho0 . V */
void game_inner_gradient(const game *g, double *out);               /* grad_w g [m] */
void game_direct(const game *g, double out[THETA]);                 /* grad_theta J */
void game_response_gradient(const game *g, double *out);            /* v [m] */
void game_hessian(const game *g, double *out);                      /* H [m][m] */
void game_mixed(const game *g, const double *x, double out[THETA]); /* (d^2 g / dtheta dw) x */

/* Gradient of -rho0 . V - entropy's: the policy gradient, in closed form. */
void game_policy_gradient(const game *g, double out[THETA]);

/* The same game as the library sees one; it follows the game as it moves. */
void game_problem(game *g, blpo_problem *out);

#endif
