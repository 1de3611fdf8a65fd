# Every public header compiles alone, as C11 and as C++17, without a warning, with each compiler that is here.
set -eu
stage=$1
warnings="-Wall -Wextra -pedantic -Wconversion -Wshadow -Werror"
for header in "$stage"/include/sigad/*.h; do
    name=sigad/$(basename "$header")
    for compiler in "$CC" gcc clang; do
        command -v "$compiler" >/dev/null || continue
        echo "#include <$name>" | "$compiler" -std=c11 $warnings -I"$stage/include" -fsyntax-only -x c -
    done
    for compiler in "$CXX" g++ clang++; do
        command -v "$compiler" >/dev/null || continue
        echo "#include <$name>" | "$compiler" -std=c++17 $warnings -I"$stage/include" -fsyntax-only -x c++ -
    done
    echo "$name"
done
