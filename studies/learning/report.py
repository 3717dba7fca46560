#!/usr/bin/env python3
"""The report of the study of learning: tables and pictures from docs/methods/runs.txt into docs/methods.md.

    python3 studies/learning/report.py

Standard library only; gnuplot draws. Figures of a setting are over its seeds: the interquartile mean (the mean of the
middle half) with a 95 % interval from 2,000 bootstrap samples. Text in docs/methods.md outside of the two marks stays.
"""
import os
import random
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
RUNS = os.path.join(ROOT, "docs", "methods", "runs.txt")
PAGE = os.path.join(ROOT, "docs", "methods.md")
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
BOOTSTRAP = 2000


def read_runs():
    """One dictionary a run, numbers as floats; the last line of a run counts when there are several."""
    runs = {}
    with open(RUNS) as lines:
        for line in lines:
            run = dict(pair.split("=", 1) for pair in line.split())
            for key in run.keys() - {"task", "setting", "curve", "kappa", "solved_at"}:
                run[key] = float(run[key])
            run["curve"] = [float(x) for x in run["curve"].split(",")]
            runs[run["task"], run["setting"], run["kappa"], run["seed"]] = run
    return list(runs.values())


def quartile_mean(values):
    """Mean of the middle half; at the edges a value may count in part."""
    values, n = sorted(values), len(values)
    low, high = n / 4.0, n - n / 4.0
    weights = [max(0.0, min(i + 1, high) - max(i, low)) for i in range(n)]
    return sum(w * x for w, x in zip(weights, values)) / sum(weights)


def interval(values, seed=0):
    draw = random.Random(seed)
    means = sorted(quartile_mean(draw.choices(values, k=len(values))) for _ in range(BOOTSTRAP))
    return means[int(0.025 * BOOTSTRAP)], means[int(0.975 * BOOTSTRAP) - 1]


def mean(values):
    return sum(values) / len(values)


def median(values):
    values, n = sorted(values), len(values)
    return (values[(n - 1) // 2] + values[n // 2]) / 2.0


def groups_of(runs, task):
    """(setting, kappa) -> runs, in the order of the file."""
    groups = {}
    for run in runs:
        if run["task"] == task:
            groups.setdefault((run["setting"], run["kappa"]), []).append(run)
    return groups


def summary(runs):
    auc = [r["auc"] for r in runs]
    solved = [float(r["solved_at"]) for r in runs if r["solved_at"]]
    # A run that was never solved counts as one that takes for ever: the median is over all runs.
    half = median(solved + [float("inf")] * (len(runs) - len(solved)))
    return {"n": len(runs), "auc": quartile_mean(auc), "interval": interval(auc), "mean": mean(auc), "last": quartile_mean([r["curve"][-1] for r in runs]),
            "solved": len(solved), "steps": half, "stuck": sum(r["stuck"] for r in runs),
            "collapsed": sum(r["collapsed"] for r in runs), "residual": mean([r["residual"] for r in runs]),
            "cosine": mean([r["cosine"] for r in runs]), "bound": mean([r["bound"] for r in runs]),
            "indefinite": mean([r["indefinite"] for r in runs]),
            "ratio": median([r["implicit"] / r["direct"] if r["direct"] > 0 else 0.0 for r in runs]),
            "seconds": median([r["seconds"] for r in runs])}


def row(setting, kappa, s):
    kappa = "-" if setting in ("nested", "ppo") else kappa
    steps = "-" if s["steps"] == float("inf") else f"{s['steps']:,.0f}"
    solver = (f"{s['residual']:.3g} | {s['cosine']:.2f} | {s['ratio']:.2g} | {s['bound']:.2f} | {s['indefinite']:.2f}"
              if s["cosine"] != 0 else "- | - | - | - | -")
    return (f"| {setting} | {kappa} | {s['auc']:.1f} [{s['interval'][0]:.1f}, {s['interval'][1]:.1f}] | {s['mean']:.1f} | "
            f"{s['last']:.1f} | {steps} | {s['solved']}/{s['n']} | {s['stuck']:.0f} | {s['collapsed']:.0f} | {solver} | {s['seconds']:.1f} |")


HEAD = """| setting | kappa | area, interquartile mean [95 %] | area, mean | last twentieth | steps to solved, median | solved | stuck | collapsed | residual | cosine | implicit / direct | bound | indefinite | seconds |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"""


def gnuplot(script):
    subprocess.run(["gnuplot"], input=script, text=True, check=True)


def draw_areas(task, summaries):
    """One line a setting and kappa: its interval, best on top."""
    order = sorted(summaries.items(), key=lambda item: item[1]["auc"])
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as data:
        for i, ((setting, kappa), s) in enumerate(order):
            label = setting if setting in ("nested", "ppo") else f"{setting}, kappa {kappa}"
            color = {"nested": 2, "ppo": 3, "nystrom-published": 1}.get(setting, 0)
            data.write(f"{s['auc']} {i} {s['interval'][0]} {s['interval'][1]} {color} \"{label}\"\n")
        data.flush()
        gnuplot(f"""set terminal pngcairo size 1000,{120 + 22 * len(order)} font 'sans,11' background '#ffffff'
set output '{ROOT}/docs/methods/{task}-area.png'
set title '{task}: area under the learning curve, interquartile mean and 95 % interval'
set yrange [-1:{len(order)}]; set grid x lc rgb '#dddddd'; unset key
set palette defined (0 '#707070', 1 '#1850b0', 2 '#208030', 3 '#c04010'); set cbrange [0:3]; unset colorbox
plot '{data.name}' using 1:2:3:4:5:ytic(6) with xerrorbars pt 7 ps 1 lw 2 lc palette
""")


def draw_curves(task, groups, steps):
    """Interquartile mean of the curves of every setting, at kappa 1."""
    with tempfile.TemporaryDirectory() as folder:
        clauses = []
        for (setting, kappa), runs in groups.items():
            if kappa != "1":
                continue
            path = os.path.join(folder, setting)
            with open(path, "w") as out:
                for i in range(len(runs[0]["curve"])):
                    out.write(f"{(i + 1) * steps / len(runs[0]['curve'])} {quartile_mean([r['curve'][i] for r in runs])}\n")
            width = 3 if setting in ("nested", "ppo", "nystrom-published") else 1.5
            clauses.append(f"'{path}' with lines lw {width} title '{setting}'")
        gnuplot(f"""set terminal pngcairo size 1000,560 font 'sans,11' background '#ffffff'
set output '{ROOT}/docs/methods/{task}-curves.png'
set title '{task}: interquartile mean of the return over seeds, kappa 1'
set xlabel 'environment steps'; set ylabel 'return'; set key outside right; set grid lc rgb '#dddddd'; set format x '%.0f'
plot {', '.join(clauses)}
""")


def section(task, runs):
    groups = groups_of(runs, task)
    summaries = {key: summary(group) for key, group in groups.items()}
    steps = next(iter(groups.values()))[0]["steps"]
    draw_areas(task, summaries)
    draw_curves(task, groups, steps)
    lines = [f"### {task}", "", f"{steps:,.0f} steps a run.", "", HEAD]
    lines += [row(setting, kappa, s) for (setting, kappa), s in sorted(summaries.items(), key=lambda item: -item[1]["auc"])]
    return lines + ["", f"![areas](methods/{task}-area.png)", "", f"![curves](methods/{task}-curves.png)", ""]


def main():
    runs = read_runs()
    lines = []
    for task in sorted({run["task"] for run in runs}):
        lines += section(task, runs)
    with open(PAGE) as page:
        text = page.read()
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    with open(PAGE, "w") as page:
        page.write(head + BEGIN + "\n" + "\n".join(lines) + END + tail)


if __name__ == "__main__":
    sys.exit(main())
