#!/usr/bin/env python3
"""The report of the study of learning: tables and pictures from docs/methods/runs.txt into docs/methods.md.

    python3 studies/learning/report.py

Standard library only; gnuplot draws. Figures of a setting are over its seeds: the interquartile mean (the mean of the
middle half) with a 95 % interval from 2,000 bootstrap samples. Score: the mean over the tasks of that area, on a scale from
0, a policy that learned nothing, to 1, one that was as good as policies get from the first step on. Text in docs/methods.md
outside of the two marks stays.
"""
import os
import random
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
RUNS = os.path.join(ROOT, "docs", "methods", "runs.txt")
PAGE = os.path.join(ROOT, "docs", "methods.md")
PUBLISHED, NESTED, PPO = ("nystrom-published", "1"), ("nested", "1"), ("ppo", "1")   # setting, kappa
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
BOOTSTRAP = 2000
SCALE = {"cartpole": (20.0, 500.0), "acrobot": (-500.0, -80.0), "pendulum": (-1250.0, -150.0)}   # area: nothing, everything
PLAIN = ("nested", "ppo", "recommended-nested", "ppo-normalized")   # no kappa, no inverse
NO_KAPPA = PLAIN + ("recommended",)                                 # or one of its own


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


def resampled(values, name):
    """Interquartile means of bootstrap samples, in the order of drawing: others for every name, the same in every call."""
    draw = random.Random(name)
    return [quartile_mean(draw.choices(values, k=len(values))) for _ in range(BOOTSTRAP)]


def middle(samples):
    """The interval that holds 95 % of the samples."""
    samples = sorted(samples)
    return samples[int(0.025 * BOOTSTRAP)], samples[int(0.975 * BOOTSTRAP) - 1]


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


def samples_of(runs):
    """Of the area, by runs of one task and setting."""
    return resampled([r["auc"] for r in runs], "{task} {setting} {kappa}".format(**runs[0]))


def summary(runs):
    auc = [r["auc"] for r in runs]
    solved = [float(r["solved_at"]) for r in runs if r["solved_at"]]
    # A run that was never solved counts as one that takes for ever: the median is over all runs.
    half = median(solved + [float("inf")] * (len(runs) - len(solved)))
    return {"n": len(runs), "auc": quartile_mean(auc), "interval": middle(samples_of(runs)), "mean": mean(auc), "last": quartile_mean([r["curve"][-1] for r in runs]),
            "solved": len(solved), "steps": half, "stuck": sum(r["stuck"] for r in runs),
            "collapsed": sum(r["collapsed"] for r in runs), "residual": mean([r["residual"] for r in runs]),
            "cosine": mean([r["cosine"] for r in runs]), "bound": mean([r["bound"] for r in runs]),
            "indefinite": mean([r["indefinite"] for r in runs]),
            "ratio": median([r["implicit"] / r["direct"] if r["direct"] > 0 else 0.0 for r in runs]),
            "seconds": min(r["seconds"] for r in runs)}


def row(setting, kappa, s):
    kappa = "-" if setting in NO_KAPPA else kappa
    steps = "-" if s["steps"] == float("inf") else f"{s['steps']:,.0f}"
    solver = (f"{s['residual']:.3g} | {s['cosine']:.2f} | {s['ratio']:.2g} | {s['bound']:.2f} | {s['indefinite']:.2f}"
              if s["cosine"] != 0 else "- | - | - | - | -")
    return (f"| {setting} | {kappa} | {s['auc']:.1f} [{s['interval'][0]:.1f}, {s['interval'][1]:.1f}] | {s['mean']:.1f} | "
            f"{s['last']:.1f} | {steps} | {s['solved']}/{s['n']} | {s['stuck']:.0f} | {s['collapsed']:.0f} | {solver} | {s['seconds']:.1f} |")


HEAD = """| setting | kappa | area, interquartile mean [95 %] | area, mean | last twentieth | steps to solved, median | solved | stuck | collapsed | residual | cosine | implicit / direct | bound | indefinite | seconds |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"""


def gnuplot(script):
    subprocess.run(["gnuplot"], input=script, text=True, check=True)


def name_of(setting, kappa):
    return setting if setting in NO_KAPPA else f"{setting}, kappa {kappa}"


def draw_intervals(name, title, figures):
    """One line a setting and kappa: figure and interval, best on top. figures: (setting, kappa) -> figure, (low, high)."""
    order = sorted(figures.items(), key=lambda item: item[1][0])
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as data:
        for i, ((setting, kappa), (figure, (low, high))) in enumerate(order):
            color = {"nested": 2, "ppo": 3, "nystrom-published": 1, "recommended": 4}.get(setting, 0)
            data.write(f"{figure} {i} {low} {high} {color} \"{name_of(setting, kappa)}\"\n")
        data.flush()
        gnuplot(f"""set terminal pngcairo size 1000,{120 + 22 * len(order)} font 'sans,11' background '#ffffff'
set output '{ROOT}/docs/methods/{name}.png'
set title '{title}, interquartile mean and 95 % interval'
set yrange [-1:{len(order)}]; set grid x lc rgb '#dddddd'; unset key
set palette defined (0 '#707070', 1 '#1850b0', 2 '#208030', 3 '#c04010', 4 '#8020a0'); set cbrange [0:4]; unset colorbox
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
    draw_intervals(f"{task}-area", f"{task}: area under the learning curve",
                   {key: (s["auc"], s["interval"]) for key, s in summaries.items()})
    draw_curves(task, groups, steps)
    lines = [f"### {task}", "", f"{steps:,.0f} steps a run.", "", HEAD]
    lines += [row(setting, kappa, s) for (setting, kappa), s in sorted(summaries.items(), key=lambda item: -item[1]["auc"])]
    return lines + ["", f"![areas](methods/{task}-area.png)", "", f"![curves](methods/{task}-curves.png)", ""]


def seeds_of(runs):
    seeds = {run["seed"] for run in runs}
    return f"{min(seeds):.0f} to {max(seeds):.0f}"


# ---------------------------------------------------------------- over the tasks
def scaled(task, area):
    nothing, everything = SCALE[task]
    return (area - nothing) / (everything - nothing)


def score_of(by_task):
    """The score of a setting from its runs of every task, and bootstrap samples of it."""
    score = mean([scaled(task, quartile_mean([run["auc"] for run in runs])) for task, runs in by_task.items()])
    samples = [[scaled(task, area) for area in samples_of(runs)] for task, runs in by_task.items()]
    return score, [mean(row) for row in zip(*samples)]


def scores_of(runs):
    """(setting, kappa) -> score and samples, of the settings that were run on every task."""
    groups = {}
    for run in runs:
        groups.setdefault((run["setting"], run["kappa"]), {}).setdefault(run["task"], []).append(run)
    return {key: (by_task, *score_of(by_task)) for key, by_task in groups.items() if by_task.keys() == SCALE.keys()}


def difference(samples, others):
    """Interval of the difference from another setting. Seeds are not paired: two settings share no more than a first policy."""
    low, high = middle([a - b for a, b in zip(samples, others)])
    return f"[{low:+.3f}, {high:+.3f}]"


def seconds_of(by_task):
    """Processor time of a run of each task: the least of all seeds, which other work on the machine disturbed least."""
    return sum(min(run["seconds"] for run in runs) for runs in by_task.values())


def row_of_three(key, entry, others, ppo_seconds):
    """others: samples of the settings that this one is held against."""
    (setting, kappa), (by_task, score, samples) = key, entry
    every = [run for group in by_task.values() for run in group]
    low, high = middle(samples)
    cells = [setting, "-" if setting in NO_KAPPA else kappa, f"{score:.3f} [{low:.3f}, {high:.3f}]"]
    cells += ["-" if other is samples else difference(samples, other) for other in others]
    cells += [f"{quartile_mean([r['auc'] for r in by_task[task]]):.1f}" for task in sorted(SCALE)]
    cells += [f"{sum(r[count] for r in every):.0f}" for count in ("stuck", "collapsed")]
    cells += ["-" if setting in PLAIN else f"{median([r['residual'] for r in every]):.2g}"]
    cells += [f"{seconds_of(by_task) / ppo_seconds:.2f}"]
    return "| " + " | ".join(cells) + " |"


def over_the_tasks(runs, versus, picture):
    """A row a setting, best first, with the interval of its score less that of each setting of `versus`."""
    scores = scores_of(runs)
    others = [scores[key][2] for key in versus if key in scores]
    heads = ["setting", "kappa", "score [95 %]"] + [f"less that of {name_of(*key)}" for key in versus if key in scores]
    heads += sorted(SCALE) + ["stuck", "collapsed", "residual", "processor time, PPO = 1"]
    ppo_seconds = seconds_of(scores[PPO][0])
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += [row_of_three(key, entry, others, ppo_seconds) for key, entry in sorted(scores.items(), key=lambda item: -item[1][1])]
    draw_intervals(picture, "score over three tasks", {key: (score, middle(samples)) for key, (_, score, samples) in scores.items()})
    return lines + ["", f"![scores](methods/{picture}.png)", ""]


def table_by_task(runs):
    """The runs that judge the recommended settings, task by task."""
    lines = []
    for task in sorted(SCALE):
        summaries = {key: summary(group) for key, group in groups_of(runs, task).items()}
        lines += [f"{task}:", "", HEAD]
        lines += [row(*key, s) for key, s in sorted(summaries.items(), key=lambda item: -item[1]["auc"])] + [""]
    return lines


def main():
    runs = read_runs()
    fresh = {run["seed"] for run in runs if run["setting"] == "recommended"}   # seeds that judge what the others chose
    chosen_by, judged_by = [[run for run in runs if (run["seed"] in fresh) == judges] for judges in (False, True)]
    lines = ["### All three tasks", "", f"Seeds {seeds_of(chosen_by)}.", ""] + over_the_tasks(chosen_by, [NESTED], "score")
    if judged_by:
        lines += ["### Judged by other seeds", "", f"Seeds {seeds_of(judged_by)}.", ""]
        lines += over_the_tasks(judged_by, [PUBLISHED, NESTED, PPO], "recommended") + table_by_task(judged_by)
    for task in sorted({run["task"] for run in chosen_by}):
        lines += section(task, chosen_by)
    with open(PAGE) as page:
        text = page.read()
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    with open(PAGE, "w") as page:
        page.write(head + BEGIN + "\n" + "\n".join(lines) + END + tail)


if __name__ == "__main__":
    sys.exit(main())
