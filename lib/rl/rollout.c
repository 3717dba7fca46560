/* Rollout buffer: storage environment by environment, so that a trajectory is contiguous. */
#include "rl/rollout.h"

#include "core/check.h"
#include "core/error.h"

#include <string.h>

static const blpo_rollout_config defaults = {.struct_size = sizeof(blpo_rollout_config), .n_envs = 1, .n_steps = 128};
enum {
    LEAST_CONFIG = BLPO__SIZE_UP_TO(blpo_rollout_config, action_n),
    LEAST_STEP = BLPO__SIZE_UP_TO(blpo_rollout_step, masked),
    LEAST_VIEW = BLPO__SIZE_UP_TO(blpo_rollout_view, masked)
};

int blpo_rollout_config_init(blpo_rollout_config *config, size_t struct_size)
{
    if (config == NULL)
        return BLPO_ERR_NULL;
    return blpo__write_struct(config, struct_size, &defaults, sizeof defaults, LEAST_CONFIG);
}

static int check_transitions(blpo_error *error, const blpo_rollout_config *config)
{
    const int64_t n = config->n_envs * config->n_steps; /* below 2^62 */
    const char *larger = config->n_envs > config->n_steps ? "n_envs" : "n_steps";
    int rc = blpo__check_product_of(error, larger, "n_envs x n_steps", config->n_envs, config->n_steps);
    if (rc == BLPO_OK)
        rc = blpo__check_product_of(error, n > config->obs_dim ? larger : "obs_dim", "transitions x obs_dim", n, config->obs_dim);
    if (rc == BLPO_OK)
        rc = blpo__check_product_of(error, larger, "transitions x action_n", n, config->action_n);
    return rc;
}

int blpo__rollout_check(blpo_error *error, const blpo_rollout_config *config)
{
    int rc = blpo__check_size(error, "n_envs", config->n_envs);
    if (rc == BLPO_OK)
        rc = blpo__check_size(error, "n_steps", config->n_steps);
    if (rc == BLPO_OK)
        rc = blpo__check_size(error, "obs_dim", config->obs_dim);
    if (rc == BLPO_OK)
        rc = blpo__check_int(error, "action_kind", config->action_kind, BLPO_ACTION_DISCRETE, BLPO_ACTION_CONTINUOUS);
    if (rc == BLPO_OK)
        rc = blpo__check_int(error, "action_n", config->action_n, config->action_kind == BLPO_ACTION_DISCRETE ? 2 : 1, 8192);
    if (rc == BLPO_OK)
        rc = check_transitions(error, config);
    return rc;
}

static void take_memory(blpo_rollout *rollout)
{
    const blpo_rollout_config *config = &rollout->config;
    blpo__memory *memory = &rollout->host.memory;
    const int64_t n = config->n_envs * config->n_steps;
    rollout->obs = blpo__allocate(memory, n * config->obs_dim, sizeof *rollout->obs);
    rollout->next_obs = blpo__allocate(memory, n * config->obs_dim, sizeof *rollout->next_obs);
    if (config->action_kind == BLPO_ACTION_DISCRETE)
        rollout->discrete_action = blpo__allocate(memory, n, sizeof *rollout->discrete_action);
    else
        rollout->continuous_action = blpo__allocate(memory, n * config->action_n, sizeof *rollout->continuous_action);
    rollout->log_prob = blpo__allocate(memory, n, sizeof *rollout->log_prob);
    rollout->reward = blpo__allocate(memory, n, sizeof *rollout->reward);
    rollout->terminated = blpo__allocate(memory, n, sizeof *rollout->terminated);
    rollout->truncated = blpo__allocate(memory, n, sizeof *rollout->truncated);
    rollout->masked = blpo__allocate(memory, n, sizeof *rollout->masked);
}

int blpo_rollout_create(const blpo_rollout_config *config, const blpo_runtime *runtime, blpo_rollout **out)
{
    if (config == NULL || out == NULL)
        return blpo__runtime_missing(runtime, config == NULL ? "config" : "out");
    blpo_runtime host;
    blpo_rollout_config known;
    int rc = blpo__create_read(&host, runtime, &known, sizeof known, LEAST_CONFIG, config);
    if (rc == BLPO_OK)
        rc = blpo__rollout_check(host.error, &known);
    void *memory = NULL;
    if (rc == BLPO_OK)
        rc = blpo__host_create(&host, sizeof(blpo_rollout), &memory);
    if (rc != BLPO_OK)
        return rc;
    blpo_rollout *rollout = memory;
    rollout->config = known;
    rollout->action_width = known.action_kind == BLPO_ACTION_DISCRETE ? 1 : known.action_n;
    blpo__error_clear(&rollout->error);
    take_memory(rollout);
    if (rollout->host.memory.failed)
        return blpo__host_out_of_memory(&rollout->host, &host);
    *out = rollout;
    return BLPO_OK;
}

void blpo_rollout_destroy(blpo_rollout *rollout)
{
    if (rollout != NULL)
        blpo__host_destroy(&rollout->host);
}

/* Every row of one array finite, rows with masked[e] left out. All in one look, and one by one only where that finds something. */
static int check_rows(const blpo_rollout *rollout, const char *field, const real *rows, int64_t width,
                      const uint8_t *masked, blpo_error *error)
{
    if (blpo__first_nonfinite(rows, rollout->config.n_envs * width) < 0)
        return BLPO_OK;
    for (int64_t e = 0; e < rollout->config.n_envs; e++) {
        const int64_t bad = masked != NULL && masked[e] ? -1 : blpo__first_nonfinite(rows + e * width, width);
        if (bad >= 0)
            return blpo__error_element(error, BLPO_ERR_NONFINITE, BLPO_STAGE_STEP, e, rollout->length, field,
                                       width == 1 ? -1 : bad, (double)rows[e * width + bad], NULL);
    }
    return BLPO_OK;
}

static int check_actions(const blpo_rollout *rollout, const blpo_rollout_step *step, blpo_error *error)
{
    if (rollout->config.action_kind == BLPO_ACTION_CONTINUOUS)
        return check_rows(rollout, "action", step->action, rollout->config.action_n, step->masked, error);
    const int64_t *action = step->action;
    for (int64_t e = 0; e < rollout->config.n_envs; e++)
        if (!(step->masked != NULL && step->masked[e]) && (action[e] < 0 || action[e] >= rollout->config.action_n))
            return blpo__error_element(error, BLPO_ERR_ARGUMENT, BLPO_STAGE_STEP, e, rollout->length, "action", -1,
                                       (double)action[e], "it must be an index of an action");
    return BLPO_OK;
}

static int check_flags(const blpo_rollout *rollout, const char *field, const uint8_t *flag, blpo_error *error)
{
    for (int64_t e = 0; e < rollout->config.n_envs; e++)
        if (flag[e] > 1)
            return blpo__error_element(error, BLPO_ERR_ARGUMENT, BLPO_STAGE_STEP, e, rollout->length, field, -1,
                                       (double)flag[e], "it must be 0 or 1");
    return BLPO_OK;
}

int blpo__rollout_check_step(const blpo_rollout *rollout, const blpo_rollout_step *step, blpo_error *error)
{
    const int64_t obs_dim = rollout->config.obs_dim;
    int rc = check_rows(rollout, "obs", step->obs, obs_dim, step->masked, error);
    if (rc == BLPO_OK)
        rc = check_actions(rollout, step, error);
    if (rc == BLPO_OK)
        rc = check_rows(rollout, "log_prob", step->log_prob, 1, step->masked, error);
    if (rc == BLPO_OK)
        rc = check_rows(rollout, "reward", step->reward, 1, step->masked, error);
    if (rc == BLPO_OK)
        rc = check_rows(rollout, "next_obs", step->next_obs, obs_dim, step->masked, error);
    if (rc == BLPO_OK)
        rc = check_flags(rollout, "terminated", step->terminated, error);
    if (rc == BLPO_OK)
        rc = check_flags(rollout, "truncated", step->truncated, error);
    if (rc == BLPO_OK && step->masked != NULL)
        rc = check_flags(rollout, "masked", step->masked, error);
    return rc;
}

static void append_row(blpo_rollout *rollout, const blpo_rollout_step *step, int64_t e)
{
    const int64_t at = blpo__rollout_at(rollout, e, rollout->length), obs_dim = rollout->config.obs_dim;
    const size_t obs_bytes = (size_t)obs_dim * sizeof(real);
    rollout->masked[at] = step->masked != NULL && step->masked[e];
    memcpy(rollout->obs + at * obs_dim, step->obs + e * obs_dim, obs_bytes);
    memcpy(rollout->next_obs + at * obs_dim, step->next_obs + e * obs_dim, obs_bytes);
    if (rollout->discrete_action != NULL)
        rollout->discrete_action[at] = ((const int64_t *)step->action)[e];
    else
        memcpy(rollout->continuous_action + at * rollout->action_width,
               (const real *)step->action + e * rollout->action_width, (size_t)rollout->action_width * sizeof(real));
    rollout->log_prob[at] = step->log_prob[e];
    rollout->reward[at] = step->reward[e];
    rollout->terminated[at] = step->terminated[e];
    rollout->truncated[at] = step->truncated[e];
}

void blpo__rollout_append(blpo_rollout *rollout, const blpo_rollout_step *step)
{
    for (int64_t e = 0; e < rollout->config.n_envs; e++)
        append_row(rollout, step, e);
    rollout->length++;
}

static int check_arrays(blpo_rollout *rollout, const blpo_rollout_step *step)
{
    const struct {
        const char *name;
        const void *array;
    } needed[] = {{"obs", step->obs},           {"action", step->action},         {"log_prob", step->log_prob},
                  {"reward", step->reward},     {"terminated", step->terminated}, {"truncated", step->truncated},
                  {"next_obs", step->next_obs}};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (needed[i].array == NULL)
            return blpo__error_missing(&rollout->error, BLPO_STAGE_STEP, needed[i].name);
    return BLPO_OK;
}

static int push(blpo_rollout *rollout, const blpo_rollout_step *given)
{
    blpo_rollout_step known;
    const blpo_rollout_step *step = &known;
    int rc = blpo__read_struct(&known, sizeof known, LEAST_STEP, given);
    if (rc != BLPO_OK)
        return blpo__error_set(&rollout->error, rc, BLPO_STAGE_STEP, "struct_size", blpo_status_text(rc));
    rc = check_arrays(rollout, step);
    if (rc != BLPO_OK)
        return rc;
    if (rollout->length == rollout->config.n_steps)
        return blpo__error_set(&rollout->error, BLPO_ERR_STATE, BLPO_STAGE_STEP, "", "the rollout is full");
    rc = blpo__rollout_check_step(rollout, step, &rollout->error);
    if (rc != BLPO_OK)
        return rc;
    blpo__rollout_append(rollout, step);
    return blpo_rollout_full(rollout) ? BLPO_UPDATE_DUE : BLPO_OK;
}

int blpo_rollout_push(blpo_rollout *rollout, const blpo_rollout_step *step)
{
    if (rollout == NULL)
        return BLPO_ERR_NULL;
    if (!blpo__enter(&rollout->busy))
        return BLPO_ERR_BUSY;
    const int rc = step == NULL ? blpo__error_missing(&rollout->error, BLPO_STAGE_STEP, "step") : push(rollout, step);
    blpo__leave(&rollout->busy);
    return rc;
}

int blpo_rollout_clear(blpo_rollout *rollout)
{
    if (rollout == NULL)
        return BLPO_ERR_NULL;
    if (!blpo__enter(&rollout->busy))
        return BLPO_ERR_BUSY;
    rollout->length = 0;
    blpo__leave(&rollout->busy);
    return BLPO_OK;
}

int64_t blpo_rollout_length(const blpo_rollout *rollout)
{
    return rollout == NULL ? 0 : rollout->length;
}

int blpo_rollout_full(const blpo_rollout *rollout)
{
    return rollout != NULL && rollout->length == rollout->config.n_steps;
}

int blpo_rollout_get_view(const blpo_rollout *rollout, blpo_rollout_view *out)
{
    if (rollout == NULL || out == NULL)
        return BLPO_ERR_NULL;
    const blpo_rollout_view view = {.struct_size = sizeof view,
                                    .n_envs = rollout->config.n_envs,
                                    .n_steps = rollout->config.n_steps,
                                    .length = rollout->length,
                                    .obs = rollout->obs,
                                    .next_obs = rollout->next_obs,
                                    .discrete_action = rollout->discrete_action,
                                    .continuous_action = rollout->continuous_action,
                                    .log_prob = rollout->log_prob,
                                    .reward = rollout->reward,
                                    .terminated = rollout->terminated,
                                    .truncated = rollout->truncated,
                                    .masked = rollout->masked};
    return blpo__write_struct(out, out->struct_size, &view, sizeof view, LEAST_VIEW);
}

const void *blpo__rollout_action(const blpo_rollout *rollout, int64_t at)
{
    return rollout->discrete_action != NULL ? (const void *)(rollout->discrete_action + at)
                                            : (const void *)(rollout->continuous_action + at * rollout->action_width);
}

const blpo_error *blpo_rollout_error(const blpo_rollout *rollout)
{
    return rollout == NULL ? blpo__error_no_handle() : &rollout->error;
}
