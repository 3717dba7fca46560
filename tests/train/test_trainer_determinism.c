/* Same seed, same bits: whatever runs the pieces. No memory after create. Several processes are one. */
#include "support/check.h"
#include "support/memory.h"
#include "support/training.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

static script make(int64_t n_envs)
{
    script s = script_new(n_envs, BLPO_AUTORESET_DISABLED);
    s.reacts = 1;
    return s;
}

/* Beside the methods: conjugate gradients with a preconditioner. */
enum { PRECONDITIONED_CG = BLPO_IHVP_GAUSS_NEWTON + 1 };

/* 4 environments x 96 steps in one minibatch: several tiles of rows, so that there are pieces to share out. */
static blpo_config large_config(int ihvp_method)
{
    blpo_config config = script_config();
    config.n_steps = 96;
    config.trajectories_per_minibatch = 4;
    config.ihvp_method = ihvp_method == PRECONDITIONED_CG ? BLPO_IHVP_CG : ihvp_method;
    config.cg_preconditioner =
        ihvp_method == PRECONDITIONED_CG ? BLPO_PRECONDITIONER_GAUSS_NEWTON : BLPO_PRECONDITIONER_NONE;
    config.diagnostics_interval = 1;
    config.entropy_coefficient = 0.01;
    config.normalize_advantages = 1;
    config.max_gradient_norm = 0.5;
    return config;
}

static blpo_trainer *trained(script *s, const blpo_config *config, const blpo_runtime *runtime)
{
    *s = make(4);
    blpo_trainer *trainer = script_trainer(s, config, runtime);
    trainer_updates(trainer, 2);
    return trainer;
}

static void the_same_seed_gives_the_same_bits_and_another_does_not(void **state)
{
    (void)state;
    script a, b, c;
    blpo_config config = large_config(BLPO_IHVP_NYSTROM);
    blpo_trainer *one = trained(&a, &config, NULL), *two = trained(&b, &config, NULL);
    assert_same_trainer(one, two);
    config.seed++;
    blpo_trainer *three = trained(&c, &config, NULL);
    test_real x[512], y[512];
    const int64_t n = trainer_parameters(one, x, 512);
    trainer_parameters(three, y, 512);
    assert_memory_not_equal(x, y, (size_t)n * sizeof *x);
    blpo_trainer_destroy(one);
    blpo_trainer_destroy(two);
    blpo_trainer_destroy(three);
}

/* Odd numbers and more threads than pieces. */
static void any_number_of_threads_gives_the_same_bits(void **state)
{
    (void)state;
    static const int64_t threads[4] = { 2, 3, 7, 24 };
    for (int method = BLPO_IHVP_NONE; method <= PRECONDITIONED_CG; method++) {
        script a, b;
        const blpo_config config = large_config(method);
        blpo_trainer *single = trained(&a, &config, NULL);
        for (int i = 0; i < 4; i++) {
            blpo_runtime runtime;
            assert_status(blpo_runtime_init(&runtime, sizeof runtime), BLPO_OK);
            runtime.n_threads = threads[i];
            blpo_trainer *many = trained(&b, &config, &runtime);
            assert_same_trainer(single, many);
            blpo_trainer_destroy(many);
        }
        blpo_trainer_destroy(single);
    }
}

typedef struct hook {
    int64_t calls, pieces;
} hook;

/* The other way round: order must not matter. */
static void backwards(void *user, int64_t n, blpo_task_fn task, void *context)
{
    hook *h = user;
    h->calls++;
    h->pieces += n;
    for (int64_t i = n - 1; i >= 0; i--)
        task(context, i);
}

static void a_parallel_hook_that_runs_backwards_gives_the_same_bits(void **state)
{
    (void)state;
    script a, b;
    hook h = { 0 };
    const blpo_config config = large_config(BLPO_IHVP_NYSTROM);
    blpo_runtime runtime;
    assert_status(blpo_runtime_init(&runtime, sizeof runtime), BLPO_OK);
    runtime.parallel_for = backwards;
    runtime.parallel_user = &h;
    blpo_trainer *plain = trained(&a, &config, NULL), *hooked = trained(&b, &config, &runtime);
    assert_true(h.calls > 0 && h.pieces > h.calls); /* there was something to share out */
    assert_same_trainer(plain, hooked);
    blpo_trainer_destroy(plain);
    blpo_trainer_destroy(hooked);
}

/* Networks so large that blocks of parameters are shared out as well: Adam, and the last sum of the rows of H. No clipping, whose
 * norm would be another one. */
static void parameters_are_shared_out_with_the_same_bits(void **state)
{
    (void)state;
    static const int64_t width[2] = { 64, 64 }, threads[3] = { 2, 3, 7 };
    script a, b;
    hook h = { 0 };
    blpo_config config = large_config(BLPO_IHVP_NYSTROM);
    config.actor_network.hidden = config.critic_network.hidden = width;
    config.actor_network.n_hidden = config.critic_network.n_hidden = 2;
    config.max_gradient_norm = 0.0;
    blpo_trainer *single = trained(&a, &config, NULL);
    for (int i = 0; i < 4; i++) {
        blpo_runtime runtime;
        assert_status(blpo_runtime_init(&runtime, sizeof runtime), BLPO_OK);
        runtime.n_threads = i < 3 ? threads[i] : 1;
        runtime.parallel_for = i < 3 ? NULL : backwards;
        runtime.parallel_user = i < 3 ? NULL : &h;
        blpo_trainer *many = trained(&b, &config, &runtime);
        assert_same_trainer(single, many);
        blpo_trainer_destroy(many);
    }
    assert_true(h.pieces > h.calls);
    blpo_trainer_destroy(single);
}

static void a_thousand_updates_take_no_memory_after_create(void **state)
{
    (void)state;
    for (int32_t method = BLPO_METHOD_BLPO; method <= BLPO_METHOD_PPO; method++) {
        script s = make(2);
        counted_memory memory = { 0 };
        const blpo_runtime runtime = counted_runtime(&memory, NULL);
        blpo_config config = script_config();
        config.n_steps = 4;
        config.n_epochs = 1;
        config.diagnostics_interval = 10;
        assert_status(blpo_config_set_method(&config, method), BLPO_OK);
        blpo_trainer *trainer = script_trainer(&s, &config, &runtime);
        const int64_t calls = memory.calls, live = memory.live;
        assert_status(blpo_trainer_run(trainer, 1000 * 8, NULL, NULL), BLPO_OK);
        assert_int_equal(trainer_metrics(trainer).n_updates, 1000);
        assert_int_equal(memory.calls, calls);
        assert_int_equal(memory.live, live);
        blpo_trainer_destroy(trainer);
        assert_all_released(&memory);
    }
}

/* Each allocation of a trainer with every part and threads is made to fail once. */
static void create_unwinds_when_any_allocation_fails(void **state)
{
    (void)state;
    for (int method = BLPO_IHVP_NONE; method <= PRECONDITIONED_CG; method++) {
        script s = make(4);
        const blpo_env env = script_env(&s);
        const blpo_config config = large_config(method);
        counted_memory memory = { 0 };
        blpo_error error = { 0 };
        blpo_runtime runtime = counted_runtime(&memory, &error);
        runtime.n_threads = 2;
        blpo_trainer *trainer = script_trainer(&s, &config, &runtime);
        blpo_trainer_destroy(trainer);
        const int64_t calls = memory.calls;
        for (int64_t n = 1; n <= calls; n++) {
            memory = (counted_memory){ .fail_at = n };
            blpo_trainer *out = NULL;
            assert_status(blpo_trainer_create(&env, &config, &runtime, &out), BLPO_ERR_NOMEM);
            assert_null(out);
            assert_int_equal(error.code, BLPO_ERR_NOMEM);
            assert_all_released(&memory);
        }
    }
}

/* Two trainers of one program at once, each with threads: nothing is shared. */
static void *train_alone(void *data)
{
    blpo_trainer *trainer = data;
    int code = blpo_trainer_run(trainer, 10 * 4 * 96, NULL, NULL);
    return code == BLPO_OK ? NULL : data;
}

static void trainers_in_two_threads_do_not_disturb_each_other(void **state)
{
    (void)state;
    script s[3];
    blpo_trainer *trainer[3];
    pthread_t thread[2];
    void *wrong[2];
    const blpo_config config = large_config(BLPO_IHVP_NYSTROM);
    blpo_runtime runtime;
    assert_status(blpo_runtime_init(&runtime, sizeof runtime), BLPO_OK);
    runtime.n_threads = 2;
    for (int i = 0; i < 3; i++) {
        s[i] = make(4);
        trainer[i] = script_trainer(&s[i], &config, &runtime);
    }
    assert_null(train_alone(trainer[2]));
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, train_alone, trainer[i]), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(thread[i], &wrong[i]), 0);
    for (int i = 0; i < 2; i++) {
        assert_null(wrong[i]);
        assert_same_trainer(trainer[i], trainer[2]);
    }
    for (int i = 0; i < 3; i++)
        blpo_trainer_destroy(trainer[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_bits_and_another_does_not),
        cmocka_unit_test(any_number_of_threads_gives_the_same_bits),
        cmocka_unit_test(a_parallel_hook_that_runs_backwards_gives_the_same_bits),
        cmocka_unit_test(parameters_are_shared_out_with_the_same_bits),
        cmocka_unit_test(a_thousand_updates_take_no_memory_after_create),
        cmocka_unit_test(create_unwinds_when_any_allocation_fails),
        cmocka_unit_test(trainers_in_two_threads_do_not_disturb_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
