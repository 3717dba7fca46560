#include "limit.h"

#include <lapacke.h>
#include <stdlib.h>
#include <string.h>

/* (P^T - I) d = 0 with its last equation replaced by sum d = 1. */
void limit_stationary(const evaluation *e, double d[STATES])
{
    double a[STATES * STATES]; /* column-major: a[t STATES + s] is row s */
    int pivot[STATES];
    for (int t = 0; t < STATES; t++)
        for (int s = 0; s < STATES; s++)
            a[t * STATES + s] = s == STATES - 1 ? 1.0 : e->step[t][s] - (s == t ? 1.0 : 0.0);
    memset(d, 0, STATES * sizeof *d);
    d[STATES - 1] = 1.0;
    if (LAPACKE_dgesv(LAPACK_COL_MAJOR, STATES, 1, a, STATES, pivot, d, STATES) != 0)
        abort(); /* one recurrent class: so it is for every seed used */
}

/* x = (I - kappa P)^-1 b, or with P^T */
static void discounted(const evaluation *e, double kappa, int transposed, const double b[STATES], double x[STATES])
{
    double a[STATES * STATES];
    int pivot[STATES];
    for (int s = 0; s < STATES; s++)
        for (int t = 0; t < STATES; t++) {
            const double entry = (s == t ? 1.0 : 0.0) - kappa * e->step[s][t];
            a[transposed ? s * STATES + t : t * STATES + s] = entry;
        }
    memmove(x, b, STATES * sizeof *x);
    if (LAPACKE_dgesv(LAPACK_COL_MAJOR, STATES, 1, a, STATES, pivot, x, STATES) != 0)
        abort();
}

/* A_w(s, a) under the policy that acted */
static void advantages(const game *g, const evaluation *acted, double kappa, double out[THETA])
{
    double q[THETA], delta[STATES], future[STATES];
    evaluation_lookahead(acted, g->process->reward, g->fit, q);
    evaluation_mean(acted, q, delta);
    for (int s = 0; s < STATES; s++)
        delta[s] -= g->fit[s];
    discounted(acted, kappa, 0, delta, future);
    for (int s = 0; s < STATES; s++)
        for (int a = 0; a < ACTIONS; a++) {
            double next = 0.0;
            for (int t = 0; t < STATES; t++)
                next += g->process->transition[s][a][t] * future[t];
            out[s * ACTIONS + a] = q[s * ACTIONS + a] - g->fit[s] + kappa * next;
        }
}

double limit_outer(const game *g, const evaluation *acted, double kappa)
{
    double advantage[THETA], mean[STATES], sum = 0.0;
    advantages(g, acted, kappa, advantage);
    evaluation_mean(&g->policy, advantage, mean);
    for (int s = 0; s < STATES; s++)
        sum -= g->weight[s] * mean[s];
    return sum;
}

static void response_gradient(const game *g, double kappa, double *v)
{
    double y[STATES], z[STATES];
    discounted(&g->policy, kappa, 1, g->weight, y);
    memcpy(z, y, sizeof z);
    for (int s = 0; s < STATES; s++)
        for (int t = 0; t < STATES; t++)
            z[t] -= g->process->gamma * g->policy.step[s][t] * y[s];
    memset(v, 0, (size_t)g->m * sizeof *v);
    for (int64_t s = 0; s < STATES; s++)
        for (int64_t i = 0; i < g->m; i++)
            v[i] += g->feature[s * g->m + i] * z[s];
}

void game_solve(const game *g, double rho, const double *v, double *x)
{
    double h[STATES * STATES];
    int pivot[STATES];
    const int m = (int)g->m;
    game_hessian(g, h);
    for (int i = 0; i < m; i++)
        h[i * m + i] += rho;
    memmove(x, v, (size_t)m * sizeof *x);
    if (LAPACKE_dgesv(LAPACK_COL_MAJOR, m, 1, h, m, pivot, x, m) != 0)
        abort();
}

void limit_of(game *g, double lambda, double cut, limit *out)
{
    double scale[STATES], x[STATES];
    out->kappa = g->process->gamma * lambda * (1.0 - cut);
    advantages(g, &g->policy, out->kappa, out->advantage);
    memset(out->direct, 0, sizeof out->direct);
    for (int s = 0; s < STATES; s++)
        scale[s] = -g->weight[s];
    evaluation_add_softmax(&g->policy, scale, out->advantage, out->direct);
    response_gradient(g, out->kappa, out->v);
    game_solve(g, 0.0, out->v, x);
    game_mixed(g, x, out->implicit);
}
