/* Solvers inside the library: what the methods share, and what the trainer needs beyond the public interface. */
#ifndef BLPO_HYPERGRAD_HYPERGRAD_H
#define BLPO_HYPERGRAD_HYPERGRAD_H

#include "core/host.h"
#include "linalg/lapack.h"

#include <blpo/hypergrad.h>

/* A method: one file and one row of the table in methods.c. */
typedef struct blpo__ihvp {
    const char *name;
    /* Its own rules, after those that all share; NULL: none. */
    int (*check)(blpo_error *error, const blpo_problem *problem, const blpo_hypergrad_config *config);
    /* Takes its workspace; NULL: none. A failed allocation shows in host.memory.failed. */
    void (*create)(blpo_hypergrad *solver);
    /* x ~ (H + rho I)^-1 v, |v| = 1, x and v apart. Fills what it knows of the report. BLPO_OK, or the error of a callback. */
    int (*solve)(blpo_hypergrad *solver, const real *v, real *x, blpo_hypergrad_report *report);
} blpo__ihvp;

extern const blpo__ihvp blpo__ihvp_none, blpo__ihvp_nystrom, blpo__ihvp_cg, blpo__ihvp_dense, blpo__ihvp_gauss_newton;

struct blpo_hypergrad {
    blpo__host host;
    blpo_error error;
    blpo__busy busy;
    blpo_problem problem;
    blpo_hypergrad_config config;
    blpo_hypergrad_stats stats;
    const blpo__ihvp *method;
    int measure_residual;
    uint64_t n_draws;  /* random draws of I so far */
    uint64_t draw[2];  /* coordinates of the next draw where draw_given, else n_draws, 0 */
    int draw_given;
    int indices_fixed; /* invariant: 1: `index` holds what blpo_hypergrad_set_indices() was given */
    real *v;           /* [p] v / |v| */
    real *x;           /* [p] the solution, scaled back at the end */
    real *product;     /* [p] H times something */
    real *unit;        /* [p] zero outside of blpo__hypergrad_rows() */
    real *implicit;    /* [q] of the last compute, before the bound */
    real *result;      /* [q] the hypergradient until it is known to be finite */
    int64_t *index;    /* nystrom: I [k]; dense: the rows of one call */
    real *rows;        /* nystrom: C [k][p]; dense: the rows of one call */
    real *residual;    /* cg: [p] */
    real *direction;   /* cg: [p] */
    double *chunk;     /* nystrom: some columns of C; dense: [p] the right-hand side */
    double *core_v;    /* nystrom: [k] C v, then its solution */
    blpo__symmetric system; /* nystrom: the k x k core; dense: H + rho I */
    real *sample;      /* [T] J x, T = n_samples; NULL where no method or residual asks for J */
    real *response;    /* gauss_newton: [T] what J^T is applied to */
    blpo__cholesky gram; /* gauss_newton: J J^T + rho I */
};

/* NULL for a number that is no method, also within the range. */
const blpo__ihvp *blpo__ihvp_method(int64_t method);
int64_t blpo__ihvp_n_methods(void);

/* Every rule of problem and settings, without an allocation. */
int blpo__hypergrad_check(blpo_error *error, const blpo_problem *problem, const blpo_hypergrad_config *config);

/* For the checks of methods: there must be products with H, of the curvature that was chosen; or rows; or J and its transpose. */
int blpo__hypergrad_need_products(blpo_error *error, const blpo_problem *problem, const blpo_hypergrad_config *config);
int blpo__hypergrad_need_rows(blpo_error *error, const blpo_problem *problem, const blpo_hypergrad_config *config);
int blpo__hypergrad_need_jacobian(blpo_error *error, const blpo_problem *problem);
int blpo__hypergrad_has_products(const blpo_problem *problem, const blpo_hypergrad_config *config);

/* Calls of the user, counted; what they write is checked. BLPO_OK, BLPO_ERR_CALLBACK or BLPO_ERR_NONFINITE (record filled).
 * Products and rows are of the curvature that was chosen. A row counts as one product, and so does a vjp, with the jvp that
 * goes with it. */
int blpo__hypergrad_product(blpo_hypergrad *solver, const real *v, real *hv);
int blpo__hypergrad_rows(blpo_hypergrad *solver, const int64_t *index, int64_t k, real *rows);
int blpo__hypergrad_mixed(blpo_hypergrad *solver, const real *x, real *out);
int blpo__hypergrad_jvp(blpo_hypergrad *solver, const real *x, real *jx);
int blpo__hypergrad_vjp(blpo_hypergrad *solver, const real *u, real *jtu);
int blpo__hypergrad_gram(blpo_hypergrad *solver, double *gram); /* J J^T; destroys product, sample and response */

/* The report of a method that takes another way than its own, and the last of these ways: x = v / rho. */
void blpo__hypergrad_fall_back(blpo_hypergrad_report *report, int reason);
void blpo__hypergrad_last_resort(const blpo_hypergrad *solver, const real *v, real *x, int reason,
                                 blpo_hypergrad_report *report);

/* v / rho */
void blpo__hypergrad_over_rho(const blpo_hypergrad *solver, const real *v, real *x);

/* The coordinates that key the draw of I of the next solve, and of that one only: nothing else depends on them. */
void blpo__hypergrad_set_draw(blpo_hypergrad *solver, uint64_t a, uint64_t b);

/* Turns the measuring of residuals on or off; stays off where there is no hvp. */
void blpo__hypergrad_measure_residual(blpo_hypergrad *solver, int on);

/* Statistics and number of draws, to be put back when an update fails. */
typedef struct blpo__hypergrad_mark {
    blpo_hypergrad_stats stats;
    uint64_t n_draws;
} blpo__hypergrad_mark;

void blpo__hypergrad_mark_take(const blpo_hypergrad *solver, blpo__hypergrad_mark *mark);
void blpo__hypergrad_mark_restore(blpo_hypergrad *solver, const blpo__hypergrad_mark *mark);

#endif
