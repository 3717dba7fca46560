"""Measuring in turns: workers that measure once when told to, and ratios of pairs A B A B.

A worker is a process that prints {"ready": ...} and then one JSON object for every line it is sent (bench/harness.h,
bench/peers/turns.py). While it waits it uses no time, so two of them share one processor without disturbing each other.
"""
import json
import os
import select
import shutil
import statistics
import subprocess

ONE_THREAD = {name: "1" for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS",
                                     "NUMEXPR_NUM_THREADS")}
ONE_THREAD["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"


class Absent(Exception):
    """A program that cannot be run here, and why."""


def pinned(command, core):
    """The command on one processor, where that can be asked for."""
    if core is None or shutil.which("taskset") is None:
        return command
    return ["taskset", "-c", str(core)] + command


class Worker:
    def __init__(self, command, core=None, env=None, patience=600):
        self.patience = patience
        self.process = subprocess.Popen(pinned(command, core), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env={**os.environ, **ONE_THREAD, **(env or {})})
        self.rest = b""
        self.facts = self.read()

    def read(self):
        """The next JSON object that the process prints; other lines are passed over."""
        while True:
            line, found, self.rest = self.rest.partition(b"\n")
            if found:
                if line.startswith(b"{"):
                    return json.loads(line)
                continue
            self.rest = line
            if not select.select([self.process.stdout], [], [], self.patience)[0]:
                self.close()
                raise Absent(f"no answer within {self.patience} s")
            block = os.read(self.process.stdout.fileno(), 65536)
            if not block:
                raise Absent(self.last_words())
            self.rest += block

    def last_words(self):
        self.process.wait()
        lines = self.process.stderr.read().decode(errors="replace").strip().splitlines()
        return lines[-1][:200] if lines else f"exit status {self.process.returncode}"

    def go(self):
        self.process.stdin.write(b"go\n")
        self.process.stdin.flush()
        return self.read()

    def close(self):
        """The process ends by itself when its input does."""
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def spread(values):
    return dict(median=statistics.median(values), low=min(values), high=max(values))


def ratio_of(ours, theirs, field):
    """How many times better we are: rates by rates, or times the other way round."""
    return ours / theirs if field == "steps_per_s" else theirs / ours


def shares(turns):
    """Of turns with one thread that tell both times: processor time by wall time. Well below 1 something else was running, and
    wall times tell of that."""
    return [t["cpu"] / t["wall"] for t in turns if t.get("threads") == t.get("jobs") == 1 and "cpu" in t]


def pairs(a, b, n, field):
    """n turns of two workers. Their figures and the ratios pair by pair."""
    ours, theirs = [], []
    for _ in range(n):
        ours.append(a.go())
        theirs.append(b.go())
    ratios = [ratio_of(x[field], y[field], field) for x, y in zip(ours, theirs)]
    alone = shares(ours + theirs)
    return dict(dict(share=spread(alone)) if alone else {}, field=field, ours=spread([x[field] for x in ours]), theirs=spread([y[field] for y in theirs]),
                ratio=spread(ratios), ratios=ratios, pairs=n, facts=b.facts, first_ours=ours[0], first=theirs[0])
