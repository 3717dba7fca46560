/* Settings of a trainer: each field out of its range is refused by name before any memory is taken. */
#include "support/check.h"
#include "support/memory.h"
#include "support/script.h"

#include <math.h>
#include <string.h>

static void check_refused(const blpo_env *env, const blpo_config *config, int code, const char *field)
{
    counted_memory memory = { 0 };
    blpo_error error = { 0 };
    const blpo_runtime runtime = counted_runtime(&memory, &error);
    char sentinel;
    blpo_trainer *out = (blpo_trainer *)(void *)&sentinel;
    assert_status(blpo_trainer_create(env, config, &runtime, &out), code);
    assert_ptr_equal(out, &sentinel);
    assert_int_equal(memory.calls, 0);
    assert_error_names(&error, code, field);
}

static void refuse_double(size_t offset, double value, const char *field)
{
    script s = script_new(2, BLPO_AUTORESET_DISABLED);
    const blpo_env env = script_env(&s);
    blpo_config config = script_config();
    memcpy((char *)&config + offset, &value, sizeof value);
    check_refused(&env, &config, BLPO_ERR_CONFIG, field);
}

typedef struct range {
    size_t offset;
    const char *name;
    double bad[4]; /* beside NaN and minus infinity */
    int infinity_is_bad;
} range;

#define FIELD(name) offsetof(blpo_config, name), #name

static const range DOUBLES[] = {
    { FIELD(gamma), { -0.01, 1.01, -1, 2 }, 1 },
    { FIELD(gae_lambda), { -0.01, 1.01, -1, 2 }, 1 },
    { FIELD(clip_range), { 0.0, -0.2, -1, -2 }, 1 },
    { FIELD(clip_range_critic), { 0.0, -0.2, -1, -2 }, 1 },
    { FIELD(actor_learning_rate), { -1e-9, -1, -2, -3 }, 1 },
    { FIELD(critic_learning_rate), { -1e-9, -1, -2, -3 }, 1 },
    { FIELD(adam_beta1), { -0.1, 1.0, 1.5, 2 }, 1 },
    { FIELD(adam_beta2), { -0.1, 1.0, 1.5, 2 }, 1 },
    { FIELD(adam_epsilon), { 0.0, -1e-9, 1e-31, 1e31 }, 1 },
    { FIELD(nystrom_rho), { 0.0, -1, -2, -3 }, 1 },
    { FIELD(nystrom_shift), { -1e-9, -1, -2, -3 }, 1 },
    { FIELD(sketch_error), { -1e-9, -1, -2, -3 }, 1 },
    { FIELD(neumann_scale), { -1e-9, -1, -2, -3 }, 1 },
    { FIELD(kappa), { 0.0, -1, -2, -3 }, 0 },
    { FIELD(entropy_coefficient), { -1e-9, -1, -2, -3 }, 1 },
    { FIELD(max_gradient_norm), { -1e-9, -1, -2, -3 }, 1 },
    { FIELD(target_kl), { -1e-9, -1, -2, -3 }, 1 },
    { FIELD(reward_scale), { 0.0, -1, -2, -3 }, 1 },
    { FIELD(initial_log_std), { 20.1, -20.1, 1e9, -1e9 }, 1 },
};

static void every_real_setting_out_of_its_range_is_refused_by_name(void **state)
{
    (void)state;
    for (int64_t i = 0; i < TEST_COUNT(DOUBLES); i++) {
        const range *r = &DOUBLES[i];
        refuse_double(r->offset, (double)NAN, r->name);
        refuse_double(r->offset, -(double)INFINITY, r->name);
        if (r->infinity_is_bad)
            refuse_double(r->offset, (double)INFINITY, r->name);
        for (int j = 0; j < 4; j++)
            refuse_double(r->offset, r->bad[j], r->name);
    }
}

#define REFUSE_CONFIG(member, value, code, name)                                                                       \
    do {                                                                                                               \
        script s = script_new(2, BLPO_AUTORESET_DISABLED);                                                             \
        const blpo_env env = script_env(&s);                                                                           \
        blpo_config config = script_config();                                                                          \
        config.member = value;                                                                                         \
        check_refused(&env, &config, code, name);                                                                      \
    } while (0)

static void every_count_out_of_its_range_is_refused_by_name(void **state)
{
    (void)state;
    REFUSE_CONFIG(n_steps, 0, BLPO_ERR_CONFIG, "n_steps");
    REFUSE_CONFIG(n_steps, -1, BLPO_ERR_CONFIG, "n_steps");
    REFUSE_CONFIG(n_epochs, 0, BLPO_ERR_CONFIG, "n_epochs");
    REFUSE_CONFIG(n_epochs, -1, BLPO_ERR_CONFIG, "n_epochs");
    REFUSE_CONFIG(trajectories_per_minibatch, 0, BLPO_ERR_CONFIG, "trajectories_per_minibatch");
    REFUSE_CONFIG(trajectories_per_minibatch, 3, BLPO_ERR_CONFIG, "trajectories_per_minibatch"); /* of 2 */
    REFUSE_CONFIG(critic_steps, 0, BLPO_ERR_CONFIG, "critic_steps");
    REFUSE_CONFIG(critic_steps, -1, BLPO_ERR_CONFIG, "critic_steps");
    REFUSE_CONFIG(hypergradient, 2, BLPO_ERR_CONFIG, "hypergradient");
    REFUSE_CONFIG(hypergradient, -1, BLPO_ERR_CONFIG, "hypergradient");
    REFUSE_CONFIG(ihvp_method, -1, BLPO_ERR_CONFIG, "ihvp_method");
    REFUSE_CONFIG(ihvp_method, 1000, BLPO_ERR_CONFIG, "ihvp_method");
    REFUSE_CONFIG(ihvp_curvature, -1, BLPO_ERR_CONFIG, "ihvp_curvature");
    REFUSE_CONFIG(ihvp_curvature, 2, BLPO_ERR_CONFIG, "ihvp_curvature");
    REFUSE_CONFIG(nystrom_draw, 2, BLPO_ERR_CONFIG, "nystrom_draw");
    REFUSE_CONFIG(nystrom_space_efficient, -1, BLPO_ERR_CONFIG, "nystrom_space_efficient");
    REFUSE_CONFIG(nystrom_chunk, -1, BLPO_ERR_CONFIG, "nystrom_chunk");
    REFUSE_CONFIG(nystrom_chunk, 6, BLPO_ERR_CONFIG, "nystrom_chunk"); /* nystrom_rank is 5 */
    REFUSE_CONFIG(cg_negative_curvature, 2, BLPO_ERR_CONFIG, "cg_negative_curvature");
    REFUSE_CONFIG(cg_preconditioner, 2, BLPO_ERR_CONFIG, "cg_preconditioner");
    REFUSE_CONFIG(sketch_rank_max, -1, BLPO_ERR_CONFIG, "sketch_rank_max");
    REFUSE_CONFIG(neumann_terms, -1, BLPO_ERR_CONFIG, "neumann_terms");
    REFUSE_CONFIG(spectrum_iterations, -1, BLPO_ERR_CONFIG, "spectrum_iterations");
    REFUSE_CONFIG(spectrum_iterations, 1001, BLPO_ERR_CONFIG, "spectrum_iterations");
    REFUSE_CONFIG(nystrom_rank, 0, BLPO_ERR_CONFIG, "nystrom_rank");
    REFUSE_CONFIG(nystrom_rank, 18, BLPO_ERR_CONFIG, "nystrom_rank"); /* the critic 2-4-1 has 17 parameters */
    REFUSE_CONFIG(nystrom_rank, INT64_MAX, BLPO_ERR_CONFIG, "nystrom_rank");
    REFUSE_CONFIG(cg_iterations, 0, BLPO_ERR_CONFIG, "cg_iterations");
    REFUSE_CONFIG(normalize_advantages, 2, BLPO_ERR_CONFIG, "normalize_advantages");
    REFUSE_CONFIG(anneal_steps, -1, BLPO_ERR_CONFIG, "anneal_steps");
    REFUSE_CONFIG(stats_window, 0, BLPO_ERR_CONFIG, "stats_window");
    REFUSE_CONFIG(stats_window, -1, BLPO_ERR_CONFIG, "stats_window");
    REFUSE_CONFIG(diagnostics_interval, -1, BLPO_ERR_CONFIG, "diagnostics_interval");
    REFUSE_CONFIG(gap_steps, -1, BLPO_ERR_CONFIG, "gap_steps");
    REFUSE_CONFIG(actor_network.n_hidden, -1, BLPO_ERR_CONFIG, "actor_network.n_hidden");
    REFUSE_CONFIG(actor_network.hidden, NULL, BLPO_ERR_CONFIG, "actor_network.hidden");
    REFUSE_CONFIG(actor_network.activation, 9, BLPO_ERR_CONFIG, "actor_network.activation");
    REFUSE_CONFIG(actor_network.output_gain, (double)NAN, BLPO_ERR_CONFIG, "actor_network.output_gain");
    REFUSE_CONFIG(critic_network.n_hidden, -1, BLPO_ERR_CONFIG, "critic_network.n_hidden");
    REFUSE_CONFIG(critic_network.hidden, NULL, BLPO_ERR_CONFIG, "critic_network.hidden");
    REFUSE_CONFIG(critic_network.activation, 0, BLPO_ERR_CONFIG, "critic_network.activation");
    REFUSE_CONFIG(critic_network.hidden_gain, (double)INFINITY, BLPO_ERR_CONFIG, "critic_network.hidden_gain");
}

static int no_reduce(void *user, test_real *buffer, int64_t n)
{
    (void)user;
    (void)buffer;
    (void)n;
    return 0;
}

/* J J^T would need the transitions of all processes in one; as a curvature for another method there is no such need. */
static void what_needs_products_between_samples_is_refused_with_several_processes(void **state)
{
    (void)state;
    script s = script_new(2, BLPO_AUTORESET_DISABLED);
    const blpo_env env = script_env(&s);
    blpo_error error = { 0 };
    counted_memory memory = { 0 };
    blpo_runtime runtime = counted_runtime(&memory, &error);
    runtime.all_reduce = no_reduce;
    runtime.n_processes = 2;
    blpo_config config = script_config();
    config.ihvp_method = BLPO_IHVP_GAUSS_NEWTON;
    blpo_trainer *out = NULL;
    assert_status(blpo_trainer_create(&env, &config, &runtime, &out), BLPO_ERR_CONFIG);
    assert_error_names(&error, BLPO_ERR_CONFIG, "ihvp_method");
    assert_int_equal(memory.calls, 0);
    config.ihvp_method = BLPO_IHVP_CG;
    config.ihvp_curvature = BLPO_CURVATURE_GAUSS_NEWTON;
    config.cg_preconditioner = BLPO_PRECONDITIONER_GAUSS_NEWTON;
    assert_status(blpo_trainer_create(&env, &config, &runtime, &out), BLPO_ERR_CONFIG);
    assert_error_names(&error, BLPO_ERR_CONFIG, "cg_preconditioner");
    assert_int_equal(memory.calls, 0);
    config.cg_preconditioner = BLPO_PRECONDITIONER_NONE;
    assert_status(blpo_trainer_create(&env, &config, &runtime, &out), BLPO_OK);
    blpo_trainer_destroy(out);
}

/* What the field says, it says with the value that was given. */
static void the_message_has_field_and_value(void **state)
{
    (void)state;
    script s = script_new(2, BLPO_AUTORESET_DISABLED);
    const blpo_env env = script_env(&s);
    blpo_error error = { 0 };
    counted_memory memory = { 0 };
    const blpo_runtime runtime = counted_runtime(&memory, &error);
    blpo_config config = script_config();
    blpo_trainer *out = NULL;
    config.n_epochs = -37;
    assert_status(blpo_trainer_create(&env, &config, &runtime, &out), BLPO_ERR_CONFIG);
    assert_string_equal(error.field, "n_epochs");
    assert_non_null(strstr(error.text, "n_epochs"));
    assert_non_null(strstr(error.text, "-37"));
    assert_int_equal(error.stage, BLPO_STAGE_CREATE);
    config = script_config();
    config.gamma = 1.375;
    assert_status(blpo_trainer_create(&env, &config, &runtime, &out), BLPO_ERR_CONFIG);
    assert_string_equal(error.field, "gamma");
    assert_non_null(strstr(error.text, "1.375"));
}

#define REFUSE_ENV(member, value, code, name)                                                                          \
    do {                                                                                                               \
        script s = script_new(2, BLPO_AUTORESET_DISABLED);                                                             \
        blpo_env env = script_env(&s);                                                                                 \
        const blpo_config config = script_config();                                                                    \
        env.member = value;                                                                                            \
        check_refused(&env, &config, code, name);                                                                      \
    } while (0)

static void every_field_of_the_environment_out_of_its_range_is_refused_by_name(void **state)
{
    (void)state;
    REFUSE_ENV(n_envs, 0, BLPO_ERR_CONFIG, "n_envs");
    REFUSE_ENV(n_envs, -1, BLPO_ERR_CONFIG, "n_envs");
    REFUSE_ENV(obs_dim, 0, BLPO_ERR_CONFIG, "obs_dim");
    REFUSE_ENV(obs_dim, -4, BLPO_ERR_CONFIG, "obs_dim");
    REFUSE_ENV(action.kind, 0, BLPO_ERR_CONFIG, "action.kind");
    REFUSE_ENV(action.kind, 3, BLPO_ERR_CONFIG, "action.kind");
    REFUSE_ENV(action.n, 1, BLPO_ERR_CONFIG, "action.n");
    REFUSE_ENV(action.n, 8193, BLPO_ERR_CONFIG, "action.n");
    REFUSE_ENV(action.n, -1, BLPO_ERR_CONFIG, "action.n");
    REFUSE_ENV(autoreset, -1, BLPO_ERR_CONFIG, "autoreset");
    REFUSE_ENV(autoreset, 3, BLPO_ERR_CONFIG, "autoreset");
    REFUSE_ENV(reset, NULL, BLPO_ERR_CONFIG, "reset");
    REFUSE_ENV(save, NULL, BLPO_ERR_CONFIG, "save");
    REFUSE_ENV(load, NULL, BLPO_ERR_CONFIG, "load");
}

static void bounds_that_are_no_bounds_are_refused(void **state)
{
    (void)state;
    const test_real bad[3] = { (test_real)NAN, (test_real)INFINITY, 1 }; /* high is 1: low must be below it */
    for (int i = 0; i < 3; i++) {
        script s = script_new(2, BLPO_AUTORESET_DISABLED);
        s.continuous = 1;
        blpo_env env = script_env(&s);
        const blpo_config config = script_config();
        env.action.low = &bad[i];
        check_refused(&env, &config, BLPO_ERR_CONFIG, "action");
    }
}

/* n_envs n_steps obs_dim = 2 x 8 x 2 with one factor too large for the integers of BLAS, or for any. */
static void products_of_sizes_past_the_integers_of_blas_are_refused(void **state)
{
    (void)state;
    REFUSE_ENV(n_envs, INT64_C(1) << 28, BLPO_ERR_SIZE, "n_envs");
    REFUSE_ENV(n_envs, INT64_MAX, BLPO_ERR_SIZE, "n_envs");
    REFUSE_ENV(obs_dim, INT64_C(1) << 30, BLPO_ERR_SIZE, "obs_dim");
    REFUSE_ENV(obs_dim, INT64_MAX, BLPO_ERR_SIZE, "obs_dim");
    REFUSE_CONFIG(n_steps, INT64_C(1) << 30, BLPO_ERR_SIZE, "n_steps");
    REFUSE_CONFIG(n_steps, INT64_MAX, BLPO_ERR_SIZE, "n_steps");
}

/* The width of the first layer meets obs_dim in a product; alone it is no matter of obs_dim. */
static void a_width_out_of_its_range_is_named_whatever_its_size(void **state)
{
    (void)state;
    static const int64_t widths[4] = { 0, -1, 8193, INT64_MAX };
    for (int i = 0; i < 4; i++) {
        const int64_t *const width = &widths[i];
        REFUSE_CONFIG(actor_network.hidden, width, BLPO_ERR_CONFIG, "actor_network.hidden");
        REFUSE_CONFIG(critic_network.hidden, width, BLPO_ERR_CONFIG, "critic_network.hidden");
    }
}

/* 2 x 2^20 states through a layer of 8192 units: the product is in the text, and the setting to make smaller in `field`. */
static void a_product_that_is_too_large_names_a_setting(void **state)
{
    (void)state;
    script s = script_new(2, BLPO_AUTORESET_DISABLED);
    const blpo_env env = script_env(&s);
    const int64_t wide = 8192;
    blpo_error error = { 0 };
    blpo_runtime runtime;
    assert_status(blpo_runtime_init(&runtime, sizeof runtime), BLPO_OK);
    runtime.error = &error;
    blpo_config config = script_config();
    blpo_trainer *out = NULL;
    config.n_steps = INT64_C(1) << 20;
    config.critic_network.hidden = &wide;
    config.critic_network.n_hidden = 1;
    assert_status(blpo_trainer_create(&env, &config, &runtime, &out), BLPO_ERR_SIZE);
    assert_string_equal(error.field, "n_steps");
    assert_string_equal(error.text,
                        "n_steps is too large: states of a minibatch x widest layer is 2097152 x 8192; it must be at "
                        "most 2147483647");
}

/* What the rule says is where the limit is, on both sides of it. */
static void the_rule_of_a_size_names_its_limits(void **state)
{
    (void)state;
    script s = script_new(2, BLPO_AUTORESET_DISABLED);
    const blpo_env env = script_env(&s);
    static const int64_t bad[2] = { 0, INT64_C(1) << 40 };
    for (int i = 0; i < 2; i++) {
        blpo_error error = { 0 };
        blpo_runtime runtime;
        assert_status(blpo_runtime_init(&runtime, sizeof runtime), BLPO_OK);
        runtime.error = &error;
        blpo_config config = script_config();
        blpo_trainer *out = NULL;
        config.n_steps = bad[i];
        assert_status(blpo_trainer_create(&env, &config, &runtime, &out), i == 0 ? BLPO_ERR_CONFIG : BLPO_ERR_SIZE);
        assert_string_equal(error.text, i == 0 ? "n_steps is 0; it must be in 1 .. 2147483647"
                                               : "n_steps is 1099511627776; it must be in 1 .. 2147483647");
    }
}

/* --- memory --- */

/* An allocator that notes how much is held when something is given back for the first time. */
typedef struct noting {
    counted_memory memory;
    int64_t live_then; /* -1: nothing was given back yet */
} noting;

static void *noting_allocate(void *user, size_t size, size_t alignment)
{
    noting *me = user;
    return counted_allocate(&me->memory, size, alignment);
}

static void noting_release(void *user, void *memory, size_t size)
{
    noting *me = user;
    me->live_then = me->live_then < 0 ? me->memory.live : me->live_then;
    counted_release(&me->memory, memory, size);
}

/* What is given back in create is the scratch of the initial weights. By then all that stays is there: who asks for more
 * memory than there is hears of it before the weights are made, which takes seconds for large networks. */
static void weights_are_made_when_all_memory_is_there(void **state)
{
    (void)state;
    script s = script_new(2, BLPO_AUTORESET_DISABLED);
    noting me = { .live_then = -1 };
    blpo_runtime runtime;
    assert_status(blpo_runtime_init(&runtime, sizeof runtime), BLPO_OK);
    runtime.allocate = noting_allocate;
    runtime.release = noting_release;
    runtime.allocator_user = &me;
    blpo_trainer *trainer = script_trainer(&s, NULL, &runtime);
    assert_true(me.live_then > me.memory.live); /* and the scratch itself */
    blpo_trainer_destroy(trainer);
    assert_all_released(&me.memory);
}

/* A window of 2^60 episodes does not fit the address space. */
static void a_window_of_statistics_too_large_is_refused(void **state)
{
    (void)state;
    REFUSE_CONFIG(stats_window, INT64_C(1) << 60, BLPO_ERR_SIZE, "stats_window");
    REFUSE_CONFIG(stats_window, INT64_MAX, BLPO_ERR_SIZE, "stats_window");
}

static void null_arguments_of_create_are_refused(void **state)
{
    (void)state;
    script s = script_new(2, BLPO_AUTORESET_DISABLED);
    const blpo_env env = script_env(&s);
    blpo_trainer *out = NULL;
    assert_status(blpo_trainer_create(NULL, NULL, NULL, &out), BLPO_ERR_NULL);
    assert_status(blpo_trainer_create(&env, NULL, NULL, NULL), BLPO_ERR_NULL);
    assert_null(out);
}

static void no_config_means_the_published_settings(void **state)
{
    (void)state;
    script s = script_new(2, BLPO_AUTORESET_DISABLED);
    const blpo_env env = script_env(&s);
    blpo_trainer *trainer = NULL;
    assert_status(blpo_trainer_create(&env, NULL, NULL, &trainer), BLPO_OK);
    assert_int_equal(s.step_calls + s.reset_calls, 0); /* environments are not touched yet */
    assert_int_equal(blpo_critic_n_parameters(blpo_trainer_critic(trainer)), 2 * 64 + 64 + 64 * 64 + 64 + 64 + 1);
    assert_int_equal(blpo_policy_n_parameters(blpo_trainer_policy(trainer)), 2 * 64 + 64 + 64 * 64 + 64 + 2 * 64 + 2);
    assert_non_null(blpo_trainer_hypergrad(trainer));
    blpo_trainer_destroy(trainer);
}

static void the_defaults_are_the_published_settings(void **state)
{
    (void)state;
    blpo_config c;
    assert_status(blpo_config_init(&c, sizeof c), BLPO_OK);
    assert_true(c.seed == 0 && c.n_steps == 128 && c.n_epochs == 4 && c.trajectories_per_minibatch == 1);
    assert_true(c.gamma == 0.99 && c.gae_lambda == 0.95 && c.clip_range == 0.2 && c.clip_range_critic == 0.5);
    assert_true(c.actor_learning_rate == 2.5e-4 && c.critic_learning_rate == 1e-3);
    assert_true(c.adam_beta1 == 0.9 && c.adam_beta2 == 0.999 && c.adam_epsilon == 1e-5);
    assert_true(c.critic_steps == 3 && c.hypergradient == 1 && c.ihvp_method == BLPO_IHVP_NYSTROM);
    assert_true(c.nystrom_rank == 5 && c.nystrom_rho == 50.0 && c.nystrom_shift == 1.0 && c.cg_iterations == 10);
    assert_true(c.kappa == 1.0 && c.normalize_advantages == 0 && c.entropy_coefficient == 0.0);
    assert_true(c.max_gradient_norm == 0.0 && c.anneal_steps == 0 && c.target_kl == 0.0 && c.reward_scale == 1.0);
    assert_true(c.stats_window == 100 && c.diagnostics_interval == 0 && c.initial_log_std == 0.0);
    assert_true(c.policy == NULL && c.critic == NULL);
    assert_true(c.actor_network.n_hidden == 2 && c.actor_network.hidden[0] == 64 && c.actor_network.hidden[1] == 64);
    assert_true(c.actor_network.activation == BLPO_TANH && c.actor_network.output_gain == 0.01);
    assert_true(c.critic_network.output_gain == 1.0 && c.critic_network.hidden_gain == sqrt(2.0));
}

static void the_recommended_settings_are_the_published_ones_but_for_five(void **state)
{
    (void)state;
    blpo_config recommended, expected;
    assert_status(blpo_config_recommended(&recommended, sizeof recommended), BLPO_OK);
    assert_status(blpo_config_init(&expected, sizeof expected), BLPO_OK);
    expected.normalize_advantages = 1;
    expected.critic_steps = 8;
    expected.ihvp_curvature = BLPO_CURVATURE_GAUSS_NEWTON;
    expected.nystrom_shift = 0.0;
    expected.kappa = 0.3;
    assert_memory_equal(&recommended, &expected, sizeof expected);
    assert_status(blpo_config_recommended(NULL, sizeof recommended), BLPO_ERR_NULL);
}

static void set_method_changes_what_makes_a_method_and_nothing_else(void **state)
{
    (void)state;
    static const struct {
        int method, hypergradient;
        int64_t critic_steps;
    } rows[3] = { { BLPO_METHOD_BLPO, 1, 3 }, { BLPO_METHOD_NESTED, 0, 3 }, { BLPO_METHOD_PPO, 0, 1 } };
    for (int i = 0; i < 3; i++) {
        blpo_config config = script_config(), expected = config;
        assert_status(blpo_config_set_method(&config, rows[i].method), BLPO_OK);
        expected.hypergradient = rows[i].hypergradient;
        expected.critic_steps = rows[i].critic_steps;
        assert_memory_equal(&config, &expected, sizeof config);
    }
    blpo_config config = script_config(), before = config;
    static const int bad[3] = { 0, 4, -1 };
    for (int i = 0; i < 3; i++)
        assert_status(blpo_config_set_method(&config, bad[i]), BLPO_ERR_ARGUMENT);
    assert_memory_equal(&config, &before, sizeof config);
    assert_status(blpo_config_set_method(NULL, BLPO_METHOD_PPO), BLPO_ERR_NULL);
}

static void without_a_hypergradient_there_is_no_solver(void **state)
{
    (void)state;
    script s = script_new(1, BLPO_AUTORESET_DISABLED);
    blpo_config config = script_config();
    config.hypergradient = 0;
    blpo_trainer *trainer = script_trainer(&s, &config, NULL);
    assert_null(blpo_trainer_hypergrad(trainer));
    blpo_trainer_destroy(trainer);
    assert_null(blpo_trainer_hypergrad(NULL));
    assert_null(blpo_trainer_policy(NULL));
    assert_null(blpo_trainer_critic(NULL));
    assert_null(blpo_trainer_rollout(NULL));
}

static blpo_policy *own_policy(int64_t obs_dim, int64_t n)
{
    blpo_policy_config config;
    blpo_policy *policy = NULL;
    assert_status(blpo_policy_config_init(&config, sizeof config), BLPO_OK);
    config.obs_dim = obs_dim;
    config.action.kind = BLPO_ACTION_DISCRETE;
    config.action.n = n;
    assert_status(blpo_policy_create(&config, NULL, &policy), BLPO_OK);
    return policy;
}

static void a_policy_or_critic_of_other_shape_is_refused_by_name(void **state)
{
    (void)state;
    blpo_policy *wide = own_policy(3, 2), *many = own_policy(2, 3);
    blpo_critic_config critic_config;
    blpo_critic *critic = NULL;
    assert_status(blpo_critic_config_init(&critic_config, sizeof critic_config), BLPO_OK);
    critic_config.obs_dim = 3;
    assert_status(blpo_critic_create(&critic_config, NULL, &critic), BLPO_OK);
    REFUSE_CONFIG(policy, wide, BLPO_ERR_CONFIG, "policy");
    REFUSE_CONFIG(policy, many, BLPO_ERR_CONFIG, "policy");
    REFUSE_CONFIG(critic, critic, BLPO_ERR_CONFIG, "critic");
    blpo_policy_destroy(wide);
    blpo_policy_destroy(many);
    blpo_critic_destroy(critic);
}

/* The policy given is the one that is trained, and outlives the trainer. */
static void a_borrowed_policy_is_trained_and_stays_the_callers(void **state)
{
    (void)state;
    script s = script_new(2, BLPO_AUTORESET_DISABLED);
    blpo_config config = script_config();
    blpo_policy *policy = own_policy(2, 2);
    const int64_t n = blpo_policy_n_parameters(policy);
    test_real *before = guarded_new(n), *after = guarded_new(n);
    assert_status(blpo_policy_get_parameters(policy, before, n), BLPO_OK);
    config.policy = policy;
    blpo_trainer *trainer = script_trainer(&s, &config, NULL);
    assert_ptr_equal(blpo_trainer_policy(trainer), policy);
    assert_status(blpo_trainer_run(trainer, 1, NULL, NULL), BLPO_OK);
    blpo_trainer_destroy(trainer);
    assert_status(blpo_policy_get_parameters(policy, after, n), BLPO_OK);
    assert_memory_not_equal(before, after, (size_t)n * sizeof *before);
    guarded_free(before);
    guarded_free(after);
    blpo_policy_destroy(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_real_setting_out_of_its_range_is_refused_by_name),
        cmocka_unit_test(every_count_out_of_its_range_is_refused_by_name),
        cmocka_unit_test(what_needs_products_between_samples_is_refused_with_several_processes),
        cmocka_unit_test(the_message_has_field_and_value),
        cmocka_unit_test(every_field_of_the_environment_out_of_its_range_is_refused_by_name),
        cmocka_unit_test(bounds_that_are_no_bounds_are_refused),
        cmocka_unit_test(products_of_sizes_past_the_integers_of_blas_are_refused),
        cmocka_unit_test(a_width_out_of_its_range_is_named_whatever_its_size),
        cmocka_unit_test(a_product_that_is_too_large_names_a_setting),
        cmocka_unit_test(the_rule_of_a_size_names_its_limits),
        cmocka_unit_test(weights_are_made_when_all_memory_is_there),
        cmocka_unit_test(a_window_of_statistics_too_large_is_refused),
        cmocka_unit_test(null_arguments_of_create_are_refused),
        cmocka_unit_test(no_config_means_the_published_settings),
        cmocka_unit_test(the_defaults_are_the_published_settings),
        cmocka_unit_test(the_recommended_settings_are_the_published_ones_but_for_five),
        cmocka_unit_test(set_method_changes_what_makes_a_method_and_nothing_else),
        cmocka_unit_test(without_a_hypergradient_there_is_no_solver),
        cmocka_unit_test(a_policy_or_critic_of_other_shape_is_refused_by_name),
        cmocka_unit_test(a_borrowed_policy_is_trained_and_stays_the_callers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
