/* A tabular softmax policy on a Garnet, evaluated exactly.
 *
 *     pi(a|s) = exp theta(s, a) / sum_b exp theta(s, b)          theta [THETA]
 *     P_pi(s, s') = sum_a pi(a|s) P(s'|s, a)
 *     values   V = (I - gamma P_pi)^-1 r_pi                      visits   m^T = y^T (I - gamma P_pi)^-1
 *
 * Gradient of y . V for any rewards r(s, a) that do not depend on theta (Sutton, McAllester, Singh, Mansour, NIPS 1999):
 *
 *     d(y . V) / d theta(s, a) = m(s) pi(a|s) (q(s, a) - sum_b pi(b|s) q(s, b)),    q(s, a) = r(s, a) + gamma P(s, a) . V */
#ifndef STUDIES_THEORY_EVALUATE_H
#define STUDIES_THEORY_EVALUATE_H

#include "garnet.h"

typedef struct evaluation {
    const garnet *process;
    double pi[THETA];
    double log_pi[THETA];
    double step[STATES][STATES]; /* P_pi */
    double
        factor[STATES * STATES]; /* (I - gamma P_pi)^T, column-major, as factored by LAPACK: row-major without the T */
    int pivot[STATES];
} evaluation;

/* The process is borrowed. */
void evaluate(const garnet *process, const double theta[THETA], evaluation *out);

/* value = (I - gamma P_pi)^-1 reward. They may be one array. */
void evaluation_values(const evaluation *e, const double reward[STATES], double value[STATES]);

/* visits = (I - gamma P_pi^T)^-1 y. They may be one array. */
void evaluation_visits(const evaluation *e, const double y[STATES], double visits[STATES]);

/* out(s) = sum_a pi(a|s) table(s, a) */
void evaluation_mean(const evaluation *e, const double table[THETA], double out[STATES]);

/* q(s, a) = reward(s, a) + gamma P(s, a) . value */
void evaluation_lookahead(const evaluation *e, const double reward[THETA], const double value[STATES], double q[THETA]);

/* out(s, a) += scale(s) pi(a|s) (q(s, a) - sum_b pi(b|s) q(s, b)), which is sum_s scale(s) d/dtheta sum_a pi(a|s) q(s, a). */
void evaluation_add_softmax(const evaluation *e, const double scale[STATES], const double q[THETA], double out[THETA]);

/* out += d(y . V) / d theta for the values V of these rewards. */
void evaluation_add_gradient(const evaluation *e, const double y[STATES], const double reward[THETA],
                             double out[THETA]);

#endif
