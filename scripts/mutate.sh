#!/usr/bin/env bash
# Breaks the product on purpose, one mutant of tests/mutants/*.toml after the other, and checks whether the tests named there notice.
#   scripts/mutate.sh            all
#   scripts/mutate.sh lease      only mutants with this in their name, file, area or tests
#   scripts/mutate.sh --check    only checks whether the list still fits the code
# It needs what scripts/test.sh has set up. The checkout is never changed: a worktree of HEAD is. Results for this HEAD are reused.
case "${1:-}" in -h | --help) exec sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0" ;; esac
set -euo pipefail
cd "$(dirname "$0")/.."
exec python3 -B tests/mutants/run.py "$@"
