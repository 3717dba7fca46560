/* The exact game; symbols and formulas in game.h. */
#include "game.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void game_init(game *g, const garnet *process)
{
    memset(g, 0, sizeof *g);
    g->process = process;
    g->weights = GAME_FIXED;
    for (int s = 0; s < STATES; s++)
        g->weight[s] = 1.0 / STATES;
    game_set_features(g, STATES, 0);
}

void game_set_features(game *g, int64_t m, uint64_t seed)
{
    uint64_t state = seed ^ 0x5EEDF00Du;
    g->m = m;
    for (int64_t s = 0; s < STATES; s++)
        for (int64_t i = 0; i < m; i++)
            g->feature[s * m + i] = m == STATES ? (double)(i == s) : i == 0 ? 1.0 : study_normal(&state);
}

/* out(s) = phi(s) . x */
static void apply_features(const game *g, const double *x, double out[STATES])
{
    for (int64_t s = 0; s < STATES; s++) {
        out[s] = 0.0;
        for (int64_t i = 0; i < g->m; i++)
            out[s] += g->feature[s * g->m + i] * x[i];
    }
}

/* out = scale Phi^T y */
static void apply_features_transposed(const game *g, double scale, const double y[STATES], double *out)
{
    memset(out, 0, (size_t)g->m * sizeof *out);
    for (int64_t s = 0; s < STATES; s++)
        for (int64_t i = 0; i < g->m; i++)
            out[i] += scale * g->feature[s * g->m + i] * y[s];
}

/* By QR of sqrt(D) Phi: the normal equations would square its condition number. */
static void best_response(const game *g, double *w)
{
    double a[STATES * STATES], b[STATES];
    for (int64_t s = 0; s < STATES; s++) {
        const double root = sqrt(g->weight[s]);
        b[s] = root * g->value[s];
        for (int64_t i = 0; i < g->m; i++)
            a[i * STATES + s] = root * g->feature[s * g->m + i];
    }
    if (LAPACKE_dgels(LAPACK_COL_MAJOR, 'N', STATES, (int)g->m, 1, a, STATES, b, STATES) != 0)
        abort(); /* features are independent, every state is visited */
    memcpy(w, b, (size_t)g->m * sizeof *w);
}

void game_at(game *g, const double theta[THETA])
{
    double w[STATES];
    memmove(g->theta, theta, sizeof g->theta);
    evaluate(g->process, theta, &g->policy);
    evaluation_mean(&g->policy, g->process->reward, g->value);
    evaluation_values(&g->policy, g->value, g->value);
    if (g->weights == GAME_VISITS) {
        evaluation_visits(&g->policy, g->process->start, g->weight);
        for (int s = 0; s < STATES; s++)
            g->weight[s] *= 1.0 - g->process->gamma;
    }
    best_response(g, w);
    game_respond(g, w);
}

void game_respond(game *g, const double *w)
{
    memmove(g->w, w, (size_t)g->m * sizeof *w);
    apply_features(g, g->w, g->fit);
}

/* -- objectives -- */

/* tau / (1 - gamma) / STATES: what the entropy of one state weighs */
static double entropy_weight(const game *g)
{
    return g->tau / (1.0 - g->process->gamma) / STATES;
}

static double weighted_entropy(const game *g)
{
    double sum = 0.0;
    for (int i = 0; i < THETA; i++)
        sum -= g->policy.pi[i] * g->policy.log_pi[i];
    return entropy_weight(g) * sum;
}

double game_outer(const game *g)
{
    double q[THETA], mean[STATES], sum = 0.0;
    evaluation_lookahead(&g->policy, g->process->reward, g->fit, q);
    evaluation_mean(&g->policy, q, mean);
    for (int s = 0; s < STATES; s++)
        sum += g->process->start[s] * mean[s];
    return -sum - weighted_entropy(g);
}

double game_inner(const game *g)
{
    double sum = 0.0;
    for (int s = 0; s < STATES; s++)
        sum += g->weight[s] * (g->value[s] - g->fit[s]) * (g->value[s] - g->fit[s]);
    return sum;
}

double game_return(const game *g)
{
    double sum = 0.0;
    for (int s = 0; s < STATES; s++)
        sum += g->process->start[s] * g->value[s];
    return sum;
}

/* -- derivatives -- */

void game_inner_gradient(const game *g, double *out)
{
    double y[STATES];
    for (int s = 0; s < STATES; s++)
        y[s] = g->weight[s] * (g->value[s] - g->fit[s]);
    apply_features_transposed(g, -2.0, y, out);
}

/* d entropy(pi(.|s)) / d theta(s, a) = -pi(a|s) (log pi(a|s) - sum_b pi(b|s) log pi(b|s)) */
static void add_entropy_gradient(const game *g, double out[THETA])
{
    double scale[STATES];
    for (int s = 0; s < STATES; s++)
        scale[s] = entropy_weight(g);
    evaluation_add_softmax(&g->policy, scale, g->policy.log_pi, out);
}

void game_direct(const game *g, double out[THETA])
{
    double q[THETA], scale[STATES];
    memset(out, 0, THETA * sizeof *out);
    for (int s = 0; s < STATES; s++)
        scale[s] = -g->process->start[s];
    evaluation_lookahead(&g->policy, g->process->reward, g->fit, q);
    evaluation_add_softmax(&g->policy, scale, q, out);
    add_entropy_gradient(g, out);
}

void game_response_gradient(const game *g, double *out)
{
    double next[STATES] = {0.0};
    for (int s = 0; s < STATES; s++)
        for (int t = 0; t < STATES; t++)
            next[t] += g->process->start[s] * g->policy.step[s][t];
    apply_features_transposed(g, -g->process->gamma, next, out);
}

void game_hessian(const game *g, double *out)
{
    memset(out, 0, (size_t)(g->m * g->m) * sizeof *out);
    for (int64_t s = 0; s < STATES; s++)
        for (int64_t i = 0; i < g->m; i++)
            for (int64_t j = 0; j < g->m; j++)
                out[i * g->m + j] += 2.0 * g->weight[s] * g->feature[s * g->m + i] * g->feature[s * g->m + j];
}

/* -2 d/dtheta of sum_s (d u)' V, then of sum_s (e u)' d */
void game_mixed(const game *g, const double *x, double out[THETA])
{
    double u[STATES], y[STATES], reward[THETA];
    memset(out, 0, THETA * sizeof *out);
    apply_features(g, x, u);
    for (int s = 0; s < STATES; s++)
        y[s] = -2.0 * g->weight[s] * u[s];
    evaluation_add_gradient(&g->policy, y, g->process->reward, out);
    if (g->weights != GAME_VISITS)
        return;
    for (int s = 0; s < STATES; s++) {
        y[s] = -2.0 * (1.0 - g->process->gamma) * g->process->start[s];
        for (int a = 0; a < ACTIONS; a++)
            reward[s * ACTIONS + a] = (g->value[s] - g->fit[s]) * u[s];
    }
    evaluation_add_gradient(&g->policy, y, reward, out);
}

void game_policy_gradient(const game *g, double out[THETA])
{
    double y[STATES];
    memset(out, 0, THETA * sizeof *out);
    for (int s = 0; s < STATES; s++)
        y[s] = -g->process->start[s];
    evaluation_add_gradient(&g->policy, y, g->process->reward, out);
    add_entropy_gradient(g, out);
}

/* -- as a problem of the library: everything is computed in double, and narrowed at the door -- */

static int hvp(void *user, const study_real *v, study_real *hv)
{
    const game *g = user;
    double x[STATES], u[STATES], out[STATES];
    for (int64_t i = 0; i < g->m; i++)
        x[i] = (double)v[i];
    apply_features(g, x, u);
    for (int s = 0; s < STATES; s++)
        u[s] *= g->weight[s];
    apply_features_transposed(g, 2.0, u, out);
    for (int64_t i = 0; i < g->m; i++)
        hv[i] = (study_real)out[i];
    return 0;
}

/* J = sqrt(2 D) Phi: one row a state, and H = J^T J. */
static int jvp(void *user, const study_real *x, study_real *jx)
{
    const game *g = user;
    double wide[STATES], u[STATES];
    for (int64_t i = 0; i < g->m; i++)
        wide[i] = (double)x[i];
    apply_features(g, wide, u);
    for (int s = 0; s < STATES; s++)
        jx[s] = (study_real)(sqrt(2.0 * g->weight[s]) * u[s]);
    return 0;
}

static int vjp(void *user, const study_real *u, study_real *jtu)
{
    const game *g = user;
    double wide[STATES], out[STATES];
    for (int s = 0; s < STATES; s++)
        wide[s] = sqrt(2.0 * g->weight[s]) * (double)u[s];
    apply_features_transposed(g, 1.0, wide, out);
    for (int64_t i = 0; i < g->m; i++)
        jtu[i] = (study_real)out[i];
    return 0;
}

static int mixed_product(void *user, const study_real *x, study_real *out)
{
    const game *g = user;
    double x_double[STATES], product[THETA];
    for (int64_t i = 0; i < g->m; i++)
        x_double[i] = (double)x[i];
    game_mixed(g, x_double, product);
    for (int i = 0; i < THETA; i++)
        out[i] = (study_real)product[i];
    return 0;
}

void game_problem(game *g, blpo_problem *out)
{
    blpo_problem_init(out, sizeof *out);
    out->n_inner = g->m;
    out->n_outer = THETA;
    out->user = g;
    out->hvp = hvp;
    out->mixed_product = mixed_product;
    out->n_samples = STATES;
    out->jvp = jvp;
    out->vjp = vjp;
}
