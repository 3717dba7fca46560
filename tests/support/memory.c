#include "memory.h"

#include <stdlib.h>
#include <string.h>

/* A block is: head (alignment bytes, its last 16 hold size and mark), memory, tail of 64 bytes. Memory starts as NaN. */
enum { TAIL = 64, TAIL_BYTE = 0x5A };
#define MARK UINT64_C(0x626c706f6d656d21)

static int is_good_alignment(size_t alignment)
{
    return alignment >= 64 && (alignment & (alignment - 1)) == 0;
}

void *counted_allocate(void *user, size_t size, size_t alignment)
{
    counted_memory *m = user;
    m->calls++;
    if (size == 0 || !is_good_alignment(alignment)) {
        m->violations++;
        return NULL;
    }
    if (m->calls == m->fail_at)
        return NULL;
    const size_t whole = (alignment + size + TAIL + alignment - 1) / alignment * alignment;
    unsigned char *block = aligned_alloc(alignment, whole);
    if (block == NULL)
        return NULL;
    const uint64_t head[3] = { MARK, size, alignment };
    memcpy(block + alignment - sizeof head, head, sizeof head);
    memset(block + alignment, 0xFF, size);
    memset(block + alignment + size, TAIL_BYTE, TAIL);
    m->live++;
    m->live_bytes += (int64_t)size;
    return block + alignment;
}

void counted_release(void *user, void *memory, size_t size)
{
    counted_memory *m = user;
    if (memory == NULL) {
        m->violations++;
        return;
    }
    unsigned char *at = memory;
    uint64_t head[3];
    memcpy(head, at - sizeof head, sizeof head);
    if (head[0] != MARK || head[1] != size) {
        m->violations++;
        return;
    }
    for (size_t i = 0; i < TAIL; i++)
        m->violations += at[size + i] != TAIL_BYTE;
    memset(at - sizeof head, 0, sizeof head);
    m->live--;
    m->live_bytes -= (int64_t)size;
    free(at - head[2]);
}

blpo_runtime counted_runtime(counted_memory *memory, blpo_error *error)
{
    blpo_runtime runtime;
    assert_int_equal(blpo_runtime_init(&runtime, sizeof runtime), BLPO_OK);
    runtime.allocate = counted_allocate;
    runtime.release = counted_release;
    runtime.allocator_user = memory;
    runtime.error = error;
    return runtime;
}

void assert_all_released(const counted_memory *memory)
{
    assert_int_equal(memory->violations, 0);
    assert_int_equal(memory->live, 0);
    assert_int_equal(memory->live_bytes, 0);
}
