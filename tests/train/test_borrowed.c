/* A policy and a critic that a trainer borrows, in the hands of two at once: whoever would change them while another call
 * changes or saves them is refused, and what that call was about to do comes out as if nobody had asked. */
#include "support/check.h"
#include "support/training.h"

#include <string.h>

enum { ENVS = 2, MOST = 512 };

typedef struct lender {
    blpo_policy *policy;
    blpo_critic *critic;
    blpo_trainer *trainer, *other; /* `other` borrows the same two */
    int64_t calls, wrong;
    byte_buffer bytes; /* of write and read */
    int fails;         /* what the callbacks return */
    int policy_only;   /* the call works with the policy alone */
} lender;

static void set_players(lender *me, int expected)
{
    test_real x[MOST] = { 0 };
    me->wrong += blpo_policy_set_parameters(me->policy, x, blpo_policy_n_parameters(me->policy)) != expected;
    if (!me->policy_only)
        me->wrong += blpo_critic_set_parameters(me->critic, x, blpo_critic_n_parameters(me->critic)) != expected;
}

/* Reading goes on: acting, values, and a copy of the policy. */
static void read_players(lender *me)
{
    const test_real obs[SCRIPT_OBS] = { 0 };
    test_real value;
    int64_t action;
    byte_buffer copy = { 0 };
    me->wrong += blpo_policy_act(me->policy, obs, 1, BLPO_DETERMINISTIC, NULL, &action) != BLPO_OK;
    me->wrong += blpo_critic_value(me->critic, obs, 1, &value) != BLPO_OK;
    me->wrong += blpo_trainer_save_policy(me->trainer, bytes_write, &copy) != BLPO_OK;
    bytes_free(&copy);
}

static void try_all(lender *me)
{
    me->calls++;
    set_players(me, BLPO_ERR_BUSY);
    read_players(me);
    if (me->other == NULL)
        return;
    me->wrong += blpo_trainer_update(me->other, NULL) != BLPO_ERR_BUSY;
    me->wrong += blpo_trainer_error(me->other)->stage != BLPO_STAGE_PARAMETERS;
    me->wrong += strcmp(blpo_trainer_error(me->other)->field, "policy") != 0;
    byte_buffer nothing = { 0 };
    me->wrong += blpo_trainer_load(me->other, bytes_read, &nothing) != BLPO_ERR_BUSY || nothing.calls != 0;
}

static int trying_reduce(void *user, test_real *buffer, int64_t n)
{
    lender *me = user;
    try_all(me);
    for (int64_t i = 0; i < n; i++)
        buffer[i] *= 2;
    return me->fails;
}

static int trying_write(void *user, const void *bytes, size_t n)
{
    lender *me = user;
    try_all(me);
    const int rc = bytes_write(&me->bytes, bytes, n);
    return me->fails ? me->fails : rc;
}

static int trying_read(void *user, void *bytes, size_t n)
{
    lender *me = user;
    try_all(me);
    const int rc = bytes_read(&me->bytes, bytes, n);
    return me->fails ? me->fails : rc;
}

static blpo_trainer *borrower(lender *me, script *s)
{
    *s = script_new(ENVS, BLPO_AUTORESET_DISABLED);
    s->reacts = 1;
    blpo_config config = script_config();
    config.policy = me->policy;
    config.critic = me->critic;
    blpo_runtime runtime;
    assert_status(blpo_runtime_init(&runtime, sizeof runtime), BLPO_OK);
    runtime.all_reduce = trying_reduce;
    runtime.all_reduce_user = me;
    runtime.n_processes = 2;
    blpo_trainer *trainer = script_trainer(s, &config, &runtime);
    assert_status(blpo_trainer_collect(trainer), BLPO_UPDATE_DUE);
    return trainer;
}

static void make_players(lender *me)
{
    static const int64_t width = 4;
    blpo_policy_config of_policy;
    blpo_critic_config of_critic;
    memset(me, 0, sizeof *me);
    assert_status(blpo_policy_config_init(&of_policy, sizeof of_policy), BLPO_OK);
    assert_status(blpo_critic_config_init(&of_critic, sizeof of_critic), BLPO_OK);
    of_policy.obs_dim = of_critic.obs_dim = SCRIPT_OBS;
    of_policy.action = (blpo_action_space){ .kind = BLPO_ACTION_DISCRETE, .n = 2 };
    of_policy.network.hidden = of_critic.network.hidden = &width;
    of_policy.network.n_hidden = of_critic.network.n_hidden = 1;
    assert_status(blpo_policy_create(&of_policy, NULL, &me->policy), BLPO_OK);
    assert_status(blpo_critic_create(&of_critic, NULL, &me->critic), BLPO_OK);
}

/* With a rollout that is full, and another trainer of the same two whose rollout is full as well. */
static void begin(lender *me, script s[2])
{
    make_players(me);
    me->trainer = borrower(me, &s[0]);
    me->other = borrower(me, &s[1]);
}

/* In the end both may be set again, whatever came of the call. */
static void end(lender *me)
{
    assert_int_equal(me->wrong, 0);
    assert_true(me->calls > 0);
    set_players(me, BLPO_OK);
    assert_int_equal(me->wrong, 0);
    blpo_trainer_destroy(me->trainer);
    blpo_trainer_destroy(me->other);
    blpo_policy_destroy(me->policy);
    blpo_critic_destroy(me->critic);
    bytes_free(&me->bytes);
}

/* The first update of equal twins is that of one trainer with the same parameters. */
static void nobody_sets_them_in_an_update(void **state)
{
    (void)state;
    for (int fails = 0; fails <= 1; fails++) {
        script s[2], plain_env = script_new(ENVS, BLPO_AUTORESET_DISABLED);
        lender me, own;
        begin(&me, s);
        make_players(&own);
        plain_env.reacts = 1;
        blpo_config config = script_config();
        config.policy = own.policy;
        config.critic = own.critic;
        blpo_trainer *plain = script_trainer(&plain_env, &config, NULL);
        if (!fails)
            trainer_updates(plain, 1);
        me.fails = fails ? 9 : 0;
        assert_status(blpo_trainer_update(me.trainer, NULL), fails ? BLPO_ERR_CALLBACK : BLPO_OK);
        assert_same_parameters(me.trainer, plain);
        end(&me);
        blpo_trainer_destroy(plain);
        blpo_policy_destroy(own.policy);
        blpo_critic_destroy(own.critic);
    }
}

static void nobody_sets_the_policy_while_it_is_saved(void **state)
{
    (void)state;
    script s[2];
    lender me;
    begin(&me, s);
    byte_buffer quiet = { 0 };
    me.policy_only = 1;
    assert_status(blpo_policy_save(me.policy, bytes_write, &quiet), BLPO_OK);
    assert_status(blpo_policy_save(me.policy, trying_write, &me), BLPO_OK);
    assert_true(me.bytes.length == quiet.length);
    assert_memory_equal(me.bytes.bytes, quiet.bytes, quiet.length);
    me.fails = 3;
    assert_status(blpo_policy_save(me.policy, trying_write, &me), BLPO_ERR_CALLBACK);
    bytes_free(&quiet);
    end(&me);
}

static void nobody_sets_them_while_a_trainer_is_saved(void **state)
{
    (void)state;
    script s[2];
    lender me;
    begin(&me, s);
    byte_buffer quiet = trainer_bytes(me.trainer);
    assert_status(blpo_trainer_save(me.trainer, trying_write, &me), BLPO_OK);
    assert_true(me.bytes.length == quiet.length);
    assert_memory_equal(me.bytes.bytes, quiet.bytes, quiet.length);
    me.fails = 3;
    assert_status(blpo_trainer_save(me.trainer, trying_write, &me), BLPO_ERR_CALLBACK);
    bytes_free(&quiet);
    end(&me);
}

static void nobody_sets_them_while_a_trainer_is_loaded(void **state)
{
    (void)state;
    script s[2];
    lender me;
    begin(&me, s);
    me.bytes = trainer_bytes(me.trainer);
    byte_buffer quiet = bytes_copy(&me.bytes);
    assert_status(blpo_trainer_load(me.trainer, trying_read, &me), BLPO_OK);
    assert_trainer_is(me.trainer, &quiet);
    me.fails = 3;
    assert_status(blpo_trainer_load(me.trainer, trying_read, &me), BLPO_ERR_CALLBACK);
    assert_trainer_is(me.trainer, &quiet);
    bytes_free(&quiet);
    end(&me);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_sets_them_in_an_update),
        cmocka_unit_test(nobody_sets_the_policy_while_it_is_saved),
        cmocka_unit_test(nobody_sets_them_while_a_trainer_is_saved),
        cmocka_unit_test(nobody_sets_them_while_a_trainer_is_loaded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
