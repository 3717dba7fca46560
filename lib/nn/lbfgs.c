/* Limited-memory BFGS (Nocedal, Mathematics of Computation 35, 1980; Liu and Nocedal, Mathematical Programming 45, 1989).
 *
 *   s_i, y_i  steps and changes of the gradient, the last ten      rho_i = 1 / y_i . s_i
 *
 *   1. d = -B g, B g by two loops over the pairs:  backwards a_i = rho_i s_i . q, q -= a_i y_i;  q *= s.y / y.y of the last;
 *      forwards q += (a_i - rho_i y_i . q) s_i      2. x + t d with t = 1, 1/4, 1/16 ... until f falls by 1e-4 t |g . d|
 *   3. the new pair, unless y . s is rounding
 *
 * Only points that lower f are taken, so the value is an upper bound of the least one whatever the budget. The first
 * direction is the gradient, scaled to a step of length at most 1; a line search that finds nothing drops the pairs and
 * tries the gradient once more, then ends: values in float have their own end. Departure: no curvature condition in the
 * line search, which would cost evaluations; pairs without positive curvature are left out instead.
 * Cost of an evaluation: its own, and O(40 n). Memory: 25 n numbers. */
#include "nn/lbfgs.h"

#include "linalg/vector.h"

#include <math.h>
#include <string.h>

void blpo__lbfgs_create(blpo__lbfgs *lbfgs, int64_t n, blpo__memory *memory)
{
    real **const arrays[] = { &lbfgs->x, &lbfgs->gradient, &lbfgs->trial, &lbfgs->trial_gradient, &lbfgs->direction };
    lbfgs->n = n;
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        *arrays[i] = blpo__allocate(memory, n, sizeof(real));
    for (int i = 0; i < BLPO__LBFGS_PAIRS; i++) {
        lbfgs->step[i] = blpo__allocate(memory, n, sizeof(real));
        lbfgs->change[i] = blpo__allocate(memory, n, sizeof(real));
    }
}

static void add_scaled(real *to, double scale, const real *from, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = (real)((double)to[i] + scale * (double)from[i]);
}

static void scale(real *x, double by, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = (real)(by * (double)x[i]);
}

/* Step 1 */
static void choose_direction(blpo__lbfgs *l)
{
    const int64_t n = l->n, oldest = l->n_pairs > BLPO__LBFGS_PAIRS ? l->n_pairs - BLPO__LBFGS_PAIRS : 0;
    double a[BLPO__LBFGS_PAIRS];
    real *q = l->direction;
    memcpy(q, l->gradient, (size_t)n * sizeof *q);
    for (int64_t i = l->n_pairs - 1; i >= oldest; i--) {
        const int64_t k = i % BLPO__LBFGS_PAIRS;
        a[k] = l->inverse[k] * blpo__dot(l->step[k], q, n);
        add_scaled(q, -a[k], l->change[k], n);
    }
    if (l->n_pairs == 0) {
        scale(q, -1.0 / fmax(1.0, blpo__norm(q, n)), n);
        return;
    }
    const int64_t last = (l->n_pairs - 1) % BLPO__LBFGS_PAIRS;
    scale(q, 1.0 / (l->inverse[last] * blpo__dot(l->change[last], l->change[last], n)), n);
    for (int64_t i = oldest; i < l->n_pairs; i++) {
        const int64_t k = i % BLPO__LBFGS_PAIRS;
        add_scaled(q, a[k] - l->inverse[k] * blpo__dot(l->change[k], q, n), l->step[k], n);
    }
    scale(q, -1.0, n);
}

/* Step 3, before the trial becomes the point. */
static void remember(blpo__lbfgs *l)
{
    const int64_t n = l->n, at = l->n_pairs % BLPO__LBFGS_PAIRS;
    for (int64_t i = 0; i < n; i++) {
        l->step[at][i] = l->trial[i] - l->x[i];
        l->change[at][i] = l->trial_gradient[i] - l->gradient[i];
    }
    const double curvature = blpo__dot(l->step[at], l->change[at], n);
    if (curvature > 1e-10 * blpo__norm(l->step[at], n) * blpo__norm(l->change[at], n)) {
        l->inverse[at] = 1.0 / curvature;
        l->n_pairs++;
    }
}

static void move(blpo__lbfgs *l)
{
    remember(l);
    memcpy(l->x, l->trial, (size_t)l->n * sizeof *l->x);
    memcpy(l->gradient, l->trial_gradient, (size_t)l->n * sizeof *l->gradient);
}

/* What is left of the budget, and where the values come from. */
typedef struct source {
    blpo__evaluate_fn evaluate;
    void *context;
    int64_t left;
} source;

/* Step 2: 1: a lower value was found and taken; 0: none on this line, or the budget is spent. A code below 0 ends it all. */
static int search(blpo__lbfgs *l, source *from, double *value)
{
    const double slope = blpo__dot(l->gradient, l->direction, l->n);
    if (!(slope < 0.0))
        return 0;
    for (double t = 1.0; from->left > 0 && t > 1e-10; t *= 0.25) {
        double there;
        memcpy(l->trial, l->x, (size_t)l->n * sizeof *l->trial);
        add_scaled(l->trial, t, l->direction, l->n);
        from->left--;
        const int rc = from->evaluate(from->context, l->trial, &there, l->trial_gradient);
        if (rc != 0)
            return rc;
        if (there < *value && there <= *value + 1e-4 * t * slope && isfinite(blpo__norm(l->trial_gradient, l->n))) {
            *value = there;
            move(l);
            return 1;
        }
    }
    return 0;
}

int blpo__lbfgs_minimise(blpo__lbfgs *lbfgs, const real *start, int64_t budget, blpo__evaluate_fn evaluate,
                         void *context, double *first, double *least)
{
    source from = { evaluate, context, budget - 1 };
    memcpy(lbfgs->x, start, (size_t)lbfgs->n * sizeof *lbfgs->x);
    lbfgs->n_pairs = 0;
    int rc = evaluate(context, lbfgs->x, first, lbfgs->gradient);
    if (!isfinite(*first) || !isfinite(blpo__norm(lbfgs->gradient, lbfgs->n)))
        *first = (double)NAN;
    *least = *first;
    while (rc >= 0 && !isnan(*first) && from.left > 0) {
        choose_direction(lbfgs);
        rc = search(lbfgs, &from, least);
        if (rc == 0 && lbfgs->n_pairs == 0)
            break;
        if (rc == 0)
            lbfgs->n_pairs = 0;
    }
    return rc < 0 ? rc : 0;
}
