#!/bin/sh
# Node and its package managers; tsc and eslint are those of each repository.
set -eu
apt-get update
apt-get install --yes --no-install-recommends nodejs npm
rm -rf /var/lib/apt/lists/*
npm install --global --no-audit --no-fund npm@11.19.1 pnpm@10.34.8 yarn@1.22.22
npm cache clean --force
node --version
npm --version
npx --version
pnpm --version
yarn --version
