#!/usr/bin/env bash
# Builds the guest, runs its start-up, and puts the result where the sandbox crate embeds it.
set -euo pipefail
cd "$(dirname "$0")/../.."
raw=$(rust/guest/build.sh)
mkdir -p rust/sandbox/guest
cargo run --release --quiet -p azr-snapshot -- "$raw" rust/sandbox/guest/guest.wasm.zst
rust/guest/sources.sh > rust/sandbox/guest/sources.sha256
