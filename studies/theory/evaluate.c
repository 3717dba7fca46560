#include "evaluate.h"

#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void softmax(const double logit[ACTIONS], double pi[ACTIONS], double log_pi[ACTIONS])
{
    double most = logit[0], sum = 0.0;
    for (int a = 1; a < ACTIONS; a++)
        most = fmax(most, logit[a]);
    for (int a = 0; a < ACTIONS; a++)
        sum += exp(logit[a] - most);
    for (int a = 0; a < ACTIONS; a++) {
        log_pi[a] = logit[a] - most - log(sum);
        pi[a] = exp(log_pi[a]);
    }
}

void evaluate(const garnet *process, const double theta[THETA], evaluation *out)
{
    out->process = process;
    memset(out->step, 0, sizeof out->step);
    for (int s = 0; s < STATES; s++) {
        softmax(theta + s * ACTIONS, out->pi + s * ACTIONS, out->log_pi + s * ACTIONS);
        for (int a = 0; a < ACTIONS; a++)
            for (int t = 0; t < STATES; t++)
                out->step[s][t] += out->pi[s * ACTIONS + a] * process->transition[s][a][t];
        for (int t = 0; t < STATES; t++)
            out->factor[s * STATES + t] = (s == t ? 1.0 : 0.0) - process->gamma * out->step[s][t];
    }
    if (LAPACKE_dgetrf(LAPACK_COL_MAJOR, STATES, STATES, out->factor, STATES, out->pivot) != 0)
        abort(); /* gamma < 1: the matrix is diagonally dominant */
}

static void solve(const evaluation *e, char transposed, const double *right, double *x)
{
    if (x != right)
        memcpy(x, right, STATES * sizeof *x);
    if (LAPACKE_dgetrs(LAPACK_COL_MAJOR, transposed, STATES, 1, e->factor, STATES, e->pivot, x, STATES) != 0)
        abort();
}

void evaluation_values(const evaluation *e, const double reward[STATES], double value[STATES])
{
    solve(e, 'T', reward, value);
}

void evaluation_visits(const evaluation *e, const double y[STATES], double visits[STATES])
{
    solve(e, 'N', y, visits);
}

void evaluation_mean(const evaluation *e, const double table[THETA], double out[STATES])
{
    for (int s = 0; s < STATES; s++) {
        out[s] = 0.0;
        for (int a = 0; a < ACTIONS; a++)
            out[s] += e->pi[s * ACTIONS + a] * table[s * ACTIONS + a];
    }
}

void evaluation_lookahead(const evaluation *e, const double reward[THETA], const double value[STATES], double q[THETA])
{
    for (int s = 0; s < STATES; s++)
        for (int a = 0; a < ACTIONS; a++) {
            double next = 0.0;
            for (int t = 0; t < STATES; t++)
                next += e->process->transition[s][a][t] * value[t];
            q[s * ACTIONS + a] = reward[s * ACTIONS + a] + e->process->gamma * next;
        }
}

void evaluation_add_softmax(const evaluation *e, const double scale[STATES], const double q[THETA], double out[THETA])
{
    double mean[STATES];
    evaluation_mean(e, q, mean);
    for (int s = 0; s < STATES; s++)
        for (int a = 0; a < ACTIONS; a++)
            out[s * ACTIONS + a] += scale[s] * e->pi[s * ACTIONS + a] * (q[s * ACTIONS + a] - mean[s]);
}

void evaluation_add_gradient(const evaluation *e, const double y[STATES], const double reward[THETA], double out[THETA])
{
    double value[STATES], visits[STATES], q[THETA];
    evaluation_mean(e, reward, value);
    evaluation_values(e, value, value);
    evaluation_visits(e, y, visits);
    evaluation_lookahead(e, reward, value, q);
    evaluation_add_softmax(e, visits, q, out);
}
