"""Memory that networks free stays with the process, to be taken again, instead of going back to the system each time.

glibc hands every large block back when it is freed, and the system clears the pages of the next one anew: of a run with
both shipped models a tenth of the processor time. Other C libraries are left as they are.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping

_MIB = 1 << 20
"""Bytes of a mebibyte."""
_SETTINGS = {-3: 256 * _MIB, -1: 256 * _MIB, -2: 64 * _MIB}
"""``M_MMAP_THRESHOLD``: blocks up to this size come from the heap; none of a network's is larger. ``M_TRIM_THRESHOLD``:
what may stay free at its end, about what a batch of both models takes. ``M_TOP_PAD``: by how much it grows. Larger
values make nothing faster and hold more: these hold 200 MiB of 2,000 (``malloc.h``, mallopt(3))."""


def keep_freed_memory(environment: Mapping[str, str] = os.environ) -> bool:
    """Let freed memory stay with the process, unless the user has settings of glibc's; return whether it will.

    Args:
        environment: Where these settings, or another allocator, would be.
    """
    own = [name for name in environment if name.startswith("MALLOC_") or name in ("GLIBC_TUNABLES", "LD_PRELOAD")]
    try:
        library = ctypes.CDLL(None)
        if own or not hasattr(library, "gnu_get_libc_version"):
            return False
        return all(library.mallopt(ctypes.c_int(name), ctypes.c_int(value)) for name, value in _SETTINGS.items())
    except (OSError, TypeError, AttributeError):  # Windows has no library of that kind
        return False
