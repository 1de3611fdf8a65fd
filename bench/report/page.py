"""Makes docs/performance.md and its plots from what the benchmark programs printed."""
import collections
import math
import plot

SETS = [("published", "Long paths"), ("short", "Short paths"), ("deep", "Deep signatures"), ("single", "One path"),
        ("corners", "Corners"), ("mixed", "Paths of mixed lengths"), ("augmented", "Time and lead-lag")]
DIRECTIONS = ("forward", "backward")
DTYPES = ("f64", "f32")


def geometric(values):
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values)) if values else math.nan


def table(head, body):
    """A Markdown table; all columns but the first are numbers."""
    return "\n".join(["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1),
                      *("| " + " | ".join(row) + " |" for row in body)]) + "\n"


def figure(value, digits=3):
    """A number to so many significant digits, without an exponent."""
    if not math.isfinite(value):
        return ""
    return f"{value:.{max(0, digits - 1 - math.floor(math.log10(abs(value))))}f}" if value else "0"


def shape_of(row):
    return tuple(int(row[name]) for name in ("batch", "length", "dimension", "degree", "time_aug", "lead_lag", "mixed"))


def shape_name(shape, without_length=False):
    batch, length, d, n, time, lag, mixed = shape
    words = ", ".join(map(str, (batch, d, n) if without_length else (batch, length, d, n)))
    return words + " time" * time + " lead-lag" * lag + " mixed" * mixed


class Grid:
    """Figures by set, operation, method, kernel, direction, dtype, threads and shape, in that order."""

    def __init__(self, rows, rates):
        self.rates = rates
        self.rows = {(row["set"], row["operation"], int(row["method"]), int(row["kernel"]), row["direction"], row["dtype"],
                      int(row["threads"]), shape_of(row)): row for row in rows}

    def shapes(self, name):
        return list(dict.fromkeys(key[-1] for key in self.rows if key[0] == name))

    def time(self, *key):
        return float(self.rows[key]["microseconds"]) if key in self.rows else math.nan

    def share(self, *key):
        """Of the rate of matrix products, by the floor of operations: nan where we have no count."""
        return float(self.rows[key]["share"]) or math.nan if key in self.rows else math.nan

    def gain(self, *key):
        """How many times faster two threads are, and how many times as much two calls at once get done."""
        *rest, shape = key
        row = self.rows.get((*rest, 2, shape))
        return f'{row["gain"]} ({row["limit"]})' if row else ""

    def workspace(self, *key):
        return float(self.rows[key]["workspace"]) / 1024 if key in self.rows else math.nan


def signature_table(grid, name):
    head = ["B, L, d, N"]
    for direction in DIRECTIONS:
        head += [direction, "share", "f32", "share", "2 threads", "KiB"]
    body = []
    for shape in grid.shapes(name):
        row = [shape_name(shape)]
        for direction in DIRECTIONS:
            for dtype in DTYPES:
                key = (name, "sig", 0, 0, direction, dtype, 1, shape)
                row += [figure(grid.time(*key)), f"{grid.share(*key):.2f}" if grid.share(*key) > 0 else ""]
            row += [grid.gain(name, "sig", 0, 0, direction, "f64", shape),
                    f'{grid.workspace(name, "sig", 0, 0, direction, "f64", 1, shape):.0f}']
        body.append(row)
    return table(head, body)


def relations(grid, name, partner):
    """Time of a case of a set over that of its partner in any set. Their floors are equal, so it is a quotient of shares,
    which a drifting clock does not disturb."""
    lines = []
    for shape in grid.shapes(name):
        other = partner(shape)
        where = next((s for s, _ in SETS if grid.time(s, "sig", 0, 0, "forward", "f64", 1, other) >= 0), None)
        if other == shape or not where:
            continue
        quotients = [grid.share(where, "sig", 0, 0, direction, dtype, 1, other) /
                     grid.share(name, "sig", 0, 0, direction, dtype, 1, shape)
                     for direction in DIRECTIONS for dtype in DTYPES]
        lines.append([shape_name(shape), shape_name(other)] + [f"{q:.2f}" for q in quotients])
    return table(["case", "beside", "forward", "f32", "backward", "f32"], lines)


def dense_partner(shape):
    """The path without augmentation that has as many points and letters."""
    batch, length, d, n, time, lag, mixed = shape
    return batch, 2 * length - 1 if lag else length, d * (1 + lag) + time, n, 0, 0, mixed


def full_partner(shape):
    return (*shape[:-1], 0)


def transform_table(grid, operation):
    """Both methods in both directions; share of the forward alone, threads and workspace of method 2."""
    head, body = ["B, L, d, N" if operation == "log_sig" else "B, d, N"], []
    for method in (1, 2):
        for direction in DIRECTIONS:
            head += [f"{direction}, method {method}", "f32"] + ["share"] * (direction == "forward")
            head += ["2 threads", "KiB"] * (method == 2)
    for shape in grid.shapes("transforms"):
        row = [shape_name(shape, operation != "log_sig")]
        for method in (1, 2):
            for direction in DIRECTIONS:
                key = ("transforms", operation, method, 0, direction)
                row += [figure(grid.time(*key, dtype, 1, shape)) for dtype in DTYPES]
                if direction == "forward":
                    row.append(f'{grid.share(*key, "f64", 1, shape):.2f}')
                if method == 2:
                    row += [grid.gain(*key, "f64", shape), f'{grid.workspace(*key, "f64", 1, shape):.0f}']
        body.append(row)
    return table(head, body)


def summary(grid):
    """Geometric mean and least of the share over the first three sets, for the automatic choice and for plain kernels."""
    def line(name, kernel, chosen):
        row = [name]
        for direction in DIRECTIONS:
            for dtype in DTYPES:
                shares = [grid.share(set_name, "sig", 0, kernel, direction, dtype, 1, shape)
                          for set_name in ("published", "short", "deep") for shape in grid.shapes(set_name) if chosen(shape)]
                shares = [share for share in shares if share > 0]
                row.append(f"{geometric(shares):.2f} (≥ {min(shares, default=math.nan):.2f})")
        return row
    return table(["share of the product rate: mean (least)", "forward", "f32", "backward", "f32"],
                 [line("all of long, short and deep", 0, lambda s: True),
                  line("at least 100 points, N ≥ 3", 0, lambda s: s[1] >= 100 and s[3] >= 3),
                  line("at least 20 points, d ≥ 3, plain kernels", 1, lambda s: s[1] >= 20 and s[2] >= 3)])


def share_plot(grid):
    shapes = [(name, shape) for name in ("published", "short", "deep") for shape in grid.shapes(name)]
    groups = [(direction, [grid.share(name, "sig", 0, 0, direction, "f64", 1, shape) for name, shape in shapes])
              for direction in DIRECTIONS]
    keep = [i for i in range(len(shapes)) if all(values[i] > 0 for _, values in groups)]
    return plot.bars("Share of the matrix-product rate, float64, one thread", [shape_name(shapes[i][1]) for i in keep],
                     [(label, [values[i] for i in keep]) for label, values in groups], 1.0)


# ---- sweeps ----------------------------------------------------------------------------------------------------------------

def sweep_plot(rows, over):
    """Forward and backward side by side; a colour for each base, dashes for float32; no closed forms."""
    names = {"batch": "B", "length": "L", "dimension": "d", "degree": "N"}
    drawn = {direction: collections.defaultdict(list) for direction in DIRECTIONS}
    for row in rows:
        if "1" in (row["dimension"], row["degree"]):
            continue
        base = tuple((name, int(row[name])) for name in names if name != over)
        drawn[row["direction"]][base, row["dtype"]].append((int(row[over]), float(row["microseconds"]) / float(row["floor"])))
    bases = list(dict.fromkeys(base for base, _ in drawn["forward"]))
    panels = []
    for direction in DIRECTIONS:
        curves = [{"label": " ".join(f"{names[name]}={value}" for name, value in base),
                   "points": points, "colour": bases.index(base), "dashed": dtype == "f32"}
                  for (base, dtype), points in drawn[direction].items()]
        panels.append((f"sig, {direction} (dashed: float32)", curves))
    return plot.curves(f"Time over floor, over {over}", f"{over} {names[over]}", "time / floor",
                       panels, over == "length")


def cliff_table(cliffs):
    if not cliffs:
        return "No point takes more than twice as many times its floor as a neighbour.\n"
    body = [[f'{c["over"]} {c["direction"]} {c["dtype"]}', f'{c["batch"]}, {c["length"]}, {c["dimension"]}, {c["degree"]}',
             figure(float(c["microseconds"]) / float(c["floor"])), c["ratio"], c["neighbour"]] for c in cliffs]
    return ("Points that take more than twice as many times their floor as a neighbour:\n\n" +
            table(["sweep over", "B, L, d, N", "time over floor", "times slower", "than at"], body))


# ---- accuracy --------------------------------------------------------------------------------------------------------------

KERNELS = {"0": "automatic", "1": "plain", "2": "core"}


def levels(text):
    return [float(value) for value in text.split(",")]


def accuracy_name(row):
    """A shape, and what is special about it."""
    words = [", ".join(row[c] for c in ("batch", "length", "dimension", "degree"))]
    words += [row["path"]] * (row["path"] != "walk") + [c for c in ("lead-lag", "time", "mixed") if row[c] == "1"]
    words += [f'level {row["cotangent"]}'] * (row["cotangent"] != "0")
    return " ".join(words)


def quotients(text, share=True):
    """Median and largest of a batch's error over the recursion's, and how many batches exceed four."""
    middle, most, above = levels(text)
    return f"{middle:.1f}, {most:.1f}" + (f", {above:.0%}" if share and above else "")


def accuracy_table(rows, dtype):
    kernels = [k for k in KERNELS if any(row["kernel"] == k for row in rows)]
    cases = collections.defaultdict(dict)
    for row in rows:
        if row["dtype"] == dtype:
            cases[accuracy_name(row)][row["direction"], row["kernel"]] = row
    head = ["B, L, d, N"]
    for direction in DIRECTIONS:
        head += [f"{direction}: recursion"] + [KERNELS[k] for k in kernels]
    body = []
    for name, found in cases.items():
        line = [name]
        for direction in DIRECTIONS:
            row = found[direction, "0"]
            line.append(f'{max(levels(row["reference"])):.1e} ({quotients(row["mirrored"])})')
            for k in kernels:
                row = found[direction, k]
                line.append(f'{max(levels(row["error"])):.1e} ({quotients(row["quotient"])})')
        body.append(line)
    return table(head, body)


def accuracy_summary(rows):
    def cell(name, kernel, direction, dtype, paths):
        chosen = [row for row in rows if (row["kernel"], row["direction"], row["dtype"]) == (kernel, direction, dtype)
                  and (row["path"] if row["path"] in ("drift", "straight") else "mixed" * (row["mixed"] == "1")) == paths]
        if not chosen:
            return ""
        found = [levels(row[name]) for row in chosen]
        batches = [int(row["draws"]) for row in chosen]
        above = sum(share * count for (_, _, share), count in zip(found, batches)) / sum(batches)
        middle = max(middle for (middle, _, _), count in zip(found, batches) if count > 1)
        return f"{middle:.1f} ({max(most for _, most, _ in found):.1f}, {above:.1%})"

    lines = [("recursion, mirrored", "mirrored", "0", "")]
    lines += [(name, "quotient", k, "") for k, name in KERNELS.items() if any(row["kernel"] == k for row in rows)]
    lines += [(f"automatic, {title}", "quotient", "0", paths) for title, paths in
              (("drifting paths", "drift"), ("mixed lengths", "mixed"), ("nearly straight paths", "straight"))]
    body = [[title] + [cell(name, kernel, direction, dtype, paths) for dtype in DTYPES for direction in DIRECTIONS]
            for title, name, kernel, paths in lines]
    return table(["kernel", "f64 forward", "f64 backward", "f32 forward", "f32 backward"], body)


# ---- dense operations ------------------------------------------------------------------------------------------------------

def dense(tape, operations, networks, rates):
    copies = [[row["operation"], row["forward"], row["backward"], row["forward copies"], row["backward copies"]]
              for row in operations]
    steps = [[f'{row["batch"]}; {row["layers"]}', row["dtype"], figure(float(row["microseconds"])),
              f'{1e6 * float(row["flops"]) / float(row["microseconds"]) / rates[row["dtype"]]:.2f}'] for row in networks]
    return f"""## The tape and dense networks

What the tape adds: nanoseconds for each operation in a chain on one float32 number.

{table(["operation", "record", "backward", "replay"], [list(row.values()) for row in tape])}
Operations that should run at the speed of memory: microseconds on 2048 × 512 float32 numbers, one thread, and in units of copying
that tensor with the C library's `memcpy`, which writes past the caches. `rows` works along the first axis, `columns` along the last.

{table(["operation", "forward", "backward", "forward in copies", "backward in copies"], copies)}
A training step (forward, mean squared error, backward, Adam), one thread; linear layers with tanh between them. Share: of the
rate of matrix products, by the products in the layers alone.

{table(["batch; layers", "dtype", "microseconds", "share"], steps)}"""


# ---- beside another library ------------------------------------------------------------------------------------------------

def beside(rows, measured):
    times = {(row["operation"], row["dtype"], shape_of({**row, "mixed": 0})): (float(row["peer"]), float(row["ours"]))
             for row in rows}

    def gain(operation, dtype):
        gains = [theirs / ours for key, (theirs, ours) in times.items() if key[:2] == (operation, dtype)]
        return f"{geometric(gains):.1f} (≥ {min(gains):.1f})" if gains else ""

    body = []
    for shape in dict.fromkeys(key[2] for key in times):
        line = [shape_name(shape)]
        for operation in ("sig", "sig backward"):
            theirs, ours = times[operation, "f64", shape]
            line += [figure(theirs), figure(ours), f"{theirs / ours:.1f}"]
        body.append(line)
    operations = dict.fromkeys(key[0] for key in times)
    return f"""## Beside pySigLib

pySigLib 4, the fastest of the libraries that we know, and sigad in turn in one Python process, on one thread, measured {measured}
by `PYTHON=... tools/bench beside`, with a Python that has numpy and pysiglib.
How many times faster sigad is: geometric mean over the shapes below, and the least; for logsig_to_sig over the smaller ones.

{table(["operation", "float64", "float32"], [[name, gain(name, "f64"), gain(name, "f32")] for name in operations])}
Microseconds for one path, float64:

{table(["B, L, d, N", "pySigLib", "sigad", "times faster", "pySigLib, backward", "sigad", "times faster"], body)}"""


# ---- the page --------------------------------------------------------------------------------------------------------------

def compose(about, grid, sweeps, cliffs, accuracy, extra):
    """The page as text, and its plots by name."""
    plots = {"share.svg": share_plot(grid)}
    parts = [f"""# Performance

Written by `{about["command"]}` on {about["date"]}. Do not edit: run it on your own machine.

| | |
|---|---|
| processor | {about["processor"]} |
| instruction set of the kernels | {about["instructions"]} |
| compiler | {about["compiler"]} |
| pieces, measured | {about["pieces"]} |
| matrix products, one thread | {grid.rates["f64"] / 1e9:.1f} Gflop/s float64, {grid.rates["f32"] / 1e9:.1f} float32 |

Times are medians, in microseconds for one path (one item of the batch), on one thread and in float64 unless a column says
otherwise. *Share*: the operations of Horner's rule (F(d, N) in [kernels.md](kernels.md) for each increment) over time, over the
rate of a product of 512 × 512 matrices measured just before. More than 1 is possible, because the
kernels need fewer operations than that rule. *2 threads*: how many times faster they are, and in brackets how many times as much two
threads get done that share nothing, each with calls of its own: what the machine allows. *KiB*: workspace, besides arguments and
result. B paths in a batch, L points, d letters, degree N.

## Signatures

{summary(grid)}
![Share of the matrix-product rate by shape](plots/share.svg)
"""]
    for name, title in SETS:
        parts.append(f"### {title}\n\n{signature_table(grid, name)}")
        if name == "mixed":
            parts.append("Time over that of the full batch:\n\n" + relations(grid, name, full_partner))
        if name == "augmented":
            parts.append("Time over that of a dense path with as many points and letters:\n\n" +
                         relations(grid, name, dense_partner))
    parts.append("## Logarithm and exponential\n\nMethod 1: Lyndon words, method 2: Lyndon brackets. For the backward we have no"
                 " count of operations.\n")
    for operation in ("sig_to_log_sig", "logsig_to_sig", "log_sig"):
        parts.append(f"### {operation}\n\n{transform_table(grid, operation)}")
    parts.append("## Sweeps\n\nTime over its floor while one size changes. Floor: Horner's operations at the rate of matrix products,"
                 " and the bytes of arguments and result, each moved once, at the rate of a copy in the caches. The time of a call"
                 " that has nothing to do is taken off. Where d or N is 1 there is a closed form, which is left out of the plots.\n")
    for over in dict.fromkeys(row["over"] for row in sweeps):
        plots[f"sweep-{over}.svg"] = sweep_plot([row for row in sweeps if row["over"] == over], over)
        parts.append(f"![Sweep over {over}](plots/sweep-{over}.svg)\n")
    parts.append(cliff_table(cliffs))
    parts.append(f"""## Accuracy

Errors against the reference recursion (Horner, one increment after another) in long double (of float32, in double), beside
those of that recursion in the dtype itself: the largest of a level in a batch over the level's largest entry, worst level; for
the backward the largest of the gradient over its largest entry. Paths are random walks unless something else is said: *away*
start at 100; of a *drift* the line is as long as the walk about it, a *straight* path's walk is a tenth of that; *smooth* are sines.
*Level*: cotangents of this level alone.

The largest of many rounding errors is a random number, and a quotient of two such numbers scatters whatever it compares. So
each shape is drawn 5 to 20 times (the two longest once), and there are three figures: the median of the quotients by the recursion's own
error, the largest of any batch, and the share of batches above 4. Behind the recursion's error stand the same figures of the
recursion against itself, with increments in the other order and words read backwards, an identity that adds the same
terms up the other way round: how quotients scatter where there is nothing to tell. An error is more than four times the recursion's
where the *median* is above 4; single batches exceed that earlier.

Over all shapes but those of drifting and straight paths and mixed lengths, which have lines of their own: the worst median, the largest
quotient of any batch, and the share of all batches above 4:

{accuracy_summary(accuracy)}
### float64

{accuracy_table(accuracy, "f64")}
### float32

{accuracy_table(accuracy, "f32")}""")
    return "\n".join(parts + extra), plots
