"""Equal environments are computed once, with the numbers of computing them all."""

import numpy as np
import pytest
import torch
from toy import SMILES, carbon_network

from nmrshift.chem.parse import parse
from nmrshift.graph.batch import GraphBatch, batch_graphs
from nmrshift.graph.distinct import distinct_graph
from nmrshift.graph.environments import environment_codes
from nmrshift.graph.features import preset
from nmrshift.graph.molgraph import mol_graph
from nmrshift.model.build import build_network
from nmrshift.model.network import ShiftNetwork
from nmrshift.model.tensors import batch_tensors

DIVERSE = [
    *SMILES,
    "[Na+].[Cl-]",
    "[F-]",
    "F",
    "C/C=C/F",
    r"C/C=C\F",
    "C[C@H](F)Cl",
    "C[C@@H](F)Cl",
    "F[C@@H]1CC[C@@H](F)CC1",
    "F[C@@H]1CC[C@H](F)CC1",
    "CCCCCCCCCCCCF",
    "c1ccc2c(c1)ccc1ccccc12",
]


def graphs(smiles: list[str]) -> GraphBatch:
    return batch_graphs([mol_graph(parse(text).mol, preset("v1")) for text in smiles])


def network(
    architecture: str = "gated", n_environments: tuple[int, ...] = (), **variant: str | float
) -> ShiftNetwork:
    torch.manual_seed(5)
    made = build_network(
        carbon_network(
            architecture=architecture,
            n_layers=4,
            d_h=32,
            d_e=16,
            d_ffn=48,
            n_environments=n_environments,
            **variant,
        )
    )
    return made.eval()


def both(made: ShiftNetwork, batch: GraphBatch) -> tuple[torch.Tensor, torch.Tensor]:
    codes = environment_codes(batch)
    with torch.inference_mode():
        every = made.encode(batch_tensors(batch, kernel="torch", environments=codes))
    return every, made.represent(batch, codes)


@pytest.mark.parametrize("few_atoms", [0, 10_000])
@pytest.mark.parametrize(
    "variant", [{"aggregation": "mean"}, {"edge_update": "none"}, {"read_out": "all"}]
)
def test_same_numbers_of_every_variant(
    monkeypatch: pytest.MonkeyPatch, variant: dict[str, str], few_atoms: int
) -> None:
    monkeypatch.setattr("nmrshift.graph.distinct._FEW_ATOMS", few_atoms)
    every, once = both(network(**variant), graphs([*DIVERSE, "F"]))
    assert torch.allclose(every, once, atol=1e-5)
    plain, _ = both(network(), graphs([*DIVERSE, "F"]))
    assert (every - plain).abs().mean() > 0.01


@pytest.mark.parametrize("few_atoms", [0, 10_000])
@pytest.mark.parametrize("smiles", [DIVERSE, ["F"], ["CC"], ["[F-]", "[Na+]"], 3 * ["CCO"]])
def test_same_numbers(monkeypatch: pytest.MonkeyPatch, smiles: list[str], few_atoms: int) -> None:
    monkeypatch.setattr("nmrshift.graph.distinct._FEW_ATOMS", few_atoms)
    every, once = both(network(), graphs(smiles))
    assert every.abs().max() > 0.1
    assert torch.allclose(every, once, atol=2e-5)


def test_same_numbers_where_environments_are_inputs() -> None:
    batch = graphs(DIVERSE)
    codes = environment_codes(batch)
    known = [torch.from_numpy(np.unique(column)[::2].copy()) for column in codes.T]
    made = network(n_environments=tuple(len(column) for column in known))
    assert made.embed_environments is not None
    made.embed_environments.know(known)
    every, once = both(made, batch)
    assert torch.allclose(every, once, atol=2e-5)
    made.embed_environments = None
    assert not torch.allclose(every, both(made, batch)[0], atol=1e-2)


def test_a_network_with_a_global_state_computes_every_atom() -> None:
    every, once = both(network("seed2023"), graphs(["CCO", "CCN", "CCO"]))
    assert torch.equal(every, once)


def gradients(made: ShiftNetwork, h: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return what a loss that weighs every number differently asks of every weight."""
    made.zero_grad()
    weights = torch.linspace(-1, 1, h.numel()).view_as(h)
    (h.float() * weights).sum().backward()
    return {name: p.grad for name, p in made.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("few_atoms", [0, 10_000])
@pytest.mark.parametrize(
    "variant", [{}, {"aggregation": "mean"}, {"edge_update": "none"}, {"read_out": "all"}]
)
def test_same_gradients(
    monkeypatch: pytest.MonkeyPatch, variant: dict[str, str], few_atoms: int
) -> None:
    monkeypatch.setattr("nmrshift.graph.distinct._FEW_ATOMS", few_atoms)
    made, batch = network(**variant), graphs([*DIVERSE, "F"])
    every, once = made.encode(batch_tensors(batch, kernel="torch")), made.learn(batch)
    assert torch.allclose(every, once, atol=2e-5)
    expected, found = gradients(made, every), gradients(made, once)
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        assert torch.allclose(found[name], gradient, rtol=1e-3, atol=1e-3), name


@pytest.mark.parametrize("architecture", ["gated", "seed2023"])
def test_training_sees_environments_that_are_inputs(architecture: str) -> None:
    batch = graphs(DIVERSE)
    known = [torch.from_numpy(np.unique(column)) for column in environment_codes(batch).T]
    made = network(architecture, n_environments=tuple(len(column) for column in known))
    if made.embed_environments is not None:
        made.embed_environments.know(known)
    assert torch.allclose(made.learn(batch), made.encode(batch_tensors(batch)), atol=2e-5)


def test_dropout_takes_the_same_from_equal_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nmrshift.graph.distinct._FEW_ATOMS", 0)
    made, batch = network(dropout=0.5), graphs(["CCO", "OCC"])
    still = made.learn(batch)
    one, two = made.train().learn(batch), made.learn(batch)
    assert torch.equal(one[:3], one[3:].flip(0))
    assert not torch.allclose(one, still, atol=0.1)
    assert not torch.allclose(one, two, atol=0.1)


def test_half_precision_is_near_and_has_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nmrshift.graph.distinct._FEW_ATOMS", 0)
    made, batch = network(), graphs(DIVERSE)
    exact = made.learn(batch)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = made.learn(batch)
    assert (half.float() - exact).abs().mean() < 0.05
    assert gradients(made, half).keys() == gradients(made, exact).keys()


def test_blocks_of_rows_are_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nmrshift.model.layers._BLOCK_ROWS", 3)
    every, once = both(network(), graphs(DIVERSE))
    assert torch.allclose(every, once, atol=2e-5)


def test_a_difference_travels_one_bond_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nmrshift.graph.distinct._FEW_ATOMS", 0)
    batch = graphs(["CCCCF", "CCCCCl"])
    for n_rounds, alike in [(0, 4), (1, 3), (2, 2), (3, 1), (4, 0)]:
        atom_class = distinct_graph(batch, n_rounds).atom_class
        assert (atom_class[:5] == atom_class[5:]).tolist() == [True] * alike + [False] * (5 - alike)


def test_classes_do_not_depend_on_the_order_of_atoms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nmrshift.graph.distinct._FEW_ATOMS", 0)
    batch = graphs(["OCC(F)C", "CC(F)CO"])
    found = distinct_graph(batch, 4)
    assert sorted(found.atom_class[:5]) == sorted(found.atom_class[5:])
