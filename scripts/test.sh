#!/usr/bin/env bash
# Sets up what is missing and runs every test: format, lints, licences, unit, pgTAP, scenarios, hosts, chaos, browser, tidy.
#   scripts/test.sh              everything
#   scripts/test.sh hooks audit  only tests with one of these words in their names, without lints: the quick way after an edit
# What begins with a dash goes to cargo-nextest as it is: scripts/test.sh -E 'binary(scenarios) and test(hooks)'
set -euo pipefail
cd "$(dirname "$0")/.."
[ "${1:-}" = "--" ] && shift
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
target="$CARGO_TARGET_DIR"

# Clippy compiles as it lints, so the crates are compiled once and not a second time for their lints.
export RUSTC_WORKSPACE_WRAPPER=clippy-driver CLIPPY_ARGS='-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__'

# Packages are fetched while the crates compile.
scripts/bootstrap-dev.sh --tests &
bootstrap=$!
trap 'kill "$bootstrap" 2>/dev/null || true' EXIT
cargo fmt --all --check
cargo build --workspace --all-targets --quiet
wait "$bootstrap"
export PATH="$target/tools/bin:$PATH"
if [ $# -eq 0 ]; then
  cargo-deny --log-level error check bans licenses sources
fi

# One stack for all tests; each test is a tenant of its own.
data="$(mktemp -d)"
chmod 711 "$data"
NOFX_SECRET_TEST_TOKEN=hunter2-hunter2 NOFX_ALLOW_PRIVATE_ADDRESSES=false RUST_LOG=warn \
  "$target/debug/nofx" dev --port 0 --data-dir "$data" --workers 2 2>"$data/dev.log" &
stack=$!
trap 'kill -TERM "$stack" 2>/dev/null; wait "$stack" 2>/dev/null; rm -rf "$data"' EXIT
# The shell waits for the tests before it hears a signal, so they are told here.
trap 'kill -TERM "${tests:-}" 2>/dev/null; exit 130' INT TERM
for _ in $(seq 600); do [ -f "$data/dev.json" ] && break; kill -0 "$stack" 2>/dev/null || { cat "$data/dev.log" >&2; exit 1; }; sleep 0.1; done
# What failed is said by its assertion.
export RUST_BACKTRACE=0
export NOFX_TEST_STACK="$data/dev.json"
export NOFX_TEST_BINARY="$target/debug/nofx"
export NOFX_TEST_PGTAP="$target/pgtap/pgtap.sql"
cargo nextest run --workspace --all-targets --no-fail-fast "$@" &
tests=$!
wait "$tests"
