"""``nmrshift pretrain``: an encoder folder that ``nmrshift train`` starts from."""

from pathlib import Path

from click.testing import CliRunner
from structures import write_pretraining

from nmrshift.cli.app import main
from nmrshift.model.encoder_artifact import load_encoder

CHEMISTRY = "[objectives.chemistry]\nenvironment_buckets = 64"


def test_pretraining_writes_an_encoder_and_resumes(tmp_path: Path) -> None:
    config = write_pretraining(tmp_path, CHEMISTRY, epochs=1)
    command = ["pretrain", str(config), "--out", str(tmp_path / "run"), "--quiet"]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0, done.stderr
    folder = tmp_path / "run" / "encoder"
    assert done.stdout.strip() == str(folder)
    card = load_encoder(folder).card
    assert card.sources[0].n_molecules > 50
    assert "chemistry" in card.training["objectives"]
    assert "molecules, " in done.stderr
    again = CliRunner().invoke(main, command)
    assert again.exit_code != 0
    assert "--resume" in again.stderr
    resumed = CliRunner().invoke(main, [*command, "--resume"])
    assert resumed.exit_code == 0, resumed.stderr


def test_a_wrong_configuration_is_an_error_in_words(tmp_path: Path) -> None:
    config = write_pretraining(tmp_path, "[objectives]")
    done = CliRunner().invoke(main, ["pretrain", str(config)])
    assert done.exit_code != 0
    assert "needs an objective" in done.stderr
