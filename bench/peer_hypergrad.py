#!/usr/bin/env python3
"""The same hypergradient by a peer: logistic regression with one ridge a feature (examples/logistic.h), by the library and by
PyTorch, in turns on one processor.

    peer_hypergrad.py [--build build/release] [--rounds 9] [--rho 1e-6] [--iterations 31] [--core 0] [--page FILE]

Needs: torch, numpy, and, for its row, torchopt (scripts/methods --peer sees to them). The peers read the CSV, scale, split and fit by themselves, in float64; the
solve is in float32 as in the library, and in float64 once more. Products are automatic derivatives, or written out as in the
library's example; conjugate gradients are those of TorchOpt (torchopt.linear_solve.solve_cg) and a loop of our own. Timed: from v and the fit to the hypergradient.
Prints conditions and a table in Markdown, or writes them between the marks of a page: least microseconds of processor time over the rounds, the ratio to the library's conjugate gradients
as the median over pairs of turns, relative residual, and distance to the hypergradient by elimination in float64.
"""
import argparse
import importlib.util
import pathlib
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = ROOT / "examples" / "data" / "breast_cancer.csv"
BEGIN, END = "<!-- peer: begin -->", "<!-- peer: end -->"
sys.path.insert(0, str(ROOT / "bench"))
sys.path.insert(0, str(ROOT / "bench" / "peers"))


def problem():
    """X, s (1 or -1) of training and validation rows, lambda: in float64."""
    import numpy as np
    table = np.genfromtxt(DATA, delimiter=",", skip_header=1)
    fifth = np.arange(len(table)) % 5
    train, validation = fifth < 2, (fifth == 2) | (fifth == 3)
    x = (table[:, 1:] - table[train, 1:].mean(0)) / table[train, 1:].std(0)
    x = np.hstack([x, np.ones((len(x), 1))])
    s = 2.0 * table[:, 0] - 1.0
    ridge = np.log(1e-2) + 0.3 * (np.arange(30) % 5 - 2)
    return (x[train], s[train]), (x[validation], s[validation]), ridge


def objectives(train, validation):
    import torch
    softplus = torch.nn.functional.softplus

    def inner(ridge, w):
        return softplus(-train[1] * (train[0] @ w)).mean() + 0.5 * (ridge.exp() * w[:-1] ** 2).sum()

    def outer(w):
        return softplus(-validation[1] * (validation[0] @ w)).mean()

    return inner, outer


def fit(inner, ridge, w):
    """Newton's method, to rounding level."""
    import torch
    for _ in range(30):
        gradient = torch.func.grad(inner, 1)(ridge, w)
        w = w - torch.linalg.solve(torch.func.hessian(inner, 1)(ridge, w), gradient)
    return w


def tensors(dtype):
    """The problem, its fit in float64, and both objectives, as tensors of this type."""
    import torch
    wide = [tuple(torch.tensor(a) for a in part) for part in problem()[:2]]
    ridge = torch.tensor(problem()[2])
    w = fit(objectives(*wide)[0], ridge, torch.zeros(31, dtype=torch.float64))
    parts = [tuple(a.to(dtype) for a in part) for part in wide]
    return objectives(*parts), ridge.to(dtype), w.to(dtype)


def exact():
    """The hypergradient by elimination in float64, and what the residual needs: h, H, v."""
    import torch
    (inner, outer), ridge, w = tensors(torch.float64)
    hessian, v = torch.func.hessian(inner, 1)(ridge, w), torch.func.grad(outer)(w)
    return -ridge.exp() * w[:-1] * torch.linalg.solve(hessian, v)[:-1], hessian, v


def written_out(dtype, ridge, w, rho):
    """H u without automatic derivatives, as the example's own callback has it."""
    import torch
    x = torch.tensor(problem()[0][0]).to(getattr(torch, dtype))
    c = torch.sigmoid(x @ w)
    weight = c * (1 - c) / len(x)
    damping = torch.cat([ridge.exp(), ridge.new_zeros(1)]) + rho
    return lambda u: x.T @ (weight * (x @ u)) + damping * u


def own_cg(product, v, iterations):
    import torch
    x, r, d = torch.zeros_like(v), v.clone(), v.clone()
    rr = r @ r
    for _ in range(iterations):
        ad = product(d)
        a = rr / (d @ ad)
        x, r = x + a * d, r - a * ad
        rr, before = r @ r, rr
        d = r + rr / before * d
    return x


def serve(kind, dtype, rho, iterations, seconds):
    import torch
    import turns
    torch.set_num_threads(1)
    (inner, outer), ridge, w = tensors(getattr(torch, dtype))
    gradient = torch.func.grad(inner, 1)
    v = torch.func.grad(outer)(w)

    def product(u):
        return torch.func.jvp(lambda y: gradient(ridge, y), (w,), (u,))[1] + rho * u

    if kind == "by-hand":
        product = written_out(dtype, ridge, w, rho)

    if kind == "torchopt":
        from torchopt.linear_solve import solve_cg
        solver = solve_cg(rtol=0.0, atol=0.0, maxiter=iterations)

    def solve():
        return solver(product, v) if kind == "torchopt" else own_cg(product, v, iterations)

    def hypergradient():
        x = solve().detach()
        return -torch.func.grad(lambda y: gradient(y, w) @ x)(ridge)

    h, hessian, v64 = exact()
    x = solve().detach().double()
    residual = float((hessian @ x + rho * x - v64).norm() / v64.norm())
    answer = [float(a) for a in hypergradient()]
    turns.serve(kind, lambda: dict(us=turns.least_us(hypergradient, seconds), residual=residual, h=answer),
                torch=torch.__version__)


def workers(options):
    """Name and command of each row; the first one is what the others are compared with."""
    program = str(ROOT / options.build / "bench" / "logistic")
    common = ["--rho", str(options.rho), "--serve"]
    rows = [("libblpo cg, float32", [program, str(DATA), "--method", "cg", "--size", str(options.iterations)] + common)]
    for method in ("dense", "nystrom_pcg", "gauss_newton"):
        rows.append((f"libblpo {method}, float32", [program, str(DATA), "--method", method, "--size", "12"] + common))
    for kind, name in (("by-hand", "PyTorch, own cg, products by hand"), ("torch", "PyTorch, own cg"), ("torchopt", "TorchOpt solve_cg")):
        for dtype in ("float32", "float64"):
            rows.append((f"{name}, {dtype}", [sys.executable, __file__, "--worker", kind, dtype, "--rho", str(options.rho),
                                              "--iterations", str(options.iterations)]))
    return rows


def measure(rows, options):
    """A list of answers for each row: the first worker answers before each of the others, so that ratios are of neighbours."""
    import pairs
    base = pairs.Worker(rows[0][1], options.core)
    result = [(rows[0][0], [base.go()], [1.0])]
    for name, command in rows[1:]:
        try:
            with pairs.Worker(command, options.core) as worker:
                answers, ratios = [], []
                for _ in range(options.rounds):
                    own = base.go()
                    result[0][1].append(own)
                    answers.append(worker.go())
                    ratios.append(answers[-1]["us"] / own["us"])
            result.append((name, answers, ratios))
        except pairs.Absent as reason:
            print(f"{name}: left out: {reason}", file=sys.stderr)
    base.close()
    return result


def distance(a, b):
    return sum((x - y) ** 2 for x, y in zip(a, b)) ** 0.5 / sum(y * y for y in b) ** 0.5


def conditions(options):
    import datetime
    import importlib.metadata
    import os
    import platform
    import compare
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("torch", "torchopt", "numpy")
                         if importlib.util.find_spec(name))
    return (f"{compare.cpu_info('model name')}, processor {options.core} of {os.cpu_count()}, load {os.getloadavg()[0]:.1f} at the "
            f"end; {datetime.date.today()}, commit {compare.commit()}; Python {platform.python_version()}, {versions}. rho "
            f"{options.rho:g}, {options.iterations} iterations of conjugate gradients, {options.rounds} turns each.")


def table(result):
    h = [float(a) for a in exact()[0]]
    first = result[0][1][0]["h"]
    lines = ["| program | us | ratio to libblpo cg | residual | distance to h* | distance to libblpo cg |", "|---|---|---|---|---|---|"]
    for name, answers, ratios in result:
        us = min(a["us"] for a in answers)
        lines.append(f"| {name} | {us:.0f} | {statistics.median(ratios):.3g} | {answers[0]['residual']:.1e} | "
                     f"{distance(answers[0]['h'], h):.1e} | {distance(answers[0]['h'], first):.1e} |")
    return lines


def report(result, options):
    text = "\n".join([conditions(options), "", *table(result)])
    if options.page is None:
        print(text)
        return
    page = pathlib.Path(options.page)
    head, rest = page.read_text().split(BEGIN)
    page.write_text(head + BEGIN + "\n" + text + "\n" + END + rest.split(END)[1])


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--build", default="build/release")
    p.add_argument("--rounds", type=int, default=9)
    p.add_argument("--rho", type=float, default=1e-6)
    p.add_argument("--iterations", type=int, default=31)
    p.add_argument("--core", type=int, default=0)
    p.add_argument("--page", help="a page with the marks: what stands between them is written anew")
    p.add_argument("--worker", nargs=2, metavar=("KIND", "DTYPE"))
    options = p.parse_args()
    if options.worker:
        serve(*options.worker, options.rho, options.iterations, 0.1)
    else:
        report(measure(workers(options), options), options)


if __name__ == "__main__":
    main()
