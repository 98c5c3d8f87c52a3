#!/usr/bin/env bash
# From a fresh clone to a running NOFX: installs what is missing, builds, starts everything, prints the URL. Ctrl-C stops it.
# Arguments after -- go to `nofx dev`: scripts/dev.sh -- --port 3100
set -euo pipefail
cd "$(dirname "$0")/.."
[ "${1:-}" = "--" ] && shift
scripts/bootstrap-dev.sh
# Settings of one's own: secrets of steps, traces. What the stack needs it sets itself.
set -a
. ./.env
set +a
cargo build --quiet --package nofx-cli
target="${CARGO_TARGET_DIR:-target}"
exec "$target/debug/nofx" dev "$@"
