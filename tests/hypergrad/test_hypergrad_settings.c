/* Settings and their rules, the draws of Nystrom indices, counters over the life of a solver. */
#include "support/check.h"
#include "support/memory.h"
#include "support/spectra.h"

#include <math.h>
#include <string.h>

enum { P = 10, K = 3 };

static const double identity_free[P * P] = { 1.0 }; /* H = diag(1, 0, 0, ...): enough where only calls are watched */

static quadratic plain_problem(void)
{
    return (quadratic){ .p = P, .hessian = identity_free };
}

/* Create must refuse with that code, name the field, take no memory and leave *out. */
static void check_refused(const blpo_problem *problem, const blpo_hypergrad_config *config, int code, const char *field)
{
    counted_memory memory = { 0 };
    blpo_error error = { 0 };
    const blpo_runtime runtime = counted_runtime(&memory, &error);
    char sentinel;
    blpo_hypergrad *out = (blpo_hypergrad *)(void *)&sentinel;
    assert_status(blpo_hypergrad_create(problem, config, &runtime, &out), code);
    assert_ptr_equal(out, &sentinel);
    assert_int_equal(memory.calls, 0);
    assert_error_names(&error, code, field);
}

#define REFUSE_CONFIG(method, field, value)                                                                            \
    do {                                                                                                               \
        blpo_hypergrad_config config = solver_config(method, K, 0.5, 1.0);                                             \
        config.field = value;                                                                                          \
        quadratic quad = plain_problem();                                                                              \
        const blpo_problem problem = quadratic_problem(&quad, 1);                                                      \
        check_refused(&problem, &config, BLPO_ERR_CONFIG, #field);                                                     \
    } while (0)

static void every_setting_out_of_its_range_is_refused_by_name(void **state)
{
    (void)state;
    REFUSE_CONFIG(BLPO_IHVP_NYSTROM, method, -1);
    REFUSE_CONFIG(BLPO_IHVP_NYSTROM, method, 1000);
    REFUSE_CONFIG(BLPO_IHVP_NYSTROM, nystrom_rank, 0);
    REFUSE_CONFIG(BLPO_IHVP_NYSTROM, nystrom_rank, -1);
    REFUSE_CONFIG(BLPO_IHVP_NYSTROM, nystrom_rank, P + 1);
    REFUSE_CONFIG(BLPO_IHVP_NYSTROM, nystrom_rank, INT64_MAX);
    for (int method = BLPO_IHVP_NONE; method <= BLPO_IHVP_GAUSS_NEWTON; method++) {
        REFUSE_CONFIG(method, nystrom_rho, 0.0);
        REFUSE_CONFIG(method, nystrom_rho, -1.0);
        REFUSE_CONFIG(method, nystrom_rho, (double)NAN);
        REFUSE_CONFIG(method, nystrom_rho, (double)INFINITY);
        REFUSE_CONFIG(method, kappa, 0.0);
        REFUSE_CONFIG(method, kappa, -1.0);
        REFUSE_CONFIG(method, kappa, (double)NAN);
        REFUSE_CONFIG(method, report_residual, 2);
        REFUSE_CONFIG(method, report_residual, -1);
    }
    REFUSE_CONFIG(BLPO_IHVP_NYSTROM, nystrom_shift, -1e-300);
    REFUSE_CONFIG(BLPO_IHVP_NYSTROM, nystrom_shift, (double)NAN);
    REFUSE_CONFIG(BLPO_IHVP_NYSTROM, nystrom_shift, (double)INFINITY);
    REFUSE_CONFIG(BLPO_IHVP_CG, cg_iterations, 0);
    REFUSE_CONFIG(BLPO_IHVP_CG, cg_iterations, -1);
    REFUSE_CONFIG(BLPO_IHVP_CG, cg_tolerance, -1.0);
    REFUSE_CONFIG(BLPO_IHVP_CG, cg_tolerance, (double)NAN);
    REFUSE_CONFIG(BLPO_IHVP_CG, cg_tolerance, (double)INFINITY);
}

static void every_later_setting_out_of_its_range_is_refused_by_name(void **state)
{
    (void)state;
    REFUSE_CONFIG(BLPO_IHVP_CG, curvature, -1);
    REFUSE_CONFIG(BLPO_IHVP_CG, curvature, 2);
    REFUSE_CONFIG(BLPO_IHVP_NYSTROM, nystrom_draw, 2);
    REFUSE_CONFIG(BLPO_IHVP_NYSTROM, nystrom_space_efficient, 2);
    REFUSE_CONFIG(BLPO_IHVP_NYSTROM, nystrom_chunk, -1);
    REFUSE_CONFIG(BLPO_IHVP_NYSTROM, nystrom_chunk, K + 1);
    REFUSE_CONFIG(BLPO_IHVP_CG, cg_negative_curvature, 2);
    REFUSE_CONFIG(BLPO_IHVP_CG, cg_preconditioner, -1);
    REFUSE_CONFIG(BLPO_IHVP_CG, cg_preconditioner, 2);
    REFUSE_CONFIG(BLPO_IHVP_NYSTROM, cg_preconditioner, 2);
    REFUSE_CONFIG(BLPO_IHVP_NYSTROM_PCG, nystrom_rank, 0);
    REFUSE_CONFIG(BLPO_IHVP_NYSTROM_PCG, nystrom_rank, P + 1);
    REFUSE_CONFIG(BLPO_IHVP_NYSTROM_PCG, sketch_rank_max, -1);
    REFUSE_CONFIG(BLPO_IHVP_NYSTROM_PCG, sketch_rank_max, K - 1);
    REFUSE_CONFIG(BLPO_IHVP_NYSTROM_PCG, sketch_rank_max, P + 1);
    REFUSE_CONFIG(BLPO_IHVP_NYSTROM_PCG, sketch_error, -1.0);
    REFUSE_CONFIG(BLPO_IHVP_NYSTROM_PCG, sketch_error, (double)NAN);
    REFUSE_CONFIG(BLPO_IHVP_NYSTROM_PCG, sketch_error, (double)INFINITY);
    REFUSE_CONFIG(BLPO_IHVP_NEUMANN, neumann_terms, -1);
    REFUSE_CONFIG(BLPO_IHVP_NEUMANN, neumann_scale, -1e-300);
    REFUSE_CONFIG(BLPO_IHVP_NEUMANN, neumann_scale, (double)NAN);
    REFUSE_CONFIG(BLPO_IHVP_NEUMANN, neumann_scale, (double)INFINITY);
    REFUSE_CONFIG(BLPO_IHVP_NEUMANN, spectrum_iterations, -1);
    REFUSE_CONFIG(BLPO_IHVP_NEUMANN, spectrum_iterations, 1001);
}

#define REFUSE_PROBLEM(method, field, value, code)                                                                     \
    do {                                                                                                               \
        const blpo_hypergrad_config config = solver_config(method, 1, 0.5, 1.0);                                       \
        quadratic quad = plain_problem();                                                                              \
        blpo_problem problem = quadratic_problem(&quad, 0);                                                            \
        problem.field = value;                                                                                         \
        check_refused(&problem, &config, code, #field);                                                                \
    } while (0)

static void a_problem_that_breaks_its_rules_is_refused_by_name(void **state)
{
    (void)state;
    REFUSE_PROBLEM(BLPO_IHVP_CG, n_inner, 0, BLPO_ERR_CONFIG);
    REFUSE_PROBLEM(BLPO_IHVP_CG, n_inner, -5, BLPO_ERR_CONFIG);
    REFUSE_PROBLEM(BLPO_IHVP_CG, n_outer, -1, BLPO_ERR_CONFIG);
    REFUSE_PROBLEM(BLPO_IHVP_CG, hvp, NULL, BLPO_ERR_CONFIG);
    REFUSE_PROBLEM(BLPO_IHVP_NYSTROM, hvp, NULL, BLPO_ERR_CONFIG);
    REFUSE_PROBLEM(BLPO_IHVP_DENSE, hvp, NULL, BLPO_ERR_CONFIG);
    REFUSE_PROBLEM(BLPO_IHVP_NYSTROM_PCG, hvp, NULL, BLPO_ERR_CONFIG);
    REFUSE_PROBLEM(BLPO_IHVP_NEUMANN, hvp, NULL, BLPO_ERR_CONFIG);
    REFUSE_PROBLEM(BLPO_IHVP_NONE, n_samples, -1, BLPO_ERR_CONFIG);
    REFUSE_PROBLEM(BLPO_IHVP_NONE, n_samples, INT64_C(1) << 31, BLPO_ERR_SIZE);
}

/* What the Gauss-Newton matrix is needed for cannot do without the products that make it. */
static void check_jacobian_needed(int method, int curvature, int draw, int preconditioner)
{
    static const double jacobian[P] = { 1.0 };
    static const char *const fields[3] = { "jvp", "vjp", "n_samples" };
    for (int missing = 0; missing < 3; missing++) {
        quadratic quad = plain_problem();
        quad.jacobian = jacobian;
        quad.n_samples = 1;
        blpo_problem problem = quadratic_problem(&quad, 0);
        blpo_hypergrad_config config = solver_config(method, K, 0.5, 1.0);
        config.curvature = curvature;
        config.nystrom_draw = draw;
        config.cg_preconditioner = preconditioner;
        if (missing == 0)
            problem.jvp = NULL;
        else if (missing == 1)
            problem.vjp = NULL;
        else
            problem.n_samples = 0;
        check_refused(&problem, &config, BLPO_ERR_CONFIG, fields[missing]);
    }
}

static void what_uses_the_jacobian_is_refused_without_it(void **state)
{
    (void)state;
    check_jacobian_needed(BLPO_IHVP_GAUSS_NEWTON, BLPO_CURVATURE_HESSIAN, BLPO_DRAW_UNIFORM, 0);
    check_jacobian_needed(BLPO_IHVP_NYSTROM, BLPO_CURVATURE_HESSIAN, BLPO_DRAW_DIAGONAL, 0);
    check_jacobian_needed(BLPO_IHVP_CG, BLPO_CURVATURE_HESSIAN, BLPO_DRAW_UNIFORM, BLPO_PRECONDITIONER_GAUSS_NEWTON);
    static const int methods[5] = { BLPO_IHVP_NYSTROM, BLPO_IHVP_CG, BLPO_IHVP_DENSE, BLPO_IHVP_NYSTROM_PCG,
                                    BLPO_IHVP_NEUMANN };
    for (int i = 0; i < 5; i++)
        check_jacobian_needed(methods[i], BLPO_CURVATURE_GAUSS_NEWTON, BLPO_DRAW_UNIFORM, 0);
}

/* A program built against the first headers: its structs end before the fields that came later, and what lies behind them in its
 * memory is not looked at. */
static void structs_of_the_first_headers_are_taken_as_they_were(void **state)
{
    (void)state;
    quadratic quad = plain_problem();
    union {
        blpo_problem known;
        unsigned char bytes[sizeof(blpo_problem)];
    } problem = { .known = quadratic_problem(&quad, 1) };
    union {
        blpo_hypergrad_config known;
        unsigned char bytes[sizeof(blpo_hypergrad_config)];
    } config = { .known = solver_config(BLPO_IHVP_NYSTROM, K, 0.5, 1.0) };
    const size_t problem_size = offsetof(blpo_problem, mixed_product) + sizeof problem.known.mixed_product;
    const size_t config_size = offsetof(blpo_hypergrad_config, seed) + sizeof config.known.seed;
    problem.known.struct_size = problem_size;
    config.known.struct_size = config_size;
    memset(problem.bytes + problem_size, 0xA5, sizeof problem - problem_size);
    memset(config.bytes + config_size, 0xA5, sizeof config - config_size);
    blpo_hypergrad *solver = NULL;
    assert_status(blpo_hypergrad_create(&problem.known, &config.known, NULL, &solver), BLPO_OK);
    const test_real v[P] = { 1 };
    test_real x[P];
    blpo_hypergrad_report report;
    const size_t report_size = offsetof(blpo_hypergrad_report, hypergradient_norm) + sizeof report.hypergradient_norm;
    memset(&report, 0xA5, sizeof report);
    report.struct_size = report_size;
    assert_status(blpo_hypergrad_solve(solver, v, x, &report), BLPO_OK);
    assert_int_equal(report.n_products, K);
    for (size_t i = report_size; i < sizeof report; i++)
        assert_int_equal(((unsigned char *)&report)[i], 0xA5);
    blpo_hypergrad_destroy(solver);
}

static void outer_variables_without_a_mixed_product_are_refused(void **state)
{
    (void)state;
    quadratic quad = plain_problem();
    blpo_problem problem = quadratic_problem(&quad, 1);
    problem.n_outer = 2;
    const blpo_hypergrad_config config = solver_config(BLPO_IHVP_NONE, 1, 0.5, 1.0);
    check_refused(&problem, &config, BLPO_ERR_CONFIG, "mixed_product");
}

static void a_residual_without_hvp_to_measure_it_is_refused(void **state)
{
    (void)state;
    quadratic quad = plain_problem();
    blpo_problem problem = quadratic_problem(&quad, 1);
    problem.hvp = NULL;
    blpo_hypergrad_config config = solver_config(BLPO_IHVP_NYSTROM, K, 0.5, 1.0);
    config.report_residual = 1;
    check_refused(&problem, &config, BLPO_ERR_CONFIG, "report_residual");
}

static void check_too_large(int method, int64_t n_inner, int64_t rank)
{
    counted_memory memory = { 0 };
    const blpo_runtime runtime = counted_runtime(&memory, NULL);
    const blpo_hypergrad_config config = solver_config(method, rank, 0.5, 1.0);
    quadratic quad = plain_problem();
    blpo_problem problem = quadratic_problem(&quad, 1);
    problem.n_inner = n_inner;
    blpo_hypergrad *out = NULL;
    assert_status(blpo_hypergrad_create(&problem, &config, &runtime, &out), BLPO_ERR_SIZE);
    assert_null(out);
    assert_int_equal(memory.calls, 0);
}

/* p^2, k p and p itself past INT_MAX, the largest integer of BLAS */
static void products_of_sizes_past_the_integers_of_blas_are_refused(void **state)
{
    (void)state;
    check_too_large(BLPO_IHVP_DENSE, 46341, 1);                 /* 46341^2 = 2^31 + 4633 */
    check_too_large(BLPO_IHVP_NYSTROM, INT64_C(1) << 21, 1024); /* 2^31 */
    check_too_large(BLPO_IHVP_CG, INT64_C(1) << 31, 1);
    for (int method = BLPO_IHVP_NONE; method <= BLPO_IHVP_GAUSS_NEWTON; method++)
        check_too_large(method, INT64_MAX, 1);
}

static void null_arguments_of_create_are_refused(void **state)
{
    (void)state;
    quadratic quad = plain_problem();
    const blpo_problem problem = quadratic_problem(&quad, 1);
    blpo_hypergrad *out = NULL;
    assert_status(blpo_hypergrad_create(NULL, NULL, NULL, &out), BLPO_ERR_NULL);
    assert_status(blpo_hypergrad_create(&problem, NULL, NULL, NULL), BLPO_ERR_NULL);
    assert_null(out);
    blpo_hypergrad_destroy(NULL);
}

/* The defaults: nystrom, k = 5, rho = 50, s = 1, no bound. */
static void no_config_means_the_defaults(void **state)
{
    (void)state;
    quadratic quad = plain_problem();
    const blpo_problem problem = quadratic_problem(&quad, 1);
    blpo_hypergrad *solver = NULL;
    test_real x[P] = { 1, 2 };
    assert_status(blpo_hypergrad_create(&problem, NULL, NULL, &solver), BLPO_OK);
    blpo_hypergrad_report report = empty_report();
    assert_status(blpo_hypergrad_solve(solver, x, x, &report), BLPO_OK);
    assert_int_equal(quad.k, 5);
    assert_int_equal(report.method, BLPO_IHVP_NYSTROM);
    blpo_hypergrad_config config;
    assert_status(blpo_hypergrad_config_init(&config, sizeof config), BLPO_OK);
    assert_true(config.nystrom_rho == 50.0 && config.nystrom_shift == 1.0 && isinf(config.kappa));
    assert_true(config.cg_iterations == 10 && config.cg_tolerance == 0.0 && config.seed == 0);
    blpo_hypergrad_destroy(solver);
}

static blpo_hypergrad *drawing_solver(quadratic *quad, uint64_t seed, int64_t k)
{
    blpo_hypergrad_config config = solver_config(BLPO_IHVP_NYSTROM, k, 0.5, 1.0);
    config.seed = seed;
    return solver_new(quad, 1, &config);
}

static void solve_once(blpo_hypergrad *solver)
{
    test_real v[P] = { 1, 2, 3 }, x[P];
    assert_status(blpo_hypergrad_solve(solver, v, x, NULL), BLPO_OK);
}

static void assert_distinct_and_in_range(const quadratic *quad)
{
    for (int64_t i = 0; i < quad->k; i++) {
        assert_in_range(quad->index[i], 0, P - 1);
        for (int64_t j = 0; j < i; j++)
            assert_int_not_equal(quad->index[i], quad->index[j]);
    }
}

/* 4000 draws of 3 of 10 without replacement. Counts of one coordinate have mean 1200 and variance n k/p (1 - k/p), and
 * sum (count - 1200)^2 / 1200 times (p - 1) / (p - k) = 9/7 is chi-square with 9 degrees of freedom. 33.7 is exceeded by
 * one fair seed in ten thousand; the seed is fixed. Each of the 120 sets is as likely: 33.3 draws each, chi-square with 119
 * degrees of freedom, where one in ten thousand exceeds 182. The order within a set is of no account: x does not see it. */
static void draws_are_distinct_in_range_and_uniform(void **state)
{
    (void)state;
    enum { DRAWS = 4000, SETS = 1 << P };
    quadratic quad = plain_problem();
    blpo_hypergrad *solver = drawing_solver(&quad, 1, K);
    static double by_set[SETS];
    double count[P] = { 0 }, chi = 0.0, chi_sets = 0.0;
    memset(by_set, 0, sizeof by_set);
    for (int draw = 0; draw < DRAWS; draw++) {
        solve_once(solver);
        assert_int_equal(quad.k, K);
        assert_distinct_and_in_range(&quad);
        for (int i = 0; i < K; i++)
            count[quad.index[i]] += 1.0;
        by_set[1 << quad.index[0] | 1 << quad.index[1] | 1 << quad.index[2]] += 1.0;
    }
    for (int i = 0; i < P; i++)
        chi += (count[i] - 1200.0) * (count[i] - 1200.0) / 1200.0;
    for (int i = 0; i < SETS; i++) /* sum of squares over expectation, less the number of draws */
        chi_sets += by_set[i] * by_set[i] * 120.0 / DRAWS;
    assert_true(chi * 9.0 / 7.0 < 33.7);
    assert_true(chi > 0.1); /* not a round robin: 1 in 10^7 of fair seeds */
    assert_true(chi_sets - DRAWS < 182.0);
    blpo_hypergrad_destroy(solver);
}

static void a_draw_of_all_coordinates_holds_each_once(void **state)
{
    (void)state;
    quadratic quad = plain_problem();
    blpo_hypergrad *solver = drawing_solver(&quad, 1, P);
    for (int draw = 0; draw < 50; draw++) {
        solve_once(solver);
        assert_int_equal(quad.k, P);
        assert_distinct_and_in_range(&quad);
    }
    blpo_hypergrad_destroy(solver);
}

/* 20 draws of 3 of 10 agree by chance with probability 720^-20 (ordered). */
static void draws_are_a_function_of_the_seed(void **state)
{
    (void)state;
    quadratic a = plain_problem(), b = plain_problem(), c = plain_problem();
    blpo_hypergrad *solver_a = drawing_solver(&a, 5, K), *solver_b = drawing_solver(&b, 5, K);
    blpo_hypergrad *solver_c = drawing_solver(&c, 6, K);
    int differ = 0;
    for (int draw = 0; draw < 20; draw++) {
        solve_once(solver_a);
        solve_once(solver_b);
        solve_once(solver_c);
        assert_memory_equal(a.index, b.index, K * sizeof *a.index);
        differ |= memcmp(a.index, c.index, K * sizeof *a.index) != 0;
    }
    assert_int_equal(differ, 1);
    blpo_hypergrad_destroy(solver_a);
    blpo_hypergrad_destroy(solver_b);
    blpo_hypergrad_destroy(solver_c);
}

static void set_indices_fixes_every_solve_until_it_is_taken_back(void **state)
{
    (void)state;
    quadratic quad = plain_problem();
    blpo_hypergrad *solver = drawing_solver(&quad, 1, K);
    int64_t index[K] = { 9, 0, 4 };
    const int64_t expected[K] = { 9, 0, 4 };
    assert_status(blpo_hypergrad_set_indices(solver, index, K), BLPO_OK);
    index[0] = 2; /* copied: a later change is not seen */
    for (int i = 0; i < 5; i++) {
        solve_once(solver);
        assert_memory_equal(quad.index, expected, sizeof expected);
    }
    assert_status(blpo_hypergrad_set_indices(solver, NULL, -7), BLPO_OK);
    int differ = 0;
    for (int i = 0; i < 5; i++) {
        solve_once(solver);
        differ |= memcmp(quad.index, expected, sizeof expected) != 0;
    }
    assert_int_equal(differ, 1); /* all five equal by chance: 720^-5 */
    blpo_hypergrad_destroy(solver);
}

static void bad_indices_are_refused_and_the_old_ones_stay(void **state)
{
    (void)state;
    quadratic quad = plain_problem();
    blpo_hypergrad *solver = drawing_solver(&quad, 1, K);
    const int64_t good[K] = { 7, 1, 3 };
    const int64_t bad[5][K] = { { 1, 1, 2 }, { 0, 5, 0 }, { -1, 0, 1 }, { 0, 1, P }, { 0, INT64_MAX, 1 } };
    assert_status(blpo_hypergrad_set_indices(solver, good, K), BLPO_OK);
    for (int i = 0; i < 5; i++)
        assert_status(blpo_hypergrad_set_indices(solver, bad[i], K), BLPO_ERR_ARGUMENT);
    assert_status(blpo_hypergrad_set_indices(solver, good, K - 1), BLPO_ERR_ARGUMENT);
    assert_status(blpo_hypergrad_set_indices(solver, good, K + 1), BLPO_ERR_ARGUMENT);
    assert_status(blpo_hypergrad_set_indices(solver, good, -K), BLPO_ERR_ARGUMENT);
    assert_status(blpo_hypergrad_set_indices(NULL, good, K), BLPO_ERR_NULL);
    solve_once(solver);
    assert_memory_equal(quad.index, good, sizeof good);
    blpo_hypergrad_destroy(solver);
}

static void indices_of_another_method_are_a_state_error(void **state)
{
    (void)state;
    static const int methods[3] = { BLPO_IHVP_NONE, BLPO_IHVP_CG, BLPO_IHVP_DENSE };
    const int64_t index[K] = { 0, 1, 2 };
    for (int i = 0; i < 3; i++) {
        quadratic quad = plain_problem();
        const blpo_hypergrad_config config = solver_config(methods[i], K, 0.5, 1.0);
        blpo_hypergrad *solver = solver_new(&quad, 1, &config);
        assert_status(blpo_hypergrad_set_indices(solver, index, K), BLPO_ERR_STATE);
        blpo_hypergrad_destroy(solver);
    }
}

/* Three good solves of k = 3 rows, one that fails after its rows were had: 12 products, 3 solves, 1 failure. */
static void counters_add_up_over_the_life_of_a_solver(void **state)
{
    (void)state;
    quadratic quad = plain_problem();
    blpo_hypergrad *solver = drawing_solver(&quad, 1, K);
    test_real v[P] = { 1 }, x[P];
    for (int i = 0; i < 3; i++)
        solve_once(solver);
    quad.fault = QUADRATIC_ROWS;
    quad.fault_at = 4;
    quad.nan_at = 1;
    assert_status(blpo_hypergrad_solve(solver, v, x, NULL), BLPO_ERR_NONFINITE);
    blpo_hypergrad_stats stats;
    memset(&stats, 0xA5, sizeof stats);
    stats.struct_size = sizeof stats;
    assert_status(blpo_hypergrad_get_stats(solver, &stats), BLPO_OK);
    assert_int_equal(stats.struct_size, sizeof stats);
    assert_int_equal(stats.n_solves, 3);
    assert_int_equal(stats.n_failed, 1);
    assert_int_equal(stats.n_products, 12);
    assert_int_equal(stats.n_indefinite, 0);
    assert_int_equal(stats.n_fallback, 0);
    assert_int_equal(stats.n_bound, 0);
    blpo_hypergrad_destroy(solver);
}

static void solving_takes_no_memory(void **state)
{
    (void)state;
    static const double jacobian[P] = { 1.0 };
    for (int kind = 0; kind <= 2 * BLPO_IHVP_GAUSS_NEWTON + 1; kind++) {
        counted_memory memory = { 0 };
        const blpo_runtime runtime = counted_runtime(&memory, NULL);
        blpo_hypergrad_config config = solver_config(kind / 2, K, 0.5, 1.0);
        config.curvature = kind % 2;
        config.report_residual = 1;
        quadratic quad = plain_problem();
        quad.jacobian = jacobian;
        quad.n_samples = 1;
        const blpo_problem problem = quadratic_problem(&quad, 0);
        blpo_hypergrad *solver = NULL;
        assert_status(blpo_hypergrad_create(&problem, &config, &runtime, &solver), BLPO_OK);
        const int64_t calls = memory.calls;
        for (int i = 0; i < 10; i++)
            solve_once(solver);
        assert_int_equal(memory.calls, calls);
        blpo_hypergrad_destroy(solver);
        assert_all_released(&memory);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_setting_out_of_its_range_is_refused_by_name),
        cmocka_unit_test(every_later_setting_out_of_its_range_is_refused_by_name),
        cmocka_unit_test(a_problem_that_breaks_its_rules_is_refused_by_name),
        cmocka_unit_test(what_uses_the_jacobian_is_refused_without_it),
        cmocka_unit_test(structs_of_the_first_headers_are_taken_as_they_were),
        cmocka_unit_test(outer_variables_without_a_mixed_product_are_refused),
        cmocka_unit_test(a_residual_without_hvp_to_measure_it_is_refused),
        cmocka_unit_test(products_of_sizes_past_the_integers_of_blas_are_refused),
        cmocka_unit_test(null_arguments_of_create_are_refused),
        cmocka_unit_test(no_config_means_the_defaults),
        cmocka_unit_test(draws_are_distinct_in_range_and_uniform),
        cmocka_unit_test(a_draw_of_all_coordinates_holds_each_once),
        cmocka_unit_test(draws_are_a_function_of_the_seed),
        cmocka_unit_test(set_indices_fixes_every_solve_until_it_is_taken_back),
        cmocka_unit_test(bad_indices_are_refused_and_the_old_ones_stay),
        cmocka_unit_test(indices_of_another_method_are_a_state_error),
        cmocka_unit_test(counters_add_up_over_the_life_of_a_solver),
        cmocka_unit_test(solving_takes_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
