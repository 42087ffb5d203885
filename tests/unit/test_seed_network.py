"""The seed paper's network, the baseline: it predicts as it was trained."""

import torch
from toy import SMILES, carbon_network

from nmrshift.chem.parse import parse
from nmrshift.graph.batch import batch_graphs
from nmrshift.graph.features import preset
from nmrshift.graph.molgraph import mol_graph
from nmrshift.model.build import build_network


def test_its_running_statistics_are_those_of_every_round() -> None:
    features = preset("seed2023")
    batch = batch_graphs([mol_graph(parse(text).mol, features) for text in SMILES])
    torch.manual_seed(3)
    settings = carbon_network(architecture="seed2023", features="seed2023", n_layers=6)
    network = build_network(settings).train()
    with torch.no_grad():
        for _ in range(100):
            learned = network.learn(batch)
        predicted = network.eval().learn(batch)
    # Running variances are of the unbiased kind, which six rounds magnify.
    assert (predicted - learned).abs().mean() < 0.1 * learned.abs().mean()
