"""Objectives of pretraining, a module each, behind one interface."""

from torch import nn

from nmrshift.model.encoder import EncoderConfig
from nmrshift.pretrain.config import PretrainConfig
from nmrshift.pretrain.objectives.base import Objective
from nmrshift.pretrain.objectives.chemistry import ChemistryTargets
from nmrshift.pretrain.objectives.contrast import ObjectContrast
from nmrshift.pretrain.objectives.generation import TwoModalities
from nmrshift.pretrain.objectives.hierarchy import MaskedHierarchy
from nmrshift.pretrain.objectives.shifts import ComputedShiftTargets


def build_objectives(config: PretrainConfig, shape: EncoderConfig) -> nn.ModuleDict:
    """Make the objectives that a run names, by name."""
    wanted = config.objectives
    made: dict[str, Objective] = {}
    if wanted.chemistry is not None:
        made["chemistry"] = ChemistryTargets(shape, wanted.chemistry)
    if wanted.hierarchy is not None:
        made["hierarchy"] = MaskedHierarchy(shape, wanted.hierarchy)
    if wanted.contrast is not None:
        made["contrast"] = ObjectContrast(shape, wanted.contrast)
    if wanted.generation is not None:
        made["generation"] = TwoModalities(shape, wanted.generation)
    if wanted.shifts is not None:
        made["shifts"] = ComputedShiftTargets(shape, wanted.shifts)
    return nn.ModuleDict(made)
