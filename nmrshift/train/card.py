"""The model card: what a model was made from and what may be expected of it, in words."""

from nmrshift.model.artifact import ModelCard

_TEMPLATE = """\
# {name} {version}

Predicts {nuclei} chemical shifts (ppm) of small molecules from structure and solvent:
{networks}, one head a nucleus.

| nucleus | training labels | unassigned peaks | held-out MAE, ppm | median, ppm | held-out labels |
|---|---|---|---|---|---|
{rows}

Labels are measured shifts on known atoms, and computed ones where a source below says so; of
unassigned peaks only the spectrum is known, and training assigns them by its own predictions.
Held-out molecules share no connectivity with training molecules. They calibrate the intervals, so
these figures are not a test; the tests are in `docs/benchmarks.md`.

## Trained on

{sources}

Molecules of the test sets, in any form, salt, solvent or nucleus, were left out by connectivity.
What was derived from nmrshiftdb2 is used under its licence, which asks for an OSI-approved licence
of the software that relies on it: nmrshift is under Apache-2.0.

`evidence.safetensors` keeps measured shifts beside the hashed environment of their atom and the
identifier of their record, without structures. It is derived from the sources above and stands
under their licences, which for nmrshiftdb2 means share-alike.

## Limits

- Fluorine labels are few; most were measured in CDCl3. Fluorine on other elements than carbon is
  rarer still and is flagged.
- Solvents without training spectra are placed by their descriptors.
- 1H is one value an atom: diastereotopic hydrogens on one carbon are not told apart.
- Intervals hold on molecules like those they were calibrated on.

## Made with

Features `{features}`, RDKit {rdkit} with the {ring_finder} ring finder, data {data}, run {run},
seed {seed}.
"""


def card_text(card: ModelCard) -> str:
    """Return the card as Markdown."""
    return _TEMPLATE.format(
        name=card.name,
        version=card.version,
        nuclei=", ".join(card.network["nuclei"]),
        networks=_networks(card.network.get("n_members", 1)),
        rows="\n".join(
            f"| {nucleus} | {card.training['n_labels'][nucleus]:,} "
            f"| {card.training['n_listed_peaks'][nucleus]:,} | {values['mae_ppm']:.2f} "
            f"| {values['median_ppm']:.2f} | {values['n_atoms']} |"
            for nucleus, values in card.metrics["held_out"].items()
        ),
        sources="\n".join(
            f"- {source.name}: {source.n_molecules:,} molecules, {source.licence}"
            for source in card.sources
        ),
        features=card.network["features"],
        rdkit=card.rdkit_version,
        ring_finder=card.ring_finder,
        data=card.training_data_sha256[:16],
        run=card.training["run_hash"][:16],
        seed=card.training["seed"],
    )


def _networks(n_members: int) -> str:
    if n_members == 1:
        return "one gated graph network"
    return f"the mean of {n_members} gated graph networks"


def data_licences(card: ModelCard) -> str:
    """Return sources and licences as plain text."""
    lines = [f"{source.name}: {source.licence}" for source in card.sources]
    head = "The weights and the evidence table of this model were derived from these sources:"
    tail = "The evidence table keeps single measured shifts and stands under these licences."
    return "\n".join([head, *lines, tail, ""])
