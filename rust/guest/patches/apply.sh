#!/usr/bin/env bash
# Makes target/patched: the published crates of crates.txt with this folder's patches applied, one commit each.
#
# Does nothing where that is there already. `git -C rust/guest/target/patched log` shows what is applied; to change
# something, commit there (one commit a patch, its message says what it mends), then run save.sh.
set -euo pipefail
shopt -s nullglob
cd "$(dirname "$0")/.."
patches=$PWD/patches patched=$PWD/target/patched
wanted=$(cat upstream/Cargo.lock patches/crates.txt patches/*.patch | sha256sum)
if [ "$(cat "$patched/.applied" 2>/dev/null)" = "$wanted" ]; then exit 0; fi

mkdir -p target
cargo metadata --locked --format-version 1 --manifest-path upstream/Cargo.toml > target/upstream.json
rm -rf "$patched"
mkdir -p "$patched"
cd "$patched"
while read -r name; do
  manifest=$(python3 -c '
import json, sys
packages = json.load(open(sys.argv[1]))["packages"]
print(next(p["manifest_path"] for p in packages if p["name"] == sys.argv[2]))' ../upstream.json "$name")
  cp -R "$(dirname "$manifest")" "$name"
done < "$patches/crates.txt"
chmod -R u+w .
rm -f ./*/.cargo-ok ./*/.cargo_vcs_info.json ./*/Cargo.toml.orig ./*/Cargo.lock

# Named here, so that a machine without a git identity can build, and commits are the same everywhere.
export GIT_AUTHOR_NAME=azr GIT_AUTHOR_EMAIL=azr@localhost GIT_COMMITTER_NAME=azr GIT_COMMITTER_EMAIL=azr@localhost
export GIT_AUTHOR_DATE='2026-01-01T00:00:00Z' GIT_COMMITTER_DATE='2026-01-01T00:00:00Z'
git init --quiet --initial-branch=main
git config core.autocrlf false
printf '.applied\n__pycache__\n' > .git/info/exclude
git add --all --force
git commit --quiet --message 'As published'
git tag published
for patch in "$patches"/*.patch; do git am --quiet --3way --keep-cr "$patch"; done
echo "$wanted" > .applied
