/* Conjugate gradients preconditioned by the Gauss-Newton part of H: the loop is cg.c, the inverse that of gauss_newton.c.
 *
 *   H = J^T J + S, S the second derivatives of the model     z = rho (J^T J + rho I)^-1 r = r - J^T (J J^T + rho I)^-1 J r
 *
 * The preconditioned matrix is I + (J^T J + rho I)^-1 S: what is large in H is mostly J^T J, so its eigenvalues are near 1 but for
 * few. It is I for curvature Gauss-Newton, and one iteration is exact then. The factor rho, which conjugate gradients do not
 * see, keeps |z| <= |r|, so that a tiny rho makes no large numbers.
 *
 * Error: bound of cg.c with C <= (1 + s) / (1 - s), s = |P^-1/2 S P^-1/2| <= |S| / rho, where s < 1. z comes from a difference,
 * and is lost in roundings where rho < eps |J^T J|.
 *
 * Cost: J J^T and its factor, for each z a jvp and a vjp, which count as one product, and 2 T^2 + 2 p operations. */
#include "hypergrad/hypergrad.h"

static int apply(blpo_hypergrad *solver, const real *r, real *z)
{
    return blpo__gauss_newton_apply(solver, r, 1.0, z);
}

const blpo__preconditioner blpo__precondition_gauss_newton = {blpo__gauss_newton_create, blpo__gauss_newton_make,
                                                              apply};
