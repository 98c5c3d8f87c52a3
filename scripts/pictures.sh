#!/usr/bin/env bash
# Retakes the pictures of the README, from the browser tests.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/test.sh -E 'binary(browser) and test(every_page)'
pictures="${CARGO_TARGET_DIR:-target}/screenshots"
mkdir -p docs/images
cp "$pictures/runs-light.png" docs/images/runs.png
cp "$pictures/run-waiting-light.png" docs/images/run.png
cp "$pictures/system-dark.png" docs/images/system.png
