"""A peer to measure against: BLPO, nested-only and PPO training, jitted end to end in JAX.

    train_jax.py --method nystrom|nested|cg|ppo --env CartPole-v1|Acrobot-v1 --steps 51200 --seed 0 [--serve | --solve]

Needs: jax (CPU), gymnax==0.0.9.  Settings are those of docs/algorithm.md, section 8.  --serve: one measurement (turns.py) is
a run of `steps` environment steps, compiled before.  --solve: until the mean of 100 episodes is 475, then one line with the
steps, the return and the seconds that compiling took.  As in the published runs a time limit counts as a termination here.
"""
import argparse
import time
from collections import deque

import jax
import jax.numpy as jnp
import numpy as np
import gymnax

import blpo_reference as R
import turns

CFG = dict(kind="categorical", actor_activation="tanh", critic_activation="tanh", gamma=0.99, gae_lambda=0.95,
           clip_range=0.2, clip_range_critic=0.5, rho=50.0, jitter=1.0, kappa=1.0, critic_steps=3,
           actor_lr=2.5e-4, critic_lr=1e-3, n_envs=4, n_steps=128, n_epochs=4, rank=5)
ROLLOUT = CFG["n_envs"] * CFG["n_steps"]


def orthogonal_net(key, sizes, last_gain):
    net = []
    for n, (i, o) in enumerate(zip(sizes[:-1], sizes[1:])):
        key, k = jax.random.split(key)
        gain = last_gain if n == len(sizes) - 2 else np.sqrt(2.0)
        net.append((jax.nn.initializers.orthogonal(gain)(k, (i, o)).T, jnp.zeros(o)))
    return net


def draw_indices(key, p, k):
    """k of range(p), uniform, without replacement (Floyd's algorithm: no sort of p keys)."""
    chosen = jnp.full((k,), -1)
    for n, kk in enumerate(jax.random.split(key, k)):
        last = p - k + n
        t = jax.random.randint(kk, (), 0, last + 1)
        chosen = chosen.at[n].set(jnp.where(jnp.any(chosen == t), last, t))
    return chosen


def blpo_minibatch(method):
    """K critic steps, then one actor step along the hypergradient (nested: along its direct part)."""
    def update(carry, batch):
        theta, w, ot, ow, key = carry
        key, k = jax.random.split(key)
        for _ in range(CFG["critic_steps"]):
            w, ow = R.adam(w, jax.grad(R.critic_loss)(w, batch, CFG), ow, CFG["critic_lr"])
        direct = jax.grad(R.actor_loss)(theta, w, batch, CFG)
        total = direct
        if method != "nested":
            v = R.response_gradient(theta, w, batch, CFG)
            if method == "nystrom":
                idx = draw_indices(k, v.size, CFG["rank"])
                x = R.nystrom(R.hessian_rows(w, batch, CFG, idx), idx, v, CFG["rho"], CFG["jitter"])
            else:
                _, _, hvp = R.flat_functions(w, batch, CFG)
                flat = R.flatten(w)
                x = R.conjugate_gradient(lambda u: hvp(flat, u), v, CFG["rho"], 10)
            bounded = R.bound(direct, R.mixed_product(theta, w, batch, CFG, x), CFG["kappa"])
            total = jax.tree_util.tree_map(jnp.subtract, direct, bounded)
        theta, ot = R.adam(theta, total, ot, CFG["actor_lr"])
        return (theta, w, ot, ow, key), None

    return update


def ppo_minibatch(carry, batch):
    """One Adam step (lr 2.5e-4, gradient norm 0.5) on shuffled transitions, advantages fixed and normalised."""
    nets, opt = carry
    adv = (batch["adv"] - batch["adv"].mean()) / (batch["adv"].std() + 1e-8)

    def loss(nets):
        theta, w = nets
        ratio = jnp.exp(R.log_prob(theta, batch["obs"], batch["action"], "categorical") - batch["log_prob"])
        surrogate = jnp.minimum(ratio * adv, jnp.clip(ratio, 1 - CFG["clip_range"], 1 + CFG["clip_range"]) * adv)
        return -jnp.mean(surrogate) + 0.5 * R.critic_loss(w, batch, CFG)

    grad = jax.grad(loss)(nets)
    scale = jnp.minimum(1.0, 0.5 / (R.global_norm(grad) + 1e-8))
    nets, opt = R.adam(nets, jax.tree_util.tree_map(lambda g: g * scale, grad), opt, CFG["actor_lr"])
    return (nets, opt), None


def make(env_name, method):
    """(init, run): init(key) is a carry, run(n)(carry) is n updates: (carry, returns of the episodes that ended or NaN)."""
    env, params = gymnax.make(env_name)
    obs_dim, n_act = int(np.prod(env.observation_space(params).shape)), env.action_space(params).n

    def init(key):
        key, ka, kc, kr = jax.random.split(key, 4)
        theta = {"net": orthogonal_net(ka, [obs_dim, 64, 64, n_act], 0.01)}
        w = orthogonal_net(kc, [obs_dim, 64, 64, 1], 1.0)
        obs, state = jax.vmap(env.reset, in_axes=(0, None))(jax.random.split(kr, CFG["n_envs"]), params)
        of_actor = R.adam_init((theta, w) if method == "ppo" else theta)
        return (theta, w, of_actor, R.adam_init(w), obs, state, jnp.zeros(CFG["n_envs"]), key)

    def env_step(theta):
        def step(c, _):
            obs, state, ep_ret, key = c
            key, ka, ks = jax.random.split(key, 3)
            flat = obs.reshape(CFG["n_envs"], -1)
            logits = R.mlp(theta["net"], flat)
            action = jax.random.categorical(ka, logits)
            lp = jnp.take_along_axis(jax.nn.log_softmax(logits), action[:, None], 1)[:, 0]
            nobs, state, reward, done, _ = jax.vmap(env.step, in_axes=(0, 0, 0, None))(
                jax.random.split(ks, CFG["n_envs"]), state, action, params)
            ep_ret = ep_ret + reward
            out = dict(obs=flat, next_obs=nobs.reshape(CFG["n_envs"], -1), action=action, reward=reward,
                       terminated=done.astype(jnp.float32), truncated=jnp.zeros_like(reward), log_prob=lp)
            return (nobs, state, jnp.where(done, 0.0, ep_ret), key), (out, jnp.where(done, ep_ret, jnp.nan))

        return step

    def one_update(carry, _):
        theta, w, ot, ow, obs, state, ep_ret, key = carry
        (obs, state, ep_ret, key), (roll, ended) = jax.lax.scan(env_step(theta), (obs, state, ep_ret, key), None,
                                                                CFG["n_steps"])
        trajs = jax.tree_util.tree_map(lambda a: jnp.swapaxes(a, 0, 1), roll)
        adv = jax.vmap(lambda t: R.advantages(w, t, CFG["gamma"], CFG["gae_lambda"]))(trajs)
        trajs["ret"] = adv + R.value(w, trajs["obs"])
        key, k, kb = jax.random.split(key, 3)
        epochs = jax.random.split(k, CFG["n_epochs"])
        if method == "ppo":
            flat = {a: v.reshape((ROLLOUT,) + v.shape[2:]) for a, v in {**trajs, "adv": adv}.items()}

            def epoch(c, k):
                perm = jax.random.permutation(k, ROLLOUT)
                shape = (CFG["n_envs"], CFG["n_steps"])
                shuffled = jax.tree_util.tree_map(lambda a: a[perm].reshape(shape + a.shape[1:]), flat)
                return jax.lax.scan(ppo_minibatch, c, shuffled)[0], None

            ((theta, w), ot), _ = jax.lax.scan(epoch, ((theta, w), ot), epochs)
        else:
            def epoch(c, k):
                perm = jax.random.permutation(k, CFG["n_envs"])
                return jax.lax.scan(blpo_minibatch(method), c, jax.tree_util.tree_map(lambda a: a[perm], trajs))[0], None

            (theta, w, ot, ow, _), _ = jax.lax.scan(epoch, (theta, w, ot, ow, kb), epochs)
        return (theta, w, ot, ow, obs, state, ep_ret, key), ended

    return init, lambda n: lambda carry: jax.lax.scan(one_update, carry, None, n)


def compiled(a, updates):
    """(carry, compiled run of so many updates, seconds that compiling took)."""
    start = time.perf_counter()
    init, run = make(a.env, a.method)
    carry = jax.block_until_ready(jax.jit(init)(jax.random.PRNGKey(a.seed)))
    fast = jax.jit(run(updates)).lower(carry).compile()
    return carry, fast, time.perf_counter() - start


def serve(a):
    updates = max(1, a.steps // ROLLOUT)
    carry, run, seconds = compiled(a, updates)
    jax.block_until_ready(run(carry))

    def measure():
        took = turns.timed(lambda: jax.block_until_ready(run(carry)))
        return dict(what="train", method=a.method, steps=updates * ROLLOUT, **took, steps_per_s=updates * ROLLOUT / took["cpu"])

    turns.serve("jax", measure, version=jax.__version__, compile_s=seconds)


def solve(a, chunk=10):
    carry, run, seconds = compiled(a, chunk)
    last, steps = deque(maxlen=100), 0
    while steps < 500000 and (len(last) < 100 or np.mean(last) < 475.0):
        carry, ended = run(carry)
        ended = np.asarray(ended)
        last.extend(ended[~np.isnan(ended)].ravel())
        steps += chunk * ROLLOUT
    turns.say(what="solve", steps=steps, mean_return=float(np.mean(last)), compile_s=seconds)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--method", default="nystrom", choices=["nystrom", "nested", "cg", "ppo"])
    p.add_argument("--env", default="CartPole-v1")
    p.add_argument("--steps", type=int, default=51200)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--serve", action="store_true")
    p.add_argument("--solve", action="store_true")
    a = p.parse_args()
    solve(a) if a.solve else serve(a)


if __name__ == "__main__":
    main()
