/** @file hypergrad.h
 *  Hypergradients of any bilevel problem: inverse-Hessian-vector products by several methods, with an honest report. */
#ifndef BLPO_HYPERGRAD_H
#define BLPO_HYPERGRAD_H

#include <blpo/export.h>
#include <blpo/runtime.h>
#include <blpo/status.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A solver for x = (H + rho I)^-1 v and the hypergradient direct - (d2g / d outer d inner) x, where H = d2g / d inner2.
 *  It sees the problem only through callbacks. One thread at a time; distinct handles are independent. */
typedef struct blpo_hypergrad blpo_hypergrad;

/** Hessian-vector product: hv = H v at the current inner variables.
 *  @param user  blpo_problem::user. @param v [n_inner] read-only. @param hv [n_inner] to be filled; never overlaps v.
 *  @return 0; > 0: this product cannot be had now, < 0: give up. Both end the solve with BLPO_ERR_CALLBACK and the code.
 *  Runs on the thread that called the solver; must not call that solver; pointers are valid during the call. */
typedef int (*blpo_hvp_fn)(void *user, const float *v, float *hv);

/** Rows of the Hessian: rows[i] = H[index[i], :].
 *  @param user  blpo_problem::user. @param index [k] distinct, in 0 .. n_inner - 1. @param k  rows, >= 1.
 *  @param rows [k][n_inner] to be filled.
 *  @return as blpo_hvp_fn. Threads and lifetimes as blpo_hvp_fn. */
typedef int (*blpo_hessian_rows_fn)(void *user, const int64_t *index, int64_t k, float *rows);

/** Mixed product: out = (d2g / d outer d inner) x.
 *  @param user  blpo_problem::user. @param x [n_inner] read-only. @param out [n_outer] to be filled.
 *  @return as blpo_hvp_fn. Threads and lifetimes as blpo_hvp_fn. */
typedef int (*blpo_mixed_product_fn)(void *user, const float *x, float *out);

/** Jacobian product, for curvature Gauss-Newton: jx = J x. J [n_samples][n_inner] is scaled so that the Gauss-Newton matrix,
 *  what is left of H without the second derivatives of the model, is J^T J: for g = sum_t c_t (y_t - f_t(w))^2 its rows are
 *  sqrt(2 c_t) grad f_t(w). Where there are fewer samples than n_samples, the rows beyond are zero.
 *  @param user  blpo_problem::user. @param x [n_inner] read-only. @param jx [n_samples] to be filled; never overlaps x.
 *  @return as blpo_hvp_fn. Threads and lifetimes as blpo_hvp_fn. Since 0.1. */
typedef int (*blpo_jvp_fn)(void *user, const float *x, float *jx);

/** Its transpose: jtu = J^T u.
 *  @param user  blpo_problem::user. @param u [n_samples] read-only. @param jtu [n_inner] to be filled; never overlaps u.
 *  @return as blpo_hvp_fn. Threads and lifetimes as blpo_hvp_fn. Since 0.1. */
typedef int (*blpo_vjp_fn)(void *user, const float *u, float *jtu);

/** gram = J J^T.
 *  @param user  blpo_problem::user. @param gram [n_samples][n_samples] to be filled, both triangles, in double.
 *  @return as blpo_hvp_fn. Threads and lifetimes as blpo_hvp_fn. Since 0.1. */
typedef int (*blpo_jacobian_gram_fn)(void *user, double *gram);

/** Diagonal of J^T J, for draws in proportion to it.
 *  @param user  blpo_problem::user. @param diagonal [n_inner] to be filled; what is below 0 counts as 0.
 *  @return as blpo_hvp_fn. Threads and lifetimes as blpo_hvp_fn. Since 0.1. */
typedef int (*blpo_gauss_newton_diagonal_fn)(void *user, float *diagonal);

/** What method nystrom asks of k rows C = H[I, :], where a problem can say it without the rows.
 *  @param user  blpo_problem::user. @param index [k] I: distinct, in 0 .. n_inner - 1. @param k  rows, >= 1.
 *  @param v [n_inner] read-only. @param block [k][k] = H[I, I]. @param gram [k][k] = C C^T, both triangles.
 *  @param products [k] = C v. The three are to be filled, in double: their core has the square of the condition of C, so they and
 *  the sum of blpo_rows_sum_fn must all be of one and the same C, whatever its rounding errors. block is symmetrised by the solver.
 *  @param resolution  Below 0 on entry; left so, block counts as rounded to float. Set to r >= 0: the errors of block are at most
 *  r in norm, and eigenvalues of it within r of zero count as zero (r below roundings in double as those). NaN and infinity are
 *  BLPO_ERR_NONFINITE.
 *  @return as blpo_hvp_fn. Threads and lifetimes as blpo_hvp_fn. Since 0.1. */
typedef int (*blpo_rows_products_fn)(void *user, const int64_t *index, int64_t k, const float *v, double *block, double *gram,
                                     double *products, double *resolution);

/** out = C^T y, the rows those of the call of blpo_rows_products_fn before it, at the same point.
 *  @param user  blpo_problem::user. @param index [k] the same. @param k  the same. @param y [k] read-only.
 *  @param out [n_inner] to be filled.
 *  @return as blpo_hvp_fn. Threads and lifetimes as blpo_hvp_fn. Since 0.1. */
typedef int (*blpo_rows_sum_fn)(void *user, const int64_t *index, int64_t k, const double *y, float *out);

/** A bilevel problem at its current point. Copied at create; `user` is borrowed for the life of the solver. */
typedef struct blpo_problem {
    size_t struct_size;                  /**< set by blpo_problem_init() */
    int64_t n_inner;                     /**< p >= 1: inner variables; no default */
    int64_t n_outer;                     /**< q >= 0: outer variables; 0: only blpo_hypergrad_solve() */
    void *user;                          /**< passed to every callback */
    blpo_hvp_fn hvp;                     /**< required, but for methods none and gauss_newton, for nystrom with rows_products
                                              (not space-efficient), for nystrom and dense with hessian_rows, and for curvature
                                              Gauss-Newton */
    blpo_hessian_rows_fn hessian_rows;   /**< NULL: rows come from hvp with unit vectors */
    blpo_mixed_product_fn mixed_product; /**< required with n_outer > 0 */
    /* -- above: 0.1. Append only; for what is appended, 0 keeps the older behaviour. -- */
    int64_t n_samples;                   /**< rows of J, >= 1 where J is used: the most there are; default 0 */
    blpo_jvp_fn jvp;                     /**< with vjp: required for method gauss_newton, cg_preconditioner gauss_newton, and
                                              curvature Gauss-Newton (there nystrom and dense do with gauss_newton_rows, and
                                              nystrom with rows_products) */
    blpo_vjp_fn vjp;                     /**< with jvp */
    blpo_jacobian_gram_fn jacobian_gram; /**< NULL: n_samples pairs of vjp and jvp (gauss_newton, also as
                                              cg_preconditioner) */
    blpo_hessian_rows_fn gauss_newton_rows; /**< rows of J^T J as hessian_rows; NULL: from jvp and vjp */
    blpo_gauss_newton_diagonal_fn gauss_newton_diagonal; /**< NULL: n_samples calls of vjp (nystrom_draw) */
    blpo_rows_products_fn rows_products; /**< of the curvature that is chosen; with rows_sum: nystrom then asks for no rows,
                                              unless nystrom_space_efficient is 1. NULL: from the rows */
    blpo_rows_sum_fn rows_sum;           /**< required with rows_products; without, it is not used */
} blpo_problem;

/** Which H. */
typedef enum blpo_curvature {
    BLPO_CURVATURE_HESSIAN = 0,     /**< d2g / d inner2, as published; may be indefinite */
    BLPO_CURVATURE_GAUSS_NEWTON = 1 /**< J^T J: positive semi-definite, without second derivatives of the model */
} blpo_curvature;

/** How x ~ (H + rho I)^-1 v is computed. */
typedef enum blpo_ihvp_method {
    /** x = v / rho: the inverse without curvature. */
    BLPO_IHVP_NONE = 0,
    /** k rows C = H[I,:] of a random draw I, M = C[:,I]:
     *  x = v/rho - (1/rho^2) C^T (M + (1/rho) C C^T + s I_k)^-1 C v (arXiv:2302.09726 with s = 0; arXiv:2505.11714 ran s = 1). */
    BLPO_IHVP_NYSTROM = 1,
    /** Conjugate gradients from x = 0; with cg_preconditioner preconditioned. */
    BLPO_IHVP_CG = 2,
    /** LAPACK on the whole p x p matrix: exact, for small p. The only method that holds p^2 numbers. */
    BLPO_IHVP_DENSE = 3,
    /** Conjugate gradients, preconditioned by a randomised Nystrom sketch: nystrom_rank products with random vectors make a
     *  preconditioner that takes out the largest eigenvalues (Frangella, Tropp, Udell, arXiv:2110.02820); cg_iterations,
     *  cg_tolerance and cg_negative_curvature apply. With sketch_rank_max the rank grows until the sketch is good enough. */
    BLPO_IHVP_NYSTROM_PCG = 4,
    /** neumann_terms terms of x = (1/c) sum_j (I - (H + rho I)/c)^j v, c a bound on the largest eigenvalue, estimated anew
     *  in each solve by spectrum_iterations products (0: 6), or 1/c the neumann_scale that is given. */
    BLPO_IHVP_NEUMANN = 5,
    /** Exact for H = J^T J, by one n_samples x n_samples system: x = (v - J^T (J J^T + rho I)^-1 J v) / rho (Woodbury).
     *  Whatever the curvature: with the Hessian, the residual that is reported says what leaving out the rest costs. */
    BLPO_IHVP_GAUSS_NEWTON = 6
} blpo_ihvp_method;

/** Why a solve fell back, the last cause where there were several. */
typedef enum blpo_ihvp_reason {
    BLPO_IHVP_REASON_NONE = 0,       /**< it did not */
    BLPO_IHVP_REASON_INDEFINITE = 1, /**< negative curvature, where the method needs positive */
    BLPO_IHVP_REASON_SINGULAR = 2,   /**< a core or matrix without an inverse, to working precision */
    BLPO_IHVP_REASON_NONFINITE = 3,  /**< a core, a direction, a scale of neumann or an x that is not finite */
    BLPO_IHVP_REASON_DIVERGED = 4    /**< neumann: terms that grow, without negative curvature: c was too small; cg, nystrom_pcg:
                                          a residual above that of x = 0, after negative curvature was passed */
} blpo_ihvp_reason;

/** How the coordinates I of method nystrom are drawn, always without replacement. */
typedef enum blpo_nystrom_draw {
    BLPO_DRAW_UNIFORM = 0, /**< every set of k is as likely */
    BLPO_DRAW_DIAGONAL = 1 /**< one after the other, in proportion to the Gauss-Newton diagonal of what is left; needs
                                gauss_newton_diagonal, or jvp and vjp */
} blpo_nystrom_draw;

/** What conjugate gradients of method cg are preconditioned by. */
typedef enum blpo_cg_preconditioner {
    BLPO_PRECONDITIONER_NONE = 0,        /**< nothing */
    BLPO_PRECONDITIONER_GAUSS_NEWTON = 1 /**< J^T J + rho I, inverted exactly as by method gauss_newton: one n_samples x n_samples
                                              system a solve, products with J and J^T an iteration. Few iterations, where second
                                              derivatives of the model are a small part of H; with curvature Gauss-Newton one */
} blpo_cg_preconditioner;

/** Settings of a solver. */
typedef struct blpo_hypergrad_config {
    size_t struct_size;      /**< set by blpo_hypergrad_config_init() */
    int32_t method;          /**< a blpo_ihvp_method, default BLPO_IHVP_NYSTROM */
    int64_t nystrom_rank;    /**< k in 1 .. n_inner, default 5 (nystrom, nystrom_pcg) */
    double nystrom_rho;      /**< rho > 0, finite, units of H; default 50 (every method) */
    double nystrom_shift;    /**< s >= 0, finite, units of H; default 1 (nystrom) */
    int64_t cg_iterations;   /**< most iterations, >= 1, default 10 (cg, nystrom_pcg) */
    double cg_tolerance;     /**< stop when |residual| <= this |v|, >= 0, default 0: all iterations (cg, nystrom_pcg) */
    double kappa;            /**< bound |implicit| <= kappa |direct| in compute; > 0; infinity, the default: no bound */
    int32_t report_residual; /**< 1: every solve but that of v = 0 measures its residual, at the cost of one product (needs
                                  hvp); default 0 */
    uint64_t seed;           /**< keys all draws: of I, of sketches, of starting vectors; default 0 */
    /* -- above: 0.1. Append only; for what is appended, 0 keeps the older behaviour. -- */
    int32_t curvature;       /**< a blpo_curvature: what H is, in every method and in the residual; default the Hessian */
    int32_t nystrom_draw;    /**< a blpo_nystrom_draw, default uniform (nystrom) */
    int32_t nystrom_space_efficient; /**< 1: no k x n_inner array is held, but two of nystrom_chunk rows; rows are asked for
                                  again and again, and the results are equal within rounding; default 0 (nystrom) */
    int64_t nystrom_chunk;   /**< rows held at a time, in 1 .. nystrom_rank; 0, the default, stands for 1 (nystrom) */
    int32_t cg_negative_curvature; /**< at a direction d with d . (H + rho I) d < 0: 0, the default, stop; 1, go on as the plain
                                  recurrence does, where that is safely away from 0: towards a saddle point, and not always
                                  closer (cg, nystrom_pcg). The x of the iteration with the least residual is given where it
                                  stops, and where it goes on and the last one is worse than x = 0 */
    int64_t sketch_rank_max; /**< 0, the default: the sketch has nystrom_rank columns. Else in nystrom_rank .. n_inner: their
                                  number doubles until the estimated error of the sketch is at most sketch_error rho
                                  (nystrom_pcg) */
    double sketch_error;     /**< tau >= 0, finite; 0, the default, stands for 1 (nystrom_pcg) */
    int64_t neumann_terms;   /**< >= 1; 0 stands for the default 10 (neumann) */
    int64_t spectrum_iterations; /**< 0 .. 1000, default 0: no estimates of the spectrum; else Lanczos iterations for them, at
                                  one product each, in every solve */
    double neumann_scale;    /**< 1/c of the series, >= 0, finite, in units of 1 / H: it converges below 2 over the largest
                                  eigenvalue of H + rho I, and needs no estimate of it; 0, the default: estimated (neumann) */
    int32_t cg_preconditioner; /**< a blpo_cg_preconditioner, default none; gauss_newton needs jvp and vjp, and takes
                                  jacobian_gram where there is one (cg) */
} blpo_hypergrad_config;

/** What one solve was like. */
typedef struct blpo_hypergrad_report {
    size_t struct_size;       /**< set by the caller to sizeof(blpo_hypergrad_report) */
    int32_t status;           /**< BLPO_OK, or why the solve failed */
    int32_t method;           /**< the method that gave x: the chosen one, or BLPO_IHVP_NONE where x = v / rho stood in */
    int32_t indefinite;       /**< 1: a negative eigenvalue was met. nystrom: of M, the k x k block of H, below the
                                   rounding errors of its entries, or the resolution that rows_products gave; dense: of
                                   H + rho I; cg, neumann: a direction d with d . (H + rho I) d <= 0; nystrom_pcg: that, or one
                                   of the sketch; in all: an estimate of spectrum_iterations */
    int32_t fallback;         /**< 1: the first way was closed; `reason` says why. The order of ways, from the first on:
                                   nystrom, dense: Cholesky where the core or matrix is positive definite, else L D L^T; for a
                                   singular one its spectral pseudo-inverse (method stays); x = v / rho (method NONE).
                                   cg, nystrom_pcg, at a direction without positive curvature, or one that is not finite, or
                                   where they went on after negative curvature and end with a residual above that of x = 0:
                                   the x of the iteration with the least residual (method stays); x = v / rho where there is
                                   none, or none as good as x = 0 and v / rho is better (method NONE).
                                   nystrom_pcg, for an indefinite sketch: a larger shift of it, which is no fallback; for one
                                   that allows no decomposition: the iterations without a preconditioner, reason SINGULAR
                                   (method stays, rank_used 0).
                                   cg with cg_preconditioner gauss_newton, for a J^T J + rho I that has no Cholesky factor: that
                                   with a diagonal raised by rounding errors; the iterations without a preconditioner (rank_used
                                   0), reason SINGULAR (method stays).
                                   cg with a preconditioner, nystrom_pcg, for a residual r on which it is not positive, that is
                                   lost in roundings: the iterations go on without it, reason SINGULAR (method stays).
                                   neumann, at a term that would let the residual grow: the sum of those before (method stays);
                                   x = v / rho where it is the first, or the scale is not finite (method NONE).
                                   gauss_newton: Cholesky; the same with a diagonal raised by rounding errors (method stays);
                                   x = v / rho (method NONE).
                                   every method, for an x that is not finite: x = v / rho (method NONE) */
    int64_t rank_used;        /**< nystrom: k, dense: p, less what a pseudo-inverse left out; nystrom_pcg: columns of the
                                   sketch; gauss_newton, also as cg_preconditioner: n_samples; 0 for x = v / rho; else 0 */
    int64_t iterations;       /**< cg, nystrom_pcg: iterations made; neumann: terms summed; else 0 */
    int64_t n_products;       /**< Hessian-vector products, those for residual and spectrum included. A row counts as one,
                                   also where rows_products stands for it, and so does a vjp, with the jvp that goes with it */
    double relative_residual; /**< |(H + rho I) x - v| / |v|, or -1 where it was not measured */
    double condition_estimate;/**< of what was factored: 1-norm estimate for the core or matrix (nystrom, dense), a lower bound for
                                   J J^T + rho I from its Cholesky factor (gauss_newton, also as cg_preconditioner); -1 for other
                                   methods, and where there is no factor */
    double direct_norm;       /**< compute: |direct| */
    double implicit_norm;     /**< compute: |implicit| before the bound */
    double cosine;            /**< compute: cosine between direct and implicit, 0 where either is zero */
    double bound_scale;       /**< compute: min(1, kappa |direct| / (|implicit| + 1e-8)); 1: the bound did not act */
    double hypergradient_norm;/**< compute: |direct - bounded implicit| */
    /* -- above: 0.1 -- */
    int32_t reason;           /**< a blpo_ihvp_reason: why it fell back */
    int64_t n_flops;          /**< floating point operations of the method itself, callbacks, residual and spectrum apart, as
                                   the method's file states them; with rows_products C C^T is the callback's */
    double largest_eigenvalue;/**< estimate of the largest |eigenvalue| of H + rho I, from below, by Lanczos iterations;
                                   -1 where it was not measured (spectrum_iterations; neumann without
                                   neumann_scale) */
    double condition_number;  /**< estimate of its condition number, largest over least |eigenvalue|: from below where it is
                                   positive definite, rough where it is not; -1 where it was not measured */
} blpo_hypergrad_report;

/** Counts over the life of a solver. */
typedef struct blpo_hypergrad_stats {
    size_t struct_size;       /**< set by the caller to sizeof(blpo_hypergrad_stats) */
    int64_t n_solves;         /**< solves that gave an x */
    int64_t n_failed;         /**< solves that ended in an error */
    int64_t n_products;       /**< Hessian-vector products asked for */
    int64_t n_indefinite;     /**< solves that met a negative eigenvalue or curvature */
    int64_t n_fallback;       /**< solves that fell back */
    int64_t n_bound;          /**< computes where kappa bound */
    /* -- above: 0.1 -- */
    int64_t n_failed_callback;     /**< solves that failed on the verdict of a callback */
    int64_t n_failed_nonfinite;    /**< solves that failed on a number that is not finite */
    int64_t n_fallback_indefinite; /**< solves that fell back for BLPO_IHVP_REASON_INDEFINITE */
    int64_t n_fallback_singular;   /**< solves that fell back for BLPO_IHVP_REASON_SINGULAR */
    int64_t n_fallback_nonfinite;  /**< solves that fell back for BLPO_IHVP_REASON_NONFINITE */
    int64_t n_fallback_diverged;   /**< solves that fell back for BLPO_IHVP_REASON_DIVERGED */
} blpo_hypergrad_stats;

/** Fills the first struct_size bytes, never more, with defaults.
 *  @param problem  to be filled. @param struct_size  sizeof(blpo_problem) of YOUR build.
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_VERSION for a size smaller than that of 0.1. Any thread. Since 0.1. */
BLPO_API int blpo_problem_init(blpo_problem *problem, size_t struct_size);

/** Fills the first struct_size bytes, never more, with defaults.
 *  @param config  to be filled. @param struct_size  sizeof(blpo_hypergrad_config) of YOUR build.
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_VERSION for a size smaller than that of 0.1. Any thread. Since 0.1. */
BLPO_API int blpo_hypergrad_config_init(blpo_hypergrad_config *config, size_t struct_size);

/** Makes a solver.
 *  @param problem  copied; its user pointer is borrowed. @param config  copied; NULL: defaults.
 *  @param runtime  copied; NULL: defaults. @param out  receives the solver, owned by the caller; untouched on failure.
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_VERSION; BLPO_ERR_CONFIG (field named in runtime->error); BLPO_ERR_SIZE;
 *          BLPO_ERR_NOMEM. Since 0.1. */
BLPO_API int blpo_hypergrad_create(const blpo_problem *problem, const blpo_hypergrad_config *config,
                                   const blpo_runtime *runtime, blpo_hypergrad **out);

/** Frees a solver. @param solver  NULL does nothing. Since 0.1. */
BLPO_API void blpo_hypergrad_destroy(blpo_hypergrad *solver);

/** x ~ (H + rho I)^-1 v. v is scaled to norm 1 before the solve, so 1e-30 and 1e30 work; v = 0 gives x = 0.
 *  @param solver  changed (draws, counts).
 *  @param v [n_inner] gradient of the outer objective in the inner variables.
 *  @param x [n_inner] out; may equal v; untouched on failure.
 *  @param report  NULL, or struct_size set by the caller; filled also on failure, but for BLPO_ERR_NULL, BLPO_ERR_BUSY and
 *  BLPO_ERR_VERSION.
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_VERSION (report); BLPO_ERR_NONFINITE (v, or what a callback wrote; the
 *          callback and element are named in blpo_hypergrad_error(); an element it left out reads as NaN);
 *          BLPO_ERR_CALLBACK (its verdict, or it wrote up to 16 elements past the end of its array); BLPO_ERR_BUSY. An
 *          indefinite or singular core is no error: see the report.
 *  No allocation. Cost in products: nystrom k, space-efficient 2 k and before each chunk of rows those of all chunks ahead of it,
 *  with draws by the diagonal n_samples more where that has no callback; cg one an iteration, two with cg_preconditioner
 *  gauss_newton, and n_samples then where J J^T has no callback; dense p; nystrom_pcg one a column
 *  of the sketch, 8 for each rank tried where it may grow, and one an iteration (cg and nystrom_pcg one more where they fall back
 *  from residuals above that of x = 0); neumann one a term but the first, and those of the estimate; gauss_newton one, and
 *  n_samples where J J^T has no callback. Since 0.1. */
BLPO_API int blpo_hypergrad_solve(blpo_hypergrad *solver, const float *v, float *x, blpo_hypergrad_report *report);

/** The hypergradient: direct - min(1, kappa |direct| / (|implicit| + 1e-8)) implicit, implicit = mixed_product(x),
 *  x as of blpo_hypergrad_solve() (arXiv:2505.11714).
 *  @param solver  changed (draws, counts).
 *  @param direct [n_outer] gradient of the outer objective in the outer variables.
 *  @param v [n_inner] its gradient in the inner variables.
 *  @param hypergradient [n_outer] out; may equal direct; untouched on failure.
 *  @param report  NULL, or struct_size set by the caller; filled also on failure, but for BLPO_ERR_NULL, BLPO_ERR_BUSY and
 *  BLPO_ERR_VERSION.
 *  @return as blpo_hypergrad_solve(); BLPO_ERR_STATE where n_outer is 0. No allocation. Since 0.1. */
BLPO_API int blpo_hypergrad_compute(blpo_hypergrad *solver, const float *direct, const float *v, float *hypergradient,
                                    blpo_hypergrad_report *report);

/** Fixes the coordinates I of the Nystrom method for all solves to come.
 *  @param solver  changed. @param index [k] distinct, in 0 .. n_inner - 1; NULL: back to random draws.
 *  @param k  must be nystrom_rank; ignored with NULL.
 *  @return BLPO_OK; BLPO_ERR_NULL (solver); BLPO_ERR_STATE (another method); BLPO_ERR_ARGUMENT; BLPO_ERR_BUSY: unchanged
 *          then. Since 0.1. */
BLPO_API int blpo_hypergrad_set_indices(blpo_hypergrad *solver, const int64_t *index, int64_t k);

/** Counts so far. @param solver  read-only. @param out  struct_size set by the caller.
 *  @return BLPO_OK; BLPO_ERR_NULL; BLPO_ERR_VERSION. Since 0.1. */
BLPO_API int blpo_hypergrad_get_stats(const blpo_hypergrad *solver, blpo_hypergrad_stats *out);

/** @param solver  NULL gives a static record that says so. @return last error of this handle; valid as long as the handle.
 *  Since 0.1. */
BLPO_API const blpo_error *blpo_hypergrad_error(const blpo_hypergrad *solver);

#ifdef __cplusplus
}
#endif
#endif
