"""Writes the golden vectors: the frames, in hex, of an example of every message at this protocol.

    python tests/wire/make_vectors.py

Vectors of a protocol that is out are never changed: raise `messages.PROTOCOL` together with the bytes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from wire_examples import EXAMPLES

from srl_common import messages

VECTORS = Path(__file__).parent / "vectors.json"


def make_vectors() -> dict[str, Any]:
    """Return the vectors of the protocol as it is now."""
    frames = {name: [bytes(frame).hex() for frame in messages.encode(each)] for name, each in EXAMPLES.items()}
    return {"protocol": messages.PROTOCOL, "messages": frames}


def read_vectors() -> dict[str, Any]:
    """Return the vectors that are written."""
    vectors: dict[str, Any] = json.loads(VECTORS.read_text())
    return vectors


def changed(written: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return the messages whose bytes are not what was written at the same protocol."""
    if written["protocol"] != now["protocol"]:
        return []
    return [name for name, frames in written["messages"].items() if now["messages"].get(name) != frames]


def main() -> int:
    """Write the vectors. Returns 1, and writes nothing, when bytes changed and the protocol did not."""
    now = make_vectors()
    names = changed(read_vectors(), now) if VECTORS.exists() else []
    if names:
        print(f"the bytes of {', '.join(names)} changed, but PROTOCOL is still {now['protocol']}: raise it first")
        return 1
    VECTORS.write_text(json.dumps(now, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
