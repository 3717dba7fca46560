/* Block, Gram matrix, products and sum of rows of a Hessian in the space of samples, against the rows themselves, which test_mlp.c
 * checks by differences. Every kind of parameter is among the rows; sizes are odd; rows of the tape up to a whole tile.
 *
 * Tolerances, relative to the norms of the rows: float64 1e-12, n_rows and n_parameters being hundreds of roundings each; float32
 * the same in its own roundings, 5e-5. */
#include "support/check.h"
#include "support/dense.h"
#include "support/memory.h"

#include "core/parallel.h"
#include "nn/row_factors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifdef BLPO__FLOAT64
static const double TOLERANCE = 1e-12;
#else
static const double TOLERANCE = 5e-5;
#endif

typedef struct shape {
    int64_t in, hidden[3], n_hidden, rows;
    int32_t activation;
} shape;

static const shape SHAPES[] = {
    { 4, { 17, 9 }, 2, 37, BLPO_TANH },   { 4, { 17, 9 }, 2, 37, BLPO_RELU }, { 1, { 1, 1 }, 2, 1, BLPO_TANH },
    { 9, { 5, 33 }, 2, BLPO__TILE, BLPO_TANH }, { 2, { 64, 64 }, 2, 16, BLPO_TANH }, { 3, { 6 }, 1, 20, BLPO_TANH },
    { 7, { 0 }, 0, 12, BLPO_TANH },       { 3, { 8, 4, 5 }, 3, 50, BLPO_RELU }, { 200, { 8 }, 1, 9, BLPO_TANH },
};

typedef struct fixture {
    counted_memory counted; /* nothing is written behind an array */
    blpo_runtime runtime;
    blpo__memory memory;
    blpo__mlp mlp;
    blpo__tape tape;
    blpo__scratch scratch;
    blpo__row_factors factors;
    int64_t p, n, k;
    real *parameters, *input, *slope, *bend, *v, *tangent, *sum;
    int64_t *index;
    double *block, *gram, *products, *y;
    real *rows; /* [k][p] */
} fixture;

static void *array(fixture *f, int64_t n, size_t size)
{
    void *memory = blpo__allocate(&f->memory, n, size);
    assert_non_null(memory);
    return memory;
}

static void draw(real *x, int64_t n, double scale, uint64_t *seed)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = (real)(scale * test_normal(seed));
}

/* Distinct, from every layer: the last parameter, then strides through all of them. */
static void choose(fixture *f)
{
    for (int64_t j = 0; j < f->k; j++)
        f->index[j] = (f->p - 1 + j * (f->p / f->k)) % f->p;
}

static void begin(fixture *f, const shape *s, int64_t k, int unbiased, int with_bends, uint64_t seed)
{
    memset(f, 0, sizeof *f);
    const blpo_network network = { s->hidden, s->n_hidden, s->activation, 1.0, 1.0 };
    f->runtime = counted_runtime(&f->counted, NULL);
    f->memory = blpo__memory_of(&f->runtime);
    if (unbiased)
        blpo__mlp_create_linear(&f->mlp, s->in, &f->memory);
    else
        blpo__mlp_create(&f->mlp, &network, s->in, 1, &f->memory);
    f->p = f->mlp.n_parameters;
    f->n = s->rows;
    f->k = k < f->p ? k : f->p;
    blpo__tape_create(&f->tape, &f->mlp, f->n, &f->memory);
    blpo__scratch_create(&f->scratch, &f->mlp, &f->memory);
    blpo__row_factors_create(&f->factors, &f->mlp, f->k, f->n + 3, with_bends, &f->memory); /* three rows are not there */
    f->parameters = array(f, f->p, sizeof(real));
    f->input = array(f, f->n * s->in, sizeof(real));
    f->slope = array(f, f->n, sizeof(real));
    f->bend = array(f, f->n, sizeof(real));
    f->v = array(f, f->p, sizeof(real));
    f->tangent = array(f, f->n, sizeof(real));
    f->sum = array(f, f->p, sizeof(real));
    f->index = array(f, f->k, sizeof(int64_t));
    f->block = array(f, f->k * f->k, sizeof(double));
    f->gram = array(f, f->k * f->k, sizeof(double));
    f->products = array(f, f->k, sizeof(double));
    f->y = array(f, f->k, sizeof(double));
    f->rows = array(f, f->k * f->p, sizeof(real));
    draw(f->parameters, f->p, 0.5, &seed);
    draw(f->input, f->n * s->in, 1.0, &seed);
    draw(f->slope, f->n, with_bends ? 1.0 : 0.0, &seed);
    draw(f->bend, f->n, 1.0, &seed);
    draw(f->v, f->p, 1.0, &seed);
    for (int64_t j = 0; j < f->k; j++)
        f->y[j] = test_normal(&seed);
    for (int64_t t = 0; t < f->n; t++)
        f->bend[t] = t % 5 == 3 ? 0 : f->bend[t] * f->bend[t]; /* some transitions have no weight */
    choose(f);
}

static void end(fixture *f)
{
    blpo__memory_release(&f->memory);
    assert_all_released(&f->counted);
}

static void record(fixture *f)
{
    f->tape.input = f->input;
    blpo__mlp_forward(&f->mlp, f->parameters, &f->tape, 0, f->n);
    for (int64_t t = 0; t < f->n; t++)
        f->tape.s[f->mlp.n_layers][t] = 1;
    blpo__mlp_signals(&f->mlp, f->parameters, &f->tape, 0, f->n);
    blpo__mlp_tangent(&f->mlp, &f->tape, f->v, 0, f->n, &f->scratch, f->tangent);
}

static void make_both(fixture *f)
{
    const blpo__row_loss loss = { f->slope, f->bend };
    record(f);
    memset(f->rows, 0, (size_t)(f->k * f->p) * sizeof(real));
    blpo__mlp_add_hessian_rows(&f->mlp, f->parameters, &f->tape, &loss, f->index, f->k, 0, f->n, &f->scratch, f->rows);
    blpo__row_factors_make(&f->factors, f->parameters, &f->tape, &loss, f->index, f->n, &f->scratch);
    blpo__row_factors_block(&f->factors, f->block);
    blpo__row_factors_gram(&f->factors, &f->tape, &f->scratch, f->gram);
    blpo__row_factors_products(&f->factors, f->v, f->tangent, f->products);
    blpo__row_factors_sum(&f->factors, &f->tape, f->y, &f->scratch, f->sum);
}

static double dot(const real *a, const real *b, int64_t n)
{
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

static void check_all(fixture *f)
{
    const int64_t k = f->k, p = f->p;
    double largest = 0.0, of_y = 0.0;
    for (int64_t j = 0; j < k; j++) {
        largest = fmax(largest, sqrt(dot(f->rows + j * p, f->rows + j * p, p)));
        of_y += fabs(f->y[j]);
    }
    const double of_v = sqrt(dot(f->v, f->v, p));
    for (int64_t i = 0; i < k; i++) {
        const real *row = f->rows + i * p;
        assert_close(f->products[i], dot(row, f->v, p), 0.0, TOLERANCE * largest * of_v);
        for (int64_t j = 0; j < k; j++) {
            assert_close(f->block[i * k + j], row[f->index[j]], 0.0, TOLERANCE * largest);
            assert_close(f->gram[i * k + j], dot(row, f->rows + j * p, p), 0.0, TOLERANCE * largest * largest);
            assert_true(f->gram[i * k + j] == f->gram[j * k + i]);
        }
    }
    for (int64_t i = 0; i < p; i++) {
        double sum = 0.0;
        for (int64_t j = 0; j < k; j++)
            sum += f->y[j] * (double)f->rows[j * p + i];
        assert_close(f->sum[i], sum, 0.0, TOLERANCE * largest * of_y);
    }
}

static void of_a_hessian_they_are_those_of_its_rows(void **state)
{
    (void)state;
    static const int64_t ranks[] = { 1, 2, 7, 16, 50, 131 };
    for (int64_t s = 0; s < TEST_COUNT(SHAPES); s++)
        for (int64_t i = 0; i < TEST_COUNT(ranks) && SHAPES[s].n_hidden == 2; i++) {
            fixture f;
            begin(&f, &SHAPES[s], ranks[i], 0, 1, 7 + (uint64_t)s);
            assert_true(blpo__row_bends_possible(&f.mlp));
            make_both(&f);
            check_all(&f);
            end(&f);
        }
}

/* All parameters at once: no kind of them is left out. */
static void of_every_parameter_at_once_as_well(void **state)
{
    (void)state;
    for (int64_t s = 0; s < 3; s++) {
        fixture f;
        begin(&f, &SHAPES[s], INT64_MAX, 0, 1, 70);
        make_both(&f);
        check_all(&f);
        end(&f);
    }
}

/* Of any depth, and of a critic without biases: with slopes of zero the rows are those of the Gauss-Newton matrix. */
static void of_a_gauss_newton_matrix_they_are_those_of_its_rows(void **state)
{
    (void)state;
    for (int unbiased = 0; unbiased <= 1; unbiased++)
        for (int64_t s = 0; s < TEST_COUNT(SHAPES); s++) {
            fixture f;
            begin(&f, &SHAPES[s], 11, unbiased, 0, 700 + (uint64_t)s);
            make_both(&f);
            check_all(&f);
            end(&f);
        }
}

/* Nothing is left of the last use: other transitions, fewer of them, other rows, and back. */
static void a_second_use_is_like_the_first(void **state)
{
    (void)state;
    fixture f;
    begin(&f, &SHAPES[0], 20, 0, 1, 3);
    make_both(&f);
    real *first = array(&f, f.p, sizeof(real));
    double *gram = array(&f, f.k * f.k, sizeof(double));
    memcpy(first, f.sum, (size_t)f.p * sizeof *first);
    memcpy(gram, f.gram, (size_t)(f.k * f.k) * sizeof *gram);
    f.n = 5;
    for (int64_t j = 0; j < f.k; j++)
        f.index[j] = j; /* the first layer */
    make_both(&f);
    check_all(&f);
    f.n = SHAPES[0].rows;
    choose(&f);
    make_both(&f);
    assert_memory_equal(f.sum, first, (size_t)f.p * sizeof *first);
    assert_memory_equal(f.gram, gram, (size_t)(f.k * f.k) * sizeof *gram);
    end(&f);
}

/* Sparse rows, full ones, or both ways the same: which way is shorter depends on sizes alone, and many rows of few transitions
 * are had this way. */
static void the_shorter_way_is_a_matter_of_sizes(void **state)
{
    (void)state;
    fixture f;
    const shape published = { 4, { 64, 64 }, 2, 128, BLPO_TANH };
    begin(&f, &published, 5, 0, 0, 1);
    assert_true(blpo__row_factors_cost(&f.mlp, 50, 128, 1) < blpo__row_factors_cost_of_rows(&f.mlp, 50, 128));
    assert_true(blpo__row_factors_cost(&f.mlp, 5, 128, 1) > blpo__row_factors_cost_of_rows(&f.mlp, 5, 128));
    assert_true(blpo__row_factors_cost(&f.mlp, 5, 16, 0) < blpo__row_factors_cost_of_rows(&f.mlp, 5, 16));
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_a_hessian_they_are_those_of_its_rows),
        cmocka_unit_test(of_every_parameter_at_once_as_well),
        cmocka_unit_test(of_a_gauss_newton_matrix_they_are_those_of_its_rows),
        cmocka_unit_test(a_second_use_is_like_the_first),
        cmocka_unit_test(the_shorter_way_is_a_matter_of_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
