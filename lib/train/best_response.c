/* The exact best response of a critic that is linear in its parameters: least squares instead of K steps.
 *
 *   Phi [n][p]  features of s_t, with a 1 behind them where there is a bias      S  diag(share_t)      R [n]  returns
 *
 *   g(w) + ridge |w|^2 = (R - Phi w)^T S (R - Phi w) + ridge |w|^2
 *
 *   1. A = Phi^T S Phi,  e = R - Phi w,  b = Phi^T S e - ridge w      (means over processes)
 *   2. factor A + ridge I      3. (A + ridge I) step = b      4. w* = w + step,  gap = b . step
 *
 * The step is solved for, not w*: where the minibatch leaves w* open (ridge 0, fewer states than features, features that
 * depend on each other) the step of least norm leads to the best response nearest to w. Directions that the data say
 * nothing about stay as they were; from w = 0 it is the solution of least norm. It is also one step of iterative
 * refinement: near the solution only the small step has rounding errors. The gap comes without cancellation.
 *
 * Normal equations square the condition number c of S^1/2 Phi: of the 16 digits of double they leave 16 - 2 log10 c. With
 * float data that costs nothing. Features that are rounded to 7 digits say nothing of directions whose singular values
 * are below 1e-7 of the largest, which is 1e-14 in A and within reach of double; and w* is rounded to float in the end,
 * which alone moves g by more than the error of the equations does: (6e-8 |w|)^2 |A| against (1e-16 c |w|)^2 |A| for
 * every c below 1e7, where directions begin to be left out. tests/train/test_best_response.c measures this against dgelsd
 * of Phi itself. What is gained: p x p numbers instead of n x p, and sums that all processes can share. Pivots up to 1e-14
 * of the largest (p 2e-16 where that is more) count as zero.
 *
 * Departure from the papers: theirs step K times; arXiv:2505.11714 assumes a best response for its theorem, with a critic
 * objective linear in w. Cost: 2 n p^2 + O(p^3) operations in double, on the calling thread. */
#include "train/best_response.h"

#include "linalg/blas.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { ROWS = 64 }; /* of Phi at a time */

/* Of p x p sums, whose roundings add up. */
static double tolerance(int64_t p)
{
    return fmax(1e-14, (double)p * DBL_EPSILON);
}

void blpo__best_response_create(blpo__best_response *response, const blpo__game *game, blpo__memory *memory)
{
    const int64_t p = game->critic->n_parameters;
    blpo__semidefinite_create(&response->system, p, memory);
    response->step = blpo__allocate(memory, p, sizeof *response->step);
    response->rows = blpo__allocate(memory, p * ROWS, sizeof *response->rows);
    response->weighted = blpo__allocate(memory, p * ROWS, sizeof *response->weighted);
    if (game->host->runtime.n_processes <= 1)
        return;
    response->scratch.rest = blpo__allocate(memory, p * p, sizeof *response->scratch.rest);
    response->scratch.slice = blpo__allocate(memory, p * p, sizeof *response->scratch.slice);
}

/* A tile of Phi, transposed; parameter i is the weight of input i, the last one perhaps a bias. */
static void take_rows(blpo__best_response *response, const blpo__game *game, int64_t begin, int64_t rows)
{
    const int64_t p = game->critic->n_parameters, width = game->critic->size[0];
    for (int64_t i = 0; i < p; i++)
        for (int64_t t = 0; t < rows; t++) {
            const double phi = i < width ? (double)game->critic_tape.input[(begin + t) * width + i] : 1.0;
            response->rows[i * ROWS + t] = phi;
            response->weighted[i * ROWS + t] = game->batch.share[begin + t] * phi;
        }
}

/* b += Phi^T S e of a tile */
static void add_errors(blpo__best_response *response, const blpo__game *game, int64_t begin, int64_t rows)
{
    const int64_t p = game->critic->n_parameters;
    double error[ROWS];
    for (int64_t t = 0; t < rows; t++)
        error[t] = (double)game->target[begin + t];
    for (int64_t i = 0; i < p; i++)
        for (int64_t t = 0; t < rows; t++)
            error[t] -= response->rows[i * ROWS + t] * (double)game->w[i];
    for (int64_t i = 0; i < p; i++)
        for (int64_t t = 0; t < rows; t++)
            response->step[i] += response->weighted[i * ROWS + t] * error[t];
}

/* Step 1, of this process. */
static void add_up(blpo__best_response *response, const blpo__game *game)
{
    const int64_t p = game->critic->n_parameters, n = game->batch.n;
    memset(response->system.a, 0, (size_t)(p * p) * sizeof *response->system.a);
    memset(response->step, 0, (size_t)p * sizeof *response->step);
    for (int64_t begin = 0; begin < n; begin += ROWS) {
        const int64_t rows = n - begin < ROWS ? n - begin : ROWS;
        take_rows(response, game, begin, rows);
        blpo__gemm_nt_double(p, p, rows, response->weighted, ROWS, response->rows, ROWS, 1, response->system.a, p);
        add_errors(response, game, begin, rows);
    }
}

/* The rest of step 1: sums become means, and the ridge. */
static int gather(blpo__best_response *response, blpo__game *game, double ridge)
{
    const blpo_runtime *runtime = &game->host->runtime;
    const int64_t p = game->critic->n_parameters;
    const double processes = (double)runtime->n_processes;
    int rc = blpo__sum_over_processes(runtime, response->system.a, p * p, response->scratch, &game->verdict);
    if (rc == BLPO_OK)
        rc = blpo__sum_over_processes(runtime, response->step, p, response->scratch, &game->verdict);
    for (int64_t i = 0; i < p * p; i++)
        response->system.a[i] /= processes;
    for (int64_t i = 0; i < p; i++) {
        response->system.a[i * p + i] += ridge;
        response->step[i] = response->step[i] / processes - ridge * (double)game->w[i];
    }
    return rc;
}

int blpo__best_response_find(blpo__best_response *response, blpo__game *game, double ridge)
{
    const int64_t p = game->critic->n_parameters;
    double *b = response->rows; /* free again, and no shorter than p */
    add_up(response, game);
    const int rc = gather(response, game, ridge);
    if (rc != BLPO_OK)
        return rc;
    if (blpo__semidefinite_factor(&response->system, tolerance(p)) != 0)
        return BLPO_ERR_NONFINITE;
    memcpy(b, response->step, (size_t)p * sizeof *b);
    blpo__semidefinite_solve(&response->system, response->step);
    response->gap = 0.0;
    for (int64_t i = 0; i < p; i++)
        response->gap += b[i] * response->step[i];
    response->gap = fmax(0.0, response->gap);
    return isfinite(response->gap) ? BLPO_OK : BLPO_ERR_NONFINITE;
}

void blpo__best_response_take(const blpo__best_response *response, blpo__game *game)
{
    for (int64_t i = 0; i < game->critic->n_parameters; i++)
        game->w[i] = (real)((double)game->w[i] + response->step[i]);
}
