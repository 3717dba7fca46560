"""What was asked of the library, row by row: the work, against whom, the ratio to reach and to dream of.

`find` takes the results and gives {"median", "low", "high"} or None; `why` is printed where the target is not met.
"""


def ratio(section, row):
    def find(results):
        return results.get(section, {}).get(row, {}).get("ratio")
    return find


def inverse(section, row):
    """How many times longer, from how many times faster."""
    def find(results):
        r = ratio(section, row)(results)
        return r and dict(median=1 / r["median"], low=1 / r["high"], high=1 / r["low"])
    return find


def share_of_peak(results):
    """Of an update by method nystrom, the published sizes: flops that it needs at least, by its time and the peak."""
    points = [p for p in results.get("growth", []) if p["sweep"] == "T" and p["value"] == 128]
    if not points or "machine" not in results:
        return None
    share = points[0]["flops"] / points[0]["us"] * 1e-3 / results["machine"]["peak"]
    return dict(median=share, low=share, high=share)


def resident(results):
    memory = results.get("memory")
    return memory and dict.fromkeys(("median", "low", "high"), memory["resident_kib"] / 1024)


def library(results):
    memory = results.get("memory")
    return memory and dict.fromkeys(("median", "low", "high"), memory["library_stripped"] / 1024)


def row(work, against, find, reach, dream=None, unit="", least=False, why=""):
    """least: the figure is to be at most the target."""
    return dict(work=work, against=against, find=find, reach=reach, dream=dream, unit=unit, least=least, why=why)


TARGETS = [
    row("BLPO nystrom, steps/s", "JAX, run time only", ratio("runs", "nystrom-jax"), 4, 6),
    row("nested only, steps/s", "JAX", ratio("runs", "nested-jax"), 2, 3),
    row("PPO mode, CartPole, steps/s", "JAX PPO", ratio("runs", "ppo-jax"), 2, 3),
    row("PPO mode, CartPole, steps/s", "Stable-Baselines3", ratio("runs", "ppo-sb3"), 50, 80),
    row("PPO mode, Pendulum, steps/s", "RLtools, best OpenBLAS kernels", ratio("runs", "pendulum-rltools-tanh"), 1.1, 1.5),
    row("BLPO nystrom time by own PPO time", "itself", inverse("runs", "nystrom-own-ppo"), 3, 2.07, least=True),
    row("nystrom IHVP, k 5", "JAX, indices given", ratio("ihvp", "nystrom-5-jax"), 5, 10),
    row("nystrom IHVP, k 50", "JAX, indices given", ratio("ihvp", "nystrom-50-jax"), 15, 40),
    row("nystrom IHVP, k 5", "hypergrad", ratio("ihvp", "nystrom-5-hypergrad"), 40),
    row("nystrom IHVP, k 50", "hypergrad", ratio("ihvp", "nystrom-50-hypergrad"), 100),
    row("exact Gauss-Newton IHVP, rho 1", "JAX CG to 1e-5", ratio("ihvp", "gauss_newton-jax"), 8, 12),
    row("CG to 1e-5, rho 1", "JAX CG to 1e-5", ratio("ihvp", "cg-1e-5-jax"), 3, 5),
    row("one action from one observation, 64-64", "RLtools", ratio("act", "rltools"), 2, 5),
    row("one action from one observation, 64-64", "ONNX Runtime, from Python", ratio("act", "onnx"), 8),
    row("CartPole, process start to solved", "JAX with compiling", ratio("solve", "jax"), 15, 30),
    row("CartPole, process start to solved", "Stable-Baselines3 PPO", ratio("solve", "sb3"), 50, 100),
    row("two threads, T 640, 64-64, a whole run", "one thread", ratio("threads", "update"), 1.6, 1.9),
    row("8 seeds at once on two processors", "one thread", ratio("threads", "seeds"), 1.8, 1.9),
    row("share of the sgemm peak, a whole update", "this machine", share_of_peak, 0.45, 0.65),
    row("resident memory of the CartPole example, MiB", "-", resident, 16, least=True),
    row("shared library, stripped, KiB", "-", library, 400, least=True),
]
