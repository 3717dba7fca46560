/* Own kernels against the BLAS on the products of an update, GFLOP/s of the processor's time: for each layout (nt: forward,
 * nn: signals, tn: gradients) and shape, every table this processor can run, then cblas_sgemm. The BLAS should be told to use
 * one thread (OPENBLAS_NUM_THREADS=1); OPENBLAS_CORETYPE chooses its kernels. */
#include "linalg/product.h"

#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BATCHES = 15 };

typedef struct shape {
    int64_t m, n, k;
} shape;

static const shape SHAPES[] = {{4, 64, 64},    {64, 64, 64},   {128, 64, 64},   {128, 64, 4},    {128, 1, 64},
                               {64, 4, 128},   {64, 64, 128},  {1, 64, 64},     {128, 32, 32},   {128, 128, 128},
                               {128, 256, 256}, {256, 256, 128}, {256, 376, 128}, {128, 256, 376}, {512, 512, 512}};

static const char *const LAYOUTS[] = {"nt", "nn", "tn"};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void by_blas(int layout, const blpo__product *p)
{
    cblas_sgemm(CblasRowMajor, layout == 2 ? CblasTrans : CblasNoTrans, layout == 0 ? CblasTrans : CblasNoTrans, (int)p->m,
                (int)p->n, (int)p->k, 1, p->a, (int)(layout == 2 ? p->m : p->k), p->b, (int)(layout == 0 ? p->k : p->n), 0,
                p->c, (int)p->ldc);
}

/* table NULL: the BLAS. */
static double speed(int layout, const blpo__product *p, void (*kernel)(const blpo__product *))
{
    const double flops = 2.0 * (double)p->m * (double)p->n * (double)p->k;
    double best = 0.0;
    int64_t n = 1;
    for (int batch = 0; batch < BATCHES; batch++) {
        const double start = now();
        for (int64_t i = 0; i < n; i++)
            kernel != NULL ? kernel(p) : by_blas(layout, p);
        const double seconds = now() - start;
        best = flops * (double)n / seconds > best ? flops * (double)n / seconds : best;
        if (seconds < 2e-3) {
            n *= 2;
            batch = -1;
        }
    }
    return 1e-9 * best;
}

static blpo__product product_of(int layout, const shape *s, const real *a, const real *b, real *c)
{
    return (blpo__product){.m = s->m,
                           .n = s->n,
                           .k = s->k,
                           .a = a,
                           .a_row = layout == 2 ? 1 : s->k,
                           .a_column = layout == 2 ? s->m : 1,
                           .b = b,
                           .b_row = layout == 0 ? 1 : s->n,
                           .b_column = layout == 0 ? s->k : 1,
                           .c = c,
                           .ldc = s->n};
}

int main(void)
{
    enum { MOST = 512 * 512 };
    real *a = malloc(MOST * sizeof *a), *b = malloc(MOST * sizeof *b), *c = malloc(MOST * sizeof *c);
    if (a == NULL || b == NULL || c == NULL)
        return 1;
    for (int64_t i = 0; i < MOST; i++)
        a[i] = b[i] = (real)(i % 17) / 17 - (real)0.5;
    printf("layout   m    n    k");
    for (int level = 0; blpo__kernels_level(level) != NULL; level++)
        printf(" %9s", blpo__kernels_level(level)->name);
    printf("      dots      BLAS\n");
    for (int layout = 0; layout < 3; layout++)
        for (size_t i = 0; i < sizeof SHAPES / sizeof *SHAPES; i++) {
            const blpo__product p = product_of(layout, &SHAPES[i], a, b, c);
            printf("%4s  %4d %4d %4d", LAYOUTS[layout], (int)p.m, (int)p.n, (int)p.k);
            for (int level = 0; blpo__kernels_level(level) != NULL; level++)
                printf(" %9.1f", speed(layout, &p, blpo__kernels_level(level)->product));
            printf(" %9.1f", layout == 0 && p.n <= 4 ? speed(layout, &p, blpo__kernels_best()->dots) : 0.0);
            printf(" %9.1f\n", speed(layout, &p, NULL));
        }
    free(a);
    free(b);
    free(c);
    return 0;
}
