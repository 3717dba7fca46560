/* Trains Acrobot-v1 with the published settings: 4 environments x 128 steps. Solved: the mean return of 100 episodes
 * reaches -100, Gymnasium's threshold; good policies need about 80 steps. Options: train.h.
 *
 *     cc acrobot.c -o acrobot $(pkg-config --cflags --libs blpo) && ./acrobot
 */
#include "envs/acrobot.h"
#include "train.h"

#include <blpo/blpo.h>

enum { N_ENVS = 4 };

int main(int argc, char **argv)
{
    struct train train = {.steps = 400000, .solved = -100.0};
    train_options(&train, argc, argv);

    struct acrobot robots[N_ENVS];
    struct acrobot_batch batch = {robots, N_ENVS, train.limit_terminates};
    blpo_env env;
    acrobot_env(&env, &batch);

    blpo_config config;
    blpo_config_init(&config, sizeof config);
    blpo_config_set_method(&config, train.method);
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
