#!/usr/bin/env python3
"""Runs a program of the CPU and one of a device, and compares what they print: same_numbers.py CPU DEVICE ARGUMENT... [-- ARGUMENT...]

The arguments behind -- are the device's alone. Words must be the same, numbers the same to what rounding makes of them in a few steps of
training; numbers of seconds and milliseconds are not compared. A program that trains too little may say by its exit status that it has missed
its aim, on both. What the device's program does not print is not asked for, but of two numbers.
"""
import re
import subprocess
import sys

TOLERANCE = 2e-3
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
TIME = re.compile(r"ms per step [\d.]+|[\d.]+ (?:milli)?seconds")


def output_of(command):
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if run.returncode not in (0, 1):
        sys.exit(f"{' '.join(command)}: exit status {run.returncode}")
    return TIME.sub("TIME", run.stdout), run.returncode


def main():
    cpu, device, *arguments = sys.argv[1:]
    behind = arguments.index("--") if "--" in arguments else len(arguments)
    common, extra = arguments[:behind], arguments[behind + 1:]
    (first, status), (second, other) = output_of([cpu, *common]), output_of([device, *common, *extra])
    print(second, end="")
    if status != other:
        sys.exit(f"exit status {other} is not the CPU's {status}")
    first = "".join(first.splitlines(keepends=True)[:second.count("\n")])
    numbers = [[float(x) for x in NUMBER.findall(text)] for text in (first, second)]
    if len(numbers[0]) < 2:
        sys.exit("hardly a number")
    if NUMBER.sub("N", first) != NUMBER.sub("N", second):
        sys.exit(f"other words than on the CPU:\n{first}")
    for x, y in zip(*numbers):
        if abs(x - y) > TOLERANCE * max(1e-6, abs(x)):
            sys.exit(f"{y} is not the CPU's {x}; all of it:\n{first}")


main()
