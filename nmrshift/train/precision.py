"""Half precision where the processor has it: elsewhere it is emulated, many times slower."""

from functools import cache

import torch


@cache
def native_bfloat16() -> bool:
    """Say whether the processor multiplies matrices in bfloat16."""
    found = torch.cpu.get_capabilities()
    return any(found.get(name, False) for name in ("amx_bf16", "avx512_bf16"))


def mixed_precision(*, enabled: bool) -> torch.autocast:
    """Return a context in which matrix products run in bfloat16, if that is faster here."""
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled and native_bfloat16())
