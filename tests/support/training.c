#include "training.h"

#include "check.h"

#include <string.h>

byte_buffer trainer_bytes(blpo_trainer *trainer)
{
    byte_buffer buffer = { 0 };
    assert_status(blpo_trainer_save(trainer, bytes_write, &buffer), BLPO_OK);
    return buffer;
}

static void check_bytes(const byte_buffer *a, const byte_buffer *b, const char *file, int line)
{
    if (a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0)
        return;
    size_t at = 0;
    while (at < a->length && at < b->length && a->bytes[at] == b->bytes[at])
        at++;
    print_error("the trainers differ: %zu and %zu bytes, first difference at %zu\n", a->length, b->length, at);
    _fail(file, line);
}

void check_trainer_is(blpo_trainer *trainer, const byte_buffer *bytes, const char *file, int line)
{
    byte_buffer now = trainer_bytes(trainer);
    check_bytes(&now, bytes, file, line);
    bytes_free(&now);
}

void check_same_trainer(blpo_trainer *a, blpo_trainer *b, const char *file, int line)
{
    byte_buffer bytes = trainer_bytes(b);
    check_trainer_is(a, &bytes, file, line);
    bytes_free(&bytes);
}

int64_t trainer_parameters(const blpo_trainer *trainer, test_real *out, int64_t max)
{
    const blpo_policy *policy = blpo_trainer_policy(trainer);
    const blpo_critic *critic = blpo_trainer_critic(trainer);
    const int64_t n = blpo_policy_n_parameters(policy), m = blpo_critic_n_parameters(critic);
    assert_true(n > 0 && m > 0 && n + m <= max);
    assert_status(blpo_policy_get_parameters(policy, out, n), BLPO_OK);
    assert_status(blpo_critic_get_parameters(critic, out + n, m), BLPO_OK);
    return n + m;
}

void check_same_parameters(const blpo_trainer *a, const blpo_trainer *b, const char *file, int line)
{
    test_real x[512], y[512];
    const int64_t n = trainer_parameters(a, x, 512), m = trainer_parameters(b, y, 512);
    _assert_int_equal((LargestIntegralType)n, (LargestIntegralType)m, file, line);
    _assert_memory_equal(x, y, (size_t)n * sizeof *x, file, line);
}

blpo_metrics trainer_metrics(const blpo_trainer *trainer)
{
    blpo_metrics metrics;
    memset(&metrics, 0xA5, sizeof metrics);
    metrics.struct_size = sizeof metrics;
    assert_status(blpo_trainer_get_metrics(trainer, &metrics), BLPO_OK);
    return metrics;
}

blpo_rollout_view trainer_view(const blpo_trainer *trainer)
{
    blpo_rollout_view view;
    memset(&view, 0xA5, sizeof view);
    view.struct_size = sizeof view;
    assert_status(blpo_rollout_get_view(blpo_trainer_rollout(trainer), &view), BLPO_OK);
    return view;
}

void trainer_updates(blpo_trainer *trainer, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        assert_status(blpo_trainer_collect(trainer), BLPO_UPDATE_DUE);
        assert_status(blpo_trainer_update(trainer, NULL), BLPO_OK);
    }
}
