/* Looks into the updates of CartPole-v1: every diagnostic that the library has, as a CSV (diagnose.csv, or --csv FILE) that
 * plot_diagnostics.sh draws on one page. Two kinds of critic:
 *
 *     network   the published one, 64-64 tanh, by nested Adam steps: how far from its best response do they leave it?
 *     linear    linear in the observation, its squares and products, by exact least squares with a small ridge: the gap is
 *               what the ridge leaves, and H is positive semi-definite
 *
 *     cc diagnose.c -o diagnose $(pkg-config --cflags --libs blpo)
 *     ./diagnose network --csv network.csv && ./plot_diagnostics.sh network.csv network.png
 *
 * Options: train.h. What costs extra is measured in every fourth update; it makes the run several times slower.
 */
#include "envs/cartpole.h"
#include "train.h"

#include <blpo/blpo.h>

enum { N_ENVS = 4, N_FEATURES = 1 + CARTPOLE_OBS + CARTPOLE_OBS * (CARTPOLE_OBS + 1) / 2 };

/* phi(s): 1, s, and all products of two of its numbers. */
static int features(void *user, const float *obs, int64_t count, float *phi)
{
    (void)user;
    for (int64_t t = 0; t < count; t++, obs += CARTPOLE_OBS) {
        *phi++ = 1;
        for (int i = 0; i < CARTPOLE_OBS; i++)
            *phi++ = obs[i];
        for (int i = 0; i < CARTPOLE_OBS; i++)
            for (int j = 0; j <= i; j++)
                *phi++ = obs[i] * obs[j];
    }
    return 0;
}

static int make_linear_critic(const blpo_runtime *runtime, blpo_critic **critic)
{
    blpo_critic_config config;
    blpo_critic_config_init(&config, sizeof config);
    config.obs_dim = CARTPOLE_OBS;
    config.n_features = N_FEATURES;
    config.features = features;
    return blpo_critic_create(&config, runtime, critic);
}

/* Takes "network" or "linear" off the command line. 1: linear. */
static int choose_critic(int *argc, char ***argv)
{
    int linear = *argc > 1 && strcmp((*argv)[1], "linear") == 0;
    if (*argc > 1 && (linear || strcmp((*argv)[1], "network") == 0)) {
        (*argv)[1] = (*argv)[0];
        (*argv)++;
        (*argc)--;
    }
    return linear;
}

int main(int argc, char **argv)
{
    struct train train = {
        .steps = 200000,
        .solved = 475.0,
        .csv_path = "diagnose.csv", /* written without --csv too */
        .plot = "plot_diagnostics.sh",
        .arguments =
            "[network|linear] [options]\n"
            "  network                   the published critic, which takes steps of Adam (this one, without a word)\n"
            "  linear                    a critic linear in 15 features, by exact least squares",
    };
    int linear = choose_critic(&argc, &argv);
    train_options(&train, argc, argv);

    struct cartpole poles[N_ENVS];
    struct cartpole_batch batch = {poles, N_ENVS, train.limit_terminates};
    blpo_env env;
    cartpole_env(&env, &batch);

    blpo_runtime runtime;
    train_runtime(&train, &runtime);

    blpo_config config;
    train_settings(&train, &config);
    config.seed = train.seed;
    config.diagnostics_interval = 4;
    config.spectrum_iterations = 20;

    blpo_trainer *trainer = NULL;
    int rc = BLPO_OK;
    if (linear) {
        rc = make_linear_critic(&runtime, &config.critic);
        config.critic_response = BLPO_RESPONSE_EXACT;
        config.critic_ridge = 1e-4;
        config.trajectories_per_minibatch = N_ENVS; /* one alone says little of the states that it does not come to */
    }
    if (rc == BLPO_OK)
        rc = blpo_trainer_create(&env, &config, &runtime, &trainer);
    if (rc == BLPO_OK)
        rc = train_begin(&train, trainer); /* files */
    if (rc == BLPO_OK)
        rc = blpo_trainer_run(trainer, train.steps_left, train_on_update, &train);
    int status = train_end(&train, trainer, rc); /* frees the trainer, which has borrowed the critic */
    blpo_critic_destroy(config.critic);
    return status;
}
