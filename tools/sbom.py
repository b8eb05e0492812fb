#!/usr/bin/env python3
"""Writes the bill of materials of the guest (CycloneDX): the crates inside the embedded module.

    python3 tools/sbom.py FILE

maturin writes the Rust half's own; the guest is built apart from it, and its crates are in rust/guest/Cargo.lock.
"""

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def component(package: dict[str, Any], published: dict[str, Any] | None) -> dict[str, Any]:
    """A crate of the lock file; `published`: what it was before the patches. This repository's own have no checksum."""
    name, version = package["name"], package["version"]
    made: dict[str, Any] = {"type": "library", "name": name, "version": version, "purl": f"pkg:cargo/{name}@{version}"}
    if "checksum" in package:
        made["hashes"] = [{"alg": "SHA-256", "content": package["checksum"]}]
    if published is not None:
        made["pedigree"] = {
            "ancestors": [component(published, None)],
            "notes": "the published crate with the patches of rust/guest/patches",
        }
    return made


def bill() -> dict[str, Any]:
    """All of them; the module itself, by its hash, is what they are in."""
    guest = ROOT / "rust" / "guest"
    lock = tomllib.loads((guest / "Cargo.lock").read_text("utf-8"))
    upstream = tomllib.loads((guest / "upstream" / "Cargo.lock").read_text("utf-8"))
    patched = set((guest / "patches" / "crates.txt").read_text("utf-8").split())
    published = {one["name"]: one for one in upstream["package"] if one["name"] in patched}
    packages = sorted(lock["package"], key=lambda one: (one["name"], one["version"]))
    [own] = [one for one in packages if one["name"] == "azr-guest"]
    module = ROOT / "rust" / "sandbox" / "guest" / "guest.wasm.zst.blake3"
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": "guest",
                "name": "azr-guest",
                "version": own["version"],
                "hashes": [{"alg": "BLAKE3", "content": module.read_text("ascii").strip()}],
            }
        },
        "components": [component(one, published.get(one["name"])) for one in packages if one is not own],
    }


if __name__ == "__main__":
    Path(sys.argv[1]).parent.mkdir(parents=True, exist_ok=True)
    Path(sys.argv[1]).write_text(json.dumps(bill(), indent=1) + "\n", "utf-8")
