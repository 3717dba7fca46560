/* A pool of threads that wait on a condition variable. A batch of pieces is handed out by an atomic counter: which thread
 * runs a piece does not matter to the result. */
#include "core/parallel.h"

#include <blpo/status.h>

#include <pthread.h>
#include <stdatomic.h>

struct blpo__pool {
    pthread_mutex_t mutex;
    pthread_cond_t work;  /* a new batch, or the end */
    pthread_cond_t done;  /* the last worker has left the batch */
    blpo_task_fn task;
    void *context;
    int64_t n_pieces;
    atomic_int_fast64_t next; /* next piece nobody has taken */
    uint64_t batch;           /* number of the current batch */
    int64_t inside;           /* workers that have not left it yet */
    int ending;
    int64_t n_workers;
    pthread_t *worker;
};

static void take_pieces(blpo__pool *pool)
{
    for (int64_t i = atomic_fetch_add(&pool->next, 1); i < pool->n_pieces; i = atomic_fetch_add(&pool->next, 1))
        pool->task(pool->context, i);
}

static void *work(void *argument)
{
    blpo__pool *pool = argument;
    uint64_t seen = 0;
    pthread_mutex_lock(&pool->mutex);
    for (;;) {
        while (pool->batch == seen && !pool->ending)
            pthread_cond_wait(&pool->work, &pool->mutex);
        if (pool->ending)
            break;
        seen = pool->batch;
        pthread_mutex_unlock(&pool->mutex);
        take_pieces(pool);
        pthread_mutex_lock(&pool->mutex);
        if (--pool->inside == 0)
            pthread_cond_signal(&pool->done);
    }
    pthread_mutex_unlock(&pool->mutex);
    return NULL;
}

static void stop_workers(blpo__pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    pool->ending = 1;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->mutex);
    for (int64_t i = 0; i < pool->n_workers; i++)
        pthread_join(pool->worker[i], NULL);
    pthread_cond_destroy(&pool->done);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->mutex);
}

int blpo__parallel_start(blpo__parallel *parallel, const blpo_runtime *runtime, blpo__memory *memory)
{
    *parallel = (blpo__parallel){NULL, runtime->parallel_for, runtime->parallel_user};
    if (runtime->n_threads <= 1)
        return BLPO_OK;
    blpo__pool *pool = blpo__allocate(memory, 1, sizeof *pool);
    pthread_t *worker = blpo__allocate(memory, runtime->n_threads - 1, sizeof *worker);
    if (memory->failed)
        return BLPO_ERR_NOMEM;
    pool->worker = worker;
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->done, NULL);
    while (pool->n_workers < runtime->n_threads - 1) {
        if (pthread_create(&worker[pool->n_workers], NULL, work, pool) != 0) {
            stop_workers(pool);
            return BLPO_ERR_NOMEM;
        }
        pool->n_workers++;
    }
    parallel->pool = pool;
    return BLPO_OK;
}

void blpo__parallel_stop(blpo__parallel *parallel)
{
    if (parallel->pool != NULL)
        stop_workers(parallel->pool);
    parallel->pool = NULL;
}

static void run_on_pool(blpo__pool *pool, int64_t n_pieces, blpo_task_fn task, void *context)
{
    pthread_mutex_lock(&pool->mutex);
    pool->task = task;
    pool->context = context;
    pool->n_pieces = n_pieces;
    atomic_store(&pool->next, 0);
    pool->inside = pool->n_workers;
    pool->batch++;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->mutex);
    take_pieces(pool);
    pthread_mutex_lock(&pool->mutex);
    while (pool->inside > 0)
        pthread_cond_wait(&pool->done, &pool->mutex);
    pthread_mutex_unlock(&pool->mutex);
}

void blpo__parallel_run(const blpo__parallel *parallel, int64_t n_pieces, blpo_task_fn task, void *context)
{
    if (n_pieces > 1 && parallel->hook != NULL)
        parallel->hook(parallel->user, n_pieces, task, context);
    else if (n_pieces > 1 && parallel->pool != NULL)
        run_on_pool(parallel->pool, n_pieces, task, context);
    else
        for (int64_t i = 0; i < n_pieces; i++)
            task(context, i);
}

int64_t blpo__n_pieces(int64_t rows)
{
    const int64_t most = (rows + BLPO__PIECE - 1) / BLPO__PIECE;
    if (rows <= BLPO__TILE)
        return rows > 0;
    return most < BLPO__MAX_PIECES ? most : BLPO__MAX_PIECES;
}

int64_t blpo__piece_begin(int64_t rows, int64_t n_pieces, int64_t piece)
{
    const int64_t most = (rows + BLPO__PIECE - 1) / BLPO__PIECE;
    const int64_t row = most * piece / n_pieces * BLPO__PIECE;
    return row < rows ? row : rows;
}

void blpo__reduce(real *partial, int64_t n_pieces, int64_t stride, int64_t n)
{
    for (int64_t gap = 1; gap < n_pieces; gap *= 2)
        for (int64_t to = 0; to + gap < n_pieces; to += 2 * gap) {
            real *restrict a = partial + to * stride;
            const real *restrict b = partial + (to + gap) * stride;
            for (int64_t i = 0; i < n; i++)
                a[i] += b[i];
        }
}
