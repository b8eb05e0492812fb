#!/usr/bin/env bash
# The crate as it would be published: below the registry's 10 MB with the guest inside, and building with Cranelift
# and without, with nothing to warn of. The second compiles wasmtime once more, so it takes minutes the first time.
set -euo pipefail
cd "$(dirname "$0")/../.."
# `cargo package` wants every dependency in the registry; what it would pack is listed without that.
bytes=$(cargo package --list --allow-dirty -p azr-sandbox | while read -r file; do
  [ -f "rust/sandbox/$file" ] && cat "rust/sandbox/$file"; done | gzip -9 | wc -c)
echo "azr-sandbox packed: $bytes bytes"
if [ "$bytes" -gt 10000000 ]; then
  echo "above the registry's 10 MB" >&2
  exit 1
fi
cargo clippy --release -p azr-sandbox -- -D warnings
cargo clippy --release -p azr-sandbox --no-default-features -- -D warnings
cargo clippy --release -p azr-sandbox --no-default-features --features compiler -- -D warnings
# A new crate with the README's program: builds, runs, and has no compiler in it.
cargo test --release -p azr-sandbox --test new_crate -- --ignored
