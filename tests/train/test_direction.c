/* The vectors of the last minibatch: against the reference where its files have them, against the game for the rest. */
#include "support/check.h"
#include "support/play.h"
#include "support/training.h"

#include "rl/critic.h"
#include "rl/policy.h"
#include "train/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* As in test_vectors_minibatch.c. */
#ifdef BLPO__FLOAT64
static const double FIRST = 1e-9, SECOND = 1e-9;
#else
static const double FIRST = 1e-4, SECOND = 4e-4;
#endif

static const char *const NEEDED[] = { "critic_gradient", "response_gradient", "hessian_rows", "ihvp_nystrom", NULL };

/* One trajectory of a file as one update of one minibatch, the critic left where it is. */
typedef struct play {
    blpo_policy *policy;
    blpo_critic *critic;
    blpo_rollout *made;
    blpo_trainer *trainer;
    int64_t *index;
    test_real *vector[BLPO_DIRECTION_X];
} play;

static const int64_t FIRST_ENV = 0;

static void play_begin(play *p, const vec_file *file)
{
    blpo_config config = vec_config(file);
    blpo_env env;
    memset(p, 0, sizeof *p);
    blpo_env_init(&env, sizeof env);
    config.policy = p->policy = vec_policy(file, "actor");
    config.critic = p->critic = vec_critic(file, "critic");
    config.n_epochs = config.critic_steps = 1;
    config.critic_learning_rate = 0.0;
    config.n_steps = vec_need(file, "reward")->size;
    env.obs_dim = blpo_policy_obs_dim(p->policy);
    assert_status(blpo_policy_action_space(p->policy, &env.action), BLPO_OK);
    assert_status(blpo_trainer_create(&env, &config, NULL, &p->trainer), BLPO_OK);
    p->made = p->trainer->rollout;
    p->trainer->rollout = vec_rollout(file, "", 1, p->policy);
    p->index = calloc((size_t)config.nystrom_rank, sizeof *p->index);
    for (int64_t i = 0; i < config.nystrom_rank; i++)
        p->index[i] = (int64_t)vec_need(file, "indices")->value[i];
    p->trainer->plan.order = &FIRST_ENV;
    p->trainer->plan.indices = p->index;
}

static void play_update(play *p)
{
    assert_status(blpo_trainer_update(p->trainer, NULL), BLPO_OK);
    for (int which = BLPO_DIRECTION_DIRECT; which <= BLPO_DIRECTION_X; which++) {
        const int inner = which >= BLPO_DIRECTION_V;
        p->vector[which - 1] = guarded_new(inner ? p->critic->n_parameters : p->policy->n_parameters);
        assert_status(blpo_trainer_get_direction(p->trainer, which, p->vector[which - 1]), BLPO_OK);
    }
}

static void play_end(play *p)
{
    for (int i = 0; i < BLPO_DIRECTION_X; i++)
        guarded_free(p->vector[i]);
    blpo_rollout_destroy(p->trainer->rollout);
    p->trainer->rollout = p->made;
    blpo_trainer_destroy(p->trainer);
    blpo_critic_destroy(p->critic);
    blpo_policy_destroy(p->policy);
    free(p->index);
}

/* Neither depends on the returns, which the files draw and a trainer computes. */
static void check_direct_and_v(const vec_file *file)
{
    play p;
    int64_t n;
    play_begin(&p, file);
    play_update(&p);
    double *direct = vec_network_parameters(file, "direct", &n);
    assert_near(p.vector[BLPO_DIRECTION_DIRECT - 1], direct, n, FIRST, 1e-12);
    assert_near(p.vector[BLPO_DIRECTION_V - 1], vec_need(file, "response_gradient")->value, p.critic->n_parameters,
                FIRST, 0);
    if (p.critic->mlp.n_layers == 1) /* nor does the Hessian of a linear critic */
        assert_near(p.vector[BLPO_DIRECTION_X - 1], vec_need(file, "ihvp_nystrom")->value, p.critic->n_parameters,
                    SECOND, 0);
    free(direct);
    play_end(&p);
}

static void direct_and_v_match_the_reference(void **state)
{
    (void)state;
    vec_for_each(NEEDED, check_direct_and_v);
}

/* x solves, implicit is its mixed product, the hypergradient their difference. The game still holds the minibatch; it is
 * linearised again at the parameters of the file, where the update was. Equal bits: it is the same computation. */
static void check_the_others(const vec_file *file)
{
    play p;
    play_begin(&p, file);
    blpo__game *game = &p.trainer->game;
    const int64_t q = p.policy->n_parameters, np = p.critic->n_parameters;
    test_real *theta = guarded_copy(p.policy->parameters, q), *direct = guarded_new(q), *v = guarded_new(np);
    test_real *implicit = guarded_new(q), *total = guarded_new(q);
    play_update(&p);
    memcpy(game->theta, theta, (size_t)q * sizeof *theta);
    assert_status(blpo__game_linearise(game, direct, v), BLPO_OK);
    assert_status(blpo__game_mixed_product(game, p.vector[BLPO_DIRECTION_X - 1], implicit), BLPO_OK);
    assert_memory_equal(implicit, p.vector[BLPO_DIRECTION_IMPLICIT - 1], (size_t)q * sizeof *implicit);
    assert_status(blpo__game_linearise(game, direct, v), BLPO_OK);
    blpo_hypergrad_set_indices(p.trainer->solver, p.index, p.trainer->config.nystrom_rank);
    assert_status(blpo_hypergrad_compute(p.trainer->solver, direct, v, total, NULL), BLPO_OK);
    assert_memory_equal(total, p.vector[BLPO_DIRECTION_HYPERGRADIENT - 1], (size_t)q * sizeof *total);
    guarded_free(theta);
    guarded_free(direct);
    guarded_free(v);
    guarded_free(implicit);
    guarded_free(total);
    play_end(&p);
}

static void the_others_are_what_the_game_and_the_solver_give(void **state)
{
    (void)state;
    vec_for_each(NEEDED, check_the_others);
}

enum { MOST = 64 };

static void assert_state(const blpo_trainer *trainer, int which)
{
    test_real out[MOST];
    for (int i = 0; i < MOST; i++)
        out[i] = 42;
    assert_status(blpo_trainer_get_direction(trainer, which, out), BLPO_ERR_STATE);
    for (int i = 0; i < MOST; i++)
        assert_true(out[i] == 42);
}

static void there_are_none_before_an_update_or_after_a_load(void **state)
{
    (void)state;
    test_real out[MOST];
    script s = script_new(2, BLPO_AUTORESET_DISABLED);
    blpo_trainer *trainer = script_trainer(&s, NULL, NULL);
    assert_state(trainer, BLPO_DIRECTION_DIRECT);
    trainer_updates(trainer, 1);
    assert_status(blpo_trainer_get_direction(trainer, BLPO_DIRECTION_X, out), BLPO_OK);
    byte_buffer bytes = trainer_bytes(trainer);
    assert_status(blpo_trainer_load(trainer, bytes_read, &bytes), BLPO_OK);
    assert_state(trainer, BLPO_DIRECTION_X);
    bytes_free(&bytes);
    blpo_trainer_destroy(trainer);
}

static void without_a_solver_the_hypergradient_is_the_direct_term(void **state)
{
    (void)state;
    test_real direct[MOST] = { 0 }, total[MOST] = { 0 };
    script s = script_new(2, BLPO_AUTORESET_DISABLED);
    blpo_config config = script_config();
    config.hypergradient = 0;
    config.max_gradient_norm = 1e-6; /* told before this */
    blpo_trainer *trainer = script_trainer(&s, &config, NULL);
    trainer_updates(trainer, 1);
    assert_status(blpo_trainer_get_direction(trainer, BLPO_DIRECTION_DIRECT, direct), BLPO_OK);
    assert_status(blpo_trainer_get_direction(trainer, BLPO_DIRECTION_HYPERGRADIENT, total), BLPO_OK);
    assert_memory_equal(direct, total, sizeof direct);
    double sum = 0.0;
    for (int i = 0; i < MOST; i++)
        sum += (double)direct[i] * (double)direct[i];
    assert_true(sqrt(sum) > 1e-4);
    assert_state(trainer, BLPO_DIRECTION_IMPLICIT);
    assert_state(trainer, BLPO_DIRECTION_V);
    assert_state(trainer, BLPO_DIRECTION_X);
    blpo_trainer_destroy(trainer);
}

static void read_all(const blpo_trainer *trainer, test_real out[BLPO_DIRECTION_X][MOST])
{
    memset(out, 0, BLPO_DIRECTION_X * sizeof *out);
    for (int which = BLPO_DIRECTION_DIRECT; which <= BLPO_DIRECTION_X; which++)
        assert_status(blpo_trainer_get_direction(trainer, which, out[which - 1]), BLPO_OK);
}

static void an_update_that_fails_leaves_the_older_ones(void **state)
{
    (void)state;
    test_real before[BLPO_DIRECTION_X][MOST], after[BLPO_DIRECTION_X][MOST];
    script s = script_new(2, BLPO_AUTORESET_DISABLED);
    s.fault = SCRIPT_HUGE_REWARD;
    s.fault_env = 1;
    s.fault_step = 8 + 2;
    s.fault_times = 3;
    blpo_config config = script_config();
    config.gamma = config.gae_lambda = 1.0;
    blpo_trainer *trainer = script_trainer(&s, &config, NULL);
    trainer_updates(trainer, 1);
    read_all(trainer, before);
    assert_status(blpo_trainer_collect(trainer), BLPO_UPDATE_DUE);
    assert_status(blpo_trainer_update(trainer, NULL), BLPO_ERR_NONFINITE);
    read_all(trainer, after);
    assert_memory_equal(before, after, sizeof before);
    blpo_trainer_destroy(trainer);
}

/* With a target so small that the second minibatch stops the update, the vectors are those of the first: a trainer with one
 * minibatch in an update, the same to that point, has the same ones. */
static void a_minibatch_that_target_kl_stops_is_not_told_of(void **state)
{
    (void)state;
    test_real stopped[BLPO_DIRECTION_X][MOST], first[BLPO_DIRECTION_X][MOST];
    blpo_trainer *trainer[2];
    script s[2];
    for (int i = 0; i < 2; i++) {
        s[i] = script_new(1, BLPO_AUTORESET_DISABLED);
        blpo_config config = script_config();
        config.n_epochs = i == 0 ? 2 : 1;
        config.target_kl = i == 0 ? 1e-12 : 0.0;
        trainer[i] = script_trainer(&s[i], &config, NULL);
        trainer_updates(trainer[i], 1);
        read_all(trainer[i], i == 0 ? stopped : first);
    }
    assert_int_equal(trainer_metrics(trainer[0]).n_minibatches, 2); /* the one that stopped it is counted */
    assert_memory_equal(stopped, first, sizeof first);
    for (int i = 0; i < 2; i++)
        blpo_trainer_destroy(trainer[i]);
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    test_real out[MOST];
    script s = script_new(1, BLPO_AUTORESET_DISABLED);
    blpo_trainer *trainer = script_trainer(&s, NULL, NULL);
    trainer_updates(trainer, 1);
    assert_status(blpo_trainer_get_direction(NULL, BLPO_DIRECTION_DIRECT, out), BLPO_ERR_NULL);
    assert_status(blpo_trainer_get_direction(trainer, BLPO_DIRECTION_DIRECT, NULL), BLPO_ERR_NULL);
    static const int bad[4] = { 0, -1, BLPO_DIRECTION_X + 1, INT32_MAX };
    for (int i = 0; i < 4; i++)
        assert_status(blpo_trainer_get_direction(trainer, bad[i], out), BLPO_ERR_ARGUMENT);
    blpo_trainer_destroy(trainer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(direct_and_v_match_the_reference),
        cmocka_unit_test(the_others_are_what_the_game_and_the_solver_give),
        cmocka_unit_test(there_are_none_before_an_update_or_after_a_load),
        cmocka_unit_test(without_a_solver_the_hypergradient_is_the_direct_term),
        cmocka_unit_test(an_update_that_fails_leaves_the_older_ones),
        cmocka_unit_test(a_minibatch_that_target_kl_stops_is_not_told_of),
        cmocka_unit_test(bad_arguments_are_refused),
    };
    return cmocka_run_group_tests_name("directions of the last minibatch", tests, NULL, NULL);
}
