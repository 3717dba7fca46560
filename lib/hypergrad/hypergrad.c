/* Hypergradients: settings, the solve that all methods share, the bound, statistics.
 *
 *   p, q inner and outer variables     v [p], direct [q] gradients of the outer objective     u = v / |v|
 *
 *   1. y ~ (H + rho I)^-1 u by the method     2. x = |v| y     3. implicit = (d2g / d outer d inner) x
 *   4. out = direct - min(1, kappa |direct| / (|implicit| + 1e-8)) implicit        (Prakash et al., arXiv:2505.11714)
 *
 * The inverse is linear, so step 1 may scale v: squares in it then neither overflow nor vanish, whatever the units of v.
 * Every result is made in workspace and looked through before it is handed over. Cost beyond the method's: O(p + q). */
#include "hypergrad/hypergrad.h"

#include "core/check.h"
#include "core/error.h"
#include "linalg/vector.h"

#include <float.h>
#include <math.h>
#include <string.h>

static const blpo_problem problem_defaults = {.struct_size = sizeof(blpo_problem)};
static const blpo_hypergrad_config config_defaults = {.struct_size = sizeof(blpo_hypergrad_config),
                                                      .method = BLPO_IHVP_NYSTROM,
                                                      .nystrom_rank = 5,
                                                      .nystrom_rho = 50.0,
                                                      .nystrom_shift = 1.0,
                                                      .cg_iterations = 10,
                                                      .kappa = INFINITY,
                                                      .neumann_terms = 10};
enum {
    LEAST_PROBLEM = BLPO__SIZE_UP_TO(blpo_problem, mixed_product),
    LEAST_CONFIG = BLPO__SIZE_UP_TO(blpo_hypergrad_config, seed),
    LEAST_REPORT = BLPO__SIZE_UP_TO(blpo_hypergrad_report, hypergradient_norm),
    LEAST_STATS = BLPO__SIZE_UP_TO(blpo_hypergrad_stats, n_bound)
};

int blpo_problem_init(blpo_problem *problem, size_t struct_size)
{
    if (problem == NULL)
        return BLPO_ERR_NULL;
    return blpo__write_struct(problem, struct_size, &problem_defaults, sizeof problem_defaults, LEAST_PROBLEM);
}

int blpo_hypergrad_config_init(blpo_hypergrad_config *config, size_t struct_size)
{
    if (config == NULL)
        return BLPO_ERR_NULL;
    return blpo__write_struct(config, struct_size, &config_defaults, sizeof config_defaults, LEAST_CONFIG);
}

/* -- rules -- */

static int check_size(blpo_error *error, const char *field, int64_t value, int64_t low)
{
    if (value > INT32_MAX)
        return blpo__error_int(error, BLPO_ERR_SIZE, field, value, "it must be at most 2147483647");
    return blpo__check_int(error, field, value, low, INT32_MAX);
}

static int check_problem(blpo_error *error, const blpo_problem *problem)
{
    int rc = check_size(error, "n_inner", problem->n_inner, 1);
    if (rc == BLPO_OK)
        rc = check_size(error, "n_outer", problem->n_outer, 0);
    if (rc == BLPO_OK)
        rc = check_size(error, "n_samples", problem->n_samples, 0);
    if (rc == BLPO_OK && problem->n_outer > 0 && problem->mixed_product == NULL)
        rc = blpo__error_set(error, BLPO_ERR_CONFIG, BLPO_STAGE_CREATE, "mixed_product",
                             "mixed_product is NULL; with n_outer above 0 it must be set");
    return rc;
}

/* Also of what only another method uses: a number out of range is a mistake wherever it stands. */
static int check_counts(blpo_error *error, const blpo_hypergrad_config *config, const char *method,
                        const char *curvature)
{
    const struct {
        const char *field;
        int64_t value, low, high;
    } rules[] = {
        {method, config->method, 0, blpo__ihvp_n_methods() - 1},
        {"nystrom_rank", config->nystrom_rank, 1, INT64_MAX},
        {"cg_iterations", config->cg_iterations, 1, INT64_MAX},
        {"report_residual", config->report_residual, 0, 1},
        {curvature, config->curvature, 0, BLPO_CURVATURE_GAUSS_NEWTON},
        {"nystrom_draw", config->nystrom_draw, 0, BLPO_DRAW_DIAGONAL},
        {"nystrom_space_efficient", config->nystrom_space_efficient, 0, 1},
        {"nystrom_chunk", config->nystrom_chunk, 0, INT64_MAX},
        {"cg_negative_curvature", config->cg_negative_curvature, 0, 1},
        {"sketch_rank_max", config->sketch_rank_max, 0, INT64_MAX},
        {"neumann_terms", config->neumann_terms, 0, INT64_MAX},
        {"spectrum_iterations", config->spectrum_iterations, 0, 1000},
        {"cg_preconditioner", config->cg_preconditioner, 0, BLPO_PRECONDITIONER_GAUSS_NEWTON},
    };
    int rc = BLPO_OK;
    for (size_t i = 0; rc == BLPO_OK && i < sizeof rules / sizeof *rules; i++)
        rc = blpo__check_int(error, rules[i].field, rules[i].value, rules[i].low, rules[i].high);
    return rc;
}

int blpo__hypergrad_check_config(blpo_error *error, const blpo_hypergrad_config *config, const char *method,
                                 const char *curvature)
{
    int rc = check_counts(error, config, method, curvature);
    if (rc == BLPO_OK)
        rc = blpo__check_positive(error, "nystrom_rho", config->nystrom_rho, DBL_MAX);
    if (rc == BLPO_OK)
        rc = blpo__check_double(error, "nystrom_shift", config->nystrom_shift, 0.0, DBL_MAX);
    if (rc == BLPO_OK)
        rc = blpo__check_double(error, "cg_tolerance", config->cg_tolerance, 0.0, DBL_MAX);
    if (rc == BLPO_OK)
        rc = blpo__check_double(error, "sketch_error", config->sketch_error, 0.0, DBL_MAX);
    if (rc == BLPO_OK)
        rc = blpo__check_double(error, "neumann_scale", config->neumann_scale, 0.0, DBL_MAX);
    return rc != BLPO_OK ? rc : blpo__check_positive(error, "kappa", config->kappa, INFINITY);
}

static int missing(blpo_error *error, const char *field, const char *text)
{
    return blpo__error_set(error, BLPO_ERR_CONFIG, BLPO_STAGE_CREATE, field, text);
}

int blpo__hypergrad_need_jacobian(blpo_error *error, const blpo_problem *problem)
{
    if (problem->jvp == NULL)
        return missing(error, "jvp", "jvp is NULL; this method or curvature must have it");
    if (problem->vjp == NULL)
        return missing(error, "vjp", "vjp is NULL; this method or curvature must have it");
    return blpo__check_int(error, "n_samples", problem->n_samples, 1, INT32_MAX);
}

int blpo__hypergrad_need_products(blpo_error *error, const blpo_problem *problem, const blpo_hypergrad_config *config)
{
    if (config->curvature == BLPO_CURVATURE_GAUSS_NEWTON)
        return blpo__hypergrad_need_jacobian(error, problem);
    return problem->hvp != NULL ? BLPO_OK : missing(error, "hvp", "hvp is NULL; this method must have it");
}

int blpo__hypergrad_need_rows(blpo_error *error, const blpo_problem *problem, const blpo_hypergrad_config *config)
{
    if (blpo__hypergrad_without_rows(problem, config))
        return problem->rows_sum != NULL ? BLPO_OK : missing(error, "rows_sum", "rows_sum is NULL; with rows_products it must be set");
    if (config->curvature == BLPO_CURVATURE_GAUSS_NEWTON)
        return problem->gauss_newton_rows != NULL ? BLPO_OK : blpo__hypergrad_need_jacobian(error, problem);
    return problem->hessian_rows != NULL || problem->hvp != NULL
               ? BLPO_OK
               : missing(error, "hvp", "hvp is NULL; this method must have it or hessian_rows");
}

int blpo__hypergrad_has_products(const blpo_problem *problem, const blpo_hypergrad_config *config)
{
    return blpo__hypergrad_need_products(NULL, problem, config) == BLPO_OK;
}

int blpo__hypergrad_check(blpo_error *error, const blpo_problem *problem, const blpo_hypergrad_config *config)
{
    int rc = check_problem(error, problem);
    if (rc == BLPO_OK)
        rc = blpo__hypergrad_check_config(error, config, "method", "curvature");
    if (rc != BLPO_OK)
        return rc;
    const blpo__ihvp *method = blpo__ihvp_method(config->method);
    if (method->check != NULL)
        rc = method->check(error, problem, config);
    if (rc != BLPO_OK || blpo__hypergrad_has_products(problem, config))
        return rc;
    if (config->report_residual)
        return missing(error, "report_residual",
                       "report_residual is 1; without products with H (hvp, or jvp and vjp) it must be 0");
    if (config->spectrum_iterations > 0)
        return blpo__error_int(error, BLPO_ERR_CONFIG, "spectrum_iterations", config->spectrum_iterations,
                               "without products with H (hvp, or jvp and vjp) it must be 0");
    return BLPO_OK;
}

/* -- create and destroy -- */

static void fill(blpo_hypergrad *solver, const blpo_problem *problem, const blpo_hypergrad_config *config)
{
    blpo__memory *memory = &solver->host.memory;
    const int64_t p = problem->n_inner, q = problem->n_outer;
    blpo__error_clear(&solver->error);
    solver->problem = *problem;
    solver->config = *config;
    solver->method = blpo__ihvp_method(config->method);
    solver->measure_residual = config->report_residual;
    solver->measure_spectrum = config->spectrum_iterations > 0;
    solver->v = blpo__allocate(memory, p, sizeof *solver->v);
    solver->x = blpo__allocate(memory, p, sizeof *solver->x);
    solver->product = blpo__hypergrad_output(memory, p, sizeof *solver->product);
    solver->unit = blpo__allocate(memory, p, sizeof *solver->unit);
    solver->implicit = blpo__hypergrad_output(memory, q, sizeof *solver->implicit);
    solver->result = blpo__allocate(memory, q, sizeof *solver->result);
    solver->sample = blpo__hypergrad_output(memory, problem->n_samples, sizeof *solver->sample);
    if (config->spectrum_iterations > 0)
        blpo__spectrum_create(solver, config->spectrum_iterations);
    if (solver->method->create != NULL)
        solver->method->create(solver);
}

static int make(const blpo_problem *problem, const blpo_hypergrad_config *config, const blpo_runtime *runtime,
                blpo_hypergrad **out)
{
    void *memory;
    const int rc = blpo__host_create(runtime, sizeof(blpo_hypergrad), &memory);
    if (rc != BLPO_OK)
        return rc;
    blpo_hypergrad *solver = memory;
    fill(solver, problem, config);
    if (solver->host.memory.failed)
        return blpo__host_out_of_memory(&solver->host, runtime);
    *out = solver;
    return BLPO_OK;
}

int blpo_hypergrad_create(const blpo_problem *problem, const blpo_hypergrad_config *config, const blpo_runtime *runtime,
                          blpo_hypergrad **out)
{
    if (problem == NULL || out == NULL)
        return blpo__runtime_missing(runtime, problem == NULL ? "problem" : "out");
    blpo_runtime rt;
    blpo_problem p;
    blpo_hypergrad_config c = config_defaults;
    int rc = blpo__create_read(&rt, runtime, &p, sizeof p, LEAST_PROBLEM, problem);
    if (rc == BLPO_OK && config != NULL)
        rc = blpo__create_read(&rt, runtime, &c, sizeof c, LEAST_CONFIG, config);
    if (rc == BLPO_OK)
        rc = blpo__hypergrad_check(rt.error, &p, &c);
    return rc != BLPO_OK ? rc : make(&p, &c, &rt, out);
}

void blpo_hypergrad_destroy(blpo_hypergrad *solver)
{
    if (solver != NULL)
        blpo__host_destroy(&solver->host);
}

/* -- one solve -- */

static int nonfinite(blpo_hypergrad *solver, int stage, const char *field, const real *x, int64_t n)
{
    const int64_t bad = blpo__first_nonfinite(x, n);
    if (bad < 0)
        return BLPO_OK;
    return blpo__error_element(&solver->error, BLPO_ERR_NONFINITE, stage, -1, -1, field, bad, (double)x[bad], NULL);
}

/* |(H + rho I) y - u| / |u|: the same as of x and v */
static int measure_residual(blpo_hypergrad *solver, blpo_hypergrad_report *report)
{
    const int64_t p = solver->problem.n_inner;
    const int rc = blpo__hypergrad_product(solver, solver->x, solver->product);
    if (rc != BLPO_OK)
        return rc;
    double sum = 0.0;
    for (int64_t i = 0; i < p; i++) {
        const double r =
            (double)solver->product[i] + solver->config.nystrom_rho * (double)solver->x[i] - (double)solver->v[i];
        sum += r * r;
    }
    report->relative_residual = sqrt(sum) / blpo__norm(solver->v, p);
    return BLPO_OK;
}

/* Step 1: solver->x = y */
static int solve_unit(blpo_hypergrad *solver, blpo_hypergrad_report *report)
{
    solver->n_flops = 0;
    solver->spectrum.measured = 0;
    int rc = solver->method->solve(solver, solver->v, solver->x, report);
    if (rc == BLPO_OK && blpo__first_nonfinite(solver->x, solver->problem.n_inner) >= 0)
        blpo__hypergrad_last_resort(solver, solver->v, solver->x, BLPO_IHVP_REASON_NONFINITE, report);
    if (rc == BLPO_OK)
        rc = nonfinite(solver, BLPO_STAGE_SOLVE, "x", solver->x, solver->problem.n_inner);
    report->n_flops = solver->n_flops;
    if (rc == BLPO_OK && solver->measure_residual)
        rc = measure_residual(solver, report);
    if (rc == BLPO_OK && solver->measure_spectrum && !solver->spectrum.measured) {
        rc = blpo__spectrum_measure(solver);
        if (rc == BLPO_OK)
            blpo__spectrum_report(&solver->spectrum, report);
    }
    return rc;
}

/* Steps 1 and 2: solver->x = x */
static int solve(blpo_hypergrad *solver, const real *v, blpo_hypergrad_report *report)
{
    const int64_t p = solver->problem.n_inner;
    int rc = nonfinite(solver, BLPO_STAGE_SOLVE, "v", v, p);
    if (rc != BLPO_OK)
        return rc;
    const double norm = blpo__norm(v, p);
    if (norm == 0.0) {
        memset(solver->x, 0, (size_t)p * sizeof *solver->x);
        return BLPO_OK;
    }
    blpo__divide(v, norm, p, solver->v);
    rc = solve_unit(solver, report);
    if (rc != BLPO_OK)
        return rc;
    blpo__less_rows(0, p, solver->x, &norm, solver->x, norm, solver->x);
    return nonfinite(solver, BLPO_STAGE_SOLVE, "x", solver->x, p);
}

/* Before a solve: the caller's report must be one, for a struct that cannot be filled hides how the solve went. */
static int begin_report(blpo_hypergrad *solver, const blpo_hypergrad_report *caller, blpo_hypergrad_report *report)
{
    if (caller != NULL && !blpo__struct_size_fits(caller->struct_size, LEAST_REPORT))
        return blpo__error_set(&solver->error, BLPO_ERR_VERSION, BLPO_STAGE_SOLVE, "report",
                               "struct_size of the report is smaller than that of version 0.1, or was not set");
    *report = (blpo_hypergrad_report){.struct_size = sizeof *report,
                                      .method = solver->config.method,
                                      .n_products = solver->stats.n_products,
                                      .relative_residual = -1.0,
                                      .condition_estimate = -1.0,
                                      .largest_eigenvalue = -1.0,
                                      .condition_number = -1.0,
                                      .bound_scale = 1.0};
    return BLPO_OK;
}

static void count_success(blpo_hypergrad_stats *stats, const blpo_hypergrad_report *report)
{
    stats->n_solves++;
    stats->n_indefinite += report->indefinite;
    stats->n_fallback += report->fallback;
    stats->n_bound += report->bound_scale < 1.0;
    stats->n_fallback_indefinite += report->reason == BLPO_IHVP_REASON_INDEFINITE;
    stats->n_fallback_singular += report->reason == BLPO_IHVP_REASON_SINGULAR;
    stats->n_fallback_nonfinite += report->reason == BLPO_IHVP_REASON_NONFINITE;
    stats->n_fallback_diverged += report->reason == BLPO_IHVP_REASON_DIVERGED;
}

static void count_failure(blpo_hypergrad_stats *stats, int rc)
{
    stats->n_failed++;
    stats->n_failed_callback += rc == BLPO_ERR_CALLBACK;
    stats->n_failed_nonfinite += rc == BLPO_ERR_NONFINITE;
}

/* After it, whatever came of it: report and counts. */
static int finish(blpo_hypergrad *solver, int rc, blpo_hypergrad_report *report, blpo_hypergrad_report *caller)
{
    blpo_hypergrad_stats *stats = &solver->stats;
    solver->draw_given = 0;
    report->status = rc;
    report->n_products = stats->n_products - report->n_products;
    if (rc == BLPO_OK)
        count_success(stats, report);
    else
        count_failure(stats, rc);
    if (caller != NULL)
        blpo__write_struct(caller, caller->struct_size, report, sizeof *report, LEAST_REPORT);
    return rc;
}

static int solve_into(blpo_hypergrad *solver, const real *v, real *x, blpo_hypergrad_report *caller)
{
    blpo_hypergrad_report report;
    if (v == NULL || x == NULL)
        return blpo__error_missing(&solver->error, BLPO_STAGE_SOLVE, v == NULL ? "v" : "x");
    int rc = begin_report(solver, caller, &report);
    if (rc != BLPO_OK)
        return rc;
    rc = solve(solver, v, &report);
    if (rc == BLPO_OK)
        memcpy(x, solver->x, (size_t)solver->problem.n_inner * sizeof *x);
    return finish(solver, rc, &report, caller);
}

int blpo_hypergrad_solve(blpo_hypergrad *solver, const real *v, real *x, blpo_hypergrad_report *report)
{
    if (solver == NULL)
        return BLPO_ERR_NULL;
    if (!blpo__enter(&solver->busy))
        return BLPO_ERR_BUSY;
    const int rc = solve_into(solver, v, x, report);
    blpo__leave(&solver->busy);
    return rc;
}

/* -- the hypergradient -- */

/* The scale of step 4. Without a bound it is 1 whatever the norms are: infinity times a zero norm has no value. */
static double bound(double kappa, double direct, double implicit)
{
    return isinf(kappa) ? 1.0 : fmin(1.0, kappa * direct / (implicit + 1e-8));
}

static double cosine(const real *a, double norm_a, const real *b, double norm_b, int64_t n)
{
    if (norm_a == 0.0 || norm_b == 0.0)
        return 0.0;
    return fmax(-1.0, fmin(1.0, blpo__dot(a, b, n) / norm_a / norm_b));
}

/* Step 4: solver->result */
static int combine(blpo_hypergrad *solver, const real *direct, blpo_hypergrad_report *report)
{
    const int64_t q = solver->problem.n_outer;
    const real *implicit = solver->implicit;
    report->direct_norm = blpo__norm(direct, q);
    report->implicit_norm = blpo__norm(implicit, q);
    report->cosine = cosine(direct, report->direct_norm, implicit, report->implicit_norm, q);
    report->bound_scale = bound(solver->config.kappa, report->direct_norm, report->implicit_norm);
    blpo__less_rows(1, q, implicit, &report->bound_scale, direct, 1.0, solver->result);
    const int rc = nonfinite(solver, BLPO_STAGE_IMPLICIT, "hypergradient", solver->result, q);
    if (rc == BLPO_OK)
        report->hypergradient_norm = blpo__norm(solver->result, q);
    return rc;
}

static int compute(blpo_hypergrad *solver, const real *direct, const real *v, blpo_hypergrad_report *report)
{
    if (solver->problem.n_outer == 0)
        return blpo__error_set(&solver->error, BLPO_ERR_STATE, BLPO_STAGE_IMPLICIT, "n_outer",
                               "n_outer is 0: there is no hypergradient, only blpo_hypergrad_solve()");
    int rc = nonfinite(solver, BLPO_STAGE_IMPLICIT, "direct", direct, solver->problem.n_outer);
    if (rc == BLPO_OK)
        rc = solve(solver, v, report);
    if (rc == BLPO_OK)
        rc = blpo__hypergrad_mixed(solver, solver->x, solver->implicit);
    return rc != BLPO_OK ? rc : combine(solver, direct, report);
}

static int compute_into(blpo_hypergrad *solver, const real *direct, const real *v, real *hypergradient,
                        blpo_hypergrad_report *caller)
{
    blpo_hypergrad_report report;
    if (direct == NULL || v == NULL || hypergradient == NULL)
        return blpo__error_missing(&solver->error, BLPO_STAGE_IMPLICIT,
                                   direct == NULL ? "direct"
                                   : v == NULL    ? "v"
                                                  : "hypergradient");
    int rc = begin_report(solver, caller, &report);
    if (rc != BLPO_OK)
        return rc;
    rc = compute(solver, direct, v, &report);
    if (rc == BLPO_OK)
        memcpy(hypergradient, solver->result, (size_t)solver->problem.n_outer * sizeof *hypergradient);
    return finish(solver, rc, &report, caller);
}

int blpo_hypergrad_compute(blpo_hypergrad *solver, const real *direct, const real *v, real *hypergradient,
                           blpo_hypergrad_report *report)
{
    if (solver == NULL)
        return BLPO_ERR_NULL;
    if (!blpo__enter(&solver->busy))
        return BLPO_ERR_BUSY;
    const int rc = compute_into(solver, direct, v, hypergradient, report);
    blpo__leave(&solver->busy);
    return rc;
}

/* -- indices, statistics, errors -- */

static int check_indices(blpo_hypergrad *solver, const int64_t *index, int64_t k)
{
    if (k != solver->config.nystrom_rank)
        return blpo__error_int(&solver->error, BLPO_ERR_ARGUMENT, "k", k, "it must be nystrom_rank");
    for (int64_t i = 0; i < k; i++)
        if (index[i] < 0 || index[i] >= solver->problem.n_inner || blpo__is_among(index, i, index[i]))
            return blpo__error_element(&solver->error, BLPO_ERR_ARGUMENT, BLPO_STAGE_SOLVE, -1, -1, "index", i,
                                       (double)index[i], "they must be distinct, in 0 .. n_inner - 1");
    return BLPO_OK;
}

static int set_indices(blpo_hypergrad *solver, const int64_t *index, int64_t k)
{
    if (solver->config.method != BLPO_IHVP_NYSTROM)
        return blpo__error_set(&solver->error, BLPO_ERR_STATE, BLPO_STAGE_SOLVE, "method",
                               "only method nystrom has indices");
    if (index == NULL) {
        solver->indices_fixed = 0;
        return BLPO_OK;
    }
    const int rc = check_indices(solver, index, k);
    if (rc != BLPO_OK)
        return rc;
    memcpy(solver->index, index, (size_t)k * sizeof *index);
    solver->indices_fixed = 1;
    return BLPO_OK;
}

int blpo_hypergrad_set_indices(blpo_hypergrad *solver, const int64_t *index, int64_t k)
{
    if (solver == NULL)
        return BLPO_ERR_NULL;
    if (!blpo__enter(&solver->busy))
        return BLPO_ERR_BUSY;
    const int rc = set_indices(solver, index, k);
    blpo__leave(&solver->busy);
    return rc;
}

int blpo_hypergrad_get_stats(const blpo_hypergrad *solver, blpo_hypergrad_stats *out)
{
    if (solver == NULL || out == NULL)
        return BLPO_ERR_NULL;
    return blpo__write_struct(out, out->struct_size, &solver->stats, sizeof solver->stats, LEAST_STATS);
}

const blpo_error *blpo_hypergrad_error(const blpo_hypergrad *solver)
{
    return solver == NULL ? blpo__error_no_handle() : &solver->error;
}

/* -- draws -- */

blpo__stream blpo__hypergrad_stream(const blpo_hypergrad *solver, blpo__purpose purpose, uint64_t column)
{
    const uint64_t a = solver->draw_given ? solver->draw[0] : solver->n_draws;
    return blpo__stream_at(solver->config.seed, purpose, a, solver->draw_given ? solver->draw[1] : 0, column);
}

/* -- for the trainer -- */

void blpo__hypergrad_set_draw(blpo_hypergrad *solver, uint64_t a, uint64_t b)
{
    solver->draw[0] = a;
    solver->draw[1] = b;
    solver->draw_given = 1;
}

void blpo__hypergrad_trust(blpo_hypergrad *solver)
{
    solver->trusting = 1;
}

void blpo__hypergrad_measure_residual(blpo_hypergrad *solver, int on)
{
    const int can = on && blpo__hypergrad_has_products(&solver->problem, &solver->config);
    solver->measure_residual = can;
    solver->measure_spectrum = can && solver->config.spectrum_iterations > 0;
}

void blpo__hypergrad_mark_take(const blpo_hypergrad *solver, blpo__hypergrad_mark *mark)
{
    mark->stats = solver->stats;
    mark->n_draws = solver->n_draws;
}

void blpo__hypergrad_mark_restore(blpo_hypergrad *solver, const blpo__hypergrad_mark *mark)
{
    solver->stats = mark->stats;
    solver->n_draws = mark->n_draws;
}
