# A program that was written against the headers before the library existed compiles unchanged, links with the installed
# copy and runs. Skipped where the programs, or a header that one needs, are not there.
set -eu
stage=$1 programs=$2 program=$3
drivers=$(dirname "$0")/contract

source=$programs/$program
if [ ! -f "$source" ]; then
    echo "skipped: no $source"
    exit 77
fi
for header in $(sed -n 's/^#include <\(sigad\/.*\)>.*/\1/p' "$source"); do
    if [ ! -f "$stage/include/$header" ]; then
        echo "skipped: $program needs $header, which is not part of this version"
        exit 77
    fi
done

PKG_CONFIG_PATH=$stage/lib/pkgconfig
export PKG_CONFIG_PATH
name=${program%.*}
flags="-O2 -Wall -Wextra -pedantic -Wconversion -Wshadow -Werror $(pkg-config --cflags sigad)"
libraries=$(pkg-config --libs sigad)
driver=$drivers/$name.${program##*.}
test -f "$driver" || driver=
case $program in
*.cpp) compile="$CXX -std=c++17" ;;
*) compile="$CC -std=c11" ;;
esac
# eval: pkg-config escapes spaces in paths
eval "$compile $flags '$source' ${driver:+'$driver'} -o $name $libraries -lm -pthread"
LD_LIBRARY_PATH=$stage/lib
export LD_LIBRARY_PATH

case $name in
a_classify)
    vowels=$(dirname "$0")/../../examples/data/JapaneseVowels
    ./a_classify "${vowels}_TRAIN.ts" "${vowels}_TEST.ts" a_classify.safetensors >a_classify.txt
    tail -n 1 a_classify.txt
    awk -F '[ ,]+' '/^best/ { found = 1; exit !($2 >= 0.80 && $2 == $4) } END { if (!found) exit 1 }' a_classify.txt
    ;;
*)
    "./$name"
    ;;
esac
