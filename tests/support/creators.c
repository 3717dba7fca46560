#include "creators.h"

#include "bytes.h"
#include "check.h"
#include "spectra.h"

static const int64_t widths[2] = { 5, 3 };

static blpo_network small_network(double output_gain)
{
    return (blpo_network){ .hidden = widths,
                           .n_hidden = 2,
                           .activation = BLPO_TANH,
                           .hidden_gain = 1.4142135623730951,
                           .output_gain = output_gain };
}

blpo_policy_config small_policy_config(int32_t kind)
{
    static const test_real low[2] = { -1, -2 }, high[2] = { 1, 2 };
    blpo_policy_config config;
    assert_status(blpo_policy_config_init(&config, sizeof config), BLPO_OK);
    config.obs_dim = 3;
    config.action.kind = kind;
    config.action.n = kind == BLPO_ACTION_DISCRETE ? 4 : 2;
    config.action.low = kind == BLPO_ACTION_DISCRETE ? NULL : low;
    config.action.high = kind == BLPO_ACTION_DISCRETE ? NULL : high;
    config.network = small_network(0.01);
    return config;
}

blpo_critic_config small_critic_config(void)
{
    blpo_critic_config config;
    assert_status(blpo_critic_config_init(&config, sizeof config), BLPO_OK);
    config.obs_dim = 3;
    config.network = small_network(1.0);
    return config;
}

blpo_rollout_config small_rollout_config(void)
{
    blpo_rollout_config config;
    assert_status(blpo_rollout_config_init(&config, sizeof config), BLPO_OK);
    config.n_envs = 2;
    config.n_steps = 4;
    config.obs_dim = 3;
    config.action_kind = BLPO_ACTION_DISCRETE;
    config.action_n = 4;
    return config;
}

blpo_env small_env(void)
{
    blpo_env env;
    assert_status(blpo_env_init(&env, sizeof env), BLPO_OK);
    env.n_envs = 2;
    env.obs_dim = 3;
    env.action.kind = BLPO_ACTION_DISCRETE;
    env.action.n = 4;
    return env;
}

blpo_config small_config(void)
{
    blpo_config config;
    assert_status(blpo_config_init(&config, sizeof config), BLPO_OK);
    config.n_steps = 8;
    config.n_epochs = 2;
    config.actor_network = small_network(0.01);
    config.critic_network = small_network(1.0);
    return config;
}

/* out is written on success alone: the caller watches whether it stays untouched */
static int policy_create(int32_t kind, const blpo_runtime *runtime, void **out)
{
    const blpo_policy_config config = small_policy_config(kind);
    blpo_policy *policy = *out;
    const int code = blpo_policy_create(&config, runtime, &policy);
    *out = policy;
    return code;
}

static int create_categorical(const blpo_runtime *runtime, void **out)
{
    return policy_create(BLPO_ACTION_DISCRETE, runtime, out);
}

static int create_gaussian(const blpo_runtime *runtime, void **out)
{
    return policy_create(BLPO_ACTION_CONTINUOUS, runtime, out);
}

static int load_policy(const blpo_runtime *runtime, void **out)
{
    const blpo_policy_config config = small_policy_config(BLPO_ACTION_CONTINUOUS);
    blpo_policy *saved = NULL, *policy = *out;
    byte_buffer buffer = { 0 };
    assert_status(blpo_policy_create(&config, NULL, &saved), BLPO_OK);
    assert_status(blpo_policy_save(saved, bytes_write, &buffer), BLPO_OK);
    const int code = blpo_policy_load(buffer.bytes, buffer.length, runtime, &policy);
    *out = policy;
    blpo_policy_destroy(saved);
    bytes_free(&buffer);
    return code;
}

static int create_critic(const blpo_runtime *runtime, void **out)
{
    const blpo_critic_config config = small_critic_config();
    blpo_critic *critic = *out;
    const int code = blpo_critic_create(&config, runtime, &critic);
    *out = critic;
    return code;
}

static int create_rollout(const blpo_runtime *runtime, void **out)
{
    const blpo_rollout_config config = small_rollout_config();
    blpo_rollout *rollout = *out;
    const int code = blpo_rollout_create(&config, runtime, &rollout);
    *out = rollout;
    return code;
}

static int solver_create(int method, const blpo_runtime *runtime, void **out)
{
    static const double hessian[9] = { 1, 0, 0, 0, 1, 0, 0, 0, 1 };
    static quadratic quad = { .p = 3, .q = 3, .hessian = hessian, .mixed = hessian };
    const blpo_problem problem = quadratic_problem(&quad, 1);
    const blpo_hypergrad_config config = solver_config(method, 2, 1.0, 1.0);
    blpo_hypergrad *solver = *out;
    const int code = blpo_hypergrad_create(&problem, &config, runtime, &solver);
    *out = solver;
    return code;
}

static int create_none(const blpo_runtime *runtime, void **out)
{
    return solver_create(BLPO_IHVP_NONE, runtime, out);
}

static int create_nystrom(const blpo_runtime *runtime, void **out)
{
    return solver_create(BLPO_IHVP_NYSTROM, runtime, out);
}

static int create_cg(const blpo_runtime *runtime, void **out)
{
    return solver_create(BLPO_IHVP_CG, runtime, out);
}

static int create_dense(const blpo_runtime *runtime, void **out)
{
    return solver_create(BLPO_IHVP_DENSE, runtime, out);
}

static int create_trainer(const blpo_runtime *runtime, void **out)
{
    const blpo_env env = small_env();
    const blpo_config config = small_config();
    blpo_trainer *trainer = *out;
    const int code = blpo_trainer_create(&env, &config, runtime, &trainer);
    *out = trainer;
    return code;
}

static void destroy_policy(void *handle)
{
    blpo_policy_destroy(handle);
}

static void destroy_critic(void *handle)
{
    blpo_critic_destroy(handle);
}

static void destroy_rollout(void *handle)
{
    blpo_rollout_destroy(handle);
}

static void destroy_solver(void *handle)
{
    blpo_hypergrad_destroy(handle);
}

static void destroy_trainer(void *handle)
{
    blpo_trainer_destroy(handle);
}

const creator CREATORS[] = {
    { "categorical policy", create_categorical, destroy_policy },
    { "gaussian policy", create_gaussian, destroy_policy },
    { "loaded policy", load_policy, destroy_policy },
    { "critic", create_critic, destroy_critic },
    { "rollout", create_rollout, destroy_rollout },
    { "solver none", create_none, destroy_solver },
    { "solver nystrom", create_nystrom, destroy_solver },
    { "solver cg", create_cg, destroy_solver },
    { "solver dense", create_dense, destroy_solver },
    { "trainer", create_trainer, destroy_trainer },
    { NULL, NULL, NULL },
};
