// The same from C++: the headers compile, the names link, and a hypergradient comes out right.
//
// Inner objective g(w; t) = 1/2 w'Aw - t'w with A = [2 1; 1 3], so H = A and d2g / dt dw = -I. With rho = 1 and v = (1, 2):
// A + I = [3 1; 1 4] has determinant 11, so x = ((4 - 2) / 11, (6 - 1) / 11) = (2/11, 5/11). The hypergradient is
// direct - (-I) x = direct + x.
#include <blpo/blpo.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <memory>

namespace {

int rows(void *, const std::int64_t *index, std::int64_t k, float *out)
{
    const float a[2][2] = { { 2.0f, 1.0f }, { 1.0f, 3.0f } };
    for (std::int64_t i = 0; i < k; i++)
        for (int j = 0; j < 2; j++)
            out[2 * i + j] = a[index[i]][j];
    return 0;
}

int mixed(void *, const float *x, float *out)
{
    out[0] = -x[0];
    out[1] = -x[1];
    return 0;
}

} // namespace

int main()
{
    blpo_problem problem;
    blpo_hypergrad_config config;
    if (blpo_problem_init(&problem, sizeof problem) != BLPO_OK ||
        blpo_hypergrad_config_init(&config, sizeof config) != BLPO_OK)
        return 1;
    problem.n_inner = 2;
    problem.n_outer = 2;
    problem.hessian_rows = rows;
    problem.mixed_product = mixed;
    config.method = BLPO_IHVP_DENSE;
    config.nystrom_rho = 1.0;

    blpo_hypergrad *made = nullptr;
    if (blpo_hypergrad_create(&problem, &config, nullptr, &made) != BLPO_OK)
        return 2;
    const std::unique_ptr<blpo_hypergrad, void (*)(blpo_hypergrad *)> solver(made, blpo_hypergrad_destroy);

    const float direct[2] = { 1.0f, 1.0f };
    const float v[2] = { 1.0f, 2.0f };
    float gradient[2] = { 0.0f, 0.0f };
    blpo_hypergrad_report report = blpo_hypergrad_report();
    report.struct_size = sizeof report;
    if (blpo_hypergrad_compute(solver.get(), direct, v, gradient, &report) != BLPO_OK) {
        std::fprintf(stderr, "%s\n", blpo_hypergrad_error(solver.get())->text);
        return 3;
    }
    const float expected[2] = { 1.0f + 2.0f / 11.0f, 1.0f + 5.0f / 11.0f };
    for (int i = 0; i < 2; i++)
        if (!(std::fabs(gradient[i] - expected[i]) < 1e-5f)) {
            std::fprintf(stderr, "gradient[%d] = %g, expected %g\n", i, double(gradient[i]), double(expected[i]));
            return 4;
        }
    std::printf("libblpo %s from C++: %lld products\n", blpo_version(), static_cast<long long>(report.n_products));
    return 0;
}
