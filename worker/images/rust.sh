#!/bin/sh
# Rust: the toolchain is in /usr/local/rust already; gcc links, and compiles the C of crates.
set -eu
apt-get update
apt-get install --yes --no-install-recommends gcc libc6-dev pkg-config
rm -rf /var/lib/apt/lists/*
ln -s /usr/local/rust/bin/* /usr/local/bin/
rustc --version
cargo --version
cargo clippy --version
cargo fmt --version
cargo-audit --version
cargo llvm-cov --version
