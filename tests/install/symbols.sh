# The library offers exactly what the headers declare.
set -eu
stage=$1 library=$2
sed -n 's/^SIGAD_API[^(]*[ *]\(sigad_[a-z0-9_]*\) *(.*/\1/p' "$stage"/include/sigad/*.h | sort >declared
case $library in
*.a)
    # A static library has no hidden symbols; its internal ones are recognised by their prefix.
    nm -g --defined-only "$stage/lib/$library" | awk 'NF == 3 { print $3 }' | sort >defined
    foreign=$(grep -v '^sigad_\|^sg_\|^__wrap_blas_' defined || true)
    grep '^sigad_' defined >exported
    ;;
*)
    nm -D --defined-only "$stage/lib/$library" | awk '{ print $3 }' | sort >exported
    foreign=$(grep -v '^sigad_' exported || true)
    ;;
esac
test -z "$foreign" || { echo "not ours, but visible: $foreign" >&2; exit 1; }
test -s declared
if ! diff declared exported; then
    echo "< declared in a header but not in the library; > in the library but not declared" >&2
    exit 1
fi
echo "$(wc -l <exported) functions"
