#!/bin/sh
# Of every image: bash and git for `bash` steps and workspaces, bubblewrap for L3 where the host has user namespaces, and the worker's user.
set -eu
apt-get update
apt-get install --yes --no-install-recommends bash bubblewrap ca-certificates git
rm -rf /var/lib/apt/lists/*
useradd --uid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin nofx
bash --version
bwrap --version
git --version
