/* A solver in two threads at once: the second one is refused, and the first one's result is that of a solver left alone. */
#define _POSIX_C_SOURCE 200809L /* pthread_barrier_t */
#include "support/check.h"
#include "support/spectra.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum { Q = 3, THREADS = 4 };

typedef struct fixture {
    spectrum matrix;
    quadratic quad;
    double jacobian[SPECTRUM_MAX_JACOBIAN], mixed[Q * SPECTRUM_MAX_P];
    test_real v[SPECTRUM_MAX_P], direct[Q], out[Q];
    blpo_hypergrad *solver;
    pthread_barrier_t inside, tried;
    int64_t calls;
    int code;
} fixture;

/* Conjugate gradients: they draw nothing, so that every solve of the same v gives the same bits. */
static void begin(fixture *f)
{
    memset(f, 0, sizeof *f);
    spectrum_problem(Q, BLPO_CURVATURE_HESSIAN, &f->matrix, f->jacobian, f->mixed, &f->quad, f->v, f->direct);
    blpo_hypergrad_config config = solver_config(BLPO_IHVP_CG, 4, 0.5, 1.0);
    config.cg_iterations = 4;
    f->solver = solver_new(&f->quad, 0, &config);
}

static void *compute(void *data)
{
    fixture *f = data;
    f->code = blpo_hypergrad_compute(f->solver, f->direct, f->v, f->out, NULL);
    return NULL;
}

/* The third product waits until the other thread has tried. */
static void stand(quadratic *quad)
{
    fixture *f = quad->inside_data;
    if (++f->calls != 3)
        return;
    pthread_barrier_wait(&f->inside);
    pthread_barrier_wait(&f->tried);
}

static void a_second_thread_is_refused_while_the_first_solves(void **state)
{
    (void)state;
    fixture f, alone;
    test_real x[SPECTRUM_MAX_P], touched[SPECTRUM_MAX_P];
    const int64_t index[4] = { 0, 1, 2, 3 };
    pthread_t thread;
    begin(&alone);
    compute(&alone);
    begin(&f);
    f.quad.inside = stand;
    f.quad.inside_data = &f;
    memset(x, 0x5A, sizeof x);
    memcpy(touched, x, sizeof x);
    assert_int_equal(pthread_barrier_init(&f.inside, NULL, 2), 0);
    assert_int_equal(pthread_barrier_init(&f.tried, NULL, 2), 0);
    assert_int_equal(pthread_create(&thread, NULL, compute, &f), 0);
    pthread_barrier_wait(&f.inside);
    assert_status(blpo_hypergrad_solve(f.solver, f.v, x, NULL), BLPO_ERR_BUSY);
    assert_status(blpo_hypergrad_compute(f.solver, f.direct, f.v, x, NULL), BLPO_ERR_BUSY);
    assert_status(blpo_hypergrad_set_indices(f.solver, index, 4), BLPO_ERR_BUSY);
    assert_status(blpo_hypergrad_set_indices(f.solver, NULL, 0), BLPO_ERR_BUSY);
    pthread_barrier_wait(&f.tried);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_memory_equal(x, touched, sizeof x);
    assert_status(alone.code, BLPO_OK);
    assert_status(f.code, BLPO_OK);
    assert_memory_equal(f.out, alone.out, sizeof f.out);
    pthread_barrier_destroy(&f.inside);
    pthread_barrier_destroy(&f.tried);
    blpo_hypergrad_destroy(f.solver);
    blpo_hypergrad_destroy(alone.solver);
}

/* Each thread asks until all together were granted a thousand solves: each of them has the bits of one alone. */
typedef struct crowd {
    fixture *f;
    test_real expected[SPECTRUM_MAX_P];
    atomic_int granted, wrong;
} crowd;

static void *push_in(void *data)
{
    crowd *c = data;
    test_real x[SPECTRUM_MAX_P];
    while (atomic_load(&c->granted) < 1000) {
        const int code = blpo_hypergrad_solve(c->f->solver, c->f->v, x, NULL);
        const int good = code == BLPO_OK && memcmp(x, c->expected, (size_t)c->f->quad.p * sizeof *x) == 0;
        atomic_fetch_add(&c->granted, code == BLPO_OK);
        atomic_fetch_add(&c->wrong, !good && code != BLPO_ERR_BUSY);
    }
    return NULL;
}

static void a_crowd_of_threads_gets_right_answers_or_none(void **state)
{
    (void)state;
    fixture f;
    begin(&f);
    crowd c = { .f = &f };
    pthread_t thread[THREADS];
    assert_status(blpo_hypergrad_solve(f.solver, f.v, c.expected, NULL), BLPO_OK);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, push_in, &c), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    assert_int_equal(atomic_load(&c.wrong), 0);
    blpo_hypergrad_stats stats = { .struct_size = sizeof stats };
    assert_status(blpo_hypergrad_get_stats(f.solver, &stats), BLPO_OK);
    assert_int_equal(stats.n_solves, atomic_load(&c.granted) + 1);
    blpo_hypergrad_destroy(f.solver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_thread_is_refused_while_the_first_solves),
        cmocka_unit_test(a_crowd_of_threads_gets_right_answers_or_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
