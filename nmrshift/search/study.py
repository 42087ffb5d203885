"""The study: what to try next, by optuna, on disk so that a killed search goes on.

Two objectives, error after fine-tuning and molecules a second, by the tree-structured Parzen
estimator (Bergstra et al. 2011) in its form for several objectives (Ozaki et al., doi
10.1145/3377930.3389817). Comparing architectures by what a short pretraining without labels and a
few labels make of them follows the idea of self-supervised neural architecture search (Nguyen &
Chang, arXiv 2007.01500), whose ranking is only as good as ``nmrshift.search.check`` finds it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nmrshift.benchmark.spectra import Library
from nmrshift.errors import ConfigError
from nmrshift.io.extras import load_extra
from nmrshift.pretrain.config import PretrainConfig, load_pretrain_config
from nmrshift.probe.run import Judge
from nmrshift.probe.settings import ProbeSettings
from nmrshift.probe.spectra import judging_spectra
from nmrshift.search.config import SearchConfig, name_of, shape_of
from nmrshift.search.trial import MEASURED, Measured, is_beaten, measure, read_measured

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import Trial

STUDY: Final = "study.db"
ARCHITECTURES: Final = "architectures"
_IDENTITY: Final = "identity"
_FOLDER: Final = "folder"


def run_search(
    config: SearchConfig, folder: Path, report: Callable[[str], None]
) -> dict[str, Measured]:
    """Search until enough architectures are finished or given up.

    Args:
        config: the search.
        folder: of the study, its architectures and all that is measured of them.
        report: told in words how it goes.

    Returns:
        What is known of every architecture tried, by name.

    Raises:
        MissingExtraError: optuna is not installed.
        ConfigError: the folder's study was made with another pretraining or scoring.
    """
    study = _open(config, folder)
    pretraining = load_pretrain_config(config.pretraining)
    n_left = config.trials - len(_finished(study))
    if n_left > 0:
        judge = _judge(config, pretraining, report)
        for _ in range(n_left):
            _try_one(config, study, pretraining, judge, folder, report)
    return results(folder)


def results(folder: Path) -> dict[str, Measured]:
    """Return what is known of every architecture of a search's folder, by name."""
    paths = sorted((folder / ARCHITECTURES).glob(f"*/{MEASURED}"))
    return {path.parent.name: read_measured(path) for path in paths}


def _open(config: SearchConfig, folder: Path) -> "Study":
    """Open the study; trials that a kill cut off are tried again first."""
    optuna = load_extra("optuna", "search")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder.mkdir(parents=True, exist_ok=True)
    study: Study = optuna.create_study(
        study_name=config.name,
        storage=f"sqlite:///{(folder / STUDY).resolve()}",
        load_if_exists=True,
        directions=["minimize", "maximize"],
    )
    if study.user_attrs.get(_IDENTITY, config.identity) != config.identity:
        raise ConfigError(
            f"{folder} holds a study with another pretraining or scoring",
            hint="Name another folder.",
        )
    study.set_user_attr(_IDENTITY, config.identity)
    states = optuna.trial.TrialState
    for trial in study.get_trials(states=(states.RUNNING,)):
        study.tell(trial.number, state=states.FAIL)
        if trial.params:
            study.enqueue_trial(trial.params)
    # a seed for each session: the same one again would try the same again
    study.sampler = optuna.samplers.TPESampler(seed=config.seed + 1000 * len(study.trials))
    return study


def _try_one(
    config: SearchConfig,
    study: "Study",
    pretraining: PretrainConfig,
    judge: Judge,
    folder: Path,
    report: Callable[[str], None],
) -> None:
    """Ask for an architecture, measure it and tell what came out."""
    states = load_extra("optuna", "search").trial.TrialState
    trial: Trial = study.ask()
    settings = {
        name: trial.suggest_categorical(name, list(choices))
        for name, choices in config.space.choices().items()
    }
    shape = shape_of(settings, pretraining.network.features)
    name = name_of(shape)
    trial.set_user_attr(_FOLDER, name)
    rivals = [value for key, value in results(folder).items() if key != name and value.tuned_ppm]
    try:
        found = measure(
            shape,
            pretraining,
            judge,
            config.scoring,
            lambda known: is_beaten(known, rivals, config.pruning),
            folder / ARCHITECTURES / name,
            report,
        )
    except ArithmeticError as error:
        report(f"{name}: {error}")
        study.tell(trial, state=states.FAIL)
        return
    if found.tuned_ppm is None or found.molecules_per_second is None:
        report(f"{name}: given up")
        study.tell(trial, state=states.PRUNED)
    else:
        report(f"{name}: {found.tuned_ppm:.2f} ppm")
        study.tell(trial, (found.tuned_ppm, found.molecules_per_second))


def _finished(study: "Study") -> list[object]:
    states = load_extra("optuna", "search").trial.TrialState
    return list(study.get_trials(states=(states.COMPLETE, states.PRUNED)))


def _judge(
    config: SearchConfig, pretraining: PretrainConfig, report: Callable[[str], None]
) -> Judge:
    spectra = judging_spectra(Library(config.data), pretraining.network.features, report)
    scoring = config.scoring
    settings = ProbeSettings(fine_tuning=scoring.fine_tuning, linear=scoring.linear)
    return Judge.of(spectra, settings, report)
