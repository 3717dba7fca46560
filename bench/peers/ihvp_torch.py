"""Peers to measure against: inverse-Hessian-vector products by two PyTorch packages, on tests/vectors/ihvp_problem.npz.

    ihvp_torch.py FILE.npz [--package hypergrad|torchopt] [--case nystrom-5|nystrom-50|cg-1e-5|cg-10] [--rho 50] [--serve]

Needs: torch, and hypergrad (its Nystrom method, indices drawn by it) or torchopt (its conjugate gradients).  Eager, as both
are used; the outer objective is linear, v . w, so that its gradient is v; the mixed product is left out.
"""
import argparse

import numpy as np
import torch

import turns

torch.set_num_threads(1)


def load(path):
    z = np.load(path)
    w = tuple(torch.tensor(z[f"w{i}"]) for i in range(6))
    return z, w, torch.tensor(z["X"]), torch.tensor(z["R"])


def loss(X, R):
    def g(w, _=None):
        h = torch.tanh(X @ w[0].T + w[1])
        h = torch.tanh(h @ w[2].T + w[3])
        return torch.mean((R - (h @ w[4].T + w[5])[:, 0]) ** 2)
    return g


def split(v, w):
    parts = torch.split(v, [p.numel() for p in w])
    return tuple(q.reshape(p.shape) for q, p in zip(parts, w))


def with_hypergrad(case, g, w, v, rho):
    from hypergrad import approx_hypergrad
    rank, vs, outer = int(case.split("-")[1]), split(v, w), (torch.zeros(1),)

    def objective(w, o):
        return sum((a * b).sum() for a, b in zip(vs, w)) + 0.0 * o[0].sum()

    alone = approx_hypergrad.nystrom.__wrapped__  # x, without the mixed product that the package adds
    return lambda: torch.cat([x.reshape(-1) for x in alone(g, objective, w, outer, rank, rho)[0]])


def with_torchopt(case, g, w, v, rho):
    from torchopt.linear_solve import solve_cg
    number, vs = case.split("-", 1)[1], split(v, w)
    tolerance, iterations = (1e-5, 200) if number == "1e-5" else (0.0, int(number))
    gradient = torch.func.grad(g)

    def product(u):
        return torch.func.jvp(gradient, (w,), (tuple(u),))[1]

    solver = solve_cg(ridge=rho, rtol=tolerance, atol=0.0, maxiter=iterations)
    return lambda: torch.cat([x.reshape(-1) for x in solver(product, vs)])


def main():
    p = argparse.ArgumentParser()
    p.add_argument("file")
    p.add_argument("--package", default="hypergrad", choices=["hypergrad", "torchopt"])
    p.add_argument("--case", default="nystrom-5")
    p.add_argument("--rho", type=float, default=50.0)
    p.add_argument("--seconds", type=float, default=0.1)
    p.add_argument("--serve", action="store_true")
    a = p.parse_args()
    z, w, X, R = load(a.file)
    v, exact = torch.tensor(z["v"]), z[f"x_v_{a.rho:g}"]
    make = with_hypergrad if a.package == "hypergrad" else with_torchopt
    solve = make(a.case, loss(X, R), w, v, a.rho)
    error = float(np.linalg.norm(solve().detach().double().numpy() - exact) / np.linalg.norm(exact))

    def measure():
        return dict(what="ihvp", case=a.case, rho=a.rho, us=turns.least_us(solve, a.seconds), error=error)

    turns.serve(a.package, measure, torch=torch.__version__)


if __name__ == "__main__":
    main()
