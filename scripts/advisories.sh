#!/usr/bin/env bash
# Compares the crates of Cargo.lock with the advisories of RustSec's database, as this machine has it: nothing is fetched. An advisory
# that deny.toml does not answer is an error. Without cargo-deny or a database it says that it did not compare, which is none.
#   cargo install --locked cargo-deny && cargo deny fetch db    installs both; a database is good for 90 days
set -euo pipefail
cd "$(dirname "$0")/.."

skip() {
  echo "Advisories were not checked: $1."
  exit 0
}
command -v cargo-deny >/dev/null || skip "cargo-deny is not installed (cargo install --locked cargo-deny)"
databases="${CARGO_HOME:-$HOME/.cargo}/advisory-dbs"
[ -n "$(find "$databases" -mindepth 2 -maxdepth 2 -name .git 2>/dev/null)" ] || skip "this machine has no advisory database (cargo deny fetch db)"
# cargo-deny refuses an older one.
[ -n "$(find "$databases" -mindepth 3 -maxdepth 3 -path '*/.git/*' -name '*HEAD' -mtime -90)" ] ||
  skip "this machine's advisory database is older than 90 days (cargo deny fetch db)"
cargo-deny --offline check advisories
