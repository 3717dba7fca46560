/* The table of methods. A new one is a file of its own, a row here and a number of blpo_ihvp_method. */
#include "hypergrad/hypergrad.h"

static const blpo__ihvp *const methods[] = {
    [BLPO_IHVP_NONE] = &blpo__ihvp_none,
    [BLPO_IHVP_NYSTROM] = &blpo__ihvp_nystrom,
    [BLPO_IHVP_CG] = &blpo__ihvp_cg,
    [BLPO_IHVP_DENSE] = &blpo__ihvp_dense,
    [BLPO_IHVP_NYSTROM_PCG] = &blpo__ihvp_nystrom_pcg,
    [BLPO_IHVP_NEUMANN] = &blpo__ihvp_neumann,
    [BLPO_IHVP_GAUSS_NEWTON] = &blpo__ihvp_gauss_newton,
};

int64_t blpo__ihvp_n_methods(void)
{
    return (int64_t)(sizeof methods / sizeof methods[0]);
}

const blpo__ihvp *blpo__ihvp_method(int64_t method)
{
    return method >= 0 && method < blpo__ihvp_n_methods() ? methods[method] : NULL;
}
