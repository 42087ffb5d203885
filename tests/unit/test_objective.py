"""What teaches the means, and what the error scales."""

import numpy as np
import torch

from nmrshift.chem.solvents import SOLVENT_DIM
from nmrshift.data.dataset import as_dataset
from nmrshift.data.records import ShiftRecord
from nmrshift.model.build import build_network
from nmrshift.model.network import NetworkConfig, ShiftNetwork
from nmrshift.train.config import Optimisation
from nmrshift.train.objective import LabelledBatch, Targets, batch_loss, dataset_conditions


def network() -> ShiftNetwork:
    torch.manual_seed(0)
    return build_network(
        NetworkConfig(
            n_layers=2,
            d_h=16,
            d_e=8,
            d_ffn=16,
            d_head=16,
            nuclei=("13C",),
            shift_mean_ppm=(100.0,),
            shift_scale_ppm=(50.0,),
            solvent_dim=SOLVENT_DIM,
            solvents=("cdcl3",),
            sources=(),
        )
    )


def gradients(level: str | None) -> dict[str, float]:
    """Return the size of the gradient of each part of the head, for ethanol's carbons."""
    record = ShiftRecord(
        "a:1", "CCO", "13C", solvent="CDCl3", level=level, shifts=((0, 18.0), (1, 58.0))
    )
    dataset = as_dataset([record], ("13C",), "v1", lambda text: None)
    model = network()
    graphs, labels, lists = dataset.batch(np.array([0]))
    rows = np.arange(len(dataset.condition_solvent))
    batch = LabelledBatch(graphs, Targets(labels, lists, rows))
    loss = batch_loss(model, batch, dataset_conditions(dataset, model.config), Optimisation(), 1.0)
    loss.backward()
    head = model.heads["13C"]
    return {
        name: sum(float(p.grad.abs().sum()) for p in head.get_submodule(name).parameters())
        for name in ("mean", "log_scale")
    }


def test_a_measurement_teaches_mean_and_error_scale() -> None:
    found = gradients(None)
    assert found["mean"] > 0
    assert found["log_scale"] > 0


def test_a_calculation_teaches_the_mean_alone() -> None:
    """How far a network is from a calculation says nothing of how far it is from a measurement."""
    found = gradients("DFT")
    assert found["mean"] > 0
    assert found["log_scale"] == 0
