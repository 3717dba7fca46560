/* Building short texts in a fixed buffer. Not snprintf: its numbers depend on the host's locale, and the library wants
 * no function of the printf family in its symbol table. */
#ifndef BLPO_CORE_TEXT_H
#define BLPO_CORE_TEXT_H

#include <stddef.h>
#include <stdint.h>

typedef struct blpo__text {
    char *at;   /* next character */
    char *last; /* where the terminating zero may stand at the latest */
} blpo__text;

/* Begins an empty text in buffer[size], size >= 1. A text that is too long is cut, always zero-terminated. */
blpo__text blpo__text_begin(char *buffer, size_t size);
void blpo__text_add(blpo__text *text, const char *string);
void blpo__text_add_int(blpo__text *text, int64_t value);
void blpo__text_add_double(blpo__text *text, double value); /* up to 6 significant digits, as %g would; NaN, inf */

#endif
