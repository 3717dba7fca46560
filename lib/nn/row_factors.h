/* Rows of the Hessian of a loss sum_t f_t(V_t) in the space of samples: what a Nystrom inverse asks of k rows, without making
 * them. For at most BLPO__TILE transitions, from row 0 of a tape on.
 *
 *   C [k][p] = U J + S      J [T][p]: J_t = grad V_t      U [k][T]: u_jt = f_t'' J_t[i_j]      S [k][p]: sum_t f_t' d2V_t[i_j, :]
 *
 * U J is the Gauss-Newton part; S is had where bends is not NULL. */
#ifndef BLPO_NN_ROW_FACTORS_H
#define BLPO_NN_ROW_FACTORS_H

#include "nn/mlp.h"

/* Some of k columns: which, and what number of a row of something each is to be taken from. */
typedef struct blpo__picks {
    int64_t n;
    int32_t *column, *from; /* [k] */
} blpo__picks;

/* S, for two hidden layers (row_bends.c says what its rows look like). Arrays with k columns are by transition, by unit of the
 * first layer, or by its unit and input. */
typedef struct blpo__row_bends {
    int64_t *unit;   /* [k] a in the second hidden layer, -1: this row is zero or full */
    int64_t *input;  /* [k] b in the first one, -1: none */
    int64_t *full;   /* [k] the row's number in `rows`, -1: it is sparse */
    blpo__picks with_unit; /* the rows that have one, at it */
    real *of_layer_2, *weight_of_layer_2, *weight_of_layer_3; /* [k] 1 for rows of such parameters, else 0 */
    real *h2, *s2;   /* [T][k] at the unit of a row */
    real *slope;     /* [T][n_1] phi'(z_1) */
    real *column;    /* [T][k] c */
    real *lower;     /* [T][k] d */
    int64_t stride;  /* of rows of (n_0 + 1) k numbers */
    real *of_input;  /* [T][stride]: [n_0 + 1][k] c times inputs and 1; later s_1 first */
    real *first;     /* [n_1][stride]: [n_0 + 1][k] part of S in the first layer, the bias behind the weights */
    real *second;    /* [k][n_1] part of sparse rows in row a of W_2 */
    real *second_bias; /* [k] */
    real *top;       /* [k] part of sparse rows in element a of W_3 */
    real *lower_sum; /* [n_0 + 1][k] */
    real *of_second; /* [T][k] h_1 second */
    real *of_weight; /* [k] W_2[a_j,i] of one i */
    real *along;     /* [T] */
    real *rows;      /* [k][p] full rows, without their part in the first layer */
} blpo__row_bends;

typedef struct blpo__row_factors {
    const blpo__mlp *mlp;
    int64_t k, width;       /* rows; row stride of the arrays in double with k columns */
    int64_t n, stride;      /* transitions; row stride of the one with a column for each */
    const int64_t *index;   /* [k] i_j of the last make, borrowed */
    blpo__place *place;     /* [k] of i_j */
    blpo__picks picks;
    real *signal, *input;   /* [n][k] J_t[i_j] = signal input */
    double *gradient;       /* [n][width] J_t[i_j] */
    double *u;              /* [n][width] */
    double *through;        /* [n][width] (J J^T) U^T + 2 J S^T, J S^T before that */
    double *gram;           /* [n][stride] J J^T */
    double *wide;           /* [n_1 (n_0 + 1)][width] bends.first in double */
    double *sums;           /* [k][width] */
    double *y;              /* [width] what C^T is applied to */
    real *weight;           /* [n] */
    blpo__row_bends *bends; /* NULL: no S */
} blpo__row_factors;

/* Whether S can be had for this network. */
int blpo__row_bends_possible(const blpo__mlp *mlp);

/* Operations of one use, and of the same by rows, an operation in double counted twice. */
double blpo__row_factors_cost(const blpo__mlp *mlp, int64_t k, int64_t n, int with_bends);
double blpo__row_factors_cost_of_rows(const blpo__mlp *mlp, int64_t k, int64_t n);

/* n: the most transitions there will be. */
void blpo__row_factors_create(blpo__row_factors *factors, const blpo__mlp *mlp, int64_t k, int64_t n, int with_bends,
                              blpo__memory *memory);

/* U and S of these parameters; the tape as for the rows themselves, n its transitions. */
void blpo__row_factors_make(blpo__row_factors *factors, const real *parameters, const blpo__tape *tape,
                            const blpo__row_loss *loss, const int64_t *index, int64_t n, blpo__scratch *scratch);

/* All of them from the last make, with its index, in double: block [k][k] = C[:,I]; gram [k][k] = C C^T, which needs the tape
 * again; products [k] = C v, where tangent [n] = J v. */
void blpo__row_factors_block(const blpo__row_factors *factors, double *block);
void blpo__row_factors_gram(blpo__row_factors *factors, const blpo__tape *tape, blpo__scratch *scratch, double *gram);
void blpo__row_factors_products(const blpo__row_factors *factors, const real *v, const real *tangent, double *products);

/* out [p] = C^T y, the gradient of sum_t weight_t V_t being made by add_gradient of the tape. */
void blpo__row_factors_sum(blpo__row_factors *factors, const blpo__tape *tape, const double *y, blpo__scratch *scratch,
                           real *out);

/* to [n][k], in the columns of the picks, = from [n][ld] */
void blpo__pick(const blpo__picks *picks, int64_t n, const real *from, int64_t ld, int64_t k, real *to);
static inline void blpo__add_pick(blpo__picks *picks, int64_t column, int64_t from)
{
    picks->column[picks->n] = (int32_t)column;
    picks->from[picks->n] = (int32_t)from;
    picks->n++;
}

void blpo__picks_create(blpo__picks *picks, int64_t k, blpo__memory *memory);

/* a . b, n a multiple of BLPO__DOUBLE_PAD */
double blpo__dot_of_padded(const double *a, const double *b, int64_t n);

/* row_bends.c, for the above. */
void blpo__row_bends_create(blpo__row_bends *bends, const blpo__mlp *mlp, int64_t k, int64_t n, blpo__memory *memory);
void blpo__row_bends_make(blpo__row_factors *factors, const real *parameters, const blpo__tape *tape,
                          const blpo__row_loss *loss, blpo__scratch *scratch);
void blpo__row_bends_add_block(const blpo__row_factors *factors, double *block);
void blpo__row_bends_tangents(blpo__row_factors *factors, const blpo__tape *tape, blpo__scratch *scratch, double *to);
void blpo__row_bends_add_gram(blpo__row_factors *factors, double *gram);
void blpo__row_bends_add_products(const blpo__row_factors *factors, const real *v, double *products);
void blpo__row_bends_add_sum(const blpo__row_factors *factors, real *out);

#endif
