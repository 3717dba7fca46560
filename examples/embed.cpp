// From C++ (11 or later): handles that free themselves, errors that are thrown, callbacks that may throw.
//
//     c++ embed.cpp -o embed $(pkg-config --cflags --libs blpo) && ./embed
#include "envs/cartpole.h"

#include <blpo/blpo.h>
#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

// -- ten lines of RAII --

namespace blpo {
struct release {
    void operator()(blpo_trainer *h) const { blpo_trainer_destroy(h); }
    void operator()(blpo_policy *h) const { blpo_policy_destroy(h); }
};
template <class T> using handle = std::unique_ptr<T, release>;

// own<blpo_trainer>(blpo_trainer_create, &env, &config): any create or load function, without its last two arguments.
template <class T, class Create, class... Args> handle<T> own(Create create, Args... args)
{
    blpo_error error = blpo_error();
    blpo_runtime runtime;
    blpo_runtime_init(&runtime, sizeof runtime);
    runtime.error = &error;
    T *out = nullptr;
    if (create(args..., &runtime, &out) < 0)
        throw std::runtime_error(error.text);
    return handle<T>(out);
}
} // namespace blpo

// -- an environment in C++ --

// What a callback throws must not pass through C: it is kept, the run ends, train() throws it on.
struct poles {
    std::vector<cartpole> row;
    cartpole_batch batch;
    std::exception_ptr thrown;

    poles(const poles &) = delete; // batch points into row
    explicit poles(std::size_t n) : row(n), batch{row.data(), static_cast<int64_t>(n), 0} {}

    template <class Call> int guarded(Call call)
    {
        try {
            return call();
        } catch (...) {
            thrown = std::current_exception();
            return -1;
        }
    }

    static int step(void *user, blpo_step *io)
    {
        poles *self = static_cast<poles *>(user);
        return self->guarded([=] { return cartpole_env_step(&self->batch, io); });
    }

    static int reset(void *user, blpo_reset *io)
    {
        poles *self = static_cast<poles *>(user);
        return self->guarded([=] { return cartpole_env_reset(&self->batch, io); });
    }
};

static blpo::handle<blpo_trainer> train(poles &world, int64_t steps)
{
    blpo_env env;
    cartpole_env(&env, &world.batch);
    env.user = &world;
    env.step = poles::step;
    env.reset = poles::reset;
    env.save = nullptr; // of cartpole_batch, which is not the user here
    env.load = nullptr;

    blpo_config config;
    blpo_config_init(&config, sizeof config);
    config.seed = 7;
    auto trainer = blpo::own<blpo_trainer>(blpo_trainer_create, &env, &config);

    auto on_update = [](void *, const blpo_metrics *m) -> int {
        if (m->n_updates % 20 == 0)
            std::printf("%8lld steps  return %5.1f\n", static_cast<long long>(m->steps), m->episode_return_mean);
        return BLPO_CONTINUE;
    };
    if (blpo_trainer_run(trainer.get(), steps, on_update, nullptr) < 0) {
        if (world.thrown)
            std::rethrow_exception(world.thrown);
        throw std::runtime_error(blpo_trainer_error(trainer.get())->text);
    }
    return trainer;
}

// -- a policy as a value: saved into bytes, made again from them --

static std::string bytes_of(const blpo_trainer *trainer)
{
    std::string bytes;
    auto append = [](void *to, const void *from, size_t n) -> int {
        try {
            static_cast<std::string *>(to)->append(static_cast<const char *>(from), n);
            return 0;
        } catch (...) {
            return -1;
        }
    };
    int rc = blpo_trainer_save_policy(trainer, append, &bytes);
    if (rc < 0)
        throw std::runtime_error(blpo_status_text(rc));
    return bytes;
}

static double mean_return(const blpo_policy *policy, int episodes)
{
    double sum = 0;
    for (int i = 0; i < episodes; i++) {
        cartpole pole;
        cartpole_reset(&pole, 1000 + static_cast<uint64_t>(i));
        while (!cartpole_terminated(&pole) && !cartpole_truncated(&pole)) {
            float obs[CARTPOLE_OBS];
            int64_t action;
            cartpole_observe(&pole, obs);
            int rc = blpo_policy_act(policy, obs, 1, BLPO_DETERMINISTIC, nullptr, &action);
            if (rc < 0)
                throw std::runtime_error(blpo_status_text(rc));
            sum += cartpole_step(&pole, action);
        }
    }
    return sum / episodes;
}

int main()
{
    try {
        poles world(4);
        auto trainer = train(world, 100000);
        const std::string bytes = bytes_of(trainer.get());
        trainer.reset(); // the policy below needs no trainer
        auto policy = blpo::own<blpo_policy>(blpo_policy_load, bytes.data(), bytes.size());
        std::printf("mean return of 20 episodes: %.1f\n", mean_return(policy.get(), 20));
        return std::fflush(stdout) != 0 || std::ferror(stdout) ? 1 : 0;
    } catch (const std::exception &e) {
        std::fprintf(stderr, "%s\n", e.what());
        return 1;
    }
}
