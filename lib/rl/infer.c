#include "rl/infer.h"

#include "core/check.h"
#include "core/parallel.h"

enum { TILE_REALS = BLPO__MAX_WIDTH }; /* three such arrays on the stack: 96 KiB of floats */

static int64_t tile_rows(const blpo__mlp *mlp)
{
    const int64_t rows = TILE_REALS / mlp->widest;
    return rows < BLPO__TILE ? rows : BLPO__TILE;
}

static int infer_tile(const blpo__mlp *mlp, const real *turned, const real *input, int64_t rows, real *output)
{
    real a[TILE_REALS], b[TILE_REALS];
    blpo__mlp_infer(mlp, turned, input, rows, a, b, output);
    return blpo__first_nonfinite(output, rows * mlp->size[mlp->n_layers]) < 0 ? BLPO_OK : BLPO_ERR_NONFINITE;
}

static int64_t rows_from(int64_t begin, int64_t n, int64_t tile)
{
    return n - begin < tile ? n - begin : tile;
}

int blpo__infer(const blpo__mlp *mlp, const real *turned, const real *input, int64_t n, real *output)
{
    const int64_t tile = tile_rows(mlp), in = mlp->size[0], out = mlp->size[mlp->n_layers];
    int rc = BLPO_OK;
    for (int64_t begin = 0; rc == BLPO_OK && begin < n; begin += tile)
        rc = infer_tile(mlp, turned, input + begin * in, rows_from(begin, n, tile), output + begin * out);
    return rc;
}

static int visit_tile(int64_t begin, int64_t rows, int64_t width, const real *output, int final, blpo__visit visit,
                      void *context)
{
    int rc = BLPO_OK;
    for (int64_t t = 0; rc == BLPO_OK && t < rows; t++)
        rc = visit(context, begin + t, output + t * width, final);
    return rc;
}

/* One tile: the outputs of the first walk serve the second. More: they are computed again, there is no room for all. */
int blpo__infer_rows(const blpo__mlp *mlp, const real *turned, const real *input, int64_t n, blpo__visit visit,
                     void *context)
{
    const int64_t tile = tile_rows(mlp), in = mlp->size[0], out = mlp->size[mlp->n_layers];
    real output[TILE_REALS];
    int rc = BLPO_OK;
    for (int final = 0; rc == BLPO_OK && final <= 1; final++)
        for (int64_t begin = 0; rc == BLPO_OK && begin < n; begin += tile) {
            const int64_t rows = rows_from(begin, n, tile);
            if (!final || n > tile)
                rc = infer_tile(mlp, turned, input + begin * in, rows, output);
            if (rc == BLPO_OK)
                rc = visit_tile(begin, rows, out, output, final, visit, context);
        }
    return rc;
}

int blpo__check_rows(const real *input, int64_t n, int64_t n_inputs, int64_t n_outputs)
{
    const int64_t widest = n_inputs > n_outputs ? n_inputs : n_outputs;
    if (n < 1 || n > INT32_MAX / widest)
        return BLPO_ERR_ARGUMENT;
    return blpo__first_nonfinite(input, n * n_inputs) < 0 ? BLPO_OK : BLPO_ERR_NONFINITE;
}
