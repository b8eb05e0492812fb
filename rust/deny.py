#!/usr/bin/env python3
"""Holds every crate of both lock files to deny.toml: licences, banned crates, sources. Needs no network.

With cargo-deny installed, `make deny` says the same and reads the advisory database too.
"""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORKSPACES = ("Cargo.toml", "rust/guest/Cargo.toml")


def satisfied(expression: str, allowed: set[str]) -> bool:
    """Whether an SPDX expression (or an old one with slashes) can be met by allowed licences."""
    expression = expression.replace("/", " OR ").replace("(", " ( ").replace(")", " ) ")
    expression = re.sub(r"\s+WITH\s+", " WITH ", expression)
    tokens = re.findall(r"[()]|[\w.+-]+ WITH [\w.+-]+|[\w.+-]+", expression)

    def either() -> bool:
        met = both()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            met = both() or met
        return met

    def both() -> bool:
        met = one()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            met = one() and met
        return met

    def one() -> bool:
        token = tokens.pop(0)
        if token != "(":
            return token in allowed
        met = either()
        tokens.pop(0)
        return met

    return either()


def problems(package: dict, rules: dict) -> list[str]:
    licenses, name = rules["licenses"], f"{package['name']} {package['version']}"
    allowed = set(licenses["allow"])
    for exception in licenses.get("exceptions", []):
        if exception["name"] == package["name"]:
            allowed |= set(exception["allow"])
    clarified = {one["name"]: one["expression"] for one in licenses.get("clarify", [])}
    license = package["license"] or clarified.get(package["name"])
    found = []
    if license is None:
        found.append(f"{name} names no licence")
    elif not satisfied(license, allowed):
        found.append(f"{name} has licence {license!r}, which deny.toml does not allow")
    if package["name"] in {ban["crate"] for ban in rules["bans"]["deny"]}:
        found.append(f"{name} is banned")
    registries = {f"registry+{url}" for url in rules["sources"]["allow-registry"]}
    if package["source"] is not None and package["source"] not in registries:
        found.append(f"{name} comes from {package['source']}")
    if package["source"] is None:
        wild = [needed["name"] for needed in package["dependencies"] if needed["req"] == "*" and "path" not in needed]
        found += [f"{name} takes any version of {needed}" for needed in wild]
    return found


def main() -> int:
    rules = tomllib.loads((ROOT / "deny.toml").read_text())
    found = []
    subprocess.run([ROOT / "rust/guest/patches/apply.sh"], check=True)  # the guest's manifest names what this makes
    for manifest in WORKSPACES:
        command = ["cargo", "metadata", "--locked", "--format-version", "1", "--manifest-path", str(ROOT / manifest)]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        for package in json.loads(output)["packages"]:
            found += [f"{manifest}: {problem}" for problem in problems(package, rules)]
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
