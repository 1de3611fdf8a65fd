#!/bin/sh
# Runs a CUDA compiler: cuda-compile.sh COMPILER ARGUMENT... What it says of resources goes to OBJECT.resources.
object=
previous=
for argument in "$@"; do
    test "$previous" = -o && object=$argument
    previous=$argument
done
test -n "$object" || exec "$@"
"$@" 2>"$object.resources"
status=$?
# After a success there is nothing else: warnings are errors.
test $status = 0 || cat "$object.resources" >&2
exit $status
