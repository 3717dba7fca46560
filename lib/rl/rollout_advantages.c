/* Advantages and returns of a rollout under a critic (arXiv:1506.02438):
 *
 *   delta_t = r_t + gamma (1 - d_t) V(s'_t) - V(s_t),   A_t = delta_t + gamma lambda (1 - d_t)(1 - c_t) A_{t+1},   R_t = A_t + V(s_t)
 *
 * for every environment by itself, from its last step back. A masked row is no transition: it gets 0, and the recursion goes
 * on to the next row that is one. Values are asked for row by row, so that no memory is needed; the trainer, which has
 * memory, asks for all at once (train/batch.c). Cost: two passes through the critic a transition. */
#include "rl/critic.h"
#include "rl/gae.h"
#include "rl/rollout.h"

#include <math.h>

typedef struct job {
    const blpo_rollout *rollout;
    const blpo_critic *critic;
    double gamma, gae_lambda;
    real *advantages, *returns; /* [n_envs][length], or NULL */
} job;

/* The transition at `at`: *after is A_{t+1} and becomes A_t; *value becomes V(s_t). */
static int step_back(const job *j, int64_t at, double *after, double *value)
{
    const blpo_rollout *rollout = j->rollout;
    const int64_t obs_dim = rollout->config.obs_dim;
    real here, next;
    int rc = blpo__critic_values(j->critic, rollout->obs + at * obs_dim, 1, &here);
    if (rc == BLPO_OK)
        rc = blpo__critic_values(j->critic, rollout->next_obs + at * obs_dim, 1, &next);
    if (rc != BLPO_OK)
        return rc;
    const blpo__gae_step step = {(double)rollout->reward[at], (double)here, (double)next, rollout->terminated[at],
                                 rollout->truncated[at]};
    *after = blpo__gae_back(&step, j->gamma, j->gae_lambda, *after);
    *value = (double)here;
    return BLPO_OK;
}

static int write_row(const job *j, int64_t to, double advantage, double value)
{
    const real a = (real)advantage, r = (real)(advantage + value);
    if (j->advantages != NULL)
        j->advantages[to] = a;
    if (j->returns != NULL)
        j->returns[to] = r;
    return isfinite(a) && isfinite(r) ? BLPO_OK : BLPO_ERR_NONFINITE;
}

static int environment(const job *j, int64_t e)
{
    const blpo_rollout *rollout = j->rollout;
    double after = 0.0;
    int rc = BLPO_OK;
    for (int64_t t = rollout->length - 1; rc == BLPO_OK && t >= 0; t--) {
        const int64_t at = blpo__rollout_at(rollout, e, t);
        const int masked = rollout->masked[at];
        double value = 0.0;
        if (!masked)
            rc = step_back(j, at, &after, &value);
        if (rc == BLPO_OK)
            rc = write_row(j, e * rollout->length + t, masked ? 0.0 : after, value);
    }
    return rc;
}

int blpo_rollout_advantages(const blpo_rollout *rollout, const blpo_critic *critic, double gamma, double gae_lambda,
                            real *advantages, real *returns)
{
    if (rollout == NULL || critic == NULL)
        return BLPO_ERR_NULL;
    if (!(gamma >= 0.0 && gamma <= 1.0 && gae_lambda >= 0.0 && gae_lambda <= 1.0) || rollout->length == 0 ||
        critic->obs_dim != rollout->config.obs_dim)
        return BLPO_ERR_ARGUMENT;
    const job j = {rollout, critic, gamma, gae_lambda, advantages, returns};
    int rc = BLPO_OK;
    for (int64_t e = 0; rc == BLPO_OK && e < rollout->config.n_envs; e++)
        rc = environment(&j, e);
    return rc;
}
