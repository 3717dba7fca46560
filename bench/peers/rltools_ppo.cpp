// A peer to measure against: RLtools' PPO (Gaussian only) on Pendulum-v1, and one action of its policy. The headers come with
// the PyPI package rltools; compare.py builds it:
//
//   g++ -std=c++17 -O3 -march=native -ffast-math -DRL_TOOLS_BACKEND_ENABLE_OPENBLAS [-DACT=TANH|FAST_TANH]
//       -I <package rltools>/external/rl_tools/include rltools_ppo.cpp -o rltools_ppo -lopenblas
//
//   rltools_ppo train|act STEPS      one JSON line a line of standard input, as bench/harness.h has it
//
// 4 environments x 128 steps, minibatches of 128, 4 epochs, 64-64, Adam 2.5e-4. Without OpenBLAS it runs its own loops.
#include <rl_tools/operations/cpu_mux.h>
#include <rl_tools/rl/environments/pendulum/operations_generic.h>
#include <rl_tools/nn/optimizers/adam/instance/operations_generic.h>
#include <rl_tools/nn/operations_cpu_mux.h>
#include <rl_tools/nn/layers/standardize/operations_generic.h>
#include <rl_tools/nn_models/mlp_unconditional_stddev/operations_generic.h>
#include <rl_tools/nn_models/sequential/operations_generic.h>
#include <rl_tools/nn/optimizers/adam/operations_generic.h>
#include <rl_tools/rl/algorithms/ppo/loop/core/config.h>
#include <rl_tools/rl/algorithms/ppo/loop/core/operations_generic.h>
#include <rl_tools/rl/utils/evaluation/operations_generic.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <time.h>

namespace rlt = rl_tools;
using DEVICE = rlt::devices::DEVICE_FACTORY<>;
using T = float;
using TYPE_POLICY = rlt::numeric_types::Policy<float>;
using TI = typename DEVICE::index_t;
using RNG = typename DEVICE::SPEC::RANDOM::template ENGINE<>;
constexpr bool DYN = true;
#ifndef ACT
#define ACT TANH
#endif

using ENV = rlt::rl::environments::Pendulum<
    rlt::rl::environments::pendulum::Specification<T, TI, rlt::rl::environments::pendulum::DefaultParameters<T>>>;

struct PARAMS : rlt::rl::algorithms::ppo::loop::core::DefaultParameters<TYPE_POLICY, TI, ENV> {
    static constexpr auto ACTOR_ACTIVATION_FUNCTION = rlt::nn::activation_functions::ActivationFunction::ACT;
    static constexpr auto CRITIC_ACTIVATION_FUNCTION = rlt::nn::activation_functions::ActivationFunction::ACT;
    static constexpr TI ACTOR_HIDDEN_DIM = 64, CRITIC_HIDDEN_DIM = 64;
    static constexpr TI N_ENVIRONMENTS = 4;
    static constexpr TI BATCH_SIZE = 128, ON_POLICY_RUNNER_STEPS_PER_ENV = 128;
    struct ACTOR_OPTIMIZER_PARAMETERS : rlt::nn::optimizers::adam::DEFAULT_PARAMETERS_PYTORCH<TYPE_POLICY> {
        static constexpr T ALPHA = 2.5e-4;
    };
    using CRITIC_OPTIMIZER_PARAMETERS = ACTOR_OPTIMIZER_PARAMETERS;
    static constexpr TI STEP_LIMIT = 100000000;
    struct PPO_PARAMETERS : rlt::rl::algorithms::ppo::DefaultParameters<TYPE_POLICY, TI, BATCH_SIZE> {
        static constexpr T ACTION_ENTROPY_COEFFICIENT = 0.0;
        static constexpr TI N_EPOCHS = 4;
        static constexpr T GAMMA = 0.9, INITIAL_ACTION_STD = 2.0;
    };
};
using CORE = rlt::rl::algorithms::ppo::loop::core::Config<
    TYPE_POLICY, TI, RNG, ENV, PARAMS, rlt::rl::algorithms::ppo::loop::core::ConfigApproximatorsSequential, DYN>;
using STATE = typename CORE::template State<CORE>;
using ACTOR = typename CORE::NN::ACTOR_TYPE;
using ACTOR_ONE = typename ACTOR::template CHANGE_BATCH_SIZE<TI, 1>;

static double seconds_of(clockid_t clock)
{
    timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

static double cpu() { return seconds_of(CLOCK_PROCESS_CPUTIME_ID); }

static void train(DEVICE &device, STATE &ts, TI loops)
{
    const double wall = seconds_of(CLOCK_MONOTONIC), start = cpu();
    for (TI i = 0; i < loops; i++)
        rlt::step(device, ts);
    const double took = cpu() - start, steps = (double)(loops * CORE::ENVIRONMENT_STEPS_PER_LOOP_STEP);
    std::printf("{\"what\":\"train\",\"method\":\"ppo\",\"steps\":%.0f,\"wall\":%.6f,\"cpu\":%.6f,\"steps_per_s\":%.1f}\n",
                steps, seconds_of(CLOCK_MONOTONIC) - wall, took, steps / took);
}

static void act(DEVICE &device, STATE &ts)
{
    rlt::Tensor<rlt::tensor::Specification<T, TI, rlt::tensor::Shape<TI, 1, 1, ENV::Observation::DIM>, DYN>> in;
    rlt::Tensor<rlt::tensor::Specification<T, TI, rlt::tensor::Shape<TI, 1, 1, ENV::ACTION_DIM>, DYN>> out;
    typename ACTOR_ONE::template Buffer<DYN> buffers;
    rlt::malloc(device, in);
    rlt::malloc(device, out);
    rlt::malloc(device, buffers);
    rlt::set_all(device, in, 0.1f);
    double best = 1e30;
    for (int batch = 0; batch < 40; batch++) {
        const int n = 5000;
        const double start = cpu();
        for (int i = 0; i < n; i++)
            rlt::evaluate(device, ts.ppo.actor, in, out, buffers, ts.rng, rlt::Mode<rlt::mode::Evaluation<>>{});
        const double took = (cpu() - start) / n;
        best = took < best ? took : best;
    }
    std::printf("{\"what\":\"act\",\"us\":%.4f}\n", 1e6 * best);
    rlt::free(device, in);
    rlt::free(device, out);
    rlt::free(device, buffers);
}

int main(int argc, char **argv)
{
    const bool acting = argc > 1 && std::strcmp(argv[1], "act") == 0;
    const double steps = argc > 2 ? std::atof(argv[2]) : 51200;
    const TI loops = (TI)(steps / CORE::ENVIRONMENT_STEPS_PER_LOOP_STEP + 0.999);
    DEVICE device;
    static STATE ts;
    rlt::malloc(device, ts);
    rlt::init(device, ts, 0);
    rlt::step(device, ts);
    std::printf("{\"ready\":\"rltools\"}\n");
    std::fflush(stdout);
    for (char line[64]; std::fgets(line, sizeof line, stdin) != nullptr; std::fflush(stdout)) {
        if (acting)
            act(device, ts);
        else
            train(device, ts, loops);
    }
    return 0;
}
