"""Writes docs/performance.md and its pictures from docs/performance/results.json.

    report.py [--out docs]      (compare.py calls write() when it has measured)
"""
import argparse
import json
import math
import pathlib
import shutil
import subprocess
import tempfile

from targets import TARGETS

# Stages of bench/stages.c by how often a minibatch has them (published settings: K 3, and a rollout is shared by 16
# minibatches). The others are made of several of these, or stand alone.
STAGES = {"rollout, all steps": 1 / 16, "load": 1, "critic gradient (x K)": 3, "critic Adam (x K)": 3, "direct": 1, "v": 1,
          "rows of H": 1, "core": 1, "x": 1, "mixed product": 1, "actor Adam": 1}
SWEEPS = {"T": "T", "hidden": "width of the layers", "depth": "hidden layers", "k": "k", "observation": "numbers an observation",
          "trajectories": "trajectories a minibatch"}


def number(x):
    """Three digits that count, no exponent."""
    if x == 0 or not math.isfinite(x):
        return str(x)
    digits = max(0, 2 - math.floor(math.log10(abs(x))))
    return f"{x:,.{digits}f}"


def with_spread(s):
    if s["low"] == s["high"]:
        return number(s["median"])
    return f"{number(s['median'])} ({number(s['low'])} to {number(s['high'])})"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(str(c) for c in row) + " |" for row in rows]


# ---------------------------------------------------------------- targets
def met(target, found):
    value, reach, dream = found["median"], target["reach"], target["dream"]
    beyond = (lambda goal: value <= goal) if target["least"] else (lambda goal: value >= goal)
    return "yes, and the dream" if dream and beyond(dream) else "yes" if beyond(reach) else "no"


def goal(target, name):
    value = target[name]
    return "-" if value is None else f"{'at most ' if target['least'] else ''}{value:g}"


def at_the_peak(target, results):
    limit = target["limit"] and "machine" in results and target["limit"](results)
    return number(limit) if limit else "-"


def targets(results):
    rows, reasons = [], []
    for target in TARGETS:
        found = target["find"](results)
        verdict = met(target, found) if found else "not measured"
        rows.append([target["work"], target["against"], goal(target, "reach"), goal(target, "dream"),
                     with_spread(found) if found else "-", verdict, at_the_peak(target, results)])
        if verdict == "no" and target["why"]:
            reasons.append(f"- {target['work']}, against {target['against']}: {target['why']}")
    lines = table(["work", "against", "target", "dream", "measured", "met", "limit"], rows)
    lines += ["", "Limit: the ratio if libblpo did nothing but the products that it needs at least (`bench/model.h`), all of them "
              "at the sgemm peak."]
    return lines + (["", "Why not, where it is not met:", ""] + reasons if reasons else [])


# ---------------------------------------------------------------- pairs
def facts(row):
    about = [f"{k} {v}" for k, v in row.get("facts", {}).items() if k in ("version", "torch", "kernels")]
    return ", ".join(about) or "-"


def paired(section, unit, scale=1.0):
    rows = []
    for name, row in section.items():
        if not isinstance(row, dict):
            continue
        if "absent" in row:
            rows.append([name, "-", "-", "-", f"absent: {row['absent']}"])
        else:
            ours, theirs = ({k: v * scale for k, v in row[side].items()} for side in ("ours", "theirs"))
            rows.append([name, with_spread(ours), with_spread(theirs), with_spread(row["ratio"]), facts(row)])
    return table(["row", f"libblpo, {unit}", f"other, {unit}", "ratio", "other's version"], rows)


def accuracy(rows):
    """Rows of an older bench/ihvp have one right-hand side."""
    small = lambda r, key: f"{r[key]:.1e}" if key in r else "-"
    return table(["method", "rho", "us alone", "us in an update", "products", "residual", "error", "residual, v random", "error, v random"],
                 [[r["case"], f"{r['rho']:g}", number(r["us"]), number(r["us_solve"]), r["products"], small(r, "residual"),
                   small(r, "error"), small(r, "residual_random"), small(r, "error_random")] for r in rows])


# ---------------------------------------------------------------- stages, growth, memory, profile
def stage_row(r, peak, name, times="-", share="-"):
    if not r["flops"]:
        return [name, number(r["us"]), times, share, "-", "-", "-"]
    speed = r["flops"] / r["us"] * 1e-3
    return [name, number(r["us"]), times, share, number(r["flops"] * 1e-3), number(speed), f"{100 * speed / peak:.0f} %"]


def stages(rows, peak):
    by_name = {r["name"]: r for r in rows}
    parts = [(by_name[name], times) for name, times in STAGES.items() if name in by_name]
    total = sum(r["us"] * times for r, times in parts)
    out = [stage_row(r, peak, r["name"], f"{times:g}", f"{100 * r['us'] * times / total:.0f} %") for r, times in parts]
    if len(parts) == len(STAGES):
        flops = sum(r["flops"] * times for r, times in parts)
        out.append(stage_row(dict(us=total, flops=flops), peak, "all of it", "1", "100 %"))
    out += [stage_row(r, peak, r["name"] + " (parts, or alone)") for r in rows if r["name"] not in STAGES]
    return [f"The sgemm peak of this machine is {number(peak)} GFLOP/s (above). Least: the flops of the products that a stage cannot do "
            "without (`bench/model.h`). What is not a product counts as nothing, in the share of the peak too. v is what it adds to "
            "the direct term.", "",
            *table(["stage", "us", "times a minibatch", "share", "least, kflop", "GFLOP/s", "of the peak"], out)]


def slope(points):
    """Least-squares exponent of y over x."""
    logs = [(math.log(x), math.log(y)) for x, y in points]
    mx, my = (sum(v[i] for v in logs) / len(logs) for i in (0, 1))
    return sum((x - mx) * (y - my) for x, y in logs) / sum((x - mx) ** 2 for x, _ in logs)


def growth_table(rows):
    out = []
    for sweep, text in SWEEPS.items():
        points = [(r["value"], r["us"], r["flops"]) for r in rows if r["sweep"] == sweep]
        if len(points) < 2:
            continue
        half = points[len(points) // 2 - (len(points) > 3):]
        out.append([text, " ".join(str(p[0]) for p in points), " ".join(number(p[1]) for p in points),
                    f"{slope([p[:2] for p in points]):.2f}", f"{slope([(p[0], p[2]) for p in points]):.2f}",
                    f"{slope([p[:2] for p in half]):.2f}", f"{slope([(p[0], p[2]) for p in half]):.2f}"])
    return table(["size", "values", "us a minibatch", "exponent", "model's", "upper half", "model's"], out)


def threads_trust(section):
    """Whether the machine was quiet enough."""
    shares = [row["share"]["median"] for row in section.values() if "share" in row]
    if not shares:
        return []
    if min(shares) < 0.95:
        return ["", f"Not to be trusted: one thread alone had a processor for {100 * min(shares):.0f} % of the time only; something else "
                    "was running."]
    return ["", f"One thread alone had a processor for {100 * min(shares):.0f} % of the time: nothing else of weight was running."]


def threads_line(rows):
    points = {r["value"]: r["us"] for r in rows if r["sweep"] == "threads"}
    if not {1, 2} <= points.keys():
        return []
    return ["", f"An update alone, T 640: {number(points[1])} us a minibatch with one thread, {number(points[2])} with two."]


def memory(section):
    rows = [[r["method"], r["T"], r["envs"], r["hidden"], r["k"], r["observation"], number(r["held"] / 2**20),
             number(r["formula"] / 2**20), f"{r['held'] / r['formula']:.2f}", r["by_update"]] for r in section["held"]]
    lines = table(["method", "T", "environments", "width", "k", "observation", "held, MiB", "formula, MiB", "held by formula",
                   "taken by a run, bytes"], rows)
    return lines + ["", f"The CartPole example: {section['resident_kib'] / 1024:.1f} MiB resident at most, BLAS and C library "
                    f"included. libblpo.so: {section['library_stripped'] / 1024:.0f} KiB stripped, "
                    f"{section['library'] / 1024:.0f} KiB as built."]


def profile(section):
    if "absent" in section:
        return [f"Not recorded: {section['absent']}."]
    total, rows = 0.0, []
    for s in section["symbols"]:
        total += s["share"]
        rows.append([f"`{s['symbol']}`", s["object"], f"{s['share']:.1f} %", f"{total:.0f} %"])
        if total > 95 or len(rows) == 25:
            break
    lines = table(["function", "in", "share", "sum"], rows)
    for symbol, code in section["hottest"].items():
        if code:
            lines += ["", f"Hottest instructions of `{symbol}`: " +
                      "; ".join(f"`{c['instruction']}` {c['share']:.0f} %" for c in code) + "."]
    return lines


# ---------------------------------------------------------------- pictures
def plot(script, out):
    if shutil.which("gnuplot") is None:
        return False
    head = f'set terminal pngcairo size 900,560 font "sans,11"\nset output "{out}"\nset grid lc rgb "#dddddd"\n'
    return subprocess.run(["gnuplot"], input=head + script, text=True).returncode == 0


def picture_targets(results, out):
    found = [(t, t["find"](results)) for t in TARGETS]
    bars = [(t, f["median"] / t["reach"] if not t["least"] else t["reach"] / f["median"]) for t, f in found if f]
    if not bars:
        return False
    with tempfile.TemporaryDirectory() as folder:
        data = pathlib.Path(folder) / "bars"
        data.write_text("".join(f'{i} {v:.4f} "{t["work"]} : {t["against"]}"\n' for i, (t, v) in enumerate(reversed(bars))))
        return plot(f'''set title "Measured by target: right of the line it is met" offset -20,0
set logscale x; set yrange [-0.7:{len(bars) - 0.3}]; set xrange [*:*]; set xlabel "measured / target"
set lmargin 62; set key off; set arrow from 1, graph 0 to 1, graph 1 nohead lw 2 lc rgb "#c04010"
plot "{data}" using 2:1:(0.1):2:($1-0.35):($1+0.35):ytic(3) with boxxyerror fs solid 0.7 lc rgb "#1850b0"
''', out)


def picture_growth(rows, out):
    with tempfile.TemporaryDirectory() as folder:
        curves = []
        for i, (sweep, text) in enumerate(SWEEPS.items(), 1):
            points = [r for r in rows if r["sweep"] == sweep]
            if not points:
                continue
            data = pathlib.Path(folder) / sweep
            first = points[0]
            data.write_text("".join(f"{r['value'] / first['value']} {r['us'] / first['us']} {r['flops'] / first['flops']}\n"
                                    for r in points))
            curves += [f'"{data}" using 1:2 w lp lw 2 pt 7 lc {i} t "{text}"', f'"{data}" using 1:3 w l dt 2 lc {i} notitle']
        return bool(curves) and plot('''set title "Time of a minibatch over each size, by its first point; dashed: flops of the model"
set logscale xy; set xlabel "size by its first value"; set ylabel "time by its first value"; set yrange [0.5:*]; set key outside right
plot ''' + ", ".join(curves) + "\n", out)


# ---------------------------------------------------------------- the page
def conditions(m):
    build = m["build"]
    return [f"{m['cpu']}, {m['cores']} processors, kernel {m['kernel']}; {m['date']}, commit {m['commit']}; load {m['load']:.1f} "
            "when it began.",
            f"libblpo {build['version']} with {build['blas']} ({build['blas_config']}), its kernels {build['kernels']}, "
            f"libblpo's own {build.get('own_kernels', 'unknown')}, as they come. sgemm peak {m['peak']:.1f} GFLOP/s: "
            "the best square size of the best OpenBLAS kernels below, one thread.",
            "", *table(["OpenBLAS kernels", *(f"{r['m']}x{r['n']}x{r['k']}" for r in next(iter(m["sgemm"].values())))],
                       [[name, *(f"{r['gflops']:.0f}" for r in rows)] for name, rows in m["sgemm"].items()])]


INTRO = """# Performance

Written by `scripts/benchmark` from `docs/performance/results.json`; `bench/` holds the programs. Two programs take turns, A B A B,
on the same pinned processor with one thread each, after all compiling and warming up; a figure is the median of the ratios of
neighbouring turns, with the least and the greatest in brackets. Times of one thread are processor time, which what else runs on
a machine disturbs least; from process start to solved, and with threads, it is wall time. A ratio says how many times faster
libblpo is. The settings are the published ones of CartPole: 4 environments x 128 steps, 64-64 tanh, K 3, k 5, 4 epochs.

Peers get the kernels of OpenBLAS that suit them best, libblpo runs as it comes, without an environment variable. JAX is our own
program (`bench/peers/train_jax.py`), since the authors' figures are of a GPU; RLtools is compiled for this processor with
-ffast-math, and FAST_TANH is its approximation. The targets were set on a processor with AVX-512; ratios depend on the
processor.""".splitlines()


def write(results, out):
    folder = out / "performance"
    folder.mkdir(parents=True, exist_ok=True)
    lines = list(INTRO)
    section = lambda title, *body: lines.extend(["", f"## {title}", "", *body])
    if "machine" in results:
        section("Conditions", *conditions(results["machine"]))
    section("Targets", *targets(results))
    if picture_targets(results, folder / "targets.png"):
        lines += ["", "![Measured by target](performance/targets.png)"]
    if "runs" in results:
        section("Whole runs", *paired(results["runs"], "steps/s"), "",
                "The rows against our own PPO say what the hypergradient costs: ratio 0.4 is 2.5 times PPO's time.")
    if "ihvp" in results:
        section("Inverse-Hessian-vector products", "The problem of `tests/vectors/ihvp_problem.npz`: critic 4-64-64-1, 128 rows, "
                "an indefinite Hessian; from weights and observations to x. In cg-1e-5-jax both sides are plain conjugate gradients to "
                "the same residual; in cg-1e-5-precond-jax ours are preconditioned by Gauss-Newton, JAX's are the same.", "",
                *paired(results["ihvp"], "us"), "",
                *accuracy(results["ihvp"]["accuracy"]), "",
                "Residual: |(H + rho I) x - v| / |v|, with curvature Gauss-Newton (-gn, and the method of that name) with that "
                "matrix for H; error: against the float64 solution with the Hessian; both means over 16 draws where something is "
                "drawn, s = 0 but in -s1; for v = grad_w J, and for one of random numbers. -diagonal: rows drawn by the Gauss-Newton "
                "diagonal; -space: the form that keeps one row at a time; dense: one solve, with all its rows.")
    if "act" in results:
        section("One action", *paired(results["act"], "us"))
    if "solve" in results:
        section("From process start to solved", *paired(results["solve"], "s"), "",
                *table(["method, by libblpo", "s", "seeds"],
                       [[m["method"], with_spread(m["wall"]), m["seeds"]] for m in results["solve"].get("methods", [])]))
    if "threads" in results:
        section("Threads", *paired(results["threads"], "s"), *threads_trust(results["threads"]))
    if "stages" in results and "machine" in results:
        section("Stages of a minibatch", *stages(results["stages"], results["machine"]["peak"]))
    if "growth" in results:
        section("Growth", "Exponents fitted to time and to the flops that the work needs at least (`bench/model.h`), over all "
                "points and over the larger half of them.", "", *growth_table(results["growth"]), *threads_line(results["growth"]))
        if picture_growth(results["growth"], folder / "growth.png"):
            lines += ["", "![Growth](performance/growth.png)"]
    if "memory" in results:
        section("Memory", "Bytes counted through the runtime's allocator; the formula is in `bench/memory.c`. Nothing of it grows with the square of "
                "p, the critic's parameters. Method dense and the exact response of a linear critic do hold 2 p x p doubles, by their "
                "nature, and are not measured.", "",
                *memory(results["memory"]))
    if "perf" in results:
        section("Where the time goes", "perf, software clock, the CartPole example by method blpo: all symbols up to 95 %.", "",
                *profile(results["perf"]))
    (out / "performance.md").write_text("\n".join(lines) + "\n")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--out", default=str(pathlib.Path(__file__).resolve().parent.parent / "docs"))
    a = p.parse_args()
    write(json.loads((pathlib.Path(a.out) / "performance" / "results.json").read_text()), pathlib.Path(a.out))


if __name__ == "__main__":
    main()
