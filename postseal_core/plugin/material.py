"""Key material of one resource on its way from Check to Create and Update of the same run, in memory only.

State keeps a digest; the material itself never enters the inputs of the resources that merely use it. Who gets a store
back is decided in `lockers`: a digest is a name in it, and opens nothing.
"""

import hashlib
import threading

from postseal_core.errors import PostsealError

__all__ = ["MaterialStore"]


class MaterialStore:
    """Texts by their SHA-256; for keys and certificates only, since the digest of a passphrase can be guessed."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._lock = threading.Lock()

    def put(self, text: str) -> str:
        """Keep a text for this run and return its reference, `sha256:` and 64 hexadecimal digits."""
        reference = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
        self.keep(reference, text)
        return reference

    def keep(self, reference: str, text: str) -> None:
        """Keep a text for this run under a reference of the caller's own, as the digest of the key's public half."""
        with self._lock:
            self._texts[reference] = text

    def get(self, reference: str) -> str:
        """Return the text of a reference made earlier in this run; raise PostsealError if there was none."""
        with self._lock:
            text = self._texts.get(reference)
        if text is None:
            raise PostsealError(
                f"the content {reference[:40]} was not handed in during this run; run `pulumi up` again "
                "(with all the resources that it comes from, if --target was used)"
            )
        return text

    def __contains__(self, reference: str) -> bool:
        with self._lock:
            return reference in self._texts

    def __repr__(self) -> str:
        return f"MaterialStore({len(self._texts)} texts)"
