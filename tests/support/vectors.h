/* Reads test vectors: text files of records, each a line "name ndim d0 d1 ..." followed by a line with the values,
 * row-major. Lines that start with # are comments. Test code only: it uses stdio and malloc. */
#ifndef BLPO_TESTS_VECTORS_H
#define BLPO_TESTS_VECTORS_H

#include <stdint.h>

typedef struct vec_file vec_file;

typedef struct vec_record {
    const char *name;    /* as in the file */
    int64_t ndim;        /* 0 for a scalar */
    int64_t dim[8];      /* the first ndim hold the shape, the others 1 */
    int64_t size;        /* product of the dimensions; 1 for a scalar */
    const double *value; /* [size] row-major, owned by the file */
} vec_record;

/* Reads a whole file. NULL, with one line on stderr that says where and why, when it cannot be read or is malformed. */
vec_file *vec_open(const char *path);

/* Frees the file and every record in it. NULL does nothing. */
void vec_close(vec_file *file);

/* The record of that name; NULL where there is none. Lives as long as the file. */
const vec_record *vec_find(const vec_file *file, const char *name);

/* As vec_find(), but a record that is missing ends the program with a line on stderr: for records that have to be there. */
const vec_record *vec_need(const vec_file *file, const char *name);

/* vec_need() for a scalar: its value. */
double vec_scalar(const vec_file *file, const char *name);

/* All records in the order of the file. vec_at() gives NULL outside 0 .. vec_count() - 1. */
int64_t vec_count(const vec_file *file);
const vec_record *vec_at(const vec_file *file, int64_t i);

/* The path given to vec_open(). */
const char *vec_path(const vec_file *file);

/* Where the vectors lie: the environment variable BLPO_VECTORS_DIR, else the project's own (BLPO_TEST_VECTORS). */
const char *vec_directory(void);

/* Names of the files in a directory that end in suffix, sorted. Returns how many, at most max; -1 when the directory
 * cannot be read. */
int vec_list(const char *directory, const char *suffix, char names[][256], int max);

#endif
