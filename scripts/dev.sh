#!/usr/bin/env bash
# From a fresh clone to a running NOFX: installs what is missing, builds, starts everything, prints the URL. Ctrl-C stops it.
# Arguments after -- go to `nofx dev`: scripts/dev.sh -- --port 3100
case "${1:-}" in -h | --help) exec sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0" ;; esac
set -euo pipefail
cd "$(dirname "$0")/.."
[ "${1:-}" = "--" ] && shift
scripts/bootstrap-dev.sh
# Settings of .env: secrets of steps, traces. The environment wins; the stack sets what it needs itself.
while IFS='=' read -r name value; do
  case "$name" in '' | \#*) continue ;; esac
  value="${value#\"}"
  value="${value%\"}"
  if [ -n "$value" ] && [ -z "${!name:-}" ]; then export "$name=$value"; fi
done < .env
cargo build --quiet --package nofx-cli
target="${CARGO_TARGET_DIR:-target}"
exec "$target/debug/nofx" dev "$@"
