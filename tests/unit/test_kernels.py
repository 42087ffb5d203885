"""Fused and plain kernels give the same numbers and the same gradients."""

import pytest
import torch

from nmrshift.model import kernels
from nmrshift.model.kernels import adjacency, ends_sum, gated_sum, kernel_name

pytestmark = pytest.mark.skipif(kernel_name() != "dgl", reason="dgl is not installed")

# Node 3 has no edge; node 0 has several.
SRC = torch.tensor([1, 2, 0, 2, 0])
DST = torch.tensor([0, 0, 1, 0, 2])


def leaves(dtype: torch.dtype, n_edges: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    return (
        torch.randn(4, 6, generator=generator, dtype=dtype, requires_grad=True),
        torch.randn(4, 6, generator=generator, dtype=dtype, requires_grad=True),
        torch.randn(n_edges, 6, generator=generator, dtype=dtype, requires_grad=True),
    )


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-12)])
@pytest.mark.parametrize("n_edges", [5, 1, 0])
def test_same_numbers_and_gradients(dtype: torch.dtype, tolerance: float, n_edges: int) -> None:
    outputs = {}
    for kernel in ("dgl", "torch"):
        h, other, gates = leaves(dtype, n_edges)
        edges = adjacency(SRC[:n_edges], DST[:n_edges], 4, kernel)
        summed = gated_sum(edges, h, gates)
        both = ends_sum(edges, h, other)
        loss = (summed**2).sum() + (both**3).sum()
        gradients = torch.autograd.grad(loss, (h, other, gates), allow_unused=True)
        outputs[kernel] = [summed, both, *gradients]
    for fused, plain in zip(outputs["dgl"], outputs["torch"], strict=True):
        if fused is None or plain is None:
            # without edges no gradient reaches the operand by one path or the other
            assert n_edges == 0
            continue
        assert torch.allclose(fused, plain, atol=tolerance, rtol=tolerance)


def test_against_a_loop() -> None:
    h, other, gates = leaves(torch.float64, 5)
    expected = torch.zeros_like(h)
    for edge in range(5):
        expected[DST[edge]] += gates[edge] * h[SRC[edge]]
    for kernel in ("dgl", "torch"):
        edges = adjacency(SRC, DST, 4, kernel)
        assert torch.allclose(gated_sum(edges, h, gates), expected)
        assert torch.equal(gated_sum(edges, h, gates)[3], torch.zeros(6, dtype=torch.float64))
        assert torch.allclose(ends_sum(edges, h, other)[1], h[2] + other[0])


def test_works_without_dgl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "_dgl", lambda: None)
    assert kernel_name() == "torch"
    edges = adjacency(SRC, DST, 4)
    assert edges.handle is None
    with pytest.raises(ValueError, match="not installed"):
        adjacency(SRC, DST, 4, "dgl")
