#include "walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t draw(uint64_t *state, const double probability[], int64_t n)
{
    double point = study_uniform(state);
    for (int64_t i = 0; i < n - 1; i++) {
        point -= probability[i];
        if (point < 0.0)
            return i;
    }
    return n - 1;
}

static void observe(const walk *w, study_real *obs)
{
    for (int64_t s = 0; s < STATES; s++)
        obs[s] = (study_real)(s == w->at);
}

static int step(void *user, blpo_step *io)
{
    walk *w = user;
    const int64_t action = io->discrete_action[0];
    io->reward[0] = (study_real)w->process->reward[w->at * ACTIONS + action];
    w->at = draw(&w->state, w->process->transition[w->at][action], STATES);
    io->truncated[0] = study_uniform(&w->state) < w->cut;
    observe(w, io->obs);
    return 0;
}

static int reset(void *user, blpo_reset *io)
{
    walk *w = user;
    w->at = draw(&w->state, w->process->start, STATES);
    observe(w, io->obs);
    return 0;
}

void walk_env(walk *w, const garnet *process, double cut, uint64_t seed, blpo_env *out)
{
    *w = (walk){process, cut, seed, 0};
    blpo_env_init(out, sizeof *out);
    out->user = w;
    out->obs_dim = STATES;
    out->action.kind = BLPO_ACTION_DISCRETE;
    out->action.n = ACTIONS;
    out->step = step;
    out->reset = reset;
}

static void must(int rc, const char *what)
{
    if (rc == BLPO_OK)
        return;
    fprintf(stderr, "%s: %s\n", what, blpo_status_text(rc));
    exit(1);
}

blpo_policy *walk_policy(const double theta[THETA])
{
    blpo_policy_config config;
    blpo_policy *out = NULL;
    study_real parameters[THETA + ACTIONS] = {0};
    blpo_policy_config_init(&config, sizeof config);
    config.obs_dim = STATES;
    config.action.kind = BLPO_ACTION_DISCRETE;
    config.action.n = ACTIONS;
    config.network.hidden = NULL;
    config.network.n_hidden = 0;
    must(blpo_policy_create(&config, NULL, &out), "blpo_policy_create");
    for (int s = 0; s < STATES; s++)
        for (int a = 0; a < ACTIONS; a++)
            parameters[a * STATES + s] = (study_real)theta[s * ACTIONS + a];
    must(blpo_policy_set_parameters(out, parameters, THETA + ACTIONS), "blpo_policy_set_parameters");
    return out;
}

void walk_theta(const study_real *parameters, double theta[THETA])
{
    for (int s = 0; s < STATES; s++)
        for (int a = 0; a < ACTIONS; a++)
            theta[s * ACTIONS + a] = (double)parameters[a * STATES + s];
}

/* phi(s) of the state that an observation marks */
static int features(void *user, const study_real *obs, int64_t count, study_real *phi)
{
    const game *g = user;
    for (int64_t row = 0; row < count; row++)
        for (int64_t s = 0; s < STATES; s++)
            for (int64_t i = 0; i < g->m && obs[row * STATES + s] != 0; i++)
                phi[row * g->m + i] = (study_real)g->feature[s * g->m + i];
    return 0;
}

blpo_critic *walk_critic(game *g)
{
    blpo_critic_config config;
    blpo_critic *out = NULL;
    study_real parameters[STATES];
    blpo_critic_config_init(&config, sizeof config);
    config.obs_dim = STATES;
    config.n_features = g->m;
    config.features = features;
    config.features_user = g;
    must(blpo_critic_create(&config, NULL, &out), "blpo_critic_create");
    for (int64_t i = 0; i < g->m; i++)
        parameters[i] = (study_real)g->w[i];
    must(blpo_critic_set_parameters(out, parameters, g->m), "blpo_critic_set_parameters");
    return out;
}
