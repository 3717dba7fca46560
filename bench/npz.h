/* Reads one array of an .npz file that was written without compression (numpy.savez): float32 or float64, C order.
 *
 * An .npz file is a zip archive of .npy members. Without compression a member's bytes stand in the file as they are, behind
 * its local header: signature "PK\3\4", 30 bytes in all, with the lengths of a name and of an extra field that follow, at
 * 26 and 28. A .npy member is "\x93NUMPY", version (2 bytes), header length (2 bytes in version 1), a Python dictionary as
 * text, and the numbers, little-endian. */
#ifndef BENCH_NPZ_H
#define BENCH_NPZ_H

#include <stdint.h>

typedef struct bench_npz {
    unsigned char *bytes;
    int64_t n;
} bench_npz;

/* Ends the program when the file cannot be read. */
bench_npz bench_npz_open(const char *path);
void bench_npz_close(bench_npz *npz);

/* Copies n numbers of the member "name.npy"; ends the program when it is not there or has fewer. */
void bench_npz_get(const bench_npz *npz, const char *name, int64_t n, double *out);
void bench_npz_get_float(const bench_npz *npz, const char *name, int64_t n, float *out);

#endif
