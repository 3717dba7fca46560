/* A growing buffer as sink and source of checkpoints. */
#ifndef BLPO_TESTS_BYTES_H
#define BLPO_TESTS_BYTES_H

#include "test.h"

typedef struct byte_buffer {
    unsigned char *bytes;
    size_t length;
    size_t room;
    size_t at;       /* where the next read begins */
    int64_t calls;   /* of write and read */
    int64_t fail_at; /* that call returns 5, counted from 1; 0: none */
} byte_buffer;

int bytes_write(void *user, const void *bytes, size_t n);
int bytes_read(void *user, void *bytes, size_t n);
byte_buffer bytes_copy(const byte_buffer *buffer);
void bytes_free(byte_buffer *buffer);

#endif
