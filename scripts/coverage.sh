#!/usr/bin/env bash
# Runs the suite on programs that count which of their lines ran; prints the coverage of the product and of the ten least covered files.
#   scripts/coverage.sh          everything
#   scripts/coverage.sh WORD…    words and filters as for scripts/test.sh
# Needs Debian's llvm-19, which is installed if it is missing.
case "${1:-}" in -h | --help) exec sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0" ;; esac
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
if ! command -v llvm-cov-19 >/dev/null; then
  sudo=""
  [ "$(id -u)" -eq 0 ] || sudo="sudo -n"
  $sudo apt-get update -qq >&2
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends llvm-19 >&2
fi
counts="$CARGO_TARGET_DIR/coverage"
rm -rf "$counts"
mkdir -p "$counts"
# %c keeps the counters in the file while they grow: a process that is killed has counted, too.
export LLVM_PROFILE_FILE="$counts/%m-%p%c.profraw"
export RUSTFLAGS="-C instrument-coverage -C llvm-args=-runtime-counter-relocation"
failed=0
scripts/test.sh "$@" || failed=$?

export LLVM_PROFILE_FILE=/dev/null
# Processes that were given no environment write where they are.
find . -path ./node_modules -prune -o -name 'default_*.profraw' -exec mv -t "$counts" {} +
find "$counts" -name '*.profraw' -size +0 > "$counts/files"
llvm-profdata-19 merge --sparse --failure-mode=warn --input-files="$counts/files" --output="$counts/all.profdata" 2>"$counts/merge.log"
find "$counts" -name '*.profraw' -delete
# As scripts/test.sh builds them: otherwise these would be other programs, without counts.
export PATH="$CARGO_TARGET_DIR/tools/bin:$PATH" RUSTC_WORKSPACE_WRAPPER=clippy-driver CLIPPY_ARGS='-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__'
cargo nextest list --workspace --all-targets --list-type binaries-only --message-format json > "$counts/programs.json"
mapfile -t programs < <(python3 - "$counts/programs.json" <<'PY'
import json
import sys

for one in json.load(open(sys.argv[1], encoding="utf-8"))["rust-binaries"].values():
    print("--object", one["binary-path"], sep="\n")
PY
)
[ ${#programs[@]} -gt 0 ] || { echo "No program of the tests was found." >&2; exit 1; }
for file in api/[a-z]*.rs; do programs+=(--object "$CARGO_TARGET_DIR/debug/$(basename "$file" .rs)"); done
llvm-cov-19 export --summary-only --instr-profile="$counts/all.profdata" --ignore-filename-regex='/\.cargo/|/rustc/|/rustlib/' \
  "$CARGO_TARGET_DIR/debug/nofx" --object "$CARGO_TARGET_DIR/debug/nofx-lambda" "${programs[@]}" 2>>"$counts/merge.log" > "$counts/summary.json"
# Counts of no known program are not in the figure.
[ ! -s "$counts/merge.log" ] || sed 's/^/not counted: /' "$counts/merge.log" >&2
python3 - "$counts/summary.json" "$PWD" <<'PY'
import json
import sys

files = []
for one in json.load(open(sys.argv[1], encoding="utf-8"))["data"][0]["files"]:
    name = one["filename"].removeprefix(sys.argv[2] + "/")
    if not name.startswith(("tests/", "/")):
        files.append((name, one["summary"]["lines"]["covered"], one["summary"]["lines"]["count"]))
covered, count = sum(one[1] for one in files), sum(one[2] for one in files)
print(f"{covered} of {count} lines in {len(files)} files: {100 * covered / count:.1f} %")
for name, covered, count in sorted((one for one in files if one[2]), key=lambda one: one[1] / one[2])[:10]:
    print(f"{100 * covered / count:5.1f} %  {covered:>4} of {count:>4}  {name}")
PY
exit "$failed"
