/* Trains Pendulum-v1: a continuous action, a Gaussian policy, episodes that are only ever cut by their time limit.
 * Solved: the mean return of 100 episodes reaches -200. Options: train.h.
 *
 *     cc pendulum.c -o pendulum $(pkg-config --cflags --libs blpo) && ./pendulum
 */
#include "envs/pendulum.h"
#include "train.h"

#include <blpo/blpo.h>

enum { N_ENVS = 8 };

/* What differs from the published CartPole settings. With both rates at 1e-3 and 10 epochs it learns in fewer steps, and
 * two runs of four were lost again. */
static void settings(blpo_config *config)
{
    config->n_steps = 256;
    config->n_epochs = 6;
    config->actor_learning_rate = 7e-4;
    config->gamma = 0.9;        /* a swing takes a second, 20 steps: a short horizon is enough */
    config->reward_scale = 0.1; /* rewards reach -16: values of a few units are easier for the critic */
}

int main(int argc, char **argv)
{
    struct train train = {.steps = 300000, .solved = -200.0};
    train_options(&train, argc, argv);

    struct pendulum rods[N_ENVS];
    struct pendulum_batch batch = {rods, N_ENVS, train.limit_terminates};
    blpo_env env;
    pendulum_env(&env, &batch);

    blpo_config config;
    train_settings(&train, &config);
    settings(&config);
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
