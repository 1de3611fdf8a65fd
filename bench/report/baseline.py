"""Saves what the cases of bench/counts.c cost, and compares with what was saved.

Instructions are counted by the processor where it lets us, else in simulation by valgrind (which knows no AVX-512, so the
kernels are those for AVX2); where there is neither, times are taken. A file says which way it was made and is compared in
the same way.
"""
import json
import pathlib
import re
import shutil
import tempfile
import run

WAYS = {"counter": "instructions, by the processor's counter", "valgrind": "instructions, by valgrind",
        "time": "microseconds, medians"}
THRESHOLD = {"counter": 0.02, "valgrind": 0.02, "time": 0.25}


def by_counter(command):
    cost = {row["case"]: float(row["instructions"]) for row in run.rows(run.run(*command))}
    return cost if min(cost.values()) >= 0 else None


def by_valgrind(command):
    """One profile is dumped each time a measured call returns, in the order of the cases."""
    if not shutil.which("valgrind"):
        return None
    with tempfile.TemporaryDirectory() as folder:
        text = run.run("valgrind", "--quiet", "--tool=callgrind", "--toggle-collect=bench_once",
                       "--dump-after=bench_once", f"--callgrind-out-file={folder}/profile", *command)
        cost = {}
        for number, row in enumerate(run.rows(text), 1):
            profile = (pathlib.Path(folder) / f"profile.{number}").read_text()
            cost[row["case"]] = float(re.search(r"^totals: (\d+)", profile, re.MULTILINE).group(1))
    return cost


def by_time(command):
    options = [] if "--quick" in command else ["--seconds", 0.05]
    return {row["case"]: float(row["microseconds"]) for row in run.rows(run.run(*command, *options))}


def measure(command, way=None):
    """(way, cost by case); None as cost if that way is not to be had here."""
    ways = {"counter": by_counter, "valgrind": by_valgrind, "time": by_time}
    for name in [way] if way else WAYS:
        cost = ways[name](command)
        if cost:
            return name, cost
    return way, None


def save(command, path):
    way, cost = measure(command)
    run.write(path, json.dumps({"way": way, "cost": cost}, indent=1) + "\n")
    print(f"saved {len(cost)} cases in {path}: {WAYS[way]}")


def against(command, path, threshold=None):
    """Lists what changed by more than the threshold. 0: nothing costs more, 1: something does, 2: no comparison."""
    before = json.loads(pathlib.Path(path).read_text())
    way, cost = measure(command, before["way"])
    if not cost:
        print(f"{path} holds {WAYS[way]}, which are not to be had here")
        return 2
    threshold = THRESHOLD[way] if threshold is None else threshold
    worse = 0
    for case in sorted(cost.keys() | before["cost"].keys()):
        old, new = before["cost"].get(case), cost.get(case)
        if old is None or new is None:
            print(f"{case}: {'new' if old is None else 'gone'}")
            continue
        change = new / old - 1
        if abs(change) > threshold:
            print(f"{case}: {old:.0f} -> {new:.0f} ({change:+.1%})")
        worse += change > threshold
    shared = len(cost.keys() & before["cost"].keys())
    print(f"{WAYS[way]}: {worse} of {shared} cases cost over {threshold:.0%} more than in {path}")
    return int(worse > 0)
