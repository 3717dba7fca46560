/* Error of x ~ (H + rho I)^-1 v against what it cost, for each method, curvature and rho, on minibatches of CartPole.
 *
 *     error CRITIC UPDATES SEED CURVATURE RHO METHOD K DRAW  |x - exact| / |exact|, relative residual, products, fallback
 *
 * K is what the method may spend: rows (nystrom), steps (cg), terms (neumann), columns of the sketch and steps together
 * (nystrom-pcg); 1 for those that take no number. cg stops at negative curvature, cg-going-on and nystrom-pcg do not. exact
 * is the solution for that curvature, by LAPACK in double; method gauss-newton under curvature hessian so shows what leaving
 * out the rest costs. */
#include "minibatch.h"

#include <blpo/blpo.h>
#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS = 3, DRAWS = 3, RHOS = 3 };
static const double rhos[RHOS] = {0.01, 1.0, 50.0};
static const int64_t ks[] = {1, 2, 5, 10, 20, 50, 100, 200, 500};

typedef struct method {
    const char *name;
    int32_t which;
    double shift;
    int32_t draw_by_diagonal, go_on; /* nystrom_draw, cg_negative_curvature */
    int draws;                       /* of its random choices */
    int spends;                      /* takes a K */
} method;

static const method methods[] = {
    {"none", BLPO_IHVP_NONE, 0.0, 0, 0, 1, 0},
    {"nystrom-s1", BLPO_IHVP_NYSTROM, 1.0, 0, 0, DRAWS, 1},
    {"nystrom-s0", BLPO_IHVP_NYSTROM, 0.0, 0, 0, DRAWS, 1},
    {"nystrom-s0-diagonal", BLPO_IHVP_NYSTROM, 0.0, 1, 0, DRAWS, 1},
    {"neumann", BLPO_IHVP_NEUMANN, 0.0, 0, 0, 1, 1},
    {"cg", BLPO_IHVP_CG, 0.0, 0, 0, 1, 1},
    {"cg-going-on", BLPO_IHVP_CG, 0.0, 0, 1, 1, 1},
    {"nystrom-pcg", BLPO_IHVP_NYSTROM_PCG, 0.0, 0, 1, DRAWS, 1},
    {"gauss-newton", BLPO_IHVP_GAUSS_NEWTON, 0.0, 0, 0, 1, 0},
};

/* (H + rho I) x = v as the solver sees it */
typedef struct linear_system {
    int64_t p;
    double *jacobian;                       /* [STEPS][p] */
    double *matrix[2];                      /* [p][p] by blpo_curvature: the Hessian, Gauss-Newton */
    double *v, *exact, *wide_in, *wide_out; /* [p] */
    float *x, *v_float;                     /* [p] */
    const char *label;
    int32_t curvature;
    double rho;
} linear_system;

static void *array(int64_t n, size_t size)
{
    void *out = calloc((size_t)n, size);
    if (out == NULL) {
        fprintf(stderr, "theory_inverse: out of memory\n");
        exit(1);
    }
    return out;
}

/* -- the problem -- */

/* out [rows or columns] = matrix or its transpose times x: in double, and narrowed at the door. */
static void multiply(linear_system *s, const double *matrix, int64_t n_rows, CBLAS_TRANSPOSE transpose, const float *x,
                     float *out)
{
    const int64_t n_in = transpose == CblasTrans ? n_rows : s->p, n_out = transpose == CblasTrans ? s->p : n_rows;
    for (int64_t i = 0; i < n_in; i++)
        s->wide_in[i] = (double)x[i];
    cblas_dgemv(CblasRowMajor, transpose, (int)n_rows, (int)s->p, 1.0, matrix, (int)s->p, s->wide_in, 1, 0.0,
                s->wide_out, 1);
    for (int64_t i = 0; i < n_out; i++)
        out[i] = (float)s->wide_out[i];
}

static int hvp(void *user, const float *x, float *hx)
{
    linear_system *s = user;
    multiply(s, s->matrix[BLPO_CURVATURE_HESSIAN], s->p, CblasNoTrans, x, hx);
    return 0;
}

static int jvp(void *user, const float *x, float *jx)
{
    linear_system *s = user;
    multiply(s, s->jacobian, STEPS, CblasNoTrans, x, jx);
    return 0;
}

static int vjp(void *user, const float *u, float *jtu)
{
    linear_system *s = user;
    multiply(s, s->jacobian, STEPS, CblasTrans, u, jtu);
    return 0;
}

static int take_rows(const linear_system *s, int32_t curvature, const int64_t *index, int64_t k, float *out)
{
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = 0; j < s->p; j++)
            out[i * s->p + j] = (float)s->matrix[curvature][index[i] * s->p + j];
    return 0;
}

static int hessian_rows(void *user, const int64_t *index, int64_t k, float *out)
{
    return take_rows(user, BLPO_CURVATURE_HESSIAN, index, k, out);
}

static int gauss_newton_rows(void *user, const int64_t *index, int64_t k, float *out)
{
    return take_rows(user, BLPO_CURVATURE_GAUSS_NEWTON, index, k, out);
}

static int gauss_newton_diagonal(void *user, float *diagonal)
{
    const linear_system *s = user;
    for (int64_t i = 0; i < s->p; i++)
        diagonal[i] = (float)s->matrix[BLPO_CURVATURE_GAUSS_NEWTON][i * (s->p + 1)];
    return 0;
}

static blpo_hypergrad *solver_new(linear_system *s, const method *m, int64_t k, uint64_t draw)
{
    blpo_problem problem;
    blpo_hypergrad_config config;
    blpo_hypergrad *out = NULL;
    blpo_problem_init(&problem, sizeof problem);
    problem.n_inner = s->p;
    problem.user = s;
    problem.hvp = hvp;
    problem.hessian_rows = hessian_rows;
    problem.gauss_newton_rows = gauss_newton_rows;
    problem.gauss_newton_diagonal = gauss_newton_diagonal;
    problem.n_samples = STEPS;
    problem.jvp = jvp;
    problem.vjp = vjp;
    blpo_hypergrad_config_init(&config, sizeof config);
    config.method = m->which;
    config.curvature = s->curvature;
    config.nystrom_rank = k;
    config.cg_iterations = k;
    config.neumann_terms = k;
    if (m->which == BLPO_IHVP_NYSTROM_PCG) { /* half for the sketch */
        config.nystrom_rank = k > 1 ? k / 2 : 1;
        config.cg_iterations = k > 1 ? k - k / 2 : 1;
    }
    config.nystrom_draw = m->draw_by_diagonal;
    config.cg_negative_curvature = m->go_on;
    config.nystrom_rho = s->rho;
    config.nystrom_shift = m->shift;
    config.report_residual = 1;
    config.seed = draw;
    const int rc = blpo_hypergrad_create(&problem, &config, NULL, &out);
    if (rc != BLPO_OK) {
        fprintf(stderr, "blpo_hypergrad_create: %s\n", blpo_status_text(rc));
        exit(1);
    }
    return out;
}

static void measure(linear_system *s, const method *m, int64_t k, uint64_t draw)
{
    blpo_hypergrad *solver = solver_new(s, m, k, draw);
    blpo_hypergrad_report report = {.struct_size = sizeof report};
    double error = 0.0;
    if (blpo_hypergrad_solve(solver, s->v_float, s->x, &report) != BLPO_OK) {
        fprintf(stderr, "%s: %s\n", m->name, blpo_hypergrad_error(solver)->text);
        exit(1);
    }
    for (int64_t i = 0; i < s->p; i++)
        error = hypot(error, (double)s->x[i] - s->exact[i]);
    printf("error %s %s %g %s %lld %d %.4e %.4e %lld %d\n", s->label,
           s->curvature == BLPO_CURVATURE_HESSIAN ? "hessian" : "gauss-newton", s->rho, m->name, (long long)k,
           (int)draw, error / cblas_dnrm2((int)s->p, s->exact, 1), report.relative_residual,
           (long long)report.n_products, report.fallback);
    blpo_hypergrad_destroy(solver);
}

/* -- the exact solution -- */

static void solve_exact(linear_system *s)
{
    const int p = (int)s->p;
    double *a = array(s->p * s->p, sizeof *a);
    int *pivot = array(s->p, sizeof *pivot);
    memcpy(a, s->matrix[s->curvature], (size_t)(s->p * s->p) * sizeof *a);
    memcpy(s->exact, s->v, (size_t)s->p * sizeof *a);
    for (int i = 0; i < p; i++)
        a[(size_t)i * (size_t)p + (size_t)i] += s->rho;
    if (LAPACKE_dsysv(LAPACK_COL_MAJOR, 'L', p, 1, a, p, pivot, s->exact, p) != 0)
        exit(1);
    free(a);
    free(pivot);
}

static void measure_all(linear_system *s)
{
    const int64_t n = (int64_t)(sizeof methods / sizeof *methods), n_k = (int64_t)(sizeof ks / sizeof *ks);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n_k && ks[j] <= s->p && (j == 0 || methods[i].spends); j++)
            for (int draw = 0; draw < methods[i].draws; draw++)
                measure(s, &methods[i], ks[j], (uint64_t)draw);
}

static void system_create(const minibatch *m, char *label, linear_system *out)
{
    *out = (linear_system){.p = m->p, .v = m->v, .label = label};
    out->jacobian = array(STEPS * m->p, sizeof(double));
    for (int i = 0; i < 2; i++)
        out->matrix[i] = array(m->p * m->p, sizeof(double));
    out->exact = array(m->p, sizeof(double));
    out->wide_in = array(m->p + STEPS, sizeof(double));
    out->wide_out = array(m->p + STEPS, sizeof(double));
    out->x = array(m->p, sizeof(float));
    out->v_float = array(m->p, sizeof(float));
    for (int64_t i = 0; i < m->p; i++)
        out->v_float[i] = (float)m->v[i];
    minibatch_jacobian(m, out->jacobian);
    minibatch_gauss_newton(m, out->jacobian, out->matrix[BLPO_CURVATURE_GAUSS_NEWTON]);
    minibatch_hessian(m, out->matrix[BLPO_CURVATURE_GAUSS_NEWTON], out->matrix[BLPO_CURVATURE_HESSIAN]);
}

static void system_destroy(linear_system *s)
{
    void *const all[] = {s->jacobian, s->matrix[0], s->matrix[1], s->exact, s->wide_in, s->wide_out, s->x, s->v_float};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

/* For a linear critic the two curvatures are one. */
static void study(const minibatch *m, int64_t updates, uint64_t seed)
{
    char label[64];
    linear_system s;
    const char *kind = m->kind == CRITIC_LINEAR ? "linear" : "neural";
    snprintf(label, sizeof label, "%s %lld %d", kind, (long long)updates, (int)seed);
    system_create(m, label, &s);
    for (int32_t curvature = m->kind == CRITIC_LINEAR; curvature <= BLPO_CURVATURE_GAUSS_NEWTON; curvature++)
        for (int i = 0; i < RHOS; i++) {
            s.curvature = curvature;
            s.rho = rhos[i];
            solve_exact(&s);
            measure_all(&s);
        }
    system_destroy(&s);
}

int main(void)
{
    static const int64_t updates[] = {20, 200};
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        for (int kind = CRITIC_NEURAL; kind <= CRITIC_LINEAR; kind++)
            for (int i = 0; i < 2; i++) {
                minibatch m;
                minibatch_make((critic_kind)kind, updates[i], seed, &m);
                study(&m, updates[i], seed);
                minibatch_free(&m);
            }
    return 0;
}
