/* The loops that an update spends its time in, compiled once for each level of vector instructions; the best table that the
 * processor can run is taken at every call. A table and not versions of single functions, since the tiles of a product
 * are chosen by the number and width of registers, and so that tests can run every table the machine has.
 *
 * Sources: kernels/vectors.h (types), sums_body.h, product_body.h, thin_body.h, elementwise_body.h, double_body.h, exp_body.h,
 * cholesky_body.h, double_product_body.h, gram_body.h, tangent_body.h; each of plain.c, avx2.c and avx512.c includes them all,
 * built with the options of its level. */
#ifndef BLPO_LINALG_KERNELS_H
#define BLPO_LINALG_KERNELS_H

#include "core/real.h"

/* What becomes of a finished row of a product. */
typedef enum blpo__finish {
    BLPO__AS_IS,
    BLPO__ACTIVATE,     /* c = phi(c) */
    BLPO__TIMES_SLOPE,  /* c = c phi'(z), where h = phi(z) */
    BLPO__SLOPES_APART, /* also = c phi'(z), and c stays */
    BLPO__ROW_PRODUCTS  /* also_i += c_i . h_i; c itself is scratch */
} blpo__finish;

/* C [m][n] = A B (+ bias, or + C), with A [m][k], B [k][n]; a stored transposed matrix has its two strides swapped.
 *
 *     c_ij = finish( sum_l a_il weight_l b_lj + start_ij ),      start: 0, bias_j or c_ij */
typedef struct blpo__product {
    int64_t m, n, k;
    const real *a;
    int64_t a_row, a_column; /* A_il lies at a[i a_row + l a_column]; one of them is 1 */
    const real *b;
    int64_t b_row, b_column; /* B_lj lies at b[l b_row + j b_column]; one of them is 1 */
    const real *weight;      /* [k], NULL: 1 */
    const real *bias;        /* [n], NULL: none; not with add */
    int add;                 /* 1: onto what C holds */
    blpo__finish finish;
    int32_t activation;
    const real *h;           /* TIMES_SLOPE, SLOPES_APART, ROW_PRODUCTS: [m][n], row stride ldc */
    real *also;              /* SLOPES_APART: [m][n], row stride ldc; ROW_PRODUCTS: [m] */
    real *c;                 /* apart from all other arrays */
    int64_t ldc;
} blpo__product;

/* out_ij += (a_i . a_j) (b_i . b_j + shift), or =, a [n][a_width], b [n][b_width], for i = begin .. end - 1 and j = i .. n - 1; elements
 * of these rows before i may be changed too. */
typedef struct blpo__gram_products {
    int64_t begin, end, n;
    const real *a, *b;
    int64_t a_width, b_width;
    double shift;
    int add;     /* 0: out_ij = */
    double *out; /* row i at out + i ld */
    int64_t ld;
} blpo__gram_products;

#define BLPO__DOUBLE_PAD 16

/* c_ij += sum_k a_ki b_kj, i < m, j < n; row k of a lies at a + k lda, likewise b and c. n, lda, ldb and ldc are multiples of
 * BLPO__DOUBLE_PAD: rows of a are read up to the next multiple of that, whatever is there. */
typedef struct blpo__double_products {
    int64_t m, n, depth;
    const double *a, *b;
    int64_t lda, ldb, ldc;
    int upper; /* 1: on and above the diagonal; what lies below it may be changed or not */
    double *c; /* apart from a and b */
} blpo__double_products;

/* sdot = g phi'(z) + phi''(z) u zdot and q_tj = along_t s_tj + slope_t sdot_tj, where h = phi(z), s = phi'(z) u, and u
 * came down from the layer above; all [rows][n] */
typedef struct blpo__signal_tangents {
    int32_t activation;
    int64_t rows, n;
    const real *g;                /* NULL: scale_t w_j in its place */
    const real *scale, *w;
    const real *h, *s, *zdot;
    const real *along, *slope;    /* [rows] */
    real *sdot, *q;               /* sdot NULL: not wanted; may be g */
} blpo__signal_tangents;

#define BLPO__FEW_INPUTS 6

/* out_jb += sum_t x_tj input_tb and bias_j += sum_t x_tj, where x_tj = column_t w_j phi'(z_tj) + along_t s_tj and h = phi(z):
 * out [n][n_inputs], n_inputs at most BLPO__FEW_INPUTS; h, s [rows][n]; input [rows][n_inputs] */
typedef struct blpo__first_layer {
    int32_t activation;
    int64_t rows, n, n_inputs;
    const real *column, *along; /* [rows] */
    const real *w;              /* [n] */
    const real *h, *s, *input;
    real *out, *bias;
} blpo__first_layer;

/* The numbers of an Adam step as the loop needs them (nn/adam.c). */
typedef struct blpo__adam_factors {
    real b1, c1, b2, c2; /* beta and 1 - beta */
    real step, epsilon;
} blpo__adam_factors;

/* Numbers behind a matrix to be factored, which are read and not used: a tile that the end of the matrix cuts is loaded whole,
 * and has fewer columns than that behind the end. */
#define BLPO__CHOLESKY_SPARE 16

typedef struct blpo__kernels {
    const char *name;
    /* any sizes, also 0 */
    void (*product)(const blpo__product *p);
    /* the same for A with a_column = 1, B with b_row = 1, no weight; good for n <= 4 */
    void (*dots)(const blpo__product *p);
    /* the same for A with a_column = 1, B with b_column = 1, no weight; good for m <= 2 */
    void (*few_rows)(const blpo__product *p);
    /* out[j] += sum_t weight[t] a[t lda + j]; weight NULL: 1 */
    void (*add_rows)(int64_t rows, int64_t n, const real *weight, const real *a, int64_t lda, real *out);
    void (*tanh)(real *z, int64_t n);                                          /* z becomes tanh z */
    void (*relu)(real *z, int64_t n);
    void (*times_slope)(int32_t activation, const real *h, real *s, int64_t n);   /* s *= phi'(z), h = phi(z) */
    /* out[t][j] = scale[t] w[j] phi'(z) + along[t] a[t][j], h = phi(z); along NULL: without that */
    void (*outer_slope)(int32_t activation, int64_t rows, int64_t n, const real *scale, const real *w, const real *h,
                        const real *along, const real *a, real *out);
    /* out[t][j] = scale[t] a[t][j] + b[t][j] */
    void (*scaled_rows)(int64_t rows, int64_t n, const real *scale, const real *a, const real *b, real *out);
    void (*adam)(const blpo__adam_factors *f, int64_t n, const real *gradient, real *m, real *v, real *x);
    /* sums in double: gram [k][k] += rows rows^T and products [k] = rows v, rows [k][n], gram symmetric before and after;
     * out [n] = scale (v - rows^T y); a . b */
    void (*add_gram)(int64_t k, int64_t n, const real *rows, const real *v, double *gram, double *products);
    void (*less_rows)(int64_t k, int64_t n, const real *rows, const double *y, const real *v, double scale, real *out);
    double (*dot)(const real *a, const real *b, int64_t n);
    void (*add_gram_products)(const blpo__gram_products *g);
    void (*add_double_products)(const blpo__double_products *p);
    /* the upper triangle of a [n][n] becomes U, U^T U = a; 0, or -1 where that is not positive definite; behind a there must
     * be BLPO__CHOLESKY_SPARE numbers, whatever they are; then b [n] becomes y, U^T U y = b */
    int (*cholesky)(int64_t n, double *a);
    void (*cholesky_solve)(int64_t n, const double *a, double *b);
    void (*signal_tangents)(const blpo__signal_tangents *p);
    void (*add_first_layer)(const blpo__first_layer *p);
    void (*exp)(double *x, int64_t n); /* x becomes e^x, within 1.1 ulp; a NaN stays one */
    void (*log)(double *x, int64_t n); /* x becomes log x, within 0.9 ulp, x positive and normal; NaN for what is not finite */
} blpo__kernels;

extern const blpo__kernels blpo__kernels_plain;
#ifdef BLPO__X86_LEVELS
extern const blpo__kernels blpo__kernels_avx2, blpo__kernels_avx512;
#endif

/* The best table for this processor. */
const blpo__kernels *blpo__kernels_best(void);

/* Table `level` of those this processor can run, worst first; NULL: no more. For tests and blpo__kernels_best(). */
const blpo__kernels *blpo__kernels_level(int level);

#endif
