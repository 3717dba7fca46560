/* Derivatives of multilayer perceptrons: each against central differences of the pass below it (float64 alone: in float32
 * the differences are worth three digits), and the fast ones against the plain ones in both precisions. */
#include "support/check.h"
#include "support/dense.h"

#include "nn/mlp.h"

#include <math.h>
#include <string.h>

enum { ROWS = 70, SPLIT = 64, IN = 3, MAX_P = 128 }; /* rows in two tiles */

typedef struct shape {
    int64_t hidden[3], n_hidden;
    int32_t activation;
} shape;

static const shape SHAPES[] = {
    { { 5, 4 }, 2, BLPO_TANH }, { { 5, 4 }, 2, BLPO_RELU },   { { 6 }, 1, BLPO_TANH },
    { { 0 }, 0, BLPO_TANH },    { { 4, 3, 4 }, 3, BLPO_TANH }, { { 4, 3, 4 }, 3, BLPO_RELU },
};

typedef struct fixture {
    blpo__memory memory;
    blpo__mlp mlp;
    blpo__tape tape;
    blpo__scratch scratch;
    int64_t p;
    real parameters[MAX_P], direction[MAX_P];
    real input[ROWS * IN], weight[ROWS], slope[ROWS], bend[ROWS];
} fixture;

static void begin(fixture *f, const shape *s)
{
    uint64_t seed = 31;
    memset(f, 0, sizeof *f);
    const blpo_network network = { s->hidden, s->n_hidden, s->activation, 1.0, 1.0 };
    f->memory = blpo__memory_of(NULL);
    blpo__mlp_create(&f->mlp, &network, IN, 1, &f->memory);
    blpo__tape_create(&f->tape, &f->mlp, ROWS, &f->memory);
    blpo__scratch_create(&f->scratch, &f->mlp, &f->memory);
    assert_int_equal(f->memory.failed, 0);
    f->p = f->mlp.n_parameters;
    assert_in_range(f->p, 1, MAX_P);
    for (int64_t i = 0; i < f->p; i++) {
        f->parameters[i] = (real)(0.7 * test_normal(&seed));
        f->direction[i] = (real)test_uniform(&seed);
    }
    for (int64_t i = 0; i < ROWS * IN; i++)
        f->input[i] = (real)test_normal(&seed);
    for (int64_t i = 0; i < ROWS; i++)
        f->weight[i] = (real)test_uniform(&seed);
    f->tape.input = f->input;
}

static void end(fixture *f)
{
    blpo__memory_release(&f->memory);
}

/* Activations and unit signals of all rows, tile by tile. */
static void record(fixture *f, const real *parameters)
{
    for (int64_t t = 0; t < ROWS; t++)
        f->tape.s[f->mlp.n_layers][t] = 1;
    for (int64_t begin = 0; begin < ROWS; begin += SPLIT) {
        const int64_t end = begin + SPLIT < ROWS ? begin + SPLIT : ROWS;
        blpo__mlp_forward(&f->mlp, parameters, &f->tape, begin, end);
        blpo__mlp_signals(&f->mlp, parameters, &f->tape, begin, end);
    }
}

static const real *values(const fixture *f)
{
    return f->tape.h[f->mlp.n_layers];
}

/* Loss sum_t c_t V_t^2 / 2 + V_t with c the weights: slope c V + 1, bend c. */
static void set_loss(fixture *f)
{
    for (int64_t t = 0; t < ROWS; t++) {
        f->slope[t] = f->weight[t] * values(f)[t] + 1;
        f->bend[t] = f->weight[t];
    }
}

static void gradient(fixture *f, const real *weight, real *out)
{
    memset(out, 0, (size_t)f->p * sizeof *out);
    for (int64_t begin = 0; begin < ROWS; begin += SPLIT) {
        const int64_t end = begin + SPLIT < ROWS ? begin + SPLIT : ROWS;
        blpo__mlp_add_gradient(&f->mlp, &f->tape, weight, begin, end, &f->scratch, out);
    }
}

static void hessian_product(fixture *f, const real *direction, real *out)
{
    const blpo__row_loss loss = { f->slope, f->bend };
    memset(out, 0, (size_t)f->p * sizeof *out);
    for (int64_t begin = 0; begin < ROWS; begin += SPLIT) {
        const int64_t end = begin + SPLIT < ROWS ? begin + SPLIT : ROWS;
        blpo__mlp_add_hessian_product(&f->mlp, f->parameters, &f->tape, &loss, direction, begin, end, &f->scratch, out);
    }
}

static void shifted(const fixture *f, const real *direction, double step, real *out)
{
    for (int64_t i = 0; i < f->p; i++)
        out[i] = (real)((double)f->parameters[i] + step * (double)direction[i]);
}

/* h = 1e-5: h^2 times third derivatives of size 10, 1e-9, and rounding eps / h of sums of size 100, 2e-9. */
enum { FLOAT64_ONLY = sizeof(real) == sizeof(double) };
static const double STEP = 1e-5, DIFFERENCE = 2e-8;

static void gradients_are_the_differences_of_values(void **state)
{
    (void)state;
    if (!FLOAT64_ONLY)
        skip();
    for (int64_t i = 0; i < TEST_COUNT(SHAPES); i++) {
        fixture f;
        real g[MAX_P], moved[MAX_P], unit[MAX_P] = { 0 };
        begin(&f, &SHAPES[i]);
        record(&f, f.parameters);
        gradient(&f, f.weight, g);
        for (int64_t j = 0; j < f.p; j++) {
            double difference = 0.0;
            unit[j] = 1;
            for (int side = -1; side <= 1; side += 2) {
                shifted(&f, unit, side * STEP, moved);
                record(&f, moved);
                for (int64_t t = 0; t < ROWS; t++)
                    difference += side * (double)f.weight[t] * (double)values(&f)[t] / (2.0 * STEP);
            }
            unit[j] = 0;
            assert_close(g[j], difference, DIFFERENCE, DIFFERENCE);
        }
        end(&f);
    }
}

static void hessian_products_are_the_differences_of_gradients(void **state)
{
    (void)state;
    if (!FLOAT64_ONLY)
        skip();
    for (int64_t i = 0; i < TEST_COUNT(SHAPES); i++) {
        fixture f;
        real hv[MAX_P], moved[MAX_P], g[2][MAX_P];
        begin(&f, &SHAPES[i]);
        record(&f, f.parameters);
        set_loss(&f);
        hessian_product(&f, f.direction, hv);
        for (int side = 0; side <= 1; side++) {
            shifted(&f, f.direction, side ? STEP : -STEP, moved);
            record(&f, moved);
            set_loss(&f);
            gradient(&f, f.slope, g[side]);
        }
        for (int64_t j = 0; j < f.p; j++)
            assert_close(hv[j], ((double)g[1][j] - (double)g[0][j]) / (2.0 * STEP), DIFFERENCE, 10.0 * DIFFERENCE);
        end(&f);
    }
}

/* Sums of 70 rows and at most 6 units, of products of size 10 at most: 4000 eps. */
static const double SUMS = 4000.0 * TEST_EPSILON;

static void hessian_rows_are_products_with_unit_vectors(void **state)
{
    (void)state;
    for (int64_t i = 0; i < TEST_COUNT(SHAPES); i++) {
        fixture f;
        real hv[MAX_P], row[MAX_P], unit[MAX_P] = { 0 };
        begin(&f, &SHAPES[i]);
        record(&f, f.parameters);
        set_loss(&f);
        const blpo__row_loss loss = { f.slope, f.bend };
        for (int64_t j = 0; j < f.p; j++) {
            unit[j] = 1;
            hessian_product(&f, unit, hv);
            unit[j] = 0;
            memset(row, 0, sizeof row);
            blpo__mlp_add_hessian_rows(&f.mlp, f.parameters, &f.tape, &loss, &j, 1, 0, SPLIT, &f.scratch, row);
            blpo__mlp_add_hessian_rows(&f.mlp, f.parameters, &f.tape, &loss, &j, 1, SPLIT, ROWS, &f.scratch, row);
            for (int64_t k = 0; k < f.p; k++)
                assert_close(row[k], hv[k], 0.0, SUMS);
        }
        end(&f);
    }
}

static void the_hessian_is_symmetric(void **state)
{
    (void)state;
    for (int64_t i = 0; i < TEST_COUNT(SHAPES); i++) {
        fixture f;
        static real h[MAX_P][MAX_P];
        real unit[MAX_P] = { 0 };
        begin(&f, &SHAPES[i]);
        record(&f, f.parameters);
        set_loss(&f);
        for (int64_t j = 0; j < f.p; j++) {
            unit[j] = 1;
            hessian_product(&f, unit, h[j]);
            unit[j] = 0;
        }
        for (int64_t j = 0; j < f.p; j++)
            for (int64_t k = 0; k < j; k++)
                assert_close(h[j][k], h[k][j], 0.0, SUMS);
        end(&f);
    }
}

/* sum_t w_t dV_t.X = (sum_t w_t dV_t) . X: the tangent of each row is tried by weighting it alone. */
static void tangents_are_gradients_along_the_direction(void **state)
{
    (void)state;
    for (int64_t i = 0; i < TEST_COUNT(SHAPES); i++) {
        fixture f;
        real tangent[ROWS], g[MAX_P], alone[ROWS] = { 0 };
        begin(&f, &SHAPES[i]);
        record(&f, f.parameters);
        blpo__mlp_tangent(&f.mlp, &f.tape, f.direction, 0, SPLIT, &f.scratch, tangent);
        blpo__mlp_tangent(&f.mlp, &f.tape, f.direction, SPLIT, ROWS, &f.scratch, tangent);
        for (int64_t t = 0; t < ROWS; t++) {
            double along = 0.0;
            alone[t] = 1;
            gradient(&f, alone, g);
            alone[t] = 0;
            for (int64_t j = 0; j < f.p; j++)
                along += (double)g[j] * (double)f.direction[j];
            assert_close(tangent[t], along, 0.0, SUMS);
        }
        end(&f);
    }
}

/* An affine network written out: V = w . x + b. */
static void a_network_without_hidden_layers_is_affine(void **state)
{
    (void)state;
    fixture f;
    begin(&f, &SHAPES[3]);
    record(&f, f.parameters);
    for (int64_t t = 0; t < ROWS; t++) {
        double v = (double)f.parameters[IN];
        for (int i = 0; i < IN; i++)
            v += (double)f.parameters[i] * (double)f.input[t * IN + i];
        assert_close(values(&f)[t], v, 0.0, 64.0 * TEST_EPSILON);
    }
    end(&f);
}

/* Rows through the turned parameters, some at a time, against the pass with a tape: outputs up to BLPO__FEW_COLUMNS and above,
 * widths that are no multiple of a vector. Weights within 0.05 and activations within 1: the second layer is off by 39 eps x
 * 1.9 of its own sum and 1.9 x 16 eps of what comes in, the third by 20 eps x 0.95 and 0.95 x 110 eps; both passes are. */
static void inference_is_the_forward_pass(void **state)
{
    (void)state;
    enum { MOST = 2048, N = 7, MOST_OUT = 19, WIDEST = 37 };
    static const int64_t hidden[2] = { WIDEST, 18 }, outputs[] = { 1, 4, 5, MOST_OUT };
    for (int64_t o = 0; o < TEST_COUNT(outputs); o++) {
        uint64_t seed = 12;
        const blpo_network network = { hidden, 2, BLPO_TANH, 1.0, 1.0 };
        real parameters[MOST], turned[MOST], input[N * IN], output[N * MOST_OUT], a[N * WIDEST], b[N * WIDEST];
        blpo__memory memory = blpo__memory_of(NULL);
        blpo__mlp mlp;
        blpo__tape tape;
        blpo__mlp_create(&mlp, &network, IN, outputs[o], &memory);
        blpo__tape_create(&tape, &mlp, N, &memory);
        assert_int_equal(memory.failed, 0);
        assert_in_range(mlp.n_parameters, 1, MOST);
        for (int64_t i = 0; i < mlp.n_parameters; i++)
            parameters[i] = (real)(0.05 * test_uniform(&seed));
        for (int64_t i = 0; i < N * IN; i++)
            input[i] = (real)test_uniform(&seed);
        tape.input = input;
        blpo__mlp_forward(&mlp, parameters, &tape, 0, N);
        blpo__mlp_turn(&mlp, parameters, turned);
        for (int64_t rows = 1; rows <= N; rows++) {
            blpo__mlp_infer(&mlp, turned, input, rows, a, b, output);
            for (int64_t i = 0; i < rows * outputs[o]; i++)
                assert_close(output[i], (double)tape.h[3][i], 0.0, 256.0 * TEST_EPSILON);
        }
        blpo__memory_release(&memory);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_the_differences_of_values),
        cmocka_unit_test(hessian_products_are_the_differences_of_gradients),
        cmocka_unit_test(hessian_rows_are_products_with_unit_vectors),
        cmocka_unit_test(the_hessian_is_symmetric),
        cmocka_unit_test(tangents_are_gradients_along_the_direction),
        cmocka_unit_test(inference_is_the_forward_pass),
        cmocka_unit_test(a_network_without_hidden_layers_is_affine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
