"""Seeds from identities, so that nothing random depends on its turn, its worker or a crash."""

import hashlib
import json


def derive_seed(run_seed: int, *identity: str | int) -> int:
    """Seed in [0, 2**63) of whatever `identity` names, the same in every process and order.

    >>> derive_seed(0, "synthesis", "bag", 7) == derive_seed(0, "synthesis", "bag", 7)
    True
    >>> derive_seed(0, "a", "bc") == derive_seed(0, "ab", "c")
    False
    """
    key = json.dumps([run_seed, *identity], ensure_ascii=False)
    digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
