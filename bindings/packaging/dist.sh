#!/usr/bin/env bash
# Builds what one would ship from this machine into dist/: bindings/packaging/README.md lists it.
#
# SOURCE_DATE_EPOCH  the time in every archive (default: that of the last commit)
# GLIBC              the oldest glibc it is to run on (default 2.17, what manylinux2014 means)
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
: "${HOME:=/nonexistent}"
dist=$root/dist
work=$root/target/dist
log=$work/build.log
glibc=${GLIBC:-2.17}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 1763769600)}
export SOURCE_DATE_EPOCH LC_ALL=C TZ=UTC
umask 022

say() { echo "dist: $*"; }

quietly() {
  "$@" >>"$log" 2>&1 || { tail -n 40 "$log" >&2; echo "dist: this failed: $*" >&2; exit 1; }
}

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
triple=$(rustc -vV | sed -n 's/^host: //p')
arch=${triple%%-*}
case $triple in
*-linux-gnu) ;;
*) echo "dist: this recipe is for Linux with glibc; here is $triple" >&2 && exit 1 ;;
esac

rm -rf "$dist" "$work/stage"
mkdir -p "$dist" "$work/bin" "$work/stage"
: >"$log"

# A folder of its own in target/: these builds carry no path of this machine, and others do.
export CARGO_TARGET_DIR=$work/cargo
cargo_home=${CARGO_HOME:-$HOME/.cargo}
unit=$'\x1f'
flags="--remap-path-prefix=$HOME=/home${unit}--remap-path-prefix=$cargo_home=/cargo"
export CARGO_ENCODED_RUSTFLAGS="$flags${unit}--remap-path-prefix=$root=/licentia"
unset RUSTFLAGS

# zig links for an old glibc. Where it cannot be had, what is built needs this machine's.
prepare() {
  local venv=$work/venv
  [[ -x $venv/bin/python ]] || quietly python3 -m venv "$venv"
  if "$venv/bin/pip" install --quiet --disable-pip-version-check -r bindings/packaging/requirements.txt \
    >>"$log" 2>&1; then
    zig=yes
  else
    quietly "$venv/bin/pip" install --quiet --disable-pip-version-check \
      "$(grep '^maturin' bindings/packaging/requirements.txt)"
    zig=
    glibc=$(getconf GNU_LIBC_VERSION | cut -d' ' -f2)
    say "there is no zig to be had here: everything needs glibc $glibc or later"
  fi
  export ZIG_GLOBAL_CACHE_DIR=$work/zig
  maturin=$venv/bin/maturin
  PATH=$venv/bin:$PATH
}

# The recipes of the parts say `cargo build`. Here that builds for the old glibc.
wrap_cargo() {
  local real
  real=$(command -v cargo)
  rm -f "$work/bin/cargo"
  [[ -n $zig ]] || return 0
  printf '#!/bin/sh\n[ "$1" = build ] || exec "%s" "$@"\nshift\n' "$real" >"$work/bin/cargo"
  printf 'exec cargo-zigbuild zigbuild --target %s.%s "$@"\n' "$triple" "$glibc" \
    >>"$work/bin/cargo"
  chmod 755 "$work/bin/cargo"
  export CARGO=$real
}

built() { # FILE: where cargo puts it
  local folder=$CARGO_TARGET_DIR/release
  [[ -z $zig ]] || folder=$CARGO_TARGET_DIR/$triple/release
  echo "$folder/$1"
}

pack() { # ARCHIVE FOLDER: a folder of the stage, the same bytes for the same files
  tar -C "$work/stage" --format=ustar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 \
    --group=0 --numeric-owner -cf - "$2" | gzip -9n >"$dist/$1"
}

command_line() {
  local name=licentia-$version-linux-$arch stage=$work/stage
  quietly env PATH="$work/bin:$PATH" cargo build --release --locked --package licentia-cli
  mkdir -p "$stage/$name"
  install -m 755 "$(built licentia)" "$stage/$name/licentia"
  install -m 644 LICENSE-APACHE LICENSE-MIT "$stage/$name/"
  pack "$name.tar.gz" "$name"
}

c_library() {
  local name=licentia-c-$version-linux-$arch stage=$work/stage
  quietly env PATH="$work/bin:$PATH" PREFIX="/$name" DESTDIR="$stage" sh ffi/install.sh
  install -m 644 LICENSE-APACHE LICENSE-MIT "$stage/$name/"
  install -m 644 bindings/packaging/README.c.md "$stage/$name/README.md"
  install -m 644 examples/c/quickstart.c examples/cpp/quickstart.cpp "$stage/$name/"
  pack "$name.tar.gz" "$name"
}

python_packages() {
  local options=(--release --locked --manifest-path bindings/python/Cargo.toml --out "$dist")
  if [[ -n $zig ]]; then
    options+=(--zig --target "$triple" --compatibility "manylinux_${glibc/./_}")
  fi
  quietly "$maturin" build "${options[@]}"
  quietly python3 bindings/packaging/clean_wheel.py "$dist"/*.whl "$root"
  quietly "$maturin" sdist --manifest-path bindings/python/Cargo.toml --out "$dist"
}

# A package of this platform, with its addon inside. Nothing is built where it is installed.
node_package() {
  local stage=$work/stage/node name file
  mkdir -p "$stage"
  quietly env PATH="$work/bin:$PATH" cargo build --release --locked --package licentia-node
  name='require("./bindings/node/package.json").files.filter((it) => !it.includes("*")).join(" ")'
  for file in $(node -p "$name") package.json README.md; do
    install -m 644 "bindings/node/$file" "$stage/"
  done
  install -m 644 LICENSE-APACHE LICENSE-MIT "$stage/"
  name=$(cd "$stage" && node -p 'const a = require("./addon.js"); a.fileName(a.libc())')
  install -m 644 "$(built liblicentia_node.so)" "$stage/$name"
  (cd "$stage" && quietly npm pack --pack-destination "$work/stage")
  name=${name%.node}
  mv "$work/stage/licentia-$version.tgz" "$dist/licentia-node-$version-${name#licentia.}.tgz"
}

# No artifact says where it was built.
check_paths() {
  local open=$work/open file found
  rm -rf "$open"
  for file in "$dist"/*; do
    mkdir -p "$open/$(basename "$file")"
    case $file in
    *.whl) python3 -m zipfile -e "$file" "$open/$(basename "$file")" ;;
    *) tar -C "$open/$(basename "$file")" -xzf "$file" ;;
    esac
  done
  found=$(cd "$open" && grep -rlaF -e "$root" -e "$HOME/" -e "$cargo_home" . || true)
  rm -rf "$open"
  if [[ -n $found ]]; then
    printf 'dist: these say where they were built:\n%s\n' "$found" >&2
    exit 1
  fi
}

prepare
wrap_cargo
say "building for $triple and glibc $glibc; this takes minutes the first time"
command_line
c_library
python_packages
node_package
check_paths
(cd "$dist" && sha256sum -- * >SHA256SUMS)
(cd "$dist" && ls -l | awk 'NR > 1 { printf "%10d  %s\n", $5, $9 }')
