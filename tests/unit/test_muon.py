"""Muon: the same steps as torch's, in single precision."""

import pytest
import torch
from torch import nn

from nmrshift.train.muon import Muon, orthogonal


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (5, 5)])
def test_singular_values_come_near_one(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    matrices = torch.randn(3, *shape)
    found = torch.linalg.svdvals(orthogonal(matrices).float())
    assert (found > 0.6).all()
    assert (found < 1.3).all()


def test_directions_stay() -> None:
    torch.manual_seed(1)
    left, right = torch.linalg.qr(torch.randn(5, 5))[0], torch.linalg.qr(torch.randn(8, 5))[0]
    matrix = left @ torch.diag(torch.tensor([3.0, 2.0, 1.0, 0.5, 0.4])) @ right.T
    rotated = left.T @ orthogonal(matrix[None])[0].float() @ right
    assert torch.allclose(rotated, torch.diag(torch.diagonal(rotated)), atol=0.02)


def test_steps_are_those_of_torch() -> None:
    torch.manual_seed(2)
    shapes = [(8, 4), (4, 8), (8, 4)]
    own = [nn.Parameter(torch.randn(shape)) for shape in shapes]
    others = [nn.Parameter(p.detach().clone()) for p in own]
    ours = Muon(own, lr=0.02, weight_decay=0.1)
    theirs = torch.optim.Muon(others, lr=0.02, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    for step in range(4):
        for a, b in zip(own, others, strict=True):
            gradient = torch.randn(a.shape, generator=torch.Generator().manual_seed(step))
            a.grad, b.grad = gradient.clone(), gradient.clone()
        ours.step()
        theirs.step()
    for a, b in zip(own, others, strict=True):
        assert torch.allclose(a, b, atol=4e-3)  # torch rounds to bfloat16 on the way


def test_what_has_no_gradient_stays() -> None:
    still, moving = nn.Parameter(torch.ones(3, 3)), nn.Parameter(torch.ones(3, 3))
    moving.grad = torch.eye(3)
    Muon([still, moving], lr=0.1, weight_decay=0.5).step()
    assert torch.equal(still, torch.ones(3, 3))
    assert not torch.equal(moving, torch.ones(3, 3))
