"""A peer to measure against: PPO of Stable-Baselines3, the sizes and rates of the published CartPole runs.

    train_sb3.py [--env CartPole-v1] [--steps 8192] [--seed 0] [--serve | --solve]

Needs: stable-baselines3, torch, gymnasium.  Separate networks 64-64 tanh, 4 environments x 128 steps, minibatches of 128,
4 epochs, Adam 2.5e-4: its own defaults elsewhere.  --serve: one measurement (turns.py) is `steps` more environment steps.
--solve: until the mean of 100 episodes is 475.
"""
import argparse

import numpy as np
import stable_baselines3
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env

import turns

torch.set_num_threads(1)


class Solved(BaseCallback):
    """Stops a run when the mean return of the last 100 episodes is 475."""

    def _on_step(self):
        last = self.model.ep_info_buffer
        return len(last) < 100 or float(np.mean([e["r"] for e in last])) < 475.0


def model(a):
    return PPO("MlpPolicy", make_vec_env(a.env, n_envs=4, seed=a.seed), n_steps=128, batch_size=128, n_epochs=4,
               learning_rate=2.5e-4, gamma=0.99, gae_lambda=0.95, clip_range=0.2, seed=a.seed, device="cpu",
               policy_kwargs=dict(net_arch=dict(pi=[64, 64], vf=[64, 64])))


def serve(a):
    ppo = model(a)
    ppo.learn(1024)

    def measure():
        took = turns.timed(lambda: ppo.learn(a.steps, reset_num_timesteps=True))
        return dict(what="train", method="ppo", steps=ppo.num_timesteps, **took, steps_per_s=ppo.num_timesteps / took["cpu"])

    turns.serve("stable-baselines3", measure, version=stable_baselines3.__version__, torch=torch.__version__)


def solve(a):
    ppo = model(a)
    ppo.learn(500000, callback=Solved())
    turns.say(what="solve", steps=ppo.num_timesteps, mean_return=float(np.mean([e["r"] for e in ppo.ep_info_buffer])))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--env", default="CartPole-v1")
    p.add_argument("--steps", type=int, default=8192)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--serve", action="store_true")
    p.add_argument("--solve", action="store_true")
    a = p.parse_args()
    solve(a) if a.solve else serve(a)


if __name__ == "__main__":
    main()
