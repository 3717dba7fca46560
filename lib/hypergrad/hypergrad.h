/* Solvers inside the library: what the methods share, and what the trainer needs beyond the public interface. */
#ifndef BLPO_HYPERGRAD_HYPERGRAD_H
#define BLPO_HYPERGRAD_HYPERGRAD_H

#include "core/host.h"
#include "core/random.h"
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

extern const blpo__ihvp blpo__ihvp_none, blpo__ihvp_nystrom, blpo__ihvp_cg, blpo__ihvp_dense, blpo__ihvp_nystrom_pcg,
    blpo__ihvp_neumann, blpo__ihvp_gauss_newton;

/* What conjugate gradients are preconditioned by. */
typedef struct blpo__preconditioner {
    void (*create)(blpo_hypergrad *solver);
    /* For this solve; made 0 where there is none, and the report says why. BLPO_OK, or the error of a callback. */
    int (*make)(blpo_hypergrad *solver, blpo_hypergrad_report *report, int *made);
    /* z = P^-1 r, z and r apart. BLPO_OK, or the error of a callback. */
    int (*apply)(blpo_hypergrad *solver, const real *r, real *z);
} blpo__preconditioner;

extern const blpo__preconditioner blpo__precondition_sketch, blpo__precondition_gauss_newton;

/* What Lanczos iterations found about H + rho I. */
typedef struct blpo__spectrum {
    int64_t n;        /* most iterations */
    real *q, *before; /* [p] the last two vectors */
    double *alpha;    /* [n] diagonal of the tridiagonal matrix, then its eigenvalues */
    double *beta;     /* [n] beside the diagonal; beta[made - 1]: norm of the residual */
    double low, high; /* its smallest and largest eigenvalue */
    double size;      /* the largest |eigenvalue| */
    double condition; /* largest over least |eigenvalue| */
    double bound;     /* size and the norm of the residual: as good as never below the largest |eigenvalue| */
    int measured;     /* 1: in this solve, whatever came of it */
} blpo__spectrum;

/* A randomised Nystrom sketch of H, and the preconditioner it makes (sketch.c). */
typedef struct blpo__sketch {
    int64_t l;             /* columns in use */
    int64_t most;          /* columns there is room for */
    real *omega;           /* [most][p] random directions, orthonormal */
    double *q;             /* [most][p] orthonormal rows that span H omega */
    double *y;             /* [most][p] H omega, when l may grow; else the same as q */
    double *r;             /* [most][most] R, then B */
    double *core;          /* [most][most] preconditioner on the span: P^-1 = I + Q^T core Q */
    double *work;          /* [2 most] */
    blpo__cholesky gram;   /* omega H omega */
    blpo__symmetric eigen; /* V, and L in eigenvalue */
    double error;          /* estimate of |H - sketch|, where l may grow; else -1 */
} blpo__sketch;

struct blpo_hypergrad {
    blpo__host host;
    blpo_error error;
    blpo__busy busy;
    blpo_problem problem;
    blpo_hypergrad_config config;
    blpo_hypergrad_stats stats;
    const blpo__ihvp *method;
    int measure_residual;
    int trusting;      /* 1: callbacks are the library's own, and write what they are to write */
    uint64_t n_draws; /* random draws of I so far */
    uint64_t draw[2]; /* coordinates of the next draw where draw_given, else n_draws, 0 */
    int draw_given;
    int indices_fixed; /* invariant: 1: `index` holds what blpo_hypergrad_set_indices() was given */
    real *v;           /* [p] v / |v| */
    real *x;           /* [p] the solution, scaled back at the end */
    real *product;     /* [p] H times something */
    real *unit;        /* [p] zero outside of blpo__hypergrad_rows() */
    real *implicit;    /* [q] of the last compute, before the bound */
    real *result;      /* [q] the hypergradient until it is known to be finite */
    int64_t n_flops;   /* of the solve that runs */
    int64_t *index;    /* nystrom: I [k]; dense: the rows of one call */
    real *diagonal;    /* nystrom: [p] of J^T J, where draws are in proportion to it */
    real *rows;        /* nystrom without rows_products: C [k][p], or two times some of its rows; dense: the rows of one call */
    real *residual;    /* cg, neumann, nystrom_pcg: [p] */
    real *direction;   /* cg, nystrom_pcg: [p] */
    real *conditioned; /* cg with a preconditioner, nystrom_pcg: [p] preconditioned residual */
    real *best;        /* cg, nystrom_pcg: [p] x of the iteration with the least residual so far */
    double best_norm;  /* of that residual; infinite before the first iteration */
    double *chunk;     /* nystrom, space-efficient: some columns of two chunks of rows */
    double *wide;      /* nystrom, space-efficient: [p] sums over rows */
    double *block;     /* nystrom: M [k][k] as its rows give it */
    double *products;  /* nystrom: C C^T [k][k] */
    double resolution; /* nystrom: size of the errors of `block`, below 0: that of numbers rounded to real */
    double
        *core_v; /* nystrom: [k] C v; gauss_newton, also as preconditioner: [T] J v; dense: [p] v; then the solution */
    blpo__symmetric system;  /* nystrom: the k x k core; dense: H + rho I */
    real *sample;            /* [T] J x, T = n_samples; NULL where no method or residual asks for J */
    real *response;          /* gauss_newton, also as preconditioner: [T] what J^T is applied to */
    blpo__cholesky gram;     /* the same: J J^T + rho I */
    blpo__sketch sketch;     /* nystrom_pcg */
    blpo__spectrum spectrum; /* neumann, or where spectrum_iterations is not 0 */
    int measure_spectrum;
};

/* NULL for a number that is no method. */
const blpo__ihvp *blpo__ihvp_method(int64_t method);
int64_t blpo__ihvp_n_methods(void);

/* Every rule of problem and settings, without an allocation. */
int blpo__hypergrad_check(blpo_error *error, const blpo_problem *problem, const blpo_hypergrad_config *config);

/* The rules of settings alone; two of them are named as in the struct they come from. */
int blpo__hypergrad_check_config(blpo_error *error, const blpo_hypergrad_config *config, const char *method,
                                 const char *curvature);

/* For the checks of methods: there must be products with H, of the curvature that was chosen; or rows; or J and its transpose. */
int blpo__hypergrad_need_products(blpo_error *error, const blpo_problem *problem, const blpo_hypergrad_config *config);
int blpo__hypergrad_need_rows(blpo_error *error, const blpo_problem *problem, const blpo_hypergrad_config *config);
int blpo__hypergrad_need_jacobian(blpo_error *error, const blpo_problem *problem);

/* Whether nystrom asks for products of its rows in their place. */
static inline int blpo__hypergrad_without_rows(const blpo_problem *problem, const blpo_hypergrad_config *config)
{
    return config->method == BLPO_IHVP_NYSTROM && problem->rows_products != NULL && !config->nystrom_space_efficient;
}

int blpo__hypergrad_has_products(const blpo_problem *problem, const blpo_hypergrad_config *config);

/* Memory for what a callback writes: n elements of this size, and a guard. Everything below is written into such memory. */
void *blpo__hypergrad_output(blpo__memory *memory, int64_t n, size_t size);

/* Calls of the user, counted; what they write is checked. BLPO_OK, BLPO_ERR_CALLBACK or BLPO_ERR_NONFINITE (record filled).
 * Products and rows are of the curvature that was chosen. A row counts as one product, and so does a vjp, with the jvp that
 * goes with it. */
int blpo__hypergrad_product(blpo_hypergrad *solver, const real *v, real *hv);
int blpo__hypergrad_rows(blpo_hypergrad *solver, const int64_t *index, int64_t k, real *rows);
/* Of the rows `index`: block, products (C C^T) and core_v (C v) of the solver; then out = C^T core_v. */
int blpo__hypergrad_rows_products(blpo_hypergrad *solver, const real *v);
int blpo__hypergrad_rows_sum(blpo_hypergrad *solver, real *out);
int blpo__hypergrad_mixed(blpo_hypergrad *solver, const real *x, real *out);
int blpo__hypergrad_jvp(blpo_hypergrad *solver, const real *x, real *jx);
int blpo__hypergrad_vjp(blpo_hypergrad *solver, const real *u, real *jtu);
int blpo__hypergrad_gram(blpo_hypergrad *solver,
                         double *gram); /* J J^T [T][T]; destroys product, sample and response */

int blpo__hypergrad_diagonal(blpo_hypergrad *solver,
                             real *diagonal); /* of J^T J; destroys product, sample and response */

/* Floating point operations of a method, counted where they are made. */
static inline void blpo__hypergrad_flops(blpo_hypergrad *solver, int64_t n)
{
    solver->n_flops += n;
}

/* A stream of a kind of draw, for the number of draws so far. */
blpo__stream blpo__hypergrad_stream(const blpo_hypergrad *solver, blpo__purpose purpose, uint64_t column);

/* draw.c: rules, workspace, and I for this solve. Draws are by numbers of their own, so they depend on nothing but the seed. */
int blpo__draw_check(blpo_error *error, const blpo_problem *problem, const blpo_hypergrad_config *config);
void blpo__draw_create(blpo_hypergrad *solver);
int blpo__draw(blpo_hypergrad *solver);
int blpo__is_among(const int64_t *index, int64_t n, int64_t value);

/* nystrom.c and nystrom_space.c: steps 3 and 4 from the rows that are there, with C v, and step 5; the factor from M and C C^T
 * alone. 0, or -1 where the core cannot be used. x without a k x p array. */
int blpo__nystrom_core(blpo_hypergrad *solver, const real *v, blpo_hypergrad_report *report);
void blpo__nystrom_apply(blpo_hypergrad *solver, const real *v, real *x);
int blpo__nystrom_factor(blpo_hypergrad *solver, blpo_hypergrad_report *report);
int blpo__nystrom_space_solve(blpo_hypergrad *solver, const real *v, real *x, blpo_hypergrad_report *report);
void blpo__nystrom_space_create(blpo_hypergrad *solver);
int64_t blpo__nystrom_chunk(const blpo_hypergrad_config *config); /* rows at a time, the default resolved */

/* spectrum.c: n iterations; fills the estimates. BLPO_OK or the error of a callback. */
void blpo__spectrum_create(blpo_hypergrad *solver, int64_t n);
int blpo__spectrum_measure(blpo_hypergrad *solver);
void blpo__spectrum_report(const blpo__spectrum *spectrum, blpo_hypergrad_report *report);

/* sketch.c: the sketch of this solve (BLPO_OK, or the error of a callback), and z = P^-1 r; z and r apart. */
void blpo__sketch_create(blpo_hypergrad *solver);
int blpo__sketch_make(blpo_hypergrad *solver, blpo_hypergrad_report *report);
void blpo__sketch_apply(blpo_hypergrad *solver, const real *r, real *z);

/* gauss_newton.c: the exact inverse of J^T J + rho I. Its rules and workspace; the factor for this solve, made 0 where there is
 * none (BLPO_OK, or the error of a callback); x = scale rho (J^T J + rho I)^-1 v, x and v apart. */
int blpo__gauss_newton_check(blpo_error *error, const blpo_problem *problem);
void blpo__gauss_newton_create(blpo_hypergrad *solver);
int blpo__gauss_newton_make(blpo_hypergrad *solver, blpo_hypergrad_report *report, int *made);
int blpo__gauss_newton_apply(blpo_hypergrad *solver, const real *v, double scale, real *x);

/* cg.c: workspace, and the whole solve; preconditioner NULL: none. */
void blpo__cg_create(blpo_hypergrad *solver, const blpo__preconditioner *preconditioner);
int blpo__cg_solve(blpo_hypergrad *solver, const blpo__preconditioner *preconditioner, const real *v, real *x,
                   blpo_hypergrad_report *report);

/* The report of a method that takes another way than its own, and the last of these ways: x = v / rho. */
void blpo__hypergrad_fall_back(blpo_hypergrad_report *report, int reason);
void blpo__hypergrad_last_resort(const blpo_hypergrad *solver, const real *v, real *x, int reason,
                                 blpo_hypergrad_report *report);

/* v / rho */
void blpo__hypergrad_over_rho(const blpo_hypergrad *solver, const real *v, real *x);

/* The coordinates that key the draw of I of the next solve, and of that one only: nothing else depends on them. */
void blpo__hypergrad_set_draw(blpo_hypergrad *solver, uint64_t a, uint64_t b);

/* Callbacks are not watched for elements left out or written past the end; numbers that are none are found as ever. */
void blpo__hypergrad_trust(blpo_hypergrad *solver);

/* Turns the measuring of residuals, and of spectra where the settings ask for them, on or off; stays off without products. */
void blpo__hypergrad_measure_residual(blpo_hypergrad *solver, int on);

/* Statistics and number of draws, to be put back when an update fails. */
typedef struct blpo__hypergrad_mark {
    blpo_hypergrad_stats stats;
    uint64_t n_draws;
} blpo__hypergrad_mark;

void blpo__hypergrad_mark_take(const blpo_hypergrad *solver, blpo__hypergrad_mark *mark);
void blpo__hypergrad_mark_restore(blpo_hypergrad *solver, const blpo__hypergrad_mark *mark);

#endif
