"""Muon: the library's steps within its bfloat16, orthogonal updates, momenta that are kept."""

import pytest
import torch
from torch import nn

from nmrshift.train import muon
from nmrshift.train.muon import Muon, orthogonal


def matrices(*shapes: tuple[int, int]) -> list[nn.Parameter]:
    made = torch.Generator().manual_seed(3)
    return [nn.Parameter(torch.randn(shape, generator=made)) for shape in shapes]


def test_steps_are_those_of_the_library() -> None:
    shapes = ((24, 8), (24, 8), (8, 40), (16, 16))
    ours, theirs = matrices(*shapes), matrices(*shapes)
    mine = Muon(ours, lr=0.02, weight_decay=0.1)
    library = torch.optim.Muon(theirs, lr=0.02, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    start = [parameter.detach().clone() for parameter in ours]
    for step in range(4):
        made = torch.Generator().manual_seed(step)
        for a, b in zip(ours, theirs, strict=True):
            a.grad = torch.randn(a.shape, generator=made)
            b.grad = a.grad.clone()
        mine.step()
        library.step()
    for a, b, before in zip(ours, theirs, start, strict=True):
        moved = (b.detach() - before).norm()
        assert (a.detach() - b.detach()).norm() < 0.03 * moved
        assert moved > 0
        assert torch.equal(mine.state[a]["momentum_buffer"], library.state[b]["momentum_buffer"])


@pytest.mark.parametrize("shape", [(6, 20), (20, 6), (12, 12)])
def test_updates_are_orthogonal(shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(muon, "native_bfloat16", lambda: False)
    given = torch.stack(
        [m.detach() * size for m, size in zip(matrices(shape, shape), (1, 1e4), strict=True)]
    )
    made = orthogonal(given)
    values = torch.linalg.svdvals(made)
    assert values.min() > 0.5
    assert values.max() < 1.3
    u, _, v = torch.linalg.svd(given, full_matrices=False)
    along = torch.linalg.diagonal(u.mT @ made @ v.mT)
    assert along.min() > 0.5
    assert torch.allclose(made[0], orthogonal(given[:1])[0], atol=1e-5)


def test_no_gradient_no_step() -> None:
    (still,) = matrices((4, 4))
    before = still.detach().clone()
    Muon([still], lr=0.1, weight_decay=0.1).step()
    assert torch.equal(still.detach(), before)
