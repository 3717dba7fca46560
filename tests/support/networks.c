#include "networks.h"

#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const vec_record *layer_record(const vec_file *file, const char *prefix, int64_t layer, const char *part)
{
    char name[128];
    snprintf(name, sizeof name, "%s.%lld.%s", prefix, (long long)layer, part);
    return vec_find(file, name);
}

/* The comment reads "categorical policy relu, critic tanh, ...": the word after "policy" or "critic". */
static int32_t read_activation(const vec_file *file, const char *player)
{
    char line[512], word[32] = "";
    FILE *f = fopen(vec_path(file), "r");
    assert_non_null(f);
    while (word[0] == '\0' && fgets(line, sizeof line, f) && line[0] == '#') {
        const char *at = strstr(line, player);
        if (at)
            sscanf(at + strlen(player), " %31[a-z]", word);
    }
    fclose(f);
    if (strcmp(word, "relu") == 0)
        return BLPO_RELU;
    assert_true(word[0] == '\0' || strcmp(word, "tanh") == 0);
    return BLPO_TANH;
}

vec_network vec_network_shape(const vec_file *file, const char *prefix)
{
    vec_network net = { 0 };
    const vec_record *weight;
    while ((weight = layer_record(file, prefix, net.n_layers, "weight")) != NULL) {
        const vec_record *bias = layer_record(file, prefix, net.n_layers, "bias");
        assert_true(bias != NULL && net.n_layers < NETWORK_MAX_LAYERS);
        if (net.n_layers == 0)
            net.in = weight->dim[1];
        else
            net.hidden[net.n_layers - 1] = net.out;
        net.out = weight->dim[0];
        net.n_parameters += weight->size + bias->size;
        net.n_layers++;
    }
    net.activation = read_activation(file, strstr(prefix, "actor") ? "policy " : "critic ");
    return net;
}

double *vec_network_parameters(const vec_file *file, const char *prefix, int64_t *n)
{
    const vec_network net = vec_network_shape(file, prefix);
    char name[128];
    snprintf(name, sizeof name, "%s.log_std", prefix);
    const vec_record *log_std = vec_find(file, name);
    *n = net.n_parameters + (log_std ? log_std->size : 0);
    double *out = malloc((size_t)*n * sizeof *out), *at = out;
    assert_non_null(out);
    for (int64_t layer = 0; layer < net.n_layers; layer++)
        for (int part = 0; part < 2; part++) {
            const vec_record *r = layer_record(file, prefix, layer, part ? "bias" : "weight");
            memcpy(at, r->value, (size_t)r->size * sizeof *at);
            at += r->size;
        }
    if (log_std)
        memcpy(at, log_std->value, (size_t)log_std->size * sizeof *at);
    return out;
}

test_real *vec_reals(const double *value, int64_t n)
{
    test_real *out = malloc((size_t)(n > 0 ? n : 1) * sizeof *out);
    assert_non_null(out);
    for (int64_t i = 0; i < n; i++)
        out[i] = (test_real)value[i];
    return out;
}

static blpo_network public_shape(const vec_network *net)
{
    return (blpo_network){ .hidden = net->n_layers > 1 ? net->hidden : NULL,
                           .n_hidden = net->n_layers - 1,
                           .activation = net->activation,
                           .hidden_gain = 1.0,
                           .output_gain = 1.0 };
}

blpo_policy *vec_policy(const vec_file *file, const char *prefix)
{
    char name[128];
    snprintf(name, sizeof name, "%s.log_std", prefix);
    const vec_network net = vec_network_shape(file, prefix);
    blpo_policy_config config;
    assert_status(blpo_policy_config_init(&config, sizeof config), BLPO_OK);
    config.obs_dim = net.in;
    config.action.kind = vec_find(file, name) ? BLPO_ACTION_CONTINUOUS : BLPO_ACTION_DISCRETE;
    config.action.n = net.out;
    config.network = public_shape(&net);
    blpo_policy *policy = NULL;
    assert_status(blpo_policy_create(&config, NULL, &policy), BLPO_OK);
    int64_t n;
    double *value = vec_network_parameters(file, prefix, &n);
    test_real *parameters = vec_reals(value, n);
    assert_int_equal(blpo_policy_n_parameters(policy), n);
    assert_status(blpo_policy_set_parameters(policy, parameters, n), BLPO_OK);
    free(value);
    free(parameters);
    return policy;
}

blpo_critic *vec_critic(const vec_file *file, const char *prefix)
{
    const vec_network net = vec_network_shape(file, prefix);
    blpo_critic_config config;
    assert_status(blpo_critic_config_init(&config, sizeof config), BLPO_OK);
    config.obs_dim = net.in;
    config.network = public_shape(&net);
    blpo_critic *critic = NULL;
    assert_status(blpo_critic_create(&config, NULL, &critic), BLPO_OK);
    int64_t n;
    double *value = vec_network_parameters(file, prefix, &n);
    test_real *parameters = vec_reals(value, n);
    assert_int_equal(blpo_critic_n_parameters(critic), n);
    assert_status(blpo_critic_set_parameters(critic, parameters, n), BLPO_OK);
    free(value);
    free(parameters);
    return critic;
}

void vec_for_each(const char *const *needed, void (*check)(const vec_file *file))
{
    static char names[NETWORK_MAX_FILES][256];
    const int n = vec_list(vec_directory(), ".txt", names, NETWORK_MAX_FILES);
    int checked = 0;
    for (int i = 0; i < n; i++) {
        char path[4096];
        const int length = snprintf(path, sizeof path, "%s/%s", vec_directory(), names[i]);
        assert_in_range(length, 1, sizeof path - 1);
        vec_file *file = vec_open(path);
        assert_non_null(file);
        int has_all = 1;
        for (const char *const *name = needed; *name; name++)
            has_all = has_all && vec_find(file, *name) != NULL;
        if (has_all) {
            print_message("vectors: %s\n", names[i]);
            check(file);
            checked++;
        }
        vec_close(file);
    }
    assert_true(checked > 0);
}
