/* The ends of the spectrum of A = H + rho I, by Lanczos iterations from a random vector (Paige, J. Inst. Maths Applics 10,
 * 1972).
 *
 *   q_1 random, |q_1| = 1;  A q_j = beta_{j-1} q_{j-1} + alpha_j q_j + beta_j q_{j+1}
 *
 *   1. n steps of it     2. eigenvalues of the tridiagonal (alpha, beta), by LAPACK (dsterf)     3. their ends
 *
 * No vector is kept but the last two: orthogonality to the older ones is lost with time, which makes copies of eigenvalues
 * that were found, and moves none. The largest and the smallest eigenvalue of the tridiagonal lie within the spectrum of A and
 * converge to its ends: size and, for positive definite A, condition are estimates from below. With f the residual of the last
 * step, largest + |f| is as good as never below the largest |eigenvalue| of A (Zhou and Li, Linear Algebra Appl. 435, 2011).
 * A vector that stays in an invariant subspace ends the iteration early.
 *
 * Cost: n products, some 10 n p operations. */
#include "hypergrad/hypergrad.h"

#include "linalg/vector.h"

#include <float.h>
#include <math.h>
#include <string.h>

void blpo__spectrum_create(blpo_hypergrad *solver, int64_t n)
{
    blpo__spectrum *spectrum = &solver->spectrum;
    blpo__memory *memory = &solver->host.memory;
    spectrum->n = n;
    spectrum->q = blpo__allocate(memory, solver->problem.n_inner, sizeof *spectrum->q);
    spectrum->before = blpo__allocate(memory, solver->problem.n_inner, sizeof *spectrum->before);
    spectrum->alpha = blpo__allocate(memory, n, sizeof *spectrum->alpha);
    spectrum->beta = blpo__allocate(memory, n, sizeof *spectrum->beta);
}

static void begin(blpo_hypergrad *solver)
{
    const int64_t p = solver->problem.n_inner;
    real *q = solver->spectrum.q;
    blpo__stream stream = blpo__hypergrad_stream(solver, BLPO__FOR_SPECTRUM, 0);
    solver->n_draws++;
    for (int64_t i = 0; i < p; i++)
        q[i] = (real)blpo__normal(&stream);
    const double norm = blpo__norm(q, p);
    for (int64_t i = 0; i < p; i++)
        q[i] = (real)((double)q[i] / norm);
    memset(solver->spectrum.before, 0, (size_t)p * sizeof *q);
}

/* product = A q_j - alpha_j q_j - beta_{j-1} q_{j-1}; returns its norm, beta_j. */
static double orthogonalise(blpo_hypergrad *solver, int64_t j)
{
    const int64_t p = solver->problem.n_inner;
    blpo__spectrum *s = &solver->spectrum;
    const double rho = solver->config.nystrom_rho, last = j > 0 ? s->beta[j - 1] : 0.0;
    const double alpha = blpo__dot(s->q, solver->product, p) + rho * blpo__dot(s->q, s->q, p);
    for (int64_t i = 0; i < p; i++)
        solver->product[i] =
            (real)((double)solver->product[i] + (rho - alpha) * (double)s->q[i] - last * (double)s->before[i]);
    s->alpha[j] = alpha;
    s->beta[j] = blpo__norm(solver->product, p);
    return s->beta[j];
}

/* q_{j+1} = product / beta_j */
static void advance(blpo_hypergrad *solver, double beta)
{
    blpo__spectrum *s = &solver->spectrum;
    real *next = s->before;
    for (int64_t i = 0; i < solver->problem.n_inner; i++)
        next[i] = (real)((double)solver->product[i] / beta);
    s->before = s->q;
    s->q = next;
}

/* Step 3, of `made` rows, the last of which may not be finite: then nothing is known. */
static void conclude(blpo__spectrum *s, int64_t made)
{
    const double residual = s->beta[made - 1];
    double least = INFINITY;
    s->size = s->bound = NAN;
    if (!isfinite(s->alpha[made - 1] + residual) || blpo__tridiagonal_eigenvalues((int)made, s->alpha, s->beta) != 0)
        return;
    s->size = 0.0;
    for (int64_t i = 0; i < made; i++) {
        s->size = fmax(s->size, fabs(s->alpha[i]));
        least = fmin(least, fabs(s->alpha[i]));
    }
    s->low = s->alpha[0];
    s->high = s->alpha[made - 1];
    s->bound = s->size + residual;
    s->condition = least > 0.0 ? s->size / least : DBL_MAX;
}

int blpo__spectrum_measure(blpo_hypergrad *solver)
{
    blpo__spectrum *s = &solver->spectrum;
    double largest = solver->config.nystrom_rho;
    int64_t made = 0;
    begin(solver);
    while (made < s->n) {
        const int rc = blpo__hypergrad_product(solver, s->q, solver->product);
        if (rc != BLPO_OK)
            return rc;
        const double beta = orthogonalise(solver, made);
        largest = fmax(largest, fabs(s->alpha[made]) + beta);
        made++;
        if (!isfinite(beta) || beta <= 8.0 * BLPO__EPSILON * largest)
            break;
        advance(solver, beta);
    }
    conclude(s, made);
    s->measured = 1;
    return BLPO_OK;
}

void blpo__spectrum_report(const blpo__spectrum *spectrum, blpo_hypergrad_report *report)
{
    if (!isfinite(spectrum->size))
        return;
    report->largest_eigenvalue = spectrum->size;
    report->condition_number = spectrum->condition;
    report->indefinite |= spectrum->low < 0.0;
}
