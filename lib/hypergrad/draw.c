/* The coordinates I of the Nystrom method: k of p, without replacement.
 *
 *   uniform: every set is as likely (Floyd's algorithm)
 *   by the diagonal d of J^T J: one after the other, i with probability d_i / (sum over those that are left). Where all that is
 *   left has d_i = 0 the rest is uniform.
 *
 * A column of H with a large diagonal element takes more of H with it than one of a unit that hardly ever fires; for positive
 * semi-definite H that is the sampling of Drineas and Mahoney (JMLR 6, 2005), who have the squares of the diagonal with
 * replacement. Draws are keyed by their number, so that they do not depend on what else was drawn from the seed.
 *
 * Cost: by the diagonal its callback, or T times vjp and 2 T p operations, and p for each of k draws. */
#include "hypergrad/hypergrad.h"

#include "core/check.h"

int blpo__draw_check(blpo_error *error, const blpo_problem *problem, const blpo_hypergrad_config *config)
{
    if (config->nystrom_draw == BLPO_DRAW_UNIFORM || problem->gauss_newton_diagonal != NULL)
        return BLPO_OK;
    return blpo__hypergrad_need_jacobian(error, problem);
}

void blpo__draw_create(blpo_hypergrad *solver)
{
    const blpo_problem *problem = &solver->problem;
    blpo__memory *memory = &solver->host.memory;
    if (solver->config.nystrom_draw == BLPO_DRAW_UNIFORM)
        return;
    solver->diagonal = blpo__hypergrad_output(memory, problem->n_inner, sizeof *solver->diagonal);
    if (problem->gauss_newton_diagonal == NULL)
        solver->response = blpo__allocate(memory, problem->n_samples, sizeof *solver->response);
}

/* What is below 0 counts as 0. */
static double sum_of_positive(real *weight, int64_t n)
{
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) {
        if (!(weight[i] > 0))
            weight[i] = 0;
        sum += (double)weight[i];
    }
    return sum;
}

/* The first i where the sum of weights up to it passes `at`; rounding may leave the last that has any. */
static int64_t pick(const real *weight, int64_t n, double at)
{
    int64_t found = -1;
    double sum = 0.0;
    for (int64_t i = 0; i < n && sum <= at; i++)
        if (weight[i] > 0) {
            sum += (double)weight[i];
            found = i;
        }
    return found;
}

int blpo__is_among(const int64_t *index, int64_t n, int64_t value)
{
    for (int64_t i = 0; i < n; i++)
        if (index[i] == value)
            return 1;
    return 0;
}

static int64_t uniform_of_rest(blpo__stream *stream, const int64_t *index, int64_t drawn, int64_t n)
{
    int64_t i = blpo__below(stream, n - drawn);
    for (int64_t at = 0; at < n; at++)
        if (!blpo__is_among(index, drawn, at) && i-- == 0)
            return at;
    return 0; /* not reached: n - drawn of them are left */
}

static void draw_by_weight(blpo__stream *stream, real *weight, int64_t n, int64_t *index, int64_t k)
{
    for (int64_t drawn = 0; drawn < k; drawn++) {
        const double sum = sum_of_positive(weight, n), u = blpo__uniform(stream);
        const int64_t i = sum > 0.0 ? pick(weight, n, u * sum) : uniform_of_rest(stream, index, drawn, n);
        index[drawn] = i;
        weight[i] = 0;
    }
}

int blpo__draw(blpo_hypergrad *solver)
{
    const blpo_hypergrad_config *config = &solver->config;
    const int64_t p = solver->problem.n_inner, k = config->nystrom_rank;
    if (solver->indices_fixed)
        return BLPO_OK;
    blpo__stream stream = blpo__hypergrad_stream(solver, BLPO__FOR_INDICES, 0);
    solver->n_draws++;
    if (config->nystrom_draw == BLPO_DRAW_UNIFORM) {
        blpo__draw_distinct(&stream, solver->index, k, p);
        return BLPO_OK;
    }
    const int rc = blpo__hypergrad_diagonal(solver, solver->diagonal);
    if (rc != BLPO_OK)
        return rc;
    draw_by_weight(&stream, solver->diagonal, p, solver->index, k);
    blpo__hypergrad_flops(solver, k * p);
    return BLPO_OK;
}
