/* The container of checkpoints, format 1 (docs/checkpoint.md): writing through a callback, reading from memory. */
#ifndef BLPO_IO_CODEC_H
#define BLPO_IO_CODEC_H

#include "core/real.h"

#include <blpo/checkpoint.h>
#include <blpo/status.h>

#define BLPO__HEAD_SIZE 24 /* magic, version, kind, total length */
#define BLPO__CHECKSUM_SIZE 8

/* What a file holds. */
typedef enum blpo__file_kind { BLPO__FILE_POLICY = 1, BLPO__FILE_TRAINER = 2 } blpo__file_kind;

/* Four characters as they stand in the file. */
#define BLPO__TAG(a, b, c, d) ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

/* Writing. The total length stands first, so a file is written twice: to a writer that counts, then to the sink.
 *
 *     blpo__writer w;
 *     blpo__writer_count(&w, kind);              put...;  blpo__writer_end(&w);
 *     blpo__writer_begin(&w, kind, w.length, write, user);  put...;  rc = blpo__writer_end(&w);
 */
typedef struct blpo__writer {
    blpo_write_fn write; /* NULL: only counts */
    void *user;
    uint64_t length;     /* bytes put so far */
    uint64_t total;      /* as the head says */
    uint64_t hash;       /* of what has left the buffer */
    int verdict;         /* first value other than 0 that write returned: it is not called again */
    size_t filled;
    unsigned char buffer[4096];
} blpo__writer;

void blpo__writer_count(blpo__writer *writer, uint32_t kind);
void blpo__writer_begin(blpo__writer *writer, uint32_t kind, uint64_t total, blpo_write_fn write, void *user);

/* Adds the checksum. BLPO_OK; BLPO_ERR_CALLBACK when the sink gave up (see verdict), or when another length came out than
 * was counted: what a save callback of the host did differently the second time. */
int blpo__writer_end(blpo__writer *writer);

void blpo__put_u8(blpo__writer *writer, uint8_t value);
void blpo__put_u32(blpo__writer *writer, uint32_t value);
void blpo__put_u64(blpo__writer *writer, uint64_t value);
void blpo__put_i64(blpo__writer *writer, int64_t value);
void blpo__put_double(blpo__writer *writer, double value);
void blpo__put_reals(blpo__writer *writer, const real *value, int64_t count);
void blpo__put_i64s(blpo__writer *writer, const int64_t *value, int64_t count);
void blpo__put_doubles(blpo__writer *writer, const double *value, int64_t count);
void blpo__put_bytes(blpo__writer *writer, const void *bytes, size_t n);

/* Head of a section whose contents of `length` bytes are put next. */
void blpo__put_section(blpo__writer *writer, uint32_t tag, uint64_t length);

/* A whole section: `put` runs on a counting writer first. */
typedef void (*blpo__put_fn)(blpo__writer *writer, const void *subject);
void blpo__put_section_of(blpo__writer *writer, uint32_t tag, blpo__put_fn put, const void *subject);

/* A blpo_write_fn whose user is a blpo__writer, for save callbacks of the host. */
int blpo__writer_sink(void *writer, const void *bytes, size_t n);

/* Reading from memory. A read past the end gives 0 and sets `bad`, which stays: checked once after a row of reads. */
typedef struct blpo__reader {
    const unsigned char *at, *end;
    int bad;
} blpo__reader;

/* Head, length and checksum: BLPO_OK, the reader then stands at the first section and ends at the checksum; or
 * BLPO_ERR_FORMAT, and *why is a sentence that says so. */
int blpo__reader_open(blpo__reader *reader, const void *bytes, size_t n, uint32_t kind, const char **why);

/* The head alone, for who reads from a stream. *total is the length of the file, head and checksum included. */
int blpo__header_check(const unsigned char head[BLPO__HEAD_SIZE], uint32_t kind, uint64_t *total, const char **why);

uint8_t blpo__get_u8(blpo__reader *reader);
uint32_t blpo__get_u32(blpo__reader *reader);
uint64_t blpo__get_u64(blpo__reader *reader);
int64_t blpo__get_i64(blpo__reader *reader);
double blpo__get_double(blpo__reader *reader);
real blpo__get_real(blpo__reader *reader);

/* These write all of `value` or nothing. */
void blpo__get_reals(blpo__reader *reader, real *value, int64_t count);
void blpo__get_i64s(blpo__reader *reader, int64_t *value, int64_t count);
void blpo__get_doubles(blpo__reader *reader, double *value, int64_t count);

/* n bytes where they lie, or NULL. */
const void *blpo__get_bytes(blpo__reader *reader, size_t n);

size_t blpo__reader_left(const blpo__reader *reader);

/* The next section, which must have this tag: BLPO_OK or BLPO_ERR_FORMAT. */
int blpo__get_section(blpo__reader *reader, uint32_t tag, blpo__reader *inside);

/* BLPO_OK when everything was read and nothing past the end, else BLPO_ERR_FORMAT. */
int blpo__reader_end(const blpo__reader *reader);

#endif
