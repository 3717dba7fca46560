/* x = v / rho: the inverse without curvature, and the last resort of the methods that have some.
 *
 * Error: |x - x*| <= |H| / rho |x*|, and a rounding an element. Cost: no product, p operations. */
#include "hypergrad/hypergrad.h"

void blpo__hypergrad_over_rho(const blpo_hypergrad *solver, const real *v, real *x)
{
    for (int64_t i = 0; i < solver->problem.n_inner; i++)
        x[i] = (real)((double)v[i] / solver->config.nystrom_rho);
}

void blpo__hypergrad_fall_back(blpo_hypergrad_report *report, int reason)
{
    report->fallback = 1;
    report->reason = reason;
}

void blpo__hypergrad_last_resort(const blpo_hypergrad *solver, const real *v, real *x, int reason,
                                 blpo_hypergrad_report *report)
{
    blpo__hypergrad_over_rho(solver, v, x);
    blpo__hypergrad_fall_back(report, reason);
    report->method = BLPO_IHVP_NONE;
    report->rank_used = 0;
}

static int solve(blpo_hypergrad *solver, const real *v, real *x, blpo_hypergrad_report *report)
{
    (void)report;
    blpo__hypergrad_flops(solver, solver->problem.n_inner);
    blpo__hypergrad_over_rho(solver, v, x);
    return BLPO_OK;
}

const blpo__ihvp blpo__ihvp_none = {"none", NULL, NULL, solve};
