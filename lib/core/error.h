/* Filling the error record of a handle. */
#ifndef BLPO_CORE_ERROR_H
#define BLPO_CORE_ERROR_H

#include "core/text.h"

#include <blpo/status.h>

/* A record without an error: env, step and element are -1. */
void blpo__error_clear(blpo_error *error);

/* Each of these fills the record and returns its code. `error` may be NULL: then only the code is returned. */
int blpo__error_set(blpo_error *error, int code, int stage, const char *field, const char *text);

/* "FIELD is NULL": something that has to be there. */
int blpo__error_missing(blpo_error *error, int stage, const char *field);

/* "FIELD is VALUE; RULE" */
int blpo__error_int(blpo_error *error, int code, const char *field, int64_t value, const char *rule);
int blpo__error_double(blpo_error *error, int code, const char *field, double value, const char *rule);

/* "env 2, step 117: FIELD[3] is NaN": parts that are -1 are left out. */
int blpo__error_element(blpo_error *error, int code, int stage, int64_t env, int64_t step, const char *field,
                        int64_t element, double value, const char *rule);

/* Goes on with the text of a filled record. */
void blpo__error_add(blpo_error *error, const char *text);
void blpo__error_add_double(blpo_error *error, double value);

/* "the FIELD callback returned VERDICT" */
int blpo__error_callback(blpo_error *error, int stage, const char *field, int64_t verdict);

/* The record that stands for a handle that is NULL. */
const blpo_error *blpo__error_no_handle(void);

#endif
