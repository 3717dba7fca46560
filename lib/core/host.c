#include "core/host.h"

#include "core/check.h"
#include "core/error.h"

#include <string.h>

static const blpo_runtime defaults = {.struct_size = sizeof(blpo_runtime), .n_threads = 1, .n_processes = 1};
enum { LEAST = BLPO__SIZE_UP_TO(blpo_runtime, error) };

int blpo_runtime_init(blpo_runtime *runtime, size_t struct_size)
{
    if (runtime == NULL)
        return BLPO_ERR_NULL;
    return blpo__write_struct(runtime, struct_size, &defaults, sizeof defaults, LEAST);
}

static int check_runtime(const blpo_runtime *runtime)
{
    blpo_error *error = runtime->error;
    if ((runtime->allocate == NULL) != (runtime->release == NULL))
        return blpo__error_set(error, BLPO_ERR_CONFIG, BLPO_STAGE_CREATE, runtime->allocate == NULL ? "allocate" : "release",
                               "allocate and release must both be set, or both be NULL");
    int rc = blpo__check_int(error, "n_threads", runtime->n_threads, 1, 256);
    if (rc == BLPO_OK && runtime->parallel_for != NULL && runtime->n_threads != 1)
        rc = blpo__error_int(error, BLPO_ERR_CONFIG, "n_threads", runtime->n_threads, "with parallel_for it must be 1");
    if (rc == BLPO_OK)
        rc = blpo__check_int(error, "n_processes", runtime->n_processes, 1, INT32_MAX);
    if (rc == BLPO_OK)
        rc = blpo__check_int(error, "process_index", runtime->process_index, 0, runtime->n_processes - 1);
    if (rc == BLPO_OK && runtime->n_processes > 1 && runtime->all_reduce == NULL)
        rc = blpo__error_set(error, BLPO_ERR_CONFIG, BLPO_STAGE_CREATE, "all_reduce",
                             "all_reduce is NULL; with n_processes above 1 it must be set");
    return rc;
}

/* The record of a runtime that was not read: the caller's, if the struct is long enough to hold its address. */
static blpo_error *error_of(const blpo_runtime *in)
{
    return in != NULL && blpo__struct_size_fits(in->struct_size, LEAST) ? in->error : NULL;
}

int blpo__runtime_missing(const blpo_runtime *runtime, const char *name)
{
    return blpo__error_missing(error_of(runtime), BLPO_STAGE_CREATE, name);
}

int blpo__runtime_read(blpo_runtime *out, const blpo_runtime *in)
{
    *out = defaults;
    if (in == NULL)
        return BLPO_OK;
    const int rc = blpo__read_struct(out, sizeof *out, LEAST, in);
    if (rc != BLPO_OK)
        return blpo__error_set(error_of(in), rc, BLPO_STAGE_CREATE, "runtime.struct_size",
                               "the runtime has fields that this library does not know, and they are not zero");
    return check_runtime(out);
}

int blpo__create_read(blpo_runtime *out, const blpo_runtime *runtime, void *settings, size_t known, size_t least, const void *in)
{
    int rc = blpo__runtime_read(out, runtime);
    if (rc != BLPO_OK)
        return rc;
    rc = blpo__read_struct(settings, known, least, in);
    return rc == BLPO_OK ? rc : blpo__error_set(out->error, rc, BLPO_STAGE_CREATE, "struct_size", blpo_status_text(rc));
}

static int out_of_memory(const blpo_runtime *runtime)
{
    return blpo__error_set(runtime->error, BLPO_ERR_NOMEM, BLPO_STAGE_CREATE, "", blpo_status_text(BLPO_ERR_NOMEM));
}

int blpo__host_create(const blpo_runtime *runtime, size_t size, void **out)
{
    blpo__memory memory = blpo__memory_of(runtime);
    blpo__host *host = blpo__allocate(&memory, 1, size);
    if (host == NULL)
        return out_of_memory(runtime);
    host->runtime = *runtime;
    host->runtime.error = NULL;
    host->memory = memory;
    *out = host;
    return BLPO_OK;
}

void blpo__host_destroy(blpo__host *host)
{
    blpo__parallel_stop(&host->parallel);
    blpo__memory_release(&host->memory);
}

int blpo__host_out_of_memory(blpo__host *host, const blpo_runtime *runtime)
{
    blpo__host_destroy(host);
    return out_of_memory(runtime);
}

void blpo__log(const blpo_runtime *runtime, int level, const char *text)
{
    if (runtime->log != NULL)
        runtime->log(runtime->log_user, level, text);
}

int blpo__mean_over_processes(const blpo_runtime *runtime, real *buffer, int64_t n, int64_t *verdict)
{
    if (runtime->n_processes <= 1)
        return BLPO_OK;
    *verdict = runtime->all_reduce(runtime->all_reduce_user, buffer, n);
    if (*verdict != 0)
        return BLPO_ERR_CALLBACK;
    const real share = (real)(1.0 / (double)runtime->n_processes);
    for (int64_t i = 0; i < n; i++)
        buffer[i] *= share;
    return BLPO_OK;
}

int blpo__enter(blpo__busy *busy)
{
    int idle = 0;
    return atomic_compare_exchange_strong(busy, &idle, 1);
}

void blpo__leave(blpo__busy *busy)
{
    atomic_store(busy, 0);
}

int blpo__guard_change(blpo__guard *guard)
{
    int idle = 0;
    if (!atomic_compare_exchange_strong(&guard->changing, &idle, 1))
        return 0;
    if (atomic_load(&guard->saving) == 0)
        return 1;
    atomic_store(&guard->changing, 0);
    return 0;
}

void blpo__guard_changed(blpo__guard *guard)
{
    atomic_store(&guard->changing, 0);
}

/* Who saves takes the handle as const: the count of those who do is no part of what that promises. */
void blpo__guard_save(const blpo__guard *guard)
{
    atomic_fetch_add(&((blpo__guard *)guard)->saving, 1);
}

void blpo__guard_saved(const blpo__guard *guard)
{
    atomic_fetch_sub(&((blpo__guard *)guard)->saving, 1);
}
