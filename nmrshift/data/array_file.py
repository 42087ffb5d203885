"""Dataclasses of arrays on disk, stores within them included: one ``.npz``, without pickle."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

Value = TypeVar("Value")
Stores = Mapping[str, type[Any]]


def save_arrays(path: Path, value: Any, stores: Stores) -> None:
    """Write a dataclass whose fields are arrays, whole or not at all.

    Args:
        path: ends in ``.npz``.
        value: the dataclass.
        stores: fields that are dataclasses of arrays themselves, and their kinds.
    """
    arrays = {f.name: getattr(value, f.name) for f in fields(value)}
    for name, kind in stores.items():
        store = arrays.pop(name)
        arrays |= {f"{name}.{f.name}": getattr(store, f.name) for f in fields(kind)}
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, **arrays)
    partial.replace(path)


def load_arrays(path: Path, kind: type[Value], stores: Stores) -> Value:
    """Read back what :func:`save_arrays` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        made = {
            name: store(**{f.name: arrays[f"{name}.{f.name}"] for f in fields(store)})
            for name, store in stores.items()
        }
        plain = {f.name: arrays[f.name] for f in fields(kind) if f.name not in stores}  # type: ignore[arg-type]
    return kind(**made, **plain)
