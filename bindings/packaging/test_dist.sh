#!/usr/bin/env bash
# Installs each artifact of dist/ in an empty folder, with neither cargo nor this repository in
# reach, and runs the quickstart of its language there: a license that is good, and one that is not.
#
#   bindings/packaging/test_dist.sh [DIST]
#   SDIST=1   builds and tries the source distribution too, which needs cargo and some minutes
set -euo pipefail
shopt -s extglob
here=$(cd "$(dirname "$0")/../.." && pwd)
dist=$(cd "${1:-$here/dist}" && pwd)
room=$(mktemp -d "${TMPDIR:-/tmp}/licentia-dist.XXXXXX")
trap 'rm -rf "$room"' EXIT

# What a customer's machine has. Nothing else is found there: above all no cargo.
tools=(sh bash env cat cp mv rm mkdir ln ls chmod sed grep head tail tr cut sort uname dirname
  basename readlink mktemp touch tar gzip test true as ld ld.bfd gcc cc g++ c++ pkg-config
  pkgconf cmake make node npm)

mkdir -p "$room/bin" "$room/home" "$room/dist" "$room/examples"
for tool in "${tools[@]}"; do
  found=$(type -P "$tool" || true)
  [[ -z $found ]] || ln -s "$(readlink -f "$found")" "$room/bin/$tool"
done
# A shim of some version manager would look for its own folder: the interpreter itself.
ln -s "$(python3 -c 'import os, sys; print(os.path.realpath(sys.executable))')" \
  "$room/bin/python3"
cp -r "$dist"/* "$room/dist/"
cp "$here"/examples/python/quickstart.py "$here"/examples/node/quickstart.mjs "$room/examples/"

# Where the kernel lets us, the repository and cargo are not even there to be found.
isolate=(env)
hidden=
hide=("$here" "${CARGO_HOME:-$HOME/.cargo}" "${RUSTUP_HOME:-$HOME/.rustup}")
if unshare --mount true 2>/dev/null && [[ ${room#"$here"/} == "$room" ]]; then
  script='while [ "$1" != -- ]; do [ ! -d "$1" ] || mount -t tmpfs none "$1"; shift; done; shift'
  isolate=(unshare --mount sh -c "$script; exec \"\$@\"" sh "${hide[@]}" -- env)
  how='the repository and cargo are hidden'
  hidden=$here
else
  how='cargo is not in PATH (hiding the repository needs root)'
fi

failed=0
passed=0

# Runs a script for one artifact, in a folder of its own.
try() { # WHAT SCRIPT
  local what=$1 folder=$room/${1//[^a-z]/-}
  mkdir "$folder"
  if (cd "$folder" && "${isolate[@]}" -i PATH="$room/bin" HOME="$room/home" TMPDIR="$room" \
    LC_ALL=C.UTF-8 ROOM="$room" HIDDEN="$hidden" npm_config_update_notifier=false \
    bash -euo pipefail -c "$common$2" >"$folder/log" 2>&1); then
    echo "passed: $what"
    passed=$((passed + 1))
  else
    sed 's/^/    /' "$folder/log" >&2
    echo "failed: $what"
    failed=$((failed + 1))
  fi
}

# `answers COMMAND…` holds a quickstart to what it has to say.
# shellcheck disable=SC2016
common='
  if command -v cargo rustc; then echo "cargo is in reach"; exit 1; fi
  if [ "$HIDDEN" ] && [ "$(ls -A "$HIDDEN")" ]; then echo "$HIDDEN is in reach"; exit 1; fi
  shopt -s extglob
  one() {
    set -- "$ROOM"/dist/$1
    [ -f "$1" ] || { echo "there is no $1" >&2; exit 1; }
    echo "$1"
  }
  answers() {
    "$@" "$ROOM/vendor.jwks" myapp "$ROOM/good.lic" > said
    grep -qx "licensed to: Example Labs" said && grep -qx "allows reports: yes" said
    grep -qx "limit of exports: 500" said
    if "$@" "$ROOM/vendor.jwks" myapp "$ROOM/altered.lic" > said 2> why; then
      echo "an altered license was accepted"; exit 1
    fi
    grep -q "^bad_signature: " why || { cat why; exit 1; }
  }
'

# shellcheck disable=SC2016
command_line='
  archive=$(one "licentia-[0-9]*-linux-*.tar.gz")
  tar -xzf "$archive" --strip-components=1
  ./licentia key new --out "$ROOM" --name vendor
  ./licentia issue --key "$ROOM/vendor.pem" --product myapp --customer "Example Labs" \
    --feature reports --entitlement exports=500/month --days 30 --out "$ROOM/good.lic"
  text=$(cat "$ROOM/good.lic"); middle=$((${#text} / 2))
  byte=A; [ "${text:middle:1}" != A ] || byte=B
  echo "${text:0:middle}$byte${text:middle+1}" > "$ROOM/altered.lic"
  ./licentia verify --keys "$ROOM/vendor.jwks" --product myapp "$ROOM/good.lic"
  status=0
  ./licentia verify --json --keys "$ROOM/vendor.jwks" --product myapp "$ROOM/altered.lic" > no ||
    status=$?
  [ $status = 1 ] && grep -q "\"code\": *\"bad_signature\"" no'

# shellcheck disable=SC2016
c_library='
  archive=$(one "licentia-c-*.tar.gz")
  tar -xzf "$archive" --strip-components=1
  export PKG_CONFIG_PATH=$PWD/lib/pkgconfig
  cc quickstart.c -o shared $(pkg-config --cflags --libs licentia) -Wl,-rpath,"$PWD/lib"
  answers ./shared
  cc quickstart.c -o static -Iinclude lib/liblicentia.a \
    $(pkg-config --static --libs-only-l licentia | sed s/-llicentia//)
  mv lib/liblicentia.so.1 away
  answers ./static
  mv away lib/liblicentia.so.1
  ! command -v c++ > /dev/null || {
    c++ -std=c++17 quickstart.cpp -o cpp -Iinclude -Llib -llicentia -Wl,-rpath,"$PWD/lib"
    answers ./cpp
  }'

# shellcheck disable=SC2016
python_wheel='
  wheel=$(one "licentia-*.whl")
  python3 -m venv venv
  venv/bin/python -m pip install -q --no-index --no-deps --disable-pip-version-check "$wheel"
  cp "$ROOM/examples/quickstart.py" .
  answers venv/bin/python quickstart.py'

# shellcheck disable=SC2016
node_package='
  package=$(one "licentia-node-*.tgz")
  cp "$ROOM/examples/quickstart.mjs" .
  echo "{\"private\": true}" > package.json
  npm install --offline --no-audit --no-fund --loglevel=error "$package"
  answers node quickstart.mjs
  node -e "if (typeof require(\"licentia\").Product !== \"function\") process.exit(1)"'

# shellcheck disable=SC2016
sdist='
  archive=$(one "licentia-[0-9]!(*-*).tar.gz")
  tar -xzf "$archive" --strip-components=1
  grep -q "^Name: licentia$" PKG-INFO
  [ -f Cargo.lock ] && [ -f LICENSE-MIT ] && [ -f LICENSE-APACHE ] || { ls; exit 1; }'

echo "test_dist: $how"
if ! (cd "$room/dist" && sha256sum --quiet --strict --check SHA256SUMS &&
  [[ $(wc -l <SHA256SUMS) -eq $(find . -type f ! -name SHA256SUMS | wc -l) ]]); then
  echo 'failed: SHA256SUMS does not fit what is there'
  failed=$((failed + 1))
fi
try 'the command' "$command_line"
try 'the C library' "$c_library"
try 'the wheel' "$python_wheel"
try 'the npm package' "$node_package"
try 'the source distribution, its files' "$sdist"
if [[ -n ${SDIST:-} ]]; then
  python3 -m venv "$room/sdist"
  if "$room/sdist/bin/pip" install -q --disable-pip-version-check --no-deps \
    "$dist"/licentia-[0-9]!(*-*).tar.gz &&
    "$room/sdist/bin/python" "$room/examples/quickstart.py" "$room/vendor.jwks" myapp \
      "$room/good.lic" >/dev/null; then
    echo 'passed: the source distribution, built'
    passed=$((passed + 1))
  else
    echo 'failed: the source distribution, built'
    failed=$((failed + 1))
  fi
else
  echo 'skipped: building the source distribution (it needs cargo; SDIST=1 does it)'
fi
echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
