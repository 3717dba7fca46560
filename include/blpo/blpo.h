/** @file blpo.h
 *  Everything of libblpo: Bilevel Policy Optimization with Nystrom hypergradients (arXiv:2505.11714).
 *
 *  Five ways in:
 *   - train in my program: blpo_trainer_create(), blpo_trainer_run() with callbacks (trainer.h, env.h);
 *   - my loop, my clock: blpo_trainer_act(), blpo_trainer_observe(), blpo_trainer_update();
 *   - only the hypergradient, for another bilevel problem: blpo_hypergrad_compute() (hypergrad.h);
 *   - only inference: blpo_policy_load(), blpo_policy_act() (policy.h);
 *   - a binding: flat functions, structs that carry their size, int64_t counts, row-major arrays.
 *
 *  Conventions that hold everywhere:
 *   - Arrays are row-major; a shape is written [rows][columns]. Data and parameters are float, scalars double.
 *   - A function that returns int gives BLPO_OK (0), a positive outcome, or a negative blpo_status.
 *   - Config structs start with struct_size and are filled by their init function before fields are set. In
 *     structs that are filled for the caller (metrics, reports, views) the caller sets it, to sizeof. A size that is
 *     below that of version 0.1 or above 65536 is BLPO_ERR_VERSION, so that one that nobody set does no harm.
 *   - Handles are opaque and independent of each other; one thread at a time uses one handle, unless a function
 *     takes it as const. All memory is taken at create. The library never prints, exits or keeps global state.
 *   - A handle is destroyed by nobody who is inside one of its callbacks, and while no other thread uses it: destroy asks
 *     for no lock, and frees what they stand on.
 *   - A callback must return: no C++ exception and no longjmp may leave it, through the library. The handle that called it
 *     would stay BLPO_ERR_BUSY for ever, and what it was about to do half done. Catch inside, return a verdict, go on outside.
 */
#ifndef BLPO_BLPO_H
#define BLPO_BLPO_H

#include <blpo/checkpoint.h>
#include <blpo/critic.h>
#include <blpo/env.h>
#include <blpo/hypergrad.h>
#include <blpo/policy.h>
#include <blpo/rollout.h>
#include <blpo/runtime.h>
#include <blpo/status.h>
#include <blpo/trainer.h>
#include <blpo/version.h>

#endif
