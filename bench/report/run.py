"""Runs the benchmark programs and reads what they print: rows of columns between tabs under a line of names."""
import contextlib
import os
import pathlib
import platform
import re
import subprocess
import tempfile


def run(program, *options, env=None):
    """The program's output; its failure is ours."""
    done = subprocess.run([str(program), *map(str, options)], stdout=subprocess.PIPE, text=True, check=True,
                          env={**os.environ, **(env or {})})
    return done.stdout


def rows(text):
    """The table in a program's output as dicts of strings; what follows '# cliffs' is read by cliffs()."""
    lines = [line for line in text.split("# cliffs")[0].split("\n") if line and not line.startswith("#")]
    names = lines[0].split("\t")
    return [dict(zip(names, line.split("\t"))) for line in lines[1:]]


def cliffs(text):
    """The cliffs that sweeps found: the columns of its table, how many times slower, and than which neighbour."""
    names = next(line for line in text.split("\n") if not line.startswith("#")).split("\t") + ["ratio", "neighbour"]
    return [dict(zip(names, line.split("\t"))) for line in text.split("# cliffs\n")[1].split("\n") if line]


def comments(text, word):
    """What stands after '# word ', once for each such line."""
    return re.findall(rf"^# {word} (.*)$", text, re.MULTILINE)


def rates(text):
    """Rate of matrix products by dtype."""
    return {dtype: float(rate) for dtype, rate in (line.split() for line in comments(text, "rate"))}


def write(path, text):
    """Puts the text under its name whole or not at all."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name + ".")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise


def processor():
    """The processor's name and how many of them may be used."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            found = re.search(r"^model name\s*: (.*)$", file.read(), re.MULTILINE)
    except OSError:
        found = None
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{found.group(1) if found else platform.machine()}, {usable} processor{'s' * (usable != 1)}"


def compiler(build):
    """The compiler that CMake found, as it names itself."""
    found = re.search(r"^CMAKE_C_COMPILER:\w+=(.*)$", (build / "CMakeCache.txt").read_text(), re.MULTILINE)
    return run(found.group(1), "--version").split("\n")[0]
