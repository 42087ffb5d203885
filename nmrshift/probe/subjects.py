"""What is judged: an encoder folder, a model's encoder, or fresh weights."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import torch
from pydantic import ValidationError
from torch import Tensor

from nmrshift.errors import ConfigError
from nmrshift.model.artifact import load_artifact
from nmrshift.model.encoder import Encoder, EncoderConfig
from nmrshift.model.encoder_artifact import is_encoder, load_encoder
from nmrshift.train.settings import read_toml

Kind = Literal["random", "encoder", "model"]

RANDOM: Final = "random"


@dataclass(frozen=True, slots=True)
class Subject:
    """An encoder on its way to the judge.

    Attributes:
        label: what it is called in tables; names its result.
        kind: fresh weights, a pretrained encoder, or the encoder of a trained model.
        identity: name, version and hash of its folder; the shape of fresh weights.
        config: its shape.
        state: its weights; ``None`` draws them by the seed.
    """

    label: str
    kind: Kind
    identity: str
    config: EncoderConfig
    state: dict[str, Tensor] | None

    def encoder(self, seed: int) -> Encoder:
        """Return the encoder; fresh weights are those of the seed."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            encoder = Encoder(self.config)
        if self.state is not None:
            encoder.load_state_dict(self.state, strict=True)
        return encoder.eval()


def find_subject(text: str, like: Path | None) -> Subject:
    """Find what a command's argument means.

    Args:
        text: ``random``, or an encoder or model folder; a label and ``=`` may stand in front.
        like: what has the shape of fresh weights: an encoder or model folder, or a configuration
            with a table ``network``; without it the default shape.

    Raises:
        ArtifactError: the folder holds neither encoder nor model, or a damaged one.
        ConfigError: the configuration has no such table, or the model is of another architecture.
    """
    label, equals, where = text.partition("=")
    if not equals:
        label, where = "", text
    if where == RANDOM:
        config = _shape(like) if like else EncoderConfig()
        return Subject(label or RANDOM, "random", _shape_name(config), config, None)
    folder = Path(where)
    if is_encoder(folder):
        artifact = load_encoder(folder)
        name = f"{artifact.card.name}-{artifact.card.version}"
        return _of(label or name, "encoder", f"{name}+{artifact.sha256[:8]}", artifact.encoder)
    model = load_artifact(folder)
    if model.network.config.architecture != "gated":
        raise ConfigError(
            f"{folder} is of the architecture {model.network.config.architecture!r}",
            hint="Encoders are judged of models of the architecture 'gated'.",
        )
    return _of(label or model.card.name, "model", model.identity, model.network)


def _of(label: str, kind: Kind, identity: str, network: Encoder) -> Subject:
    config = _config(network.config.model_dump())
    names = Encoder(config).state_dict().keys()
    state = {name: value for name, value in network.state_dict().items() if name in names}
    return Subject(label, kind, identity, config, state)


def _shape(like: Path) -> EncoderConfig:
    if like.is_dir():
        return find_subject(str(like), None).config
    values = read_toml(like).get("network")
    if not isinstance(values, dict):
        raise ConfigError(f"{like} has no table 'network'")
    return _config(values)


def _config(values: dict[str, Any]) -> EncoderConfig:
    """Read the shape of an encoder from settings that say more."""
    fields = EncoderConfig.model_fields
    try:
        return EncoderConfig.model_validate(
            {name: value for name, value in values.items() if name in fields}, strict=False
        )
    except ValidationError as error:
        raise ConfigError(f"network: {error.errors()[0]['msg']}") from None


def _shape_name(config: EncoderConfig) -> str:
    return f"{config.n_layers} layers, {config.d_h}/{config.d_e}/{config.d_ffn}, {config.features}"
