"""V2000 and V3000: what is read, and that nothing is dropped, cut or wrapped."""

import pytest
from hazards.generators import molblock, molblock_v3000
from rdkit.Chem import AllChem

from nmrshift.chem.parse import parse
from nmrshift.chem.toolkit import Chem
from nmrshift.errors import InvalidTextError, ParseError, TooLargeError, UnsupportedElementError

ETHANE_V3 = {"counts": "2 1 0 0 0", "atoms": ["1 C 0 0 0 0", "2 C 1 0 0 0"], "bonds": ["1 1 1 2"]}


def v3000(**changes):
    return molblock_v3000(**{**ETHANE_V3, **changes})


def codes(parsed):
    return [notice.code for notice in parsed.notices]


def embedded(smiles):
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    AllChem.EmbedMolecule(mol, randomSeed=7)
    return mol


@pytest.mark.parametrize(
    "smiles", ["C[C@H](F)Cl", "C/C=C/C", "C/C=C\\C", "c1ccncc1", "C[N+](=O)[O-]"]
)
@pytest.mark.parametrize("write", [Chem.MolToMolBlock, Chem.MolToV3KMolBlock])
def test_stereo_from_3d_and_2d(smiles, write):
    solid = parse(write(embedded(smiles)))
    assert codes(solid) == ["coordinates_ignored"]
    assert solid.mol.GetNumConformers() == 0
    assert Chem.MolToSmiles(Chem.RemoveHs(solid.mol)) == smiles
    flat = Chem.MolFromSmiles(smiles)
    AllChem.Compute2DCoords(flat)
    drawn = parse(write(flat))
    assert codes(drawn) == []
    assert Chem.MolToSmiles(drawn.mol) == smiles


def test_hydrogens_and_maps_are_kept():
    mol = Chem.AddHs(Chem.MolFromSmiles("[CH3:5]O"))
    parsed = parse(Chem.MolToMolBlock(mol))
    assert [a.GetSymbol() for a in parsed.mol.GetAtoms()] == ["C", "O", "H", "H", "H", "H"]
    assert parsed.atom_maps == (5, 0, 0, 0, 0, 0)


def test_crossed_bond_is_not_specified():
    zero = Chem.MolToMolBlock(Chem.MolFromSmiles("CC=CC"), includeStereo=False)
    bond = parse(zero).mol.GetBondWithIdx(1)
    assert bond.GetStereo() == Chem.BondStereo.STEREONONE


def test_header_lines_lost_or_doubled():
    block = molblock()
    assert codes(parse(block.lstrip("\n").removeprefix("  hazard\n\n"))) == ["header_repaired"]
    assert codes(parse("\n" + block)) == ["header_repaired"]
    assert codes(parse(block)) == []


def test_title_may_hold_anything_on_one_line():
    assert parse("\u00e9than\u00fc \ud800" + molblock()).mol.GetNumAtoms() == 2


def test_data_fields_are_left_out_with_a_notice():
    assert codes(parse(molblock() + "> <ID>\n5\n\n$$$$\n")) == ["data_ignored"]
    assert codes(parse(molblock() + "$$$$\n")) == []


def test_charges_isotopes_radicals_groups_are_read():
    extra = ["M  CHG  1   1   1", "M  ISO  1   2  13", "M  RAD  1   2   2", "M  STY  1   1 DAT",
             "M  SAL   1  1   1", "M  SDT   1 NOTE", "M  SED   1 text", "V    1 note"]  # fmt: skip
    first, second = parse(molblock(extra=extra)).mol.GetAtoms()
    assert first.GetFormalCharge() == 1
    assert (second.GetIsotope(), second.GetNumRadicalElectrons()) == (13, 1)


def test_v3000_options_and_continued_lines():
    atoms = ["1 C 0 0 0 0 CHG=1 -", "MASS=13", "2 C 1 0 0 0 RAD=2"]
    first, second = parse(v3000(atoms=atoms, bonds=["1 1 1 2 CFG=1"])).mol.GetAtoms()
    assert (first.GetFormalCharge(), first.GetIsotope()) == (1, 13)
    assert second.GetNumRadicalElectrons() == 1


def test_v3000_atom_numbers_need_not_start_at_one():
    block = v3000(atoms=["7 C 0 0 0 0", "3 O 1 0 0 0"], bonds=["1 1 3 7"])
    assert [atom.GetSymbol() for atom in parse(block).mol.GetAtoms()] == ["C", "O"]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (molblock() + molblock(), InvalidTextError),
        (molblock() + "$$$$\n" + molblock(), InvalidTextError),
        (molblock() + "CCO\n", InvalidTextError),
        (molblock(extra=["M  CHG  1   1  1\u0661"]), InvalidTextError),
        (molblock(newline="\r"), ParseError),
        ("x\n" * 20 + molblock(), ParseError),
        ("y\nx" + molblock(), ParseError),
        (molblock(counts="  a  1  0  0  0  0  0  0  0  0999 V2000"), ParseError),
        (molblock(counts="2 2  0  0  0  0  0  0  0  0  0999 V2000"), ParseError),
        (molblock(xyz=["1e5", "0", "0"]), ParseError),
        (molblock(xyz=["", "0", "0"]), ParseError),
        (molblock(symbols=["C", "Q"]), UnsupportedElementError),
        (molblock(symbols=["C", "R#"]), UnsupportedElementError),
        (molblock(symbols=["C", "Fe"]), UnsupportedElementError),
        (molblock().replace("C   0  0", "C   9  0", 1), InvalidTextError),
        (molblock().replace("C   0  0", "C   0  8", 1), InvalidTextError),
        (molblock().replace("C   0  0", "C   x  0", 1), ParseError),
        (molblock().replace("C   0  0  0", "C   0  0  y", 1), ParseError),
        (molblock(bonds=["  1  1  1  0"]), ParseError),
        (molblock(bonds=["  1  2  0  0"]), ParseError),
        (molblock(bonds=["  1 x2  1  0"]), ParseError),
        (molblock(bonds=["  1  2  1  0", "  2  1  1  0"]), ParseError),
        (molblock(bonds=["  1  2  1  0  0  1"]), ParseError),
        (molblock(extra=["M  CHG  1   1  +1"]), InvalidTextError),
        (molblock(extra=["M  CHG  1   1   9"]), InvalidTextError),
        (molblock(extra=["M  CHG  2   1   1"]), InvalidTextError),
        (molblock(extra=["M  CHG  1   9   1"]), ParseError),
        (molblock(extra=["M  CHG  1   1 - 1"]), ParseError),
        (molblock(extra=["M  ISO  1   1  -1"]), InvalidTextError),
        (molblock(extra=["M  RAD  1   1   9"]), InvalidTextError),
        (molblock(extra=["M  ALS   1  2 F C   N"]), UnsupportedElementError),
        (molblock(extra=["M  RGP  1   1   1"]), UnsupportedElementError),
        (molblock(extra=["M  STY  1   1 SRU"]), UnsupportedElementError),
        (molblock(extra=["A    1", "COOMe"]), UnsupportedElementError),
        (molblock(extra=["M  FOO"]), ParseError),
        (molblock(extra=["M  ZCH  1   1   1"]), ParseError),
        (molblock(extra=["rubbish"]), ParseError),
        (molblock(symbols=["C"] * 6, bonds=[f"  1{i:>3}  1  0" for i in range(2, 7)]), ParseError),
        (molblock(symbols=["C"] * 10, bonds=[f"  1{i:>3}  1  0" for i in range(2, 11)]),
         TooLargeError),
        (molblock(symbols=["U"] * 10, bonds=["  1  2  1  0"] * 131), TooLargeError),
        ("\n\n\n" + "x" * 200_001, TooLargeError),
        (v3000(counts="2"), ParseError),
        (v3000(counts="3 1 0 0 0"), ParseError),
        (v3000(counts="2 1 0 0 0", atoms=["1 C 0 0 0 0", "1 C 1 0 0 0"]), ParseError),
        (v3000(counts="1 0 0 0 0", atoms=["1 C 0 0 0 0", "2 C -"], bonds=[]), ParseError),
        (v3000(atoms=["1 C 0 0 0 0", "2 NOT [C,N] 1 0 0 0"]), UnsupportedElementError),
        (v3000(atoms=["1 C 0 0 0 0", "2 C nan 0 0 0"]), ParseError),
        (v3000(atoms=["1 C 0 0 0 0", "2 C 1 0 0 0 CHG=257"]), InvalidTextError),
        (v3000(atoms=["1 C 0 0 0 0", "2 C 1 0 0 0 MASS=12.5"]), InvalidTextError),
        (v3000(atoms=["1 C 0 0 0 0", "2 C 1 0 0 0 RAD=7"]), InvalidTextError),
        (v3000(atoms=["1 C 0 0 0 0", "2 C 1 0 0 0 SUBST=1"]), UnsupportedElementError),
        (v3000(bonds=["1 8 1 2"]), ParseError),
        (v3000(bonds=["1 1 1 5"]), ParseError),
        (v3000(bonds=["1 1 1 2 TOPO=1"]), UnsupportedElementError),
        (v3000().replace("BEGIN BOND", "BEGIN FOO"), ParseError),
        (v3000().replace("M  V30 END BOND\n", ""), ParseError),
        (v3000().replace("M  V30 END CTAB\n", "M  V30 LINKNODE 1\nM  V30 END CTAB\n"), ParseError),
        (v3000().replace("M  V30 END CTAB\n", "rubbish\nM  V30 END CTAB\n"), ParseError),
        (v3000().replace("BEGIN CTAB", "BEGIN FOO"), ParseError),
        (v3000().replace("END CTAB", "END CTAB -"), ParseError),
        (v3000().replace("M  V30 END CTAB", "M  V30 BEGIN SGROUP\nM  V30 1 SRU 1 ATOMS=(1 1)\n"
                         "M  V30 END SGROUP\nM  V30 END CTAB"), UnsupportedElementError),
    ],
)  # fmt: skip
def test_refused(text, error):
    with pytest.raises(error):
        parse(text, kind="molblock")


def test_short_atom_lines_are_read():
    block = molblock().replace(" 0  0  0  0  0  0  0  0  0  0  0  0\n", "\n")
    assert parse(block).mol.GetNumAtoms() == 2


def test_reason_of_an_impossible_valence():
    bonds = [f"  1{i:>3}  1  0" for i in range(2, 7)]
    with pytest.raises(ParseError, match="valence for atom # 0 C, 5"):
        parse(molblock(symbols=["C"] * 6, bonds=bonds))
