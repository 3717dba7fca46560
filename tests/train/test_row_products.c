/* A trainer whose solver works in the space of samples learns what one does that asks for rows of H: nystrom_space_efficient, which
 * always asks for rows, is the other one. float64: 1e-9 after two updates. float32: steps of Adam bring out roundings of gradients
 * as they are small, so the parameters agree to a part of a step, and metrics to three digits. */
#include "support/check.h"
#include "support/training.h"

#include "train/trainer.h"

#include <math.h>
#include <stdlib.h>

#ifdef BLPO__FLOAT64
static const double OF_PARAMETERS = 1e-9, OF_METRICS = 1e-8;
#else
static const double OF_PARAMETERS = 2e-4, OF_METRICS = 5e-3;
#endif

enum { ENVS = 2, UPDATES = 2, MOST = 20000 };

static const int64_t HIDDEN[2] = { 24, 20 };

static blpo_config config_of(int32_t curvature, int32_t activation, int little)
{
    blpo_config config = script_config();
    config.critic_network.hidden = HIDDEN;
    config.critic_network.n_hidden = 2;
    config.critic_network.activation = activation;
    config.ihvp_curvature = curvature;
    config.nystrom_rank = 40;
    config.nystrom_rho = 1.0;
    config.nystrom_shift = 0.5;
    config.nystrom_space_efficient = little;
    config.diagnostics_interval = 1;
    return config;
}

static blpo_trainer *trained(script *s, const blpo_config *config, int in_samples)
{
    *s = script_new(ENVS, BLPO_AUTORESET_DISABLED);
    s->reacts = 1;
    blpo_trainer *trainer = script_trainer(s, config, NULL);
    assert_int_equal(trainer->game.row_factors != NULL, in_samples);
    assert_int_equal(trainer->solver->problem.rows_products != NULL, in_samples);
    trainer_updates(trainer, UPDATES);
    return trainer;
}

static void check_both_ways(int32_t curvature, int32_t activation)
{
    script one, two;
    const blpo_config config = config_of(curvature, activation, 0), little = config_of(curvature, activation, 1);
    blpo_trainer *in_samples = trained(&one, &config, 1), *by_rows = trained(&two, &little, 0);
    test_real *a = malloc(MOST * sizeof *a), *b = malloc(MOST * sizeof *b);
    const int64_t n = trainer_parameters(in_samples, a, MOST);
    assert_int_equal(trainer_parameters(by_rows, b, MOST), n);
    for (int64_t i = 0; i < n; i++)
        assert_close(a[i], b[i], OF_PARAMETERS, OF_PARAMETERS);
    const blpo_metrics m = trainer_metrics(in_samples), other = trainer_metrics(by_rows);
    assert_close(m.implicit_norm, other.implicit_norm, OF_METRICS, 0.0);
    assert_close(m.relative_residual, other.relative_residual, OF_METRICS, OF_METRICS);
    assert_true(m.implicit_norm > 0.0);
    free(a);
    free(b);
    blpo_trainer_destroy(in_samples);
    blpo_trainer_destroy(by_rows);
}

static void learning_is_the_same_either_way(void **state)
{
    (void)state;
    check_both_ways(BLPO_CURVATURE_HESSIAN, BLPO_TANH);
    check_both_ways(BLPO_CURVATURE_HESSIAN, BLPO_RELU);
    check_both_ways(BLPO_CURVATURE_GAUSS_NEWTON, BLPO_TANH);
}

/* With deeper critics only the Gauss-Newton matrix is had that way. */
static void the_way_depends_on_settings_alone(void **state)
{
    (void)state;
    static const int64_t deep[3] = { 24, 20, 16 };
    for (int32_t curvature = 0; curvature <= 1; curvature++) {
        script s;
        blpo_config config = config_of(curvature, BLPO_TANH, 0);
        config.critic_network.hidden = deep;
        config.critic_network.n_hidden = 3;
        blpo_trainer_destroy(trained(&s, &config, curvature == BLPO_CURVATURE_GAUSS_NEWTON));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learning_is_the_same_either_way),
        cmocka_unit_test(the_way_depends_on_settings_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
