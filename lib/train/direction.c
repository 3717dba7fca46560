/* Vectors of the last minibatch that moved the actor, for whoever wants to hold an update against theory.
 *
 * They are kept when an update is committed, so that one that fails leaves the older ones. Until then they lie where the
 * update made them: implicit, hypergradient and x in the solver, which makes new ones only for the next minibatch that
 * counts; direct and v are swapped out of the way, since a minibatch that target_kl stops overwrites them. So a minibatch
 * pays nothing and an update one copy. */
#include "train/trainer.h"

#include <string.h>

static int64_t length(const blpo_trainer *trainer, int which)
{
    return which >= BLPO_DIRECTION_V ? trainer->critic->n_parameters : trainer->policy->n_parameters;
}

static int needs_solver(int which) { return which != BLPO_DIRECTION_DIRECT && which != BLPO_DIRECTION_HYPERGRADIENT; }

void blpo__directions_create(blpo_trainer *trainer)
{
    blpo__directions *d = &trainer->directions;
    blpo__memory *memory = &trainer->host.memory;
    d->direct = blpo__allocate(memory, trainer->policy->n_parameters, sizeof(real));
    d->response = blpo__allocate(memory, trainer->critic->n_parameters, sizeof(real));
    for (int which = BLPO_DIRECTION_DIRECT; which <= BLPO_DIRECTION_X; which++)
        if (trainer->config.hypergradient || !needs_solver(which))
            d->vector[which - 1] = blpo__allocate(memory, length(trainer, which), sizeof(real));
}

void blpo__directions_begin(blpo_trainer *trainer) { trainer->directions.marked = 0; }

static void swap(real **a, real **b)
{
    real *other = *a;
    *a = *b;
    *b = other;
}

void blpo__directions_mark(blpo_trainer *trainer)
{
    blpo__directions *d = &trainer->directions;
    d->marked = 1;
    swap(&trainer->direct, &d->direct);
    swap(&trainer->response, &d->response);
}

static const real *made(const blpo_trainer *trainer, int which)
{
    const blpo_hypergrad *solver = trainer->solver;
    switch (which) {
    case BLPO_DIRECTION_IMPLICIT:
        return solver->implicit;
    case BLPO_DIRECTION_HYPERGRADIENT:
        return solver == NULL ? trainer->directions.direct : solver->result;
    case BLPO_DIRECTION_V:
        return trainer->directions.response;
    case BLPO_DIRECTION_X:
        return solver->x;
    default:
        return trainer->directions.direct;
    }
}

void blpo__directions_keep(blpo_trainer *trainer)
{
    blpo__directions *d = &trainer->directions;
    if (!d->marked)
        return;
    for (int which = BLPO_DIRECTION_DIRECT; which <= BLPO_DIRECTION_X; which++)
        if (d->vector[which - 1] != NULL)
            memcpy(d->vector[which - 1], made(trainer, which), (size_t)length(trainer, which) * sizeof(real));
    d->known = 1;
}

int blpo_trainer_get_direction(const blpo_trainer *trainer, int which, real *out)
{
    if (trainer == NULL || out == NULL)
        return BLPO_ERR_NULL;
    if (which < BLPO_DIRECTION_DIRECT || which > BLPO_DIRECTION_X)
        return BLPO_ERR_ARGUMENT;
    const real *vector = trainer->directions.vector[which - 1];
    if (!trainer->directions.known || vector == NULL)
        return BLPO_ERR_STATE;
    memcpy(out, vector, (size_t)length(trainer, which) * sizeof *out);
    return BLPO_OK;
}
