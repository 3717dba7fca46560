/* A checked copy of blpo_runtime, held by every handle, with what it is made into. */
#ifndef BLPO_CORE_HOST_H
#define BLPO_CORE_HOST_H

#include "core/memory.h"
#include "core/parallel.h"
#include "core/real.h"

#include <blpo/runtime.h>

#include <stdatomic.h>

typedef struct blpo__host {
    blpo_runtime runtime; /* as copied; its error pointer is dropped after create */
    blpo__memory memory;
    blpo__parallel parallel;
} blpo__host;

/* Copies and checks a runtime (NULL: defaults). No allocation. `*error` becomes the place where create reports. */
int blpo__runtime_read(blpo_runtime *out, const blpo_runtime *in);

/* An argument of a create is NULL: BLPO_ERR_NULL, and the caller's record says so where there is one. */
int blpo__runtime_missing(const blpo_runtime *runtime, const char *name);

/* What a create begins with: a runtime, read as above, and the `known` bytes of its settings, read by blpo__read_struct(); where
 * they cannot be, the record says struct_size. */
int blpo__create_read(blpo_runtime *out, const blpo_runtime *runtime, void *settings, size_t known, size_t least, const void *in);

/* Memory for a handle of `size` bytes whose blpo__host is its first member: BLPO_OK or BLPO_ERR_NOMEM. No threads yet. */
int blpo__host_create(const blpo_runtime *runtime, size_t size, void **out);

/* Stops the threads and releases all memory, the handle's own included. */
void blpo__host_destroy(blpo__host *host);

/* The same where a create ran out of memory: BLPO_ERR_NOMEM, and the record of that runtime says so. */
int blpo__host_out_of_memory(blpo__host *host, const blpo_runtime *runtime);

void blpo__log(const blpo_runtime *runtime, int level, const char *text);

/* Mean of the buffer over all processes; nothing to do in one. BLPO_OK or BLPO_ERR_CALLBACK (*verdict filled). */
int blpo__mean_over_processes(const blpo_runtime *runtime, real *buffer, int64_t n, int64_t *verdict);

/* The busy flag of a handle: enter returns 0 when somebody is in already. */
typedef atomic_int blpo__busy;
int blpo__enter(blpo__busy *busy);
void blpo__leave(blpo__busy *busy);

/* The same for a handle that others read and change: a policy or a critic, its own or borrowed by trainers. Any number may
 * save it at a time, also while one is about to change it; who wants to change it must find nobody at work. */
typedef struct blpo__guard {
    atomic_int changing; /* 0 or 1 */
    atomic_int saving;   /* how many */
} blpo__guard;

int blpo__guard_change(blpo__guard *guard); /* 0: it is being changed or saved */
void blpo__guard_changed(blpo__guard *guard);
void blpo__guard_save(const blpo__guard *guard);
void blpo__guard_saved(const blpo__guard *guard);

#endif
