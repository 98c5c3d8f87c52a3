#!/usr/bin/env bash
# Sets up what is missing and runs every test: format, lints, licences, advisories, unit, pgTAP, scenarios, hosts, chaos, browser, tidy.
#   scripts/test.sh              everything
#   scripts/test.sh hooks audit  only tests with one of these words in their names: the quick way after an edit
#   scripts/test.sh LANE [WORD…] only the tests of a lane, which may be narrowed by words:
#     unit         beside the code: no stack, nothing to install, no network but the loopback interface
#     integration  scenarios, SQL and the services around them, against a stack
#     e2e          browsers, and functions as they are deployed
#     security     tenants, credentials, limits, hostile requests, webhooks, the audit log
#     chaos        workers, queues and databases that fail
#     perf         no tests: the figures of `nofx bench engine`, of a release build
# A lane is only that as the first word: after another word, or after `--`, `unit` is a part of a test's name like any other.
# Files of the prototype's tests are the words that docs/from-the-prototype.md has for them: scripts/test.sh --runInBand tests/unit/dlq.cloud.test.ts
# Other arguments that begin with a dash go to cargo-nextest as they are: scripts/test.sh -E 'binary(scenarios) and test(hooks)'
case "${1:-}" in -h | --help) exec sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0" ;; esac
set -euo pipefail
cd "$(dirname "$0")/.."
words=()
for word in "$@"; do
  case "$word" in
    --runInBand) ;;
    *.test.ts)
      here="$(grep '^| ' docs/from-the-prototype.md | grep -F "/${word##*/}\`" | sed 's/.* | \(.*\) |$/\1/' || true)"
      if [[ "$here" != '`scripts/test.sh '*'`' ]]; then
        echo "$word: ${here:-no test of the prototype} (docs/from-the-prototype.md)" >&2
        exit 2
      fi
      here="${here#*test.sh }"
      read -ra more <<< "${here%\`}"
      words+=("${more[@]}")
      ;;
    *) words+=("$word") ;;
  esac
done
set -- "${words[@]}"
lane="${1:-}"
[ "$lane" != "--" ] || shift
target="$(realpath -m "${CARGO_TARGET_DIR:-target}")"
export CARGO_TARGET_DIR="$target"
# No test uses a key of whoever runs it.
unset INTERNAL_API_KEY OPENAI_API_KEY ANTHROPIC_API_KEY GEMINI_API_KEY

# Clippy compiles as it lints, so the crates are compiled once and not a second time for their lints.
export RUSTC_WORKSPACE_WRAPPER=clippy-driver CLIPPY_ARGS='-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__'

case "$lane" in
  unit)
    exec cargo test --workspace --lib --bins --quiet -- "${@:2}"
    ;;
  perf)
    unset RUSTC_WORKSPACE_WRAPPER
    scripts/bootstrap-dev.sh
    cargo build --release --quiet --package nofx-cli
    exec "$target/release/nofx" bench engine "${@:2}"
    ;;
  integration) set -- -E 'binary(scenarios) + binary(services) + binary(sql)' "${@:2}" ;;
  e2e) set -- -E 'binary(browser) + binary(hosts)' "${@:2}" ;;
  security) set -- -E 'test(/^(guard|audit|hooks|db_write|abuse|limits|schemathesis|secrets|sign_in)::/)' "${@:2}" ;;
  chaos) set -- -E 'binary(chaos)' "${@:2}" ;;
esac

# Packages are fetched while the crates compile; by one at a time in a checkout and in a build folder, if others run the tests too.
mkdir -p "$target"
flock --no-fork . flock --no-fork "$target" scripts/bootstrap-dev.sh --tests &
bootstrap=$!
trap 'kill "$bootstrap" 2>/dev/null || true' EXIT
cargo fmt --all --check
# It ends when this is killed.
setpriv --pdeathsig TERM cargo build --workspace --all-targets --quiet
wait "$bootstrap"
# It must not be replaced while the tests run (scripts/bootstrap-dev.sh).
exec {python}> "$target/python.lock"
flock --shared "$python"
export PATH="$target/tools/bin:$PATH"

# One stack for all tests; each test is a tenant of its own. Their temporary files are removed with its folder.
# In memory where there is room and programs may be started from: copying a database takes ext4 five times as long.
has_room() {
  local options free memory
  options="$(findmnt --noheadings --output OPTIONS --target "$1")" && [[ -n "$options" && ",$options," != *,noexec,* && -w "$1" ]] || return
  free="$(df --output=avail --block-size=1M "$1" | tail -1)" memory="$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)"
  [ "$free" -ge 8192 ] && [ "$memory" -ge 8192 ]
}
place="${TMPDIR:-/tmp}"
[ -n "${TMPDIR:-}" ] || ! has_room /dev/shm 2>/dev/null || place=/dev/shm
data="$(mktemp -d --tmpdir="$(realpath "$place")")"
# Programs as they are now: another build in the same folder replaces them. Links, as the build's own are.
programs="$(mktemp -d --tmpdir="$target" programs.XXXXXX)"
# Steps run it, too: it confines them.
chmod 755 "$programs"
for file in nofx nofx-lambda nofx-worker $(basename --suffix=.rs api/[a-z]*.rs); do ln "$target/debug/$file" "$programs/"; done
mkdir "$data/tmp"
chmod 711 "$data" "$data/tmp"

# All live processes of this run: they have the folder in their environment, write to it, or were started from it.
left() {
  { grep -slF "$data" /proc/[0-9]*/environ; find /proc/[0-9]*/{exe,fd/2} -lname "$data/*" 2>/dev/null; } | cut -d/ -f3 | sort -u
}
# From here on each has a process group of its own: Ctrl-C, or a kill of all, reaches only this script, which stops the others in order.
set -m
# The last process, however this script ends: then its input ends, which no other process holds. It receives the started processes.
coproc LAST {
  trap '' INT TERM HUP
  set +em
  mapfile -t started
  kill -TERM "${started[@]}"
  for _ in $(seq 300); do [ -n "$(left)" ] || break; sleep 0.1; done
  left | xargs --no-run-if-empty kill -KILL
  rm -rf "$data" "$programs"
} 2>/dev/null
last=$LAST_PID
trap 'exec {LAST[1]}>&-; wait "$last"' EXIT
# The shell waits for the tests before it handles a signal, unless they are in the background.
trap 'exit 130' INT TERM

export TMPDIR="$data/tmp"
# What steps may read besides the system: the tools that tests bring, their repositories, and the files by which they tell a step to go on.
export NOFX_TOOLCHAINS="$PATH:${RUSTUP_HOME:-$HOME/.rustup}:${PYENV_ROOT:-$HOME/.pyenv}:$target:modules=$PWD/node_modules:$TMPDIR"
# More than the default: where a registry of packages usually is, and proxies of tests.
export NOFX_STEP_PORTS=22,53,80,443,9418,4873,3128,3129,3130,3131,3132,3133,3134,3135
# Its databases are its own, and no proxy is used for this machine; one may be needed for crates of the functions.
unset "${!PG@}"
export NO_PROXY=127.0.0.1,localhost,::1 no_proxy=127.0.0.1,localhost,::1
NOFX_SECRET_TEST_TOKEN=hunter2-hunter2 NOFX_ALLOW_PRIVATE_ADDRESSES=false NOFX_LIMIT_PRE_HOOK_S=15 RUST_LOG=warn \
  "$programs/nofx" dev --port 0 --data-dir "$data" --workers 2 </dev/null 2>"$data/dev.log" &
stack=$!
echo "$stack" >&"${LAST[1]}"
for _ in $(seq 3000); do [ ! -f "$data/dev.json" ] && kill -0 "$stack" 2>/dev/null || break; sleep 0.1; done
if [ ! -f "$data/dev.json" ]; then
  echo "The stack did not start:" >&2
  cat "$data/dev.log" >&2
  exit 1
fi
# Assertions explain failures.
export RUST_BACKTRACE=0
export NOFX_TEST_STACK="$data/dev.json"
export NOFX_TEST_BINARY="$programs/nofx"
export NOFX_TEST_PGTAP="$target/pgtap/pgtap.sql"
[ $# -gt 0 ] || scripts/advisories.sh >&2
echo "A test that fails is run alone by scripts/test.sh and its name." >&2
cargo nextest run --workspace --all-targets --no-fail-fast "$@" </dev/null &
tests=$!
echo "$tests" >&"${LAST[1]}"
wait "$tests"
