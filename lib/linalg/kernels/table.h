/* One table of kernels: included once by the file of each level. */
#include "linalg/kernels/vectors.h"

#include "linalg/kernels/double_body.h"
#include "linalg/kernels/elementwise_body.h"
#include "linalg/kernels/exp_body.h"
#include "linalg/kernels/sums_body.h"

#include "linalg/kernels/product_body.h"
#include "linalg/kernels/thin_body.h"

#include "linalg/kernels/cholesky_body.h"
#include "linalg/kernels/double_product_body.h"
#include "linalg/kernels/gram_body.h"
#include "linalg/kernels/tangent_body.h"

const blpo__kernels TABLE = {LEVEL_NAME, product, dots, few_rows, add_rows, tanh_all, relu_all, times_slope,
                             outer_slope, scaled_rows, adam,
                             add_gram, less_rows, dot, add_gram_products, add_double_products, cholesky, cholesky_solve,
                             signal_tangents, add_first_layer, exp_all, log_all};
