#!/usr/bin/env bash
# Sets up what is missing and runs every test: format, lints, unit, pgTAP, scenarios, chaos, tidy.
# Arguments go to the test runner: scripts/test.sh -- approvals
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/bootstrap-dev.sh --tests
cargo fmt --all --check
cargo clippy --workspace --all-targets --quiet -- --deny warnings
"${CARGO_TARGET_DIR:-target}/cargo-deny/bin/cargo-deny" --log-level error check bans licenses sources
cargo build --workspace --quiet

# One stack for all tests; each test is a tenant of its own.
data="$(mktemp -d)"
chmod 711 "$data"
target="${CARGO_TARGET_DIR:-target}"
NOFX_SECRET_TEST_TOKEN=hunter2-hunter2 NOFX_ALLOW_PRIVATE_ADDRESSES=false RUST_LOG=warn \
  "$target/debug/nofx" dev --port 0 --data-dir "$data" --workers 2 2>"$data/dev.log" &
stack=$!
trap 'kill -TERM "$stack" 2>/dev/null; wait "$stack" 2>/dev/null; rm -rf "$data"' EXIT
for _ in $(seq 300); do [ -f "$data/dev.json" ] && break; kill -0 "$stack" 2>/dev/null || { cat "$data/dev.log" >&2; exit 1; }; sleep 0.2; done
export NOFX_TEST_STACK="$data/dev.json"
export NOFX_TEST_BINARY="$target/debug/nofx"
export NOFX_TEST_PGTAP="$(cd "$target" && pwd)/pgtap/pgtap.sql"
cargo test --workspace --no-fail-fast "${@}"
