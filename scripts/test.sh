#!/usr/bin/env bash
# Sets up what is missing and runs every test: format, lints, unit, pgTAP, scenarios, chaos, tidy.
# Arguments go to the test runner: scripts/test.sh -- approvals
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/bootstrap-dev.sh --tests
cargo fmt --all --check
cargo clippy --workspace --all-targets --quiet -- --deny warnings
cargo build --workspace --quiet
exec cargo test --workspace --no-fail-fast "${@}"
