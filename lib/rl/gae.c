/* Generalised advantage estimation (Schulman et al., arXiv:1506.02438).
 *
 *   delta_t = r_t + gamma (1 - d_t) V(s'_t) - V(s_t),    A_t = delta_t + gamma lambda (1 - d_t)(1 - c_t) A_{t+1}
 *
 * d: terminated, c: truncated, s'_t: what really followed step t. A is linear in V; its adjoint runs forward:
 *
 *   y_t = dJ/dA_t + gamma lambda (1 - d_{t-1})(1 - c_{t-1}) y_{t-1},   dJ/dV(s_t) = -y_t,   dJ/dV(s'_t) = gamma (1 - d_t) y_t
 *
 * Departure from common practice: a truncated step bootstraps from its final observation through V, so that its value
 * stays a function of the critic; gamma V is not added to the reward. Cost: O(n). */
#include "rl/gae.h"

#include "core/check.h"

#include <blpo/rollout.h>

#include <limits.h>

double blpo__gae_back(const blpo__gae_step *step, double gamma, double gae_lambda, double after)
{
    const double next = step->terminated ? 0.0 : gamma * step->next_value;
    return step->reward + next - step->value + blpo__keep(gamma, gae_lambda, step->terminated, step->truncated) * after;
}

/* Every flag is 0 or 1. */
static int are_flags(const uint8_t *flag, int64_t n)
{
    uint8_t any = 0;
    for (int64_t t = 0; t < n; t++)
        any |= flag[t];
    return any <= 1;
}

static int arguments_hold(int64_t n, double gamma, double gae_lambda)
{
    return n >= 1 && n <= INT_MAX && gamma >= 0.0 && gamma <= 1.0 && gae_lambda >= 0.0 && gae_lambda <= 1.0;
}

int blpo_gae(int64_t n, const real *reward, const real *value, const real *next_value, const uint8_t *terminated,
             const uint8_t *truncated, double gamma, double gae_lambda, real *advantage)
{
    if (reward == NULL || value == NULL || next_value == NULL || terminated == NULL || truncated == NULL || advantage == NULL)
        return BLPO_ERR_NULL;
    if (!arguments_hold(n, gamma, gae_lambda) || !are_flags(terminated, n) || !are_flags(truncated, n))
        return BLPO_ERR_ARGUMENT;
    double after = 0.0;
    for (int64_t t = n - 1; t >= 0; t--) {
        const blpo__gae_step step = {(double)reward[t], (double)value[t], (double)next_value[t], terminated[t], truncated[t]};
        after = blpo__gae_back(&step, gamma, gae_lambda, after);
        advantage[t] = (real)after;
    }
    return blpo__first_nonfinite(advantage, n) < 0 ? BLPO_OK : BLPO_ERR_NONFINITE;
}

int blpo_gae_adjoint(int64_t n, const real *advantage_adjoint, const uint8_t *terminated, const uint8_t *truncated,
                     double gamma, double gae_lambda, real *value_adjoint, real *next_value_adjoint)
{
    if (advantage_adjoint == NULL || terminated == NULL || truncated == NULL || value_adjoint == NULL ||
        next_value_adjoint == NULL)
        return BLPO_ERR_NULL;
    if (!arguments_hold(n, gamma, gae_lambda) || !are_flags(terminated, n) || !are_flags(truncated, n))
        return BLPO_ERR_ARGUMENT;
    double y = 0.0;
    for (int64_t t = 0; t < n; t++) {
        const double kept = t == 0 ? 0.0 : blpo__keep(gamma, gae_lambda, terminated[t - 1], truncated[t - 1]) * y;
        y = (double)advantage_adjoint[t] + kept;
        value_adjoint[t] = (real)-y;
        next_value_adjoint[t] = (real)(blpo__discount(gamma, terminated[t]) * y);
    }
    const int finite = blpo__first_nonfinite(value_adjoint, n) < 0 && blpo__first_nonfinite(next_value_adjoint, n) < 0;
    return finite ? BLPO_OK : BLPO_ERR_NONFINITE;
}
