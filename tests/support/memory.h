/* An allocator that counts, watches and can be told to fail. */
#ifndef BLPO_TESTS_MEMORY_H
#define BLPO_TESTS_MEMORY_H

#include "test.h"

typedef struct counted_memory {
    int64_t calls;      /* of allocate */
    int64_t live;       /* blocks not yet given back */
    int64_t live_bytes; /* bytes not yet given back */
    int64_t fail_at;    /* that call of allocate returns NULL, counted from 1; 0: none */
    int64_t violations; /* size 0, alignment below 64 or no power of two, wrong size at release, bytes written past the end */
} counted_memory;

void *counted_allocate(void *user, size_t size, size_t alignment);
void counted_release(void *user, void *memory, size_t size);

/* Default runtime with this allocator and, where error is not NULL, this error record. */
blpo_runtime counted_runtime(counted_memory *memory, blpo_error *error);

/* Nothing is held and no rule was broken. */
void assert_all_released(const counted_memory *memory);

#endif
