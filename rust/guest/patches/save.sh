#!/usr/bin/env bash
# Writes the commits of target/patched back to this folder, one patch each, numbered in the order in which they apply.
set -euo pipefail
shopt -s nullglob
cd "$(dirname "$0")/.."
git -C target/patched diff --quiet HEAD || { echo 'target/patched has changes that are not committed' >&2; exit 1; }
rm -f patches/*.patch
git -C target/patched format-patch --quiet --no-signature --no-stat --zero-commit --no-numbered --no-renames \
  --output-directory "$PWD/patches" published
cat upstream/Cargo.lock patches/crates.txt patches/*.patch | sha256sum > target/patched/.applied
