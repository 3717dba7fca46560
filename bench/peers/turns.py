"""Turns: what the peers share with the C programs of bench/ (harness.h).

A peer prints {"ready": ...} when it is set up and compiled, then measures once for each line that it reads, and prints one
JSON object a measurement. So two programs can take turns with all preparation done before.
"""
import json
import sys
import time


def clock():
    """(wall, processor) seconds."""
    return time.perf_counter(), time.process_time()


def timed(work):
    """Runs work() once: dict of the wall and processor seconds that it took."""
    wall, cpu = clock()
    work()
    return dict(wall=time.perf_counter() - wall, cpu=time.process_time() - cpu)


def least_us(call, seconds=0.1):
    """Least microseconds of processor time of one call, over batches that together take about `seconds`."""
    def batch(n):
        start = time.process_time()
        for _ in range(n):
            call()
        return time.process_time() - start

    call()
    n, took = 1, batch(1)
    while took < seconds / 20:
        n *= 2
        took = batch(n)
    best, spent = took, took
    while spent < seconds:
        took = batch(n)
        best, spent = min(best, took), spent + took
    return 1e6 * best / n


def say(**fields):
    print(json.dumps(fields), flush=True)


def serve(name, measure, **facts):
    """Ready, then measure() for each line of standard input."""
    say(ready=name, **facts)
    for _ in sys.stdin:
        say(**measure())
