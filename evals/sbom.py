"""What Paladin is made of: the packages of the lock with their hashes and licences, as CycloneDX 1.6.

python -m evals.sbom > sbom.json   # exit 1, and the packages named, if a licence is not one that may go out with it
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata, version
from pathlib import Path
from typing import Any

from tools.audit.events import version as ours

LOCK = Path(__file__).parent.parent / "requirements-dev.lock"
PACKAGE = re.compile(r"^([\w.-]+)==(\S+)((?:.*\\\n +--hash=sha256:[0-9a-f]{64})+)", re.MULTILINE)
# Licences that ask for no more than to be named, or for their own source alone.
MAY_GO_OUT = (
    "mit", "apache", "bsd", "isc", "psf", "python software", "mpl", "mozilla", "lgpl", "lesser", "zlib",
)  # fmt: skip
READ_BY_HAND = {  # packages whose metadata tell none
    "agent-client-protocol": "Apache-2.0",
    "axe-playwright-python": "MIT; the axe-core that it brings: MPL-2.0",
    "sqlcipher3": "Zlib",
}


def components() -> Iterator[dict[str, Any]]:
    """The packages of the lock, each with what its metadata say where it is installed here."""
    for name, pinned, hashes in PACKAGE.findall(LOCK.read_text()):
        told = {"type": "library", "name": name, "version": pinned, "purl": f"pkg:pypi/{name}@{pinned}"}
        digests = re.findall(r"sha256:([0-9a-f]{64})", hashes)
        yield told | {
            "hashes": [{"alg": "SHA-256", "content": digest} for digest in digests],
            "licenses": [{"license": {"name": licence}}] if (licence := licence_of(name, pinned)) else [],
        }


def licence_of(name: str, pinned: str) -> str:
    """As the package says it; "" where this version is not installed here (another platform's, another Python's)."""
    try:
        if version(name) != pinned:
            return ""
    except PackageNotFoundError:
        return ""
    told = metadata(name).json
    classes = [
        one.rpartition(" :: ")[2] for one in told.get("classifier", ()) if one.startswith("License ::")
    ]
    of_classes = " / ".join(one for one in classes if one != "OSI Approved")
    stated = str(told.get("license", "")).strip().partition("\n")[0]
    found = READ_BY_HAND.get(name) or told.get("license_expression") or of_classes or stated
    return str(found or "none told")


def may_not_go_out() -> list[str]:
    """Packages of the lock whose licence is none of those, or is told nowhere."""
    found = ((one["name"], licence["license"]["name"]) for one in components() for licence in one["licenses"])
    return [f"{name}: {said}" for name, said in found if not any(word in said.lower() for word in MAY_GO_OUT)]


def main() -> int:
    argparse.ArgumentParser(description=__doc__).parse_args()
    body = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1}
    about = {"component": {"type": "application", "name": "paladin-pa", "version": ours()}}
    print(json.dumps(body | {"metadata": about, "components": list(components())}, indent=1))
    wrong = may_not_go_out()
    print("\n".join(wrong), file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
