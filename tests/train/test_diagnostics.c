/* The costly diagnostics: what they say, and that they change nothing. */
#include "support/check.h"
#include "support/training.h"

#include "rl/critic.h"
#include "train/trainer.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

/* One environment, one epoch: an update is one minibatch, and its figures are those of the metrics. */
static blpo_config one_minibatch(void)
{
    blpo_config config = script_config();
    config.n_epochs = 1;
    config.n_steps = 24;
    config.diagnostics_interval = 1;
    return config;
}

static blpo_metrics metrics_of(const blpo_config *config, int64_t updates)
{
    script s = script_new(1, BLPO_AUTORESET_DISABLED);
    blpo_trainer *trainer = script_trainer(&s, config, NULL);
    trainer_updates(trainer, updates);
    const blpo_metrics m = trainer_metrics(trainer);
    blpo_trainer_destroy(trainer);
    return m;
}

/* The same w before and the same minibatch: what nested steps leave is their loss less that of the exact response. Losses of
 * size 10 with roundings of some eps each. */
static void the_gap_of_a_linear_critic_is_the_difference_to_the_exact_response(void **state)
{
    (void)state;
    blpo_config config = one_minibatch();
    config.critic_network.n_hidden = 0;
    config.nystrom_rank = 3;
    const blpo_metrics nested = metrics_of(&config, 1);
    config.critic_response = BLPO_RESPONSE_EXACT;
    const blpo_metrics exact = metrics_of(&config, 1);
    assert_close(nested.critic_loss_before, exact.critic_loss_before, 1e-12, 0);
    assert_true(nested.best_response_gap > 0.1);
    assert_close(nested.best_response_gap, nested.critic_loss - exact.critic_loss, 0, 1000 * TEST_EPSILON);
    assert_true(exact.best_response_gap <= 1000 * TEST_EPSILON * TEST_EPSILON);
    assert_true(nested.best_response_rank == 3.0 && exact.best_response_rank == 3.0); /* two observations and a bias */
}

/* Without gap_steps the gap of a linear critic is there all the same, that of a network is not. */
static void without_steps_only_linear_critics_have_a_gap(void **state)
{
    (void)state;
    blpo_config config = one_minibatch();
    config.gap_steps = 0;
    const blpo_metrics network = metrics_of(&config, 1);
    assert_true(network.diagnostics_measured && network.best_response_gap == 0.0 && network.best_response_rank == 0.0);
    config.critic_network.n_hidden = 0;
    config.nystrom_rank = 3;
    assert_true(metrics_of(&config, 1).best_response_gap > 0.1);
}

/* A lower bound of g - min g, and min g >= 0: at most g, larger with more steps. */
static void the_gap_of_a_network_grows_with_the_steps_of_the_search(void **state)
{
    (void)state;
    double before = 0.0;
    static const int64_t steps[4] = { 1, 3, 20, 200 };
    for (int i = 0; i < 4; i++) {
        blpo_config config = one_minibatch();
        config.gap_steps = steps[i];
        const blpo_metrics m = metrics_of(&config, 1);
        assert_true(m.best_response_gap >= before && m.best_response_gap <= m.critic_loss);
        assert_true((m.best_response_gap > 0.0) == (steps[i] > 1)); /* the first one only looks where w is */
        before = m.best_response_gap;
    }
    const blpo_config config = one_minibatch();
    assert_true(before > 0.5 * metrics_of(&config, 1).critic_loss);
}

/* On a linear critic both ways are open: the search must come close to the exact gap from below. A search in float ends where
 * g falls by less than its rounding, a part in 1e6 of g; g is at most a thousand times the gap here. */
static void the_search_finds_what_least_squares_finds(void **state)
{
    (void)state;
    blpo_config config = one_minibatch();
    config.critic_network.n_hidden = 0;
    config.nystrom_rank = 3;
    script s = script_new(1, BLPO_AUTORESET_DISABLED);
    blpo_trainer *trainer = script_trainer(&s, &config, NULL);
    trainer_updates(trainer, 1);
    blpo__memory memory = blpo__memory_of(NULL);
    blpo__gap gap;
    double found;
    const int64_t p = trainer->critic->n_parameters;
    test_real w[3];
    assert_int_equal(p, 3);
    memcpy(w, trainer->game.w, sizeof w);
    assert_status(blpo__best_response_find(&trainer->best_response, &trainer->game, 0.0), BLPO_OK);
    blpo__gap_create(&gap, p, &memory);
    assert_status(blpo__gap_search(&gap, &trainer->game, 500, &found), BLPO_OK);
    assert_close(found, trainer->best_response.gap, 1e-3, 0);
    assert_memory_equal(w, trainer->game.w, sizeof w);
    blpo__memory_release(&memory);
    blpo_trainer_destroy(trainer);
}

/* Three parameters and three Lanczos iterations: the spectrum is exact to rounding. H is what the game's rows say at the last
 * minibatch, of one update that has one. */
static void the_spectrum_is_that_of_the_hessian(void **state)
{
    (void)state;
    blpo_config config = one_minibatch();
    config.critic_network.n_hidden = 0;
    config.nystrom_rank = 3;
    config.nystrom_rho = 0.25;
    config.spectrum_iterations = 3;
    script s = script_new(1, BLPO_AUTORESET_DISABLED);
    blpo_trainer *trainer = script_trainer(&s, &config, NULL);
    trainer_updates(trainer, 1);
    static const int64_t all[3] = { 0, 1, 2 };
    test_real rows[9];
    double h[9], eigenvalue[3];
    assert_status(blpo__game_hessian_rows(&trainer->game, all, 3, rows), BLPO_OK);
    for (int i = 0; i < 9; i++)
        h[i] = (double)rows[i] + (i % 4 == 0 ? 0.25 : 0.0);
    assert_int_equal(LAPACKE_dsyev(LAPACK_COL_MAJOR, 'N', 'L', 3, h, 3, eigenvalue), 0);
    const blpo_metrics m = trainer_metrics(trainer);
    assert_close(m.largest_eigenvalue, eigenvalue[2], 1e3 * TEST_EPSILON, 0);
    assert_close(m.condition_number, eigenvalue[2] / eigenvalue[0], 1e4 * TEST_EPSILON, 0);
    blpo_trainer_destroy(trainer);
    config.spectrum_iterations = 0;
    const blpo_metrics without = metrics_of(&config, 1);
    assert_true(without.largest_eigenvalue == 0.0 && without.condition_number == 0.0);
}

/* The same bits with and without them, for each kind of critic and response. */
static void diagnostics_do_not_touch_the_run(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        blpo_trainer *trainer[2];
        script s[2];
        for (int i = 0; i < 2; i++) {
            s[i] = script_new(2, BLPO_AUTORESET_DISABLED);
            blpo_config config = script_config();
            config.diagnostics_interval = i;
            config.spectrum_iterations = 2;
            config.nystrom_rank = 3;
            if (kind > 0)
                config.critic_network.n_hidden = 0;
            if (kind == 2)
                config.critic_response = BLPO_RESPONSE_EXACT;
            trainer[i] = script_trainer(&s[i], &config, NULL);
            trainer_updates(trainer[i], 3);
        }
        assert_same_parameters(trainer[0], trainer[1]);
        assert_true(!trainer_metrics(trainer[0]).diagnostics_measured &&
                    trainer_metrics(trainer[1]).diagnostics_measured);
        assert_true(trainer_metrics(trainer[0]).best_response_gap == 0.0);
        for (int i = 0; i < 2; i++)
            blpo_trainer_destroy(trainer[i]);
    }
}

/* Every third update: the first, the fourth. Between them the costly figures are 0. */
static void they_are_measured_at_their_interval(void **state)
{
    (void)state;
    blpo_config config = script_config();
    config.diagnostics_interval = 3;
    script s = script_new(1, BLPO_AUTORESET_DISABLED);
    blpo_trainer *trainer = script_trainer(&s, &config, NULL);
    for (int i = 0; i < 7; i++) {
        trainer_updates(trainer, 1);
        const blpo_metrics m = trainer_metrics(trainer);
        assert_int_equal(m.diagnostics_measured, i % 3 == 0);
        assert_true((m.best_response_gap > 0.0) == (i % 3 == 0));
        assert_true((m.critic_gradient_norm > 0.0) == (i % 3 == 0));
        assert_true((m.relative_residual > 0.0) == (i % 3 == 0));
    }
    blpo_trainer_destroy(trainer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_gap_of_a_linear_critic_is_the_difference_to_the_exact_response),
        cmocka_unit_test(without_steps_only_linear_critics_have_a_gap),
        cmocka_unit_test(the_gap_of_a_network_grows_with_the_steps_of_the_search),
        cmocka_unit_test(the_search_finds_what_least_squares_finds),
        cmocka_unit_test(the_spectrum_is_that_of_the_hessian),
        cmocka_unit_test(diagnostics_do_not_touch_the_run),
        cmocka_unit_test(they_are_measured_at_their_interval),
    };
    return cmocka_run_group_tests_name("diagnostics", tests, NULL, NULL);
}
