/* What tests of the trainer ask again and again. */
#ifndef BLPO_TESTS_TRAINING_H
#define BLPO_TESTS_TRAINING_H

#include "bytes.h"
#include "script.h"

/* All that a trainer is, as it saves itself. To be freed. */
byte_buffer trainer_bytes(blpo_trainer *trainer);

/* Two trainers would save the same bytes. */
#define assert_same_trainer(a, b) check_same_trainer(a, b, __FILE__, __LINE__)
void check_same_trainer(blpo_trainer *a, blpo_trainer *b, const char *file, int line);

/* The trainer would save just these bytes. */
#define assert_trainer_is(trainer, bytes) check_trainer_is(trainer, bytes, __FILE__, __LINE__)
void check_trainer_is(blpo_trainer *trainer, const byte_buffer *bytes, const char *file, int line);

/* Parameters of policy and critic one after the other; returns how many, at most max. */
int64_t trainer_parameters(const blpo_trainer *trainer, test_real *out, int64_t max);

#define assert_same_parameters(a, b) check_same_parameters(a, b, __FILE__, __LINE__)
void check_same_parameters(const blpo_trainer *a, const blpo_trainer *b, const char *file, int line);

blpo_metrics trainer_metrics(const blpo_trainer *trainer);
blpo_rollout_view trainer_view(const blpo_trainer *trainer);

/* n times collect and update, all of which must succeed. */
void trainer_updates(blpo_trainer *trainer, int64_t n);

#endif
