"""Times the library beside pySigLib 4 (Python package `pysiglib`), in turn in one process on one thread. Both are called on NumPy
arrays and make a new array for their result; what Python adds to a call, several microseconds, is in both times."""
import ctypes
import importlib.util
import os
import pathlib
import statistics
import time

COLUMNS = ["operation", "dtype", "batch", "length", "dimension", "degree", "time_aug", "lead_lag", "peer", "ours"]
PATHS = [(32, 2000, d, n, 0, 0) for d in (2, 4, 8, 16) for n in (2, 3)] + [
    (512, 20, 3, 4, 0, 0), (512, 10, 5, 3, 0, 0), (1024, 8, 2, 5, 0, 0), (256, 30, 12, 3, 0, 0), (1, 30, 4, 4, 0, 0),
    (1, 1000, 3, 5, 0, 0), (64, 100, 2, 10, 0, 0), (64, 100, 3, 6, 0, 0), (32, 100, 5, 5, 0, 0), (16, 100, 8, 4, 0, 0),
    (8, 100, 8, 5, 0, 0), (8, 100, 16, 4, 0, 0), (16, 100, 40, 3, 0, 0), (64, 100, 3, 4, 1, 0), (64, 100, 3, 4, 0, 1),
    (32, 100, 5, 3, 1, 1)]
EXPONENTIAL_WORDS = 2000  # the other library's logsig_to_sig takes seconds beyond
ROUNDS, SECONDS = 5, 0.03


def is_here():
    return all(importlib.util.find_spec(name) for name in ("numpy", "pysiglib"))


class Spec(ctypes.Structure):
    """sigad_sig_spec"""
    _fields_ = [("size", ctypes.c_uint32)] + [(name, ctypes.c_int32) for name in (
        "dimension", "degree", "time_aug", "lead_lag", "scalar_term", "method", "kernel")] + [("end_time", ctypes.c_double)]


class Ours:
    """The array functions for one specification."""

    def __init__(self, library, dimension, degree, time_aug, lead_lag, method):
        self.library = library
        spec = Spec(ctypes.sizeof(Spec), dimension, degree, time_aug, lead_lag, 0, method)
        self.plan = ctypes.c_void_p()
        self.status(library.sigad_plan_create(ctypes.byref(spec), ctypes.byref(self.plan)))

    def __del__(self):
        self.library.sigad_plan_destroy(self.plan)

    @staticmethod
    def status(status):
        if status:
            raise RuntimeError(f"the library answers with status {status}")

    def function(self, name, sizes, *arrays, like):
        """A call without arguments: sizes and arrays are bound, the result is an array like that of the other library."""
        import numpy
        call = getattr(self.library, f"sigad_{name}_f{8 * like.itemsize}")
        call.argtypes = [ctypes.c_void_p] + [ctypes.c_int64] * len(sizes) + \
            [ctypes.c_void_p] * (len(arrays) + 1 + (len(sizes) == 2)) + [ctypes.c_int]
        lengths = [None] * (len(sizes) == 2)

        def run():
            out = numpy.empty(like.shape, like.dtype)
            self.status(call(self.plan, *sizes, *lengths, *(a.ctypes.data for a in arrays), out.ctypes.data, 1))
            return out
        return run


def pairs(library, shape, dtype):
    """(operation, the other library's call, ours) for all operations on paths of this shape."""
    import numpy
    import pysiglib
    batch, length, d, n, time_aug, lead_lag = shape
    flags = {"time_aug": bool(time_aug), "lead_lag": bool(lead_lag)}
    draw = numpy.random.default_rng(7).normal
    path = (draw(size=(batch, length, d)).cumsum(1) / length ** 0.5).astype(dtype)
    words = pysiglib.sig(path, n, **flags)
    cotangent = draw(size=words.shape).astype(dtype)
    tensor = Ours(library, d, n, time_aug, lead_lag, 0)
    sizes = (batch, length)
    yield ("sig", lambda: pysiglib.sig(path, n, **flags), tensor.function("sig", sizes, path, like=words))
    yield ("sig backward", lambda: pysiglib.sig_backprop(path, words, cotangent, n, **flags),
           tensor.function("sig_backprop", sizes, path, cotangent, like=path))
    if length > 1000:  # the length does not matter to what follows
        batch, length = 16 * batch, 20
        path = (draw(size=(batch, length, d)).cumsum(1) / length ** 0.5).astype(dtype)
        words = pysiglib.sig(path, n, **flags)
        cotangent = draw(size=words.shape).astype(dtype)
    for method in (2, 1):
        pysiglib.prepare_log_sig(d, n, method, **flags)
        ours = Ours(library, d, n, time_aug, lead_lag, method)
        log = pysiglib.sig_to_log_sig(words, d, n, method=method, **flags)
        of_log = draw(size=log.shape).astype(dtype)
        given = {"method": method, **flags}
        yield (f"sig_to_log_sig {method}", lambda: pysiglib.sig_to_log_sig(words, d, n, **given),
               ours.function("sig_to_log_sig", (batch,), words, like=log))
        yield (f"sig_to_log_sig {method} backward", lambda: pysiglib.sig_to_log_sig_backprop(words, of_log, d, n, **given),
               ours.function("sig_to_log_sig_backprop", (batch,), words, of_log, like=words))
        if words.shape[1] > EXPONENTIAL_WORDS:
            continue
        yield (f"logsig_to_sig {method}", lambda: pysiglib.logsig_to_sig(log, d, n, **given),
               ours.function("logsig_to_sig", (batch,), log, like=words))
        yield (f"logsig_to_sig {method} backward", lambda: pysiglib.logsig_to_sig_backprop(log, cotangent, d, n, **given),
               ours.function("logsig_to_sig_backprop", (batch,), log, cotangent, like=log))


def clock(call, seconds):
    """Seconds for a call, averaged over as many as fill the time."""
    start = time.perf_counter()
    call()
    count = max(1, int(seconds / max(time.perf_counter() - start, 1e-7)))
    start = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - start) / count


def measure(library, quick):
    """Rows of COLUMNS between tabs under a line of names; microseconds for one path. Results in float64 are compared, too."""
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import numpy
    loaded = ctypes.CDLL(str(pathlib.Path(library).resolve()))
    loaded.sigad_plan_destroy.argtypes = [ctypes.c_void_p]
    loaded.sigad_plan_destroy.restype = None
    lines = ["\t".join(COLUMNS)]
    for dtype in (numpy.float64, numpy.float32):
        for shape in PATHS[8:10] if quick else PATHS:
            for name, theirs, ours in pairs(loaded, shape, dtype):
                expected, found = theirs(), ours()
                if dtype == numpy.float64 and not abs(found - expected).max() <= 1e-9 * abs(expected).max():
                    raise RuntimeError(f"{name} {shape}: the libraries disagree")
                batch = expected.shape[0]
                turns = [(clock(theirs, SECONDS), clock(ours, SECONDS)) for _ in range(1 if quick else ROUNDS)]
                medians = [1e6 * statistics.median(turn[side] for turn in turns) / batch for side in (0, 1)]
                lines.append("\t".join([name, f"f{8 * found.itemsize}", *map(str, shape), *(f"{m:.6g}" for m in medians)]))
    return "\n".join(lines) + "\n"
