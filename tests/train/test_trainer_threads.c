/* A trainer in two threads at once: the second one is refused, and nothing that it asked for happens. */
#define _POSIX_C_SOURCE 200809L /* pthread_barrier_t */
#include "support/check.h"
#include "support/training.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum { ENVS = 2, THREADS = 4 };

static script make(void)
{
    script s = script_new(ENVS, BLPO_AUTORESET_DISABLED);
    s.reacts = 1;
    return s;
}

static blpo_trainer *undisturbed(int64_t updates)
{
    static script s;
    s = make();
    blpo_trainer *trainer = script_trainer(&s, NULL, NULL);
    trainer_updates(trainer, updates);
    return trainer;
}

/* One thread stands inside a callback, between the two meetings, while the other tries every door. */
typedef struct rendezvous {
    blpo_trainer *trainer;
    pthread_barrier_t inside, tried;
    int64_t calls, at; /* calls of the callback; the one in which it stands */
    int code;
} rendezvous;

static void stand(rendezvous *r)
{
    if (++r->calls != r->at)
        return;
    pthread_barrier_wait(&r->inside);
    pthread_barrier_wait(&r->tried);
}

static void stand_in_step(script *s)
{
    stand(s->inside_data);
}

static int stand_in_metrics(void *user, const blpo_metrics *metrics)
{
    (void)metrics;
    stand(user);
    return BLPO_CONTINUE;
}

static int stand_in_write(void *user, const void *bytes, size_t n)
{
    (void)bytes;
    (void)n;
    stand(user);
    return 0;
}

static void *run(void *data)
{
    rendezvous *r = data;
    r->code = blpo_trainer_run(r->trainer, 4 * 8 * ENVS, NULL, NULL);
    return NULL;
}

static void *run_with_metrics(void *data)
{
    rendezvous *r = data;
    r->code = blpo_trainer_run(r->trainer, 4 * 8 * ENVS, stand_in_metrics, r);
    return NULL;
}

static void try_every_entry(blpo_trainer *trainer)
{
    byte_buffer buffer = { 0 };
    test_real obs[ENVS * SCRIPT_OBS] = { 0 }, reward[ENVS] = { 0 };
    int64_t action[ENVS] = { 42, 42 };
    const uint8_t no[ENVS] = { 0 };
    const blpo_transition transition = { sizeof transition, obs, reward, no, no, NULL };
    assert_status(blpo_trainer_run(trainer, 1, NULL, NULL), BLPO_ERR_BUSY);
    assert_status(blpo_trainer_run(trainer, 0, NULL, NULL), BLPO_ERR_BUSY);
    assert_status(blpo_trainer_collect(trainer), BLPO_ERR_BUSY);
    assert_status(blpo_trainer_update(trainer, NULL), BLPO_ERR_BUSY);
    assert_status(blpo_trainer_act(trainer, obs, action), BLPO_ERR_BUSY);
    assert_status(blpo_trainer_observe(trainer, &transition), BLPO_ERR_BUSY);
    assert_status(blpo_trainer_save(trainer, bytes_write, &buffer), BLPO_ERR_BUSY);
    assert_status(blpo_trainer_load(trainer, bytes_read, &buffer), BLPO_ERR_BUSY);
    assert_int_equal(buffer.calls, 0);
    assert_true(action[0] == 42 && action[1] == 42);
}

/* Runs `work` in a thread of its own until it stands in its callback, and tries every entry from this one. */
static void intrude(rendezvous *r, void *(*work)(void *data))
{
    pthread_t thread;
    assert_int_equal(pthread_barrier_init(&r->inside, NULL, 2), 0);
    assert_int_equal(pthread_barrier_init(&r->tried, NULL, 2), 0);
    assert_int_equal(pthread_create(&thread, NULL, work, r), 0);
    pthread_barrier_wait(&r->inside);
    try_every_entry(r->trainer);
    pthread_barrier_wait(&r->tried);
    assert_int_equal(pthread_join(thread, NULL), 0);
    pthread_barrier_destroy(&r->inside);
    pthread_barrier_destroy(&r->tried);
}

static void a_second_thread_is_refused_while_the_first_steps(void **state)
{
    (void)state;
    script s = make();
    rendezvous r = { .trainer = script_trainer(&s, NULL, NULL), .at = 12 }; /* a step of the second rollout */
    s.inside = stand_in_step;
    s.inside_data = &r;
    blpo_trainer *clean = undisturbed(4);
    intrude(&r, run);
    assert_status(r.code, BLPO_OK);
    assert_same_trainer(r.trainer, clean);
    blpo_trainer_destroy(r.trainer);
    blpo_trainer_destroy(clean);
}

static void a_second_thread_is_refused_while_the_first_reports(void **state)
{
    (void)state;
    script s = make();
    rendezvous r = { .trainer = script_trainer(&s, NULL, NULL), .at = 3 };
    blpo_trainer *clean = undisturbed(4);
    intrude(&r, run_with_metrics);
    assert_status(r.code, BLPO_OK);
    assert_same_trainer(r.trainer, clean);
    blpo_trainer_destroy(r.trainer);
    blpo_trainer_destroy(clean);
}

static void *save(void *data)
{
    rendezvous *r = data;
    r->code = blpo_trainer_save(r->trainer, stand_in_write, r);
    return NULL;
}

static void a_second_thread_is_refused_while_the_first_saves(void **state)
{
    (void)state;
    rendezvous r = { .trainer = undisturbed(1), .at = 1 };
    byte_buffer before = trainer_bytes(r.trainer);
    intrude(&r, save);
    assert_status(r.code, BLPO_OK);
    assert_trainer_is(r.trainer, &before);
    bytes_free(&before);
    blpo_trainer_destroy(r.trainer);
}

/* Nobody waits for anybody: each thread asks for a run of one update again and again, until all of them together were granted
 * a hundred. However they met, the trainer is that of as many updates in one thread. */
typedef struct crowd {
    blpo_trainer *trainer;
    atomic_int granted, wrong;
} crowd;

static void *push_in(void *data)
{
    crowd *c = data;
    while (atomic_load(&c->granted) < 100) {
        const int code = blpo_trainer_run(c->trainer, 1, NULL, NULL);
        if (code == BLPO_OK)
            atomic_fetch_add(&c->granted, 1);
        else if (code != BLPO_ERR_BUSY)
            atomic_fetch_add(&c->wrong, 1);
    }
    return NULL;
}

static void a_crowd_of_threads_makes_the_updates_that_were_granted(void **state)
{
    (void)state;
    script s = make();
    crowd c = { .trainer = script_trainer(&s, NULL, NULL) };
    pthread_t thread[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, push_in, &c), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    assert_int_equal(atomic_load(&c.wrong), 0);
    assert_int_equal(s.violations, 0);
    blpo_trainer *clean = undisturbed(atomic_load(&c.granted));
    assert_same_trainer(c.trainer, clean);
    blpo_trainer_destroy(c.trainer);
    blpo_trainer_destroy(clean);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_thread_is_refused_while_the_first_steps),
        cmocka_unit_test(a_second_thread_is_refused_while_the_first_reports),
        cmocka_unit_test(a_second_thread_is_refused_while_the_first_saves),
        cmocka_unit_test(a_crowd_of_threads_makes_the_updates_that_were_granted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
