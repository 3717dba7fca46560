/* A pool of threads, and the calling one, that take the pieces of a batch. Which thread runs a piece does not matter to the
 * result.
 *
 * The ticket is one atomic number: the batch above, below it one bit for each piece that nobody has taken. A piece is taken by
 * clearing its bit, which fails where another thread, or another batch, has come between: so a thread that was asleep, or
 * late, can neither run a piece twice nor one of a batch that is over. The caller waits for pieces alone, not for threads:
 * those that do not wake in time find nothing left, and nobody has missed them.
 *
 * The caller has taken piece 0 before anybody sees the batch: so it need not compete for the ticket with those that it woke.
 * Each thread begins with a share of its own, the same in every batch of as many pieces, and helps others then: rows that
 * it worked on are still in the caches of its processor.
 *
 * Order of memory: task and context are written before the ticket of their batch (release), and read after it (acquire).
 * They are written anew only when every piece of the old batch is done, and then none of its bits is set: where clearing a bit
 * succeeds, the task that was read before belongs to that batch.
 *
 * Waiting: a batch is some tens of microseconds, and the next one follows close. So a thread without work looks at the ticket
 * for a while (SPIN) before it sleeps; waking it costs more than the work that it missed. Where threads outnumber processors
 * whoever looks takes the place of whoever works, and all sleep at once. A thread that sleeps says so first and looks once
 * more then, and whoever brings work looks for sleepers after that: one of the two sees the other (sequential consistency).
 *
 * fork: a child has the memory and none of the threads, and the locks as they stood. It takes every piece itself, and finds
 * that out, by its number as a process, where it would touch a lock. */
#if defined(__linux__)
#define _GNU_SOURCE /* sched_getaffinity */
#else
#define _POSIX_C_SOURCE 200809L
#endif
#include "core/pool.h"

#include "core/parallel.h"

#include <blpo/status.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#if defined(__GLIBC__)
#define BLPO__HAS_ATTR_SIGMASK __GLIBC_PREREQ(2, 32)
#else
#define BLPO__HAS_ATTR_SIGMASK 0
#endif

enum {
    SPIN_NS = 50000, /* looks for work so long before it sleeps: some pieces, and about the price of being woken */
    LOOKS = 32,      /* between two looks at the clock */
    PIECE_BITS = BLPO__MAX_PIECES, /* of the ticket; the 48 above them do not come round again in a lifetime */
    PIECE_MASK = (1 << PIECE_BITS) - 1,
    LINE = 64 /* bytes that processors pass to each other at a time */
};

typedef struct blpo__worker {
    blpo__pool *pool;
    int64_t number; /* 1 .. n_threads - 1; the caller is 0 */
    pthread_t thread;
} blpo__worker;

struct blpo__pool {
    _Alignas(LINE) atomic_uint_fast64_t ticket;
    _Atomic(blpo_task_fn) task;
    _Atomic(void *) context;
    atomic_int_fast64_t n_pieces;
    _Alignas(LINE) atomic_int_fast64_t undone; /* pieces of the batch that have not returned */
    atomic_int caller_sleeps;
    _Alignas(LINE) atomic_int_fast64_t n_sleepers; /* workers that wait for `work` */
    atomic_int ending;
    pthread_mutex_t mutex;
    pthread_cond_t work; /* a new batch, or the end */
    pthread_cond_t done; /* the last piece has returned */
    int64_t spin_ns;
    pid_t process;
    int64_t n_threads; /* asked for, the caller included */
    int64_t n_workers; /* that run */
    blpo__worker *worker;
};

/* Threads of the pool exist in the process that made them. */
static int has_threads(const blpo__pool *pool)
{
    return pool->process == getpid();
}

/* ---- waiting ---- */

static void breathe(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int has_work(blpo__pool *pool)
{
    return (atomic_load(&pool->ticket) & PIECE_MASK) != 0 || atomic_load(&pool->ending);
}

static int is_done(blpo__pool *pool)
{
    return atomic_load(&pool->undone) == 0;
}

/* Whether it came while we looked for it. */
static int comes_soon(blpo__pool *pool, int (*it)(blpo__pool *pool))
{
    if (it(pool))
        return 1;
    if (pool->spin_ns == 0)
        return 0;
    for (const int64_t end = now_ns() + pool->spin_ns; now_ns() < end;)
        for (int i = 0; i < LOOKS; i++) {
            if (it(pool))
                return 1;
            breathe();
        }
    return 0;
}

static void sleep_until_work(blpo__pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    atomic_fetch_add(&pool->n_sleepers, 1);
    while (!has_work(pool))
        pthread_cond_wait(&pool->work, &pool->mutex);
    atomic_fetch_sub(&pool->n_sleepers, 1);
    pthread_mutex_unlock(&pool->mutex);
}

static void sleep_until_done(blpo__pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    atomic_store(&pool->caller_sleeps, 1);
    while (!is_done(pool))
        pthread_cond_wait(&pool->done, &pool->mutex);
    atomic_store(&pool->caller_sleeps, 0);
    pthread_mutex_unlock(&pool->mutex);
}

/* Wakes as many as there are pieces for. */
static void wake(blpo__pool *pool, int64_t n)
{
    if (atomic_load(&pool->n_sleepers) == 0 || !has_threads(pool))
        return;
    pthread_mutex_lock(&pool->mutex);
    for (int64_t i = 0; i < n && i < pool->n_workers; i++)
        pthread_cond_signal(&pool->work);
    pthread_mutex_unlock(&pool->mutex);
}

/* ---- working ---- */

static void piece_done(blpo__pool *pool)
{
    if (atomic_fetch_sub(&pool->undone, 1) != 1 || !atomic_load(&pool->caller_sleeps))
        return;
    pthread_mutex_lock(&pool->mutex);
    pthread_cond_signal(&pool->done);
    pthread_mutex_unlock(&pool->mutex);
}

/* The lowest piece of the thread's share that is left, or else the highest of all: the one its owner comes to last. */
static int64_t choose(unsigned left, int64_t n_pieces, int64_t thread, int64_t n_threads)
{
    const int64_t begin = n_pieces * thread / n_threads, end = n_pieces * (thread + 1) / n_threads;
    int64_t highest = -1;
    for (int64_t i = 0; i < n_pieces; i++) {
        if (!(left >> i & 1))
            continue;
        if (begin <= i && i < end)
            return i;
        highest = i;
    }
    return highest;
}

static void take_pieces(blpo__pool *pool, int64_t thread)
{
    uint_fast64_t ticket = atomic_load(&pool->ticket);
    while ((ticket & PIECE_MASK) != 0) {
        const blpo_task_fn task = atomic_load_explicit(&pool->task, memory_order_relaxed);
        void *context = atomic_load_explicit(&pool->context, memory_order_relaxed);
        const int64_t n_pieces = atomic_load_explicit(&pool->n_pieces, memory_order_relaxed);
        const int64_t piece = choose((unsigned)(ticket & PIECE_MASK), n_pieces, thread, pool->n_threads);
        if (piece < 0) { /* n_pieces of a later batch */
            ticket = atomic_load(&pool->ticket);
            continue;
        }
        if (!atomic_compare_exchange_strong(&pool->ticket, &ticket, ticket & ~((uint_fast64_t)1 << piece)))
            continue;
        task(context, piece);
        piece_done(pool);
        ticket = atomic_load(&pool->ticket);
    }
}

static void *work(void *argument)
{
    const blpo__worker *worker = argument;
    blpo__pool *pool = worker->pool;
    while (!atomic_load(&pool->ending)) {
        if (!comes_soon(pool, has_work))
            sleep_until_work(pool);
        take_pieces(pool, worker->number);
    }
    return NULL;
}

void blpo__pool_run(blpo__pool *pool, int64_t n_pieces, blpo_task_fn task, void *context)
{
    const uint_fast64_t batch = (atomic_load_explicit(&pool->ticket, memory_order_relaxed) >> PIECE_BITS) + 1;
    atomic_store_explicit(&pool->task, task, memory_order_relaxed);
    atomic_store_explicit(&pool->context, context, memory_order_relaxed);
    atomic_store_explicit(&pool->n_pieces, n_pieces, memory_order_relaxed);
    atomic_store_explicit(&pool->undone, n_pieces, memory_order_relaxed);
    atomic_store(&pool->ticket, batch << PIECE_BITS | (((uint_fast64_t)1 << n_pieces) - 2)); /* piece 0 is the caller's */
    wake(pool, n_pieces - 1);
    task(context, 0);
    piece_done(pool);
    take_pieces(pool, 0);
    if (!comes_soon(pool, is_done))
        sleep_until_done(pool);
}

/* ---- beginning and end ---- */

static int64_t n_processors(void)
{
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return CPU_COUNT(&set);
#endif
    return sysconf(_SC_NPROCESSORS_ONLN);
}

void blpo__pool_stop(blpo__pool *pool)
{
    if (!has_threads(pool)) /* nobody to join, and locks that may be held by nobody */
        return;
    pthread_mutex_lock(&pool->mutex);
    atomic_store(&pool->ending, 1);
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->mutex);
    for (int64_t i = 0; i < pool->n_workers; i++)
        pthread_join(pool->worker[i].thread, NULL);
    pthread_cond_destroy(&pool->done);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->mutex);
}

/* Signals are the host's: none is delivered to a thread that it does not know, where the C library can see to that without
 * a change to the thread that calls (glibc 2.32). */
static int block_signals(pthread_attr_t *attributes)
{
#if BLPO__HAS_ATTR_SIGMASK
    sigset_t all;
    sigfillset(&all);
    return pthread_attr_setsigmask_np(attributes, &all);
#else
    (void)attributes;
    return 0;
#endif
}

static int make_locks(blpo__pool *pool)
{
    int rc = pthread_mutex_init(&pool->mutex, NULL);
    if (rc != 0)
        return rc;
    rc = pthread_cond_init(&pool->work, NULL);
    if (rc == 0) {
        rc = pthread_cond_init(&pool->done, NULL);
        if (rc == 0)
            return 0;
        pthread_cond_destroy(&pool->work);
    }
    pthread_mutex_destroy(&pool->mutex);
    return rc;
}

static int start_workers(blpo__pool *pool)
{
    pthread_attr_t attributes;
    int rc = pthread_attr_init(&attributes);
    if (rc != 0)
        return rc;
    rc = block_signals(&attributes);
    while (rc == 0 && pool->n_workers < pool->n_threads - 1) {
        blpo__worker *worker = &pool->worker[pool->n_workers];
        *worker = (blpo__worker){.pool = pool, .number = pool->n_workers + 1};
        rc = pthread_create(&worker->thread, &attributes, work, worker);
        pool->n_workers += rc == 0;
    }
    pthread_attr_destroy(&attributes);
    return rc;
}

int blpo__pool_start(blpo__pool **out, int64_t n_threads, blpo__memory *memory)
{
    blpo__pool *pool = blpo__allocate(memory, 1, sizeof *pool);
    blpo__worker *worker = blpo__allocate(memory, n_threads - 1, sizeof *worker);
    if (memory->failed)
        return BLPO_ERR_NOMEM;
    pool->worker = worker;
    pool->n_threads = n_threads;
    pool->process = getpid();
    pool->spin_ns = n_threads <= n_processors() ? SPIN_NS : 0;
    if (make_locks(pool) != 0)
        return BLPO_ERR_NOMEM;
    if (start_workers(pool) != 0) {
        blpo__pool_stop(pool);
        return BLPO_ERR_NOMEM;
    }
    *out = pool;
    return BLPO_OK;
}
