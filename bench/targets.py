"""What was asked of the library, row by row: the work, against whom, the ratio to reach and to dream of.

`find` takes the results and gives {"median", "low", "high"} or None. `limit` gives the ratio that there would be if libblpo did
nothing but the products that it needs at least (bench/model.h), all at the machine's sgemm peak: what no kernel can pass.
`why` is printed where the target is not met.
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


def us_at_peak(results, flops):
    return flops / results["machine"]["peak"] * 1e-3


def run_limit(name):
    """From the flops of an environment step, and the other's steps a second."""
    def limit(results):
        row = results.get("runs", {}).get(name, {})
        flops = row.get("first_ours", {}).get("flops_per_step")
        return flops and 1e6 / row["theirs"]["median"] / us_at_peak(results, flops)
    return limit


def own_limit(results):
    """Flops of a step by the two methods."""
    row = results.get("runs", {}).get("nystrom-own-ppo", {})
    return "first_ours" in row and row["first_ours"]["flops_per_step"] / row["first"]["flops_per_step"]


# The critic of tests/vectors/ihvp_problem.npz, 4-64-64-1: rows, weights, those of the first layer, parameters.
ROWS, WEIGHTS, FIRST, PARAMETERS = 128, 4 * 64 + 64 * 64 + 64, 4 * 64, 4545
SIGNALS = 2.0 * ROWS * (2 * WEIGHTS - FIRST)                 # forward pass and backward signals


def ihvp_limit(name, flops):
    def limit(results):
        row = results.get("ihvp", {}).get(name, {})
        return "theirs" in row and row["theirs"]["median"] / us_at_peak(results, flops)
    return limit


def of_rows(k):
    """k rows of the Hessian by their first term alone, and k^2 p for the core; or the same in the space of samples: bench/model.h."""
    by_rows = 2.0 * ROWS * WEIGHTS * k + k * k * PARAMETERS
    newton = ROWS**2 * (4 + 4 * 64 + 1) + 4 * ROWS**2 * k + 6 * ROWS * k**2 + 4 * ROWS * WEIGHTS
    return SIGNALS + min(by_rows, newton + 4 * ROWS * k * 64 * 6 + 2 * 64 * 5 * k**2)


# Two Gram matrices a layer (half of each) and Cholesky; J v and J^T u.
OF_FACTOR = ROWS**2 * (4 + 4 * 64 + 1) + ROWS**3 / 3
OF_JACOBIAN = 2 * 2.0 * ROWS * WEIGHTS
OF_GAUSS_NEWTON = SIGNALS + OF_FACTOR + OF_JACOBIAN
# A product with the full Hessian: tangents forward, tangents of the signals, gradient, each two products a layer, those that
# are zero in the first layer left out. Conjugate gradients preconditioned by Gauss-Newton need 4 of them there for 1e-5 at rho 1,
# and J v and J^T u beside each; without a preconditioner 12.
OF_CG = SIGNALS + OF_FACTOR + 4 * (2.0 * ROWS * (6 * WEIGHTS - 4 * FIRST) + OF_JACOBIAN)


def row(work, against, find, reach, dream=None, least=False, limit=None, why=""):
    """least: the figure is to be at most the target."""
    return dict(work=work, against=against, find=find, reach=reach, dream=dream, least=least, limit=limit, why=why)


PRODUCTS = "its large products run near the sgemm peak already (stages below); the rest is tanh, small products, copies, GAE, Adam."
ROWS_OF_H = "a row of the Hessian is at least one product of all rows with the weights, and the core of k^2 p is in double."
IN_SAMPLES = ("most rows are had in the space of samples, by few products; those of the first layer still take three each, and "
              "LAPACK a tenth of the time, as OpenBLAS comes.")

TARGETS = [
    row("BLPO nystrom, steps/s", "JAX, run time only", ratio("runs", "nystrom-jax"), 4, 6,
        limit=run_limit("nystrom-jax"), why=PRODUCTS),
    row("nested only, steps/s", "JAX", ratio("runs", "nested-jax"), 2, 3, limit=run_limit("nested-jax"), why=PRODUCTS),
    row("PPO mode, CartPole, steps/s", "JAX PPO", ratio("runs", "ppo-jax"), 2, 3, limit=run_limit("ppo-jax"),
        why="both make the same passes, so there is nothing to leave out: " + PRODUCTS),
    row("PPO mode, CartPole, steps/s", "Stable-Baselines3", ratio("runs", "ppo-sb3"), 50, 80, limit=run_limit("ppo-sb3")),
    row("PPO mode, Pendulum, steps/s", "RLtools, best OpenBLAS kernels", ratio("runs", "pendulum-rltools-tanh"), 1.1, 1.5,
        limit=run_limit("pendulum-rltools-tanh"), why=PRODUCTS),
    row("BLPO nystrom time by own PPO time", "itself", inverse("runs", "nystrom-own-ppo"), 3, 2.07, least=True,
        limit=own_limit,
        why="the limit is the ratio of the flops: three critic steps for one, the signals of the critic, v, five rows, two "
            "more products. Less than that comes from what both have, environments and acting."),
    row("nystrom IHVP, k 5", "JAX, indices given", ratio("ihvp", "nystrom-5-jax"), 5, 10,
        limit=ihvp_limit("nystrom-5-jax", of_rows(5)), why=ROWS_OF_H),
    row("nystrom IHVP, k 50", "JAX, indices given", ratio("ihvp", "nystrom-50-jax"), 15, 40,
        limit=ihvp_limit("nystrom-50-jax", of_rows(50)), why=IN_SAMPLES),
    row("nystrom IHVP, k 5", "hypergrad", ratio("ihvp", "nystrom-5-hypergrad"), 40,
        limit=ihvp_limit("nystrom-5-hypergrad", of_rows(5)), why=ROWS_OF_H),
    row("nystrom IHVP, k 50", "hypergrad", ratio("ihvp", "nystrom-50-hypergrad"), 100,
        limit=ihvp_limit("nystrom-50-hypergrad", of_rows(50)), why=IN_SAMPLES),
    row("exact Gauss-Newton IHVP, rho 1", "JAX CG to 1e-5", ratio("ihvp", "gauss_newton-jax"), 8, 12,
        limit=ihvp_limit("gauss_newton-jax", OF_GAUSS_NEWTON),
        why="Gram matrices and the Cholesky factor are small, 128 x 128, the factor in double."),
    row("CG to 1e-5, rho 1, preconditioned by Gauss-Newton", "JAX CG to 1e-5, plain", ratio("ihvp", "cg-1e-5-precond-jax"), 3, 5,
        limit=ihvp_limit("cg-1e-5-precond-jax", OF_CG),
        why="four products with the full Hessian are left, near the sgemm peak for the most part, and with J and J^T beside each."),
    row("one action from one observation, 64-64", "RLtools", ratio("act", "rltools"), 2, 5,
        why="it reads 18 KiB of weights from the first cache, some 60 ns, and tanh of a layer waits for all of its sums."),
    row("one action from one observation, 64-64", "ONNX Runtime, from Python", ratio("act", "onnx"), 8),
    row("CartPole, process start to solved", "JAX with compiling", ratio("solve", "jax"), 15, 30),
    row("CartPole, process start to solved", "Stable-Baselines3 PPO", ratio("solve", "sb3"), 50, 100),
    row("two threads, T 640, 64-64, a whole run", "one thread", ratio("threads", "update"), 1.6, 1.9,
        why="acting, GAE, gathering and the solver's core are one thread's, some 6.5 % of a minibatch; about as much is "
            "waiting, and what two processors fetch from each other."),
    row("8 seeds at once on two processors", "one thread", ratio("threads", "seeds"), 1.8, 1.9),
    row("share of the sgemm peak, a whole update", "this machine", share_of_peak, 0.45, 0.65),
    row("resident memory of the CartPole example, MiB", "-", resident, 16, least=True),
    row("shared library, stripped, KiB", "-", library, 400, least=True),
]
