"""Every configuration that comes with the project can be read."""

from pathlib import Path

import pytest

from nmrshift.pretrain.config import load_pretrain_config
from nmrshift.search.config import load_search_config
from nmrshift.train.config import load_config

CONFIGS = Path(__file__).parents[2] / "configs"
LOADERS = {
    "base": load_config,
    "further": load_config,
    "student": load_config,
    "ship": load_config,
    "accurate": load_config,
    "search-train": load_config,
    "pretrain": load_pretrain_config,
    "pretrain-shifts": load_pretrain_config,
    "search-pretrain": load_pretrain_config,
    "search": load_search_config,
}


def test_all_of_them_are_read_here() -> None:
    assert {path.stem for path in CONFIGS.glob("*.toml")} == set(LOADERS)


@pytest.mark.parametrize("name", LOADERS)
def test_a_configuration_can_be_read(name: str) -> None:
    config = LOADERS[name](CONFIGS / f"{name}.toml")
    assert config.name
