"""Moments against sampling, networks that carry them, quantiles, and the comparison itself."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from toy import SMILES, records

from nmrshift.benchmark.spectra import Library
from nmrshift.benchmark.uncertainty import moments
from nmrshift.benchmark.uncertainty.compare import TESTS, Comparison
from nmrshift.benchmark.uncertainty.methods import METHODS, Spread
from nmrshift.benchmark.uncertainty.moments import Moments, UncertainLinear, UncertainNorm
from nmrshift.benchmark.uncertainty.propagation import (
    PropagatedNetwork,
    log_laplace_scale,
    propagated_likelihood,
)
from nmrshift.benchmark.uncertainty.quantiles import LEVELS, pinball, reaches
from nmrshift.benchmark.uncertainty.scores import fit_factors, scores
from nmrshift.benchmark.uncertainty.setting import TRAINING, Setting
from nmrshift.chem.parse import parse
from nmrshift.chem.solvents import SOLVENT_DIM
from nmrshift.graph.batch import batch_graphs
from nmrshift.graph.features import preset
from nmrshift.graph.molgraph import mol_graph
from nmrshift.model.kernels import adjacency
from nmrshift.model.network import NetworkConfig
from nmrshift.model.tensors import batch_tensors
from nmrshift.train.config import NetworkShape, Optimisation
from nmrshift.train.objective import laplace_likelihood

N_SAMPLES = 200_000


def unsure(*shape: int) -> Moments:
    return Moments(torch.randn(shape), torch.rand(shape) * 0.3)


def sample(x: Moments) -> torch.Tensor:
    return x.mean + x.variance.sqrt() * torch.randn(N_SAMPLES, *x.mean.shape)


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(3)


def test_linear_maps_of_unsure_weights_are_exact() -> None:
    layer = UncertainLinear(6, 3, prior=1.0)
    torch.nn.init.normal_(layer.log_deviation, std=0.3)
    x = unsure(2, 6)
    found = layer(x)
    deviation = torch.exp(layer.log_deviation) / 6**0.5
    weights = layer.linear.weight + deviation * torch.randn(N_SAMPLES, 3, 6)
    values = torch.einsum("soi,sni->sno", weights, sample(x)) + layer.linear.bias
    torch.testing.assert_close(found.mean, values.mean(0), atol=0.02, rtol=0)
    torch.testing.assert_close(found.variance, values.var(0), atol=0.0, rtol=0.03)


@pytest.mark.parametrize("name", ["sigmoid", "silu"])
def test_curves_have_the_moments_of_samples(name: str) -> None:
    x = Moments(torch.linspace(-4, 4, 17), torch.linspace(0.01, 1.0, 17))
    found = getattr(moments, name)(x)
    function = {"sigmoid": torch.sigmoid, "silu": torch.nn.functional.silu}[name]
    values = function(sample(x))
    torch.testing.assert_close(found.mean, values.mean(0), atol=0.02, rtol=0)
    true = values.var(0)
    assert (found.variance <= true * 1.1 + 1e-3).all()
    assert (found.variance >= true * 0.6 - 5e-3).all()


def test_sure_numbers_stay_sure_and_are_those_of_the_plain_maps() -> None:
    x = Moments(torch.randn(5, 8), torch.zeros(5, 8))
    norm = UncertainNorm(8)
    torch.testing.assert_close(norm(x).mean, norm.norm(x.mean))
    torch.testing.assert_close(moments.silu(x).mean, torch.nn.functional.silu(x.mean))
    for found in (norm(x), moments.silu(x), moments.sigmoid(x)):
        assert not found.variance.any()


def test_gated_sums_are_exact() -> None:
    edges = adjacency(torch.tensor([0, 1, 2, 1]), torch.tensor([1, 0, 1, 2]), 4)
    values, gates = unsure(4, 3), unsure(4, 3)
    found = moments.gated_moments(edges, values, gates)
    v, g = sample(values), sample(gates)
    total = torch.zeros(N_SAMPLES, 4, 3)
    messages = v[:, edges.edge_src] * g
    total.index_add_(1, edges.edge_dst, messages)
    torch.testing.assert_close(found.mean, total.mean(0), atol=0.02, rtol=0)
    torch.testing.assert_close(found.variance, total.var(0), atol=0.01, rtol=0.05)
    assert not found.variance[3].any()


def network() -> PropagatedNetwork:
    config = NetworkConfig(
        n_layers=2,
        d_h=16,
        d_e=8,
        d_ffn=16,
        d_c=8,
        d_head=16,
        nuclei=("13C",),
        shift_mean_ppm=(100.0,),
        shift_scale_ppm=(50.0,),
        solvent_dim=SOLVENT_DIM,
        solvents=(),
        sources=(),
    )
    return PropagatedNetwork(config).eval()


def test_answers_do_not_depend_on_the_batch_and_doubt_reaches_every_layer() -> None:
    net = network()
    graphs = [mol_graph(parse(text).mol, preset("v1")) for text in ("CCO", "c1ccncc1", "C")]
    together = net.encode(batch_tensors(batch_graphs(graphs)))
    apart = torch.cat([net.encode(batch_tensors(batch_graphs([graph]))) for graph in graphs])
    torch.testing.assert_close(together, apart, atol=1e-5, rtol=1e-5)
    mean, logs = net.read_out("13C", together, torch.zeros(1, 8))
    labels = mean.detach() + 0.1
    loss = propagated_likelihood(mean, logs, labels, torch.ones(len(mean)), Optimisation())
    loss.backward()
    gradients = {name: p.grad for name, p in net.named_parameters() if "log_" in name}
    silent = {name for name, grad in gradients.items() if grad is None or not grad.any()}
    assert len(gradients) > 10
    assert not silent


def test_a_label_of_half_the_trust_has_twice_the_variance() -> None:
    logs = torch.tensor([[-30.0, -2.0]])
    full, half = (log_laplace_scale(logs, torch.tensor([w])) for w in (1.0, 0.5))
    assert float(torch.exp(2 * (half - full))) == pytest.approx(2.0)
    variance = 2 * torch.exp(2 * full)
    assert float(variance) == pytest.approx(np.exp(-2.0), rel=1e-5)


def test_pinball_finds_the_quantiles() -> None:
    observed = torch.distributions.Exponential(1.0).sample((4000,))
    logs = torch.zeros(1, 2 * len(LEVELS), requires_grad=True)
    median = observed.median().expand(4000)
    optimiser = torch.optim.Adam([logs], lr=0.03)
    for _ in range(400):
        optimiser.zero_grad()
        spread = logs.expand(4000, -1)
        loss = pinball(median, spread, observed, torch.ones(4000), Optimisation()) / 4000
        loss.backward()
        optimiser.step()
    below, above = reaches(logs.detach())
    for column, level in enumerate(LEVELS):
        low, high = torch.quantile(observed, torch.tensor([(1 - level) / 2, (1 + level) / 2]))
        assert float(median[0] - below[0, column]) == pytest.approx(float(low), abs=0.05)
        assert float(median[0] + above[0, column]) == pytest.approx(float(high), rel=0.05)


def answers(n: int, spread: float = 1.0) -> Spread:
    rng = np.random.default_rng(n)
    scale = rng.uniform(0.5, 3.0, n)
    reach = np.repeat(scale[:, None], len(LEVELS), axis=1)
    shift = rng.normal(size=n)
    labels = np.zeros(n, dtype=np.int64)
    observed = shift + spread * scale * rng.laplace(size=n)
    return Spread(np.arange(n), labels, observed, shift, reach, reach)


def test_calibrated_intervals_hold_and_widths_order_errors() -> None:
    factors = fit_factors(answers(20_001, spread=2.0))
    found = scores(answers(20_000, spread=2.0), factors)
    for held, level in zip(found.held, LEVELS, strict=True):
        assert held == pytest.approx(level, abs=0.02)
    assert factors.laplace == pytest.approx(2.0, rel=0.05)
    assert factors.interval[0] == pytest.approx(2.0 * np.log(2), rel=0.06)
    assert found.rank_correlation > 0.2
    assert found.kept_mae_ppm < found.mae_ppm
    blurred = answers(20_000, spread=2.0)
    even = float(blurred.scale_ppm.mean()) + 1e-6 * blurred.below_ppm
    flat = Spread(blurred.mol, blurred.nucleus, blurred.observed_ppm, blurred.shift_ppm, even, even)
    assert scores(flat, fit_factors(flat)).log_loss > found.log_loss


def test_the_shipped_criterion_ignores_the_mean() -> None:
    mean = torch.randn(4, requires_grad=True)
    sure = torch.zeros(4, requires_grad=True)
    laplace_likelihood(mean, sure, torch.zeros(4), torch.ones(4), Optimisation()).backward()
    assert mean.grad is None
    assert sure.grad is not None


@pytest.fixture
def comparison(tmp_path: Path) -> Comparison:
    rows = list(records(SMILES))
    for name in {name for name, _ in (*TRAINING, *TESTS)}:
        chosen = rows[::2] if name.endswith("test") else rows
        path = tmp_path / "data" / f"{name}.jsonl.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        with gzip.open(path, "wt", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in chosen)
    (tmp_path / "data" / "test_connectivities.json").write_text("[]")
    setting = Setting(
        Library(tmp_path / "data"),
        tmp_path / "out",
        lambda _: None,
        NetworkShape(n_layers=1, d_h=16, d_e=8, d_ffn=16, d_c=8, d_head=16),
        Optimisation(epochs=1, batch_atoms=300, bfloat16=False),
    )
    return Comparison(setting, quiet=True)


def test_every_method_is_trained_calibrated_and_kept(
    comparison: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = list(comparison.run(list(METHODS)))
    assert [(item.method, item.test) for item in found] == [
        (method, test) for method in METHODS for test, _ in TESTS
    ]
    assert all(np.isfinite([item.scores.mae_ppm, *item.scores.width_ppm]).all() for item in found)
    widths = {item.method: item.scores.width_ppm for item in found if item.test == TESTS[0][0]}
    assert len(set(widths.values())) == len(METHODS)
    costs = {item.method: item.cost for item in found}
    assert costs["dropout"] > 4 * costs["variance"]
    monkeypatch.setattr(Comparison, "train", lambda *_: pytest.fail("trained again"))
    assert list(comparison.run(list(METHODS))) == found
