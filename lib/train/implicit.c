/* Products with the second derivatives of the game, at the point where blpo__game_linearise() was called with a response:
 * H = d2g/dw2 times a vector, rows of H, and the mixed product of the linearised critic objective f2.
 *
 *   f2 = 2 sum_t share_t e_t L_t,   L_t = -(1/(t+1)) sum_{s<=t} min(rho_s A_s, clip(rho_s, 1 - eps_F, 1 + eps_F) A_s)
 *
 * With Vdot_t = dV(s_t)/dw . x, Adot the advantages of the rewardless values Vdot (A is linear in V), e_t = R_t - V(s_t), and
 * the sums over s <= t swapped, b_s = sum_{t>=s} e_t/(t+1), bdot_s = -sum_{t>=s} Vdot_t/(t+1), per trajectory:
 *
 *   (d2 f2 / dtheta dw) x = -2 sum_s share_s 1_s (bdot_s A_s + b_s Adot_s) rho_s grad log pi(a_s|s_s)
 *
 * 1_s: the unclipped branch (with eps_F) is the smaller. So it is a policy gradient with other weights, on the signals that
 * the direct term left behind: no second-order pass (docs/algorithm.md, section 5; arXiv:2505.11714).
 * Cost: one product a layer of the critic and one of the actor. */
#include "train/game.h"

static blpo__row_loss row_loss(const blpo__game *game)
{
    return (blpo__row_loss){game->slope, game->bend};
}

static void hessian_product_rows(blpo__game *game, int64_t piece, int64_t begin, int64_t end, real *partial, void *direction)
{
    const blpo__row_loss loss = row_loss(game);
    blpo__mlp_add_hessian_product(game->critic, game->w, &game->critic_tape, &loss, direction, begin, end,
                                  &game->critic_scratch[piece], partial);
}

int blpo__game_hessian_product(void *user, const real *v, real *hv)
{
    blpo__game *game = user;
    const int64_t p = game->critic->n_parameters;
    blpo__game_sum_rows(game, game->batch.n, p, hessian_product_rows, (void *)(uintptr_t)v, hv);
    return blpo__game_mean_over_processes(game, hv, p);
}

int64_t blpo__game_rows_at_once(const blpo_config *config)
{
    if (!config->hypergradient || config->ihvp_method != BLPO_IHVP_NYSTROM)
        return 1;
    if (!config->nystrom_space_efficient)
        return config->nystrom_rank;
    return config->nystrom_chunk == 0 ? 1 : config->nystrom_chunk;
}

static void hessian_rows(blpo__game *game, int64_t piece, const int64_t *index, int64_t k, int64_t begin, int64_t end, real *rows)
{
    const blpo__row_loss loss = row_loss(game);
    blpo__mlp_add_hessian_rows(game->critic, game->w, &game->critic_tape, &loss, index, k, begin, end,
                               &game->critic_scratch[piece], rows);
}

int blpo__game_hessian_rows(void *user, const int64_t *index, int64_t k, real *rows)
{
    return blpo__game_rows(user, index, k, hessian_rows, rows);
}

static int unclipped(double ratio, double advantage, double eps)
{
    return ratio * advantage <= blpo__limited_ratio(ratio, eps) * advantage;
}

/* Weights of grad log pi for one trajectory, from its end back: b and bdot are running sums, and Adot the recursion of A on
 * the tangents of the values, without rewards. */
static void mixed_weights(blpo__game *game, int64_t begin, int64_t end)
{
    const blpo__batch *batch = &game->batch;
    const real *value = game->critic_tape.h[game->critic->n_layers], *tangent = game->tangent;
    double b = 0.0, bdot = 0.0, adot = 0.0;
    for (int64_t s = end - 1; s >= begin; s--) {
        const double order = (double)(s - begin + 1), ratio = game->ratio[s], a = game->advantage[s];
        b += ((double)game->target[s] - (double)value[s]) / order;
        bdot -= (double)tangent[s] / order;
        adot = batch->discount[s] * (double)tangent[batch->next[s]] - (double)tangent[s] + batch->keep[s] * adot;
        const double weight = -2.0 * batch->share[s] * (bdot * a + b * adot) * ratio;
        game->policy_weight[s] = (real)(unclipped(ratio, a, game->config->clip_range_critic) ? weight : 0.0);
    }
}

static void policy_rows(blpo__game *game, int64_t piece, int64_t begin, int64_t end, real *partial, void *argument)
{
    (void)argument;
    blpo__game_add_policy_gradient(game, piece, begin, end, partial);
}

int blpo__game_mixed_product(void *user, const real *x, real *out)
{
    blpo__game *game = user;
    const int64_t q = game->actor->n_parameters + game->n_log_std;
    blpo__game_value_tangents(game, game->batch.n_states, x);
    for (int64_t i = 0; i < game->batch.n_trajectories; i++)
        mixed_weights(game, game->batch.start[i], game->batch.start[i + 1]);
    blpo__game_sum_rows(game, game->batch.n, q, policy_rows, NULL, out);
    return blpo__game_mean_over_processes(game, out, q);
}
