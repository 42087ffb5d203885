"""Any input to a checked molecule whose atoms keep the order of the input."""

from dataclasses import dataclass
from typing import Final

from nmrshift.chem.inchi import mol_from_inchi, write_molblock
from nmrshift.chem.molblock import forget_unknown_stereo, mol_from_molblock
from nmrshift.chem.policy import DEFAULT_LIMITS, Graph, Limits, check_graph, check_no_query
from nmrshift.chem.smiles import ASCII_SPACE, check_smiles, explain
from nmrshift.chem.table import matches
from nmrshift.chem.toolkit import Chem, atoms_of, quiet
from nmrshift.errors import InvalidTextError, ParseError
from nmrshift.types import Notice, StructureKind


@dataclass(frozen=True, slots=True)
class ParsedMol:
    """A molecule ready for prediction.

    Attributes:
        mol: sanitised RDKit molecule, our own copy: atoms in the order of the **input**, written
            hydrogens kept as atoms, stereo assigned, no atom map numbers, no conformer.
        text: the input as given; canonical SMILES for an RDKit ``Mol``.
        kind: how the input was read.
        atom_maps: map number of each atom as written, 0 for none.
        notices: what the user should know about the reading.
        molblock: the molblock whose atom order is used, where that of ``text`` is another: for
            InChI, which has none, and for a ``Mol`` not in the order of its canonical SMILES.
    """

    mol: Chem.Mol
    text: str
    kind: StructureKind
    atom_maps: tuple[int, ...]
    notices: tuple[Notice, ...] = ()
    molblock: str | None = None


_TRIMMED: Final = Notice("text_trimmed", "Whitespace around the text was removed.")
_MIXTURE: Final = Notice("mixture", "More than one fragment; every one is predicted on its own.")
_REWRITTEN: Final = Notice(
    "rewritten", "RDKit rewrote the charges (for example N(=O)=O as [N+](=O)[O-])."
)
_ORDER: Final = Notice(
    "generated_order", "InChI has no atom order; atoms are numbered as in the molblock returned."
)


def parse(
    structure: "str | Chem.Mol",
    *,
    kind: StructureKind | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> ParsedMol:
    """Read one molecule; output atom order = input atom order.

    Args:
        structure: SMILES (mapped or not), InChI, V2000 or V3000 molblock, or an RDKit ``Mol``,
            which is copied and never changed.
        kind: what the text is; ``None`` finds out.
        limits: what is refused.

    Returns:
        The molecule with notices on what was trimmed, ignored or generated.

    Raises:
        InvalidTextError: the text is not one molecule's SMILES, InChI or molblock.
        ParseError: it breaks the rules of its format, or of valence.
        TooLargeError: above the limits.
        UnsupportedElementError: elements outside the limits, dummy or query atoms, polymers.
        NoTargetAtomsError: no atom other than hydrogen.
    """
    if isinstance(structure, Chem.Mol):
        if kind not in (None, "mol"):
            raise InvalidTextError(f"an RDKit Mol was given as {kind}")
        with quiet():
            return _parse_mol(structure, limits)
    if not isinstance(structure, str):
        raise InvalidTextError(f"text or an RDKit Mol expected, not {type(structure).__name__}")
    kind = sniff(structure) if kind is None else kind
    with quiet():
        if kind == "smiles":
            return _parse_smiles(structure, limits)
        if kind == "inchi":
            return _parse_inchi(structure, limits)
        if kind == "molblock":
            return _parse_molblock(structure, limits)
    raise InvalidTextError(f"text cannot be read as {kind}")


def sniff(text: str) -> StructureKind:
    """Return the kind of a text by its marks: InChI prefix, molblock lines, else SMILES."""
    if text[:100].lstrip(ASCII_SPACE).startswith("InChI="):
        return "inchi"
    if "M  END" in text or "V2000" in text or "V3000" in text:
        return "molblock"
    return "smiles"


def _smiles_params() -> Chem.SmilesParserParams:
    params = Chem.SmilesParserParams()
    for switch in ("sanitize", "removeHs", "parseName", "allowCXSMILES"):
        setattr(params, switch, False)
    return params


_SMILES_PARAMS: Final = _smiles_params()


def _parse_smiles(given: str, limits: Limits) -> ParsedMol:
    text = given.strip(ASCII_SPACE)
    check_smiles(text, limits)
    mol = Chem.MolFromSmiles(text, _SMILES_PARAMS)
    if mol is None:
        raise ParseError(explain(text))
    graph = check_graph(mol, limits, connected="." not in text)
    maps = _take_maps(mol) if ":" in text else (0,) * mol.GetNumAtoms()
    notices = [_TRIMMED] if len(text) < len(given) else []
    stereo = "@" in text or "/" in text or "\\" in text
    notices += _complete(mol, graph, stereo=stereo, charges="[" in text)
    return ParsedMol(mol, given, "smiles", maps, tuple(notices))


def _parse_inchi(given: str, limits: Limits) -> ParsedMol:
    text = given.strip(ASCII_SPACE)
    mol = mol_from_inchi(text, limits)
    notices = [_TRIMMED] if len(text) < len(given) else []
    notices += [_ORDER, *_complete(mol, check_graph(mol, limits))]
    maps = (0,) * mol.GetNumAtoms()
    return ParsedMol(mol, given, "inchi", maps, tuple(notices), write_molblock(mol))


def _parse_molblock(given: str, limits: Limits) -> ParsedMol:
    mol, found = mol_from_molblock(given, limits)
    maps = _take_maps(mol)
    notices = [*found, *_complete(mol, check_graph(mol, limits))]
    return ParsedMol(mol, given, "molblock", maps, tuple(notices))


def _parse_mol(given: Chem.Mol, limits: Limits) -> ParsedMol:
    mol = Chem.Mol(given)
    graph = check_graph(mol, limits)
    check_no_query(mol, limits)
    maps = _take_maps(mol)
    mol.RemoveAllConformers()
    forget_unknown_stereo(mol)
    notices = _complete(mol, graph)
    text = Chem.MolToSmiles(mol)
    order = list(mol.GetPropsAsDict(True, True)["_smilesAtomOutputOrder"])
    molblock = None if order == sorted(order) else write_molblock(mol)
    return ParsedMol(mol, text, "mol", maps, tuple(notices), molblock)


def _take_maps(mol: Chem.Mol) -> tuple[int, ...]:
    """Return the map numbers and clear them, so that they cannot change any feature."""
    maps = tuple(atom.GetAtomMapNum() for atom in atoms_of(mol))
    for index, number in enumerate(maps):
        if number:
            mol.GetAtomWithIdx(index).SetAtomMapNum(0)
    return maps


_REWRITTEN_ATOM: Final = Chem.MolFromSmarts("[#7,#15,#17,#35,#53;!+0]")
"""A charge on one of the elements whose five-valent writings RDKit turns into charges."""


def _complete(
    mol: Chem.Mol, graph: Graph, *, stereo: bool = True, charges: bool = True
) -> list[Notice]:
    """Sanitise and assign stereo in place; return the notices this gives rise to.

    Args:
        mol: the molecule.
        graph: what its check counted.
        stereo: whether it can hold any; without marks in its text there is nothing to assign.
        charges: whether it can hold any as written.
    """
    charged = matches(mol, _REWRITTEN_ATOM) if charges else []
    try:
        Chem.SanitizeMol(mol)
        if stereo:
            Chem.AssignStereochemistry(mol, cleanIt=True, force=True)
    except (ValueError, RuntimeError) as error:
        raise ParseError(str(error).strip().splitlines()[0]) from None
    notices = [_MIXTURE] if graph.n_fragments > 1 else []
    if not set(matches(mol, _REWRITTEN_ATOM)) <= set(charged):
        notices.append(_REWRITTEN)
    return notices
