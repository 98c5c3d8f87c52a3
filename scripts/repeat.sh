#!/usr/bin/env bash
# Runs the suite again and again and prints a row per run, to find tests that pass only sometimes.
#   scripts/repeat.sh N [--load K] [WORD…]   N runs with K busy loops beside them; words as for scripts/test.sh
# Continues where it was stopped: runs of the same content of the checkout, with these settings, this load and these words, are not
# repeated. A run without a test is a failure.
case "${1:-}" in -h | --help) exec sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0" ;; esac
set -euo pipefail
cd "$(dirname "$0")/.."
runs="${1:-}" load=0
shift || true
if [ "${1:-}" = "--load" ]; then
  load="${2:-}"
  shift 2 || shift
fi
if ! [[ "$runs" =~ ^[1-9][0-9]*$ && "$load" =~ ^[0-9]+$ ]]; then
  echo "How many times? scripts/repeat.sh N [--load K] [WORD…]" >&2
  exit 2
fi
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
list="$(mktemp)"
trap 'rm -f "$list"' EXIT
# Every file that git does not ignore, also those that it does not know yet; the docs too, because tests read them.
content() {
  # Where git fails there is no content, and no run.
  git ls-files --cached --others --exclude-standard -z > "$list"
  sort -zu "$list" | { xargs -0 sha256sum 2>&1 || true; }
  sort -zu "$list" | { xargs -0 stat --format '%A' 2>&1 || true; }
  env | grep '^NOFX_' | sort || true
  printf '%q ' "$load" "$@"
}
state="$(content "$@" | sha256sum | cut -c1-12)"
folder="$CARGO_TARGET_DIR/repeat/$state"
mkdir -p "$folder"

# One at a time: another one waits here, and so does one after this was killed, until the run that was under way has finished.
exec {lock}> "$folder/lock"
flock "$lock"

# Everything that is started here is stopped when this ends, even if this is killed.
trap 'exit 130' INT TERM HUP
for _ in $(seq "$load"); do
  setpriv --pdeathsig KILL bash -c 'while :; do :; done' {lock}>&- &
done

failed=0
printf '%-4s %-6s %-8s %s\n' run load seconds result
for run in $(seq "$runs"); do
  done="$folder/$run.txt"
  if [ ! -f "$done" ]; then
    begun=$SECONDS
    green=true
    # The shell handles no signal while it waits for a foreground process.
    setpriv --pdeathsig TERM scripts/test.sh "$@" > "$folder/$run.log" 2>&1 &
    wait $! || green=false
    if [ "$(content "$@" | sha256sum | cut -c1-12)" != "$state" ]; then
      echo "The checkout was changed while run $run was under way: its result is void. Start again." >&2
      exit 1
    fi
    summary="$(grep -a '^ *Summary ' "$folder/$run.log" | tail -1 | sed 's/.*\] *//' || true)"
    if $green && [[ "$summary" =~ ^[1-9] ]]; then
      result="passed: $summary"
    else
      names="$(sed -n '/^ *Summary /,$p' "$folder/$run.log" | grep -aE '^ +(X?FAIL|LEAK-FAIL|TIMEOUT|ABORT.*|SIG[A-Z0-9]+) +\[' | awk '{print $NF}' | sort -u | tr '\n' ' ' || true)"
      result="FAILED: ${names:-outside of the tests }($folder/$run.log)"
    fi
    printf '%s\t%s\n' "$((SECONDS - begun))" "$result" > "$done.half"
    mv "$done.half" "$done"
  fi
  IFS=$'\t' read -r seconds result < "$done"
  printf '%-4s %-6s %-8s %s\n' "$run" "$load" "$seconds" "$result"
  [[ "$result" == passed* ]] || failed=$((failed + 1))
done
echo "$runs runs, $failed failed"
[ "$failed" -eq 0 ]
