/* What the diagnostics of an update say, against other ways to the same numbers: norms and cosine of the vectors that
 * blpo_trainer_get_direction() gives, gradients of the critic by differences, residual, indefiniteness and condition from the dense
 * matrix, KL, clipped share and entropy from the policies before and after. One environment, so that an epoch is one minibatch. */
#include "support/check.h"
#include "support/dense.h"
#include "support/training.h"

#include "train/trainer.h"

#include <math.h>
#include <string.h>

enum { STEPS = 8, P = 17, MOST = 32 }; /* critic 2-4-1: 17 parameters */

/* Norms of float vectors, summed in double: their elements are what both sides see. */
#ifdef BLPO__FLOAT64
static const double EXACT = 1e-12, SECOND = 1e-9;
#else
static const double EXACT = 1e-6, SECOND = 1e-4;
#endif

typedef struct table {
    script s;
    blpo_trainer *trainer;
    test_real obs[STEPS * SCRIPT_OBS], log_prob[STEPS];
    int64_t action[STEPS];
    test_real returns[STEPS], w[P], entropy[STEPS];
    blpo_metrics metrics;
} table;

static blpo_config one_epoch(void)
{
    blpo_config config = script_config();
    config.n_epochs = 1;
    config.diagnostics_interval = 1;
    config.critic_steps = 2;
    return config;
}

/* One update, and what it began with. */
static void table_set(table *t, const blpo_config *config)
{
    memset(t, 0, sizeof *t);
    t->s = script_new(1, BLPO_AUTORESET_DISABLED);
    t->s.reacts = 1;
    t->trainer = script_trainer(&t->s, config, NULL);
    assert_status(blpo_trainer_collect(t->trainer), BLPO_UPDATE_DUE);
    const blpo_rollout_view view = trainer_view(t->trainer);
    const blpo_critic *critic = blpo_trainer_critic(t->trainer);
    memcpy(t->obs, view.obs, sizeof t->obs);
    memcpy(t->action, view.discrete_action, sizeof t->action);
    memcpy(t->log_prob, view.log_prob, sizeof t->log_prob);
    assert_status(blpo_critic_get_parameters(critic, t->w, P), BLPO_OK);
    assert_status(blpo_policy_entropy(blpo_trainer_policy(t->trainer), t->obs, STEPS, t->entropy), BLPO_OK);
    assert_status(blpo_rollout_advantages(blpo_trainer_rollout(t->trainer), critic, config->gamma, config->gae_lambda,
                                          NULL, t->returns),
                  BLPO_OK);
    assert_status(blpo_trainer_update(t->trainer, NULL), BLPO_OK);
    t->metrics = trainer_metrics(t->trainer);
}

static void table_clear(table *t)
{
    blpo_trainer_destroy(t->trainer);
}

/* -- directions -- */

typedef struct directions {
    double direct[MOST], implicit[MOST], total[MOST];
    int64_t q;
} directions;

static void read_direction(const blpo_trainer *trainer, int which, int64_t n, double *out)
{
    test_real x[MOST];
    assert_true(n <= MOST);
    assert_status(blpo_trainer_get_direction(trainer, which, x), BLPO_OK);
    for (int64_t i = 0; i < n; i++)
        out[i] = (double)x[i];
}

static directions directions_of(const blpo_trainer *trainer)
{
    directions d = { .q = blpo_policy_n_parameters(blpo_trainer_policy(trainer)) };
    read_direction(trainer, BLPO_DIRECTION_DIRECT, d.q, d.direct);
    read_direction(trainer, BLPO_DIRECTION_IMPLICIT, d.q, d.implicit);
    read_direction(trainer, BLPO_DIRECTION_HYPERGRADIENT, d.q, d.total);
    return d;
}

static double cosine_of(const directions *d)
{
    double dot = 0.0;
    for (int64_t i = 0; i < d->q; i++)
        dot += d->direct[i] * d->implicit[i];
    return dot / dense_norm(d->direct, d->q) / dense_norm(d->implicit, d->q);
}

/* kappa so small that it binds, and none. */
static void norms_cosine_and_bound_are_those_of_the_directions(void **state)
{
    (void)state;
    static const double kappas[2] = { 1e-3, (double)INFINITY };
    for (int i = 0; i < 2; i++) {
        table t;
        blpo_config config = one_epoch();
        config.kappa = kappas[i];
        table_set(&t, &config);
        const directions d = directions_of(t.trainer);
        const double direct = dense_norm(d.direct, d.q), implicit = dense_norm(d.implicit, d.q), cosine = cosine_of(&d);
        assert_true(direct > 0.0 && implicit > 1e-3 * direct && fabs(cosine) > 1e-3);
        assert_close(t.metrics.direct_norm, direct, EXACT, 0.0);
        assert_close(t.metrics.implicit_norm, implicit, EXACT, 0.0);
        assert_close(t.metrics.hypergradient_norm, dense_norm(d.total, d.q), EXACT, 0.0);
        assert_close(t.metrics.cosine, cosine, 0.0, EXACT);
        assert_true(t.metrics.kappa_bound_share == (i == 0 ? 1.0 : 0.0));
        table_clear(&t);
    }
}

/* -- the critic -- */

#ifdef BLPO__FLOAT64
static double loss_at(const blpo_critic *critic, const table *t)
{
    test_real value[STEPS];
    double sum = 0.0;
    assert_status(blpo_critic_value(critic, t->obs, STEPS, value), BLPO_OK);
    for (int i = 0; i < STEPS; i++)
        sum += (t->returns[i] - value[i]) * (t->returns[i] - value[i]);
    return sum / STEPS;
}

/* g, and its gradient by central differences: h = 1e-5 leaves h^2 of the third derivative and eps / h, 1e-10 each. */
static double loss_and_gradient_norm(const table *t, const test_real w[P], double *norm)
{
    const double h = 1e-5;
    const blpo_config config = one_epoch();
    blpo_critic_config of_critic;
    blpo_critic *critic = NULL;
    test_real moved[P];
    double gradient[P];
    assert_status(blpo_critic_config_init(&of_critic, sizeof of_critic), BLPO_OK);
    of_critic.obs_dim = SCRIPT_OBS;
    of_critic.network = config.critic_network;
    assert_status(blpo_critic_create(&of_critic, NULL, &critic), BLPO_OK);
    for (int i = 0; i < P; i++) {
        double g[2];
        for (int side = 0; side < 2; side++) {
            memcpy(moved, w, sizeof moved);
            moved[i] += side == 0 ? -h : h;
            assert_status(blpo_critic_set_parameters(critic, moved, P), BLPO_OK);
            g[side] = loss_at(critic, t);
        }
        gradient[i] = (g[1] - g[0]) / (2.0 * h);
    }
    *norm = dense_norm(gradient, P);
    assert_status(blpo_critic_set_parameters(critic, w, P), BLPO_OK);
    const double loss = loss_at(critic, t);
    blpo_critic_destroy(critic);
    return loss;
}

/* Before and after two steps that move it. */
static void loss_and_gradient_of_the_critic_are_those_of_its_values(void **state)
{
    (void)state;
    table t;
    test_real after[P];
    double norm;
    const blpo_config config = one_epoch();
    table_set(&t, &config);
    assert_status(blpo_critic_get_parameters(blpo_trainer_critic(t.trainer), after, P), BLPO_OK);
    assert_close(t.metrics.critic_loss_before, loss_and_gradient_norm(&t, t.w, &norm), 1e-12, 0.0);
    assert_close(t.metrics.critic_gradient_norm_before, norm, 1e-7, 0.0);
    assert_close(t.metrics.critic_loss, loss_and_gradient_norm(&t, after, &norm), 1e-12, 0.0);
    assert_close(t.metrics.critic_gradient_norm, norm, 1e-7, 0.0);
    assert_true(fabs(t.metrics.critic_gradient_norm - t.metrics.critic_gradient_norm_before) > 1e-3 * norm);
    table_clear(&t);
}
#endif

/* -- the solve -- */

typedef struct system_of {
    double h[P * P], v[P], x[P]; /* the Hessian of the minibatch, and what the solve was given and gave */
} system_of;

/* The game still holds the minibatch, linearised where the critic stands. */
static void read_system(const table *t, system_of *s)
{
    int64_t all[P];
    test_real rows[P * P];
    for (int64_t i = 0; i < P; i++)
        all[i] = i;
    assert_status(blpo__game_hessian_rows(&t->trainer->game, all, P, rows), BLPO_OK);
    for (int64_t i = 0; i < P * P; i++)
        s->h[i] = (double)rows[i];
    read_direction(t->trainer, BLPO_DIRECTION_V, P, s->v);
    read_direction(t->trainer, BLPO_DIRECTION_X, P, s->x);
}

/* A solve that leaves much of it: the residual is measured in test_real, by one product. */
static void the_residual_is_that_of_the_dense_matrix(void **state)
{
    (void)state;
    static const int methods[3] = { BLPO_IHVP_NONE, BLPO_IHVP_NYSTROM, BLPO_IHVP_CG };
    for (int i = 0; i < 3; i++) {
        table t;
        system_of s;
        blpo_config config = one_epoch();
        config.ihvp_method = methods[i];
        config.nystrom_rho = 2.0;
        config.cg_iterations = 1;
        table_set(&t, &config);
        read_system(&t, &s);
        const double residual = dense_relative_residual(s.h, 2.0, s.x, s.v, P);
        assert_true(residual > 0.01);
        assert_close(t.metrics.relative_residual, residual, SECOND, 0.0);
        table_clear(&t);
    }
}

/* Sylvester: as many negative eigenvalues as negative pivots of elimination without exchanges, no leading minor being zero. */
static int64_t negative_pivots(const double *h, double rho)
{
    double a[P * P];
    int64_t negative = 0;
    for (int64_t i = 0; i < P * P; i++)
        a[i] = 0.5 * (h[i] + h[i % P * P + i / P]) + (i % (P + 1) == 0 ? rho : 0.0);
    for (int64_t k = 0; k < P; k++) {
        negative += a[k * P + k] < 0.0;
        for (int64_t i = k + 1; i < P; i++)
            for (int64_t j = k + 1; j < P; j++)
                a[i * P + j] -= a[i * P + k] * a[k * P + j] / a[k * P + k];
    }
    return negative;
}

/* The Hessian of a network at a large loss has a negative side; rho 50 hides it, rho 0.01 does not. */
static void indefinite_is_what_the_dense_matrix_is(void **state)
{
    (void)state;
    static const double rhos[2] = { 0.01, 50.0 };
    for (int i = 0; i < 2; i++) {
        table t;
        system_of s;
        blpo_config config = one_epoch();
        config.ihvp_method = BLPO_IHVP_DENSE;
        config.nystrom_rho = rhos[i];
        table_set(&t, &config);
        read_system(&t, &s);
        assert_int_equal(negative_pivots(s.h, rhos[i]) > 0, i == 0);
        assert_true(t.metrics.indefinite_share == (i == 0 ? 1.0 : 0.0));
        assert_true(t.metrics.fallback_share == 0.0);
        table_clear(&t);
    }
}

/* Conjugate gradients on the same two: from the negative side they have to fall back. */
static void fallbacks_are_those_that_the_solver_counts(void **state)
{
    (void)state;
    static const double rhos[2] = { 0.01, 50.0 };
    for (int i = 0; i < 2; i++) {
        table t;
        blpo_config config = one_epoch();
        config.ihvp_method = BLPO_IHVP_CG;
        config.cg_iterations = P;
        config.nystrom_rho = rhos[i];
        table_set(&t, &config);
        blpo_hypergrad_stats stats = { .struct_size = sizeof stats };
        assert_status(blpo_hypergrad_get_stats(blpo_trainer_hypergrad(t.trainer), &stats), BLPO_OK);
        assert_int_equal(stats.n_fallback, i == 0);
        assert_true(t.metrics.fallback_share == (double)stats.n_fallback);
        assert_true(t.metrics.indefinite_share == (double)stats.n_indefinite);
        table_clear(&t);
    }
}

static double one_norm(const double *a)
{
    double most = 0.0;
    for (int64_t j = 0; j < P; j++) {
        double sum = 0.0;
        for (int64_t i = 0; i < P; i++)
            sum += fabs(a[i * P + j]);
        most = fmax(most, sum);
    }
    return most;
}

/* LAPACK's estimate is a lower bound of the condition number in the 1-norm, seldom far from it: here 0.94 of it. */
static void the_condition_is_that_of_the_dense_matrix(void **state)
{
    (void)state;
    table t;
    system_of s;
    double inverse[P * P];
    blpo_config config = one_epoch();
    config.ihvp_method = BLPO_IHVP_DENSE;
    config.nystrom_rho = 2.0;
    table_set(&t, &config);
    read_system(&t, &s);
    for (int64_t j = 0; j < P; j++) {
        double unit[P] = { 0.0 };
        unit[j] = 1.0;
        dense_shifted_solve(s.h, 2.0, unit, P, inverse + j * P); /* symmetric: a row is a column */
    }
    for (int64_t j = 0; j < P; j++)
        s.h[j * P + j] += 2.0;
    const double condition = one_norm(s.h) * one_norm(inverse);
    assert_true(t.metrics.condition_estimate <= condition * (1.0 + SECOND));
    assert_true(t.metrics.condition_estimate >= 0.8 * condition);
    table_clear(&t);
}

/* -- the policy -- */

static double mean_of(const test_real *x)
{
    double sum = 0.0;
    for (int i = 0; i < STEPS; i++)
        sum += (double)x[i];
    return sum / STEPS;
}

/* Two epochs: the first minibatch sees the policy that acted, the second the one that a trainer with one epoch ends with. All means are
 * over these two. A large step and a narrow range, so that some ratios are out of it and some are not. */
static blpo_config wide_steps(int64_t n_epochs)
{
    blpo_config config = one_epoch();
    config.n_epochs = n_epochs;
    config.actor_learning_rate = 0.1;
    config.clip_range = 0.1;
    return config;
}

static void kl_clipped_share_and_entropy_are_those_of_the_two_policies(void **state)
{
    (void)state;
    table one, two;
    test_real log_prob[STEPS], entropy[STEPS];
    const blpo_config first = wide_steps(1), both = wide_steps(2);
    table_set(&one, &first);
    table_set(&two, &both);
    const blpo_policy *policy = blpo_trainer_policy(one.trainer);
    assert_memory_equal(one.obs, two.obs, sizeof one.obs);
    assert_status(blpo_policy_log_prob(policy, two.obs, two.action, STEPS, log_prob), BLPO_OK);
    assert_status(blpo_policy_entropy(policy, two.obs, STEPS, entropy), BLPO_OK);
    double kl = 0.0, clipped = 0.0;
    for (int i = 0; i < STEPS; i++) {
        const double log_ratio = (double)log_prob[i] - (double)two.log_prob[i];
        kl += (exp(log_ratio) - 1.0 - log_ratio) / STEPS;
        clipped += (fabs(exp(log_ratio) - 1.0) > 0.1) / (double)STEPS;
    }
    assert_true(clipped > 0.0 && clipped < 1.0 && kl > 1e-3);
    assert_close(two.metrics.approx_kl, kl / 2.0, 10.0 * SECOND, 0.0);
    assert_close(two.metrics.clip_fraction, clipped / 2.0, 0.0, 1e-12);
    assert_close(two.metrics.entropy, (mean_of(two.entropy) + mean_of(entropy)) / 2.0, EXACT, 0.0);
    assert_close(one.metrics.entropy, mean_of(one.entropy), EXACT, 0.0);
    table_clear(&one);
    table_clear(&two);
}

static void figures_of_two_minibatches_are_means(void **state)
{
    (void)state;
    table one, two;
    const blpo_config first = wide_steps(1), both = wide_steps(2);
    table_set(&one, &first);
    table_set(&two, &both);
    const directions d = directions_of(two.trainer); /* of the second */
    assert_int_equal(two.metrics.n_minibatches, 2);
    assert_close(two.metrics.direct_norm, (one.metrics.direct_norm + dense_norm(d.direct, d.q)) / 2.0, EXACT, 0.0);
    assert_close(two.metrics.implicit_norm, (one.metrics.implicit_norm + dense_norm(d.implicit, d.q)) / 2.0, EXACT,
                 0.0);
    assert_close(two.metrics.hypergradient_norm, (one.metrics.hypergradient_norm + dense_norm(d.total, d.q)) / 2.0,
                 EXACT, 0.0);
    assert_close(two.metrics.cosine, (one.metrics.cosine + cosine_of(&d)) / 2.0, 0.0, EXACT);
    table_clear(&one);
    table_clear(&two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(norms_cosine_and_bound_are_those_of_the_directions),
#ifdef BLPO__FLOAT64
        cmocka_unit_test(loss_and_gradient_of_the_critic_are_those_of_its_values),
#endif
        cmocka_unit_test(the_residual_is_that_of_the_dense_matrix),
        cmocka_unit_test(indefinite_is_what_the_dense_matrix_is),
        cmocka_unit_test(fallbacks_are_those_that_the_solver_counts),
        cmocka_unit_test(the_condition_is_that_of_the_dense_matrix),
        cmocka_unit_test(kl_clipped_share_and_entropy_are_those_of_the_two_policies),
        cmocka_unit_test(figures_of_two_minibatches_are_means),
    };
    return cmocka_run_group_tests_name("values of the metrics", tests, NULL, NULL);
}
