"""The card of an adapted model, in words."""

from nmrshift.adapt.report import BeforeAfter
from nmrshift.model.artifact import ModelCard

_TEMPLATE = """\
# {name} {version}

`{base}` adapted to the spectra of one laboratory. `--source {source}` asks for the laboratory's
reference convention; without it the general one is answered, as by the base.

Chosen way: {way}. Verdict on held-out molecules: {verdict}. {reason}

| nucleus | held-out shifts | of them listed | MAE before, ppm | after | median before | after |
|---|---|---|---|---|---|---|
{rows}

Held-out molecules share no connectivity with those learned from. They chose the way (a freer one
only for a clear gain) and, where there were enough, calibrate the intervals, so these figures are
no independent test.

## Learned from

{n_spectra} spectra of {n_molecules} molecules, {n_held_out} of which were held out.

The base was trained on:

{sources}

`evidence.safetensors` keeps measured shifts of the laboratory, with the names of their records,
beside the hashed environment of their atom. Whoever gets this folder can read them, and weights
that learned from few spectra may give away more: share it as you would share the spectra.

## Limits

Those of the base, which its own card names. Intervals of nuclei that were calibrated anew
({recalibrated}) hold for molecules like the laboratory's.
"""


def adapted_card_text(
    card: ModelCard, before_after: tuple[BeforeAfter, ...], recalibrated: tuple[str, ...]
) -> str:
    """Return the card as Markdown.

    Args:
        card: of the adapted model; ``card.training["adaptation"]`` says how it came about.
        before_after: errors on held-out molecules.
        recalibrated: nuclei whose intervals were calibrated anew.
    """
    told = card.training["adaptation"]
    return _TEMPLATE.format(
        name=card.name,
        version=card.version,
        base=told["base"],
        source=told["name"],
        way=told["way"],
        verdict=told["verdict"],
        reason=told["reason"],
        rows="\n".join(
            f"| {row.nucleus} | {row.n_shifts} | {row.n_listed} | {row.mae_before_ppm:.3f} "
            f"| {row.mae_after_ppm:.3f} | {row.median_before_ppm:.3f} "
            f"| {row.median_after_ppm:.3f} |"
            for row in before_after
        ),
        n_spectra=told["n_spectra"],
        n_molecules=told["n_molecules"],
        n_held_out=told["n_held_out"],
        sources="\n".join(
            f"- {source.name}: {source.n_molecules:,} molecules, {source.licence}"
            for source in card.sources[:-1]
        ),
        recalibrated=", ".join(recalibrated) or "none",
    )
