/** @file status.h
 *  Status codes and the error record. */
#ifndef BLPO_STATUS_H
#define BLPO_STATUS_H

#include <blpo/export.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The one list of codes: name, number, text. Numbers are never changed or used again.
 *
 *  | code | text, and what is meant |
 *  |---|---|
 *  | BLPO_OK | done |
 *  | BLPO_UPDATE_DUE | the rollout is full: an update is due |
 *  | BLPO_STOPPED | stopped by the metrics callback |
 *  | BLPO_ERR_NULL | a required pointer is NULL |
 *  | BLPO_ERR_CONFIG | a setting breaks its rule: a field of a config, env or runtime struct |
 *  | BLPO_ERR_SIZE | a size is too large: a product of sizes does not fit the integers of BLAS, or the address space |
 *  | BLPO_ERR_NOMEM | out of memory: the allocator returned NULL, or the system gave no thread |
 *  | BLPO_ERR_NONFINITE | a NaN or an infinity came in, or would have come out |
 *  | BLPO_ERR_CALLBACK | a callback gave up: it returned a verdict that ends the call |
 *  | BLPO_ERR_BUSY | the handle is in use: called from inside its own callback, or from two threads at once |
 *  | BLPO_ERR_STATE | the call does not fit the state of the handle |
 *  | BLPO_ERR_VERSION | struct_size does not fit this library: too small, above 65536, or an unknown tail is not zero |
 *  | BLPO_ERR_ARGUMENT | an argument breaks its rule, one that is not a config field |
 *  | BLPO_ERR_SINGULAR | the linear system has no usable solution: reserved, since the methods of 0.1 all have a way out |
 *  | BLPO_ERR_FORMAT | the bytes are damaged or of another kind: cut short, changed, or not written by a save |
 *  | BLPO_ERR_MISMATCH | the bytes were made for other shapes or settings, and are sound |
 */
#define BLPO_STATUS_MAP(X)                                                                                             \
    X(BLPO_OK, 0, "done")                                                                                              \
    X(BLPO_UPDATE_DUE, 1, "the rollout is full: an update is due")                                                     \
    X(BLPO_STOPPED, 2, "stopped by the metrics callback")                                                              \
    X(BLPO_ERR_NULL, -1, "a required pointer is NULL")                                                                 \
    X(BLPO_ERR_CONFIG, -2, "a setting breaks its rule")                                                                \
    X(BLPO_ERR_SIZE, -3, "a size is too large")                                                                        \
    X(BLPO_ERR_NOMEM, -4, "out of memory")                                                                             \
    X(BLPO_ERR_NONFINITE, -5, "a NaN or an infinity")                                                                  \
    X(BLPO_ERR_CALLBACK, -6, "a callback gave up")                                                                     \
    X(BLPO_ERR_BUSY, -7, "the handle is in use")                                                                       \
    X(BLPO_ERR_STATE, -8, "the call does not fit the state of the handle")                                             \
    X(BLPO_ERR_VERSION, -9, "struct_size does not fit this library")                                                   \
    X(BLPO_ERR_ARGUMENT, -10, "an argument breaks its rule")                                                           \
    X(BLPO_ERR_SINGULAR, -11, "the linear system has no usable solution")                                              \
    X(BLPO_ERR_FORMAT, -12, "the bytes are damaged or of another kind")                                                \
    X(BLPO_ERR_MISMATCH, -13, "the bytes were made for other shapes or settings")

/** Status codes; see BLPO_STATUS_MAP. Negative: error. Positive: outcome. */
typedef enum blpo_status {
#define BLPO_STATUS_ENUM(name, number, text) name = number, /**< see the table */
    BLPO_STATUS_MAP(BLPO_STATUS_ENUM)
#undef BLPO_STATUS_ENUM
} blpo_status;

/** Where in the work an error was found. */
typedef enum blpo_stage {
    BLPO_STAGE_NONE = 0,         /**< no error, or none of the below */
    BLPO_STAGE_CREATE = 1,       /**< checking settings, taking memory */
    BLPO_STAGE_RESET = 2,        /**< resetting environments */
    BLPO_STAGE_STEP = 3,         /**< stepping environments, or observing a transition */
    BLPO_STAGE_ACT = 4,          /**< choosing actions */
    BLPO_STAGE_CRITIC = 5,       /**< nested critic steps */
    BLPO_STAGE_DIRECT = 6,       /**< direct gradient of the actor, and v */
    BLPO_STAGE_SOLVE = 7,        /**< inverse-Hessian-vector product */
    BLPO_STAGE_IMPLICIT = 8,     /**< mixed product */
    BLPO_STAGE_ACTOR = 9,        /**< actor step */
    BLPO_STAGE_METRICS = 10,     /**< the figures of an update, and the callback that gets them */
    BLPO_STAGE_SAVE = 11,        /**< writing a checkpoint */
    BLPO_STAGE_LOAD = 12,        /**< reading a checkpoint */
    BLPO_STAGE_PARAMETERS = 13   /**< taking hold of a policy or a critic, which another call changes or saves */
} blpo_stage;

/** The last error of a handle. Plain data: copy it freely. A later call that succeeds leaves it as it is. */
typedef struct blpo_error {
    int32_t code;          /**< a negative blpo_status, or 0 before any error */
    int32_t stage;         /**< a blpo_stage */
    int64_t env;           /**< environment, or -1 */
    int64_t step;          /**< step of the current rollout, or minibatch of the update; or -1 */
    int64_t element;       /**< index into the field, or -1 */
    int64_t callback_code; /**< what the callback returned, or 0 */
    char field[48];        /**< name of the setting, argument or array, "" where there is none */
    char text[256];        /**< one sentence for people: "env 2, step 117: obs[3] is NaN" */
} blpo_error;

/** @param status  any int.
 *  @return text of a status code in static storage, never NULL; "unknown status" for a number not in the list.
 *  Any thread. Since 0.1. */
BLPO_API const char *blpo_status_text(int status);

/** @param status  any int.
 *  @return name of a status code ("BLPO_ERR_NULL") in static storage, never NULL; "BLPO_UNKNOWN" for a number not in
 *          the list. Any thread. Since 0.1. */
BLPO_API const char *blpo_status_name(int status);

#ifdef __cplusplus
}
#endif
#endif
