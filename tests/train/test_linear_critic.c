#define _POSIX_C_SOURCE 200809L /* pthread_barrier_t */
/* Training with critics that are linear: features through the trainer, the exact best response, what goes wrong. */
#include "support/check.h"
#include "support/memory.h"
#include "support/training.h"

#include "rl/critic.h"
#include "train/trainer.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

enum { WIDTH = 16 }; /* no room to spare behind so many numbers: a bias would overwrite the next piece */

/* phi(s) = (s_0, s_1, 1, cos and sin of multiples): `width` of them. Calls are counted; one may fail or spoil a number. */
typedef struct maker {
    int64_t width, calls;
    int64_t fail_at;                 /* that call returns -8, counted from 1; 0: none */
    test_real spoil_obs[SCRIPT_OBS]; /* where spoil is set, feature 1 of this observation is it */
    test_real spoil;
} maker;

static int make_features(void *user, const test_real *obs, int64_t count, test_real *phi)
{
    maker *m = user;
    for (int64_t t = 0; t < count; t++) {
        const test_real *s = obs + SCRIPT_OBS * t;
        test_real *row = phi + m->width * t;
        for (int64_t i = 0; i < m->width; i++)
            row[i] = i < SCRIPT_OBS
                         ? s[i]
                         : (test_real)cos((double)(i - SCRIPT_OBS) * ((double)s[i % 2] + 0.5 * (double)s[0]));
        if (m->spoil != 0 && memcmp(s, m->spoil_obs, sizeof m->spoil_obs) == 0)
            row[1] = m->spoil;
    }
    return ++m->calls == m->fail_at ? -8 : 0;
}

static blpo_critic *critic_new(maker *m, int64_t width)
{
    blpo_critic_config config;
    blpo_critic *critic = NULL;
    memset(m, 0, sizeof *m);
    m->width = width;
    assert_status(blpo_critic_config_init(&config, sizeof config), BLPO_OK);
    config.obs_dim = SCRIPT_OBS;
    config.n_features = width;
    config.features = make_features;
    config.features_user = m;
    assert_status(blpo_critic_create(&config, NULL, &critic), BLPO_OK);
    return critic;
}

static script make(int64_t n_envs)
{
    script s = script_new(n_envs, BLPO_AUTORESET_DISABLED);
    s.reacts = 1;
    return s;
}

static blpo_config linear_config(blpo_critic *critic, int32_t response)
{
    blpo_config config = script_config();
    config.critic = critic;
    config.critic_response = response;
    config.diagnostics_interval = 1;
    config.nystrom_rank = 3; /* at most the number of features */
    config.gae_lambda = 0.8;
    return config;
}

/* A whole side of a comparison. */
typedef struct side {
    script env;
    maker features;
    blpo_critic *critic;
    blpo_trainer *trainer;
} side;

static void side_new(side *x, int64_t n_envs, int64_t width, int32_t response)
{
    x->env = make(n_envs);
    x->critic = critic_new(&x->features, width);
    const blpo_config config = linear_config(x->critic, response);
    x->trainer = script_trainer(&x->env, &config, NULL);
}

static void side_end(side *x)
{
    blpo_trainer_destroy(x->trainer);
    blpo_critic_destroy(x->critic);
}

/* Features (s_0, s_1, 1) are an affine critic written another way, parameters in the same order. With epsilon 1 in Adam a
 * rounding error of a gradient stays one: 3 updates x 4 minibatches x 3 steps of rate 1e-2, gradients below 10, sums of 8. */
static void features_with_a_one_are_an_affine_network(void **state)
{
    (void)state;
    static const int64_t none = 0;
    maker m;
    script s[2] = { make(2), make(2) };
    blpo_config config[2];
    blpo_trainer *trainer[2];
    blpo_critic *critic = critic_new(&m, 3);
    for (int i = 0; i < 2; i++) {
        config[i] = linear_config(i == 0 ? critic : NULL, BLPO_RESPONSE_NESTED);
        config[i].critic_network.n_hidden = 0;
        config[i].critic_network.hidden = &none;
        config[i].critic_network.output_gain = 0.0;
        config[i].adam_epsilon = 1.0;
        trainer[i] = script_trainer(&s[i], &config[i], NULL);
        trainer_updates(trainer[i], 3);
    }
    test_real x[128], y[128];
    double expected[128];
    const int64_t n = trainer_parameters(trainer[0], x, 128);
    assert_int_equal(n, trainer_parameters(trainer[1], y, 128));
    for (int64_t i = 0; i < n; i++)
        expected[i] = (double)y[i];
    assert_true(fabs(expected[n - 1]) > 1e-3); /* the bias has moved */
    assert_all_close(x, expected, n, 0, 8 * 3 * 4 * 3 * 1e-2 * 10.0 * 8 * TEST_EPSILON);
    for (int i = 0; i < 2; i++)
        blpo_trainer_destroy(trainer[i]);
    blpo_critic_destroy(critic);
}

/* After each update |grad_w g| is rounding: w is right to eps of its size, which the features, of norm below 4, pass on. */
static void after_the_exact_response_the_gradient_is_zero(void **state)
{
    (void)state;
    side x;
    side_new(&x, 2, 5, BLPO_RESPONSE_EXACT);
    for (int i = 0; i < 3; i++) {
        test_real w[5];
        double norm = 0.0;
        trainer_updates(x.trainer, 1);
        const blpo_metrics m = trainer_metrics(x.trainer);
        assert_status(blpo_critic_get_parameters(x.critic, w, 5), BLPO_OK);
        for (int j = 0; j < 5; j++)
            norm += (double)w[j] * (double)w[j];
        assert_true(m.critic_gradient_norm_before > 1e-2);
        assert_true(m.critic_gradient_norm <= 64.0 * 16.0 * TEST_EPSILON * (1.0 + sqrt(norm)));
        assert_true(m.critic_loss < m.critic_loss_before);
    }
    assert_int_equal(x.trainer->critic_adam.t, 0);
    side_end(&x);
}

/* With a ridge the gradient of g is -2 ridge w. */
static void with_a_ridge_the_gradient_is_that_of_the_ridge(void **state)
{
    (void)state;
    side x;
    side_new(&x, 1, 5, BLPO_RESPONSE_EXACT);
    blpo_trainer_destroy(x.trainer);
    blpo_config config = linear_config(x.critic, BLPO_RESPONSE_EXACT);
    config.critic_ridge = 0.25;
    x.env = make(1);
    x.trainer = script_trainer(&x.env, &config, NULL);
    trainer_updates(x.trainer, 1);
    test_real gradient[5];
    double expected[5];
    assert_status(blpo__game_critic_gradient(&x.trainer->game, gradient), BLPO_OK);
    for (int i = 0; i < 5; i++)
        expected[i] = -2.0 * 0.25 * (double)x.trainer->critic->parameters[i];
    assert_near(gradient, expected, 5, 64 * 16 * TEST_EPSILON, 64 * 16 * TEST_EPSILON);
    side_end(&x);
}

/* (2/T) Phi^T Phi, by rows and by products, with guards behind: the game still holds the last minibatch. */
static void the_hessian_is_that_of_least_squares(void **state)
{
    (void)state;
    side x;
    side_new(&x, 1, WIDTH, BLPO_RESPONSE_EXACT);
    trainer_updates(x.trainer, 1);
    blpo__game *game = &x.trainer->game;
    test_real *direct = guarded_new(x.trainer->policy->n_parameters), *v = guarded_new(WIDTH);
    assert_status(blpo__game_linearise(game, direct, v), BLPO_OK);
    double h[WIDTH * WIDTH] = { 0 };
    for (int64_t t = 0; t < game->batch.n; t++)
        for (int64_t i = 0; i < WIDTH; i++)
            for (int64_t j = 0; j < WIDTH; j++)
                h[i * WIDTH + j] += 2.0 / (double)game->batch.n * (double)game->features[t * WIDTH + i] *
                                    (double)game->features[t * WIDTH + j];
    int64_t index[WIDTH];
    test_real *rows = guarded_new(WIDTH * WIDTH), *product = guarded_new(WIDTH), *unit = guarded_new(WIDTH);
    for (int64_t i = 0; i < WIDTH; i++)
        index[i] = WIDTH - 1 - i;
    assert_status(blpo__game_hessian_rows(game, index, WIDTH, rows), BLPO_OK);
    for (int64_t i = 0; i < WIDTH; i++) {
        assert_near(rows + i * WIDTH, h + index[i] * WIDTH, WIDTH, 64 * TEST_EPSILON, 0);
        for (int64_t j = 0; j < WIDTH; j++)
            unit[j] = (j == i);
        assert_status(blpo__game_hessian_product(game, unit, product), BLPO_OK);
        assert_near(product, h + i * WIDTH, WIDTH, 64 * TEST_EPSILON, 0);
        assert_status(blpo__game_gauss_newton_rows(game, &i, 1, product), BLPO_OK);
        assert_near(product, h + i * WIDTH, WIDTH, 64 * TEST_EPSILON, 0);
    }
    assert_status(blpo__game_gauss_newton_diagonal(game, product), BLPO_OK);
    for (int64_t i = 0; i < WIDTH; i++)
        assert_close(product[i], h[i * WIDTH + i], 64 * TEST_EPSILON, 0);
    guarded_free(rows);
    guarded_free(product);
    guarded_free(unit);
    guarded_free(direct);
    guarded_free(v);
    side_end(&x);
}

/* H is positive semi-definite, and Gauss-Newton is all of it: every method that is exact, with the budget that makes it so,
 * finds the x with (H + rho I) x = v. rho 0.5 and |H| <= 2 |Phi|^2 / T, some tens: products in float, residual relative. */
static void exact_methods_agree_on_x(void **state)
{
    (void)state;
    static const int methods[4] = { BLPO_IHVP_DENSE, BLPO_IHVP_NYSTROM, BLPO_IHVP_CG, BLPO_IHVP_GAUSS_NEWTON };
    for (int curvature = 0; curvature < 2; curvature++)
        for (int i = 0; i < 4; i++) {
            side x;
            side_new(&x, 1, WIDTH, BLPO_RESPONSE_EXACT);
            blpo_trainer_destroy(x.trainer);
            blpo_config config = linear_config(x.critic, BLPO_RESPONSE_EXACT);
            config.ihvp_method = methods[i];
            config.ihvp_curvature = curvature;
            config.nystrom_rank = WIDTH;
            config.nystrom_shift = 0.0;
            config.nystrom_rho = 0.5;
            config.cg_iterations = 40;
            x.env = make(1);
            x.trainer = script_trainer(&x.env, &config, NULL);
            trainer_updates(x.trainer, 1);
            const blpo_metrics m = trainer_metrics(x.trainer);
            assert_true(m.relative_residual <= 1e4 * TEST_EPSILON);
            if (methods[i] != BLPO_IHVP_NYSTROM) /* whose core is singular: fewer transitions than features */
                assert_true(m.indefinite_share == 0.0 && m.fallback_share == 0.0);
            side_end(&x);
        }
}

#define REFUSE(setup, name)                                                                                            \
    do {                                                                                                               \
        script s = make(1);                                                                                            \
        maker m;                                                                                                       \
        blpo_critic *critic = critic_new(&m, 3);                                                                       \
        const blpo_env env = script_env(&s);                                                                           \
        blpo_config config = linear_config(critic, BLPO_RESPONSE_EXACT);                                               \
        blpo_error error = { 0 };                                                                                      \
        blpo_runtime runtime;                                                                                          \
        blpo_trainer *out = NULL;                                                                                      \
        assert_status(blpo_runtime_init(&runtime, sizeof runtime), BLPO_OK);                                           \
        runtime.error = &error;                                                                                        \
        setup;                                                                                                         \
        assert_status(blpo_trainer_create(&env, &config, &runtime, &out), BLPO_ERR_CONFIG);                            \
        assert_null(out);                                                                                              \
        assert_error_names(&error, BLPO_ERR_CONFIG, name);                                                             \
        blpo_critic_destroy(critic);                                                                                   \
    } while (0)

static void settings_that_do_not_fit_are_refused_by_name(void **state)
{
    (void)state;
    REFUSE(config.critic = NULL, "critic_response"); /* the network of script_config() has a hidden layer */
    REFUSE(config.critic_response = 2, "critic_response");
    REFUSE(config.critic_response = -1, "critic_response");
    REFUSE(config.critic_ridge = -1e-9, "critic_ridge");
    REFUSE(config.critic_ridge = (double)NAN, "critic_ridge");
    REFUSE(config.critic_ridge = (double)INFINITY, "critic_ridge");
    REFUSE(config.nystrom_rank = 4, "nystrom_rank");
}

/* Each call of the callback in an update gives up once: code, number and stage; not a byte has changed, and the update then
 * gives what it would have given. */
static void a_callback_that_gives_up_ends_the_update_and_nothing_else(void **state)
{
    (void)state;
    side clean, x;
    side_new(&clean, 2, 4, BLPO_RESPONSE_EXACT);
    side_new(&x, 2, 4, BLPO_RESPONSE_EXACT);
    trainer_updates(clean.trainer, 1);
    const int64_t calls = clean.features.calls;
    assert_true(calls > 2);
    assert_status(blpo_trainer_collect(x.trainer), BLPO_UPDATE_DUE);
    byte_buffer before = trainer_bytes(x.trainer);
    for (int64_t n = 1; n <= calls; n++) {
        x.features.calls = 0;
        x.features.fail_at = n;
        assert_status(blpo_trainer_update(x.trainer, NULL), BLPO_ERR_CALLBACK);
        const blpo_error *error = blpo_trainer_error(x.trainer);
        assert_error_names(error, BLPO_ERR_CALLBACK, "features");
        assert_int_equal(error->callback_code, -8);
        assert_int_equal(error->stage, BLPO_STAGE_CRITIC);
        assert_trainer_is(x.trainer, &before);
    }
    x.features.fail_at = 0;
    assert_status(blpo_trainer_update(x.trainer, NULL), BLPO_OK);
    assert_same_trainer(x.trainer, clean.trainer);
    bytes_free(&before);
    side_end(&x);
    side_end(&clean);
}

/* V is 1e6 times what rewards (at most 3, as long as gamma leaves them to count: 100 steps) explain, and its square is out of
 * range: however it came there, it is V that diverged and not the step at which numbers end. A response to one minibatch that
 * goes astray on the states of the next does it in some twenty updates: 101 random features on 128 transitions of CartPole.
 * tests/train/test_trainer_update.c has the same failure by rewards, which is not put down to V. */
static void values_beyond_all_rewards_are_named_as_the_cause(void **state)
{
    (void)state;
    const double huge = sqrt((double)TEST_REAL_MAX) * 1e6;
    side x;
    test_real w[4] = { 0 };
    side_new(&x, 2, 4, BLPO_RESPONSE_EXACT);
    w[2] = (test_real)huge; /* the weight of the feature that is 1 */
    assert_status(blpo_critic_set_parameters(x.critic, w, 4), BLPO_OK);
    assert_status(blpo_trainer_collect(x.trainer), BLPO_UPDATE_DUE);
    byte_buffer before = trainer_bytes(x.trainer);
    assert_status(blpo_trainer_update(x.trainer, NULL), BLPO_ERR_NONFINITE);
    assert_non_null(strstr(blpo_trainer_error(x.trainer)->text, "; V diverges by bootstrapping: it reaches "));
    assert_non_null(strstr(blpo_trainer_error(x.trainer)->text, ", rewards "));
    assert_non_null(strstr(blpo_trainer_error(x.trainer)->text, "critic_ridge"));
    assert_trainer_is(x.trainer, &before);
    bytes_free(&before);
    side_end(&x);
}

/* Environment 1, step 2 of its first episode, is its step 2; the observation after the end of that episode (4 steps,
 * truncated as well or not bootstrapped) is step 3's. Element 1. */
static void a_feature_that_is_no_number_is_told_by_place(void **state)
{
    (void)state;
    static const test_real bad[2] = { (test_real)NAN, (test_real)INFINITY };
    for (int k = 0; k < 2; k++) {
        side x;
        side_new(&x, 2, 4, BLPO_RESPONSE_NESTED);
        script_obs(1, 0, 2, x.features.spoil_obs);
        x.features.spoil = bad[k];
        assert_status(blpo_trainer_collect(x.trainer), BLPO_UPDATE_DUE);
        byte_buffer before = trainer_bytes(x.trainer);
        assert_status(blpo_trainer_update(x.trainer, NULL), BLPO_ERR_NONFINITE);
        assert_error_names(blpo_trainer_error(x.trainer), BLPO_ERR_NONFINITE, "features");
        assert_error_at(blpo_trainer_error(x.trainer), BLPO_ERR_NONFINITE, 1, 2, 1);
        assert_trainer_is(x.trainer, &before);
        bytes_free(&before);
        side_end(&x);
    }
}

/* Environment 1 ends its first episode, of 4 steps, truncated: its final observation follows step 3 and is nobody's s. */
static void a_feature_of_a_final_observation_is_told_by_the_step_before_it(void **state)
{
    (void)state;
    side x;
    side_new(&x, 3, 4, BLPO_RESPONSE_NESTED);
    int64_t e = 0;
    while (script_terminates(e, 0)) /* bootstrapped only where it is not terminated */
        e++;
    const int64_t length = script_length(e, 0);
    script_obs(e, 0, length, x.features.spoil_obs);
    x.features.spoil = (test_real)NAN;
    assert_status(blpo_trainer_collect(x.trainer), BLPO_UPDATE_DUE);
    assert_status(blpo_trainer_update(x.trainer, NULL), BLPO_ERR_NONFINITE);
    assert_error_at(blpo_trainer_error(x.trainer), BLPO_ERR_NONFINITE, e, length - 1, 1);
    side_end(&x);
}

static void threads_and_hooks_change_no_bit_and_updates_take_no_memory(void **state)
{
    (void)state;
    side x[2];
    counted_memory memory = { 0 };
    for (int i = 0; i < 2; i++) {
        x[i].env = make(4);
        x[i].critic = critic_new(&x[i].features, 7);
        blpo_config config = linear_config(x[i].critic, BLPO_RESPONSE_EXACT);
        config.n_steps = 96;
        config.trajectories_per_minibatch = 4;
        blpo_runtime runtime = counted_runtime(&memory, NULL);
        runtime.n_threads = i == 0 ? 1 : 3;
        x[i].trainer = script_trainer(&x[i].env, &config, &runtime);
        const int64_t calls = memory.calls;
        trainer_updates(x[i].trainer, 3);
        assert_int_equal(memory.calls, calls);
    }
    assert_same_trainer(x[0].trainer, x[1].trainer);
    side_end(&x[0]);
    side_end(&x[1]);
    assert_all_released(&memory);
}

/* A run that is saved, loaded into another trainer and continued is the run. */
static void a_checkpoint_resumes_to_the_same_bits(void **state)
{
    (void)state;
    side x, y;
    side_new(&x, 2, 4, BLPO_RESPONSE_EXACT);
    side_new(&y, 2, 4, BLPO_RESPONSE_EXACT);
    trainer_updates(x.trainer, 1);
    byte_buffer bytes = trainer_bytes(x.trainer);
    assert_status(blpo_trainer_load(y.trainer, bytes_read, &bytes), BLPO_OK);
    trainer_updates(x.trainer, 2);
    trainer_updates(y.trainer, 2);
    assert_same_trainer(x.trainer, y.trainer);
    bytes_free(&bytes);
    side_end(&x);
    side_end(&y);
}

/* 4 features, 5 features, and an affine network of 3 parameters: each refuses the files of the others. */
static void another_number_of_features_is_a_mismatch_by_name(void **state)
{
    (void)state;
    side side_of[2];
    blpo_trainer *trainer[3];
    side_new(&side_of[0], 2, 4, BLPO_RESPONSE_EXACT);
    side_new(&side_of[1], 2, 5, BLPO_RESPONSE_EXACT);
    script s = make(2);
    blpo_config config = linear_config(NULL, BLPO_RESPONSE_EXACT);
    config.critic_network.n_hidden = 0;
    trainer[0] = side_of[0].trainer;
    trainer[1] = side_of[1].trainer;
    trainer[2] = script_trainer(&s, &config, NULL);
    for (int i = 0; i < 3; i++) {
        trainer_updates(trainer[i], 1);
        byte_buffer bytes = trainer_bytes(trainer[i]);
        for (int j = 0; j < 3; j++) {
            bytes.at = 0;
            assert_status(blpo_trainer_load(trainer[j], bytes_read, &bytes), i == j ? BLPO_OK : BLPO_ERR_MISMATCH);
            if (i != j)
                assert_error_names(blpo_trainer_error(trainer[j]), BLPO_ERR_MISMATCH, "n_features");
        }
        bytes_free(&bytes);
    }
    blpo_trainer_destroy(trainer[2]);
    side_end(&side_of[0]);
    side_end(&side_of[1]);
}

/* ---- two processes, in two threads ---- */

enum { ROOM = 4096 };

typedef struct meeting {
    pthread_barrier_t barrier;
    int networks; /* critics are networks */
    test_real brought[2][ROOM];
} meeting;

typedef struct process {
    meeting *place;
    int index, code;
    side side;
} process;

static int reduce(void *user, test_real *buffer, int64_t n)
{
    process *me = user;
    if (n > ROOM)
        return 1;
    memcpy(me->place->brought[me->index], buffer, (size_t)n * sizeof *buffer);
    pthread_barrier_wait(&me->place->barrier);
    for (int64_t i = 0; i < n; i++)
        buffer[i] = me->place->brought[0][i] + me->place->brought[1][i];
    pthread_barrier_wait(&me->place->barrier);
    return 0;
}

static void process_new(process *me, meeting *place, int index, int32_t response)
{
    memset(me, 0, sizeof *me);
    me->place = place;
    me->index = index;
    me->side.env = make(1);
    me->side.env.first_env = index;
    me->side.critic = critic_new(&me->side.features, 5);
    blpo_config config = linear_config(me->side.critic, response);
    config.kappa = 1e6;
    config.adam_epsilon = 1.0;
    if (response == BLPO_RESPONSE_NESTED && me->place->networks)
        config.critic = NULL;
    blpo_runtime runtime;
    assert_status(blpo_runtime_init(&runtime, sizeof runtime), BLPO_OK);
    runtime.all_reduce = reduce;
    runtime.all_reduce_user = me;
    runtime.n_processes = 2;
    runtime.process_index = index;
    me->side.trainer = script_trainer(&me->side.env, &config, &runtime);
}

static void *train(void *data)
{
    process *me = data;
    me->code = blpo_trainer_run(me->side.trainer, 1, NULL, NULL);
    return NULL;
}

static void run_both(process p[2], int32_t response, int networks)
{
    static meeting place;
    pthread_t thread[2];
    place.networks = networks;
    assert_int_equal(pthread_barrier_init(&place.barrier, NULL, 2), 0);
    for (int i = 0; i < 2; i++)
        process_new(&p[i], &place, i, response);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, train, &p[i]), 0);
    for (int i = 0; i < 2; i++) {
        pthread_join(thread[i], NULL);
        assert_status(p[i].code, BLPO_OK);
    }
    pthread_barrier_destroy(&place.barrier);
}

/* The response to the data of both, in both. One trainer with both environments in its minibatch has the same normal
 * equations but for the order of sums in double; their condition, 1e4 at most here, makes 1e-10 of it, and rounding to the
 * data's type one eps. The second of the two minibatches begins there, and its returns are the same. */
static void two_processes_find_one_best_response(void **state)
{
    (void)state;
    static process p[2];
    run_both(p, BLPO_RESPONSE_EXACT, 0);
    assert_same_parameters(p[0].side.trainer, p[1].side.trainer);

    side one;
    one.env = make(2);
    one.critic = critic_new(&one.features, 5);
    blpo_config config = linear_config(one.critic, BLPO_RESPONSE_EXACT);
    config.trajectories_per_minibatch = 2;
    config.kappa = 1e6;
    config.adam_epsilon = 1.0;
    one.trainer = script_trainer(&one.env, &config, NULL);
    trainer_updates(one.trainer, 1);
    double expected[5];
    for (int i = 0; i < 5; i++)
        expected[i] = (double)one.critic->parameters[i];
    assert_near(p[0].side.critic->parameters, expected, 5, 4 * TEST_EPSILON + 1e-10, 0);
    side_end(&one);
    for (int i = 0; i < 2; i++)
        side_end(&p[i].side);
}

/* The gap is that of the loss of all processes: found by least squares, and by a search that must not part ways. */
static void two_processes_agree_on_the_gap(void **state)
{
    (void)state;
    for (int networks = 0; networks < 2; networks++) {
        static process p[2];
        run_both(p, BLPO_RESPONSE_NESTED, networks);
        assert_same_parameters(p[0].side.trainer, p[1].side.trainer);
        const double gap = trainer_metrics(p[0].side.trainer).best_response_gap;
        assert_true(gap > 1e-3 && gap == trainer_metrics(p[1].side.trainer).best_response_gap);
        for (int i = 0; i < 2; i++)
            side_end(&p[i].side);
    }
}

/* A critic is a few numbers wide but for its inputs: rows of H that are made together are wider than a tile of its layers. */
static void many_features_are_no_more_than_there_is_room_for(void **state)
{
    (void)state;
    enum { MANY = 25, ROWS = 8 }; /* ROWS of these are just more than a tile has of a single output */
    counted_memory memory = { 0 };
    maker m;
    script env = make(2);
    blpo_critic *critic = critic_new(&m, MANY);
    blpo_config config = linear_config(critic, BLPO_RESPONSE_NESTED);
    config.nystrom_rank = ROWS;
    const blpo_runtime runtime = counted_runtime(&memory, NULL);
    blpo_trainer *trainer = script_trainer(&env, &config, &runtime);
    trainer_updates(trainer, 2);
    blpo_trainer_destroy(trainer);
    assert_all_released(&memory);
    blpo_critic_destroy(critic);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features_with_a_one_are_an_affine_network),
        cmocka_unit_test(after_the_exact_response_the_gradient_is_zero),
        cmocka_unit_test(with_a_ridge_the_gradient_is_that_of_the_ridge),
        cmocka_unit_test(the_hessian_is_that_of_least_squares),
        cmocka_unit_test(exact_methods_agree_on_x),
        cmocka_unit_test(settings_that_do_not_fit_are_refused_by_name),
        cmocka_unit_test(a_callback_that_gives_up_ends_the_update_and_nothing_else),
        cmocka_unit_test(values_beyond_all_rewards_are_named_as_the_cause),
        cmocka_unit_test(a_feature_that_is_no_number_is_told_by_place),
        cmocka_unit_test(a_feature_of_a_final_observation_is_told_by_the_step_before_it),
        cmocka_unit_test(threads_and_hooks_change_no_bit_and_updates_take_no_memory),
        cmocka_unit_test(a_checkpoint_resumes_to_the_same_bits),
        cmocka_unit_test(another_number_of_features_is_a_mismatch_by_name),
        cmocka_unit_test(two_processes_find_one_best_response),
        cmocka_unit_test(two_processes_agree_on_the_gap),
        cmocka_unit_test(many_features_are_no_more_than_there_is_room_for),
    };
    return cmocka_run_group_tests_name("training with linear critics", tests, NULL, NULL);
}
