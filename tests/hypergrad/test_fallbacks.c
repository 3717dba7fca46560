/* Each row of the table of fallbacks in docs/decisions.md: a small matrix that closes one way, the way that is taken then, x by
 * hand, and what the report and each counter of the handle say of it. Every handle is fresh and solves once, so that a counter
 * of the cause is 1 and all others are 0. */
#include "support/check.h"
#include "support/spectra.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { MOST = 4 };

/* Of the settings those that matter. A method that is to stay is the one that was set; else the answer is v / rho. */
typedef struct scene {
    const char *name;
    int method;
    int64_t p, rank;
    double hessian[MOST * MOST], v[MOST];
    double rho, shift, neumann_scale;
    int preconditioner;
    int64_t chunk, terms;          /* chunk above 0: the space-efficient form */
    const double *gram;            /* NULL, or J J^T [2][2] as its callback has it; J has two rows (1, 0) */
    int stays, reason, indefinite; /* what the report has to say; reason 0: no fallback */
    int64_t rank_used, iterations;
    double x[MOST]; /* where the method stays */
} scene;

static int given_gram(void *user, double *gram)
{
    memcpy(gram, ((const quadratic *)user)->inside_data, 4 * sizeof *gram);
    return 0;
}

static blpo_hypergrad_config config_of(const scene *s)
{
    blpo_hypergrad_config config = solver_config(s->method, s->rank > 0 ? s->rank : 1, s->rho, s->shift);
    config.nystrom_space_efficient = s->chunk > 0;
    config.nystrom_chunk = s->chunk;
    config.neumann_scale = s->neumann_scale;
    config.cg_preconditioner = s->preconditioner;
    config.neumann_terms = s->terms;
    config.cg_iterations = s->terms > 0 ? s->terms : 10;
    return config;
}

static void check_counters(const blpo_hypergrad *solver, const scene *s)
{
    blpo_hypergrad_stats stats = { .struct_size = sizeof stats };
    assert_status(blpo_hypergrad_get_stats(solver, &stats), BLPO_OK);
    assert_int_equal(stats.n_solves, 1);
    assert_int_equal(stats.n_indefinite, s->indefinite);
    assert_int_equal(stats.n_fallback, s->reason != BLPO_IHVP_REASON_NONE);
    assert_int_equal(stats.n_fallback_indefinite, s->reason == BLPO_IHVP_REASON_INDEFINITE);
    assert_int_equal(stats.n_fallback_singular, s->reason == BLPO_IHVP_REASON_SINGULAR);
    assert_int_equal(stats.n_fallback_nonfinite, s->reason == BLPO_IHVP_REASON_NONFINITE);
    assert_int_equal(stats.n_fallback_diverged, s->reason == BLPO_IHVP_REASON_DIVERGED);
    assert_int_equal(stats.n_failed + stats.n_failed_callback + stats.n_failed_nonfinite, 0);
}

static void check_report(const blpo_hypergrad_report *report, const scene *s)
{
    assert_int_equal(report->method, s->stays ? s->method : BLPO_IHVP_NONE);
    assert_int_equal(report->fallback, s->reason != BLPO_IHVP_REASON_NONE);
    assert_int_equal(report->reason, s->reason);
    assert_int_equal(report->indefinite, s->indefinite);
    assert_int_equal(report->rank_used, s->rank_used);
    assert_int_equal(report->iterations, s->iterations);
}

/* 64 eps: the matrices are of order 4 at most and their condition is below 20; v is scaled and x scaled back. */
static void check_x(const test_real *x, const scene *s)
{
    for (int64_t i = 0; i < s->p; i++) {
        const double expected = s->stays ? s->x[i] : s->v[i] / s->rho;
        assert_close(x[i], expected, 64.0 * TEST_EPSILON, s->stays ? 64.0 * TEST_EPSILON : 0.0);
    }
}

static void play(const scene *s)
{
    static const double rows[2 * MOST] = { 1.0, 0.0, 1.0, 0.0 };
    quadratic quad = {
        .p = s->p, .hessian = s->hessian, .jacobian = rows, .n_samples = 2, .inside_data = (void *)s->gram
    };
    blpo_problem problem = quadratic_problem(&quad, 1);
    const blpo_hypergrad_config config = config_of(s);
    blpo_hypergrad *solver = NULL;
    blpo_hypergrad_report report = empty_report();
    test_real v[MOST], x[MOST];
    if (s->gram != NULL)
        problem.jacobian_gram = given_gram;
    for (int64_t i = 0; i < s->p; i++)
        v[i] = (test_real)s->v[i];
    print_message("  %s\n", s->name);
    assert_status(blpo_hypergrad_create(&problem, &config, NULL, &solver), BLPO_OK);
    assert_status(blpo_hypergrad_solve(solver, v, x, &report), BLPO_OK);
    check_report(&report, s);
    check_counters(solver, s);
    check_x(x, s);
    blpo_hypergrad_destroy(solver);
}

#define SCENES(array) play_all(array, TEST_COUNT(array))

static void play_all(const scene *scenes, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        play(&scenes[i]);
}

/* S = rho (M + s I) + C C^T. Row 0 of the first matrix is zero: S = diag(0, 3 + 9), of which the pseudo-inverse leaves the 0 out,
 * and x = (v_0 / rho, v_1 / (3 + rho)). A shift of 1e308 times rho has no number. M = -1 with s = 2 and rho = 1 has S = 1 + 1, which
 * is definite: x = v - (-1)(-1) v / 2. With s = 0 and rho = 4, S = -4 + 1 is not, and x is the exact inverse, v / 3. */
static void nystrom_falls_back_in_the_order_of_the_table(void **state)
{
    (void)state;
    static const scene scenes[] = {
        { .name = "nystrom, a zero row",
          .method = BLPO_IHVP_NYSTROM,
          .p = 2,
          .rank = 2,
          .hessian = { 0, 0, 0, 3 },
          .v = { 1, 2 },
          .rho = 1,
          .stays = 1,
          .reason = BLPO_IHVP_REASON_SINGULAR,
          .rank_used = 1,
          .x = { 1, 0.5 } },
        { .name = "the same without a k x p array",
          .method = BLPO_IHVP_NYSTROM,
          .p = 2,
          .rank = 2,
          .chunk = 1,
          .hessian = { 0, 0, 0, 3 },
          .v = { 1, 2 },
          .rho = 1,
          .stays = 1,
          .reason = BLPO_IHVP_REASON_SINGULAR,
          .rank_used = 1,
          .x = { 1, 0.5 } },
        { .name = "nystrom, a core that overflows",
          .method = BLPO_IHVP_NYSTROM,
          .p = 2,
          .rank = 2,
          .hessian = { 1, 0, 0, 3 },
          .v = { 1, 2 },
          .rho = 50,
          .shift = 1e308,
          .reason = BLPO_IHVP_REASON_NONFINITE },
        { .name = "the same without a k x p array",
          .method = BLPO_IHVP_NYSTROM,
          .p = 2,
          .rank = 2,
          .chunk = 1,
          .hessian = { 1, 0, 0, 3 },
          .v = { 1, 2 },
          .rho = 50,
          .shift = 1e308,
          .reason = BLPO_IHVP_REASON_NONFINITE },
        { .name = "nystrom, M indefinite under a definite core",
          .method = BLPO_IHVP_NYSTROM,
          .p = 1,
          .rank = 1,
          .hessian = { -1 },
          .v = { 1.5 },
          .rho = 1,
          .shift = 2,
          .stays = 1,
          .indefinite = 1,
          .rank_used = 1,
          .x = { 0.75 } },
        { .name = "nystrom, an indefinite core",
          .method = BLPO_IHVP_NYSTROM,
          .p = 1,
          .rank = 1,
          .hessian = { -1 },
          .v = { 1.5 },
          .rho = 4,
          .stays = 1,
          .indefinite = 1,
          .rank_used = 1,
          .x = { 0.5 } },
        { .name = "nystrom, nothing wrong",
          .method = BLPO_IHVP_NYSTROM,
          .p = 1,
          .rank = 1,
          .hessian = { 1 },
          .v = { 1.5 },
          .rho = 2,
          .stays = 1,
          .rank_used = 1,
          .x = { 0.5 } },
    };
    SCENES(scenes);
}

/* H + I = diag(0, 4): the solution of least norm is (0, v_1 / 4). H + I = diag(-1, 4): no fallback, an exact solution. Where the sum
 * of two numbers overflows, which only doubles can, there is no matrix. */
static void dense_falls_back_in_the_order_of_the_table(void **state)
{
    (void)state;
    static const scene scenes[] = {
        { .name = "dense, singular",
          .method = BLPO_IHVP_DENSE,
          .p = 2,
          .hessian = { -1, 0, 0, 3 },
          .v = { 1, 2 },
          .rho = 1,
          .stays = 1,
          .reason = BLPO_IHVP_REASON_SINGULAR,
          .rank_used = 1,
          .x = { 0, 0.5 } },
        { .name = "dense, indefinite",
          .method = BLPO_IHVP_DENSE,
          .p = 2,
          .hessian = { -2, 0, 0, 3 },
          .v = { 1, 2 },
          .rho = 1,
          .stays = 1,
          .indefinite = 1,
          .rank_used = 2,
          .x = { -1, 0.5 } },
#ifdef BLPO__FLOAT64
        { .name = "dense, overflow",
          .method = BLPO_IHVP_DENSE,
          .p = 2,
          .hessian = { 1e308, 0, 0, 1e308 },
          .v = { 1e300, 2e300 },
          .rho = 1e308,
          .reason = BLPO_IHVP_REASON_NONFINITE },
#endif
    };
    SCENES(scenes);
}

/* A = H + I.  First direction: A = diag(-1, 9) with v = (1, 1/4) has v.A v = -7/16; A = 0 has none.
 * Second: A = diag(-1/2, 9) with v = (1/2, 1) steps by a = v.v / v.A v = 1.25 / 8.875, and then r.A r < 0 along what is left
 * (d = (0.68, 0.02)); the residual after the step, 0.60, is less than |v| = 1.12, so that x = a v is the best there is.
 * A = diag(4, 4, 0, 0) with v of four halves: a = 1 / 2, r = (-1, -1, 1, 1) / 2, the next direction is (0, 0, 1, 1), and all of
 * it is exact: its curvature is 0.
 * A = ((rho, 1), (1, rho)) with v = (1, 0): v.A v = rho, a = 1 / rho, and r = (0, -1 / rho). The next direction would be (1 / rho^2,
 * -1 / rho): in single precision the square has no number, in double r.r has none. The callback must not see it. */
#ifdef BLPO__FLOAT64
#define RHO_OF_A_LONG_STEP 1e-160
#else
#define RHO_OF_A_LONG_STEP 1e-20
#endif
static void cg_falls_back_in_the_order_of_the_table(void **state)
{
    (void)state;
    static const double a = 1.25 / 8.875;
    const scene scenes[] = {
        { .name = "cg, negative at once",
          .method = BLPO_IHVP_CG,
          .p = 2,
          .hessian = { -2, 0, 0, 8 },
          .v = { 1, 0.25 },
          .rho = 1,
          .reason = BLPO_IHVP_REASON_INDEFINITE,
          .indefinite = 1 },
        { .name = "cg, zero at once",
          .method = BLPO_IHVP_CG,
          .p = 2,
          .hessian = { -1, 0, 0, -1 },
          .v = { 1, 0.25 },
          .rho = 1,
          .reason = BLPO_IHVP_REASON_SINGULAR,
          .indefinite = 1 },
        { .name = "cg, negative in the second",
          .method = BLPO_IHVP_CG,
          .p = 2,
          .hessian = { -1.5, 0, 0, 8 },
          .v = { 0.5, 1 },
          .rho = 1,
          .stays = 1,
          .reason = BLPO_IHVP_REASON_INDEFINITE,
          .indefinite = 1,
          .iterations = 1,
          .x = { 0.5 * a, a } },
        { .name = "cg, zero in the second",
          .method = BLPO_IHVP_CG,
          .p = 4,
          .hessian = { 3, 0, 0, 0, 0, 3, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1 },
          .v = { 0.5, 0.5, 0.5, 0.5 },
          .rho = 1,
          .stays = 1,
          .reason = BLPO_IHVP_REASON_SINGULAR,
          .indefinite = 1,
          .iterations = 1,
          .x = { 0.25, 0.25, 0.25, 0.25 } },
        { .name = "cg, a direction that overflows",
          .method = BLPO_IHVP_CG,
          .p = 2,
          .hessian = { 0, 1, 1, 0 },
          .v = { 1, 0 },
          .rho = RHO_OF_A_LONG_STEP,
          .reason = BLPO_IHVP_REASON_NONFINITE,
          .iterations = 1 },
    };
    SCENES(scenes);
}

/* A = diag(1/2, 9) is definite while H is not: the sketch of all columns says so, and two iterations give the exact x. With
 * A = 1e200 I a sketch has no norm, P = I, and one iteration does: to that all doubles are needed. */
static void nystrom_pcg_tells_of_its_sketch(void **state)
{
    (void)state;
    static const scene scenes[] = {
        { .name = "nystrom_pcg, a direction that overflows",
          .method = BLPO_IHVP_NYSTROM_PCG,
          .p = 2,
          .rank = 1,
          .hessian = { 0, 1, 1, 0 },
          .v = { 1, 0 },
          .rho = RHO_OF_A_LONG_STEP,
          .reason = BLPO_IHVP_REASON_NONFINITE,
          .indefinite = 1,
          .iterations = 1 },
        { .name = "nystrom_pcg, an indefinite sketch",
          .method = BLPO_IHVP_NYSTROM_PCG,
          .p = 2,
          .rank = 2,
          .terms = 2,
          .hessian = { -0.5, 0, 0, 8 },
          .v = { 1, 2 },
          .rho = 1,
          .stays = 1,
          .indefinite = 1,
          .rank_used = 2,
          .iterations = 2,
          .x = { 2, 2.0 / 9.0 } },
        { .name = "nystrom_pcg, a definite one",
          .method = BLPO_IHVP_NYSTROM_PCG,
          .p = 2,
          .rank = 2,
          .terms = 2,
          .hessian = { 0.5, 0, 0, 8 },
          .v = { 1, 2 },
          .rho = 1,
          .stays = 1,
          .rank_used = 2,
          .iterations = 2,
          .x = { 1.0 / 1.5, 2.0 / 9.0 } },
#ifdef BLPO__FLOAT64
        { .name = "nystrom_pcg, no sketch",
          .method = BLPO_IHVP_NYSTROM_PCG,
          .p = 2,
          .rank = 2,
          .terms = 1,
          .hessian = { 1e200, 0, 0, 1e200 },
          .v = { 1e200, 2e200 },
          .rho = 1,
          .stays = 1,
          .reason = BLPO_IHVP_REASON_SINGULAR,
          .iterations = 1,
          .x = { 1, 2 } },
#endif
    };
    SCENES(scenes);
}

/* r becomes (I - A / c) v. With c = 9 and A = diag(-1, 9), v = (1, 1/4): r = (10/9, 0), longer than v, and v.A v < 0. With c = 2 and
 * A = 9: r = -3.5 v, and v.A v > 0: c was too small. Without a term, x = v / rho. With v = (1/4, 1) in the first, and with c = 1,
 * A = diag(1, 2.5), v = (1, 1/4) in the second, r is shorter after one term and longer after two: x = v / c. The least double has no
 * inverse.
 * A = 2e308 has no number: c is measured in vain. */
static void neumann_falls_back_in_the_order_of_the_table(void **state)
{
    (void)state;
    static const scene scenes[] = {
        { .name = "neumann, negative",
          .method = BLPO_IHVP_NEUMANN,
          .p = 2,
          .hessian = { -2, 0, 0, 8 },
          .v = { 1, 0.25 },
          .rho = 1,
          .neumann_scale = 1.0 / 9.0,
          .terms = 20,
          .reason = BLPO_IHVP_REASON_INDEFINITE,
          .indefinite = 1 },
        { .name = "neumann, negative after a term",
          .method = BLPO_IHVP_NEUMANN,
          .p = 2,
          .hessian = { -2, 0, 0, 8 },
          .v = { 0.25, 1 },
          .rho = 1,
          .neumann_scale = 1.0 / 9.0,
          .terms = 20,
          .stays = 1,
          .reason = BLPO_IHVP_REASON_INDEFINITE,
          .indefinite = 1,
          .iterations = 1,
          .x = { 0.25 / 9.0, 1.0 / 9.0 } },
        { .name = "neumann, divergent",
          .method = BLPO_IHVP_NEUMANN,
          .p = 1,
          .hessian = { 8 },
          .v = { 1.5 },
          .rho = 1,
          .neumann_scale = 0.5,
          .terms = 20,
          .reason = BLPO_IHVP_REASON_DIVERGED },
        { .name = "neumann, divergent after a term",
          .method = BLPO_IHVP_NEUMANN,
          .p = 2,
          .hessian = { 0, 0, 0, 1.5 },
          .v = { 1, 0.25 },
          .rho = 1,
          .neumann_scale = 1,
          .terms = 20,
          .stays = 1,
          .reason = BLPO_IHVP_REASON_DIVERGED,
          .iterations = 1,
          .x = { 1, 0.25 } },
        { .name = "neumann, c that overflows",
          .method = BLPO_IHVP_NEUMANN,
          .p = 1,
          .hessian = { 8 },
          .v = { 1.5 },
          .rho = 1,
          .neumann_scale = 4.9e-324,
          .terms = 20,
          .reason = BLPO_IHVP_REASON_NONFINITE },
#ifdef BLPO__FLOAT64
        { .name = "neumann, c that is not known",
          .method = BLPO_IHVP_NEUMANN,
          .p = 1,
          .hessian = { 1e308 },
          .v = { 1e300 },
          .rho = 1e308,
          .terms = 3,
          .reason = BLPO_IHVP_REASON_NONFINITE },
#endif
        { .name = "neumann, nothing wrong",
          .method = BLPO_IHVP_NEUMANN,
          .p = 1,
          .hessian = { 1 },
          .v = { 1.5 },
          .rho = 1,
          .neumann_scale = 0.5,
          .terms = 3,
          .stays = 1,
          .iterations = 3,
          .x = { 0.75 } },
    };
    SCENES(scenes);
}

/* The Gram matrix of two equal rows (1, 0) is singular; one that lost 2 eps has the eigenvalue -eps, more than rho = eps / 10000,
 * and less than the 32 eps that the diagonal is raised by. v is orthogonal to the rows: x = v / rho, whatever G. With -1 as an
 * eigenvalue nothing helps. */
static void gauss_newton_falls_back_in_the_order_of_the_table(void **state)
{
    (void)state;
    static const double rounded[4] = { 1, 1, 1, 1 - 2.0 * TEST_EPSILON }, wrong[4] = { 1, 2, 2, 1 },
                        right[4] = { 1, 1, 1, 1 };
    static const scene scenes[] = {
        { .name = "gauss_newton, rho below roundings",
          .method = BLPO_IHVP_GAUSS_NEWTON,
          .p = 2,
          .gram = rounded,
          .v = { 0, 1 },
          .rho = 1e-4 * TEST_EPSILON,
          .stays = 1,
          .reason = BLPO_IHVP_REASON_SINGULAR,
          .rank_used = 2,
          .x = { 0, 1e4 / TEST_EPSILON } },
        { .name = "gauss_newton, no factor",
          .method = BLPO_IHVP_GAUSS_NEWTON,
          .p = 2,
          .gram = wrong,
          .v = { 3, 1 },
          .rho = 0.25,
          .reason = BLPO_IHVP_REASON_SINGULAR },
        { .name = "gauss_newton, nothing wrong",
          .method = BLPO_IHVP_GAUSS_NEWTON,
          .p = 2,
          .gram = right,
          .v = { 2.25, 1 },
          .rho = 0.25,
          .stays = 1,
          .rank_used = 2,
          .x = { 1, 4 } },
    };
    SCENES(scenes);
}

/* The same matrices as preconditioner of conjugate gradients. v is orthogonal to the rows of J, so z = v, and x is exact in one
 * iteration of any kind: v / (H + rho) where H is the same in all directions. */
static void a_preconditioner_falls_back_in_the_order_of_the_table(void **state)
{
    (void)state;
    static const double rounded[4] = { 1, 1, 1, 1 - 2.0 * TEST_EPSILON }, wrong[4] = { 1, 2, 2, 1 },
                        right[4] = { 1, 1, 1, 1 };
    static const scene scenes[] = {
        { .name = "cg with gauss_newton, rho below roundings",
          .method = BLPO_IHVP_CG,
          .preconditioner = BLPO_PRECONDITIONER_GAUSS_NEWTON,
          .p = 2,
          .hessian = { 4, 0, 0, 4 },
          .gram = rounded,
          .v = { 0, 1 },
          .rho = 1e-4 * TEST_EPSILON,
          .terms = 1,
          .stays = 1,
          .reason = BLPO_IHVP_REASON_SINGULAR,
          .rank_used = 2,
          .iterations = 1,
          .x = { 0, 0.25 } },
        { .name = "cg with gauss_newton, no factor",
          .method = BLPO_IHVP_CG,
          .preconditioner = BLPO_PRECONDITIONER_GAUSS_NEWTON,
          .p = 2,
          .hessian = { 3.75, 0, 0, 3.75 },
          .gram = wrong,
          .v = { 3, 1 },
          .rho = 0.25,
          .terms = 1,
          .stays = 1,
          .reason = BLPO_IHVP_REASON_SINGULAR,
          .iterations = 1,
          .x = { 0.75, 0.25 } },
        { .name = "cg with gauss_newton, nothing wrong",
          .method = BLPO_IHVP_CG,
          .preconditioner = BLPO_PRECONDITIONER_GAUSS_NEWTON,
          .p = 2,
          .hessian = { 2, 0, 0, 0 },
          .gram = right,
          .v = { 2.25, 1 },
          .rho = 0.25,
          .terms = 1,
          .stays = 1,
          .rank_used = 2,
          .iterations = 1,
          .x = { 1, 4 } },
        { .name = "cg with gauss_newton, negative curvature",
          .method = BLPO_IHVP_CG,
          .preconditioner = BLPO_PRECONDITIONER_GAUSS_NEWTON,
          .p = 2,
          .hessian = { -8, 0, 0, -8 },
          .gram = right,
          .v = { 1, 1 },
          .rho = 0.25,
          .reason = BLPO_IHVP_REASON_INDEFINITE,
          .indefinite = 1 },
    };
    SCENES(scenes);
}

/* A = H + rho is a billionth of rho, which is near the smallest number: 1 / A overflows, 1 / rho does not. */
static void an_x_that_is_not_finite_gives_way_to_v_over_rho(void **state)
{
    (void)state;
    const double small = 4.0 / TEST_REAL_MAX;
    scene s = { .name = "cg, x overflows",
                .method = BLPO_IHVP_CG,
                .p = 1,
                .terms = 1,
                .v = { 0.5 },
                .reason = BLPO_IHVP_REASON_NONFINITE,
                .iterations = 1 };
    s.hessian[0] = -(double)(test_real)small;
    s.rho = -s.hessian[0] * (1.0 + 1e-9);
    play(&s);
}

static void none_has_nothing_to_fall_back_from(void **state)
{
    (void)state;
    static const scene scenes[] = {
        { .name = "none",
          .method = BLPO_IHVP_NONE,
          .p = 2,
          .hessian = { -2, 0, 0, 8 },
          .v = { 1, 0.25 },
          .rho = 2,
          .stays = 1,
          .x = { 0.5, 0.125 } },
    };
    SCENES(scenes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nystrom_falls_back_in_the_order_of_the_table),
        cmocka_unit_test(dense_falls_back_in_the_order_of_the_table),
        cmocka_unit_test(cg_falls_back_in_the_order_of_the_table),
        cmocka_unit_test(nystrom_pcg_tells_of_its_sketch),
        cmocka_unit_test(neumann_falls_back_in_the_order_of_the_table),
        cmocka_unit_test(gauss_newton_falls_back_in_the_order_of_the_table),
        cmocka_unit_test(a_preconditioner_falls_back_in_the_order_of_the_table),
        cmocka_unit_test(an_x_that_is_not_finite_gives_way_to_v_over_rho),
        cmocka_unit_test(none_has_nothing_to_fall_back_from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
