#include "core/memory.h"

#include <stdlib.h>
#include <string.h>

struct blpo__block {
    blpo__block *next;
    size_t size; /* as asked of the allocator */
};

static void *default_allocate(void *user, size_t size, size_t alignment)
{
    (void)user;
    return aligned_alloc(alignment, size); /* size is a multiple of the alignment, see blpo__allocate() */
}

static void default_release(void *user, void *memory, size_t size)
{
    (void)user;
    (void)size;
    free(memory);
}

blpo__memory blpo__memory_of(const blpo_runtime *runtime)
{
    if (runtime == NULL || runtime->allocate == NULL)
        return (blpo__memory){default_allocate, default_release, NULL, NULL, 0};
    return (blpo__memory){runtime->allocate, runtime->release, runtime->allocator_user, NULL, 0};
}

void *blpo__allocate(blpo__memory *memory, int64_t count, size_t size)
{
    const size_t head = BLPO__ALIGNMENT; /* one line for the list, so that the payload stays aligned */
    if (memory->failed || count < 0 || (uint64_t)count > (PTRDIFF_MAX / 2 - 2 * head) / size) {
        memory->failed = 1;
        return NULL;
    }
    const size_t bytes = head + (((size_t)count * size + head - 1) & ~(head - 1));
    blpo__block *block = memory->allocate(memory->user, bytes, BLPO__ALIGNMENT);
    if (block == NULL) {
        memory->failed = 1;
        return NULL;
    }
    memset(block, 0, bytes);
    block->next = memory->blocks;
    block->size = bytes;
    memory->blocks = block;
    return (char *)block + head;
}

void blpo__memory_release(const blpo__memory *memory)
{
    const blpo__memory copy = *memory;
    for (blpo__block *block = copy.blocks; block != NULL;) {
        blpo__block *next = block->next;
        copy.release(copy.user, block, block->size);
        block = next;
    }
}
