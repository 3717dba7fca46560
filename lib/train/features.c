/* Features of a minibatch, where the critic is linear in features that a callback makes: its network then has these for
 * its input in place of the observations. They are made anew for every minibatch: kept for the whole rollout they would
 * take the memory of all its states, and a callback is cheap beside the passes that follow. */
#include "core/check.h"
#include "core/error.h"
#include "train/game.h"

void blpo__game_use_features(blpo__game *game, const blpo_critic *critic, int64_t n, blpo__memory *memory)
{
    if (critic->features == NULL)
        return;
    game->features_of = critic;
    game->features = blpo__allocate(memory, 2 * n * critic->n_features, sizeof *game->features);
    game->critic_tape.input = game->features;
}

/* The transition whose observation, or the one after it, is this row. */
static int64_t transition_of(const blpo__batch *batch, int64_t row)
{
    int64_t t = row;
    if (row >= batch->n)
        for (t = 0; batch->next[t] != row; t++)
            continue;
    return t;
}

/* Where the callback wrote a number that is none. */
static int report(const blpo__game *game, int64_t bad, blpo_error *error)
{
    const int64_t width = game->features_of->n_features, n_steps = game->rollout->config.n_steps;
    const int64_t source = game->batch.source[transition_of(&game->batch, bad / width)];
    return blpo__error_element(error, BLPO_ERR_NONFINITE, BLPO_STAGE_CRITIC, source / n_steps, source % n_steps,
                               "features", bad % width, (double)game->features[bad], NULL);
}

int blpo__game_features(blpo__game *game, blpo_error *error)
{
    const blpo__batch *batch = &game->batch;
    if (game->features_of == NULL || batch->n_states == 0)
        return BLPO_OK;
    const int verdict = blpo__critic_features(game->features_of, batch->state, batch->n_states, game->features);
    if (verdict != 0)
        return blpo__error_callback(error, BLPO_STAGE_CRITIC, "features", verdict);
    const int64_t bad = blpo__first_nonfinite(game->features, batch->n_states * game->features_of->n_features);
    return bad < 0 ? BLPO_OK : report(game, bad, error);
}
