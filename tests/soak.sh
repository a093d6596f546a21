#!/usr/bin/env bash
# What takes too long for every change: each fuzz target for ten million runs, then the tests
# that can try more for longer. `make soak` runs it. On two processors the fuzzing takes hours and
# the tests half an hour, an hour at most: each is stopped when it takes far too long.
#
#   FUZZ_RUNS                runs of each target (default 10000000)
#   FUZZ_TARGETS             their names (default: all)
#   FUZZ_JOBS                processes that share them, each with its own seed and corpus
#                            (default: one per processor)
#   LICENTIA_SOAK            how many times as much the tests try that are not in the list of
#                            suites below (default 10; 0 = no tests at all)
#   LICENTIA_SOAK_SKIP_FUZZ  1 = the tests only. Without it, missing tools are a failure: a soak
#                            that leaves out the fuzzing is not one.
#
# It fails if a target crashes, leaks, takes over 10 s for one input (a loaded machine may well
# take one; the table shows the slowest) or 2 GiB of memory. What it broke on is then in
# tests/fuzz/artifacts.
set -euo pipefail
cd "$(dirname "$0")/.."

fuzz=tests/fuzz
runs=${FUZZ_RUNS:-10000000}
procs=${FUZZ_JOBS:-$(getconf _NPROCESSORS_ONLN)}
work=$(mktemp -d)
failed=0

clean_up() {
  kill $(jobs -p) 2>/dev/null || true
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

have_tools() {
  cargo +nightly --version >/dev/null 2>&1 || {
    echo "no nightly toolchain: rustup toolchain install nightly --profile minimal" >&2
    return 1
  }
  cargo fuzz --version >/dev/null 2>&1 || {
    echo "no cargo-fuzz: cargo install --locked cargo-fuzz" >&2
    return 1
  }
}

# The address sanitizer where there is unsafe code for it to watch, which is the C boundary. It
# is slow enough there, so comparisons are not traced, and how often a branch was taken does not
# make an input worth keeping: four times as many runs.
build() {
  local how=(-s none)
  [ "$1" = c_abi ] && how=(-s address --no-trace-compares)
  cargo +nightly fuzz build --fuzz-dir $fuzz --target-dir $fuzz/target "${how[@]}" "$1" \
    >"$work/build" 2>&1 || { cat "$work/build" >&2; exit 1; }
}

# Runs a target in several processes at once, and adds its row to the table.
run() {
  local target=$1 started=$SECONDS pids=() crashes=0 job how=()
  [ "$target" = c_abi ] && how=(-use_counters=0 -reduce_inputs=0)
  mkdir -p "$fuzz/artifacts/$target"
  for ((job = 1; job <= procs; job++)); do
    mkdir -p "$work/$target.$job"
    ASAN_OPTIONS=detect_odr_violation=0:malloc_context_size=4 \
      "$fuzz/target/$host/release/$target" "$work/$target.$job" "$fuzz/seeds/$target" \
      -runs=$(((runs + procs - 1) / procs)) -seed="$job$RANDOM" -entropic=0 \
      -dict=$fuzz/json.dict -artifact_prefix="$fuzz/artifacts/$target/" \
      -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 "${how[@]}" \
      >"$work/$target.$job.log" 2>&1 &
    pids+=($!)
  done
  for ((job = 1; job <= procs; job++)); do
    wait "${pids[job - 1]}" && continue
    crashes=$((crashes + 1))
    tail -n 40 "$work/$target.$job.log" >&2
  done
  row "$target" "$crashes" $((SECONDS - started)) | tee -a "$work/table"
}

row() {
  local executed slowest
  executed=$(stats "$1" number_of_executed_units | awk '{n += $1} END {print n + 0}')
  slowest=$(stats "$1" slowest_unit_time_sec | sort -n | tail -n 1)
  printf '%-12s %12s %8s %10s %8s\n' "$1" "$executed" "$2" "${slowest:-?} s" "$3"
  [ "$2" = 0 ] && [ "$executed" -ge "$runs" ] || touch "$work/failed"
}

stats() {
  sed -n "s/^stat::$2: *//p" "$work/$1".*.log
}

if [ "${LICENTIA_SOAK_SKIP_FUZZ:-}" = 1 ]; then
  echo "skipped: fuzzing (LICENTIA_SOAK_SKIP_FUZZ)"
else
  have_tools || exit 1
  host=$(rustc +nightly -vV | sed -n 's/^host: //p')
  targets=${FUZZ_TARGETS:-$(cargo +nightly fuzz list --fuzz-dir $fuzz)}
  for target in $targets; do build "$target"; done
  printf '%-12s %12s %8s %10s %8s\n' target executions crashes slowest seconds
  for target in $targets; do run "$target"; done
fi

# Real processes, disks that fail, clocks that are wrong: how many times as much as usual, which
# tests, and what that comes to.
suites=(
  "100 installation_processes killed   # 10,000 kills"
  "10 installation_processes sixteen   # 16 processes, 1,000 records of both sorts each"
  "1 installation_processes held       # a year"
  "15 installation_disk whatever       # 300 runs"
  "1000 installation_clocks walks      # 100,000 walks"
  "50 installation_clocks jump         # 1,000 jumps"
  "100 installation_clocks nobody      # 3,000 lives"
  "50 installation_tampering whatever  # 10,000 tampered files"
  "50 installation_tampering copied    # 1,000 copied folders"
  "125 licentia-cli:server on_sqlite_loses       # 1,000 kills"
  "75 licentia-cli:server on_postgresql_loses    # 300 kills"
  "25 licentia-cli:server finds_its_database     # 50 kills of PostgreSQL"
  "25 licentia-cli:server several_servers        # 100 kills of one of three servers"
  "10 licentia-cli:server full_disk              # 30 full disks"
  "20 licentia-server:server idempotency::what   # 10,000 requests on each database"
  "10 licentia-server:server injection::a_text_is    # 500 texts in everything that takes one"
  "7 replay replays_of_a_thousand      # 1,050 answers, 6,300 replays"
  "420 licentia-tests:simulation a_server  # 10,000 seeds"
  "7 licentia-server:server busy_server          # 20 backups while others write"
  "10 licentia-server:server nothing_is_lost_on_sqlite      # 10,000 events"
  "20 licentia-server:server nothing_is_lost_on_postgresql  # 10,000 events"
  "25 licentia-cli:server webhooks_of_a_killed_server_on_sqlite     # 100 kills"
  "5 licentia-cli:server webhooks_of_a_killed_server_on_postgresql  # 20 kills"
  "40 licentia-server:server a_long_table        # a million rows of an export"
)

# One line for each suite: what was tried, in how long. One that tries nothing fails.
try() {
  local started=$SECONDS told package=licentia test=$2
  [[ $2 = *:* ]] && package=${2%:*} test=${2#*:}
  if LICENTIA_SOAK=$1 timeout 7200 cargo test --locked --quiet --release -p "$package" \
    --test "$test" "$3" -- --nocapture >"$work/test" 2>&1 &&
    told=$(grep -oE '(tried|skipped): .*' "$work/test"); then
    echo "$2 $3: ${told#tried: }, $((SECONDS - started)) s"
  else
    cat "$work/test" >&2
    echo "$2 $3: FAILED"
    failed=1
  fi
}

export LICENTIA_SOAK=${LICENTIA_SOAK:-10}
if [ "$LICENTIA_SOAK" != 0 ]; then
  for suite in "${suites[@]}"; do
    read -r times file filter _ <<<"$suite"
    try "$times" "$file" "$filter"
  done
fi

# Everything else, each package on its own, as it is tested and shipped.
for package in licentia licentia-ffi licentia-server; do
  [ "$LICENTIA_SOAK" = 0 ] && echo "skipped: tests of $package (LICENTIA_SOAK=0)" && continue
  started=$SECONDS
  if timeout 3600 cargo test --locked --quiet -p $package >"$work/test" 2>&1; then
    echo "tests of $package, LICENTIA_SOAK=$LICENTIA_SOAK: $((SECONDS - started)) s"
  else
    cat "$work/test" >&2
    echo "tests of $package: FAILED"
    failed=1
  fi
done

# The page in every state and every look.
if [ "$LICENTIA_SOAK" != 0 ]; then
  started=$SECONDS
  if timeout 3600 make --no-print-directory test-page >"$work/test" 2>&1; then
    told=$(grep -oE '(tried|skipped): .*' "$work/test" | sort -u | tr '\n' ' ')
    echo "the page in a browser: ${told% }, $((SECONDS - started)) s"
  else
    cat "$work/test" >&2
    echo "the page in a browser: FAILED"
    failed=1
  fi
fi

# The agent against its own document, with as many times as many requests.
if [ "$LICENTIA_SOAK" != 0 ]; then
  started=$SECONDS
  if timeout 3600 make --no-print-directory command python >"$work/test" 2>&1 &&
    timeout 3600 cargo test --locked --quiet -p licentia-tests --test schema >>"$work/test" 2>&1; then
    echo "the agent and its document, LICENTIA_SOAK=$LICENTIA_SOAK: $((SECONDS - started)) s"
  else
    cat "$work/test" >&2
    echo "the agent and its document: FAILED"
    failed=1
  fi
fi

[ ! -e "$work/failed" ] && [ $failed = 0 ] || { echo "soak: FAILED" >&2; exit 1; }
echo "soak: everything holds"
