/* Environments whose rows are stepped in blocks, at the same time where there are threads: the blocks are those of the header,
 * the bits those of one call for all, and a block that fails takes nothing from the others and gives nothing twice. */
#define _POSIX_C_SOURCE 200809L /* pthread_barrier_t */
#include "support/check.h"
#include "support/training.h"

#include <pthread.h>
#include <string.h>

/* --- a world whose rows know nothing of each other --- */

enum { MOST_ROWS = 40, MOST_CALLS = 64 };

/* Plain numbers: two threads in one row would be a race. */
typedef struct row {
    uint64_t seed;
    int64_t time, steps, resets;
    int64_t refuses_at, refusals; /* when so many steps are taken, so often */
    int refuses_with;
    int64_t reset_refusals;
} row;

typedef struct world {
    row rows[MOST_ROWS];
    pthread_barrier_t *meeting; /* NULL, or where every call waits for others */
    int records;                /* keep what was asked; one thread only */
    int64_t first[MOST_CALLS], count[MOST_CALLS], n_calls;
} world;

static void look(const row *r, test_real *obs)
{
    obs[0] = (test_real)(0.25 * (double)(r->seed % 16));
    obs[1] = (test_real)(0.125 * (double)r->time);
}

static int refusal(world *w, int64_t first, int64_t count)
{
    for (row *r = w->rows + first; r < w->rows + first + count; r++)
        if (r->refusals > 0 && r->steps == r->refuses_at) {
            r->refusals--;
            return r->refuses_with;
        }
    return 0;
}

static int world_step(void *user, blpo_step *io)
{
    world *w = user;
    if (w->records && w->n_calls < MOST_CALLS) {
        w->first[w->n_calls] = io->first;
        w->count[w->n_calls++] = io->count;
    }
    if (w->meeting)
        pthread_barrier_wait(w->meeting);
    const int verdict = refusal(w, io->first, io->count);
    for (int64_t i = 0; verdict == 0 && i < io->count; i++) {
        row *r = &w->rows[io->first + i];
        r->time++;
        r->steps++;
        io->reward[i] = (test_real)(1 + io->discrete_action[i]);
        io->terminated[i] = r->time == 3 + (int64_t)(r->seed % 3);
        look(r, io->obs + i * SCRIPT_OBS);
    }
    return verdict;
}

static int world_reset(void *user, blpo_reset *io)
{
    world *w = user;
    for (int64_t i = 0; i < io->count; i++) {
        row *r = &w->rows[io->first + i];
        if (io->mask[i] && r->reset_refusals > 0) {
            r->reset_refusals--;
            return 6;
        }
    }
    for (int64_t i = 0; i < io->count; i++) {
        row *r = &w->rows[io->first + i];
        if (!io->mask[i])
            continue;
        r->seed = io->seed[i];
        r->time = 0;
        r->resets++;
        look(r, io->obs + i * SCRIPT_OBS);
    }
    return 0;
}

static blpo_trainer *world_trainer(world *w, int64_t n_envs, int64_t concurrent_rows, int64_t n_threads)
{
    const blpo_config config = script_config();
    blpo_trainer *trainer = NULL;
    blpo_runtime runtime;
    blpo_env env;
    assert_status(blpo_env_init(&env, sizeof env), BLPO_OK);
    assert_int_equal(env.concurrent_rows, 0);
    env.user = w;
    env.n_envs = n_envs;
    env.obs_dim = SCRIPT_OBS;
    env.action.kind = BLPO_ACTION_DISCRETE;
    env.action.n = 2;
    env.step = world_step;
    env.reset = world_reset;
    env.concurrent_rows = concurrent_rows;
    assert_status(blpo_runtime_init(&runtime, sizeof runtime), BLPO_OK);
    runtime.n_threads = n_threads;
    assert_status(blpo_trainer_create(&env, &config, &runtime, &trainer), BLPO_OK);
    return trainer;
}

/* --- blocks --- */

static void check_blocks(int64_t n_envs, int64_t concurrent_rows, int64_t expected)
{
    world w = { .records = 1 };
    blpo_trainer *trainer = world_trainer(&w, n_envs, concurrent_rows, 1);
    assert_status(blpo_trainer_collect(trainer), BLPO_UPDATE_DUE);
    for (int64_t call = 0; call < 2 * expected; call++) { /* two steps: the blocks are the same */
        const int64_t block = call % expected;
        assert_int_equal(w.first[call], block == 0 ? 0 : w.first[call - 1] + w.count[call - 1]);
        assert_true(w.count[call] >= (expected > 1 ? concurrent_rows : n_envs));
        if (block == expected - 1)
            assert_int_equal(w.first[call] + w.count[call], n_envs);
    }
    blpo_trainer_destroy(trainer);
}

static void rows_are_shared_out_as_the_header_says(void **state)
{
    (void)state;
    check_blocks(7, 0, 1);
    check_blocks(7, 1, 7);
    check_blocks(7, 2, 3);
    check_blocks(7, 3, 2);
    check_blocks(7, 4, 1);
    check_blocks(7, 7, 1);
    check_blocks(7, 100, 1);
    check_blocks(40, 1, 16);
    check_blocks(33, 2, 16);
    check_blocks(1, 1, 1);
}

static void a_negative_number_of_rows_is_refused(void **state)
{
    (void)state;
    script s = script_new(2, BLPO_AUTORESET_DISABLED);
    s.concurrent_rows = -1;
    const blpo_env env = script_env(&s);
    const blpo_config config = script_config();
    blpo_error error = { 0 };
    blpo_trainer *trainer = NULL;
    blpo_runtime runtime;
    assert_status(blpo_runtime_init(&runtime, sizeof runtime), BLPO_OK);
    runtime.error = &error;
    assert_status(blpo_trainer_create(&env, &config, &runtime, &trainer), BLPO_ERR_CONFIG);
    assert_error_names(&error, BLPO_ERR_CONFIG, "concurrent_rows");
}

/* --- threads --- */

static void any_number_of_threads_and_blocks_gives_the_same_bits(void **state)
{
    (void)state;
    static const int64_t threads[] = { 1, 2, 3, 8 }, rows[] = { 1, 2, 3 };
    world one = { 0 };
    blpo_trainer *whole = world_trainer(&one, 6, 0, 1);
    trainer_updates(whole, 5);
    for (int64_t i = 0; i < TEST_COUNT(threads); i++)
        for (int64_t j = 0; j < TEST_COUNT(rows); j++) {
            world w = { 0 };
            blpo_trainer *trainer = world_trainer(&w, 6, rows[j], threads[i]);
            trainer_updates(trainer, 5);
            assert_same_trainer(trainer, whole);
            assert_memory_equal(w.rows, one.rows, sizeof w.rows);
            blpo_trainer_destroy(trainer);
        }
    blpo_trainer_destroy(whole);
}

/* No call can end before as many as there are blocks have begun. */
static void blocks_run_at_the_same_time(void **state)
{
    (void)state;
    pthread_barrier_t meeting;
    assert_int_equal(pthread_barrier_init(&meeting, NULL, 3), 0);
    world w = { .meeting = &meeting };
    blpo_trainer *trainer = world_trainer(&w, 7, 2, 3);
    trainer_updates(trainer, 2);
    blpo_trainer_destroy(trainer);
    pthread_barrier_destroy(&meeting);
}

/* --- failures --- */

static void assert_steps(const world *w, int64_t n, int64_t steps, int64_t first_late, int64_t second_late)
{
    for (int64_t e = 0; e < n; e++)
        assert_int_equal(w->rows[e].steps, steps - (e == first_late || e == second_late));
}

/* Rows 1 and 4 refuse the same step, row 4 once more: the lowest is told of, every other row has taken the step, and none
 * takes it twice. */
static void the_lowest_block_is_told_of_and_the_others_have_stepped(void **state)
{
    (void)state;
    world clean = { 0 };
    blpo_trainer *whole = world_trainer(&clean, 6, 0, 1);
    trainer_updates(whole, 3);
    for (int64_t threads = 1; threads <= 4; threads++) {
        world w = { 0 };
        w.rows[1] = (row){ .refuses_at = 11, .refusals = 1, .refuses_with = -5 };
        w.rows[4] = (row){ .refuses_at = 11, .refusals = 2, .refuses_with = -7 };
        blpo_trainer *trainer = world_trainer(&w, 6, 1, threads);
        trainer_updates(trainer, 1);
        assert_status(blpo_trainer_collect(trainer), BLPO_ERR_CALLBACK);
        const blpo_error *error = blpo_trainer_error(trainer);
        assert_true(error->env == 1 && error->step == 3 && error->callback_code == -5);
        assert_steps(&w, 6, 12, 1, 4);
        assert_status(blpo_trainer_collect(trainer), BLPO_ERR_CALLBACK);
        assert_true(error->env == 4 && error->step == 3 && error->callback_code == -7);
        assert_steps(&w, 6, 12, 4, 4);
        trainer_updates(trainer, 2);
        assert_same_trainer(trainer, whole);
        blpo_trainer_destroy(trainer);
    }
    blpo_trainer_destroy(whole);
}

static script make(int64_t concurrent_rows)
{
    script s = script_new(5, BLPO_AUTORESET_DISABLED);
    s.reacts = 1;
    s.concurrent_rows = concurrent_rows;
    return s;
}

/* Environment 3 fails once; all rows of its block stay where they were, those of other blocks go on. */
static void a_step_that_fails_is_asked_for_again_where_it_failed(void **state)
{
    (void)state;
    static const struct {
        script_fault fault;
        int code, of_block; /* of_block: the error names the first row of the block */
    } faults[] = { { SCRIPT_GIVES_UP, BLPO_ERR_CALLBACK, 1 },
                   { SCRIPT_NAN_OBS, BLPO_ERR_NONFINITE, 0 },
                   { SCRIPT_INF_OBS, BLPO_ERR_NONFINITE, 0 },
                   { SCRIPT_NAN_REWARD, BLPO_ERR_NONFINITE, 0 },
                   { SCRIPT_BAD_FLAG, BLPO_ERR_ARGUMENT, 0 } };
    for (int32_t autoreset = BLPO_AUTORESET_DISABLED; autoreset <= BLPO_AUTORESET_NEXT_STEP; autoreset++) {
        script plain = make(0);
        plain.autoreset = autoreset;
        blpo_trainer *clean = script_trainer(&plain, NULL, NULL);
        trainer_updates(clean, 3);
        for (int64_t i = 0; i < TEST_COUNT(faults); i++) {
            for (int64_t rows = 1; rows <= 2; rows++) {
                script s = make(rows);
                s.autoreset = autoreset;
                s.fault = faults[i].fault;
                s.fault_env = 3;
                s.fault_step = 5;
                s.fault_times = 1;
                blpo_trainer *trainer = script_trainer(&s, NULL, NULL);
                assert_status(blpo_trainer_collect(trainer), faults[i].code);
                const int64_t first = rows == 1 ? 3 : 2; /* of two blocks of 2 and 3 rows the second */
                assert_int_equal(blpo_trainer_error(trainer)->env, faults[i].of_block ? first : 3);
                trainer_updates(trainer, 3);
                assert_int_equal(s.violations, 0);
                assert_same_trainer(trainer, clean);
                blpo_trainer_destroy(trainer);
            }
        }
        blpo_trainer_destroy(clean);
    }
}

/* Rows 2 and 5 refuse their first reset; the others have begun, and begin again with the same seed. */
static void a_reset_that_fails_is_asked_for_again_with_the_same_seeds(void **state)
{
    (void)state;
    world clean = { 0 };
    blpo_trainer *whole = world_trainer(&clean, 6, 0, 1);
    trainer_updates(whole, 2);
    for (int64_t threads = 1; threads <= 4; threads += 3) {
        world w = { 0 };
        w.rows[2].reset_refusals = 1;
        w.rows[5].reset_refusals = 2;
        blpo_trainer *trainer = world_trainer(&w, 6, 1, threads);
        const blpo_error *error = blpo_trainer_error(trainer);
        assert_status(blpo_trainer_collect(trainer), BLPO_ERR_CALLBACK);
        assert_true(error->env == 2 && error->callback_code == 6 && error->stage == BLPO_STAGE_RESET);
        assert_status(blpo_trainer_collect(trainer), BLPO_ERR_CALLBACK);
        assert_true(error->env == 5 && error->callback_code == 6);
        assert_true(w.rows[0].resets == 2 && w.rows[2].resets == 1 && w.rows[5].resets == 0);
        trainer_updates(trainer, 2);
        assert_same_trainer(trainer, whole);
        blpo_trainer_destroy(trainer);
    }
    blpo_trainer_destroy(whole);
}

/* A verdict above 0 without a mark means the rows of that call. */
static void a_block_whose_environments_failed_is_void_alone(void **state)
{
    (void)state;
    static const struct {
        script_fault fault;
        int64_t rows, n_void;
    } cases[] = {
        { SCRIPT_ALL_FAIL, 0, 5 }, { SCRIPT_ALL_FAIL, 1, 1 }, { SCRIPT_ALL_FAIL, 2, 3 }, { SCRIPT_ROW_FAILS, 2, 1 }
    };
    for (int64_t i = 0; i < TEST_COUNT(cases); i++) {
        script s = make(cases[i].rows);
        s.fault = cases[i].fault;
        s.fault_env = 3;
        s.fault_step = 4;
        s.fault_times = 1;
        blpo_trainer *trainer = script_trainer(&s, NULL, NULL);
        trainer_updates(trainer, 2);
        assert_int_equal(trainer_metrics(trainer).n_void_episodes, cases[i].n_void);
        assert_int_equal(s.violations, 0);
        blpo_trainer_destroy(trainer);
    }
}

/* --- checkpoints --- */

/* Some rows are a step ahead of what the trainer knows: a file cannot say so, and a load begins new episodes. */
static void a_step_that_is_half_taken_is_not_in_a_checkpoint(void **state)
{
    (void)state;
    script s = make(1), t = make(1), plain = make(0);
    s.fault = SCRIPT_GIVES_UP;
    s.fault_env = 3;
    s.fault_step = 5;
    s.fault_times = 1;
    blpo_trainer *trainer = script_trainer(&s, NULL, NULL), *other = script_trainer(&t, NULL, NULL);
    blpo_trainer *clean = script_trainer(&plain, NULL, NULL);
    assert_status(blpo_trainer_collect(trainer), BLPO_ERR_CALLBACK);
    s.save_fails = 1; /* it is not asked to */
    byte_buffer bytes = trainer_bytes(trainer);
    s.save_fails = 0;
    t.load_fails = 1;
    assert_status(blpo_trainer_load(other, bytes_read, &bytes), BLPO_OK);
    assert_status(blpo_trainer_collect(other), BLPO_UPDATE_DUE);
    assert_true(t.now.resets[0] > 0 && t.violations == 0);
    trainer_updates(trainer, 2); /* the one that was saved goes on as if nothing had happened */
    trainer_updates(clean, 2);
    assert_same_trainer(trainer, clean);
    bytes_free(&bytes);
    blpo_trainer_destroy(trainer);
    blpo_trainer_destroy(other);
    blpo_trainer_destroy(clean);
}

/* A load in the place of the rest of a step: nothing of that step is left. */
static void a_load_ends_a_step_that_is_half_taken(void **state)
{
    (void)state;
    script s = make(1), plain = make(1);
    s.fault = SCRIPT_GIVES_UP;
    s.fault_env = 3;
    s.fault_step = 8 + 3;
    s.fault_times = 1;
    blpo_trainer *trainer = script_trainer(&s, NULL, NULL), *clean = script_trainer(&plain, NULL, NULL);
    trainer_updates(trainer, 1);
    byte_buffer bytes = trainer_bytes(trainer);
    assert_status(blpo_trainer_collect(trainer), BLPO_ERR_CALLBACK);
    assert_status(blpo_trainer_load(trainer, bytes_read, &bytes), BLPO_OK);
    trainer_updates(trainer, 2);
    trainer_updates(clean, 3);
    assert_int_equal(s.violations, 0);
    assert_same_trainer(trainer, clean);
    bytes_free(&bytes);
    blpo_trainer_destroy(trainer);
    blpo_trainer_destroy(clean);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_shared_out_as_the_header_says),
        cmocka_unit_test(a_negative_number_of_rows_is_refused),
        cmocka_unit_test(any_number_of_threads_and_blocks_gives_the_same_bits),
        cmocka_unit_test(blocks_run_at_the_same_time),
        cmocka_unit_test(the_lowest_block_is_told_of_and_the_others_have_stepped),
        cmocka_unit_test(a_step_that_fails_is_asked_for_again_where_it_failed),
        cmocka_unit_test(a_reset_that_fails_is_asked_for_again_with_the_same_seeds),
        cmocka_unit_test(a_block_whose_environments_failed_is_void_alone),
        cmocka_unit_test(a_step_that_is_half_taken_is_not_in_a_checkpoint),
        cmocka_unit_test(a_load_ends_a_step_that_is_half_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
