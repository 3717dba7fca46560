/* Memory of a handle: blocks from the host's allocator, kept in a list, so that one call gives all of them back. */
#ifndef BLPO_CORE_MEMORY_H
#define BLPO_CORE_MEMORY_H

#include <blpo/runtime.h>

#include <stddef.h>
#include <stdint.h>

#define BLPO__ALIGNMENT 64

typedef struct blpo__block blpo__block;

typedef struct blpo__memory {
    blpo_allocate_fn allocate;
    blpo_release_fn release;
    void *user;
    blpo__block *blocks;
    int failed; /* an allocation has failed: checked once, after a row of them */
} blpo__memory;

blpo__memory blpo__memory_of(const blpo_runtime *runtime);

/* count * size zeroed bytes, aligned to BLPO__ALIGNMENT, released by blpo__memory_release(). count 0 gives a valid
 * pointer. NULL sets `failed`; after a failure every further call gives NULL at once. */
void *blpo__allocate(blpo__memory *memory, int64_t count, size_t size);

/* Releases every block. The struct may itself lie in one of them: it is copied first. */
void blpo__memory_release(const blpo__memory *memory);

#endif
