"""Sums over neighbours: DGL's fused kernels on CPU, plain torch elsewhere, same numbers.

This is the only module that knows DGL. Layers pass edge arrays and never see its graphs.
"""

import os
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional

Kernel = Literal["dgl", "torch"]


@dataclass(frozen=True, slots=True)
class Adjacency:
    """The edges of one batch, made once and used by every layer.

    Attributes:
        edge_src: node each edge comes from ``[n_edges]``, int64.
        edge_dst: node each edge goes to ``[n_edges]``, int64.
        n_atoms: number of nodes.
        handle: the fused kernels' own form of the same edges; ``None`` for plain torch.
    """

    edge_src: Tensor
    edge_dst: Tensor
    n_atoms: int
    handle: Any


@cache
def _dgl() -> ModuleType | None:
    """Import DGL where there is a build of it, without its output and its home folder."""
    os.environ.setdefault("DGLBACKEND", "pytorch")
    try:
        import dgl
        import dgl.ops
    except (ImportError, OSError):
        return None
    module: ModuleType = dgl
    return module


def kernel_name(device: torch.device | str = "cpu") -> Kernel:
    """Return the kernels used on a device: ``dgl`` on CPU where it is installed, else ``torch``."""
    return "dgl" if torch.device(device).type == "cpu" and _dgl() is not None else "torch"


def adjacency(
    edge_src: Tensor, edge_dst: Tensor, n_atoms: int, kernel: Kernel | None = None
) -> Adjacency:
    """Prepare the edges of a batch.

    Args:
        edge_src: ``[n_edges]``, integer.
        edge_dst: ``[n_edges]``, integer.
        n_atoms: number of nodes, isolated ones included.
        kernel: force a kernel; by default the fastest of the device.

    Raises:
        ValueError: ``dgl`` was asked for and is not installed.
    """
    kernel = kernel or kernel_name(edge_src.device)
    src, dst = edge_src.long(), edge_dst.long()
    handle = None
    if kernel == "dgl":
        dgl = _dgl()
        if dgl is None:
            raise ValueError("the dgl kernels were asked for and dgl is not installed")
        if len(src):
            handle = dgl.graph((src, dst), num_nodes=n_atoms)
    return Adjacency(src, dst, n_atoms, handle)


def gated_sum(edges: Adjacency, values: Tensor, gates: Tensor) -> Tensor:
    """Sum the neighbours' values, each weighed by its edge: ``sum_j gates_ji * values_j``.

    Args:
        edges: the batch's edges.
        values: ``[n_atoms, d]``.
        gates: ``[n_edges, d]``.

    Returns:
        ``[n_atoms, d]``; zero for an atom without edges.
    """
    if edges.handle is not None:
        result: Tensor = _require_dgl().ops.u_mul_e_sum(edges.handle, values, gates)
        return result
    messages = values.index_select(0, edges.edge_src) * gates
    return values.new_zeros(values.shape).index_add(0, edges.edge_dst, messages)


def ends_sum(edges: Adjacency, from_src: Tensor, from_dst: Tensor) -> Tensor:
    """Add the two ends of every edge: ``from_src[src] + from_dst[dst]``.

    Args:
        edges: the batch's edges.
        from_src: ``[n_atoms, d]``.
        from_dst: ``[n_atoms, d]``.

    Returns:
        ``[n_edges, d]``.
    """
    if edges.handle is not None:
        result: Tensor = _require_dgl().ops.u_add_v(edges.handle, from_src, from_dst)
        return result
    return from_src.index_select(0, edges.edge_src) + from_dst.index_select(0, edges.edge_dst)


def bag_sums(rows: Tensor, picks: Tensor, first: Tensor) -> Tensor:
    """Sum picked rows, bag by bag, for prediction: no gradients.

    ``functional.embedding_bag`` does it by the same kernel, and takes longer to call it than the
    kernel takes for a molecule.

    Args:
        rows: ``[n, d]``.
        picks: numbers of rows, bag after bag, int64.
        first: where each bag begins in ``picks``, with their number at the end, int64.

    Returns:
        ``[n_bags, d]``.
    """
    return torch.embedding_bag(rows, picks, first, False, 0, False, None, True)[0]


def bag_sums_with_gradients(rows: Tensor, picks: Tensor, first: Tensor) -> Tensor:
    """Sum picked rows ``[n, d]`` to ``[n_bags, d]`` as :func:`bag_sums` does, for training.

    The sums are in single precision, whatever the rows are in.
    """
    return functional.embedding_bag(
        picks, rows.float(), first, mode="sum", include_last_offset=True
    )


def _require_dgl() -> ModuleType:
    module = _dgl()
    if module is None:
        raise ValueError("dgl is not installed")
    return module
