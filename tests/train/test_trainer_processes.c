#define _POSIX_C_SOURCE 200809L /* pthread_barrier_t */
/* Data-parallel training through the all-reduce hook: 2, 3 and 4 trainers, each in a thread of this process. */
#include "support/check.h"
#include "support/training.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

enum { UPDATES = 3, ROOM = 4096, MOST_SIDES = 4 };

/* Sums what all sides bring; all add in the same order, so all get equal bits. */
typedef struct meeting {
    pthread_barrier_t barrier;
    int sides;
    test_real buffer[MOST_SIDES][ROOM];
    int64_t n[MOST_SIDES];
    int mismatch[MOST_SIDES]; /* this side saw others with another length */
} meeting;

typedef struct side {
    meeting *place;
    int index;
    int64_t calls;
    script env;
    blpo_trainer *trainer;
    int code;
} side;

static int reduce(void *user, test_real *buffer, int64_t n)
{
    side *me = user;
    meeting *m = me->place;
    me->calls++;
    if (n > ROOM)
        return 1;
    memcpy(m->buffer[me->index], buffer, (size_t)n * sizeof *buffer);
    m->n[me->index] = n;
    pthread_barrier_wait(&m->barrier);
    for (int i = 0; i < m->sides; i++)
        m->mismatch[me->index] |= m->n[i] != n;
    for (int64_t i = 0; i < n; i++) {
        buffer[i] = m->buffer[0][i];
        for (int k = 1; k < m->sides; k++)
            buffer[i] += m->buffer[k][i];
    }
    pthread_barrier_wait(&m->barrier);
    return 0;
}

/* Adam with epsilon 1: the step lr m / (sqrt(v) + 1) is smooth, so that a difference of rounding stays one. */
static blpo_config process_config(void)
{
    blpo_config config = script_config();
    config.adam_epsilon = 1.0;
    config.kappa = 1e6; /* the bound compares with the norms of each process's own minibatch, or of all: not acting */
    return config;
}

static void *train(void *data)
{
    side *me = data;
    me->code = blpo_trainer_run(me->trainer, 1, NULL, NULL);
    for (int i = 1; i < UPDATES && me->code == BLPO_OK; i++)
        me->code = blpo_trainer_run(me->trainer, 1, NULL, NULL);
    return NULL;
}

static void begin(side *me, meeting *place, int index)
{
    memset(me, 0, sizeof *me);
    me->place = place;
    me->index = index;
    me->env = script_new(1, BLPO_AUTORESET_DISABLED);
    me->env.first_env = index;
    blpo_runtime runtime;
    assert_status(blpo_runtime_init(&runtime, sizeof runtime), BLPO_OK);
    runtime.all_reduce = reduce;
    runtime.all_reduce_user = me;
    runtime.n_processes = place->sides;
    runtime.process_index = index;
    const blpo_config config = process_config();
    me->trainer = script_trainer(&me->env, &config, &runtime);
}

static void run_all(meeting *place, side sides[MOST_SIDES], int n)
{
    pthread_t thread[MOST_SIDES];
    memset(place, 0, sizeof *place);
    place->sides = n;
    assert_int_equal(pthread_barrier_init(&place->barrier, NULL, (unsigned)n), 0);
    for (int i = 0; i < n; i++)
        begin(&sides[i], place, i);
    for (int i = 0; i < n; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, train, &sides[i]), 0);
    for (int i = 0; i < n; i++)
        pthread_join(thread[i], NULL);
    pthread_barrier_destroy(&place->barrier);
    for (int i = 0; i < n; i++) {
        assert_status(sides[i].code, BLPO_OK);
        assert_int_equal(place->mismatch[i], 0);
        assert_int_equal(sides[i].calls, sides[0].calls);
    }
    assert_true(sides[0].calls > 0);
}

static void end_all(side sides[MOST_SIDES], int n)
{
    for (int i = 0; i < n; i++)
        blpo_trainer_destroy(sides[i].trainer);
}

static void processes_keep_equal_parameters_to_the_bit(void **state)
{
    (void)state;
    static meeting place;
    static side sides[MOST_SIDES];
    for (int n = 2; n <= MOST_SIDES; n++) {
        run_all(&place, sides, n);
        for (int i = 1; i < n; i++)
            assert_same_parameters(sides[0].trainer, sides[i].trainer);
        end_all(sides, n);
    }
}

/* One trainer with all n environments in one minibatch minimises the same mean over trajectories; its environment i has the
 * streams of process i. Gradients of size 10 at most differ by rounding of sums of 8 n <= 32 rows, relative 64 eps; a step with
 * epsilon 1 passes that on times the learning rate, over 3 updates x 2 epochs x 4 steps. The core of Nystrom with rho 50 and
 * s 1 amplifies by less than 2; doubled twice more. */
static void check_close_to_one(int n)
{
    static meeting place;
    static side sides[MOST_SIDES];
    run_all(&place, sides, n);
    script s = script_new(n, BLPO_AUTORESET_DISABLED);
    blpo_config config = process_config();
    config.trajectories_per_minibatch = n;
    blpo_trainer *one = script_trainer(&s, &config, NULL);
    trainer_updates(one, UPDATES);
    test_real x[512], y[512];
    double expected[512];
    const int64_t p = trainer_parameters(one, x, 512);
    trainer_parameters(sides[0].trainer, y, 512);
    for (int64_t i = 0; i < p; i++)
        expected[i] = (double)x[i];
    const double bound = 8.0 * UPDATES * 2 * 4 * config.critic_learning_rate * 10.0 * 64.0 * TEST_EPSILON;
    assert_all_close(y, expected, p, 4.0 * TEST_EPSILON, bound);
    end_all(sides, n);
    blpo_trainer_destroy(one);
}

static void processes_are_close_to_one_with_all_environments(void **state)
{
    (void)state;
    for (int n = 2; n <= MOST_SIDES; n++)
        check_close_to_one(n);
}

/* A process alone whose hook plays a twin: the sum over two equal processes is twice the buffer. */
typedef struct twin {
    int64_t calls, fail_at;
} twin;

static int twice(void *user, test_real *buffer, int64_t n)
{
    twin *t = user;
    if (++t->calls == t->fail_at)
        return 31;
    for (int64_t i = 0; i < n; i++)
        buffer[i] *= 2;
    return 0;
}

static blpo_trainer *twin_trainer(script *s, twin *t)
{
    *s = script_new(2, BLPO_AUTORESET_DISABLED);
    s->reacts = 1;
    blpo_runtime runtime;
    assert_status(blpo_runtime_init(&runtime, sizeof runtime), BLPO_OK);
    runtime.all_reduce = twice;
    runtime.all_reduce_user = t;
    runtime.n_processes = 2;
    return script_trainer(s, NULL, &runtime);
}

/* The hook fails in each of its calls, one after the other: the update leaves every byte, and a retry gives the bits of a run
 * in which nothing failed. */
static void an_update_whose_all_reduce_fails_changes_no_byte(void **state)
{
    (void)state;
    script clean_env, env;
    twin clean_twin = { 0 };
    blpo_trainer *clean = twin_trainer(&clean_env, &clean_twin);
    trainer_updates(clean, 1);
    const int64_t first = clean_twin.calls;
    trainer_updates(clean, 1);
    assert_true(clean_twin.calls > first);
    for (int64_t n = first + 1; n <= clean_twin.calls; n++) {
        twin t = { 0 };
        blpo_trainer *trainer = twin_trainer(&env, &t);
        trainer_updates(trainer, 1);
        assert_status(blpo_trainer_collect(trainer), BLPO_UPDATE_DUE);
        byte_buffer before = trainer_bytes(trainer);
        t.fail_at = n;
        assert_status(blpo_trainer_update(trainer, NULL), BLPO_ERR_CALLBACK);
        assert_int_equal(blpo_trainer_error(trainer)->callback_code, 31);
        assert_trainer_is(trainer, &before);
        assert_status(blpo_trainer_update(trainer, NULL), BLPO_OK);
        assert_same_trainer(trainer, clean);
        bytes_free(&before);
        blpo_trainer_destroy(trainer);
    }
    blpo_trainer_destroy(clean);
}

/* The mean over two equal processes is that of one: multiplying by 2 and halving loses no bit. */
static void equal_twins_train_as_one(void **state)
{
    (void)state;
    script a, b = script_new(2, BLPO_AUTORESET_DISABLED);
    b.reacts = 1;
    twin t = { 0 };
    blpo_trainer *doubled = twin_trainer(&a, &t), *single = script_trainer(&b, NULL, NULL);
    trainer_updates(doubled, 3);
    trainer_updates(single, 3);
    assert_same_parameters(doubled, single);
    blpo_trainer_destroy(doubled);
    blpo_trainer_destroy(single);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(processes_keep_equal_parameters_to_the_bit),
        cmocka_unit_test(processes_are_close_to_one_with_all_environments),
        cmocka_unit_test(an_update_whose_all_reduce_fails_changes_no_byte),
        cmocka_unit_test(equal_twins_train_as_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
