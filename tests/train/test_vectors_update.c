/* Whole updates against the reference: the vector files that hold trajectories, an order and Nystrom indices, through the
 * trainer's own update, which is told that order and those indices in place of its draws.
 *
 * Tolerances. Float64: 1e-7 in norm, since an Adam step divides by |g| + 1e-5 and so may amplify a rounding error of g a
 * hundred thousand times. Float32: an element of a gradient that is all rounding error may move its parameter by the
 * whole learning rate in each step, so single elements are held to that, and their mean to a twentieth of it. */
#include "support/check.h"
#include "support/play.h"

#include "rl/critic.h"
#include "rl/policy.h"
#include "train/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const NEEDED[] = { "order", "indices", "trajectory.0.obs", NULL };

static int64_t *integers(const vec_file *file, const char *name)
{
    const vec_record *record = vec_need(file, name);
    int64_t *out = calloc((size_t)record->size, sizeof *out);
    for (int64_t i = 0; i < record->size; i++)
        out[i] = (int64_t)record->value[i];
    return out;
}

static blpo_trainer *trainer_of(const vec_file *file, blpo_policy *policy, blpo_critic *critic)
{
    const vec_record *order = vec_need(file, "order");
    blpo_env env;
    blpo_trainer *trainer = NULL;
    blpo_config config = vec_config(file);
    blpo_env_init(&env, sizeof env);
    env.n_envs = order->dim[1];
    env.obs_dim = blpo_policy_obs_dim(policy);
    assert_status(blpo_policy_action_space(policy, &env.action), BLPO_OK);
    config.n_epochs = order->dim[0];
    config.n_steps = vec_of_trajectory(file, "trajectory.%d.", 0, "reward")->size;
    config.policy = policy;
    config.critic = critic;
    assert_status(blpo_trainer_create(&env, &config, NULL, &trainer), BLPO_OK);
    return trainer;
}

/* The returns that the update freezes are those of the file: the file's were made with the critic it starts from. */
static void check_returns(const vec_file *file, const blpo_trainer *trainer, int64_t n_envs)
{
    for (int64_t e = 0; e < n_envs; e++) {
        const vec_record *ret = vec_of_trajectory(file, "trajectory.%d.", e, "ret");
        for (int64_t t = 0; t < ret->size; t++)
            assert_close(trainer->returns[e * ret->size + t], ret->value[t], 100 * TEST_EPSILON, 100 * TEST_EPSILON);
    }
}

static void check_updated(const test_real *actual, const vec_file *file, const char *prefix, double rate, double steps)
{
    int64_t n;
    double *expected = vec_network_parameters(file, prefix, &n), sum = 0.0;
    if (sizeof(test_real) == sizeof(double))
        assert_near(actual, expected, n, 1e-7, 0);
    for (int64_t i = 0; i < n; i++) {
        const double away = fabs((double)actual[i] - expected[i]);
        assert_true(away <= steps * rate);
        sum += away;
    }
    assert_true(sum / (double)n <= 0.05 * steps * rate);
    free(expected);
}

static void check_update(const vec_file *file)
{
    blpo_policy *policy = vec_policy(file, "actor");
    blpo_critic *critic = vec_critic(file, "critic");
    blpo_trainer *trainer = trainer_of(file, policy, critic);
    const int64_t n_envs = trainer->env.n_envs;
    int64_t *order = integers(file, "order"), *indices = integers(file, "indices");

    blpo_rollout *made = trainer->rollout;
    trainer->rollout = vec_rollout(file, "trajectory.%d.", n_envs, policy);
    trainer->plan.order = order;
    trainer->plan.indices = indices;
    blpo_metrics metrics = { .struct_size = sizeof metrics };
    assert_status(blpo_trainer_update(trainer, &metrics), BLPO_OK);

    const double n = (double)vec_need(file, "order")->size;
    assert_int_equal(metrics.n_minibatches, (int64_t)n);
    check_returns(file, trainer, n_envs);
    check_updated(policy->parameters, file, "updated.actor", vec_scalar(file, "actor_lr"), n);
    check_updated(critic->parameters, file, "updated.critic", vec_scalar(file, "critic_lr"),
                  n * vec_scalar(file, "critic_steps"));

    blpo_rollout_destroy(trainer->rollout);
    trainer->rollout = made;
    blpo_trainer_destroy(trainer);
    blpo_critic_destroy(critic);
    blpo_policy_destroy(policy);
    free(order);
    free(indices);
}

static void whole_updates_match_the_reference(void **state)
{
    (void)state;
    vec_for_each(NEEDED, check_update);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(whole_updates_match_the_reference) };
    return cmocka_run_group_tests_name("vectors of whole updates", tests, NULL, NULL);
}
