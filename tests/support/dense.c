#include "dense.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

double test_uniform(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(*state >> 11) * 0x1p-52 - 1.0;
}

double test_normal(uint64_t *state)
{
    double sum = 0.0; /* twelve uniforms of variance 1/3, halved: variance 1 */
    for (int i = 0; i < 12; i++)
        sum += test_uniform(state);
    return 0.5 * sum;
}

double dense_norm(const double *x, int64_t n)
{
    double norm = 0.0;
    for (int64_t i = 0; i < n; i++)
        norm = hypot(norm, x[i]);
    return norm;
}

static long double *long_array(int64_t n)
{
    long double *a = calloc((size_t)n, sizeof *a);
    if (a == NULL)
        abort();
    return a;
}

static void swap_rows(long double *m, int64_t n, int64_t a, int64_t b)
{
    for (int64_t j = 0; j <= n; j++) {
        const long double t = m[a * (n + 1) + j];
        m[a * (n + 1) + j] = m[b * (n + 1) + j];
        m[b * (n + 1) + j] = t;
    }
}

static void eliminate(long double *m, int64_t n, int64_t column)
{
    int64_t pivot = column;
    for (int64_t i = column + 1; i < n; i++)
        if (fabsl(m[i * (n + 1) + column]) > fabsl(m[pivot * (n + 1) + column]))
            pivot = i;
    swap_rows(m, n, column, pivot);
    for (int64_t i = column + 1; i < n; i++) {
        const long double factor = m[i * (n + 1) + column] / m[column * (n + 1) + column];
        for (int64_t j = column; j <= n; j++)
            m[i * (n + 1) + j] -= factor * m[column * (n + 1) + j];
    }
}

static void solve_long(const long double *a, const long double *b, int64_t n, long double *x)
{
    long double *m = long_array(n * (n + 1)); /* [n][n + 1]: a and b side by side */
    for (int64_t i = 0; i < n; i++) {
        memcpy(m + i * (n + 1), a + i * n, (size_t)n * sizeof *m);
        m[i * (n + 1) + n] = b[i];
    }
    for (int64_t column = 0; column < n; column++)
        eliminate(m, n, column);
    for (int64_t i = n - 1; i >= 0; i--) {
        long double sum = m[i * (n + 1) + n];
        for (int64_t j = i + 1; j < n; j++)
            sum -= m[i * (n + 1) + j] * x[j];
        x[i] = sum / m[i * (n + 1) + i];
    }
    free(m);
}

void dense_solve(const double *a, const double *b, int64_t n, double *x)
{
    long double *la = long_array(n * n), *lb = long_array(n), *lx = long_array(n);
    for (int64_t i = 0; i < n * n; i++)
        la[i] = a[i];
    for (int64_t i = 0; i < n; i++)
        lb[i] = b[i];
    solve_long(la, lb, n, lx);
    for (int64_t i = 0; i < n; i++)
        x[i] = (double)lx[i];
    free(la);
    free(lb);
    free(lx);
}

void dense_shifted_solve(const double *h, double rho, const double *v, int64_t p, double *x)
{
    double *a = malloc((size_t)(p * p) * sizeof *a);
    if (a == NULL)
        abort();
    memcpy(a, h, (size_t)(p * p) * sizeof *a);
    for (int64_t i = 0; i < p; i++)
        a[i * p + i] += rho;
    dense_solve(a, v, p, x);
    free(a);
}

void dense_product(const double *h, const double *v, int64_t rows, int64_t columns, double *out)
{
    for (int64_t i = 0; i < rows; i++) {
        long double sum = 0.0L;
        for (int64_t j = 0; j < columns; j++)
            sum += (long double)h[i * columns + j] * v[j];
        out[i] = (double)sum;
    }
}

double dense_relative_residual(const double *h, double rho, const double *x, const double *v, int64_t p)
{
    double *r = malloc((size_t)p * sizeof *r);
    if (r == NULL)
        abort();
    dense_product(h, x, p, p, r);
    for (int64_t i = 0; i < p; i++)
        r[i] += rho * x[i] - v[i];
    const double relative = dense_norm(r, p) / dense_norm(v, p);
    free(r);
    return relative;
}

double dense_inverse_norm(const double *a, int64_t n)
{
    double *e = calloc((size_t)n, sizeof *e), *column = malloc((size_t)n * sizeof *column), norm = 0.0;
    if (e == NULL || column == NULL)
        abort();
    for (int64_t i = 0; i < n; i++) {
        e[i] = 1.0;
        dense_solve(a, e, n, column);
        norm = hypot(norm, dense_norm(column, n));
        e[i] = 0.0;
    }
    free(e);
    free(column);
    return norm;
}

/* h <- P h P with P = I - 2 u u^T / u.u */
static void reflect(double *h, int64_t p, uint64_t *state)
{
    double *u = malloc((size_t)p * sizeof *u), *w = malloc((size_t)p * sizeof *w);
    if (u == NULL || w == NULL)
        abort();
    double uu = 0.0, uhu = 0.0;
    for (int64_t i = 0; i < p; i++) {
        u[i] = test_uniform(state);
        uu += u[i] * u[i];
    }
    dense_product(h, u, p, p, w);
    for (int64_t i = 0; i < p; i++)
        uhu += u[i] * w[i];
    for (int64_t i = 0; i < p; i++)
        for (int64_t j = 0; j < p; j++)
            h[i * p + j] += -2.0 / uu * (u[i] * w[j] + w[i] * u[j]) + 4.0 * uhu / (uu * uu) * u[i] * u[j];
    free(u);
    free(w);
}

void dense_symmetric(const double *eigenvalue, int64_t p, uint64_t seed, double *h)
{
    memset(h, 0, (size_t)(p * p) * sizeof *h);
    for (int64_t i = 0; i < p; i++)
        h[i * p + i] = eigenvalue[i];
    for (int i = 0; i < 3 && p > 1; i++)
        reflect(h, p, &seed);
    for (int64_t i = 0; i < p; i++)
        for (int64_t j = 0; j <= i; j++)
            h[i * p + j] = h[j * p + i] = (double)(test_real)h[i * p + j];
}

/* The state of dense_cg(): vectors [p] one after the other. */
typedef struct cg_state {
    int64_t p;
    double rr;
    double *r, *d, *ad;
} cg_state;

/* d.A d, with A d in ad. */
static double curvature(cg_state *s, const double *h, double rho)
{
    double dad = 0.0;
    dense_product(h, s->d, s->p, s->p, s->ad);
    for (int64_t i = 0; i < s->p; i++) {
        s->ad[i] += rho * s->d[i];
        dad += s->d[i] * s->ad[i];
    }
    return dad;
}

static void cg_step(cg_state *s, double dad, double *x)
{
    const double length = s->rr / dad;
    double next = 0.0;
    for (int64_t i = 0; i < s->p; i++) {
        x[i] += length * s->d[i];
        s->r[i] -= length * s->ad[i];
        next += s->r[i] * s->r[i];
    }
    for (int64_t i = 0; i < s->p; i++)
        s->d[i] = s->r[i] + next / s->rr * s->d[i];
    s->rr = next;
}

int64_t dense_cg(const double *h, int64_t p, double rho, const double *v, int64_t iterations, int stop_at_negative,
                 double *x)
{
    double *memory = calloc((size_t)(4 * p), sizeof *memory);
    if (memory == NULL)
        abort();
    cg_state s = { p, dense_norm(v, p) * dense_norm(v, p), memory, memory + p, memory + 2 * p };
    memset(x, 0, (size_t)p * sizeof *x);
    memcpy(s.r, v, (size_t)p * sizeof *v);
    memcpy(s.d, v, (size_t)p * sizeof *v);
    double least = INFINITY, *best = memory + 3 * p;
    int64_t made = 0;
    for (; made < iterations; made++) {
        const double dad = curvature(&s, h, rho);
        if (stop_at_negative && dad <= 0.0) {
            memcpy(x, best, (size_t)p * sizeof *x);
            break;
        }
        cg_step(&s, dad, x);
        if (s.rr < least) {
            least = s.rr;
            memcpy(best, x, (size_t)p * sizeof *x);
        }
    }
    free(memory);
    return made;
}

/* C = h[I,:] is read in place */
static void form_core(const double *h, int64_t p, const int64_t *index, int64_t k, double rho, double s,
                      long double *core)
{
    for (int64_t a = 0; a < k; a++)
        for (int64_t b = 0; b < k; b++) {
            long double sum = 0.0L;
            for (int64_t j = 0; j < p; j++)
                sum += (long double)h[index[a] * p + j] * h[index[b] * p + j];
            core[a * k + b] = h[index[a] * p + index[b]] + sum / rho + (a == b ? s : 0.0);
        }
}

void dense_nystrom(const double *h, int64_t p, const int64_t *index, int64_t k, double rho, double s, const double *v,
                   double *x, double *core_out)
{
    long double *core = long_array(k * k), *cv = long_array(k), *y = long_array(k);
    form_core(h, p, index, k, rho, s, core);
    for (int64_t a = 0; a < k; a++) {
        cv[a] = 0.0L;
        for (int64_t j = 0; j < p; j++)
            cv[a] += (long double)h[index[a] * p + j] * v[j];
    }
    solve_long(core, cv, k, y);
    for (int64_t j = 0; j < p; j++) {
        long double sum = 0.0L;
        for (int64_t a = 0; a < k; a++)
            sum += (long double)h[index[a] * p + j] * y[a];
        x[j] = (double)(v[j] / (long double)rho - sum / ((long double)rho * rho));
    }
    for (int64_t i = 0; core_out != NULL && i < k * k; i++)
        core_out[i] = (double)core[i];
    free(core);
    free(cv);
    free(y);
}

double dense_nystrom_bound(const double *h, int64_t p, const int64_t *index, int64_t k, double rho, double s,
                           const double *v)
{
    double *core = malloc((size_t)(k * k) * sizeof *core), *x = malloc((size_t)p * sizeof *x), rows = 0.0;
    if (core == NULL || x == NULL)
        abort();
    dense_nystrom(h, p, index, k, rho, s, v, x, core);
    for (int64_t a = 0; a < k; a++)
        rows = hypot(rows, dense_norm(h + index[a] * p, p));
    const double inverse = dense_inverse_norm(core, k), condition = inverse * dense_norm(core, k * k);
    const double width = (double)p, norm = dense_norm(v, p);
    free(core);
    free(x);
    return norm / rho * 8.0 * TEST_EPSILON
           + rows * rows * inverse * norm / (rho * rho)
                 * (4.0 * width * TEST_EPSILON + 8.0 * width * DBL_EPSILON * condition);
}
