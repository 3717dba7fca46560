#define _POSIX_C_SOURCE 200809L
#include "vectors.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef BLPO_TEST_VECTORS
#define BLPO_TEST_VECTORS "tests/vectors"
#endif

/* The text is kept: names point into it. The line after a header holds its values and nothing else, so that a file cut
 * short or a value too many is noticed. */
struct vec_file {
    char *path;
    char *text;
    vec_record *records;
    double **values;
    int64_t count;
    int64_t room;
};

static void *grown(void *memory, size_t size)
{
    void *p = realloc(memory, size ? size : 1);
    if (!p) {
        fprintf(stderr, "vectors: out of memory\n");
        exit(99);
    }
    return p;
}

static char *read_text(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return NULL;
    }
    size_t length = 0, room = 1 << 16;
    char *text = grown(NULL, room);
    for (size_t n; (n = fread(text + length, 1, room - length - 1, f)) > 0;) {
        length += n;
        if (room - length < 2)
            text = grown(text, room *= 2);
    }
    int bad = ferror(f);
    fclose(f);
    text[length] = '\0';
    if (bad || strlen(text) != length) {
        fprintf(stderr, "%s: not a text file\n", path);
        free(text);
        return NULL;
    }
    return text;
}

/* Cuts the next line off *text: the line, or NULL at the end. */
static char *next_line(char **text)
{
    char *line = *text;
    if (!*line)
        return NULL;
    char *end = strchr(line, '\n');
    if (end) {
        *end = '\0';
        *text = end + 1;
    } else {
        *text = line + strlen(line);
    }
    return line;
}

static int blank(const char *s)
{
    return s[strspn(s, " \t\r")] == '\0';
}

/* "name ndim d0 d1 ...", cut up in place. */
static const char *parse_header(char *line, vec_record *r)
{
    size_t n = strcspn(line, " \t\r");
    char *p = line + n;
    if (*p)
        *p++ = '\0';
    r->name = line;
    char *end;
    r->ndim = strtoll(p, &end, 10);
    if (end == p || r->ndim < 0 || r->ndim > 8)
        return "number of dimensions is not in 0 .. 8";
    p = end;
    r->size = 1;
    for (int64_t d = 0; d < 8; d++) {
        r->dim[d] = 1;
        if (d >= r->ndim)
            continue;
        r->dim[d] = strtoll(p, &end, 10);
        if (end == p || r->dim[d] < 0 || r->dim[d] > INT64_C(1) << 28)
            return "a dimension is missing or absurd";
        p = end;
        r->size *= r->dim[d];
        if (r->size > INT64_C(1) << 28)
            return "the record is absurdly large";
    }
    return blank(p) ? NULL : "more dimensions than announced";
}

static const char *parse_values(char *line, int64_t size, double *value)
{
    for (int64_t i = 0; i < size; i++) {
        char *end;
        value[i] = strtod(line, &end);
        if (end == line)
            return "fewer values than the shape holds";
        line = end;
    }
    return blank(line) ? NULL : "more values than the shape holds";
}

static const char *parse_record(vec_file *f, char *header, char *values)
{
    if (f->count == f->room) {
        f->room = f->room ? 2 * f->room : 32;
        f->records = grown(f->records, (size_t)f->room * sizeof *f->records);
        f->values = grown(f->values, (size_t)f->room * sizeof *f->values);
    }
    vec_record *r = &f->records[f->count];
    const char *wrong = parse_header(header, r);
    if (wrong)
        return wrong;
    if (!values)
        return "the line of values is missing";
    double *value = grown(NULL, (size_t)r->size * sizeof *value);
    f->values[f->count++] = value;
    r->value = value;
    return parse_values(values, r->size, value);
}

vec_file *vec_open(const char *path)
{
    char *text = read_text(path);
    if (!text)
        return NULL;
    vec_file *f = grown(NULL, sizeof *f);
    memset(f, 0, sizeof *f);
    f->text = text;
    f->path = grown(NULL, strlen(path) + 1);
    strcpy(f->path, path);
    for (char *line, *rest = text; (line = next_line(&rest)) != NULL;) {
        if (*line == '#' || blank(line))
            continue;
        const char *wrong = parse_record(f, line, next_line(&rest));
        if (wrong) {
            fprintf(stderr, "%s: record %.60s: %s\n", path, line, wrong);
            vec_close(f);
            return NULL;
        }
    }
    return f;
}

void vec_close(vec_file *file)
{
    if (!file)
        return;
    for (int64_t i = 0; i < file->count; i++)
        free(file->values[i]);
    free(file->values);
    free(file->records);
    free(file->text);
    free(file->path);
    free(file);
}

const vec_record *vec_find(const vec_file *file, const char *name)
{
    for (int64_t i = 0; i < file->count; i++)
        if (!strcmp(file->records[i].name, name))
            return &file->records[i];
    return NULL;
}

const vec_record *vec_need(const vec_file *file, const char *name)
{
    const vec_record *r = vec_find(file, name);
    if (!r) {
        fprintf(stderr, "%s: no record %s\n", file->path, name);
        exit(99);
    }
    return r;
}

double vec_scalar(const vec_file *file, const char *name)
{
    const vec_record *r = vec_need(file, name);
    if (r->size != 1) {
        fprintf(stderr, "%s: record %s is not a scalar\n", file->path, name);
        exit(99);
    }
    return r->value[0];
}

int64_t vec_count(const vec_file *file)
{
    return file->count;
}

const vec_record *vec_at(const vec_file *file, int64_t i)
{
    return i >= 0 && i < file->count ? &file->records[i] : NULL;
}

const char *vec_path(const vec_file *file)
{
    return file->path;
}

const char *vec_directory(void)
{
    const char *directory = getenv("BLPO_VECTORS_DIR");
    return directory && *directory ? directory : BLPO_TEST_VECTORS;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

int vec_list(const char *directory, const char *suffix, char names[][256], int max)
{
    DIR *d = opendir(directory);
    if (!d) {
        fprintf(stderr, "%s: %s\n", directory, strerror(errno));
        return -1;
    }
    int n = 0;
    for (struct dirent *e; n < max && (e = readdir(d)) != NULL;) {
        size_t length = strlen(e->d_name), tail = strlen(suffix);
        if (length < tail || length > 255 || strcmp(e->d_name + length - tail, suffix))
            continue;
        memcpy(names[n++], e->d_name, length + 1);
    }
    closedir(d);
    qsort(names, (size_t)n, sizeof names[0], by_name);
    return n;
}
