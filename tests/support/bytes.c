#include "bytes.h"

#include <stdlib.h>
#include <string.h>

int bytes_write(void *user, const void *bytes, size_t n)
{
    byte_buffer *b = user;
    if (++b->calls == b->fail_at || n == 0)
        return 5;
    if (b->length + n > b->room) {
        b->room = 2 * (b->length + n);
        b->bytes = realloc(b->bytes, b->room);
        if (b->bytes == NULL)
            abort();
    }
    memcpy(b->bytes + b->length, bytes, n);
    b->length += n;
    return 0;
}

int bytes_read(void *user, void *bytes, size_t n)
{
    byte_buffer *b = user;
    if (++b->calls == b->fail_at || n == 0 || n > b->length - b->at)
        return 5;
    memcpy(bytes, b->bytes + b->at, n);
    b->at += n;
    return 0;
}

byte_buffer bytes_copy(const byte_buffer *buffer)
{
    byte_buffer copy = { 0 };
    assert_int_equal(bytes_write(&copy, buffer->bytes, buffer->length), 0);
    copy.calls = 0;
    return copy;
}

void bytes_free(byte_buffer *buffer)
{
    free(buffer->bytes);
    memset(buffer, 0, sizeof *buffer);
}
