/* What the study of learning compares: tasks and hypergradient settings, by name. */
#ifndef STUDIES_LEARNING_SETTINGS_H
#define STUDIES_LEARNING_SETTINGS_H

#include <blpo/blpo.h>

/* A way to the hypergradient. The rest of the configuration is the task's. */
struct setting {
    const char *name;
    int method;        /* a blpo_method */
    int ihvp;          /* a blpo_ihvp_method; these four are for BLPO_METHOD_BLPO only */
    int curvature;     /* a blpo_curvature */
    double rho, shift; /* nystrom_rho, nystrom_shift */
    int recommended;   /* 1: blpo_config_recommended(), kappa too, by that method; the four above are not looked at */
    int normalized;    /* 1: normalize_advantages */
};

static const struct setting settings[] = {
    {"nystrom-published", BLPO_METHOD_BLPO, BLPO_IHVP_NYSTROM, BLPO_CURVATURE_HESSIAN, 50.0, 1.0, 0, 0},
    {"nystrom-hessian-s0", BLPO_METHOD_BLPO, BLPO_IHVP_NYSTROM, BLPO_CURVATURE_HESSIAN, 50.0, 0.0, 0, 0},
    {"nystrom-gn-rho50", BLPO_METHOD_BLPO, BLPO_IHVP_NYSTROM, BLPO_CURVATURE_GAUSS_NEWTON, 50.0, 0.0, 0, 0},
    {"nystrom-gn-rho5", BLPO_METHOD_BLPO, BLPO_IHVP_NYSTROM, BLPO_CURVATURE_GAUSS_NEWTON, 5.0, 0.0, 0, 0},
    {"exact-gn-rho50", BLPO_METHOD_BLPO, BLPO_IHVP_GAUSS_NEWTON, BLPO_CURVATURE_GAUSS_NEWTON, 50.0, 0.0, 0, 0},
    {"exact-gn-rho5", BLPO_METHOD_BLPO, BLPO_IHVP_GAUSS_NEWTON, BLPO_CURVATURE_GAUSS_NEWTON, 5.0, 0.0, 0, 0},
    {"exact-gn-rho0.5", BLPO_METHOD_BLPO, BLPO_IHVP_GAUSS_NEWTON, BLPO_CURVATURE_GAUSS_NEWTON, 0.5, 0.0, 0, 0},
    {"cg-hessian", BLPO_METHOD_BLPO, BLPO_IHVP_CG, BLPO_CURVATURE_HESSIAN, 50.0, 0.0, 0, 0},
    {"cg-gn", BLPO_METHOD_BLPO, BLPO_IHVP_CG, BLPO_CURVATURE_GAUSS_NEWTON, 50.0, 0.0, 0, 0},
    {"none", BLPO_METHOD_BLPO, BLPO_IHVP_NONE, BLPO_CURVATURE_HESSIAN, 50.0, 0.0, 0, 0},
    {"nested", BLPO_METHOD_NESTED, 0, 0, 50.0, 0.0, 0, 0},
    {"ppo", BLPO_METHOD_PPO, 0, 0, 50.0, 0.0, 0, 0},
    /* judged by seeds of their own: the recommended settings, the same without the implicit term, and PPO as it is mostly run */
    {"recommended", BLPO_METHOD_BLPO, 0, 0, 0.0, 0.0, 1, 1},
    {"recommended-nested", BLPO_METHOD_NESTED, 0, 0, 0.0, 0.0, 1, 1},
    {"ppo-normalized", BLPO_METHOD_PPO, 0, 0, 50.0, 0.0, 0, 1},
};

enum { N_SETTINGS = sizeof settings / sizeof settings[0] };

#endif
