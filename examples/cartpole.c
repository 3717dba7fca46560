/* Trains CartPole-v1 with the published settings: 4 environments x 128 steps. Solved: the mean return of 100 episodes
 * reaches 475, out of 500. Options: train.h.
 *
 *     cc cartpole.c -o cartpole $(pkg-config --cflags --libs blpo) && ./cartpole
 */
#include "envs/cartpole.h"
#include "train.h"

#include <blpo/blpo.h>

enum { N_ENVS = 4 };

int main(int argc, char **argv)
{
    struct train train = {.steps = 500000, .solved = 475.0};
    train_options(&train, argc, argv);

    /* What to learn: the environment, as callbacks (envs/cartpole.h). */
    struct cartpole poles[N_ENVS];
    struct cartpole_batch batch = {poles, N_ENVS, train.limit_terminates};
    blpo_env env;
    cartpole_env(&env, &batch);

    /* How: the published settings, blpo_config_init(), unless --method asks for others. */
    blpo_config config;
    train_settings(&train, &config);
    config.seed = train.seed;
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
