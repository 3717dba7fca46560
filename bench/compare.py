#!/usr/bin/env python3
"""Measures libblpo against its peers and against itself, and writes docs/performance/results.json and docs/performance.md.

    compare.py [--sections machine,runs,...] [--pairs 7] [--core 1] [--build build/release] [--python PYTHON] [--quick]

Two programs take turns, A B A B, on the same pinned processor with one thread each; a figure is the median of the ratios of
neighbouring turns, with the least and the greatest. Figures of other sections stay in results.json, so that one section can
be measured anew. A peer that cannot be run is reported as absent, and the rest goes on. scripts/benchmark does everything.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile

import report
from pairs import Absent, Worker, ONE_THREAD, pairs, pinned, ratio_of, spread

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
PEERS = HERE / "peers"
PROBLEM = ROOT / "tests" / "vectors" / "ihvp_problem.npz"


class Bench:
    """Where things are, and how much to measure."""

    def __init__(self, a):
        self.build, self.python, self.core, self.pairs, self.quick = pathlib.Path(a.build), a.python, a.core, a.pairs, a.quick
        self.seconds = "0.02" if a.quick else "0.1"
        self.blas_env = {}

    def ours(self, name, *arguments, core="pinned", env=None):
        command = [str(self.build / "bench" / name), *map(str, arguments), "--serve"]
        return Worker(command, self.core if core == "pinned" else None, env)

    def peer(self, script, *arguments):
        return Worker([self.python, str(PEERS / script), *map(str, arguments), "--serve"], self.core)

    def lines(self, name, *arguments, core="pinned", env=None):
        """All JSON lines of a program that is run once."""
        command = pinned([str(self.build / "bench" / name), *map(str, arguments)], self.core if core == "pinned" else None)
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **ONE_THREAD, **(env or {})})
        if done.returncode != 0:
            raise Absent(done.stderr.strip()[-200:] or f"exit status {done.returncode}")
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def versus(name, make_ours, make_peer, n, field):
    """One row: a pair of workers in turns, or why not."""
    print(f"  {name}", end=": ", file=sys.stderr, flush=True)
    try:
        with make_ours() as a, make_peer() as b:
            row = pairs(a, b, n, field)
        print(f"{row['ratio']['median']:.2f}", file=sys.stderr)
    except (Absent, OSError) as why:
        row = dict(absent=str(why))
        print(f"absent ({why})", file=sys.stderr)
    return row


# ---------------------------------------------------------------- the machine
def cpu_info(key):
    found = re.search(rf"^{key}\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    return found.group(1) if found else "unknown"


def core_types():
    """Kernels of OpenBLAS that this processor can run; "" is what it takes by itself."""
    flags = cpu_info("flags").split()
    return [""] + [name for name, flag in (("Haswell", "avx2"), ("Zen", "avx2"), ("SkylakeX", "avx512f")) if flag in flags]


def blas_env(core_type):
    return {"OPENBLAS_CORETYPE": core_type} if core_type else {}


def machine(b):
    """Conditions, and sgemm with each kind of kernels: the best square size of the best of them is the peak."""
    by_type = {}
    for core_type in core_types():
        try:
            by_type[core_type or "as it comes"] = b.lines("sgemm", "--seconds", b.seconds, env=blas_env(core_type))
        except Absent as why:
            print(f"  sgemm, {core_type}: {why}", file=sys.stderr)
    peak = max(row["gflops"] for rows in by_type.values() for row in rows if row["m"] == row["n"] == row["k"])
    with b.ours("train", "--steps", 512) as worker:
        build = worker.facts
    return dict(cpu=cpu_info("model name"), cores=os.cpu_count(), kernel=platform.release(), python=platform.python_version(),
                date=datetime.date.today().isoformat(), commit=commit(), build=build, sgemm=by_type, peak=peak,
                load=os.getloadavg()[0], core=b.core, pairs=b.pairs)


def commit():
    done = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


# ---------------------------------------------------------------- whole runs
def train(b, method, env="cartpole", steps=20480):
    return lambda: b.ours("train", "--env", env, "--method", method, "--steps", 4096 if b.quick else steps)


def jax(b, method):
    return lambda: b.peer("train_jax.py", "--method", method, "--steps", 4096 if b.quick else 20480)


def build_rltools(b, activation):
    """The driver, compiled for this processor; its headers are in the Python package."""
    ask = "import importlib.util as u; print(u.find_spec('rltools').submodule_search_locations[0])"
    where = subprocess.run([b.python, "-c", ask], capture_output=True, text=True)
    if where.returncode != 0:
        raise Absent("package rltools is not installed")
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "openblas"], capture_output=True, text=True).stdout.split()
    program = b.build / "bench" / f"rltools_{activation.lower()}"
    source = PEERS / "rltools_ppo.cpp"
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        done = subprocess.run(["g++", "-std=c++17", "-O3", "-march=native", "-ffast-math", f"-DACT={activation}",
                               "-DRL_TOOLS_BACKEND_ENABLE_OPENBLAS", "-I", where.stdout.strip() + "/external/rl_tools/include",
                               str(source), "-o", str(program), *flags], capture_output=True, text=True)
        if done.returncode != 0:
            raise Absent("g++: " + done.stderr.strip().splitlines()[0][:150])
    return program


def best_core_type(program, b):
    """The OpenBLAS kernels with which this program trains fastest."""
    speed = {}
    for core_type in core_types():
        try:
            with Worker([str(program), "train", "20480"], b.core, blas_env(core_type)) as worker:
                speed[core_type] = max(worker.go()["steps_per_s"] for _ in range(2))
        except Absent:
            pass
    return max(speed, key=speed.get)


def rltools(b, activation, *arguments):
    def make():
        program = build_rltools(b, activation)
        chosen = best_core_type(program, b)
        worker = Worker([str(program), *map(str, arguments)], b.core, blas_env(chosen))
        worker.facts["kernels"] = chosen or "as it comes"
        return worker
    return make


def runs(b):
    out, rate = {}, "steps_per_s"
    for method in ("nystrom", "nested", "ppo"):
        out[f"{method}-jax"] = versus(f"{method}, JAX", train(b, method), jax(b, method), b.pairs, rate)
    out["ppo-sb3"] = versus("ppo, Stable-Baselines3", train(b, "ppo"),
                            lambda: b.peer("train_sb3.py", "--steps", 2048 if b.quick else 8192), b.pairs, rate)
    for activation in ("TANH", "FAST_TANH"):
        out[f"pendulum-rltools-{activation.lower()}"] = versus(
            f"ppo on Pendulum, RLtools {activation}", train(b, "ppo", "pendulum", 51200), rltools(b, activation, "train", 51200),
            b.pairs, rate)
    for method in ("nystrom", "nested", "gauss_newton", "cg", "nystrom_pcg", "neumann", "none"):
        out[f"{method}-own-ppo"] = versus(f"{method}, own ppo", train(b, method), train(b, "ppo"), b.pairs, rate)
    return out


# ---------------------------------------------------------------- parts
def ihvp_pair(b, case, rho, script, *arguments):
    peer_case = "cg-1e-5" if case in ("gauss_newton", "cg-1e-5-precond") else case
    return versus(f"{case}, rho {rho}, {script} {' '.join(arguments)}",
                  lambda: b.ours("ihvp", PROBLEM, "--method", case, "--rho", rho, "--seconds", b.seconds),
                  lambda: b.peer(script, PROBLEM, *arguments, "--case", peer_case, "--rho", rho, "--seconds", b.seconds),
                  b.pairs, "us")


def ihvp(b):
    out = {}
    for case, rho in (("nystrom-5", 50), ("nystrom-50", 50), ("gauss_newton", 1), ("cg-1e-5", 1), ("cg-1e-5-precond", 1)):
        out[f"{case}-jax"] = ihvp_pair(b, case, rho, "ihvp_jax.py")
    for case in ("nystrom-5", "nystrom-50"):
        out[f"{case}-hypergrad"] = ihvp_pair(b, case, 50, "ihvp_torch.py", "--package", "hypergrad")
    out["cg-1e-5-torchopt"] = ihvp_pair(b, "cg-1e-5", 1, "ihvp_torch.py", "--package", "torchopt")
    out["accuracy"] = b.lines("ihvp", PROBLEM, "--seconds", b.seconds)
    for rho in (50, 1, 0.1) if not b.quick else ():
        out["accuracy"] += b.lines("ihvp", PROBLEM, "--method", "dense", "--rho", rho)
    return out


def act(b):
    seconds = ("--seconds", b.seconds)
    return {
        "rltools": versus("one action, RLtools", lambda: b.ours("act", "--obs", 3, "--actions", 1, "--continuous", *seconds),
                          rltools(b, "TANH", "act"), b.pairs, "us"),
        "onnx": versus("one action, ONNX Runtime", lambda: b.ours("act", *seconds), lambda: b.peer("act_onnx.py", *seconds),
                       b.pairs, "us"),
    }


# ---------------------------------------------------------------- from process start to solved
def process(b, command):
    """One whole process on the pinned processor: what bench/peak says of it, and the last JSON line it printed itself."""
    done = subprocess.run(pinned([str(b.build / "bench" / "peak"), *command], b.core), capture_output=True, text=True,
                          env={**os.environ, **ONE_THREAD})
    said = json.loads(done.stdout) if done.stdout.startswith("{") else dict(exit=1)
    if said["exit"] != 0:
        raise Absent((done.stderr.strip().splitlines() or ["failed"])[-1][:200])
    own = [line for line in done.stderr.splitlines() if line.startswith("{")]
    return {**said, "said": json.loads(own[-1]) if own else {}}


def solve_row(b, command, seeds):
    ours, theirs = [], []
    try:
        for seed in seeds:
            ours.append(process(b, [str(b.build / "examples" / "cartpole"), "--quiet", "--seed", str(seed)]))
            theirs.append(process(b, command + ["--seed", str(seed)]))
    except Absent as why:
        return dict(absent=str(why))
    ratios = [ratio_of(x["wall"], y["wall"], "wall") for x, y in zip(ours, theirs)]
    return dict(field="wall", ours=spread([x["wall"] for x in ours]), theirs=spread([y["wall"] for y in theirs]),
                ratio=spread(ratios), ratios=ratios, pairs=len(ratios), first=theirs[0])


def solve_ours(b, method, seeds):
    """Whole processes of the example by one method."""
    wall = []
    for seed in seeds:
        wall.append(process(b, [str(b.build / "examples" / "cartpole"), "--quiet", "--method", method, "--seed", str(seed)])["wall"])
    return dict(method=method, wall=spread(wall), seeds=len(wall))


def solve(b):
    out, seeds = {}, [0] if b.quick else [0, 1, 2]
    out["methods"] = [solve_ours(b, method, [0] if b.quick else range(10)) for method in ("blpo", "nested", "ppo")]
    for name, script in (("jax", "train_jax.py"), ("sb3", "train_sb3.py")):
        print(f"  solved, {name}", file=sys.stderr)
        out[name] = solve_row(b, [b.python, str(PEERS / script), "--solve"], seeds)
    return out


# ---------------------------------------------------------------- threads, stages, growth, memory
def threads(b):
    """Wall time, not pinned. What else runs takes a processor from two threads before it takes one from one: see pairs.py,
    share, for whether this could be measured at all."""
    if len(os.sched_getaffinity(0)) < 2:
        return {name: dict(absent="two threads need two processors") for name in ("update", "seeds")}

    def workers(*arguments):
        return lambda: b.ours("train", *arguments, core=None)
    steps = 5120 if b.quick else 81920
    one = ("--rows", 640, "--steps", steps)
    seeds = ("--trainers", 8, "--steps", 1024 if b.quick else 16384)
    return {
        "update": versus("two threads", workers(*one, "--threads", 2), workers(*one, "--threads", 1), b.pairs, "wall"),
        "seeds": versus("8 seeds at once", workers(*seeds, "--jobs", 2), workers(*seeds, "--jobs", 1), b.pairs, "wall"),
    }


def stages(b):
    return b.lines("stages", "--json", 1, "--steps", 0)


def growth(b):
    return b.lines("growth", "--seconds", b.seconds) + b.lines("growth", "--seconds", 10 * float(b.seconds), "--only", "threads", core=None)


def stripped_size(library):
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "library"
        shutil.copy(library, copy)
        subprocess.run(["strip", "--strip-unneeded", str(copy)], check=True)
        return copy.stat().st_size


def memory(b):
    example = process(b, [str(b.build / "examples" / "cartpole"), "--quiet", "--seed", "0"])
    library = (b.build / "lib" / "libblpo.so").resolve()
    return dict(held=b.lines("memory"), resident_kib=example["resident_kib"], library=library.stat().st_size,
                library_stripped=stripped_size(library))


# ---------------------------------------------------------------- profile
def perf(b):
    """Symbols of the CartPole example by their share of the samples, and the hottest instructions of the first three."""
    if shutil.which("perf") is None:
        return dict(absent="perf is not installed (Debian: linux-perf)")
    with tempfile.TemporaryDirectory() as folder:
        data = folder + "/perf.data"
        record = ["perf", "record", "-e", "cpu-clock", "-F", "1999", "-o", data, str(b.build / "examples" / "cartpole"),
                  "--quiet", "--no-stop", "--steps", "20000" if b.quick else "150000"]
        done = subprocess.run(pinned(record, b.core), capture_output=True, text=True, env={**os.environ, **ONE_THREAD})
        if done.returncode != 0:
            return dict(absent=(done.stderr.strip().splitlines() or ["perf record failed"])[-1][:200])
        symbols = perf_symbols(data)
        hot = {s["symbol"]: hottest(data, s["symbol"]) for s in symbols[:3]}
    return dict(symbols=symbols, hottest=hot)


def perf_symbols(data):
    command = ["perf", "report", "-i", data, "--stdio", "--no-children", "-s", "dso,symbol", "-F", "overhead,dso,symbol"]
    text = subprocess.run(command + ["--percent-limit", "0.2"], capture_output=True, text=True).stdout
    found = re.findall(r"^\s*([\d.]+)%\s+(\S+)\s+\[(.)\]\s+(\S+)", text, re.M)
    rows = [dict(share=float(share), object=name, symbol=symbol) for share, name, kind, symbol in found]
    return sorted(rows, key=lambda row: -row["share"])


def hottest(data, symbol, n=5):
    text = subprocess.run(["perf", "annotate", "-i", data, "--stdio", "-s", symbol], capture_output=True, text=True).stdout
    found = re.findall(r"^\s*([\d.]+)\s+:?\s*[0-9a-f]+:\s+(.*)$", text, re.M)
    rows = sorted(((float(share), " ".join(code.split())) for share, code in found), reverse=True)[:n]
    return [dict(share=share, instruction=code) for share, code in rows]


# ---------------------------------------------------------------- main
SECTIONS = dict(machine=machine, runs=runs, ihvp=ihvp, act=act, solve=solve, threads=threads, stages=stages, growth=growth,
                memory=memory, perf=perf)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--sections", default=",".join(SECTIONS), help="some of: " + ", ".join(SECTIONS))
    p.add_argument("--pairs", type=int, default=7)
    p.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    p.add_argument("--build", default=str(ROOT / "build" / "release"))
    p.add_argument("--python", default=sys.executable, help="a Python that has the peers")
    p.add_argument("--out", default=str(ROOT / "docs"))
    p.add_argument("--quick", action="store_true", help="see that everything runs; the figures mean little")
    a = p.parse_args()
    folder = pathlib.Path(a.out) / "performance"
    folder.mkdir(parents=True, exist_ok=True)
    results_file = folder / "results.json"
    results = json.loads(results_file.read_text()) if results_file.exists() else {}
    b = Bench(a)
    for name in filter(None, a.sections.split(",")):
        print(name, file=sys.stderr)
        results[name] = SECTIONS[name](b)
        results_file.write_text(json.dumps(results, indent=1) + "\n")
    report.write(results, pathlib.Path(a.out))


if __name__ == "__main__":
    main()
