"""tools/bench [PIECE]... [--quick] [--save FILE | --against FILE [--threshold X]]

Runs the benchmark programs, keeps what they print, and writes docs/performance.md with its plots. A PIECE (see PIECES)
is measured again alone, with the rest from an earlier run; `page` measures nothing. `beside` needs the Python packages numpy
and pysiglib (PYTHON=... tools/bench names the interpreter that has them); without them the page keeps what was measured last.
--quick calls each case once, to show that everything works, and leaves the page in the build directory.
"""
import argparse
import datetime
import os
import pathlib
import sys
import baseline
import page
import peer
import run

HERE = pathlib.Path(__file__).resolve().parent
PIECES = {
    "grid": ("grid", []),
    "plain": ("grid", ["--kernel", 1, "--operation", "sig"]),
    "threads": ("grid", ["--threads", 2, "--f64", "--seconds", 0.03]),
    "sweeps": ("sweeps", []),
    "accuracy": ("accuracy", []),
    "tape": ("tape", []),
    "dense": ("dense", []),
    "networks": ("mlp", []),
    "networks64": ("mlp", ["--f64"]),
}
BESIDE = HERE / "beside.tsv"  # kept with the sources, as not every machine can measure it


def measure(programs, results, names, quick):
    for name in names:
        program, options = PIECES[name]
        print(f"bench: {name}", flush=True)
        run.write(results / f"{name}.tsv",
                  run.run(programs / f"bench-{program}", *options, *(["--quick"] if quick else [])))


def measure_beside(library, file, quick):
    if not peer.is_here():
        print("bench: beside: left out, as numpy and pysiglib are not here")
        return
    print("bench: beside", flush=True)
    where = f"# measured {datetime.date.today().isoformat()} on {run.processor()}\n"
    run.write(file, where + peer.measure(library, quick))


def when(file):
    return datetime.datetime.fromtimestamp(file.stat().st_mtime).strftime("%Y-%m-%d %H:%M")


def make_page(build, results, beside, output, command):
    text = {}
    for name in PIECES:
        if not (results / f"{name}.tsv").exists():
            print(f"bench: no page yet, since {name} has not been measured")
            return
        text[name] = (results / f"{name}.tsv").read_text()
    grid = page.Grid(sum((run.rows(text[name]) for name in ("grid", "plain", "threads")), []), run.rates(text["grid"]))
    cliffs = run.cliffs(text["sweeps"])
    about = {"command": command, "date": datetime.date.today().isoformat(), "processor": run.processor(),
             "instructions": run.comments(text["grid"], "instructions")[0], "compiler": run.compiler(build),
             "pieces": ", ".join(f"{name} {when(results / f'{name}.tsv')}" for name in PIECES)}
    networks = run.rows(text["networks"]) + run.rows(text["networks64"])
    parts = [page.dense(run.rows(text["tape"]), run.rows(text["dense"]), networks, grid.rates)]
    if beside.exists():
        found = beside.read_text()
        parts.append(page.beside(run.rows(found), run.comments(found, "measured")[0]))
    content, plots = page.compose(about, grid, run.rows(text["sweeps"]), cliffs, run.rows(text["accuracy"]), parts)
    for name, plot in plots.items():
        run.write(output / "plots" / name, plot)
    run.write(output / "performance.md", content)
    print(page.summary(grid) + f"\nbench: {len(cliffs)} cliffs; written: {output / 'performance.md'}")


def main():
    parser = argparse.ArgumentParser(prog="tools/bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("piece", nargs="*", metavar="PIECE", help=", ".join([*PIECES, "beside", "page"]) + "; all if none is named")
    parser.add_argument("--quick", action="store_true", help="call each case once; fewer of them")
    parser.add_argument("--save", metavar="FILE", help="save what a small set of cases costs")
    parser.add_argument("--against", metavar="FILE", help="compare with what was saved; exit status 1: something costs more")
    parser.add_argument("--threshold", type=float, help="of a change that is listed: 0.02 of instructions, 0.25 of time")
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parent.parent / "build" / "release", help=argparse.SUPPRESS)
    a = parser.parse_args()
    unknown = set(a.piece) - {*PIECES, "beside", "page"}
    if unknown:
        parser.error("no such piece: " + ", ".join(sorted(unknown)))
    programs = a.build / "bench"
    if a.save or a.against:
        command = [programs / "bench-counts"] + ["--quick"] * a.quick
        if a.save:
            baseline.save(command, a.save)
        return baseline.against(command, a.against, a.threshold) if a.against else 0
    results = programs / ("quick" if a.quick else "results")
    pieces = a.piece or [*PIECES, "beside"]
    beside = results / BESIDE.name if a.quick else BESIDE
    measure(programs, results, [name for name in pieces if name in PIECES], a.quick)
    if "beside" in pieces:
        measure_beside(a.build / "libsigad.so", beside, a.quick)
    make_page(a.build, results, beside, results if a.quick else HERE.parent.parent / "docs", "tools/bench")
    return 0


if __name__ == "__main__":
    sys.exit(main())
