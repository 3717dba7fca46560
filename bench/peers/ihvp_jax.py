"""A peer to measure against: inverse-Hessian-vector products in JAX, on the problem of tests/vectors/ihvp_problem.npz.

    ihvp_jax.py FILE.npz [--case nystrom-5|nystrom-50|cg-1e-5|...] [--rho 50] [--seconds 0.1] [--serve]

Needs: jax (CPU).  Everything is jitted, from weights and observations to x; the indices of nystrom are given (drawing them
is not measured).  Rows of the Hessian are had in two ways, forward over reverse by unit directions and reverse over reverse,
and the faster counts.
"""
import argparse

import jax
import jax.numpy as jnp
import numpy as np

import blpo_reference as R
import turns

CFG = dict(critic_activation="tanh")


def rows_forward(w, traj, idx):
    return R.hessian_rows(w, traj, CFG, idx)


def rows_reverse(w, traj, idx):
    _, grad, _ = R.flat_functions(w, traj, CFG)
    return jax.jacrev(lambda f: grad(f)[idx])(R.flatten(w))


def nystrom(rows, k, rho):
    """x for given indices; s = 0."""
    def solve(w, traj, v, idx):
        return R.nystrom(rows(w, traj, idx), idx, v, rho, 0.0)
    return solve


def cg(iterations, tolerance, rho):
    """JAX's own conjugate gradients."""
    def solve(w, traj, v, idx):
        _, _, hvp = R.flat_functions(w, traj, CFG)
        flat = R.flatten(w)
        return jax.scipy.sparse.linalg.cg(lambda u: hvp(flat, u) + rho * u, v, tol=tolerance, maxiter=iterations)[0]
    return solve


def candidates(case, rho):
    kind, _, number = case.partition("-")
    if kind == "nystrom":
        return {"forward": nystrom(rows_forward, int(number), rho), "reverse": nystrom(rows_reverse, int(number), rho)}
    if number == "1e-5":
        return {"cg": cg(200, 1e-5, rho)}
    return {"cg": cg(int(number), 0.0, rho)}


def load(path):
    z = np.load(path)
    w = [(jnp.asarray(z[f"w{2 * l}"]), jnp.asarray(z[f"w{2 * l + 1}"])) for l in range(3)]
    return z, w, dict(obs=jnp.asarray(z["X"]), ret=jnp.asarray(z["R"]))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("file")
    p.add_argument("--case", default="nystrom-5")
    p.add_argument("--rho", type=float, default=50.0)
    p.add_argument("--seconds", type=float, default=0.1)
    p.add_argument("--serve", action="store_true")
    a = p.parse_args()
    z, w, traj = load(a.file)
    v, exact = jnp.asarray(z["v"]), z[f"x_v_{a.rho:g}"]
    k = int(a.case.split("-")[1]) if a.case.startswith("nystrom") else 1
    idx = jnp.asarray(np.random.default_rng(0).choice(v.size, size=k, replace=False))
    ways = {n: jax.jit(f).lower(w, traj, v, idx).compile() for n, f in candidates(a.case, a.rho).items()}
    x = {n: np.asarray(f(w, traj, v, idx), np.float64) for n, f in ways.items()}
    speed = {n: turns.least_us(lambda: jax.block_until_ready(f(w, traj, v, idx)), a.seconds) for n, f in ways.items()}
    best = min(speed, key=speed.get)
    error = float(np.linalg.norm(x[best] - exact) / np.linalg.norm(exact))

    def measure():
        us = turns.least_us(lambda: jax.block_until_ready(ways[best](w, traj, v, idx)), a.seconds)
        return dict(what="ihvp", case=a.case, rho=a.rho, us=us, error=error, way=best)

    turns.serve("jax", measure, version=jax.__version__)


if __name__ == "__main__":
    main()
