/* The pool: every piece of every batch runs once, its work is seen by the caller, pieces do run side by side, and the threads
 * are good guests: no processor is kept busy without work, no signal of the host reaches them, a child of fork() does
 * without them. */
#define _POSIX_C_SOURCE 200809L
#include "support/check.h"
#include "support/memory.h"

#include "core/parallel.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST = BLPO__MAX_PIECES };

typedef struct crew {
    counted_memory counted;
    blpo__memory memory;
    blpo__parallel parallel;
} crew;

static void hire(crew *c, int64_t n_threads)
{
    memset(c, 0, sizeof *c);
    blpo_runtime runtime = counted_runtime(&c->counted, NULL);
    runtime.n_threads = n_threads;
    c->memory = blpo__memory_of(&runtime);
    assert_status(blpo__parallel_start(&c->parallel, &runtime, &c->memory), BLPO_OK);
}

static void dismiss(crew *c)
{
    blpo__parallel_stop(&c->parallel);
    blpo__memory_release(&c->memory);
    assert_all_released(&c->counted);
}

/* What the pieces write is not atomic: the caller may read it only if the pool orders it. */
typedef struct sheet {
    int64_t batch;
    int64_t mark[MOST];
} sheet;

static void add_mark(void *context, int64_t piece)
{
    sheet *s = context;
    s->mark[piece] += s->batch + piece;
}

static void add_marks(const crew *c, sheet *s, int64_t n)
{
    memset(s->mark, 0, sizeof s->mark);
    blpo__parallel_run(&c->parallel, n, add_mark, s);
    for (int64_t i = 0; i < MOST; i++)
        assert_int_equal(s->mark[i], i < n ? s->batch + i : 0);
}

/* Batches follow each other at once, each in memory that the next one uses anew: a thread that is late would spoil it. */
static void every_piece_runs_once(void **state)
{
    (void)state;
    static const int64_t n_threads[] = { 1, 2, 3, 8, 32 };
    for (int64_t k = 0; k < TEST_COUNT(n_threads); k++) {
        crew c;
        sheet s[2];
        hire(&c, n_threads[k]);
        for (int64_t batch = 1; batch <= 3000; batch++) {
            s[batch % 2].batch = batch;
            add_marks(&c, &s[batch % 2], batch * 7 % (MOST + 1));
        }
        dismiss(&c);
    }
}

/* Between batches the threads have gone to sleep, or are just about to. */
static void threads_that_sleep_are_woken(void **state)
{
    (void)state;
    crew c;
    sheet s;
    hire(&c, 3);
    for (int64_t batch = 1; batch <= 100; batch++) {
        const struct timespec pause = { 0, batch * 2000 };
        nanosleep(&pause, NULL);
        s.batch = batch;
        add_marks(&c, &s, 5);
    }
    dismiss(&c);
}

static void meet(void *context, int64_t piece)
{
    (void)piece;
    pthread_barrier_wait(context);
}

/* As many pieces as threads, none of which can end before all have begun. */
static void pieces_run_side_by_side(void **state)
{
    (void)state;
    for (int64_t n = 2; n <= 5; n++) {
        crew c;
        pthread_barrier_t barrier;
        hire(&c, n);
        assert_int_equal(pthread_barrier_init(&barrier, NULL, (unsigned)n), 0);
        for (int i = 0; i < 20; i++)
            blpo__parallel_run(&c.parallel, n, meet, &barrier);
        dismiss(&c);
        pthread_barrier_destroy(&barrier);
    }
}

static double processor_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Not a matter of speed: seven threads that went on looking for work would take a second of processor time here and more. */
static void threads_without_work_sleep(void **state)
{
    (void)state;
    crew c;
    sheet s = { .batch = 1 };
    const struct timespec second = { 1, 0 };
    hire(&c, 8);
    add_marks(&c, &s, 8);
    const double before = processor_seconds();
    nanosleep(&second, NULL);
    assert_true(processor_seconds() - before < 0.3);
    dismiss(&c);
}

/* Whether each piece ran in a thread that takes no signal, or in the caller. */
typedef struct guests {
    pthread_barrier_t barrier;
    pthread_t caller;
    atomic_int blocked, by_caller;
} guests;

static void look_at_signals(void *context, int64_t piece)
{
    (void)piece;
    guests *g = context;
    sigset_t mask;
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    atomic_fetch_add(&g->by_caller, pthread_equal(pthread_self(), g->caller) != 0);
    atomic_fetch_add(&g->blocked, sigismember(&mask, SIGINT) == 1 && sigismember(&mask, SIGALRM) == 1);
    pthread_barrier_wait(&g->barrier);
}

static void no_signal_reaches_the_threads(void **state)
{
    (void)state;
    crew c;
    guests g = { .caller = pthread_self() };
    hire(&c, 4);
    assert_int_equal(pthread_barrier_init(&g.barrier, NULL, 4), 0);
    blpo__parallel_run(&c.parallel, 4, look_at_signals, &g);
    dismiss(&c);
    pthread_barrier_destroy(&g.barrier);
    assert_int_equal(g.by_caller, 1);
    assert_int_equal(g.blocked, 3);
}

/* Runs batches and ends the pool, without a thread of it. */
static int child(crew *c)
{
    for (int64_t batch = 1; batch <= 50; batch++) {
        sheet s = { .batch = batch };
        blpo__parallel_run(&c->parallel, 7, add_mark, &s);
        for (int64_t i = 0; i < 7; i++)
            if (s.mark[i] != batch + i)
                return 1;
    }
    blpo__parallel_stop(&c->parallel);
    return 0;
}

/* The threads are asleep, awake, or between: the locks stand as they may. */
static void a_child_process_does_without_the_threads(void **state)
{
    (void)state;
    crew c;
    sheet s;
    hire(&c, 3);
    for (int64_t i = 1; i <= 40; i++) {
        const struct timespec pause = { 0, i * 4000 };
        s.batch = i;
        add_marks(&c, &s, 6);
        nanosleep(&pause, NULL);
        const pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            alarm(60);
            _exit(child(&c));
        }
        int status = -1;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    dismiss(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_piece_runs_once),         cmocka_unit_test(threads_that_sleep_are_woken),
        cmocka_unit_test(pieces_run_side_by_side),       cmocka_unit_test(threads_without_work_sleep),
        cmocka_unit_test(no_signal_reaches_the_threads), cmocka_unit_test(a_child_process_does_without_the_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
