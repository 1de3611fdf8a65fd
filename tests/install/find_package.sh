# An outside CMake project finds the installed copy, builds and runs.
set -eu
stage=$1 cmake=$2
here=$(dirname "$0")
rm -rf find_package
"$cmake" -S "$here/consumer" -B find_package -DCMAKE_PREFIX_PATH="$stage" -DCMAKE_C_COMPILER="$CC"
"$cmake" --build find_package
./find_package/consumer
