"""Files that were dropped on a page: each under the hash of its content, for its owner alone, by the name it had."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from tools.common import sealed
from tools.common.atomic import write_atomically
from tools.common.errors import NotFound, Refused

HEX = set("0123456789abcdef")


def keep(folder: Path, name: str, content: bytes, *, seal: bool = False) -> str:
    """Keep a file in this folder, encrypted where the home is and that is wanted; its hash, by which it is found."""
    digest = sha256(content).hexdigest()
    own = folder / digest
    for made in (folder, own):
        made.mkdir(exist_ok=True, mode=0o700)
    if not any(own.iterdir()):
        file = own / f"{Path(name).stem[:50] or 'file'}{Path(name).suffix.lower()}"
        (sealed.write if seal else write_atomically)(file, content)
    return digest


def kept(folder: Path, digest: str, what: str) -> Path:
    """The file of this hash.

    Args:
        what: a noun for it, in what an error says.

    Raises:
        NotFound: it is not kept here.
        Refused: it is another one by now.
    """
    own = folder / digest
    if len(digest) == 64 and set(digest) <= HEX and own.is_dir():
        for file in own.iterdir():
            if sha256(sealed.read(file)).hexdigest() != digest:
                raise Refused(f"the {what} {digest[:12]} is another than the one that was dropped here")
            return file
    raise NotFound(what, digest[:64], hint="it is not kept here; drop it again")
