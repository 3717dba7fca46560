#define _POSIX_C_SOURCE 200809L /* pthread_barrier_t */
/* Sums of doubles over processes through a hook for reals: processes are threads here. */
#include "support/check.h"

#include "core/sum.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

enum { N = 200, MOST = 5 };

typedef struct meeting {
    pthread_barrier_t barrier;
    int64_t n_processes;
    test_real brought[MOST][N];
} meeting;

typedef struct side {
    meeting *place;
    int64_t index, calls, fail_at, verdict;
    double x[N];
    int code;
} side;

/* Each adds in an order of its own: exact sums do not mind. */
static int reduce(void *user, test_real *buffer, int64_t n)
{
    side *me = user;
    meeting *m = me->place;
    memcpy(m->brought[me->index], buffer, (size_t)n * sizeof *buffer);
    pthread_barrier_wait(&m->barrier);
    for (int64_t i = 0; i < n; i++) {
        buffer[i] = 0;
        for (int64_t p = 0; p < m->n_processes; p++)
            buffer[i] += m->brought[(p + me->index) % m->n_processes][i];
    }
    pthread_barrier_wait(&m->barrier);
    return ++me->calls == me->fail_at ? 7 : 0;
}

static void *sum(void *data)
{
    side *me = data;
    double rest[N];
    test_real slice[N];
    blpo_runtime runtime;
    blpo_runtime_init(&runtime, sizeof runtime);
    runtime.all_reduce = reduce;
    runtime.all_reduce_user = me;
    runtime.n_processes = me->place->n_processes;
    me->code = blpo__sum_over_processes(&runtime, me->x, N, (blpo__sum_scratch){ rest, slice }, &me->verdict);
    return NULL;
}

static void run(side *sides, int64_t n_processes)
{
    static meeting place;
    pthread_t thread[MOST];
    place.n_processes = n_processes;
    assert_int_equal(pthread_barrier_init(&place.barrier, NULL, (unsigned)n_processes), 0);
    for (int64_t p = 0; p < n_processes; p++) {
        sides[p].place = &place;
        sides[p].index = p;
        assert_int_equal(pthread_create(&thread[p], NULL, sum, &sides[p]), 0);
    }
    for (int64_t p = 0; p < n_processes; p++)
        pthread_join(thread[p], NULL);
    pthread_barrier_destroy(&place.barrier);
}

/* Sizes from 1e-9 to 1e9. */
static double number(int64_t p, int64_t i)
{
    return cos(1.7 * (double)i + 0.3 * (double)p) * pow(10.0, (double)(i % 19 - 9));
}

/* A term is cut at 2^-60 E with E at most 8 P times the sum of the largest; the rest is rounding in double: 8 slices at
 * most are added, and the sum of P doubles that is compared with, each within 2^-53 of that sum of the largest. */
static void the_sum_is_right_to_double_and_the_same_everywhere(void **state)
{
    (void)state;
    for (int64_t n_processes = 2; n_processes <= MOST; n_processes++) {
        side sides[MOST] = { 0 };
        double expected[N] = { 0 }, largest = 0.0;
        for (int64_t p = 0; p < n_processes; p++) {
            double most = 0.0;
            for (int64_t i = 0; i < N; i++) {
                sides[p].x[i] = number(p, i);
                expected[i] += number(p, i);
                most = fmax(most, fabs(number(p, i)));
            }
            largest += most;
        }
        run(sides, n_processes);
        for (int64_t p = 0; p < n_processes; p++) {
            assert_status(sides[p].code, BLPO_OK);
            assert_memory_equal(sides[p].x, sides[0].x, sizeof sides[p].x);
        }
        for (int64_t i = 0; i < N; i++)
            assert_true(fabs(sides[0].x[i] - expected[i]) <= 16.0 * ldexp(largest, -53));
    }
}

/* One process with numbers, the others with none; nothing at all; numbers below any float. */
static void zeroes_and_tiny_numbers_are_summed(void **state)
{
    (void)state;
    static const double size[3] = { 1e-3, 0.0, 1e-300 };
    for (int k = 0; k < 3; k++) {
        side sides[3] = { 0 };
        for (int64_t i = 0; i < N; i++)
            sides[1].x[i] = size[k] * number(1, i);
        run(sides, 3);
        for (int64_t i = 0; i < N; i++)
            assert_close(sides[2].x[i], size[k] * number(1, i), 0, fmax(16.0 * ldexp(size[k] * 1e9, -53), 1e-280));
    }
}

static void what_is_not_finite_in_one_is_an_error_in_all(void **state)
{
    (void)state;
    static const double bad[2] = { (double)NAN, (double)INFINITY };
    for (int k = 0; k < 2; k++)
        for (int64_t at = 0; at < N; at += 67) {
            side sides[2] = { 0 };
            for (int64_t i = 0; i < N; i++)
                sides[0].x[i] = sides[1].x[i] = number(0, i);
            sides[1].x[at] = bad[k];
            run(sides, 2);
            assert_status(sides[0].code, BLPO_ERR_NONFINITE);
            assert_status(sides[1].code, BLPO_ERR_NONFINITE);
        }
}

static void a_hook_that_gives_up_ends_the_sum(void **state)
{
    (void)state;
    for (int64_t fail_at = 1; fail_at <= 2; fail_at++) {
        side sides[2] = { { .fail_at = fail_at }, { .fail_at = fail_at } };
        sides[0].x[3] = 1.0;
        run(sides, 2);
        for (int p = 0; p < 2; p++) {
            assert_status(sides[p].code, BLPO_ERR_CALLBACK);
            assert_int_equal(sides[p].verdict, 7);
            assert_int_equal(sides[p].calls, fail_at);
        }
    }
}

static void one_process_asks_nobody(void **state)
{
    (void)state;
    side alone = { 0 };
    for (int64_t i = 0; i < N; i++)
        alone.x[i] = number(0, i);
    run(&alone, 1);
    assert_status(alone.code, BLPO_OK);
    assert_int_equal(alone.calls, 0);
    assert_true(alone.x[5] == number(0, 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sum_is_right_to_double_and_the_same_everywhere),
        cmocka_unit_test(zeroes_and_tiny_numbers_are_summed),
        cmocka_unit_test(what_is_not_finite_in_one_is_an_error_in_all),
        cmocka_unit_test(a_hook_that_gives_up_ends_the_sum),
        cmocka_unit_test(one_process_asks_nobody),
    };
    return cmocka_run_group_tests_name("sums over processes", tests, NULL, NULL);
}
