/* Policies as files: sections "SHAP" and "PARA" (docs/checkpoint.md).
 *
 * A load believes nothing: the shape goes through the same checks as the settings of blpo_policy_create(), the number of
 * parameters must be that of the shape, and each is looked at, all before memory is taken. What is then asked for is in
 * proportion to the bytes that were given. */
#include "core/error.h"
#include "io/codec.h"
#include "rl/policy.h"

#include <math.h>

enum { MAX_HIDDEN = 1024, HAS_LOW = 1, HAS_HIGH = 2 };
#define SHAPE BLPO__TAG('S', 'H', 'A', 'P')
#define PARAMETERS BLPO__TAG('P', 'A', 'R', 'A')

/* --- save --- */

static void put_shape(blpo__writer *writer, const void *subject)
{
    const blpo_policy *policy = subject;
    const blpo_action_space *space = &policy->action;
    blpo__put_i64(writer, policy->obs_dim);
    blpo__put_u32(writer, (uint32_t)space->kind);
    blpo__put_i64(writer, space->n);
    blpo__put_u32(writer, (uint32_t)policy->mlp.activation);
    blpo__put_double(writer, policy->mlp.hidden_gain);
    blpo__put_double(writer, policy->mlp.output_gain);
    blpo__put_i64(writer, policy->mlp.n_layers - 1);
    blpo__put_i64s(writer, policy->mlp.size + 1, policy->mlp.n_layers - 1);
    blpo__put_u32(writer, (space->low != NULL ? HAS_LOW : 0U) | (space->high != NULL ? HAS_HIGH : 0U));
    blpo__put_reals(writer, space->low, space->low != NULL ? space->n : 0);
    blpo__put_reals(writer, space->high, space->high != NULL ? space->n : 0);
}

static void put_parameters(blpo__writer *writer, const void *subject)
{
    const blpo_policy *policy = subject;
    blpo__put_reals(writer, policy->parameters, policy->n_parameters);
}

static void put_policy(blpo__writer *writer, const blpo_policy *policy)
{
    blpo__put_section_of(writer, SHAPE, put_shape, policy);
    blpo__put_section_of(writer, PARAMETERS, put_parameters, policy);
}

static int save(const blpo_policy *policy, blpo_write_fn write, void *user)
{
    blpo__writer writer;
    blpo__writer_count(&writer, BLPO__FILE_POLICY);
    put_policy(&writer, policy);
    blpo__writer_end(&writer);
    blpo__writer_begin(&writer, BLPO__FILE_POLICY, writer.length, write, user);
    put_policy(&writer, policy);
    return blpo__writer_end(&writer);
}

int blpo_policy_save(const blpo_policy *policy, blpo_write_fn write, void *user)
{
    if (policy == NULL || write == NULL)
        return BLPO_ERR_NULL;
    blpo__guard_save(&policy->guard);
    const int rc = save(policy, write, user);
    blpo__guard_saved(&policy->guard);
    return rc;
}

/* --- load --- */

/* What a file says, with room for what the config points to. */
typedef struct shape {
    blpo_policy_config config;
    int64_t n_parameters;
    int64_t hidden[MAX_HIDDEN];
    real low[BLPO__MAX_WIDTH], high[BLPO__MAX_WIDTH];
} shape;

static int get_network(blpo__reader *reader, shape *s)
{
    blpo_network *network = &s->config.network;
    const uint32_t activation = blpo__get_u32(reader);
    network->hidden_gain = blpo__get_double(reader);
    network->output_gain = blpo__get_double(reader);
    network->n_hidden = blpo__get_i64(reader);
    if (activation > INT32_MAX || network->n_hidden < 0 || network->n_hidden > MAX_HIDDEN)
        return BLPO_ERR_FORMAT;
    network->activation = (int32_t)activation;
    network->hidden = s->hidden;
    blpo__get_i64s(reader, s->hidden, network->n_hidden);
    return reader->bad ? BLPO_ERR_FORMAT : BLPO_OK;
}

static int get_bounds(blpo__reader *reader, shape *s)
{
    blpo_action_space *space = &s->config.action;
    const uint32_t has = blpo__get_u32(reader);
    const uint32_t allowed = space->kind == BLPO_ACTION_CONTINUOUS ? HAS_LOW | HAS_HIGH : 0;
    if (has & ~allowed)
        return BLPO_ERR_FORMAT;
    if (has & HAS_LOW) {
        blpo__get_reals(reader, s->low, space->n);
        space->low = s->low;
    }
    if (has & HAS_HIGH) {
        blpo__get_reals(reader, s->high, space->n);
        space->high = s->high;
    }
    return blpo__reader_end(reader);
}

static int get_shape(blpo__reader *reader, shape *s)
{
    s->config = (blpo_policy_config){.struct_size = sizeof(blpo_policy_config)};
    s->config.obs_dim = blpo__get_i64(reader);
    const uint32_t kind = blpo__get_u32(reader);
    const int64_t n = blpo__get_i64(reader);
    if (kind > INT32_MAX || n < 1 || n > BLPO__MAX_WIDTH)
        return BLPO_ERR_FORMAT;
    s->config.action.kind = (int32_t)kind;
    s->config.action.n = n;
    int rc = get_network(reader, s);
    if (rc == BLPO_OK)
        rc = get_bounds(reader, s);
    if (rc == BLPO_OK && blpo__policy_check(NULL, &s->config, &s->n_parameters) != BLPO_OK)
        rc = BLPO_ERR_FORMAT;
    return rc;
}

/* A copy of the reader walks ahead: there is no memory yet to put the numbers in. */
static int check_parameters(blpo__reader reader, const shape *s)
{
    if (blpo__reader_left(&reader) != (uint64_t)s->n_parameters * sizeof(real))
        return BLPO_ERR_FORMAT;
    const int64_t n_log_std = s->config.action.kind == BLPO_ACTION_CONTINUOUS ? s->config.action.n : 0;
    int out_of_range = 0;
    for (int64_t i = 0; i < s->n_parameters; i++) {
        const real value = blpo__get_real(&reader);
        if (!isfinite(value))
            return BLPO_ERR_NONFINITE;
        out_of_range |= i >= s->n_parameters - n_log_std && fabs((double)value) > BLPO__MAX_LOG_STD;
    }
    return out_of_range ? BLPO_ERR_FORMAT : BLPO_OK;
}

/* *why: the reason, a sentence. */
static int check_file(const void *bytes, size_t n_bytes, shape *s, blpo__reader *parameters, const char **why)
{
    blpo__reader file, inside;
    if (blpo__reader_open(&file, bytes, n_bytes, BLPO__FILE_POLICY, why) != BLPO_OK)
        return BLPO_ERR_FORMAT;
    *why = "section SHAP is not there, has another length, or a value against its rule";
    if (blpo__get_section(&file, SHAPE, &inside) != BLPO_OK || get_shape(&inside, s) != BLPO_OK)
        return BLPO_ERR_FORMAT;
    *why = "section PARA is not there, has another length than the shape asks for, or a log_std out of its range";
    if (blpo__get_section(&file, PARAMETERS, parameters) != BLPO_OK || blpo__reader_end(&file) != BLPO_OK)
        return BLPO_ERR_FORMAT;
    const int rc = check_parameters(*parameters, s);
    if (rc == BLPO_ERR_NONFINITE)
        *why = "a number in section PARA is a NaN or an infinity";
    return rc;
}

int blpo_policy_load(const void *bytes, size_t n_bytes, const blpo_runtime *runtime, blpo_policy **out)
{
    if (bytes == NULL || out == NULL)
        return blpo__runtime_missing(runtime, bytes == NULL ? "bytes" : "out");
    blpo_runtime rt;
    shape s;
    blpo__reader parameters;
    blpo_policy *policy;
    const char *why;
    int rc = blpo__runtime_read(&rt, runtime);
    if (rc != BLPO_OK)
        return rc;
    rc = check_file(bytes, n_bytes, &s, &parameters, &why);
    if (rc != BLPO_OK)
        return blpo__error_set(rt.error, rc, BLPO_STAGE_LOAD, "bytes", why);
    rc = blpo__policy_new(&s.config, &rt, &policy);
    if (rc != BLPO_OK)
        return rc;
    blpo__get_reals(&parameters, policy->parameters, policy->n_parameters);
    blpo__policy_changed(policy);
    *out = policy;
    return BLPO_OK;
}
