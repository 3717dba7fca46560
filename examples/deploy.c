/* Only inference: loads a policy that cartpole saved and lets it act. No trainer, no allocation after the load, and the
 * policy is const: any number of threads could use it.
 *
 *     cc deploy.c -o deploy $(pkg-config --cflags --libs blpo)
 *     ./cartpole --save pole.blpo && ./deploy pole.blpo [episodes] [first seed]
 */
#include "envs/cartpole.h"

#include <blpo/blpo.h>
#include <stdio.h>
#include <stdlib.h>

/* The whole file: policies are small, 40 KB for two layers of 64. NULL where it cannot be read. */
static void *read_file(const char *path, size_t *n)
{
    enum { MOST = 64 << 20 };
    FILE *f = fopen(path, "rb");
    void *bytes = f ? malloc(MOST) : NULL;
    *n = bytes ? fread(bytes, 1, MOST, f) : 0;
    if (f)
        fclose(f);
    return bytes;
}

static int fits_cartpole(const blpo_policy *policy)
{
    blpo_action_space action;
    return blpo_policy_action_space(policy, &action) == BLPO_OK && blpo_policy_obs_dim(policy) == CARTPOLE_OBS
        && action.kind == BLPO_ACTION_DISCRETE && action.n == CARTPOLE_ACTIONS;
}

/* One episode; adds its rewards to *sum. */
static int play(const blpo_policy *policy, uint64_t seed, double *sum)
{
    struct cartpole pole;
    cartpole_reset(&pole, seed);
    while (!cartpole_terminated(&pole) && !cartpole_truncated(&pole)) {
        float obs[CARTPOLE_OBS];
        int64_t action;
        cartpole_observe(&pole, obs);
        int rc = blpo_policy_act(policy, obs, 1, BLPO_DETERMINISTIC, NULL, &action);
        if (rc < 0)
            return rc;
        *sum += cartpole_step(&pole, action);
    }
    return BLPO_OK;
}

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 4) {
        fprintf(stderr, "usage: %s POLICY [episodes] [first seed]\n", argv[0]);
        return 2;
    }
    long episodes = argc > 2 ? strtol(argv[2], NULL, 10) : 100;
    uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1000;
    if (episodes < 1) {
        fprintf(stderr, "%s: at least one episode, please\n", argv[0]);
        return 2;
    }

    size_t n_bytes;
    void *bytes = read_file(argv[1], &n_bytes);
    if (!bytes) {
        perror(argv[1]);
        return 1;
    }
    blpo_error error = {0};
    blpo_runtime runtime;
    blpo_runtime_init(&runtime, sizeof runtime);
    runtime.error = &error;
    blpo_policy *policy = NULL;
    int rc = blpo_policy_load(bytes, n_bytes, &runtime, &policy);
    free(bytes);
    if (rc < 0 || !fits_cartpole(policy)) {
        fprintf(stderr, "%s: %s\n", argv[1], rc < 0 ? error.text : "not a policy for CartPole");
        blpo_policy_destroy(policy);
        return 1;
    }

    double sum = 0;
    for (long i = 0; i < episodes && rc >= 0; i++)
        rc = play(policy, seed + (uint64_t)i, &sum);
    if (rc < 0)
        fprintf(stderr, "%s\n", blpo_status_text(rc));
    else
        printf("episodes=%ld mean_return=%.2f\n", episodes, sum / (double)episodes);
    blpo_policy_destroy(policy);
    return rc < 0;
}
