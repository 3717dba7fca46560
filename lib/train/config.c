/* Settings of a trainer and its environments: defaults, methods, and every rule. Nothing here allocates. */
#include "core/check.h"
#include "core/error.h"
#include "train/trainer.h"

#include <float.h>

static const int64_t default_hidden[2] = {64, 64};
#define SQRT_2 1.41421356237309504880
static const blpo_config defaults = {
    .struct_size = sizeof(blpo_config),
    .n_steps = 128,
    .n_epochs = 4,
    .trajectories_per_minibatch = 1,
    .gamma = 0.99,
    .gae_lambda = 0.95,
    .clip_range = 0.2,
    .clip_range_critic = 0.5,
    .actor_learning_rate = 2.5e-4,
    .critic_learning_rate = 1e-3,
    .adam_beta1 = 0.9,
    .adam_beta2 = 0.999,
    .adam_epsilon = 1e-5,
    .critic_steps = 3,
    .hypergradient = 1,
    .ihvp_method = BLPO_IHVP_NYSTROM,
    .nystrom_rank = 5,
    .nystrom_rho = 50.0,
    .nystrom_shift = 1.0,
    .cg_iterations = 10,
    .kappa = 1.0,
    .gap_steps = 20,
    .neumann_terms = 10,
    .reward_scale = 1.0,
    .stats_window = 100,
    .actor_network = {default_hidden, 2, BLPO_TANH, SQRT_2, 0.01},
    .critic_network = {default_hidden, 2, BLPO_TANH, SQRT_2, 1.0},
};
static const blpo_env default_env = {
    .struct_size = sizeof(blpo_env), .n_envs = 1, .autoreset = BLPO_AUTORESET_DISABLED};
enum {
    LEAST_CONFIG = BLPO__SIZE_UP_TO(blpo_config, critic),
    LEAST_RECOMMENDED = BLPO__SIZE_UP_TO(blpo_config, ihvp_curvature),
    LEAST_ENV = BLPO__SIZE_UP_TO(blpo_env, load)
};

int blpo_config_init(blpo_config *config, size_t struct_size)
{
    if (config == NULL)
        return BLPO_ERR_NULL;
    return blpo__write_struct(config, struct_size, &defaults, sizeof defaults, LEAST_CONFIG);
}

int blpo_config_recommended(blpo_config *config, size_t struct_size)
{
    if (config == NULL)
        return BLPO_ERR_NULL;
    blpo_config recommended = defaults;
    recommended.normalize_advantages = 1;
    recommended.critic_steps = 8;
    recommended.ihvp_curvature = BLPO_CURVATURE_GAUSS_NEWTON;
    recommended.nystrom_shift = 0.0;
    recommended.kappa = 0.3;
    return blpo__write_struct(config, struct_size, &recommended, sizeof recommended, LEAST_RECOMMENDED);
}

int blpo_env_init(blpo_env *env, size_t struct_size)
{
    if (env == NULL)
        return BLPO_ERR_NULL;
    return blpo__write_struct(env, struct_size, &default_env, sizeof default_env, LEAST_ENV);
}

int blpo_config_set_method(blpo_config *config, int method)
{
    if (config == NULL)
        return BLPO_ERR_NULL;
    if (method < BLPO_METHOD_BLPO || method > BLPO_METHOD_PPO)
        return BLPO_ERR_ARGUMENT;
    config->hypergradient = method == BLPO_METHOD_BLPO;
    config->critic_steps = method == BLPO_METHOD_PPO ? 1 : 3;
    return BLPO_OK;
}

/* What the library reads is as long as it knows it, whatever the caller's struct_size was. */
int blpo__trainer_read(const blpo_env *env, const blpo_config *config, blpo_env *env_out, blpo_config *config_out)
{
    int rc = blpo__read_struct(env_out, sizeof *env_out, LEAST_ENV, env);
    if (rc == BLPO_OK)
        rc = blpo__read_struct(config_out, sizeof *config_out, LEAST_CONFIG, config == NULL ? &defaults : config);
    if (rc == BLPO_OK) {
        env_out->struct_size = sizeof *env_out;
        config_out->struct_size = sizeof *config_out;
    }
    return rc;
}

/* --- rules --- */

static int check_callbacks(blpo_error *error, const blpo_env *env)
{
    if (env->step != NULL && env->reset == NULL)
        return blpo__error_set(error, BLPO_ERR_CONFIG, BLPO_STAGE_CREATE, "reset",
                               "reset is NULL; with step it must be set");
    if ((env->save == NULL) != (env->load == NULL))
        return blpo__error_set(error, BLPO_ERR_CONFIG, BLPO_STAGE_CREATE, env->save == NULL ? "save" : "load",
                               "save and load must both be set, or both be NULL");
    return BLPO_OK;
}

static int check_env(blpo_error *error, const blpo_env *env)
{
    int rc = blpo__check_size(error, "n_envs", env->n_envs);
    if (rc == BLPO_OK)
        rc = blpo__check_size(error, "obs_dim", env->obs_dim);
    if (rc == BLPO_OK)
        rc = blpo__action_space_check(error, &env->action);
    if (rc == BLPO_OK)
        rc = blpo__check_int(error, "autoreset", env->autoreset, BLPO_AUTORESET_DISABLED, BLPO_AUTORESET_NEXT_STEP);
    if (rc == BLPO_OK)
        rc = blpo__check_int(error, "concurrent_rows", env->concurrent_rows, 0, INT32_MAX);
    return rc == BLPO_OK ? check_callbacks(error, env) : rc;
}

static int check_counts(blpo_error *error, const blpo_env *env, const blpo_config *config)
{
    const struct {
        const char *field;
        int64_t value, low, high;
    } rules[] = {
        {"n_epochs", config->n_epochs, 1, INT64_MAX},
        {"trajectories_per_minibatch", config->trajectories_per_minibatch, 1, env->n_envs},
        {"critic_steps", config->critic_steps, 1, INT64_MAX},
        {"critic_response", config->critic_response, BLPO_RESPONSE_NESTED, BLPO_RESPONSE_EXACT},
        {"hypergradient", config->hypergradient, 0, 1},
        {"normalize_advantages", config->normalize_advantages, 0, 1},
        {"anneal_steps", config->anneal_steps, 0, INT64_MAX},
        {"diagnostics_interval", config->diagnostics_interval, 0, INT64_MAX},
        {"gap_steps", config->gap_steps, 0, INT64_MAX},
    };
    int rc = blpo__check_size(error, "n_steps", config->n_steps);
    for (size_t i = 0; rc == BLPO_OK && i < sizeof rules / sizeof *rules; i++)
        rc = blpo__check_int(error, rules[i].field, rules[i].value, rules[i].low, rules[i].high);
    return rc == BLPO_OK ? blpo__check_size(error, "stats_window", config->stats_window) : rc;
}

static int check_closed(blpo_error *error, const blpo_config *config)
{
    const struct {
        const char *field;
        double value, low, high;
    } rules[] = {
        {"gamma", config->gamma, 0.0, 1.0},
        {"gae_lambda", config->gae_lambda, 0.0, 1.0},
        {"actor_learning_rate", config->actor_learning_rate, 0.0, 1e30},
        {"critic_learning_rate", config->critic_learning_rate, 0.0, 1e30},
        {"adam_epsilon", config->adam_epsilon, 1e-30, 1e30}, /* what is less rounds to 0 in the first steps */
        {"critic_ridge", config->critic_ridge, 0.0, 1e30},
        {"entropy_coefficient", config->entropy_coefficient, 0.0, (double)FLT_MAX},
        {"max_gradient_norm", config->max_gradient_norm, 0.0, (double)FLT_MAX},
        {"target_kl", config->target_kl, 0.0, (double)FLT_MAX},
        {"initial_log_std", config->initial_log_std, -BLPO__MAX_LOG_STD, BLPO__MAX_LOG_STD},
    };
    int rc = BLPO_OK;
    for (size_t i = 0; rc == BLPO_OK && i < sizeof rules / sizeof *rules; i++)
        rc = blpo__check_double(error, rules[i].field, rules[i].value, rules[i].low, rules[i].high);
    return rc;
}

static int check_positive(blpo_error *error, const blpo_config *config)
{
    const struct {
        const char *field;
        double value, high;
    } rules[] = {
        {"clip_range", config->clip_range, 1e6},
        {"clip_range_critic", config->clip_range_critic, 1e6},
        {"reward_scale", config->reward_scale, (double)FLT_MAX},
    };
    int rc = BLPO_OK;
    for (size_t i = 0; rc == BLPO_OK && i < sizeof rules / sizeof *rules; i++)
        rc = blpo__check_positive(error, rules[i].field, rules[i].value, rules[i].high);
    if (rc == BLPO_OK)
        rc = blpo__check_below(error, "adam_beta1", config->adam_beta1, 0.0, 1.0);
    return rc == BLPO_OK ? blpo__check_below(error, "adam_beta2", config->adam_beta2, 0.0, 1.0) : rc;
}

/* --- networks --- */

static int64_t widest_of(const blpo_network *network, int64_t n_outputs)
{
    int64_t widest = n_outputs;
    for (int64_t i = 0; i < network->n_hidden; i++)
        widest = network->hidden[i] > widest ? network->hidden[i] : widest;
    return widest;
}

static int check_network(blpo_error *error, const char *prefix, const blpo_network *network, int64_t obs_dim,
                         int64_t n_outputs, int64_t *n_parameters, int64_t *widest)
{
    int rc = blpo__mlp_check(error, prefix, network, obs_dim, n_outputs, n_parameters);
    if (rc == BLPO_OK)
        *widest = widest_of(network, n_outputs);
    return rc;
}

static int same_bounds(const real *a, const real *b, int64_t n)
{
    if (a == NULL || b == NULL)
        return a == b;
    for (int64_t i = 0; i < n; i++)
        if (a[i] != b[i])
            return 0;
    return 1;
}

static int same_actions(const blpo_action_space *a, const blpo_action_space *b)
{
    if (a->kind != b->kind || a->n != b->n)
        return 0;
    return a->kind == BLPO_ACTION_DISCRETE
           || (same_bounds(a->low, b->low, a->n) && same_bounds(a->high, b->high, a->n));
}

/* The actor: a borrowed policy of the environment's shape, or settings to make one. */
static int check_actor(blpo_error *error, const blpo_env *env, const blpo_config *config, int64_t *n_parameters,
                       int64_t *widest)
{
    const blpo_policy *policy = config->policy;
    if (policy != NULL) {
        *n_parameters = policy->n_parameters;
        *widest = policy->mlp.widest;
        if (policy->obs_dim == env->obs_dim && same_actions(&policy->action, &env->action))
            return BLPO_OK;
        return blpo__error_set(error, BLPO_ERR_CONFIG, BLPO_STAGE_CREATE, "policy",
                               "policy has another obs_dim or other actions; they must be those of the environment");
    }
    int rc = blpo__obs_dim_check(error, env->obs_dim, &config->actor_network, env->action.n);
    if (rc == BLPO_OK)
        rc = check_network(error, "actor_network.", &config->actor_network, env->obs_dim, env->action.n, n_parameters,
                           widest);
    if (rc == BLPO_OK && env->action.kind == BLPO_ACTION_CONTINUOUS) {
        *n_parameters += env->action.n;
        rc = blpo__check_product_of(error, "actor_network.hidden", "the number of parameters", *n_parameters, 1);
    }
    return rc;
}

static int check_critic(blpo_error *error, const blpo_env *env, const blpo_config *config, int64_t *n_parameters,
                        int64_t *widest)
{
    const blpo_critic *critic = config->critic;
    if (critic != NULL) {
        *n_parameters = critic->n_parameters;
        *widest = critic->mlp.widest;
        if (critic->obs_dim == env->obs_dim)
            return BLPO_OK;
        return blpo__error_int(error, BLPO_ERR_CONFIG, "critic", critic->obs_dim,
                               "its obs_dim must be that of the environment");
    }
    const int rc = blpo__obs_dim_check(error, env->obs_dim, &config->critic_network, 1);
    if (rc != BLPO_OK)
        return rc;
    return check_network(error, "critic_network.", &config->critic_network, env->obs_dim, 1, n_parameters, widest);
}

static int has_linear_critic(const blpo_config *config)
{
    return config->critic != NULL ? blpo__critic_is_linear(config->critic) : config->critic_network.n_hidden == 0;
}

static int check_response(blpo_error *error, const blpo_config *config, int64_t n_parameters)
{
    const int linear = has_linear_critic(config);
    if (config->critic_response == BLPO_RESPONSE_NESTED && !(linear && config->diagnostics_interval > 0))
        return BLPO_OK;
    if (!linear)
        return blpo__error_int(
            error, BLPO_ERR_CONFIG, "critic_response", config->critic_response,
            "the critic must be linear then: n_features above 0, or a network without hidden layers");
    return blpo__check_product_of(error, config->critic != NULL ? "critic" : "obs_dim", "critic parameters squared",
                                  n_parameters, n_parameters);
}

/* --- sizes --- */

static int check_rollout(blpo_error *error, const blpo_env *env, const blpo_config *config)
{
    blpo_rollout_config rollout;
    blpo__trainer_rollout_config(env, config, &rollout);
    return blpo__rollout_check(error, &rollout);
}

/* The larger factor of the rows of a minibatch. */
static const char *rows_field(const blpo_config *config)
{
    return config->n_steps > config->trajectories_per_minibatch ? "n_steps" : "trajectories_per_minibatch";
}

/* Rows of a minibatch, each with its observation and the one that follows, through the widest layer. */
static int check_rows(blpo_error *error, const blpo_env *env, const blpo_config *config, int64_t widest)
{
    const int64_t rows = config->trajectories_per_minibatch * config->n_steps; /* at most those of the rollout */
    const struct {
        const char *product;
        int64_t a, b;
    } rules[] = {
        {"states of a minibatch", 2, rows},
        {"states of a minibatch x widest layer", 2 * rows, widest},
        {"states of a minibatch x obs_dim", 2 * rows, env->obs_dim},
        {"states of a minibatch x n_features", 2 * rows, config->critic != NULL ? config->critic->n_features : 0},
    };
    int rc = BLPO_OK;
    for (size_t i = 0; rc == BLPO_OK && i < sizeof rules / sizeof *rules; i++)
        rc = blpo__check_product_of(error, rows_field(config), rules[i].product, rules[i].a, rules[i].b);
    return rc;
}

/* What makes a sum of a piece large. */
static const char *sum_field(const blpo_config *config, int64_t rank, int of_critic)
{
    if (of_critic)
        return rank > 1 ? "nystrom_rank" : config->critic != NULL ? "critic" : "critic_network.hidden";
    return config->policy != NULL ? "policy" : "actor_network.hidden";
}

/* Sums of the pieces: a gradient, or rows of the Hessian, for each; that of the first is where the whole sum goes. */
static int check_sums(blpo_error *error, const blpo_config *config, int64_t n_actor, int64_t n_critic)
{
    const int64_t rank = blpo__game_rows_at_once(config);
    const char *field = sum_field(config, rank, rank * n_critic > n_actor);
    const int rc =
        blpo__check_product_of(error, "nystrom_rank", "rows of H at a time x critic parameters", rank, n_critic);
    if (rc != BLPO_OK)
        return rc;
    const int64_t largest = rank * n_critic > n_actor ? rank * n_critic : n_actor;
    const int64_t pieces = blpo__n_pieces(2 * config->trajectories_per_minibatch * config->n_steps);
    return blpo__check_product_of(error, field, "pieces of a minibatch x parameters", pieces - 1,
                                  largest + 15); /* padded to a cache line */
}

/* --- the parts that the trainer makes --- */

void blpo__trainer_rollout_config(const blpo_env *env, const blpo_config *config, blpo_rollout_config *out)
{
    blpo_rollout_config_init(out, sizeof *out);
    out->n_envs = env->n_envs;
    out->n_steps = config->n_steps;
    out->obs_dim = env->obs_dim;
    out->action_kind = env->action.kind;
    out->action_n = env->action.n;
}

static void solver_settings(const blpo_config *config, blpo_hypergrad_config *solver)
{
    blpo_hypergrad_config_init(solver, sizeof *solver);
    solver->method = config->ihvp_method;
    solver->nystrom_rank = config->nystrom_rank;
    solver->nystrom_rho = config->nystrom_rho;
    solver->nystrom_shift = config->nystrom_shift;
    solver->cg_iterations = config->cg_iterations;
    solver->kappa = config->kappa;
    solver->seed = config->seed;
    solver->curvature = config->ihvp_curvature;
    solver->nystrom_draw = config->nystrom_draw;
    solver->nystrom_space_efficient = config->nystrom_space_efficient;
    solver->nystrom_chunk = config->nystrom_chunk;
    solver->cg_negative_curvature = config->cg_negative_curvature;
    solver->sketch_rank_max = config->sketch_rank_max;
    solver->sketch_error = config->sketch_error;
    solver->neumann_terms = config->neumann_terms;
    solver->spectrum_iterations = config->spectrum_iterations;
    solver->neumann_scale = config->neumann_scale;
    solver->cg_preconditioner = config->cg_preconditioner;
}

void blpo__trainer_problem(const blpo_config *config, int64_t n_actor_parameters, int64_t n_critic_parameters,
                           blpo__game *game, blpo_problem *problem, blpo_hypergrad_config *solver)
{
    blpo_problem_init(problem, sizeof *problem);
    problem->n_inner = n_critic_parameters;
    problem->n_outer = n_actor_parameters;
    problem->user = game;
    problem->hvp = blpo__game_hessian_product;
    problem->hessian_rows = blpo__game_hessian_rows;
    problem->mixed_product = blpo__game_mixed_product;
    problem->n_samples = config->trajectories_per_minibatch * config->n_steps;
    problem->jvp = blpo__game_jacobian_product;
    problem->vjp = blpo__game_jacobian_transposed;
    problem->jacobian_gram = blpo__game_jacobian_gram;
    problem->gauss_newton_rows = blpo__game_gauss_newton_rows;
    problem->gauss_newton_diagonal = blpo__game_gauss_newton_diagonal;
    if (game != NULL && game->row_factors != NULL) {
        problem->rows_products = blpo__game_rows_products;
        problem->rows_sum = blpo__game_rows_sum;
    }
    solver_settings(config, solver);
}

/* The solver's own rules; chunks, with any method, are no larger than the rank. */
static int check_solver_settings(blpo_error *error, const blpo_config *config)
{
    blpo_hypergrad_config solver;
    solver_settings(config, &solver);
    const int rc = blpo__hypergrad_check_config(error, &solver, "ihvp_method", "ihvp_curvature");
    return rc != BLPO_OK ? rc : blpo__check_int(error, "nystrom_chunk", config->nystrom_chunk, 0, config->nystrom_rank);
}

static int check_solver(blpo_error *error, const blpo_config *config, int64_t n_actor, int64_t n_critic)
{
    if (!config->hypergradient)
        return BLPO_OK;
    blpo_problem problem;
    blpo_hypergrad_config solver;
    blpo__trainer_problem(config, n_actor, n_critic, NULL, &problem, &solver);
    return blpo__hypergrad_check(error, &problem, &solver);
}

/* J J^T would need products between the transitions of different processes. */
static int check_processes(blpo_error *error, const blpo_config *config, const blpo_runtime *runtime)
{
    if (!config->hypergradient || runtime->n_processes == 1)
        return BLPO_OK;
    if (config->ihvp_method == BLPO_IHVP_CG && config->cg_preconditioner != BLPO_PRECONDITIONER_NONE)
        return blpo__error_int(error, BLPO_ERR_CONFIG, "cg_preconditioner", config->cg_preconditioner,
                               "gauss_newton works in one process; with n_processes above 1 it must be 0");
    if (config->ihvp_method != BLPO_IHVP_GAUSS_NEWTON)
        return BLPO_OK;
    return blpo__error_int(error, BLPO_ERR_CONFIG, "ihvp_method", config->ihvp_method,
                           "gauss_newton works in one process; with n_processes above 1 take cg with ihvp_curvature 1");
}

/* --- all of it --- */

static int check_settings(blpo_error *error, const blpo_env *env, const blpo_config *config)
{
    int rc = check_env(error, env);
    if (rc == BLPO_OK)
        rc = check_counts(error, env, config);
    if (rc == BLPO_OK)
        rc = check_closed(error, config);
    if (rc == BLPO_OK)
        rc = check_positive(error, config);
    if (rc == BLPO_OK)
        rc = check_solver_settings(error, config);
    return rc == BLPO_OK ? check_rollout(error, env, config) : rc;
}

int blpo__trainer_check(blpo_error *error, const blpo_env *env, const blpo_config *config, const blpo_runtime *runtime)
{
    int64_t n_actor = 0, n_critic = 0, actor_widest = 0, critic_widest = 0;
    int rc = check_settings(error, env, config);
    if (rc == BLPO_OK)
        rc = check_actor(error, env, config, &n_actor, &actor_widest);
    if (rc == BLPO_OK)
        rc = check_critic(error, env, config, &n_critic, &critic_widest);
    if (rc == BLPO_OK)
        rc = check_response(error, config, n_critic);
    if (rc == BLPO_OK)
        rc = check_rows(error, env, config, actor_widest > critic_widest ? actor_widest : critic_widest);
    if (rc == BLPO_OK)
        rc = check_solver(error, config, n_actor, n_critic);
    if (rc == BLPO_OK)
        rc = check_processes(error, config, runtime);
    return rc == BLPO_OK ? check_sums(error, config, n_actor, n_critic) : rc;
}
