#!/usr/bin/env bash
# Fails when the committed guest was not built from the committed sources.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ "$(rust/guest/sources.sh)" != "$(cat rust/sandbox/guest/sources.sha256)" ]; then
  echo "rust/sandbox/guest was built from other sources than rust/guest and rust/wire: run 'make guest'" >&2
  exit 1
fi
