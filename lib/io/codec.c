/* Numbers are taken apart and put together by shifts: the bytes are the same whatever the byte order of the machine, and
 * need no alignment. */
#include "io/codec.h"

#include <string.h>

static const unsigned char MAGIC[8] = {'B', 'L', 'P', 'O', 0x1A, '\r', '\n', 0};
enum { FORMAT_VERSION = 1, SECTION_HEAD_SIZE = 12 };

/* Files of the float64 build of the tests hold wider numbers: another kind, so that neither build takes the other's. */
enum { KIND_BITS = sizeof(real) == sizeof(double) ? 0x100 : 0 };

/* Fowler, Noll and Vo, FNV-1a, 64 bits: a bijection of its state for each byte, so no change of one byte goes unseen. */
static const uint64_t HASH_START = UINT64_C(14695981039346656037);

static uint64_t hash_on(uint64_t hash, const unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
    return hash;
}

static void split(uint64_t value, unsigned char *bytes, int n)
{
    for (int i = 0; i < n; i++)
        bytes[i] = (unsigned char)(value >> (8 * i) & 0xFF);
}

static uint64_t join(const unsigned char *bytes, int n)
{
    uint64_t value = 0;
    for (int i = 0; i < n; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

/* --- writing --- */

static void flush(blpo__writer *writer)
{
    if (writer->write != NULL && writer->filled > 0) {
        writer->hash = hash_on(writer->hash, writer->buffer, writer->filled);
        if (writer->verdict == 0)
            writer->verdict = writer->write(writer->user, writer->buffer, writer->filled);
    }
    writer->filled = 0;
}

void blpo__put_bytes(blpo__writer *writer, const void *bytes, size_t n)
{
    const unsigned char *from = bytes;
    writer->length += n;
    if (writer->write == NULL)
        return;
    while (n > 0) {
        if (writer->filled == sizeof writer->buffer)
            flush(writer);
        const size_t room = sizeof writer->buffer - writer->filled, part = n < room ? n : room;
        memcpy(writer->buffer + writer->filled, from, part);
        writer->filled += part;
        from += part;
        n -= part;
    }
}

static void put_head(blpo__writer *writer, uint32_t kind)
{
    blpo__put_bytes(writer, MAGIC, sizeof MAGIC);
    blpo__put_u32(writer, FORMAT_VERSION);
    blpo__put_u32(writer, kind | KIND_BITS);
    blpo__put_u64(writer, writer->total);
}

void blpo__writer_begin(blpo__writer *writer, uint32_t kind, uint64_t total, blpo_write_fn write, void *user)
{
    writer->write = write;
    writer->user = user;
    writer->length = 0;
    writer->total = total;
    writer->hash = HASH_START;
    writer->verdict = 0;
    writer->filled = 0;
    put_head(writer, kind);
}

void blpo__writer_count(blpo__writer *writer, uint32_t kind)
{
    blpo__writer_begin(writer, kind, 0, NULL, NULL);
}

int blpo__writer_end(blpo__writer *writer)
{
    flush(writer);
    blpo__put_u64(writer, writer->hash);
    flush(writer);
    if (writer->write == NULL)
        return BLPO_OK;
    return writer->verdict == 0 && writer->length == writer->total ? BLPO_OK : BLPO_ERR_CALLBACK;
}

static void put_number(blpo__writer *writer, uint64_t value, int n)
{
    unsigned char bytes[8];
    split(value, bytes, n);
    blpo__put_bytes(writer, bytes, (size_t)n);
}

void blpo__put_u8(blpo__writer *writer, uint8_t value)
{
    put_number(writer, value, 1);
}

void blpo__put_u32(blpo__writer *writer, uint32_t value)
{
    put_number(writer, value, 4);
}

void blpo__put_u64(blpo__writer *writer, uint64_t value)
{
    put_number(writer, value, 8);
}

void blpo__put_i64(blpo__writer *writer, int64_t value)
{
    put_number(writer, (uint64_t)value, 8);
}

void blpo__put_double(blpo__writer *writer, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_number(writer, bits, 8);
}

static void put_real(blpo__writer *writer, real value)
{
#ifdef BLPO__FLOAT64
    blpo__put_double(writer, value);
#else
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_number(writer, bits, 4);
#endif
}

void blpo__put_reals(blpo__writer *writer, const real *value, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        put_real(writer, value[i]);
}

void blpo__put_i64s(blpo__writer *writer, const int64_t *value, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        blpo__put_i64(writer, value[i]);
}

void blpo__put_doubles(blpo__writer *writer, const double *value, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        blpo__put_double(writer, value[i]);
}

void blpo__put_section(blpo__writer *writer, uint32_t tag, uint64_t length)
{
    blpo__put_u32(writer, tag);
    blpo__put_u64(writer, length);
}

void blpo__put_section_of(blpo__writer *writer, uint32_t tag, blpo__put_fn put, const void *subject)
{
    blpo__writer count;
    blpo__writer_count(&count, 0);
    const uint64_t head = count.length;
    put(&count, subject);
    blpo__put_section(writer, tag, count.length - head);
    put(writer, subject);
}

int blpo__writer_sink(void *writer, const void *bytes, size_t n)
{
    blpo__writer *w = writer;
    blpo__put_bytes(w, bytes, n);
    return w->verdict;
}

/* --- reading --- */

/* Somebody took the wrong one of two files: the text says who takes it. */
static const char *kind_problem(uint32_t found, uint32_t wanted)
{
    if (found == (BLPO__FILE_POLICY | KIND_BITS) && wanted == BLPO__FILE_TRAINER)
        return "this is a policy, not a checkpoint of a trainer: blpo_policy_load takes it";
    if (found == (BLPO__FILE_TRAINER | KIND_BITS) && wanted == BLPO__FILE_POLICY)
        return "this is a checkpoint of a trainer, not a policy: blpo_trainer_load takes it";
    return "the bytes hold something that this library does not know";
}

int blpo__header_check(const unsigned char head[BLPO__HEAD_SIZE], uint32_t kind, uint64_t *total, const char **why)
{
    const uint32_t found = (uint32_t)join(head + 12, 4);
    *total = join(head + 16, 8);
    *why = NULL;
    if (memcmp(head, MAGIC, sizeof MAGIC) != 0)
        *why = "the bytes do not begin as those that this library writes";
    else if (join(head + 8, 4) != FORMAT_VERSION)
        *why = "the bytes are of another format version than this library reads";
    else if (found != (kind | KIND_BITS))
        *why = kind_problem(found, kind);
    else if (*total < BLPO__HEAD_SIZE + BLPO__CHECKSUM_SIZE)
        *why = "the head of the bytes gives a length that cannot be";
    return *why == NULL ? BLPO_OK : BLPO_ERR_FORMAT;
}

static const char *frame_problem(const unsigned char *bytes, size_t n, uint32_t kind)
{
    const char *why;
    uint64_t total;
    if (n < BLPO__HEAD_SIZE)
        return "the bytes end within their head: they were cut short, or are something else";
    if (blpo__header_check(bytes, kind, &total, &why) != BLPO_OK)
        return why;
    if (n < total)
        return "the bytes end before the length that their head gives: they were cut short";
    if (n > total)
        return "there are more bytes than their head says";
    const size_t at = n - BLPO__CHECKSUM_SIZE;
    return hash_on(HASH_START, bytes, at) == join(bytes + at, BLPO__CHECKSUM_SIZE)
               ? NULL
               : "the checksum does not fit: the bytes were damaged";
}

int blpo__reader_open(blpo__reader *reader, const void *bytes, size_t n, uint32_t kind, const char **why)
{
    const unsigned char *at = bytes;
    *why = frame_problem(at, n, kind);
    if (*why != NULL)
        return BLPO_ERR_FORMAT;
    *reader = (blpo__reader){at + BLPO__HEAD_SIZE, at + n - BLPO__CHECKSUM_SIZE, 0};
    return BLPO_OK;
}

size_t blpo__reader_left(const blpo__reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

const void *blpo__get_bytes(blpo__reader *reader, size_t n)
{
    if (reader->bad || n > blpo__reader_left(reader)) {
        reader->bad = 1;
        return NULL;
    }
    const void *bytes = reader->at;
    reader->at += n;
    return bytes;
}

static uint64_t get_number(blpo__reader *reader, int n)
{
    const unsigned char *bytes = blpo__get_bytes(reader, (size_t)n);
    return bytes == NULL ? 0 : join(bytes, n);
}

uint8_t blpo__get_u8(blpo__reader *reader)
{
    return (uint8_t)get_number(reader, 1);
}

uint32_t blpo__get_u32(blpo__reader *reader)
{
    return (uint32_t)get_number(reader, 4);
}

uint64_t blpo__get_u64(blpo__reader *reader)
{
    return get_number(reader, 8);
}

int64_t blpo__get_i64(blpo__reader *reader)
{
    return (int64_t)get_number(reader, 8);
}

double blpo__get_double(blpo__reader *reader)
{
    const uint64_t bits = get_number(reader, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

real blpo__get_real(blpo__reader *reader)
{
#ifdef BLPO__FLOAT64
    return blpo__get_double(reader);
#else
    const uint32_t bits = blpo__get_u32(reader);
    real value;
    memcpy(&value, &bits, sizeof value);
    return value;
#endif
}

/* Are there so many numbers of this size? A count that breaks its rule is as bad as one that is too large. */
static int has(blpo__reader *reader, int64_t count, size_t size)
{
    if (count < 0 || (uint64_t)count > blpo__reader_left(reader) / size)
        reader->bad = 1;
    return !reader->bad;
}

void blpo__get_reals(blpo__reader *reader, real *value, int64_t count)
{
    if (has(reader, count, sizeof *value))
        for (int64_t i = 0; i < count; i++)
            value[i] = blpo__get_real(reader);
}

void blpo__get_i64s(blpo__reader *reader, int64_t *value, int64_t count)
{
    if (has(reader, count, sizeof *value))
        for (int64_t i = 0; i < count; i++)
            value[i] = blpo__get_i64(reader);
}

void blpo__get_doubles(blpo__reader *reader, double *value, int64_t count)
{
    if (has(reader, count, sizeof *value))
        for (int64_t i = 0; i < count; i++)
            value[i] = blpo__get_double(reader);
}

int blpo__get_section(blpo__reader *reader, uint32_t tag, blpo__reader *inside)
{
    if (blpo__reader_left(reader) < SECTION_HEAD_SIZE || blpo__get_u32(reader) != tag)
        reader->bad = 1;
    const uint64_t length = blpo__get_u64(reader);
    if (reader->bad || length > blpo__reader_left(reader)) {
        reader->bad = 1;
        return BLPO_ERR_FORMAT;
    }
    *inside = (blpo__reader){reader->at, reader->at + length, 0};
    reader->at += length;
    return BLPO_OK;
}

int blpo__reader_end(const blpo__reader *reader)
{
    return !reader->bad && reader->at == reader->end ? BLPO_OK : BLPO_ERR_FORMAT;
}
