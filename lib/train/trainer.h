/* The trainer inside the library. Files: config.c checks settings; trainer.c makes the handle; collect.c acts and observes;
 * update.c is the one update; direction.c keeps its vectors; metrics.c counts; lib/io/trainer_file.c saves and loads. */
#ifndef BLPO_TRAIN_TRAINER_H
#define BLPO_TRAIN_TRAINER_H

#include "core/host.h"
#include "hypergrad/hypergrad.h"
#include "nn/adam.h"
#include "rl/critic.h"
#include "rl/policy.h"
#include "rl/rollout.h"
#include "train/game.h"
#include "train/gap.h"

#include <blpo/trainer.h>

/* Returns and lengths of episodes: those that run, and a ring of the last that ended. */
typedef struct blpo__episodes {
    double *running_return;  /* [n_envs] */
    int64_t *running_length; /* [n_envs] */
    double *window_return;   /* [stats_window] ring */
    int64_t *window_length;  /* [stats_window] */
    int64_t n;               /* episodes that ended so far: ring position n % stats_window */
    int64_t n_void;          /* episodes dropped since their environment failed */
    int64_t n_dropped;       /* transitions observed while the rollout was full, or dropped with it */
    int64_t in_rollout;      /* ended in the rollout being filled */
    double return_in_rollout;/* sum of their returns */
} blpo__episodes;

/* What acting remembers until what followed is observed. */
typedef struct blpo__pending {
    int waiting;             /* an act waits for its observe */
    int64_t count;           /* transitions observed so far per environment, dropped ones included: keys the draws */
    real *obs;               /* [n_envs][obs_dim] */
    void *action;            /* int64_t [n_envs] or real [n_envs][n], before the clip */
    real *clipped;           /* [n_envs][n] continuous actions as the environment gets them, else NULL */
    real *log_prob;          /* [n_envs] */
    real *output;            /* [n_envs][outputs] of the policy's network */
    void *draft;             /* actions and log-probabilities of an act that is not known to be sound yet */
    real *draft_log_prob;
    uint8_t *masked;         /* [n_envs] no transition: the step failed, or, NEXT_STEP, is the reset */
    uint8_t *was_end;        /* [n_envs] NEXT_STEP: the last step ended its episode */
} blpo__pending;

/* Buffers of the callback loop. */
typedef struct blpo__stepping {
    int64_t started;         /* environments have been reset once */
    real *obs;               /* [n_envs][obs_dim] current observations */
    real *next_obs, *final_obs; /* [n_envs][obs_dim]; final_obs in SAME_STEP only */
    real *followed;          /* [n_envs][obs_dim] what really followed (final observation where the episode ended) */
    real *reward;            /* [n_envs] */
    uint8_t *terminated, *truncated, *failed, *needs_reset; /* [n_envs] */
    uint64_t *seed;          /* [n_envs] */
    int64_t *n_resets;       /* [n_envs] keys the seeds */
    int64_t n_blocks;        /* rows are stepped and reset in so many calls; they depend on n_envs and concurrent_rows alone */
    int verdict[BLPO__MAX_PIECES];   /* of each block, in the last step or reset */
    uint8_t taken[BLPO__MAX_PIECES]; /* this block has taken the step in work, and its outputs hold what it gave */
} blpo__stepping;

/* Vectors of the last minibatch that moved the actor (blpo_direction). */
typedef struct blpo__directions {
    int known;               /* `vector` holds those of a whole update */
    int marked;              /* the update in work has a minibatch to tell of */
    real *vector[BLPO_DIRECTION_X]; /* by blpo_direction - 1, [q] or [p]; NULL: only a solver makes it */
    real *direct, *response; /* of the update in work, as the trainer's: the next linearisation overwrites those */
} blpo__directions;

/* What an update would draw, given beforehand: to repeat one that was drawn elsewhere. NULL: drawn here. */
typedef struct blpo__plan {
    const int64_t *order;    /* [n_epochs][n_envs] trajectories */
    const int64_t *indices;  /* [minibatches][k] Nystrom coordinates */
} blpo__plan;

/* Optimisers and the parameters they move; the two players' copies of an update in work are in the game. */
struct blpo_trainer {
    blpo__host host;
    blpo_env env;            /* bounds copied */
    blpo_config config;      /* networks' hidden widths are not valid here: ask the handles */
    blpo_policy *policy;     /* own_policy or borrowed */
    blpo_critic *critic;
    blpo_policy *own_policy; /* NULL: borrowed */
    blpo_critic *own_critic;
    blpo_rollout *rollout;
    blpo_hypergrad *solver;  /* NULL where hypergradient is 0 */
    blpo__game game;
    blpo__adam actor_adam, critic_adam;       /* committed */
    blpo__adam actor_adam_work, critic_adam_work; /* of an update in work */
    real *returns;           /* [n_envs][n_steps] R_t of the rollout, frozen for the update */
    real *gradient;          /* [p] of the critic */
    real *response;          /* [p] v */
    real *direct, *total;    /* [q] */
    blpo__directions directions;
    blpo__best_response best_response; /* linear critics, where it is used */
    blpo__gap gap;                     /* others, where it is measured */
    int64_t *order;          /* [n_envs] trajectories of an epoch */
    blpo__plan plan;         /* set by tests alone */
    int64_t n_updates;
    int64_t steps;           /* environment steps so far, dropped ones included, all environments of this process */
    blpo__pending pending;
    blpo__stepping stepping;
    blpo__episodes episodes;
    blpo_metrics metrics;    /* of the last update; episode figures are filled in when asked for */
    double clock_start;      /* seconds; negative: no step yet in this process */
    int64_t clock_steps;     /* steps at clock_start */
    blpo_error error;
    blpo__busy busy;
};

/* config.c: settings as copied from the caller, checked against each other and the environment; no allocation. */
int blpo__trainer_check(blpo_error *error, const blpo_env *env, const blpo_config *config, const blpo_runtime *runtime);

/* config.c: copies of the caller's structs (config NULL: the defaults), whatever their sizes: BLPO_OK or BLPO_ERR_VERSION. */
int blpo__trainer_read(const blpo_env *env, const blpo_config *config, blpo_env *env_out, blpo_config *config_out);

/* config.c: settings of the parts that the trainer makes, the same for checking and for making them. */
void blpo__trainer_rollout_config(const blpo_env *env, const blpo_config *config, blpo_rollout_config *out);
void blpo__trainer_problem(const blpo_config *config, int64_t n_actor_parameters, int64_t n_critic_parameters,
                           blpo__game *game, blpo_problem *problem, blpo_hypergrad_config *solver);

/* trainer.c: policy and critic are about to be changed, and nobody else may change or save them: BLPO_OK, or BLPO_ERR_BUSY and
 * the record says of which. A borrowed one may be in somebody else's hands. */
int blpo__trainer_hold_players(blpo_trainer *trainer);
void blpo__trainer_release_players(blpo_trainer *trainer);

/* update.c: one update from the full rollout; on failure nothing but error has changed. Fills trainer->metrics. */
int blpo__trainer_update(blpo_trainer *trainer);

/* collect.c, without the busy flag and NULL checks. */
int blpo__trainer_act(blpo_trainer *trainer, const real *obs);
int blpo__trainer_observe(blpo_trainer *trainer, const blpo_transition *transition, const uint8_t *failed);
int blpo__trainer_collect(blpo_trainer *trainer);
void blpo__trainer_cut_row(blpo_trainer *trainer, int64_t e); /* its episode in the rollout ends with the last step, uncounted */
void blpo__trainer_forget_step(blpo_trainer *trainer); /* no block has taken the step in work */
int blpo__trainer_is_halfway(const blpo_trainer *trainer); /* some blocks have taken it, and others not */

/* direction.c */
void blpo__directions_create(blpo_trainer *trainer);
void blpo__directions_begin(blpo_trainer *trainer);  /* an update begins */
void blpo__directions_mark(blpo_trainer *trainer);   /* a minibatch has its hypergradient: it is the one to tell of */
void blpo__directions_keep(blpo_trainer *trainer);   /* the update stands */

/* metrics.c */
void blpo__episodes_step(blpo_trainer *trainer, int64_t env, double reward, int ended); /* after one valid transition */
void blpo__episodes_void(blpo_trainer *trainer, int64_t env);
void blpo__episodes_forget(blpo_trainer *trainer, int64_t env); /* begins anew without counting */
void blpo__metrics_refresh(const blpo_trainer *trainer, blpo_metrics *metrics); /* episode figures, counters, clock */
void blpo__clock_tick(blpo_trainer *trainer); /* notes the time of the first step */

#endif
