#!/usr/bin/env bash
# Runs the suite again and again and prints a row a run: is there a test that only sometimes passes?
#   scripts/repeat.sh N [--load K] [WORD…]   N runs with K busy loops beside them; words as for scripts/test.sh
# Goes on where it was stopped: what has been run of this state of the checkout, with this load and these words, is not run again.
set -euo pipefail
cd "$(dirname "$0")/.."
runs="${1:?how many times? scripts/repeat.sh N [--load K] [WORD…]}"
shift
load=0
if [ "${1:-}" = "--load" ]; then
  load="${2:?--load wants a number of busy loops}"
  shift 2
fi
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
state="$({ git rev-parse HEAD; git diff HEAD; echo "$load $*"; } | sha256sum | cut -c1-12)"
folder="$CARGO_TARGET_DIR/repeat/$state"
mkdir -p "$folder"

# One at a time: another one waits here, and so does one after this was killed, until the run that was under way is over.
exec {lock}> "$folder/lock"
flock "$lock"

# All that is started here is told to end when this ends, also if this is killed.
trap 'exit 130' INT TERM
for _ in $(seq "$load"); do
  setpriv --pdeathsig KILL bash -c 'while :; do :; done' {lock}>&- &
done

failed=0
printf '%-4s %-6s %-8s %s\n' run load seconds result
for run in $(seq "$runs"); do
  done="$folder/$run.txt"
  if [ ! -f "$done" ]; then
    begun=$SECONDS
    # The shell hears no signal while it waits for what is not in the background.
    setpriv --pdeathsig TERM scripts/test.sh "$@" > "$folder/$run.log" 2>&1 &
    if wait $!; then
      result="passed: $(grep -a 'Summary' "$folder/$run.log" | tail -1 | sed 's/.*\] *//')"
    else
      names="$(sed -n '/ Summary /,$p' "$folder/$run.log" | grep -aE '^ +(FAIL|TIMEOUT|SIGKILL|SIGSEGV|SIGABRT|LEAK-FAIL) ' | awk '{print $NF}' | sort -u | tr '\n' ' ')"
      result="FAILED: ${names:-before the tests began} ($folder/$run.log)"
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
