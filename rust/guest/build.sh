#!/usr/bin/env bash
# Compiles the guest to raw WebAssembly: prints the path of the module.
#
# With rustup: `rustup target add wasm32-unknown-unknown` is all it needs. Where rustup has no such
# target, Debian's rustc-web, cargo-web, rust-web-src and lld-19 build the standard library on the way.
set -euo pipefail
cd "$(dirname "$0")"
patches/apply.sh

target=wasm32-unknown-unknown
cargo=cargo
flags=(--release --locked --target "$target")
# mvp and a list, instead of the target's default: no bulk memory (src/memory.rs says why), nothing
# that the host has to switch on without need.
rustflags=(
  -C target-cpu=mvp
  -C target-feature=+simd128,+sign-ext,+nontrapping-fptoint,+mutable-globals
  --cfg 'getrandom_backend="custom"'
  # The shadow stack below everything: overflowing it leaves the memory and traps.
  -C link-arg=--stack-first
  -C link-arg=-zstack-size=8388608
  -C link-arg=--export=__stack_pointer
  # No path of the machine in the artefact; of several that match, the last one counts.
  --remap-path-prefix "$(dirname "$PWD")=rust"
  --remap-path-prefix "$PWD=guest"
  --remap-path-prefix "${CARGO_HOME:-$HOME/.cargo}=cargo"
)
if ! { command -v rustup && rustup target list --installed | grep -q "$target"; } >/dev/null 2>&1; then
  for tool in /usr/bin/cargo /usr/bin/rustc wasm-ld-19; do
    command -v "$tool" >/dev/null || {
      echo "no wasm toolchain: run 'rustup target add $target', or install rustc-web, cargo-web," \
        "rust-web-src and lld-19 from Debian" >&2
      exit 1
    }
  done
  cargo=/usr/bin/cargo
  export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1
  flags+=(-Zbuild-std=std,panic_abort)
  rustflags+=(-C linker=wasm-ld-19)
fi
CARGO_ENCODED_RUSTFLAGS=$(printf '%s\x1f' "${rustflags[@]}")
export CARGO_ENCODED_RUSTFLAGS=${CARGO_ENCODED_RUSTFLAGS%$'\x1f'}
# For the module as a whole, where all crates are one: calls cost more here than on a processor, and with half as much
# more inlining than is usual the hot loops take 4% to 11% less (benchmarks/sandbox.md).
env -u RUSTUP_TOOLCHAIN "$cargo" rustc "${flags[@]}" -- -C llvm-args=-inline-threshold=450 >&2
echo "${CARGO_TARGET_DIR:-$PWD/target}/$target/release/azr_guest.wasm"
