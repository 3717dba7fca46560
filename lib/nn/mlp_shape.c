/* Shapes, memory and initial weights of networks. */
#include "nn/mlp.h"

#include "core/check.h"
#include "core/error.h"
#include "core/parallel.h"
#include "linalg/lapack.h"

#include <string.h>

static const char *named(char *name, size_t size, const char *prefix, const char *field)
{
    blpo__text text = blpo__text_begin(name, size);
    blpo__text_add(&text, prefix);
    blpo__text_add(&text, field);
    return name;
}

static int64_t width(const blpo_network *network, int64_t n_inputs, int64_t n_outputs, int64_t layer)
{
    if (layer == 0)
        return n_inputs;
    return layer <= network->n_hidden ? network->hidden[layer - 1] : n_outputs;
}

static int check_hidden(blpo_error *error, const char *prefix, const blpo_network *network)
{
    char name[64];
    int rc = blpo__check_int(error, named(name, sizeof name, prefix, "n_hidden"), network->n_hidden, 0, 1024);
    if (rc == BLPO_OK && network->n_hidden > 0 && network->hidden == NULL)
        rc = blpo__error_set(error, BLPO_ERR_CONFIG, BLPO_STAGE_CREATE, named(name, sizeof name, prefix, "hidden"),
                             "hidden is NULL; with n_hidden above 0 it must hold the widths");
    for (int64_t i = 0; rc == BLPO_OK && i < network->n_hidden; i++) {
        rc = blpo__check_int(error, named(name, sizeof name, prefix, "hidden"), network->hidden[i], 1, BLPO__MAX_WIDTH);
        if (rc != BLPO_OK && error != NULL)
            error->element = i;
    }
    return rc;
}

int blpo__mlp_check(blpo_error *error, const char *prefix, const blpo_network *network, int64_t n_inputs,
                    int64_t n_outputs, int64_t *n_parameters)
{
    char name[64];
    int rc = check_hidden(error, prefix, network);
    if (rc == BLPO_OK)
        rc = blpo__check_int(error, named(name, sizeof name, prefix, "activation"), network->activation, BLPO_TANH, BLPO_RELU);
    if (rc == BLPO_OK)
        rc = blpo__check_double(error, named(name, sizeof name, prefix, "hidden_gain"), network->hidden_gain, -1e6, 1e6);
    if (rc == BLPO_OK)
        rc = blpo__check_double(error, named(name, sizeof name, prefix, "output_gain"), network->output_gain, -1e6, 1e6);
    int64_t total = 0;
    for (int64_t l = 1; rc == BLPO_OK && l <= network->n_hidden + 1; l++) {
        const int64_t in = width(network, n_inputs, n_outputs, l - 1), out = width(network, n_inputs, n_outputs, l);
        rc = blpo__check_product_of(error, named(name, sizeof name, prefix, "hidden"), "a layer's inputs and bias x outputs", in + 1,
                                    out);
        if (rc == BLPO_OK && total + (in + 1) * out > INT32_MAX)
            rc = blpo__check_product_of(error, named(name, sizeof name, prefix, "hidden"), "the number of parameters",
                                        total + (in + 1) * out, 1);
        total += rc == BLPO_OK ? (in + 1) * out : 0;
    }
    *n_parameters = total;
    return rc;
}

void blpo__mlp_create(blpo__mlp *mlp, const blpo_network *network, int64_t n_inputs, int64_t n_outputs,
                      blpo__memory *memory)
{
    const int64_t n_layers = network->n_hidden + 1;
    *mlp = (blpo__mlp){.n_layers = n_layers,
                       .activation = network->activation,
                       .hidden_gain = network->hidden_gain,
                       .output_gain = network->output_gain};
    mlp->size = blpo__allocate(memory, n_layers + 1, sizeof *mlp->size);
    mlp->offset = blpo__allocate(memory, n_layers + 1, sizeof *mlp->offset);
    if (memory->failed)
        return;
    mlp->size[0] = n_inputs;
    for (int64_t l = 1; l <= n_layers; l++) {
        mlp->size[l] = width(network, n_inputs, n_outputs, l);
        mlp->offset[l] = mlp->offset[l - 1] + (mlp->size[l - 1] + 1) * mlp->size[l];
        mlp->widest = mlp->size[l] > mlp->widest ? mlp->size[l] : mlp->widest;
    }
    mlp->n_parameters = mlp->offset[n_layers];
}

void blpo__mlp_create_linear(blpo__mlp *mlp, int64_t n_inputs, blpo__memory *memory)
{
    *mlp = (blpo__mlp){.n_layers = 1, .widest = 1, .unbiased = 1, .activation = BLPO_TANH, .n_parameters = n_inputs};
    mlp->size = blpo__allocate(memory, 2, sizeof *mlp->size);
    mlp->offset = blpo__allocate(memory, 2, sizeof *mlp->offset);
    if (memory->failed)
        return;
    mlp->size[0] = mlp->offset[1] = n_inputs;
    mlp->size[1] = 1;
}

static void initialise_layer(const blpo__mlp *mlp, int64_t layer, uint64_t seed, blpo__purpose purpose, real *weight,
                             blpo__memory *memory)
{
    const int64_t out = mlp->size[layer], in = mlp->size[layer - 1];
    const double gain = layer == mlp->n_layers ? mlp->output_gain : mlp->hidden_gain;
    double *q = blpo__allocate(memory, out * in, sizeof *q);
    if (memory->failed)
        return;
    blpo__stream stream = blpo__stream_at(seed, purpose, (uint64_t)layer, 0, 0);
    for (int64_t i = 0; i < out * in; i++)
        q[i] = blpo__normal(&stream);
    if (blpo__orthonormalise(q, out, in, memory) != 0)
        return;
    for (int64_t i = 0; i < out * in; i++)
        weight[i] = (real)(gain * q[i]);
}

void blpo__mlp_initialise(const blpo__mlp *mlp, uint64_t seed, blpo__purpose purpose, real *parameters,
                          blpo__memory *memory)
{
    blpo__memory scratch = *memory; /* same allocator, a list of its own: given back at once */
    scratch.blocks = NULL;
    memset(parameters, 0, (size_t)mlp->n_parameters * sizeof *parameters);
    for (int64_t l = 1; l <= mlp->n_layers; l++)
        initialise_layer(mlp, l, seed, purpose, parameters + mlp->offset[l - 1], &scratch);
    memory->failed |= scratch.failed;
    blpo__memory_release(&scratch);
}

/* One array of `rows` rows for each layer 1 .. L. */
static real **layer_arrays(const blpo__mlp *mlp, int64_t rows, blpo__memory *memory)
{
    real **array = blpo__allocate(memory, mlp->n_layers + 1, sizeof *array);
    for (int64_t l = 1; array != NULL && l <= mlp->n_layers; l++)
        array[l] = blpo__allocate(memory, rows * mlp->size[l], sizeof **array);
    return array;
}

void blpo__tape_create(blpo__tape *tape, const blpo__mlp *mlp, int64_t rows, blpo__memory *memory)
{
    tape->h = layer_arrays(mlp, rows, memory);
    tape->s = layer_arrays(mlp, rows, memory);
}

void blpo__scratch_create(blpo__scratch *scratch, const blpo__mlp *mlp, blpo__memory *memory)
{
    const int64_t of_tile = BLPO__TILE * mlp->widest, of_rows = BLPO__TOGETHER * mlp->size[0];
    scratch->a = blpo__allocate(memory, of_tile > of_rows ? of_tile : of_rows, sizeof *scratch->a);
    for (size_t i = 0; i < sizeof scratch->column / sizeof *scratch->column; i++)
        scratch->column[i] = blpo__allocate(memory, BLPO__TILE, sizeof *scratch->column[i]);
    for (size_t i = 0; i < sizeof scratch->together / sizeof *scratch->together; i++)
        scratch->together[i] = blpo__allocate(memory, BLPO__TOGETHER * BLPO__TILE, sizeof *scratch->together[i]);
    scratch->zdot = layer_arrays(mlp, BLPO__TILE, memory);
    scratch->hdot = layer_arrays(mlp, BLPO__TILE, memory);
    scratch->sdot = layer_arrays(mlp, BLPO__TILE, memory);
}

blpo__place blpo__place_of(const blpo__mlp *mlp, int64_t parameter)
{
    int64_t layer = 1;
    while (parameter >= mlp->offset[layer])
        layer++;
    const int64_t local = parameter - mlp->offset[layer - 1], in = mlp->size[layer - 1], n_weights = in * mlp->size[layer];
    if (local >= n_weights)
        return (blpo__place){layer, local - n_weights, in};
    return (blpo__place){layer, local / in, local % in};
}
