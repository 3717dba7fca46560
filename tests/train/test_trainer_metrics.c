/* An update whose figures have no number is an error that names one and leaves every byte: OK never goes with a NaN or an
 * infinity, wherever it came from. */
#include "support/check.h"
#include "support/training.h"

#include <math.h>
#include <string.h>

/* The update fails so, names the field, and changes nothing. */
static void assert_update_fails(blpo_trainer *trainer, const char *field)
{
    byte_buffer before = trainer_bytes(trainer);
    blpo_metrics metrics = { .struct_size = sizeof metrics };
    assert_status(blpo_trainer_update(trainer, &metrics), BLPO_ERR_NONFINITE);
    if (field != NULL)
        assert_string_equal(blpo_trainer_error(trainer)->field, field);
    assert_true(strlen(blpo_trainer_error(trainer)->field) > 0);
    assert_trainer_is(trainer, &before);
    bytes_free(&before);
}

/* --- the KL --- */

/* Logits of a policy without hidden layers that sees nothing: its biases, +-size. */
static void set_logits(blpo_policy *policy, test_real size)
{
    test_real parameters[2 * SCRIPT_OBS + 2] = { 0 };
    parameters[2 * SCRIPT_OBS] = -size;
    parameters[2 * SCRIPT_OBS + 1] = size;
    assert_status(blpo_policy_set_parameters(policy, parameters, 2 * SCRIPT_OBS + 2), BLPO_OK);
}

static blpo_policy *flat_policy(void)
{
    blpo_policy_config config;
    blpo_policy *policy = NULL;
    assert_status(blpo_policy_config_init(&config, sizeof config), BLPO_OK);
    config.obs_dim = SCRIPT_OBS;
    config.action = (blpo_action_space){ .kind = BLPO_ACTION_DISCRETE, .n = 2 };
    config.network.n_hidden = 0;
    assert_status(blpo_policy_create(&config, NULL, &policy), BLPO_OK);
    set_logits(policy, 0);
    return policy;
}

static int twice(void *user, test_real *buffer, int64_t n)
{
    (void)user;
    for (int64_t i = 0; i < n; i++)
        buffer[i] *= 2;
    return 0;
}

/* A rollout of a policy that chooses evenly, and then one epoch in one minibatch with another that is as sure as a logit can
 * tell: both actions occur, and the one that has become impossible gives a log ratio of -2 size, so a KL of about size. */
static blpo_trainer *trainer_of_a_moved_policy(script *s, blpo_policy *policy, test_real size, int64_t n_processes)
{
    *s = script_new(1, BLPO_AUTORESET_DISABLED);
    blpo_config config = script_config();
    config.policy = policy;
    config.n_steps = 16;
    config.n_epochs = 1;
    config.target_kl = 1e-3;
    blpo_runtime runtime;
    assert_status(blpo_runtime_init(&runtime, sizeof runtime), BLPO_OK);
    runtime.n_processes = n_processes;
    runtime.all_reduce = twice;
    blpo_trainer *trainer = script_trainer(s, &config, &runtime);
    assert_status(blpo_trainer_collect(trainer), BLPO_UPDATE_DUE);
    set_logits(policy, size);
    return trainer;
}

/* In a double there is a number for it, which counts as above target_kl. */
static void a_kl_above_the_largest_real_is_told_in_double(void **state)
{
    (void)state;
    script s;
    blpo_policy *policy = flat_policy();
    const test_real size = sizeof(test_real) == sizeof(float) ? TEST_REAL_MAX : (test_real)1e300;
    blpo_trainer *trainer = trainer_of_a_moved_policy(&s, policy, size, 1);
    blpo_metrics m = { .struct_size = sizeof m };
    assert_status(blpo_trainer_update(trainer, &m), BLPO_OK);
    assert_true(isfinite(m.approx_kl) && m.approx_kl > 0.1 * (double)size);
    assert_int_equal(m.n_minibatches, 1);
    assert_true(m.hypergradient_norm == 0.0); /* no actor step: the bound saw it */
    blpo_trainer_destroy(trainer);
    blpo_policy_destroy(policy);
}

/* Over processes it passes through a real; and where the log ratio itself overflows there is none in double either. */
static void a_kl_without_a_number_fails_by_name(void **state)
{
    (void)state;
    script s;
    blpo_policy *policy = flat_policy();
    blpo_trainer *trainer = trainer_of_a_moved_policy(&s, policy, TEST_REAL_MAX, 2);
    assert_update_fails(trainer, "approx_kl");
    blpo_trainer_destroy(trainer);
    blpo_policy_destroy(policy);
}

/* --- the critic's gradient after its steps --- */

#ifndef BLPO__FLOAT64 /* in double no learning rate is large enough, or the loss overflows before */
enum { LARGE = 100000000 };

static int large_step(void *user, blpo_step *io)
{
    (void)user;
    io->obs[0] = LARGE;
    io->reward[0] = 1;
    return 0;
}

static int large_reset(void *user, blpo_reset *io)
{
    (void)user;
    io->obs[0] = LARGE;
    return 0;
}

/* One hidden unit of relu that is off for every observation above 0: no gradient reaches its policy's parameters, nothing of
 * the actor can overflow. */
static blpo_policy *dead_policy(void)
{
    static const int64_t one = 1;
    static const test_real parameters[6] = { -1, 0, 0, 0, 0, 0 };
    blpo_policy_config config;
    blpo_policy *policy = NULL;
    assert_status(blpo_policy_config_init(&config, sizeof config), BLPO_OK);
    config.obs_dim = 1;
    config.action = (blpo_action_space){ .kind = BLPO_ACTION_DISCRETE, .n = 2 };
    config.network.hidden = &one;
    config.network.n_hidden = 1;
    config.network.activation = BLPO_RELU;
    assert_status(blpo_policy_create(&config, NULL, &policy), BLPO_OK);
    assert_status(blpo_policy_set_parameters(policy, parameters, 6), BLPO_OK);
    return policy;
}

/* One step of Adam takes a linear critic from w = 0 to 1e30, and V to 1e38, a real still. Its square and the loss are
 * doubles, but the gradient, some 2 V s = 2e46, is not a real; only the diagnostics look at it. */
static void a_critic_gradient_without_a_number_fails_by_name(void **state)
{
    (void)state;
    blpo_env env;
    blpo_config config = script_config();
    blpo_trainer *trainer = NULL;
    assert_status(blpo_env_init(&env, sizeof env), BLPO_OK);
    env.obs_dim = 1;
    env.action = (blpo_action_space){ .kind = BLPO_ACTION_DISCRETE, .n = 2 };
    env.step = large_step;
    env.reset = large_reset;
    config.policy = dead_policy();
    config.critic_network.n_hidden = 0;
    config.critic_network.output_gain = 0.0;
    config.n_epochs = config.critic_steps = 1;
    config.n_steps = 4;
    config.gae_lambda = 0.0;
    config.critic_learning_rate = 1e30;
    config.hypergradient = 0;
    config.diagnostics_interval = 1;
    assert_status(blpo_trainer_create(&env, &config, NULL, &trainer), BLPO_OK);
    assert_status(blpo_trainer_collect(trainer), BLPO_UPDATE_DUE);
    assert_update_fails(trainer, "critic_gradient_norm");
    assert_int_equal(blpo_trainer_error(trainer)->stage, BLPO_STAGE_CRITIC);
    blpo_trainer_destroy(trainer);
    blpo_policy_destroy(config.policy);
}
#endif

/* --- a hook that brings something that is no number --- */

typedef struct poison {
    int64_t calls, at;
    double value;
} poison;

static int twice_with_poison(void *user, test_real *buffer, int64_t n)
{
    poison *p = user;
    twice(NULL, buffer, n);
    if (++p->calls == p->at)
        buffer[n - 1] = (test_real)p->value;
    return 0;
}

static blpo_trainer *poisoned_trainer(script *s, poison *p, int method)
{
    *s = script_new(2, BLPO_AUTORESET_DISABLED);
    s->reacts = 1;
    blpo_config config = script_config();
    config.hypergradient = method >= 0;
    config.ihvp_method = method >= 0 ? method : BLPO_IHVP_NYSTROM;
    config.diagnostics_interval = 1;
    config.gap_steps = 1; /* further ones take it for a point that is too far out, and look nearer */
    config.target_kl = 1e3;
    config.gap_steps = 0; /* to that search a point without a value is one that is no better */
    blpo_runtime runtime;
    assert_status(blpo_runtime_init(&runtime, sizeof runtime), BLPO_OK);
    runtime.n_processes = 2;
    runtime.all_reduce = twice_with_poison;
    runtime.all_reduce_user = p;
    return script_trainer(s, &config, &runtime);
}

/* One update with poison in that call: it fails, and with a sound hook it is made again; or the poison came to where nothing
 * is used (v without a hypergradient). Either way the trainer is then as if there had been none. 0: there is no such call. */
static int poison_does_no_harm(blpo_trainer *clean, int method, int64_t at, double value)
{
    script s;
    poison p = { .at = at, .value = value };
    blpo_trainer *trainer = poisoned_trainer(&s, &p, method);
    assert_status(blpo_trainer_collect(trainer), BLPO_UPDATE_DUE);
    byte_buffer before = trainer_bytes(trainer);
    const int code = blpo_trainer_update(trainer, NULL);
    const int met = p.calls >= at;
    if (code != BLPO_OK) {
        assert_status(code, BLPO_ERR_NONFINITE);
        assert_true(met);
        assert_trainer_is(trainer, &before);
        assert_true(strlen(blpo_trainer_error(trainer)->text) > 0);
        assert_status(blpo_trainer_update(trainer, NULL), BLPO_OK);
    }
    assert_same_trainer(trainer, clean);
    bytes_free(&before);
    blpo_trainer_destroy(trainer);
    return met;
}

static void what_a_hook_brings_must_be_finite_in_each_of_its_calls(void **state)
{
    (void)state;
    for (int method = -1; method <= BLPO_IHVP_DENSE; method++) {
        script s;
        poison none = { 0 };
        blpo_trainer *clean = poisoned_trainer(&s, &none, method);
        trainer_updates(clean, 1);
        int64_t at = 1;
        while (poison_does_no_harm(clean, method, at, at % 2 ? (double)NAN : (double)INFINITY))
            at++;
        blpo_trainer_destroy(clean);
        assert_true(at > 4); /* an update has 4 minibatches */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kl_above_the_largest_real_is_told_in_double),
        cmocka_unit_test(a_kl_without_a_number_fails_by_name),
#ifndef BLPO__FLOAT64
        cmocka_unit_test(a_critic_gradient_without_a_number_fails_by_name),
#endif
        cmocka_unit_test(what_a_hook_brings_must_be_finite_in_each_of_its_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
