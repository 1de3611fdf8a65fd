# An outside program is built with pkg-config's flags and runs, also after the installed copy was moved.
set -eu
stage=$1
here=$(dirname "$0")
rm -rf moved
cp -a "$stage" moved
PKG_CONFIG_PATH=$(pwd)/moved/lib/pkgconfig
export PKG_CONFIG_PATH
# eval: pkg-config escapes spaces in paths
eval "$CC -std=c11 -Wall -Wextra -Werror '$here/consumer/consumer.c' -o pkg_config_consumer $(pkg-config --cflags --libs sigad)"
LD_LIBRARY_PATH=$(pwd)/moved/lib ./pkg_config_consumer
