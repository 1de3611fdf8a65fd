#!/bin/sh
# Compiles the library for 64-bit ARM, whose vectors are NEON's, and checks the golden values under emulation:
# arm64.sh SOURCE_DIR BUILD_DIR GOLDEN... Exit status 77: no cross compiler or no emulator here.
# Left out is what needs a library that may not be there for ARM (dense products, archives, JSON).
set -eu

cc=aarch64-linux-gnu-gcc
emulator=$(command -v qemu-aarch64-static || command -v qemu-aarch64 || true)
if ! command -v $cc >/dev/null || [ -z "$emulator" ]; then
    echo "skipped: needs $cc and qemu-aarch64-static (tools/setup check)"
    exit 77
fi

source=$1
build=$2
shift 2
cd "$source"
rm -rf "$build"
mkdir -p "$build"
export build cc
flags="-std=gnu11 -O1 -pthread -fopenmp-simd -ffp-contract=off -Wall -Wextra -Werror -Wno-maybe-uninitialized -Iinclude -Isrc"
flags="$flags -DSIGAD_BUILDING -DSIGAD_FEW_TILES"
export flags
find src -name '*.c' ! -path 'src/io/*' ! -name '*_ref.c' ! -name gemm.c ! -name blas_lock.c |
    xargs -P "$(nproc)" -I{} sh -c '$cc $flags -c {} -o "$build/$(echo {} | tr / .).o"'
aarch64-linux-gnu-ar rcs "$build/libsigad.a" "$build"/*.o
# dense products stand in a table, but are never called here
$cc $flags -static -Wl,--defsym=sg_cpu_gemm=0 tests/sigad_golden.c tests/golden_file.c "$build/libsigad.a" -lm -o "$build/golden" 2>"$build/link.log" ||
    { cat "$build/link.log"; exit 1; }
for golden in "$@"; do
    test -f "$golden" || { echo "not there: $golden"; continue; }
    "$emulator" "$build/golden" "$golden"
done
