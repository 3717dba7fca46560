/* What an installed libblpo must do for a stranger's program: train on a small problem through nothing but <blpo/blpo.h>, and act
 * with the result. Exit code 0, or the line of the check that failed.
 *
 * The problem: an observation is +1 or -1, and the reward 1 for the action that names its sign. An episode has 8 steps, so a
 * random policy returns 4 and the best 8. */
#include <blpo/blpo.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "consumer.c:%d: %s\n", __LINE__, #condition);                                              \
            return __LINE__ % 255 + 1;                                                                                 \
        }                                                                                                              \
    } while (0)

enum { N_ENVS = 4, EPISODE = 8, N_STEPS = 64, N_UPDATES = 6 };

struct game {
    uint64_t bits;
    int64_t steps;
};

static float sign_of(const struct game *game)
{
    return (game->bits >> 63) ? 1.0f : -1.0f;
}

static void advance(struct game *game)
{
    game->bits = game->bits * 6364136223846793005u + 1442695040888963407u;
}

static int step(void *user, blpo_step *io)
{
    struct game *games = (struct game *)user + io->first;
    for (int64_t i = 0; i < io->count; i++) {
        const int64_t right = sign_of(&games[i]) > 0.0f;
        io->reward[i] = io->discrete_action[i] == right ? 1.0f : 0.0f;
        advance(&games[i]);
        games[i].steps++;
        io->obs[i] = sign_of(&games[i]);
        io->terminated[i] = games[i].steps == EPISODE;
    }
    return 0;
}

static int reset(void *user, blpo_reset *io)
{
    struct game *games = (struct game *)user + io->first;
    for (int64_t i = 0; i < io->count; i++)
        if (io->mask[i]) {
            games[i].bits = io->seed[i];
            games[i].steps = 0;
            advance(&games[i]);
            io->obs[i] = sign_of(&games[i]);
        }
    return 0;
}

static int count_updates(void *user, const blpo_metrics *metrics)
{
    int64_t *calls = (int64_t *)user;
    ++*calls;
    return metrics->n_updates == N_UPDATES ? BLPO_STOP : BLPO_CONTINUE;
}

int main(void)
{
    static struct game games[N_ENVS];
    blpo_build build;
    blpo_env env;
    blpo_config config;
    blpo_metrics metrics;
    blpo_trainer *trainer = NULL;
    int64_t calls = 0;

    CHECK(strcmp(blpo_version(), BLPO_VERSION_STRING) == 0);
    CHECK(blpo_abi_version() == BLPO_ABI_VERSION);
    memset(&build, 0, sizeof build);
    build.struct_size = sizeof build;
    CHECK(blpo_build_info(&build) == BLPO_OK);
    CHECK(build.lapack_int_bytes == 4);

    CHECK(blpo_env_init(&env, sizeof env) == BLPO_OK);
    env.user = games;
    env.n_envs = N_ENVS;
    env.obs_dim = 1;
    env.action.kind = BLPO_ACTION_DISCRETE;
    env.action.n = 2;
    env.step = step;
    env.reset = reset;
    CHECK(blpo_config_init(&config, sizeof config) == BLPO_OK);
    config.seed = 1;
    config.n_steps = N_STEPS;
    config.gamma = 0.5;
    config.actor_learning_rate = 1e-2;
    CHECK(blpo_trainer_create(&env, &config, NULL, &trainer) == BLPO_OK);
    CHECK(blpo_trainer_run(trainer, (int64_t)1 << 40, count_updates, &calls) == BLPO_STOPPED);
    CHECK(calls == N_UPDATES);

    memset(&metrics, 0, sizeof metrics);
    metrics.struct_size = sizeof metrics;
    CHECK(blpo_trainer_get_metrics(trainer, &metrics) == BLPO_OK);
    CHECK(metrics.n_updates == N_UPDATES);
    CHECK(metrics.steps == (int64_t)N_UPDATES * N_ENVS * N_STEPS);
    CHECK(metrics.n_episodes == metrics.steps / EPISODE);
    CHECK(isfinite(metrics.critic_loss) && metrics.hypergradient_norm > 0.0);

    /* It has learned: the likelier action is the right one in both states. */
    {
        const float obs[2] = { -1.0f, 1.0f };
        int64_t action[2] = { -1, -1 };
        CHECK(blpo_policy_act(blpo_trainer_policy(trainer), obs, 2, BLPO_DETERMINISTIC, NULL, action) == BLPO_OK);
        CHECK(action[0] == 0 && action[1] == 1);
    }
    blpo_trainer_destroy(trainer);

    /* A mistake is a code and a text, not a crash. */
    {
        blpo_error error;
        blpo_runtime runtime;
        blpo_trainer *none = NULL;
        memset(&error, 0, sizeof error);
        CHECK(blpo_runtime_init(&runtime, sizeof runtime) == BLPO_OK);
        runtime.error = &error;
        config.gamma = NAN;
        CHECK(blpo_trainer_create(&env, &config, &runtime, &none) == BLPO_ERR_CONFIG);
        CHECK(none == NULL && strcmp(error.field, "gamma") == 0);
    }
    printf("libblpo %s with %s: mean return %.2f of %d after %lld steps\n", blpo_version(), build.blas,
           metrics.episode_return_mean, EPISODE, (long long)metrics.steps);
    return 0;
}
