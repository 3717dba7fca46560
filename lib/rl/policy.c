/* Policies: a network and the distribution on top of it. */
#include "rl/policy.h"

#include "core/check.h"
#include "core/error.h"
#include "rl/infer.h"

#include <blpo/env.h>

#include <math.h>
#include <string.h>

static const int64_t default_hidden[2] = {64, 64};
static const blpo_policy_config defaults = {.struct_size = sizeof(blpo_policy_config),
                                            .network = {.hidden = default_hidden,
                                                        .n_hidden = 2,
                                                        .activation = BLPO_TANH,
                                                        .hidden_gain = 1.41421356237309504880,
                                                        .output_gain = 0.01}};
enum { LEAST = BLPO__SIZE_UP_TO(blpo_policy_config, seed) };

int blpo_policy_config_init(blpo_policy_config *config, size_t struct_size)
{
    if (config == NULL)
        return BLPO_ERR_NULL;
    return blpo__write_struct(config, struct_size, &defaults, sizeof defaults, LEAST);
}

/* --- settings --- */

static int check_bound(blpo_error *error, const char *field, const real *bound, int64_t n)
{
    const int64_t at = bound == NULL ? -1 : blpo__first_nonfinite(bound, n);
    if (at < 0)
        return BLPO_OK;
    return blpo__error_element(error, BLPO_ERR_CONFIG, BLPO_STAGE_CREATE, -1, -1, field, at, (double)bound[at],
                               "it must be finite");
}

static int check_bounds(blpo_error *error, const blpo_action_space *space)
{
    int rc = check_bound(error, "action.low", space->low, space->n);
    if (rc == BLPO_OK)
        rc = check_bound(error, "action.high", space->high, space->n);
    if (rc != BLPO_OK || space->low == NULL || space->high == NULL)
        return rc;
    for (int64_t i = 0; i < space->n; i++)
        if (!(space->high[i] > space->low[i]))
            return blpo__error_element(error, BLPO_ERR_CONFIG, BLPO_STAGE_CREATE, -1, -1, "action.high", i,
                                       (double)space->high[i], "it must be above action.low of the same index");
    return BLPO_OK;
}

int blpo__action_space_check(blpo_error *error, const blpo_action_space *space)
{
    int rc = blpo__check_int(error, "action.kind", space->kind, BLPO_ACTION_DISCRETE, BLPO_ACTION_CONTINUOUS);
    if (rc == BLPO_OK)
        rc = blpo__check_int(error, "action.n", space->n, space->kind == BLPO_ACTION_DISCRETE ? 2 : 1, BLPO__MAX_WIDTH);
    if (rc == BLPO_OK && space->kind == BLPO_ACTION_CONTINUOUS)
        rc = check_bounds(error, space);
    return rc;
}

/* The network's own check would name a layer: here the cause is obs_dim. Widths that break their rule are left to it. */
int blpo__obs_dim_check(blpo_error *error, int64_t obs_dim, const blpo_network *network, int64_t n_outputs)
{
    int rc = blpo__check_size(error, "obs_dim", obs_dim);
    const int64_t width = network->n_hidden > 0 && network->hidden != NULL ? network->hidden[0] : n_outputs;
    if (rc == BLPO_OK && width >= 1 && width <= BLPO__MAX_WIDTH)
        rc = blpo__check_product(error, "obs_dim", obs_dim + 1, width);
    return rc;
}

int blpo__policy_check(blpo_error *error, const blpo_policy_config *config, int64_t *n_parameters)
{
    int rc = blpo__action_space_check(error, &config->action);
    if (rc == BLPO_OK)
        rc = blpo__obs_dim_check(error, config->obs_dim, &config->network, config->action.n);
    if (rc == BLPO_OK)
        rc = blpo__mlp_check(error, "network.", &config->network, config->obs_dim, config->action.n, n_parameters);
    if (rc == BLPO_OK)
        rc = blpo__check_double(error, "initial_log_std", config->initial_log_std, -BLPO__MAX_LOG_STD, BLPO__MAX_LOG_STD);
    if (rc == BLPO_OK && config->action.kind == BLPO_ACTION_CONTINUOUS) {
        *n_parameters += config->action.n;
        rc = blpo__check_product_of(error, "network.hidden", "the number of parameters", *n_parameters, 1);
    }
    return rc;
}

int blpo__policy_check_parameters(const real *parameters, int64_t n, int64_t n_log_std)
{
    if (blpo__first_nonfinite(parameters, n) >= 0)
        return BLPO_ERR_NONFINITE;
    for (int64_t i = n - n_log_std; i < n; i++)
        if (fabs((double)parameters[i]) > BLPO__MAX_LOG_STD)
            return BLPO_ERR_ARGUMENT;
    return BLPO_OK;
}

/* --- create, destroy --- */

static const real *copy_bound(const real *bound, int64_t n, blpo__memory *memory)
{
    real *copy = bound == NULL ? NULL : blpo__allocate(memory, n, sizeof *copy);
    if (copy != NULL)
        memcpy(copy, bound, (size_t)n * sizeof *copy);
    return copy;
}

static void fill(blpo_policy *policy, const blpo_policy_config *config)
{
    blpo__memory *memory = &policy->host.memory;
    const blpo_action_space *space = &config->action;
    policy->obs_dim = config->obs_dim;
    policy->action = (blpo_action_space){.kind = space->kind, .n = space->n};
    if (space->kind == BLPO_ACTION_CONTINUOUS) {
        policy->action.low = copy_bound(space->low, space->n, memory);
        policy->action.high = copy_bound(space->high, space->n, memory);
    }
    blpo__mlp_create(&policy->mlp, &config->network, config->obs_dim, space->n, memory);
    policy->n_parameters = policy->mlp.n_parameters + blpo__policy_n_log_std(policy);
    policy->parameters = blpo__allocate(memory, policy->n_parameters, sizeof *policy->parameters);
    policy->turned = blpo__allocate(memory, policy->mlp.n_parameters, sizeof *policy->turned);
}

int blpo__policy_new(const blpo_policy_config *config, const blpo_runtime *runtime, blpo_policy **out)
{
    void *memory;
    const int rc = blpo__host_create(runtime, sizeof(blpo_policy), &memory);
    if (rc != BLPO_OK)
        return rc;
    blpo_policy *policy = memory;
    fill(policy, config);
    if (policy->host.memory.failed)
        return blpo__host_out_of_memory(&policy->host, runtime);
    *out = policy;
    return BLPO_OK;
}

int blpo__policy_initialise(blpo_policy *policy, uint64_t seed, double log_std)
{
    blpo__mlp_initialise(&policy->mlp, seed, BLPO__FOR_POLICY_INIT, policy->parameters, &policy->host.memory);
    for (int64_t i = policy->mlp.n_parameters; i < policy->n_parameters; i++)
        policy->parameters[i] = (real)log_std;
    blpo__policy_changed(policy);
    return policy->host.memory.failed ? BLPO_ERR_NOMEM : BLPO_OK;
}

int blpo_policy_create(const blpo_policy_config *config, const blpo_runtime *runtime, blpo_policy **out)
{
    if (config == NULL || out == NULL)
        return blpo__runtime_missing(runtime, config == NULL ? "config" : "out");
    blpo_runtime rt;
    blpo_policy_config c;
    blpo_policy *policy;
    int64_t n_parameters;
    int rc = blpo__create_read(&rt, runtime, &c, sizeof c, LEAST, config);
    if (rc == BLPO_OK)
        rc = blpo__policy_check(rt.error, &c, &n_parameters);
    if (rc == BLPO_OK)
        rc = blpo__policy_new(&c, &rt, &policy);
    if (rc != BLPO_OK)
        return rc;
    if (blpo__policy_initialise(policy, c.seed, c.initial_log_std) != BLPO_OK)
        return blpo__host_out_of_memory(&policy->host, &rt);
    *out = policy;
    return BLPO_OK;
}

void blpo_policy_destroy(blpo_policy *policy)
{
    if (policy != NULL)
        blpo__host_destroy(&policy->host);
}

/* --- what the rest of the library uses --- */

void blpo__policy_changed(blpo_policy *policy)
{
    blpo__mlp_turn(&policy->mlp, policy->parameters, policy->turned);
}

int64_t blpo__policy_n_log_std(const blpo_policy *policy)
{
    return policy->action.kind == BLPO_ACTION_CONTINUOUS ? policy->action.n : 0;
}

blpo__distribution blpo__policy_distribution(const blpo_policy *policy)
{
    const int gaussian = policy->action.kind == BLPO_ACTION_CONTINUOUS;
    return (blpo__distribution){.kind = policy->action.kind,
                                .n = policy->action.n,
                                .log_std = gaussian ? policy->parameters + policy->mlp.n_parameters : NULL};
}

int blpo__policy_outputs(const blpo_policy *policy, const real *obs, int64_t n, real *output)
{
    return blpo__infer(&policy->mlp, policy->turned, obs, n, output);
}

void blpo__policy_clip(const blpo_policy *policy, void *actions, int64_t n)
{
    const real *low = policy->action.low, *high = policy->action.high;
    const int64_t dim = policy->action.n;
    real *action = actions;
    for (int64_t i = 0; low != NULL && i < n * dim; i++)
        action[i] = action[i] < low[i % dim] ? low[i % dim] : action[i];
    for (int64_t i = 0; high != NULL && i < n * dim; i++)
        action[i] = action[i] > high[i % dim] ? high[i % dim] : action[i];
}

/* --- rows of observations: act, log_prob, entropy --- */

typedef struct row_work {
    const blpo_policy *policy;
    blpo__distribution distribution;
    int mode;
    const blpo_random *random;
    const void *given; /* actions of log_prob */
    void *action;      /* results of act */
    real *value;       /* results of log_prob and entropy */
} row_work;

static size_t action_row_size(const blpo_policy *policy)
{
    return policy->action.kind == BLPO_ACTION_DISCRETE ? sizeof(int64_t) : (size_t)policy->action.n * sizeof(real);
}

static int visit_rows(const blpo_policy *policy, const real *obs, int64_t n, blpo__visit visit, row_work *work)
{
    const int rc = blpo__check_rows(obs, n, policy->obs_dim, policy->action.n);
    if (rc != BLPO_OK)
        return rc;
    work->policy = policy;
    work->distribution = blpo__policy_distribution(policy);
    return blpo__infer_rows(&policy->mlp, policy->turned, obs, n, visit, work);
}

static int act_row(void *context, int64_t row, const real *output, int final)
{
    const row_work *work = context;
    if (!final)
        return BLPO_OK; /* finite outputs give an action */
    void *action = (char *)work->action + (size_t)row * action_row_size(work->policy);
    if (work->mode == BLPO_SAMPLE) {
        const blpo_random *random = work->random;
        blpo__stream stream =
            blpo__stream_at(random->seed, BLPO__FOR_CALLER, random->stream, random->counter + (uint64_t)row, 0);
        blpo__sample(&work->distribution, output, &stream, action);
    } else {
        blpo__mode(&work->distribution, output, action);
    }
    blpo__policy_clip(work->policy, action, 1);
    return BLPO_OK;
}

int blpo_policy_act(const blpo_policy *policy, const real *obs, int64_t n, int mode, blpo_random *random, void *action)
{
    if (policy == NULL || obs == NULL || action == NULL || (mode == BLPO_SAMPLE && random == NULL))
        return BLPO_ERR_NULL;
    if (mode != BLPO_SAMPLE && mode != BLPO_DETERMINISTIC)
        return BLPO_ERR_ARGUMENT;
    row_work work = {.mode = mode, .random = random, .action = action};
    const int rc = visit_rows(policy, obs, n, act_row, &work);
    if (rc == BLPO_OK && mode == BLPO_SAMPLE)
        random->counter += (uint64_t)n;
    return rc;
}

static int check_action(const blpo_policy *policy, const void *action)
{
    if (policy->action.kind == BLPO_ACTION_CONTINUOUS)
        return blpo__first_nonfinite(action, policy->action.n) < 0 ? BLPO_OK : BLPO_ERR_NONFINITE;
    const int64_t index = *(const int64_t *)action;
    return index >= 0 && index < policy->action.n ? BLPO_OK : BLPO_ERR_ARGUMENT;
}

static int log_prob_row(void *context, int64_t row, const real *output, int final)
{
    const row_work *work = context;
    const void *action = (const char *)work->given + (size_t)row * action_row_size(work->policy);
    if (!final) {
        const int rc = check_action(work->policy, action);
        if (rc != BLPO_OK)
            return rc;
    }
    const real value = (real)blpo__log_prob(&work->distribution, output, action);
    if (!isfinite(value)) /* an action further away than a real can say */
        return BLPO_ERR_NONFINITE;
    if (final)
        work->value[row] = value;
    return BLPO_OK;
}

int blpo_policy_log_prob(const blpo_policy *policy, const real *obs, const void *action, int64_t n, real *log_prob)
{
    if (policy == NULL || obs == NULL || action == NULL || log_prob == NULL)
        return BLPO_ERR_NULL;
    row_work work = {.given = action, .value = log_prob};
    return visit_rows(policy, obs, n, log_prob_row, &work);
}

static int entropy_row(void *context, int64_t row, const real *output, int final)
{
    const row_work *work = context;
    if (final)
        work->value[row] = (real)blpo__entropy(&work->distribution, output);
    return BLPO_OK;
}

int blpo_policy_entropy(const blpo_policy *policy, const real *obs, int64_t n, real *entropy)
{
    if (policy == NULL || obs == NULL || entropy == NULL)
        return BLPO_ERR_NULL;
    row_work work = {.value = entropy};
    return visit_rows(policy, obs, n, entropy_row, &work);
}

/* --- shape and parameters --- */

int64_t blpo_policy_n_parameters(const blpo_policy *policy)
{
    return policy == NULL ? 0 : policy->n_parameters;
}

int64_t blpo_policy_obs_dim(const blpo_policy *policy)
{
    return policy == NULL ? 0 : policy->obs_dim;
}

int blpo_policy_action_space(const blpo_policy *policy, blpo_action_space *out)
{
    if (policy == NULL || out == NULL)
        return BLPO_ERR_NULL;
    *out = policy->action;
    return BLPO_OK;
}

int blpo_policy_get_parameters(const blpo_policy *policy, real *parameters, int64_t n)
{
    if (policy == NULL || parameters == NULL)
        return BLPO_ERR_NULL;
    if (n != policy->n_parameters)
        return BLPO_ERR_ARGUMENT;
    memcpy(parameters, policy->parameters, (size_t)n * sizeof *parameters);
    return BLPO_OK;
}

int blpo_policy_set_parameters(blpo_policy *policy, const real *parameters, int64_t n)
{
    if (policy == NULL || parameters == NULL)
        return BLPO_ERR_NULL;
    if (!blpo__guard_change(&policy->guard))
        return BLPO_ERR_BUSY;
    int rc = n == policy->n_parameters ? BLPO_OK : BLPO_ERR_ARGUMENT;
    if (rc == BLPO_OK)
        rc = blpo__policy_check_parameters(parameters, n, blpo__policy_n_log_std(policy));
    if (rc == BLPO_OK) {
        memcpy(policy->parameters, parameters, (size_t)n * sizeof *parameters);
        blpo__policy_changed(policy);
    }
    blpo__guard_changed(&policy->guard);
    return rc;
}
