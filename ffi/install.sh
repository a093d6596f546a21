#!/bin/sh
# Builds and installs the C library, its headers, a pkg-config file and a CMake package.
#
#   PREFIX   where it will be used from (default /usr/local)
#   DESTDIR  put in front of it now, for packagers (default nothing)
#   LIBDIR   the folder for libraries in PREFIX (default lib)
#
# What is installed finds its parts from its own place, so the whole may be moved.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
prefix=${PREFIX:-/usr/local}
libdir=${LIBDIR:-lib}
case $prefix in /*) ;; *) prefix=$PWD/$prefix ;; esac
case $libdir in /*) echo "LIBDIR is a folder in PREFIX, such as lib64" >&2 && exit 2 ;; esac

case $(uname -s) in
Darwin)
  shared=liblicentia.1.dylib link=liblicentia.dylib private='-lSystem -lm' ;;
*)
  shared=liblicentia.so.1 link=liblicentia.so private='-lgcc_s -lpthread -lm -ldl' ;;
esac

cd "$here/.."
# On its own: built together with the command, it would have the code that signs in it.
if command -v cargo >/dev/null; then
  built=$(cargo build --locked --release --package licentia-ffi --lib \
    --message-format json-render-diagnostics | tr '"' '\n' | grep "/$link\$" | tail -n 1)
  [ -n "$built" ] || exit 1
elif [ -f "target/stage/lib/$shared" ]; then
  # As under sudo, whose PATH seldom has it: what this script built before.
  built=$PWD/target/stage/lib/$shared
else
  echo "there is no cargo here: run 'make stage' as the user who has it, then this again" >&2
  exit 1
fi
version=$(sed -n 's/^#define LICENTIA_VERSION "\(.*\)"$/\1/p' include/licentia.h)

to=${DESTDIR:-}$prefix
lib=$to/$libdir
install -d "$lib/pkgconfig" "$lib/cmake/licentia" "$to/include"
install -m 755 "$built" "$lib/$shared"
ln -sf "$shared" "$lib/$link"
install -m 644 "$(dirname "$built")/liblicentia.a" "$lib/liblicentia.a"
install -m 644 include/licentia.h include/licentia.hpp include/licentia_testing.h "$to/include"

# The way from a folder in the prefix up to it.
up() { echo "$1" | sed 's#[^/][^/]*#..#g'; }
fill() {
  sed -e "s#@VERSION@#$version#" -e "s#@MAJOR@#${version%%.*}#" -e "s#@LIBDIR@#$libdir#" \
    -e "s#@UP@#$(up "$2")#" -e "s#@SHARED@#$shared#" -e "s#@PRIVATE@#$private#" \
    "$here/packaging/$1.in" >"$to/$2/$1"
  chmod 644 "$to/$2/$1"
}
fill licentia.pc "$libdir/pkgconfig"
fill licentia-config.cmake "$libdir/cmake/licentia"
fill licentia-config-version.cmake "$libdir/cmake/licentia"

# The loader finds what is new in its own folders only when told.
if [ -z "${DESTDIR:-}" ] && [ "$(id -u)" = 0 ] && command -v ldconfig >/dev/null; then
  ldconfig || true
fi
echo "installed licentia $version in $to"
