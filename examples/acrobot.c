/* Trains Acrobot-v1 with the published settings but one: 4 environments x 128 steps. Solved: the mean return of 100 episodes
 * reaches -100, Gymnasium's threshold; good policies need about 80 steps. Options: train.h.
 *
 *     cc acrobot.c -o acrobot $(pkg-config --cflags --libs blpo) && ./acrobot
 */
#include "envs/acrobot.h"
#include "train.h"

#include <blpo/blpo.h>

enum { N_ENVS = 4 };

/* Until the goal has been reached every reward is -1, the critic learns one value for all states, and what is left of the
 * advantages are its errors. With the published epsilon, 1e-5, Adam makes whole steps of gradients that small: the policy
 * drifts, and one run in ten never meets the goal by chance. Gradients that mean something are far above 1e-3. With a time
 * limit that terminates, values differ from the beginning, and the published setting is kept. Normalised advantages, which are
 * among the recommended settings, are the better cure (docs/methods.md). */
static const double QUIET_EPSILON = 1e-3;

int main(int argc, char **argv)
{
    struct train train = {.steps = 400000, .solved = -100.0};
    train_options(&train, argc, argv);

    struct acrobot robots[N_ENVS];
    struct acrobot_batch batch = {robots, N_ENVS, train.limit_terminates};
    blpo_env env;
    acrobot_env(&env, &batch);

    blpo_config config;
    train_settings(&train, &config);
    config.seed = train.seed;
    if (!train.limit_terminates && train.method != TRAIN_RECOMMENDED)
        config.adam_epsilon = QUIET_EPSILON;
    config.diagnostics_interval = train.csv_path ? 50 : 0; /* for the CSV, what costs extra is measured now and then */

    blpo_runtime runtime;
    train_runtime(&train, &runtime);

    blpo_trainer *trainer = NULL;
    int rc = blpo_trainer_create(&env, &config, &runtime, &trainer);
    if (rc == BLPO_OK)
        rc = train_begin(&train, trainer); /* files */
    if (rc == BLPO_OK)
        rc = blpo_trainer_run(trainer, train.steps_left, train_on_update, &train);
    return train_end(&train, trainer, rc);
}
