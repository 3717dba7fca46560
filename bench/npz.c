#include "npz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void give_up(const char *what, const char *name)
{
    fprintf(stderr, "%s: %s\n", name, what);
    exit(1);
}

bench_npz bench_npz_open(const char *path)
{
    FILE *file = fopen(path, "rb");
    bench_npz npz = {NULL, 0};
    if (file == NULL)
        give_up("cannot be read", path);
    fseek(file, 0, SEEK_END);
    npz.n = ftell(file);
    rewind(file);
    npz.bytes = malloc((size_t)npz.n + 1);
    if (npz.bytes == NULL || fread(npz.bytes, 1, (size_t)npz.n, file) != (size_t)npz.n)
        give_up("cannot be read", path);
    npz.bytes[npz.n] = '\0';
    fclose(file);
    return npz;
}

void bench_npz_close(bench_npz *npz) { free(npz->bytes); }

static int64_t two(const unsigned char *at) { return at[0] + 256 * (int64_t)at[1]; }

/* First byte of the .npy member, or NULL. */
static const unsigned char *member(const bench_npz *npz, const char *file)
{
    const int64_t length = (int64_t)strlen(file);
    for (int64_t i = 0; i + 30 + length < npz->n; i++) {
        const unsigned char *at = npz->bytes + i;
        if (memcmp(at, "PK\3\4", 4) == 0 && two(at + 26) == length && memcmp(at + 30, file, (size_t)length) == 0)
            return at + 30 + length + two(at + 28);
    }
    return NULL;
}

void bench_npz_get(const bench_npz *npz, const char *name, int64_t n, double *out)
{
    char file[64], header[256];
    snprintf(file, sizeof file, "%s.npy", name);
    const unsigned char *npy = member(npz, file);
    if (npy == NULL || memcmp(npy, "\x93NUMPY\1", 7) != 0 || two(npy + 8) >= (int64_t)sizeof header)
        give_up("no such array", name);
    memcpy(header, npy + 10, (size_t)two(npy + 8));
    header[two(npy + 8)] = '\0';
    const unsigned char *numbers = npy + 10 + two(npy + 8);
    const int is_double = strstr(header, "<f8") != NULL;
    if ((!is_double && strstr(header, "<f4") == NULL) || numbers + n * (is_double ? 8 : 4) > npz->bytes + npz->n)
        give_up("not n numbers of float32 or float64", name);
    for (int64_t i = 0; i < n; i++) {
        float narrow;
        memcpy(is_double ? (void *)&out[i] : (void *)&narrow, numbers + i * (is_double ? 8 : 4), is_double ? 8 : 4);
        if (!is_double)
            out[i] = (double)narrow;
    }
}

void bench_npz_get_float(const bench_npz *npz, const char *name, int64_t n, float *out)
{
    double *wide = malloc((size_t)n * sizeof *wide);
    if (wide == NULL)
        exit(1);
    bench_npz_get(npz, name, n, wide);
    for (int64_t i = 0; i < n; i++)
        out[i] = (float)wide[i];
    free(wide);
}
