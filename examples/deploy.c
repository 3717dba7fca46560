/* Only inference: loads a policy that cartpole saved and lets it act. No trainer, no allocation after the load, and the
 * policy is const: any number of threads could use it.
 *
 *     cc deploy.c -o deploy $(pkg-config --cflags --libs blpo)
 *     ./cartpole --save pole.blpo && ./deploy pole.blpo [episodes] [first seed]
 */
#include "envs/cartpole.h"

#include <blpo/blpo.h>
#include <errno.h>
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

/* The policy in a file, or NULL with an explanation. */
static blpo_policy *load(const char *path)
{
    size_t n_bytes;
    void *bytes = read_file(path, &n_bytes);
    if (!bytes) {
        perror(path);
        return NULL;
    }
    blpo_error error = {0};
    blpo_runtime runtime;
    blpo_runtime_init(&runtime, sizeof runtime);
    runtime.error = &error;
    blpo_policy *policy = NULL;
    int rc = blpo_policy_load(bytes, n_bytes, &runtime, &policy);
    free(bytes);
    if (rc == BLPO_OK && fits_cartpole(policy))
        return policy;
    fprintf(stderr, "%s: %s\n", path, rc < 0 ? error.text : "not a policy for CartPole");
    blpo_policy_destroy(policy);
    return NULL;
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

/* Many episodes. Returns the exit status. */
static int play_all(const blpo_policy *policy, long episodes, uint64_t seed)
{
    double sum = 0;
    int rc = BLPO_OK;
    for (long i = 0; i < episodes && rc >= 0; i++)
        rc = play(policy, seed + (uint64_t)i, &sum);
    if (rc < 0) {
        fprintf(stderr, "%s\n", blpo_status_text(rc));
        return 1;
    }
    printf("episodes=%ld mean_return=%.2f\n", episodes, sum / (double)episodes);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    perror("stdout");
    return 1;
}

/* A decimal number of at most `most` and nothing after it; without a text what is there stays. */
static int parse(const char *text, unsigned long long most, unsigned long long *out)
{
    char *end;
    if (!text)
        return 1;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && *out <= most;
}

int main(int argc, char **argv)
{
    unsigned long long episodes = 100, seed = 1000;
    if (argc < 2 || argc > 4 || !parse(argv[2], 1000000000, &episodes) || episodes < 1
        || (argc > 3 && !parse(argv[3], UINT64_MAX, &seed))) {
        fprintf(stderr, "usage: %s POLICY [episodes, at least 1] [first seed]\n", argv[0]);
        return 2;
    }
    blpo_policy *policy = load(argv[1]);
    int status = policy ? play_all(policy, (long)episodes, seed) : 1;
    blpo_policy_destroy(policy);
    return status;
}
