/* The exact best response of a linear critic, against LAPACK's own least squares of the features. */
#include "support/check.h"
#include "support/dense.h"

#include "rl/critic.h"
#include "rl/policy.h"
#include "train/best_response.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

enum { MOST_ROWS = 160, MOST_WIDTH = 40 };

/* A game as far as the best response looks at it: rows, shares, targets, w. */
typedef struct bench {
    blpo__host host;
    blpo__mlp mlp;
    blpo__game game;
    blpo__best_response response;
    int64_t n, p, width;
} bench;

/* `biased`: a network without hidden layers, whose last parameter is a bias. */
static void bench_new(bench *b, int64_t n, int64_t width, int biased)
{
    memset(b, 0, sizeof *b);
    b->host.runtime.n_processes = 1;
    b->host.memory = blpo__memory_of(NULL);
    blpo__memory *memory = &b->host.memory;
    if (biased) {
        const blpo_network affine = { .activation = BLPO_TANH };
        blpo__mlp_create(&b->mlp, &affine, width, 1, memory);
    } else {
        blpo__mlp_create_linear(&b->mlp, width, memory);
    }
    b->n = n;
    b->width = width;
    b->p = b->mlp.n_parameters;
    b->game = (blpo__game){ .host = &b->host, .critic = &b->mlp, .batch.n = n };
    b->game.features = blpo__allocate(memory, n * width, sizeof(test_real));
    b->game.critic_tape.input = b->game.features;
    b->game.batch.share = blpo__allocate(memory, n, sizeof(double));
    b->game.target = blpo__allocate(memory, n, sizeof(test_real));
    b->game.w = blpo__allocate(memory, b->p, sizeof(test_real));
    for (int64_t t = 0; t < n; t++) {
        b->game.batch.share[t] = 1.0 / (double)n;
        b->game.target[t] = (test_real)(3.0 * sin(0.9 * (double)t) + 1.0);
        for (int64_t i = 0; i < width; i++)
            b->game.features[t * width + i] = (test_real)cos(0.37 * (double)((t + 1) * (2 * i + 1)) + 0.1 * (double)i);
    }
    blpo__best_response_create(&b->response, &b->game, memory);
    assert_false(memory->failed);
}

static void bench_end(bench *b) { blpo__memory_release(&b->host.memory); }

static double phi(const bench *b, int64_t t, int64_t i)
{
    return i < b->width ? (double)b->game.features[t * b->width + i] : 1.0;
}

static double g_of(const bench *b, const double *w)
{
    double sum = 0.0;
    for (int64_t t = 0; t < b->n; t++) {
        double e = (double)b->game.target[t];
        for (int64_t i = 0; i < b->p; i++)
            e -= phi(b, t, i) * w[i];
        sum += b->game.batch.share[t] * e * e;
    }
    return sum;
}

/* step [p] from dgelsd on S^1/2 (Phi, sqrt(ridge) I below it): w = base + step has the least g + ridge |w|^2, with the
 * least |step|. Returns the rank. */
static int reference(const bench *b, const double *base, double ridge, double rcond, double *step)
{
    static double a[(MOST_ROWS + MOST_WIDTH) * MOST_WIDTH], y[MOST_ROWS + MOST_WIDTH], s[MOST_WIDTH];
    const int64_t n = b->n, p = b->p, m = n + p;
    int rank = 0;
    memset(a, 0, sizeof a);
    memset(y, 0, sizeof y);
    for (int64_t t = 0; t < n; t++) {
        const double root = sqrt(b->game.batch.share[t]);
        y[t] = (double)b->game.target[t];
        for (int64_t i = 0; i < p; i++) {
            a[i * m + t] = root * phi(b, t, i);
            y[t] -= phi(b, t, i) * base[i];
        }
        y[t] *= root;
    }
    for (int64_t i = 0; i < p; i++) {
        a[i * m + n + i] = sqrt(ridge);
        y[n + i] = -sqrt(ridge) * base[i];
    }
    assert_int_equal(LAPACKE_dgelsd(LAPACK_COL_MAJOR, (int)m, (int)p, 1, a, (int)m, y, (int)m, s, rcond, &rank), 0);
    memcpy(step, y, (size_t)p * sizeof *step);
    return rank;
}

static void in_double(const test_real *x, int64_t n, double *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = (double)x[i];
}

/* Condition numbers of these features stay below 1e3: normal equations are right to 1e6 x 1e-16 x p, 1e-8. */
static void the_step_is_that_of_lapack(void **state)
{
    (void)state;
    static const struct {
        int64_t n, width;
        int biased;
        double ridge;
    } cases[] = { { 100, 7, 0, 0.0 },  { 100, 7, 1, 0.0 }, { 64, 1, 0, 0.0 }, { 65, 1, 1, 0.0 }, { 150, 33, 0, 0.0 },
                  { 129, 12, 1, 0.0 }, { 100, 7, 1, 0.3 }, { 5, 12, 0, 0.1 }, { 1, 1, 1, 1e-3 } };
    for (int64_t k = 0; k < TEST_COUNT(cases); k++) {
        bench b;
        double base[MOST_WIDTH], expected[MOST_WIDTH], best[MOST_WIDTH];
        bench_new(&b, cases[k].n, cases[k].width, cases[k].biased);
        for (int64_t i = 0; i < b.p; i++)
            b.game.w[i] = (test_real)(0.2 * (double)(i % 5) - 0.3);
        in_double(b.game.w, b.p, base);
        reference(&b, base, cases[k].ridge, 1e-12, expected);
        assert_status(blpo__best_response_find(&b.response, &b.game, cases[k].ridge), BLPO_OK);
        double before = cases[k].ridge, after = cases[k].ridge, w_before = 0.0, w_after = 0.0;
        for (int64_t i = 0; i < b.p; i++) {
            best[i] = base[i] + expected[i];
            w_before += base[i] * base[i];
            w_after += best[i] * best[i];
            assert_close(b.response.step[i], expected[i], 1e-8, 1e-8);
        }
        before = g_of(&b, base) + before * w_before;
        after = g_of(&b, best) + after * w_after;
        assert_close(b.response.gap, before - after, 1e-9, 1e-10 * before);
        bench_end(&b);
    }
}

/* Fewer rows than features, a feature twice, one that is zero, one-hot features of which some never occur: what is not
 * determined does not move, which is the least step. Singular values are either above 1e-4 of the largest or zero. */
static void what_the_data_leave_open_stays(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        bench b;
        double base[MOST_WIDTH], expected[MOST_WIDTH];
        bench_new(&b, kind == 0 ? 6 : 90, 10, kind == 3);
        for (int64_t t = 0; t < b.n; t++) {
            test_real *row = b.game.features + t * b.width;
            if (kind == 1)
                row[4] = row[2];
            if (kind == 2)
                row[3] = 0;
            for (int64_t i = 0; kind == 3 && i < b.width; i++)
                row[i] = (i == t % 7); /* with a bias besides: one direction more is open */
        }
        for (int64_t i = 0; i < b.p; i++)
            b.game.w[i] = (test_real)(0.5 * cos((double)i));
        in_double(b.game.w, b.p, base);
        const int rank = reference(&b, base, 0.0, 1e-6, expected);
        assert_true(rank < b.p);
        assert_status(blpo__best_response_find(&b.response, &b.game, 0.0), BLPO_OK);
        assert_int_equal(b.response.system.rank, rank);
        for (int64_t i = 0; i < b.p; i++)
            assert_close(b.response.step[i], expected[i], 1e-6, 1e-6);
        if (kind == 2)
            assert_true(fabs(b.response.step[3]) <= 1e-12);
        bench_end(&b);
    }
}

/* Singular values from 1 down to 1 / c, evenly in the logarithm: what the normal equations cost in g, beside what the
 * rounding of w to float costs. Claimed at the head of best_response.c: the equations lose less for every c up to 1e7
 * (a hundredth is demanded), namely (1e-16 c |w|)^2 with |Phi| = 1; a factor of 10 for p and constants. At 1e7 itself the
 * smallest eigenvalue is the one at which directions are left out, and its last bits decide: 5e6 is below. */
static void normal_equations_cost_less_than_the_rounding_of_w(void **state)
{
    (void)state;
    enum { ROWS = 60, WIDTH = 8 };
    for (double c = 5.0; c <= 5e6; c *= 100.0) {
        bench b;
        double base[WIDTH] = { 0 }, expected[WIDTH], found[WIDTH], spectrum[WIDTH];
        bench_new(&b, ROWS, WIDTH, 0);
        double u[ROWS * WIDTH], v[WIDTH * WIDTH];
        uint64_t seed = 5;
        for (int64_t i = 0; i < ROWS * WIDTH; i++)
            u[i] = test_normal(&seed);
        for (int64_t i = 0; i < WIDTH * WIDTH; i++)
            v[i] = test_normal(&seed);
        assert_int_equal(blpo__orthonormalise(u, ROWS, WIDTH, &b.host.memory), 0);
        assert_int_equal(blpo__orthonormalise(v, WIDTH, WIDTH, &b.host.memory), 0);
        for (int64_t i = 0; i < WIDTH; i++)
            spectrum[i] = sqrt((double)ROWS) * pow(c, -(double)i / (WIDTH - 1));
        for (int64_t t = 0; t < ROWS; t++) {
            double target = 0.05 * cos((double)t);
            for (int64_t i = 0; i < WIDTH; i++) {
                double x = 0.0;
                for (int64_t k = 0; k < WIDTH; k++)
                    x += u[t * WIDTH + k] * spectrum[k] * v[i * WIDTH + k];
                b.game.features[t * WIDTH + i] = (test_real)x;
                target += x * (1.0 + 0.1 * (double)i);
            }
            b.game.target[t] = (test_real)target;
        }
        reference(&b, base, 0.0, 1e-15, expected);
        assert_status(blpo__best_response_find(&b.response, &b.game, 0.0), BLPO_OK);
        double norm = 0.0, rounded[WIDTH];
        for (int64_t i = 0; i < WIDTH; i++) {
            found[i] = b.response.step[i] - expected[i];
            rounded[i] = (double)(test_real)expected[i] - expected[i];
            norm += expected[i] * expected[i];
        }
        double lost = 0.0, by_rounding = 0.0; /* |Phi d|^2: g is quadratic, so that is the rise of g */
        for (int64_t t = 0; t < ROWS; t++) {
            double a = 0.0, r = 0.0;
            for (int64_t i = 0; i < WIDTH; i++) {
                a += phi(&b, t, i) * found[i];
                r += phi(&b, t, i) * rounded[i];
            }
            lost += a * a / ROWS;
            by_rounding += r * r / ROWS;
        }
        if (sizeof(test_real) == sizeof(float))
            assert_true(lost < 1e-2 * by_rounding);
        assert_true(lost <= 10.0 * pow(c * 1.1e-16, 2.0) * norm);
        bench_end(&b);
    }
}

/* At the best response, up to the rounding of w: the gap is (eps |w| |Phi|)^2 at most, |Phi|^2 no more than the mean of |phi_t|^2,
 * which is 10 or less with nine cosines and a 1; and nothing moves it further. */
static void after_the_step_the_gap_is_zero(void **state)
{
    (void)state;
    bench b;
    bench_new(&b, 100, 9, 1);
    assert_status(blpo__best_response_find(&b.response, &b.game, 0.0), BLPO_OK);
    assert_true(b.response.gap > 0.1);
    blpo__best_response_take(&b.response, &b.game);
    assert_status(blpo__best_response_find(&b.response, &b.game, 0.0), BLPO_OK);
    double norm = 0.0;
    for (int64_t i = 0; i < b.p; i++)
        norm += (double)b.game.w[i] * (double)b.game.w[i];
    assert_true(b.response.gap <= 10.0 * 10.0 * TEST_EPSILON * TEST_EPSILON * norm);
    bench_end(&b);
}

static void a_batch_without_rows_moves_nothing(void **state)
{
    (void)state;
    bench b;
    bench_new(&b, 10, 3, 0);
    b.game.batch.n = 0;
    b.game.w[1] = 2;
    assert_status(blpo__best_response_find(&b.response, &b.game, 0.0), BLPO_OK);
    blpo__best_response_take(&b.response, &b.game);
    assert_true(b.game.w[0] == 0 && b.game.w[1] == 2 && b.game.w[2] == 0 && b.response.gap == 0.0);
    bench_end(&b);
}

static void an_overflow_is_reported(void **state)
{
    (void)state;
    bench b;
    bench_new(&b, 10, 3, 0);
    b.game.target[4] = (test_real)INFINITY;
    assert_status(blpo__best_response_find(&b.response, &b.game, 0.0), BLPO_ERR_NONFINITE);
    b.game.target[4] = 1;
    b.game.features[7] = (test_real)NAN;
    assert_status(blpo__best_response_find(&b.response, &b.game, 0.0), BLPO_ERR_NONFINITE);
    bench_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_step_is_that_of_lapack),
        cmocka_unit_test(what_the_data_leave_open_stays),
        cmocka_unit_test(normal_equations_cost_less_than_the_rounding_of_w),
        cmocka_unit_test(after_the_step_the_gap_is_zero),
        cmocka_unit_test(a_batch_without_rows_moves_nothing),
        cmocka_unit_test(an_overflow_is_reported),
    };
    return cmocka_run_group_tests_name("best response of a linear critic", tests, NULL, NULL);
}
