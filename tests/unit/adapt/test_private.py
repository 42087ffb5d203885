"""Private learning: clipping, noise and accounting against independent calculation."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from laboratory import LAB, records_of, shifts, write_lines
from scipy import integrate, optimize, stats

from nmrshift import Predictor
from nmrshift.adapt.private import rounds
from nmrshift.adapt.private.ledger import Budget, Ledger, epsilon_of, noise_for
from nmrshift.adapt.private.mechanism import clipped, noisy_mean, takes_part
from nmrshift.adapt.private.run import PrivacySettings, adapt_private
from nmrshift.cli.app import main
from nmrshift.errors import ConfigError, NmrshiftError
from nmrshift.model.artifact import load_artifact

OFFSET_PPM = 12.0


def gaussian_delta(epsilon: float, mu: float) -> float:
    """Exact for a Gaussian mechanism (Balle & Wang, arXiv 1805.06530)."""
    near = stats.norm.cdf(mu / 2 - epsilon / mu)
    return float(near - np.exp(epsilon) * stats.norm.cdf(-mu / 2 - epsilon / mu))


def sampled_delta(epsilon: float, noise: float, rate: float) -> float:
    """One round, by integration: the larger of adding and of removing a contributor."""

    def without(x: float) -> float:
        return float(stats.norm.pdf(x, 0, noise))

    def mixed(x: float) -> float:
        return float((1 - rate) * without(x) + rate * stats.norm.pdf(x, 1, noise))

    def beyond(first: Any, second: Any) -> float:
        found, _ = integrate.quad(
            lambda x: max(first(x) - np.exp(epsilon) * second(x), 0.0), -12, 13, limit=400
        )
        return float(found)

    return max(beyond(mixed, without), beyond(without, mixed))


@pytest.mark.parametrize(("noise", "n_rounds"), [(1.0, 1), (3.0, 10), (8.0, 60)])
def test_loss_is_never_understated(noise: float, n_rounds: int) -> None:
    """Rounds in which all take part are one Gaussian mechanism, whose loss is known exactly."""
    mu = n_rounds**0.5 / noise
    exact = optimize.brentq(lambda e: gaussian_delta(e, mu) - 1e-5, 0.01, 100)
    stated = epsilon_of(noise, 1.0, n_rounds, 1e-5)
    assert exact <= stated <= 1.3 * exact


@pytest.mark.parametrize(("noise", "rate"), [(1.0, 0.5), (0.8, 0.1), (2.0, 0.5)])
def test_loss_of_a_sampled_round_is_never_understated(noise: float, rate: float) -> None:
    stated = epsilon_of(noise, rate, 1, 1e-4)
    assert sampled_delta(stated, noise, rate) <= 1e-4
    assert stated < epsilon_of(noise, 1.0, 1, 1e-4)


def test_noise_is_enough_and_not_much_more() -> None:
    for epsilon in (2.0, 8.0):
        budget = Budget(epsilon, 1e-5)
        noise = noise_for(budget, 0.5, 60)
        assert 0.97 * epsilon < epsilon_of(noise, 0.5, 60, 1e-5) <= epsilon


def test_the_ledger_stops_at_the_limit() -> None:
    ledger = Ledger(Budget(3.0, 1e-5), noise_multiplier=4.0, rate=0.5)
    while ledger.allows_another():
        ledger.enter()
    assert 10 < ledger.n_rounds < 1000
    assert ledger.epsilon <= 3.0 < epsilon_of(4.0, 0.5, ledger.n_rounds + 1, 1e-5)
    with pytest.raises(ConfigError, match="spent"):
        ledger.enter()
    assert Ledger(Budget(3.0, 1e-5), 4.0, 0.5).epsilon == 0.0


@pytest.mark.parametrize(
    ("epsilon", "delta"), [(0.0, 1e-5), (np.nan, 1e-5), (8.0, 0.0), (8.0, 0.5)]
)
def test_budgets_out_of_range(epsilon: float, delta: float) -> None:
    with pytest.raises(ConfigError, match="out of range"):
        Budget(epsilon, delta)


def test_updates_are_clipped() -> None:
    rng = np.random.default_rng(1)
    for update in rng.normal(size=(50, 8)) * np.logspace(-3, 3, 50)[:, None]:
        found = clipped(update, 0.7)
        length = float(torch.linalg.vector_norm(torch.from_numpy(update)))
        assert found == pytest.approx(update * (1 if length <= 0.7 else 0.7 / length))
    assert clipped(np.array([np.inf, 1.0]), 1.0).tolist() == [0.0, 0.0]
    assert clipped(np.array([np.nan, 1.0]), 1.0).tolist() == [0.0, 0.0]
    assert clipped(np.zeros(3), 1.0).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("n_updates", [0, 3])
def test_noise_is_gaussian_and_as_wide_as_said(n_updates: int) -> None:
    """Standard deviation: noise multiplier times clip norm over the expected number."""
    updates = [np.full(20_000, 1.0)] * n_updates
    rng = np.random.default_rng(2)
    found = noisy_mean(updates, 20_000, 0.5, 3.0, 25.0, rng)
    middle = n_updates * 0.5 / 20_000**0.5 / 25.0
    assert stats.kstest((found - middle) / (3.0 * 0.5 / 25.0), "norm").pvalue > 0.01


def test_everyone_takes_part_with_the_same_chance() -> None:
    rng = np.random.default_rng(3)
    draws = [takes_part(40, 0.3, rng) for _ in range(2000)]
    counts = np.bincount([number for draw in draws for number in draw], minlength=40)
    assert stats.chisquare(counts).pvalue > 0.01
    assert np.mean([len(draw) for draw in draws]) == pytest.approx(12.0, abs=0.3)
    assert np.var([len(draw) for draw in draws]) == pytest.approx(8.4, rel=0.15)


def contributed(model: Path, n: int, offset_ppm: float = OFFSET_PPM) -> list[dict[str, Any]]:
    rows = records_of(Predictor.load(model), lambda _, shift: shift + offset_ppm)
    return [{**row, "source": f"lab-{number % n}"} for number, row in enumerate(rows)]


@pytest.fixture(scope="module")
def spectra(toy_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("contributed")
    return write_lines(folder / "all.jsonl", contributed(toy_model, 40))


def test_a_convention_is_learned_and_nothing_else(
    toy_model: Path, spectra: Path, tmp_path: Path
) -> None:
    privacy = PrivacySettings(Budget(50.0, 1e-3), n_rounds=80, rate=0.5)
    report = adapt_private(
        [spectra],
        tmp_path / "model",
        privacy,
        model=toy_model,
        settings=LAB,
        rng=np.random.default_rng(1),
    )
    (carbon,) = report.before_after
    assert carbon.mae_before_ppm == pytest.approx(OFFSET_PPM, abs=2.0)
    assert carbon.mae_after_ppm < 0.9 * carbon.mae_before_ppm
    assert report.n_contributors + report.n_held_out == 40
    assert report.epsilon <= 50.0
    assert shifts(tmp_path / "model") == shifts(toy_model)
    base, artifact = load_artifact(toy_model), load_artifact(tmp_path / "model")
    assert artifact.card.calibration == base.card.calibration
    assert artifact.card.training["adaptation"]["private"]["epsilon"] == report.epsilon
    assert artifact.card.sources[-1].n_molecules == 0
    same = (tmp_path / "model" / "evidence.safetensors").read_bytes()
    assert same == (toy_model / "evidence.safetensors").read_bytes()
    changed = [
        name
        for name, value in artifact.network.state_dict().items()
        if name != "conditioner.sources.weight"
        and not torch.equal(value, base.network.state_dict()[name])
    ]
    assert changed == []
    learned = artifact.network.conditioner.sources.weight
    assert torch.equal(learned[:-1], base.network.conditioner.sources.weight)
    assert "lab-" not in (tmp_path / "model" / "CARD.md").read_text()
    assert "lab-" not in (tmp_path / "model" / "model.json").read_text()


def test_without_its_own_draws_no_run_is_like_another(
    toy_model: Path, spectra: Path, tmp_path: Path
) -> None:
    """Noise comes from the system, never from the seed of the settings."""
    privacy = PrivacySettings(Budget(8.0, 1e-5), n_rounds=2)
    first, second = (
        adapt_private([spectra], tmp_path / name, privacy, model=toy_model, settings=LAB)
        for name in ("a", "b")
    )
    assert first.identity != second.identity


def test_an_update_is_the_gradient_of_a_contributor(
    toy_model: Path, monkeypatch: pytest.MonkeyPatch, spectra: Path, tmp_path: Path
) -> None:
    """Against a difference of losses; and no update comes from a held-out contributor."""
    seen: list[Any] = []
    plain = rounds.update_of

    def spy(network: Any, row: int, local: Any) -> Any:
        found = plain(network, row, local)
        seen.append((network, row, local, found))
        return found

    monkeypatch.setattr(rounds, "update_of", spy)
    privacy = PrivacySettings(Budget(8.0, 1e-5), n_rounds=1, rate=1.0)
    report = adapt_private([spectra], tmp_path / "m", privacy, model=toy_model, settings=LAB)
    assert len(seen) == report.n_contributors
    network, row, local, found = seen[0]
    losses = []
    for step in (-1e-2, 1e-2):
        with torch.no_grad():
            weight = network.conditioner.sources.weight
            before = weight[row].clone()
            weight[row] += step * torch.from_numpy(found / np.linalg.norm(found)).float()
            losses.append(
                float(
                    rounds.encoded_loss(
                        network, local.h, local.targets, local.table, rounds._LOSS, 1.0
                    )
                )
            )
            weight[row] = before
    slope = (losses[1] - losses[0]) / 2e-2
    assert slope > 0


@pytest.mark.parametrize(("n", "words"), [(1, "one contributor"), (9, "9 contributors")])
def test_who_cannot_be_hidden(toy_model: Path, tmp_path: Path, n: int, words: str) -> None:
    path = write_lines(tmp_path / "all.jsonl", contributed(toy_model, n))
    privacy = PrivacySettings(Budget(8.0, 1e-5), n_rounds=1)
    with pytest.raises(NmrshiftError, match=words) as caught:
        adapt_private([path], tmp_path / "model", privacy, model=toy_model, settings=LAB)
    assert caught.value.code == "too_few_contributors"
    assert not (tmp_path / "model").exists()


def test_the_command(toy_model: Path, tmp_path: Path) -> None:
    table = tmp_path / "all.csv"
    lines = ["smiles,who,13C"]
    for row in contributed(toy_model, 30):
        cells = "; ".join(f"{atom}:{shift:.2f}" for atom, shift in row["shifts"])
        lines.append(f"{row['smiles']},{row['source']},{cells}")
    table.write_text("\n".join(lines) + "\n")
    line = ["adapt", str(table), "--out", str(tmp_path / "model"), "--model", str(toy_model)]
    line += ["--private", "--epsilon", "8", "--delta", "1e-5"]
    refused = CliRunner().invoke(main, line)
    assert refused.exit_code == 1
    assert "one contributor" in refused.stderr
    missing = CliRunner().invoke(main, [*line, "--contributor-column", "lab"])
    assert "no column 'lab'" in missing.stderr
    done = CliRunner().invoke(main, [*line, "--contributor-column", "who", "--json"])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert 7.5 < report["epsilon"] <= 8.0
    assert CliRunner().invoke(main, [*line[:6], "--contributor-column", "who"]).exit_code == 2
