#!/usr/bin/env bash
# One hash over everything that the guest is built from: its build script too, the others do not matter.
set -euo pipefail
cd "$(dirname "$0")/.."
{ find guest wire -type f -not -path '*/target/*' -not -path '*/__pycache__/*' -not -path 'wire/tests/*' -not -path 'wire/fuzz/*' \( -not -name '*.sh' -o -name build.sh \); } | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -d' ' -f1
