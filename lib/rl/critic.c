/* Critics: the handle; values of networks with one output, and of linear functions of features. */
#include "rl/critic.h"

#include "core/check.h"
#include "core/error.h"
#include "linalg/vector.h"
#include "rl/infer.h"
#include "rl/policy.h"

#include <string.h>

static const int64_t default_hidden[2] = {64, 64};
static const blpo_critic_config defaults = {.struct_size = sizeof(blpo_critic_config),
                                            .network = {.hidden = default_hidden,
                                                        .n_hidden = 2,
                                                        .activation = BLPO_TANH,
                                                        .hidden_gain = 1.41421356237309504880,
                                                        .output_gain = 1.0}};
enum { LEAST = BLPO__SIZE_UP_TO(blpo_critic_config, seed) };

int blpo_critic_config_init(blpo_critic_config *config, size_t struct_size)
{
    if (config == NULL)
        return BLPO_ERR_NULL;
    return blpo__write_struct(config, struct_size, &defaults, sizeof defaults, LEAST);
}

static int check_features(blpo_error *error, const blpo_critic_config *config, int64_t *n_parameters)
{
    int rc = blpo__check_size(error, "obs_dim", config->obs_dim);
    if (rc == BLPO_OK)
        rc = blpo__check_int(error, "n_features", config->n_features, 0, BLPO__MAX_WIDTH);
    if (rc == BLPO_OK && config->features == NULL && config->n_features != config->obs_dim)
        rc = blpo__error_int(error, BLPO_ERR_CONFIG, "n_features", config->n_features, "without features it must be obs_dim");
    *n_parameters = config->n_features;
    return rc;
}

int blpo__critic_check(blpo_error *error, const blpo_critic_config *config, int64_t *n_parameters)
{
    if (config->n_features != 0)
        return check_features(error, config, n_parameters);
    if (config->features != NULL)
        return blpo__error_int(error, BLPO_ERR_CONFIG, "n_features", 0, "with features it must be at least 1");
    const int rc = blpo__obs_dim_check(error, config->obs_dim, &config->network, 1);
    return rc != BLPO_OK ? rc : blpo__mlp_check(error, "network.", &config->network, config->obs_dim, 1, n_parameters);
}

static void fill(blpo_critic *critic, const blpo_critic_config *config)
{
    blpo__memory *memory = &critic->host.memory;
    critic->obs_dim = config->obs_dim;
    critic->n_features = config->n_features;
    critic->features = config->features;
    critic->features_user = config->features_user;
    if (config->n_features > 0)
        blpo__mlp_create_linear(&critic->mlp, config->n_features, memory);
    else
        blpo__mlp_create(&critic->mlp, &config->network, config->obs_dim, 1, memory);
    critic->n_parameters = critic->mlp.n_parameters;
    critic->parameters = blpo__allocate(memory, critic->n_parameters, sizeof *critic->parameters);
    if (config->n_features == 0)
        critic->turned = blpo__allocate(memory, critic->n_parameters, sizeof *critic->turned);
}

int blpo__critic_new(const blpo_critic_config *config, const blpo_runtime *runtime, blpo_critic **out)
{
    void *memory;
    const int rc = blpo__host_create(runtime, sizeof(blpo_critic), &memory);
    if (rc != BLPO_OK)
        return rc;
    blpo_critic *critic = memory;
    fill(critic, config);
    if (critic->host.memory.failed)
        return blpo__host_out_of_memory(&critic->host, runtime);
    *out = critic;
    return BLPO_OK;
}

int blpo__critic_initialise(blpo_critic *critic, uint64_t seed)
{
    if (critic->n_features == 0) /* one of features starts at 0 */
        blpo__mlp_initialise(&critic->mlp, seed, BLPO__FOR_CRITIC_INIT, critic->parameters, &critic->host.memory);
    blpo__critic_changed(critic);
    return critic->host.memory.failed ? BLPO_ERR_NOMEM : BLPO_OK;
}

void blpo__critic_changed(blpo_critic *critic)
{
    if (critic->turned != NULL)
        blpo__mlp_turn(&critic->mlp, critic->parameters, critic->turned);
}

int blpo_critic_create(const blpo_critic_config *config, const blpo_runtime *runtime, blpo_critic **out)
{
    if (config == NULL || out == NULL)
        return blpo__runtime_missing(runtime, config == NULL ? "config" : "out");
    blpo_runtime rt;
    blpo_critic_config c;
    blpo_critic *critic;
    int64_t n_parameters;
    int rc = blpo__create_read(&rt, runtime, &c, sizeof c, LEAST, config);
    if (rc == BLPO_OK)
        rc = blpo__critic_check(rt.error, &c, &n_parameters);
    if (rc == BLPO_OK)
        rc = blpo__critic_new(&c, &rt, &critic);
    if (rc != BLPO_OK)
        return rc;
    if (blpo__critic_initialise(critic, c.seed) != BLPO_OK)
        return blpo__host_out_of_memory(&critic->host, &rt);
    *out = critic;
    return BLPO_OK;
}

void blpo_critic_destroy(blpo_critic *critic)
{
    if (critic != NULL)
        blpo__host_destroy(&critic->host);
}

int blpo__critic_features(const blpo_critic *critic, const real *obs, int64_t n, real *phi)
{
    if (critic->features != NULL)
        return critic->features(critic->features_user, obs, n, phi);
    memcpy(phi, obs, (size_t)(n * critic->n_features) * sizeof *phi);
    return 0;
}

/* Rows whose features, in memory of the stack, are made together. */
static int64_t feature_rows(const blpo_critic *critic, int64_t left)
{
    const int64_t room = BLPO__MAX_WIDTH / critic->n_features;
    return room < left ? room : left;
}

/* value [rows] is written when all are finite. They wait in front of the features, where rows that are done were. */
static int linear_tile(const blpo_critic *critic, const real *obs, int64_t rows, real *value)
{
    real phi[BLPO__MAX_WIDTH];
    const int64_t n = critic->n_features;
    if (blpo__critic_features(critic, obs, rows, phi) != 0)
        return BLPO_ERR_CALLBACK;
    if (blpo__first_nonfinite(phi, rows * n) >= 0)
        return BLPO_ERR_NONFINITE;
    for (int64_t t = 0; t < rows; t++)
        phi[t] = (real)blpo__dot(phi + t * n, critic->parameters, n);
    if (blpo__first_nonfinite(phi, rows) >= 0)
        return BLPO_ERR_NONFINITE;
    if (value != NULL)
        memcpy(value, phi, (size_t)rows * sizeof *value);
    return BLPO_OK;
}

/* value NULL: only looks whether there are values. */
static int linear_values(const blpo_critic *critic, const real *obs, int64_t n, real *value)
{
    int rc = BLPO_OK;
    for (int64_t row = 0, rows; rc == BLPO_OK && row < n; row += rows) {
        rows = feature_rows(critic, n - row);
        rc = linear_tile(critic, obs + row * critic->obs_dim, rows, value == NULL ? NULL : value + row);
    }
    return rc;
}

int blpo__critic_values(const blpo_critic *critic, const real *obs, int64_t n, real *value)
{
    if (critic->n_features > 0)
        return linear_values(critic, obs, n, value);
    return blpo__infer(&critic->mlp, critic->turned, obs, n, value);
}

static int value_row(void *context, int64_t row, const real *output, int final)
{
    real *value = context;
    if (final)
        value[row] = *output;
    return BLPO_OK;
}

/* More than a tile goes twice through the features, so that a row that fails leaves the values of all rows untouched. */
static int untouched_or_linear(const blpo_critic *critic, const real *obs, int64_t n, real *value)
{
    const int rc = feature_rows(critic, n) < n ? linear_values(critic, obs, n, NULL) : BLPO_OK;
    return rc != BLPO_OK ? rc : linear_values(critic, obs, n, value);
}

int blpo_critic_value(const blpo_critic *critic, const real *obs, int64_t n, real *value)
{
    if (critic == NULL || obs == NULL || value == NULL)
        return BLPO_ERR_NULL;
    const int rc = blpo__check_rows(obs, n, critic->obs_dim, 1);
    if (rc != BLPO_OK)
        return rc;
    if (critic->n_features > 0)
        return untouched_or_linear(critic, obs, n, value);
    return blpo__infer_rows(&critic->mlp, critic->turned, obs, n, value_row, value);
}

int64_t blpo_critic_n_features(const blpo_critic *critic)
{
    return critic == NULL ? 0 : critic->n_features;
}

int64_t blpo_critic_n_parameters(const blpo_critic *critic)
{
    return critic == NULL ? 0 : critic->n_parameters;
}

int64_t blpo_critic_obs_dim(const blpo_critic *critic)
{
    return critic == NULL ? 0 : critic->obs_dim;
}

int blpo_critic_get_parameters(const blpo_critic *critic, real *parameters, int64_t n)
{
    if (critic == NULL || parameters == NULL)
        return BLPO_ERR_NULL;
    if (n != critic->n_parameters)
        return BLPO_ERR_ARGUMENT;
    memcpy(parameters, critic->parameters, (size_t)n * sizeof *parameters);
    return BLPO_OK;
}

int blpo_critic_set_parameters(blpo_critic *critic, const real *parameters, int64_t n)
{
    if (critic == NULL || parameters == NULL)
        return BLPO_ERR_NULL;
    if (!blpo__guard_change(&critic->guard))
        return BLPO_ERR_BUSY;
    int rc = n == critic->n_parameters ? BLPO_OK : BLPO_ERR_ARGUMENT;
    if (rc == BLPO_OK && blpo__first_nonfinite(parameters, n) >= 0)
        rc = BLPO_ERR_NONFINITE;
    if (rc == BLPO_OK) {
        memcpy(critic->parameters, parameters, (size_t)n * sizeof *parameters);
        blpo__critic_changed(critic);
    }
    blpo__guard_changed(&critic->guard);
    return rc;
}
