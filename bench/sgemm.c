/* What this machine's BLAS can do at best on one processor: GFLOP/s of single-precision products, C = A B, of square
 * matrices and of the shapes of an update. The largest square figure is the peak that shares are of.
 *
 *     sgemm [--seconds S] [--serve | --repeat N] */
#include "harness.h"

#include <cblas.h>
#include <stdlib.h>

typedef struct product {
    int m, n, k;
    float *a, *b, *c;
} product;

static const int shapes[][3] = {{64, 64, 64},    {128, 128, 128}, {256, 256, 256}, {512, 512, 512},
                                {1024, 1024, 1024}, {128, 64, 64},  {64, 64, 128},   {4, 64, 64}};

static void multiply(void *user)
{
    const product *p = user;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, p->m, p->n, p->k, 1.0f, p->a, p->k, p->b, p->n, 0.0f, p->c, p->n);
}

static float *matrix(int rows, int columns)
{
    uint64_t state = 1;
    float *out = aligned_alloc(64, ((size_t)(rows * columns) * sizeof *out + 63) / 64 * 64);
    if (out == NULL)
        exit(1);
    for (int i = 0; i < rows * columns; i++)
        out[i] = bench_noise(&state);
    return out;
}

static void measure(const int *shape, double seconds)
{
    product p = {shape[0], shape[1], shape[2], matrix(shape[0], shape[2]), matrix(shape[2], shape[1]),
                 matrix(shape[0], shape[1])};
    const double us = bench_least_us(multiply, &p, seconds);
    bench_line("{\"what\":\"sgemm\",\"m\":%d,\"n\":%d,\"k\":%d,\"us\":%.3f,\"gflops\":%.2f}", p.m, p.n, p.k, us,
               2e-3 * p.m * p.n * p.k / us);
    free(p.a);
    free(p.b);
    free(p.c);
}

int main(int argc, char **argv)
{
    const double seconds = bench_double(argc, argv, "--seconds", 0.2);
    bench_turns turns = bench_begin(argc, argv, "sgemm");
    while (bench_next(&turns))
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
            measure(shapes[i], seconds);
    return 0;
}
