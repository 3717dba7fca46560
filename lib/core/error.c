#include "core/error.h"

#include <string.h>

void blpo__error_clear(blpo_error *error)
{
    memset(error, 0, sizeof *error);
    error->env = error->step = error->element = -1;
}

/* Clears the record, sets its plain parts and begins its text. */
static blpo__text begin(blpo_error *error, int code, int stage, const char *field)
{
    blpo__error_clear(error);
    error->code = code;
    error->stage = stage;
    blpo__text name = blpo__text_begin(error->field, sizeof error->field);
    blpo__text_add(&name, field);
    return blpo__text_begin(error->text, sizeof error->text);
}

int blpo__error_set(blpo_error *error, int code, int stage, const char *field, const char *text)
{
    if (error != NULL) {
        blpo__text out = begin(error, code, stage, field);
        blpo__text_add(&out, text);
    }
    return code;
}

int blpo__error_missing(blpo_error *error, int stage, const char *field)
{
    if (error != NULL) {
        blpo__text out = begin(error, BLPO_ERR_NULL, stage, field);
        blpo__text_add(&out, field);
        blpo__text_add(&out, " is NULL");
    }
    return BLPO_ERR_NULL;
}

int blpo__error_int(blpo_error *error, int code, const char *field, int64_t value, const char *rule)
{
    if (error != NULL) {
        blpo__text out = begin(error, code, BLPO_STAGE_CREATE, field);
        blpo__text_add(&out, field);
        blpo__text_add(&out, " is ");
        blpo__text_add_int(&out, value);
        blpo__text_add(&out, "; ");
        blpo__text_add(&out, rule);
    }
    return code;
}

int blpo__error_double(blpo_error *error, int code, const char *field, double value, const char *rule)
{
    if (error != NULL) {
        blpo__text out = begin(error, code, BLPO_STAGE_CREATE, field);
        blpo__text_add(&out, field);
        blpo__text_add(&out, " is ");
        blpo__text_add_double(&out, value);
        blpo__text_add(&out, "; ");
        blpo__text_add(&out, rule);
    }
    return code;
}

static void add_place(blpo__text *out, int64_t env, int stage, int64_t step)
{
    const int rollout = stage == BLPO_STAGE_STEP || stage == BLPO_STAGE_ACT || stage == BLPO_STAGE_RESET || env >= 0;
    if (env >= 0) {
        blpo__text_add(out, "env ");
        blpo__text_add_int(out, env);
        blpo__text_add(out, step >= 0 ? ", " : ": ");
    }
    if (step >= 0) {
        blpo__text_add(out, rollout ? "step " : "minibatch ");
        blpo__text_add_int(out, step);
        blpo__text_add(out, ": ");
    }
}

int blpo__error_element(blpo_error *error, int code, int stage, int64_t env, int64_t step, const char *field,
                        int64_t element, double value, const char *rule)
{
    if (error == NULL)
        return code;
    blpo__text out = begin(error, code, stage, field);
    error->env = env;
    error->step = step;
    error->element = element;
    add_place(&out, env, stage, step);
    blpo__text_add(&out, field);
    if (element >= 0) {
        blpo__text_add(&out, "[");
        blpo__text_add_int(&out, element);
        blpo__text_add(&out, "]");
    }
    blpo__text_add(&out, " is ");
    blpo__text_add_double(&out, value);
    if (rule != NULL) {
        blpo__text_add(&out, "; ");
        blpo__text_add(&out, rule);
    }
    return code;
}

static blpo__text go_on(blpo_error *error)
{
    const size_t used = strlen(error->text);
    return blpo__text_begin(error->text + used, sizeof error->text - used);
}

void blpo__error_add(blpo_error *error, const char *text)
{
    blpo__text out = go_on(error);
    blpo__text_add(&out, text);
}

void blpo__error_add_double(blpo_error *error, double value)
{
    blpo__text out = go_on(error);
    blpo__text_add_double(&out, value);
}

int blpo__error_callback(blpo_error *error, int stage, const char *field, int64_t verdict)
{
    if (error != NULL) {
        blpo__text out = begin(error, BLPO_ERR_CALLBACK, stage, field);
        error->callback_code = verdict;
        blpo__text_add(&out, "the callback ");
        blpo__text_add(&out, field);
        blpo__text_add(&out, " returned ");
        blpo__text_add_int(&out, verdict);
    }
    return BLPO_ERR_CALLBACK;
}

const blpo_error *blpo__error_no_handle(void)
{
    static const blpo_error record = {
        BLPO_ERR_NULL, BLPO_STAGE_NONE, -1, -1, -1, 0, "",
        "there is no handle: where create failed, blpo_runtime.error receives the reason"};
    return &record;
}
