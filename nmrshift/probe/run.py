"""Judge one encoder; what its result holds already is not done again."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from nmrshift.errors import ConfigError
from nmrshift.probe.batches import LabelledGraphs, cut, features
from nmrshift.probe.fine_tune import fine_tune
from nmrshift.probe.frozen import Features, linear_probe, neighbour_probe
from nmrshift.probe.result import (
    ChosenRate,
    Errors,
    FineTuned,
    FrozenProbe,
    ProbeResult,
    errors_of,
    errors_on_test,
    read_result,
    write_result,
)
from nmrshift.probe.settings import ProbeSettings
from nmrshift.probe.spectra import Spectra
from nmrshift.probe.subjects import Subject

_SCORED_ATOMS = 4000


@dataclass(frozen=True, slots=True)
class Judge:
    """The spectra, ready for any number of encoders of one feature preset.

    Attributes:
        spectra: of each nucleus that is judged by.
        tests: test molecules of each nucleus, in batches.
        pools: training molecules of each nucleus, in batches.
        settings: the same for every encoder.
        report: told in words how it goes.
    """

    spectra: Mapping[str, Spectra]
    tests: Mapping[str, Sequence[LabelledGraphs]]
    pools: Mapping[str, Sequence[LabelledGraphs]]
    settings: ProbeSettings
    report: Callable[[str], None]

    @classmethod
    def of(
        cls,
        spectra: Mapping[str, Spectra],
        settings: ProbeSettings,
        report: Callable[[str], None],
    ) -> "Judge":
        """Cut the molecules into batches, once for all encoders."""
        tests = {n: cut(s.dataset, s.test, _SCORED_ATOMS) for n, s in spectra.items()}
        pools = {n: cut(s.dataset, s.pool, _SCORED_ATOMS) for n, s in spectra.items()}
        return cls(spectra, tests, pools, settings, report)

    def run(
        self,
        subject: Subject,
        path: Path,
        *,
        nuclei: Sequence[str],
        sizes: Sequence[int | None],
        seeds: int,
    ) -> ProbeResult:
        """Judge an encoder, or go on with that.

        Args:
            subject: the encoder.
            path: file of its result.
            nuclei: what is predicted.
            sizes: spectra to fine-tune on; ``None`` is all. More than there are is left out.
            seeds: fine-tunings of each size, from seed 1.

        Raises:
            ConfigError: the file holds what was found of another encoder, or otherwise.
        """
        result = self._begin(subject, path)
        for nucleus in nuclei:
            if not any(probe.nucleus == nucleus for probe in result.frozen):
                self.report(f"{subject.label}: {nucleus}, frozen")
                found = self.frozen(subject, nucleus)
                result = result.model_copy(update={"frozen": (*result.frozen, *found)})
                write_result(path, result)
        cells = self._cells(nuclei, sizes, seeds)
        for nucleus, size in dict.fromkeys(cell[:2] for cell in cells):
            n_free = min(size, len(self.spectra[nucleus].not_held_out()))
            if all((r.nucleus, r.n_spectra) != (nucleus, n_free) for r in result.rates):
                chosen = self.chosen_rate(subject, nucleus, n_free)
                result = result.model_copy(update={"rates": (*result.rates, chosen)})
                write_result(path, result)
        for nucleus, size, seed in cells:
            if all(item.seed != seed for item in result.tuned(nucleus, size)):
                rate = result.encoder_rate(nucleus, size) or 1.0
                item = self.fine_tuned(subject, nucleus, size, seed, rate)
                result = result.model_copy(update={"fine_tuned": (*result.fine_tuned, item)})
                write_result(path, result)
                self.report(
                    f"{subject.label}: {nucleus}, {size} spectra, seed {seed}: "
                    f"{item.test.ordinary.mae_ppm:.2f} ppm, {item.seconds:.0f} s"
                )
        return result

    def features(self, subject: Subject, nucleus: str) -> Features:
        """Return frozen features of one nucleus' labelled atoms."""
        spectra, encoder = self.spectra[nucleus], subject.encoder(1)
        pool, held_out = features(encoder, self.pools[nucleus]), spectra.held_out()
        return Features(
            pool[torch.from_numpy(~held_out)],
            pool[torch.from_numpy(held_out)],
            features(encoder, self.tests[nucleus]),
            spectra.pool.of(~held_out),
            spectra.pool.of(held_out),
            spectra.test,
        )

    def frozen(self, subject: Subject, nucleus: str) -> tuple[FrozenProbe, ...]:
        """Probe frozen features of one nucleus, with and without normalisation."""
        parts = self.features(subject, nucleus)
        grid, numbers = self.settings.linear, self.settings.neighbours
        return tuple(
            probe
            for normalised in (True, False)
            for probe in (
                linear_probe(parts, grid, nucleus, normalised=normalised),
                neighbour_probe(parts, numbers, nucleus, normalised=normalised),
            )
        )

    def chosen_rate(self, subject: Subject, nucleus: str, size: int) -> ChosenRate:
        """Choose the share of the learning rate at which an encoder learns from some spectra."""
        grid = []
        for share in self.settings.fine_tuning.encoder_rates:
            found = self.held_out_error(subject, nucleus, size, 1, share)
            grid.append((share, found.mae_ppm))
            self.report(
                f"{subject.label}: {nucleus}, {size} spectra, encoder at {share:g} of the rate: "
                f"{found.mae_ppm:.2f} ppm on held-out spectra"
            )
        return ChosenRate(nucleus=nucleus, n_spectra=size, grid=tuple(grid))

    def fine_tuned(
        self, subject: Subject, nucleus: str, size: int, seed: int, encoder_rate: float = 1.0
    ) -> FineTuned:
        """Fine-tune on some spectra and measure on the test and on the other spectra."""
        began = time.monotonic()
        spectra, recipe = self.spectra[nucleus], self.settings.fine_tuning
        learned = spectra.chosen(size, seed)
        rest = spectra.unrelated(learned) & spectra.pool.ordinary
        training = cut(spectra.dataset, spectra.pool.of(learned), recipe.batch_atoms, seed)
        asked = [*self.tests[nucleus], *(self.pools[nucleus] if rest.any() else ())]
        predicted = fine_tune(subject.encoder(seed), training, asked, recipe, seed, encoder_rate)
        test, pool = np.split(predicted, [len(spectra.test)])
        return FineTuned(
            nucleus=nucleus,
            n_spectra=size,
            seed=seed,
            encoder_rate=encoder_rate,
            test=errors_on_test(spectra.test, test),
            rest=errors_of(np.abs(pool - spectra.pool.shift_ppm)[rest]) if rest.any() else None,
            seconds=round(time.monotonic() - began, 1),
        )

    def held_out_error(
        self, subject: Subject, nucleus: str, size: int, seed: int, encoder_rate: float = 1.0
    ) -> Errors:
        """Fine-tune on some spectra and measure on those that choices are made on, never the test.

        Args:
            subject: the encoder.
            nucleus: what is learned.
            size: spectra to learn from, none of them held out; at most all there are.
            seed: of their choice and of the run.
            encoder_rate: learning rate of the encoder in units of the head's.
        """
        spectra, recipe = self.spectra[nucleus], self.settings.fine_tuning
        learned = spectra.pool.of(spectra.chosen(size, seed, without_held_out=True))
        training = cut(spectra.dataset, learned, recipe.batch_atoms, seed)
        asked = spectra.pool.of(spectra.held_out() & spectra.pool.ordinary)
        batches = cut(spectra.dataset, asked, _SCORED_ATOMS)
        predicted = fine_tune(subject.encoder(seed), training, batches, recipe, seed, encoder_rate)
        return errors_of(np.abs(predicted - asked.shift_ppm))

    def _cells(
        self, nuclei: Sequence[str], sizes: Sequence[int | None], seeds: int
    ) -> list[tuple[str, int, int]]:
        cells = []
        for nucleus in nuclei:
            n_all = len(self.spectra[nucleus].records)
            wanted = {n_all if size is None else size for size in sizes}
            cells += [
                (nucleus, size, seed)
                for size in sorted(wanted)
                if size <= n_all
                for seed in range(1, seeds + 1)
            ]
        return cells

    def _begin(self, subject: Subject, path: Path) -> ProbeResult:
        fresh = ProbeResult(
            label=subject.label,
            kind=subject.kind,
            identity=subject.identity,
            encoder=subject.config,
            settings=self.settings,
            spectra={nucleus: item.fingerprint for nucleus, item in self.spectra.items()},
            pool_sizes={nucleus: len(item.records) for nucleus, item in self.spectra.items()},
        )
        if not path.exists():
            return fresh
        found = read_result(path)
        for name in ("identity", "encoder", "settings", "spectra"):
            if getattr(found, name) != getattr(fresh, name):
                raise ConfigError(
                    f"{path} was found with another {name}",
                    hint="Name another folder, or give the encoder another label.",
                )
        return found
