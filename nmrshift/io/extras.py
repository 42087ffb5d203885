"""Packages that only some users need, loaded when they are used."""

from importlib import import_module
from typing import Any

from nmrshift.errors import MissingExtraError


def load_extra(module: str, extra: str) -> Any:
    """Import a module of an optional package.

    Args:
        module: its name.
        extra: the extra of nmrshift that brings it.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return import_module(module)
    except ImportError:
        package = module.split(".", 1)[0]
        raise MissingExtraError(
            f"{package} is not installed", hint=f'Install it with: pip install "nmrshift[{extra}]"'
        ) from None
