#!/usr/bin/env bash
# Builds what is deployed to Vercel, with Vercel's own builder, without an account and without the network.
#   scripts/vercel-build.sh [FOLDER [BYTES]]  the output's folder; default: .vercel/output, which `vercel deploy --prebuilt` takes;
#                                             and the size limit of a function, default: 12000000 (docs/adr/0008-functions-are-small.md)
#   scripts/vercel-build.sh --fetch           only fetches the builder
case "${1:-}" in -h | --help) exec sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0" ;; esac
set -euo pipefail
cd "$(dirname "$0")/.."
target="${CARGO_TARGET_DIR:-target}"
output="${1:-.vercel/output}"
limit="${2:-12000000}"
if ! [[ "$limit" =~ ^[1-9][0-9]*$ ]]; then
  echo "What may a function have? scripts/vercel-build.sh [FOLDER [BYTES]]" >&2
  exit 2
fi
cli="$target/vercel-cli"
version=60.1.3

# Not in package.json: some of its platforms' packages are missing in registries, and a lock file without them is refused.
if [ ! -x "$cli/node_modules/.bin/vercel" ] || ! grep -q "\"version\": \"$version\"" "$cli/node_modules/vercel/package.json"; then
  npm install --prefix "$cli" --no-save --no-audit --no-fund --loglevel=error "vercel@$version" >&2
fi
[ "${1:-}" != "--fetch" ] || exit 0

# Files that browsers load, published with the other files of public/.
[ -f node_modules/htmx.org/dist/htmx.min.js ] || npm ci --no-audit --no-fund --loglevel=error >&2
mkdir -p public/vendor
cmp -s node_modules/htmx.org/dist/htmx.min.js public/vendor/htmx.min.js || cp node_modules/htmx.org/dist/htmx.min.js public/vendor/

# All that the builder asks of a project; `vercel pull` writes the true one before a deployment.
if [ ! -f .vercel/project.json ]; then
  mkdir -p .vercel
  echo '{"projectId":"prj_local","orgId":"team_local","settings":{"framework":null}}' > .vercel/project.json
fi

# The builder calls cargo once per function, one after the other; after this all of these calls find their work done. The flags
# and the features (hence no --package) must be the builder's, or everything is built twice.
bins=()
for file in api/[a-z]*.rs; do bins+=(--bin "$(basename "$file" .rs)"); done
RUSTFLAGS="" cargo build --release --quiet "${bins[@]}"

# Before anything is written.
for file in api/[a-z]*.rs; do
  bytes="$(stat --dereference --format %s "$target/release/$(basename "$file" .rs)")"
  if [ "$bytes" -gt "$limit" ]; then
    echo "The function of $file has $bytes bytes, more than $limit: docs/adr/0008-functions-are-small.md shows how others were made smaller." >&2
    exit 1
  fi
done

# Any value of VERCEL_BUILD_IMAGE means that the machine is like the one that runs the functions: cargo builds for it as it is.
VERCEL_BUILD_IMAGE=al2023 VERCEL_TELEMETRY_DISABLED=1 NO_UPDATE_NOTIFIER=1 \
  "$cli/node_modules/.bin/vercel" build --yes --standalone --global-config "$cli/config" --output "$output" >&2 </dev/null
