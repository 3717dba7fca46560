/* The Nystrom method of nystrom.c without a k x p array: rows of C are had again where they are needed.
 *
 *   A, B [c][p] two chunks of rows of C     m = ceil(k / c) chunks
 *
 *   1. for each chunk A: its rows of M, its elements of C v, its block of C C^T
 *   2.    for each chunk B before it: the block of C C^T between the two
 *   3. the core as in nystrom.c; then for each chunk A: x -= A^T y
 *
 * The sums are those of the other form, in double, of the same rows: the results are equal within rounding of the core.
 * Hataya and Yamada (arXiv:2302.09726, section 3.3) save space by taking columns into the inverse one after the other; that
 * loses the symmetric core, and with it the pseudo-inverse for singular ones, so it is not done here.
 *
 * Cost in products: k (step 1) + k (step 3) + the rows of all chunks before each chunk (step 2: k (m - 1) / 2 where c divides
 * k); c = k: k + k. Numbers held: 2 c p, p in double and O(k^2). Operations as in nystrom.c, but C C^T for one triangle of
 * blocks: 2 p times the sum over pairs of chunks of their rows, in place of 2 k^2 p. */
#include "hypergrad/hypergrad.h"

#include "linalg/blas.h"
#include "linalg/vector.h"

#include <string.h>

enum { COLUMNS = 256 }; /* of the rows that are held in double at a time */

void blpo__nystrom_space_create(blpo_hypergrad *solver)
{
    blpo__memory *memory = &solver->host.memory;
    solver->wide = blpo__allocate(memory, solver->problem.n_inner, sizeof *solver->wide);
    solver->chunk = blpo__allocate(memory, 2 * blpo__nystrom_chunk(&solver->config) * COLUMNS, sizeof *solver->chunk);
}

static int64_t chunk_rows(const blpo_hypergrad *solver, int64_t first)
{
    const int64_t k = solver->config.nystrom_rank, c = blpo__nystrom_chunk(&solver->config);
    return k - first < c ? k - first : c;
}

static int fetch(blpo_hypergrad *solver, int64_t first, real *rows)
{
    return blpo__hypergrad_rows(solver, solver->index + first, chunk_rows(solver, first), rows);
}

static void widen(const real *rows, int64_t n_rows, int64_t p, int64_t begin, int64_t n, double *out)
{
    for (int64_t i = 0; i < n_rows; i++)
        for (int64_t j = 0; j < n; j++)
            out[i * n + j] = (double)rows[i * p + begin + j];
}

/* products[first_a + i][first_b + j] += a_i . b_j for rows a [n_a][p] and b [n_b][p] */
static void add_products(blpo_hypergrad *solver, const real *a, int64_t first_a, int64_t n_a, const real *b, int64_t first_b,
                         int64_t n_b)
{
    const int64_t p = solver->problem.n_inner, k = solver->config.nystrom_rank;
    double *wide_a = solver->chunk, *wide_b = a == b ? wide_a : solver->chunk + n_a * COLUMNS;
    for (int64_t begin = 0; begin < p; begin += COLUMNS) {
        const int64_t n = p - begin < COLUMNS ? p - begin : COLUMNS;
        widen(a, n_a, p, begin, n, wide_a);
        if (a != b)
            widen(b, n_b, p, begin, n, wide_b);
        blpo__gemm_nt_double(n_a, n_b, n, wide_a, n, wide_b, n, 1, solver->products + first_a * k + first_b, k);
    }
    blpo__hypergrad_flops(solver, 2 * n_a * n_b * p);
}

/* Step 1 of the chunk that lies in `rows`. */
static void take_chunk(blpo_hypergrad *solver, int64_t first, const real *rows, const real *v)
{
    const int64_t p = solver->problem.n_inner, k = solver->config.nystrom_rank, n = chunk_rows(solver, first);
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < k; j++)
            solver->block[(first + i) * k + j] = (double)rows[i * p + solver->index[j]];
        solver->core_v[first + i] = blpo__dot(rows + i * p, v, p);
    }
    blpo__hypergrad_flops(solver, 2 * n * p);
    add_products(solver, rows, first, n, rows, first, n);
}

/* Step 2, and the mirror image of its blocks. */
static int pair_chunk(blpo_hypergrad *solver, int64_t first, const real *rows, real *other)
{
    const int64_t k = solver->config.nystrom_rank, n = chunk_rows(solver, first);
    for (int64_t before = 0; before < first; before += blpo__nystrom_chunk(&solver->config)) {
        const int rc = fetch(solver, before, other);
        if (rc != BLPO_OK)
            return rc;
        add_products(solver, rows, first, n, other, before, chunk_rows(solver, before));
    }
    for (int64_t i = first; i < first + n; i++)
        for (int64_t j = 0; j < first; j++)
            solver->products[j * k + i] = solver->products[i * k + j];
    return BLPO_OK;
}

static int gather(blpo_hypergrad *solver, const real *v)
{
    const int64_t p = solver->problem.n_inner, k = solver->config.nystrom_rank,
                  c = blpo__nystrom_chunk(&solver->config);
    memset(solver->products, 0, (size_t)(k * k) * sizeof *solver->products);
    for (int64_t first = 0; first < k; first += c) {
        int rc = fetch(solver, first, solver->rows);
        if (rc != BLPO_OK)
            return rc;
        take_chunk(solver, first, solver->rows, v);
        rc = pair_chunk(solver, first, solver->rows, solver->rows + c * p);
        if (rc != BLPO_OK)
            return rc;
    }
    return BLPO_OK;
}

/* Step 3, with y in core_v */
static int apply(blpo_hypergrad *solver, const real *v, real *x)
{
    const int64_t p = solver->problem.n_inner, k = solver->config.nystrom_rank;
    for (int64_t j = 0; j < p; j++)
        solver->wide[j] = (double)v[j];
    for (int64_t first = 0; first < k; first += blpo__nystrom_chunk(&solver->config)) {
        const int rc = fetch(solver, first, solver->rows);
        if (rc != BLPO_OK)
            return rc;
        for (int64_t i = 0; i < chunk_rows(solver, first); i++)
            for (int64_t j = 0; j < p; j++)
                solver->wide[j] -= (double)solver->rows[i * p + j] * solver->core_v[first + i];
    }
    for (int64_t j = 0; j < p; j++)
        x[j] = (real)(solver->wide[j] / solver->config.nystrom_rho);
    blpo__hypergrad_flops(solver, 2 * k * p + p);
    return BLPO_OK;
}

int blpo__nystrom_space_solve(blpo_hypergrad *solver, const real *v, real *x, blpo_hypergrad_report *report)
{
    const int64_t k = solver->config.nystrom_rank;
    const int rc = gather(solver, v);
    if (rc != BLPO_OK)
        return rc;
    if (blpo__nystrom_factor(solver, report) != 0) {
        blpo__hypergrad_last_resort(solver, v, x, BLPO_IHVP_REASON_NONFINITE, report);
        return BLPO_OK;
    }
    blpo__symmetric_solve(&solver->system, solver->core_v);
    blpo__hypergrad_flops(solver, 2 * k * k);
    return apply(solver, v, x);
}
