/* Updates: all or nothing; metrics against cases worked by hand; the options that are off by default. */
#include "support/check.h"
#include "support/training.h"

#include "train/trainer.h"

#include <math.h>
#include <string.h>

enum { ENVS = 2 };

static script make(void)
{
    script s = script_new(ENVS, BLPO_AUTORESET_DISABLED);
    s.reacts = 1;
    return s;
}

/* Three rewards of half the largest number in one episode (steps 9 .. 11 are the third of environment 1): their sum, the
 * return, has no number. Rewards themselves are finite, so the rollout takes them; the update must refuse, and leave every
 * byte. */
static void an_update_that_would_overflow_changes_no_byte(void **state)
{
    (void)state;
    for (int32_t method = BLPO_METHOD_BLPO; method <= BLPO_METHOD_PPO; method++) {
        script s = make();
        s.fault = SCRIPT_HUGE_REWARD;
        s.fault_env = 1;
        s.fault_step = 8 + 2; /* looked at after the step: in its tenth */
        s.fault_times = 3;
        blpo_config config = script_config();
        config.gamma = config.gae_lambda = 1.0;
        assert_status(blpo_config_set_method(&config, method), BLPO_OK);
        blpo_trainer *trainer = script_trainer(&s, &config, NULL);
        trainer_updates(trainer, 1);
        assert_status(blpo_trainer_collect(trainer), BLPO_UPDATE_DUE);
        byte_buffer before = trainer_bytes(trainer);
        for (int i = 0; i < 2; i++) {
            blpo_metrics metrics = { .struct_size = sizeof metrics };
            assert_status(blpo_trainer_update(trainer, &metrics), BLPO_ERR_NONFINITE);
            assert_trainer_is(trainer, &before);
        }
        const blpo_error *error = blpo_trainer_error(trainer);
        assert_error_at(error, BLPO_ERR_NONFINITE, 1, 1, -1); /* the first step of the episode: its return is all three */
        assert_int_equal(error->stage, BLPO_STAGE_CRITIC);
        assert_string_equal(error->text, "env 1, step 1: return is infinity");
        bytes_free(&before);
        blpo_trainer_destroy(trainer);
    }
}

/* The same rollout would fail for ever. Without it the run goes on from where the environments are: nobody resets them, no
 * parameter has moved, and the next update tells only of episodes that ended after. */
static void a_rollout_that_cannot_be_learned_from_can_be_dropped(void **state)
{
    (void)state;
    script s = make();
    s.fault = SCRIPT_HUGE_REWARD;
    s.fault_env = 1;
    s.fault_step = 8 + 2;
    s.fault_times = 3;
    blpo_config config = script_config();
    config.gamma = config.gae_lambda = 1.0;
    blpo_trainer *trainer = script_trainer(&s, &config, NULL);
    trainer_updates(trainer, 1);
    test_real before[512], after[512];
    const int64_t n = trainer_parameters(trainer, before, 512);
    assert_status(blpo_trainer_run(trainer, 1, NULL, NULL), BLPO_ERR_NONFINITE);
    assert_status(blpo_trainer_run(trainer, 1, NULL, NULL), BLPO_ERR_NONFINITE);
    const int64_t resets = s.reset_calls;
    assert_status(blpo_trainer_drop_rollout(trainer), BLPO_OK);
    assert_status(blpo_trainer_update(trainer, NULL), BLPO_ERR_STATE);
    assert_int_equal(blpo_rollout_length(blpo_trainer_rollout(trainer)), 0);
    assert_int_equal(trainer_metrics(trainer).n_dropped, 8 * ENVS);
    trainer_parameters(trainer, after, 512);
    assert_memory_equal(before, after, (size_t)n * sizeof *before);
    assert_int_equal(s.reset_calls, resets);

    trainer_updates(trainer, 1);
    const blpo_metrics m = trainer_metrics(trainer);
    assert_true(m.n_updates == 2 && m.steps == 3 * 8 * ENVS && m.n_dropped == 8 * ENVS && s.violations == 0);
    int64_t ended = 0;
    for (int64_t e = 0; e < ENVS; e++) /* those that ended in steps 17 .. 24 */
        for (int64_t k = 0, end = 0; end <= 24; k++) {
            end += script_length(e, k);
            ended += end > 16 && end <= 24;
        }
    assert_int_equal(m.update_episodes, ended);
    trainer_parameters(trainer, after, 512);
    assert_memory_not_equal(before, after, (size_t)n * sizeof *before);
    blpo_trainer_destroy(trainer);
}

#ifndef BLPO__FLOAT64 /* in double such a reward_scale is out of its range */
/* Rewards near 1000 sqrt(largest number): returns and gradients have numbers, the squares that Adam averages have none. An
 * optimiser with an infinity in it would hold its parameters for ever, and could not be loaded again. */
static void an_update_whose_moments_overflow_changes_no_byte(void **state)
{
    (void)state;
    script s = make();
    blpo_config config = script_config();
    config.reward_scale = 1e3 * sqrt((double)TEST_REAL_MAX);
    blpo_trainer *trainer = script_trainer(&s, &config, NULL);
    assert_status(blpo_trainer_collect(trainer), BLPO_UPDATE_DUE);
    byte_buffer before = trainer_bytes(trainer);
    assert_status(blpo_trainer_update(trainer, NULL), BLPO_ERR_NONFINITE);
    assert_trainer_is(trainer, &before);
    const blpo_error *error = blpo_trainer_error(trainer);
    assert_error_names(error, BLPO_ERR_NONFINITE, "mean of squares");
    assert_true(error->step == -1 && error->element >= 0 && strstr(error->text, "is infinity") != NULL);
    bytes_free(&before);
    blpo_trainer_destroy(trainer);
}
#endif

/* Environment 0 ends episodes of 3 and 4 steps in 8, environment 1 one of 4 (its second, of 5, goes on). Without reactions
 * the returns are sums of 1/2 + t/4: 3 steps 2.25, 4 steps 3.5. Means: (2.25 + 3.5 + 3.5) / 3 and (3 + 4 + 4) / 3. */
static void episode_statistics_are_the_hand_values(void **state)
{
    (void)state;
    for (int32_t mode = BLPO_AUTORESET_DISABLED; mode <= BLPO_AUTORESET_SAME_STEP; mode++) {
        script s = script_new(ENVS, mode);
        blpo_config config = script_config();
        config.reward_scale = 0.125; /* not in the statistics */
        blpo_trainer *trainer = script_trainer(&s, &config, NULL);
        trainer_updates(trainer, 1);
        const blpo_metrics m = trainer_metrics(trainer);
        assert_int_equal(m.steps, 16);
        assert_int_equal(m.n_updates, 1);
        assert_int_equal(m.n_episodes, 3);
        assert_int_equal(m.update_episodes, 3);
        assert_int_equal(m.window_episodes, 3);
        assert_close(m.update_return_mean, 9.25 / 3.0, 1e-12, 0.0);
        assert_close(m.episode_return_mean, 9.25 / 3.0, 1e-12, 0.0);
        assert_close(m.episode_length_mean, 11.0 / 3.0, 1e-12, 0.0);
        assert_true(m.n_void_episodes == 0 && m.n_dropped == 0);
        blpo_trainer_destroy(trainer);
    }
}

/* An affine critic V(s) = slope * 8 s_1 + offset: in the scripted environment s_1 is t/8, so V = slope * t + offset. */
static blpo_critic *critic_of_time(double slope, double offset)
{
    blpo_critic_config config;
    blpo_critic *critic = NULL;
    const test_real w[SCRIPT_OBS + 1] = { 0, (test_real)(8.0 * slope), (test_real)offset };
    assert_status(blpo_critic_config_init(&config, sizeof config), BLPO_OK);
    config.obs_dim = SCRIPT_OBS;
    config.network.n_hidden = 0;
    assert_status(blpo_critic_create(&config, NULL, &critic), BLPO_OK);
    assert_status(blpo_critic_set_parameters(critic, w, SCRIPT_OBS + 1), BLPO_OK);
    return critic;
}

static double explained_variance(int32_t mode, int64_t n_envs, int64_t n_steps, double slope, double offset, double gamma)
{
    script s = script_new(n_envs, mode);
    blpo_config config = script_config();
    blpo_critic *critic = critic_of_time(slope, offset);
    config.critic = critic;
    config.hypergradient = 0; /* 3 parameters are fewer than the rank */
    config.n_steps = n_steps;
    config.gamma = gamma;
    config.gae_lambda = 0.5;
    blpo_trainer *trainer = script_trainer(&s, &config, NULL);
    trainer_updates(trainer, 1);
    const double value = trainer_metrics(trainer).explained_variance;
    blpo_trainer_destroy(trainer);
    blpo_critic_destroy(critic);
    return value;
}

/* gamma = 0: R_t is the reward, 1/2 + t/4. With V = slope t + offset the error is 1/2 - offset + (1/4 - slope) t, its variance that of
 * R times (1 - 4 slope)^2, whatever the offset. Where all returns are equal (first steps only) there is nothing to explain: 0. */
static void explained_variance_of_immediate_rewards_is_the_hand_value(void **state)
{
    (void)state;
    const double eps = 1e-14;
    assert_close(explained_variance(BLPO_AUTORESET_DISABLED, 2, 8, 0.25, 7.0, 0.0), 1.0, 0.0, eps);
    assert_close(explained_variance(BLPO_AUTORESET_DISABLED, 2, 8, 0.125, -2.0, 0.0), 0.75, 0.0, eps);
    assert_close(explained_variance(BLPO_AUTORESET_DISABLED, 2, 8, 0.0, 3.0, 0.0), 0.0, 0.0, eps);
    assert_close(explained_variance(BLPO_AUTORESET_SAME_STEP, 2, 8, -0.25, 0.0, 0.0), -3.0, 0.0, eps);
    assert_close(explained_variance(BLPO_AUTORESET_DISABLED, 2, 1, 0.25, 7.0, 0.0), 0.0, 0.0, 0.0);
}

/* gamma = lambda = 1/2, V = t, one episode of 3 steps that terminates; rewards 1/2, 3/4, 1. By hand:
 *   delta = 1/2 + 1/2 - 0, 3/4 + 1 - 1, 1 - 2 = 1, 3/4, -1;  A = 9/8, 1/2, -1;  R = A + V = 9/8, 3/2, 1.
 * Sums of squares about the mean: R 13/96, A 229/96. Explained: 1 - 229/13 = -216/13. In NEXT_STEP the fourth step is a reset, which
 * has no part in it. All numbers are exact in binary but the means; some 20 operations on numbers below 3, amplified by 229/13. */
static void explained_variance_of_an_episode_is_the_hand_value(void **state)
{
    (void)state;
    assert_close(explained_variance(BLPO_AUTORESET_DISABLED, 1, 3, 1.0, 0.0, 0.5), -216.0 / 13.0, 1e-13, 0.0);
    assert_close(explained_variance(BLPO_AUTORESET_NEXT_STEP, 1, 4, 1.0, 0.0, 0.5), -216.0 / 13.0, 1e-13, 0.0);
}

/* NEXT_STEP: the reset rows are no steps of an episode. Environment 0: 3, reset, 4 = 8 steps; environment 1: 4, reset, 3 of
 * 5. Two episodes of environment 0 and one of environment 1, as above. */
static void reset_rows_are_in_no_statistic(void **state)
{
    (void)state;
    script s = script_new(ENVS, BLPO_AUTORESET_NEXT_STEP);
    blpo_trainer *trainer = script_trainer(&s, NULL, NULL);
    trainer_updates(trainer, 1);
    const blpo_metrics m = trainer_metrics(trainer);
    assert_int_equal(m.n_episodes, 3);
    assert_close(m.episode_return_mean, 9.25 / 3.0, 1e-12, 0.0);
    assert_close(m.episode_length_mean, 11.0 / 3.0, 1e-12, 0.0);
    blpo_trainer_destroy(trainer);
}

/* A window of 2: the last two episodes that ended. In steps 0 .. 15 environment 0 ends its episodes (3, 4, 5, 3) after
 * steps 3, 7, 12, 15, environment 1 its (4, 5, 3, 4) after 4, 9, 12, 16. The last two: 3 (at 15) and 4 (at 16). */
static void the_window_holds_the_last_episodes(void **state)
{
    (void)state;
    script s = script_new(ENVS, BLPO_AUTORESET_DISABLED);
    blpo_config config = script_config();
    config.stats_window = 2;
    blpo_trainer *trainer = script_trainer(&s, &config, NULL);
    trainer_updates(trainer, 2);
    const blpo_metrics m = trainer_metrics(trainer);
    assert_int_equal(m.n_episodes, 8);
    assert_int_equal(m.update_episodes, 5);
    assert_int_equal(m.window_episodes, 2);
    assert_close(m.episode_length_mean, 3.5, 1e-12, 0.0);
    assert_close(m.episode_return_mean, (2.25 + 3.5) / 2.0, 1e-12, 0.0);
    blpo_trainer_destroy(trainer);
}

/* A void episode is in no mean: environment 0 fails in its step 5, in its episode of 4. Left: 3 (environment 0) and 4. */
static void void_episodes_are_in_no_mean(void **state)
{
    (void)state;
    script s = script_new(ENVS, BLPO_AUTORESET_DISABLED);
    s.fault = SCRIPT_ROW_FAILS;
    s.fault_step = 5;
    s.fault_times = 1;
    blpo_trainer *trainer = script_trainer(&s, NULL, NULL);
    trainer_updates(trainer, 1);
    const blpo_metrics m = trainer_metrics(trainer);
    assert_true(m.n_episodes == 2 && m.n_void_episodes == 1);
    assert_close(m.episode_return_mean, (2.25 + 3.5) / 2.0, 1e-12, 0.0);
    assert_close(m.episode_length_mean, 3.5, 1e-12, 0.0);
    blpo_trainer_destroy(trainer);
}

/* 2 epochs x 2 trajectories = 4 minibatches, of k = 5 rows each; with the residual measured, one product more each. */
static void counts_of_an_update_are_those_of_its_settings(void **state)
{
    (void)state;
    for (int diagnostics = 0; diagnostics <= 1; diagnostics++) {
        script s = make();
        blpo_config config = script_config();
        config.diagnostics_interval = diagnostics;
        blpo_trainer *trainer = script_trainer(&s, &config, NULL);
        trainer_updates(trainer, 1);
        const blpo_metrics m = trainer_metrics(trainer);
        assert_int_equal(m.n_minibatches, 4);
        assert_int_equal(m.n_skipped, 0);
        assert_int_equal(m.n_products, 4 * (5 + diagnostics));
        assert_int_equal(m.diagnostics_measured, diagnostics);
        assert_true(diagnostics ? m.relative_residual > 0.0 && m.critic_gradient_norm > 0.0
                                : m.relative_residual == 0.0 && m.critic_gradient_norm == 0.0);
        assert_true(m.direct_norm > 0.0 && m.implicit_norm > 0.0 && m.hypergradient_norm > 0.0);
        assert_true(fabs(m.cosine) <= 1.0 && m.entropy > 0.0 && m.entropy <= log(2.0) + 1e-6);
        assert_true(m.condition_estimate >= 1.0 && m.critic_loss < m.critic_loss_before);
        assert_true(m.clip_fraction >= 0.0 && m.clip_fraction <= 1.0 && m.approx_kl >= 0.0);
        assert_true(m.seconds >= 0.0 && m.actor_learning_rate == 1e-2 && m.critic_learning_rate == 1e-2);
        blpo_trainer_destroy(trainer);
    }
}

/* 4 minibatches of 6 terms: 5 products each, and 6 more where the scale has to be estimated. */
static void a_scale_of_neumann_reaches_the_solver(void **state)
{
    (void)state;
    for (int given = 0; given <= 1; given++) {
        script s = make();
        blpo_config config = script_config();
        config.ihvp_method = BLPO_IHVP_NEUMANN;
        config.neumann_terms = 6;
        config.neumann_scale = given ? 1e-2 : 0.0;
        blpo_trainer *trainer = script_trainer(&s, &config, NULL);
        trainer_updates(trainer, 1);
        assert_int_equal(trainer_metrics(trainer).n_products, 4 * (given ? 5 : 5 + 6));
        blpo_trainer_destroy(trainer);
    }
}

/* The published settings without the hypergradient: everything about it is 0. */
static void without_a_hypergradient_its_metrics_are_zero(void **state)
{
    (void)state;
    script s = make();
    blpo_config config = script_config();
    assert_status(blpo_config_set_method(&config, BLPO_METHOD_PPO), BLPO_OK);
    blpo_trainer *trainer = script_trainer(&s, &config, NULL);
    trainer_updates(trainer, 1);
    const blpo_metrics m = trainer_metrics(trainer);
    assert_true(m.implicit_norm == 0.0 && m.cosine == 0.0 && m.n_products == 0 && m.relative_residual == 0.0);
    assert_true(m.kappa_bound_share == 0.0 && m.indefinite_share == 0.0 && m.fallback_share == 0.0);
    assert_close(m.hypergradient_norm, m.direct_norm, 8.0 * TEST_EPSILON, 0.0);
    blpo_trainer_destroy(trainer);
}

/* One epoch, one minibatch: nothing has moved before the only actor step, so every ratio is 1 to rounding: no clip, KL of
 * the order of eps^2, and J = -mean A. R - V of GAE is A, so g = mean A^2. */
static void the_first_minibatch_sees_the_policy_that_acted(void **state)
{
    (void)state;
    script s = script_new(1, BLPO_AUTORESET_DISABLED);
    s.reacts = 1;
    blpo_config config = script_config();
    config.n_epochs = 1;
    config.critic_learning_rate = 0.0; /* so that A is that of the critic that collected */
    blpo_trainer *trainer = script_trainer(&s, &config, NULL);
    assert_status(blpo_trainer_collect(trainer), BLPO_UPDATE_DUE);
    test_real a[8];
    assert_status(blpo_rollout_advantages(blpo_trainer_rollout(trainer), blpo_trainer_critic(trainer), config.gamma,
                                          config.gae_lambda, a, NULL),
                  BLPO_OK);
    double mean = 0.0, square = 0.0, size = 0.0;
    for (int i = 0; i < 8; i++) {
        mean += (double)a[i] / 8.0;
        square += (double)a[i] * (double)a[i] / 8.0;
        size += fabs((double)a[i]) / 8.0;
    }
    blpo_metrics m = { .struct_size = sizeof m };
    assert_status(blpo_trainer_update(trainer, &m), BLPO_OK);
    assert_close(m.actor_loss, -mean, 0.0, 64.0 * TEST_EPSILON * size);
    assert_close(m.critic_loss_before, square, 64.0 * TEST_EPSILON, 0.0);
    assert_close(m.critic_loss, square, 64.0 * TEST_EPSILON, 0.0);
    assert_true(m.clip_fraction == 0.0 && m.approx_kl <= 64.0 * TEST_EPSILON);
    blpo_trainer_destroy(trainer);
}

/* What an update worked on is what the next one begins with: steps are counted on, and the averages are those of the end. */
static void optimisers_go_on_from_update_to_update(void **state)
{
    (void)state;
    script s = make();
    blpo_config config = script_config();
    config.critic_steps = 2;
    blpo_trainer *trainer = script_trainer(&s, &config, NULL);
    for (int64_t n = 1; n <= 3; n++) {
        trainer_updates(trainer, 1);
        /* 2 epochs x 2 trajectories an update, K critic steps each */
        assert_int_equal(trainer->actor_adam.t, n * 2 * ENVS);
        assert_int_equal(trainer->critic_adam.t, n * 2 * ENVS * 2);
        const size_t size = (size_t)trainer->critic_adam.n * sizeof *trainer->critic_adam.m;
        assert_memory_equal(trainer->critic_adam.m, trainer->critic_adam_work.m, size);
        assert_memory_equal(trainer->critic_adam.v, trainer->critic_adam_work.v, size);
    }
    blpo_trainer_destroy(trainer);
}

static void learning_rates_of_zero_change_no_parameter(void **state)
{
    (void)state;
    script s = make();
    blpo_config config = script_config();
    config.actor_learning_rate = config.critic_learning_rate = 0.0;
    blpo_trainer *trainer = script_trainer(&s, &config, NULL);
    test_real before[512], after[512];
    const int64_t n = trainer_parameters(trainer, before, 512);
    trainer_updates(trainer, 2);
    trainer_parameters(trainer, after, 512);
    assert_memory_equal(before, after, (size_t)n * sizeof *before);
    blpo_trainer_destroy(trainer);
}

/* Over 64 steps, 16 an update: the rates fall from update to update in the proportion of the settings, and are 0 after. */
static void annealing_brings_both_rates_to_zero(void **state)
{
    (void)state;
    script s = make();
    blpo_config config = script_config();
    config.anneal_steps = 64;
    config.critic_learning_rate = 2e-2;
    blpo_trainer *trainer = script_trainer(&s, &config, NULL);
    double last = 1.0;
    for (int i = 0; i < 6; i++) {
        trainer_updates(trainer, 1);
        const blpo_metrics m = trainer_metrics(trainer);
        assert_true(m.actor_learning_rate <= 1e-2 && m.actor_learning_rate >= 0.0);
        assert_true(m.actor_learning_rate < last || (i >= 4 && m.actor_learning_rate == 0.0));
        assert_close(m.critic_learning_rate, 2.0 * m.actor_learning_rate, 1e-12, 0.0);
        last = m.actor_learning_rate;
    }
    assert_true(last == 0.0);
    blpo_trainer_destroy(trainer);
}

/* A bound that the second minibatch must pass: with a rate of 1 the policy is far off after one step. */
static void target_kl_skips_the_rest_of_an_update(void **state)
{
    (void)state;
    script s = make();
    blpo_config config = script_config();
    config.actor_learning_rate = 1.0;
    config.target_kl = 1e-6;
    blpo_trainer *trainer = script_trainer(&s, &config, NULL);
    trainer_updates(trainer, 1);
    const blpo_metrics m = trainer_metrics(trainer);
    assert_true(m.n_skipped > 0 && m.n_minibatches >= 1);
    assert_int_equal(m.n_minibatches + m.n_skipped, 4);
    blpo_trainer_destroy(trainer);
}

/* The same bound, in the second of four minibatches: it is used, but moves no actor. The one actor step that was made is
 * along `total`, and the norms of the update are those of this one vector, with a solver and without. */
static void a_minibatch_that_target_kl_stopped_is_in_no_norm(void **state)
{
    (void)state;
    for (int hypergradient = 0; hypergradient <= 1; hypergradient++) {
        script s = make();
        blpo_config config = script_config();
        config.actor_learning_rate = 1.0;
        config.target_kl = 1e-6;
        config.hypergradient = hypergradient;
        blpo_trainer *trainer = script_trainer(&s, &config, NULL);
        trainer_updates(trainer, 1);
        const blpo_metrics m = trainer_metrics(trainer);
        assert_true(m.n_minibatches == 2 && m.n_skipped == 2 && trainer->actor_adam.t == 1);
        double square = 0.0;
        for (int64_t i = 0; i < trainer->policy->n_parameters; i++)
            square += (double)trainer->total[i] * (double)trainer->total[i];
        assert_close(m.hypergradient_norm, sqrt(square), 1e-6, 0.0);
        if (!hypergradient)
            assert_close(m.direct_norm, m.hypergradient_norm, 1e-12, 0.0);
        blpo_trainer_destroy(trainer);
    }
}

/* Each option changes the parameters that come out: none is read and forgotten. */
static void every_option_has_an_effect(void **state)
{
    (void)state;
    test_real plain[512], other[512];
    for (int option = -1; option < 12; option++) {
        script s = make();
        blpo_config c = script_config();
        switch (option) {
        case 0: c.gamma = 0.5; break;
        case 1: c.gae_lambda = 0.5; break;
        case 2: c.critic_steps = 1; break;
        case 3: c.hypergradient = 0; break;
        case 4: c.nystrom_rho = 5.0; break;
        case 5: c.normalize_advantages = 1; break;
        case 6: c.entropy_coefficient = 0.5; break;
        case 7: c.max_gradient_norm = 1e-6; break;
        case 8: c.reward_scale = 0.1; break;
        case 9: c.trajectories_per_minibatch = 2; break;
        case 10: c.adam_epsilon = 0.1; break;
        case 11: c.ihvp_method = BLPO_IHVP_NONE; break;
        default: break;
        }
        blpo_trainer *trainer = script_trainer(&s, &c, NULL);
        trainer_updates(trainer, 2);
        const int64_t n = trainer_parameters(trainer, option < 0 ? plain : other, 512);
        if (option >= 0)
            assert_memory_not_equal(plain, other, (size_t)n * sizeof *plain);
        blpo_trainer_destroy(trainer);
    }
}

/* Every method of the table trains and leaves finite parameters. */
static void every_ihvp_method_trains(void **state)
{
    (void)state;
    for (int method = BLPO_IHVP_NONE; method <= BLPO_IHVP_GAUSS_NEWTON; method++)
        for (int variant = 0; variant <= 3; variant++) {
            script s = make();
            s.continuous = variant % 2;
            blpo_config config = script_config();
            config.ihvp_method = method;
            config.ihvp_curvature = variant / 2;
            config.nystrom_draw = variant / 2;
            config.nystrom_space_efficient = variant / 2;
            config.spectrum_iterations = 3;
            config.diagnostics_interval = 1;
            blpo_trainer *trainer = script_trainer(&s, &config, NULL);
            trainer_updates(trainer, 5);
            test_real x[512];
            const int64_t n = trainer_parameters(trainer, x, 512);
            for (int64_t i = 0; i < n; i++)
                assert_true(isfinite(x[i]) != 0);
            assert_true(trainer_metrics(trainer).relative_residual >= 0.0);
            blpo_trainer_destroy(trainer);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_update_that_would_overflow_changes_no_byte),
        cmocka_unit_test(a_rollout_that_cannot_be_learned_from_can_be_dropped),
#ifndef BLPO__FLOAT64
        cmocka_unit_test(an_update_whose_moments_overflow_changes_no_byte),
#endif
        cmocka_unit_test(episode_statistics_are_the_hand_values),
        cmocka_unit_test(explained_variance_of_immediate_rewards_is_the_hand_value),
        cmocka_unit_test(explained_variance_of_an_episode_is_the_hand_value),
        cmocka_unit_test(reset_rows_are_in_no_statistic),
        cmocka_unit_test(the_window_holds_the_last_episodes),
        cmocka_unit_test(void_episodes_are_in_no_mean),
        cmocka_unit_test(counts_of_an_update_are_those_of_its_settings),
        cmocka_unit_test(a_scale_of_neumann_reaches_the_solver),
        cmocka_unit_test(without_a_hypergradient_its_metrics_are_zero),
        cmocka_unit_test(the_first_minibatch_sees_the_policy_that_acted),
        cmocka_unit_test(optimisers_go_on_from_update_to_update),
        cmocka_unit_test(learning_rates_of_zero_change_no_parameter),
        cmocka_unit_test(annealing_brings_both_rates_to_zero),
        cmocka_unit_test(target_kl_skips_the_rest_of_an_update),
        cmocka_unit_test(a_minibatch_that_target_kl_stopped_is_in_no_norm),
        cmocka_unit_test(every_option_has_an_effect),
        cmocka_unit_test(every_ihvp_method_trains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
