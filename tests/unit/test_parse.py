"""Any input to a molecule in input order, or a typed refusal."""

import subprocess
import sys

import pytest

from nmrshift.chem.parse import parse, sniff
from nmrshift.chem.policy import RECORD_LIMITS
from nmrshift.chem.toolkit import Chem
from nmrshift.errors import (
    InputError,
    InvalidTextError,
    NoTargetAtomsError,
    ParseError,
    TooLargeError,
    UnsupportedElementError,
)


def symbols(parsed):
    return "".join(atom.GetSymbol() for atom in parsed.mol.GetAtoms())


def codes(parsed):
    return [notice.code for notice in parsed.notices]


# ------------------------------------------------------------------ SMILES


def test_smiles_keeps_order_and_written_hydrogens():
    parsed = parse("OC([H])F")
    assert symbols(parsed) == "OCHF"
    assert (parsed.kind, parsed.text, parsed.molblock) == ("smiles", "OC([H])F", None)
    assert parsed.atom_maps == (0, 0, 0, 0)
    assert parsed.notices == ()


def test_maps_are_reported_and_change_nothing():
    mapped, plain = parse("[CH3:7][C@H:1]([OH:3])F"), parse("C[C@H](O)F")
    assert mapped.atom_maps == (7, 1, 3, 0)
    assert Chem.MolToSmiles(mapped.mol) == Chem.MolToSmiles(plain.mol)
    assert not any(atom.GetAtomMapNum() for atom in mapped.mol.GetAtoms())


def test_maps_do_not_make_stereo():
    tags = [atom.GetChiralTag() for atom in parse("[CH3:1][C@H:2]([CH3:3])F").mol.GetAtoms()]
    assert set(tags) == {Chem.ChiralType.CHI_UNSPECIFIED}


def test_notices():
    assert codes(parse(" CCO\r\n")) == ["text_trimmed"]
    assert codes(parse("CC(=O)[O-].[Na+]")) == ["mixture"]
    assert codes(parse("CN(=O)=O")) == ["rewritten"]
    assert codes(parse("C[N+](=O)[O-]")) == []


def test_stereo_is_clean():
    mol = parse("C[C@H](C)/C=C/C").mol
    assert mol.GetAtomWithIdx(1).GetChiralTag() == Chem.ChiralType.CHI_UNSPECIFIED
    assert mol.GetBondBetweenAtoms(3, 4).GetStereo() == Chem.BondStereo.STEREOE


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("", InvalidTextError, "empty"),
        ("C C O", InvalidTextError, "whitespace at character 2"),
        ("CC\u2212", InvalidTextError, r"character 3 \(U\+2212\)"),
        ("C\x00C", InvalidTextError, r"U\+0000"),
        ("[C+9]", InvalidTextError, "charge"),
        ("[C---------]", InvalidTextError, "charge"),
        ("C[C-256]C", InvalidTextError, "character 2"),
        ("[401C]", InvalidTextError, "isotope"),
        ("[12345678901C]", InvalidTextError, "number out of range"),
        ("C[#119]", InvalidTextError, "atomic number"),
        ("[CH4:100000]", ParseError, "map"),
        ("CC>>CO", ParseError, "from character 3: >>CO"),
        ("C~C", ParseError, "from character 2"),
        ("[R1]C", ParseError, "from character 1"),
        ("[C;H1]", ParseError, "from character 1"),
        ("[CH10]", ParseError, "from character 1"),
        ("C=1CC-1", ParseError, "two bonds, = and -"),
        ("C:%11CC=%11", ParseError, "ring closure 11"),
        ("C(C", ParseError, "1 parentheses are never closed"),
        ("CC)C", ParseError, "character 3 was never opened"),
        ("C1CC%12", ParseError, "never closed: 1, 12"),
        ("C%(100)C", ParseError, "never closed: 100"),
        ("C=", ParseError, "syntax"),
        ("CC.", ParseError, "syntax"),
        ("C(C)(C)(C)(C)C", ParseError, "valence"),
        ("c1cccn1", ParseError, "kekulize"),
        ("c", ParseError, "aromatic"),
        ("C" * 1001, TooLargeError, "1001 characters"),
        ("[H][H]", NoTargetAtomsError, "hydrogen"),
        ("[Fe]", UnsupportedElementError, "Fe"),
    ],
)
def test_refused_smiles(text, error, words):
    with pytest.raises(error, match=words):
        parse(text, kind="smiles")


@pytest.mark.parametrize(
    "smiles",
    ["C-1-CC1", "C/1=C/CCCCCC\\1", "C=1CC=1", "C%10CC%10", "C0CC0", "[nH]1cccc1", "[#6]C", "[C--]",
     "[13CH3]C", "N->[Pt](Cl)Cl", "C[C@TH1](F)(Cl)Br", "[2H]C", "[CH4+8]"],
)  # fmt: skip
def test_accepted_smiles(smiles):
    assert parse(smiles).mol.GetNumAtoms() > 0


# ------------------------------------------------------------------ kinds


def test_sniff():
    assert sniff("CCO") == "smiles"
    assert sniff(" \nInChI=1S/CH4/h1H4") == "inchi"
    assert sniff(Chem.MolToMolBlock(Chem.MolFromSmiles("C"))) == "molblock"


@pytest.mark.parametrize("value", [None, 5, b"CCO", ["C"]])
def test_not_text(value):
    with pytest.raises(InvalidTextError, match="expected"):
        parse(value)


def test_wrong_kind():
    with pytest.raises(InvalidTextError, match="cannot be read as mol"):
        parse("C", kind="mol")
    with pytest.raises(InvalidTextError, match="given as smiles"):
        parse(Chem.MolFromSmiles("C"), kind="smiles")


# ------------------------------------------------------------------ InChI


def test_inchi_returns_the_molblock_of_its_order():
    text = "InChI=1S/C4H9NO2/c1-2-3(5)4(6)7/h3H,2,5H2,1H3,(H,6,7)/t3-/m0/s1"
    parsed = parse(text)
    assert codes(parsed) == ["generated_order"]
    again = parse(parsed.molblock)
    assert symbols(again) == symbols(parsed) == "CCCCNOO"
    assert Chem.MolToSmiles(again.mol) == Chem.MolToSmiles(parsed.mol) == "CC[C@H](N)C(=O)O"


def test_a_mol_in_another_order_than_its_smiles_comes_with_a_molblock():
    mol = Chem.MolFromSmiles("OC[C@H](F)N")
    parsed = parse(mol)
    again = parse(parsed.molblock)
    assert symbols(again) == symbols(parsed) == "OCCFN"
    assert Chem.MolToSmiles(again.mol) == parsed.text
    assert symbols(parse(parsed.text)) != "OCCFN"
    assert parse(Chem.MolFromSmiles(parsed.text)).molblock is None


def test_large_inchi_has_a_molblock_without_layout():
    text = Chem.MolToInchi(Chem.MolFromSmiles("C" * 151))
    molblock = parse(text).molblock
    assert parse(molblock).mol.GetNumAtoms() == 151
    assert molblock.count("    0.0000    0.0000    0.0000") == 151


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("InChI=1S/CH4 /h1H4", InvalidTextError),
        ("InChI=1S/CH4/h1H4\u00e9", InvalidTextError),
        ("InChI=1S/CH4/h1H4/i1+257", InvalidTextError),
        ("InChI=1S/CH4/h1H4/i1-20", InvalidTextError),
        ("InChI=1S/CH3/h1H3/q-129", InvalidTextError),
        ("InChI=1S/CH4/h1H4/p+257", InvalidTextError),
        ("InChI=2S/CH4/h1H4", ParseError),
        ("InChI=1S/c1", ParseError),
        ("InChI=1S/C99999999H4/h1H4", ParseError),
        ("InChI=1S/C2H6O/c1-2-3", ParseError),
        ("InChI=1S/CH4/h1H4/p-30", ParseError),
        ("InChI=1S/C999H4/h1H4", TooLargeError),
        ("InChI=1S/21CH4/h21*1H4", TooLargeError),
        ("InChI=1S/" + "C" * 5000, TooLargeError),
        ("InChI=1S/Zz/h1H", UnsupportedElementError),
        ("InChI=1S/Hg", UnsupportedElementError),
        ("InChI=1S/H2/h1H", NoTargetAtomsError),
    ],
)
def test_refused_inchi(text, error):
    with pytest.raises(error):
        parse(text, kind="inchi")


# ------------------------------------------------------------------ RDKit molecules


def test_mol_is_copied_and_not_changed():
    mol = Chem.AddHs(Chem.MolFromSmiles("[CH3:4][C@H](F)O"))
    before = mol.ToBinary(Chem.PropertyPickleOptions.AllProps)
    parsed = parse(mol)
    assert mol.ToBinary(Chem.PropertyPickleOptions.AllProps) == before
    assert parsed.mol is not mol
    assert parsed.kind == "mol"
    assert parsed.atom_maps[:2] == (4, 0)
    assert parsed.mol.GetNumAtoms() == mol.GetNumAtoms()
    plain = Chem.MolToSmiles(Chem.MolFromSmiles("C[C@H](F)O"))
    assert Chem.MolToSmiles(Chem.MolFromSmiles(parsed.text)) == plain


def test_unsanitised_mol():
    assert codes(parse(Chem.MolFromSmiles("CN(=O)=O", sanitize=False))) == ["rewritten"]
    with pytest.raises(ParseError):
        parse(Chem.MolFromSmiles("CN(C)(C)C", sanitize=False))


def test_bad_mols():
    with pytest.raises(NoTargetAtomsError):
        parse(Chem.Mol())
    with pytest.raises(UnsupportedElementError):
        parse(Chem.MolFromSmarts("[C,N]C"))


# ------------------------------------------------------------------ all kinds


def test_every_refusal_has_code_and_hint():
    for text in ("", "C C", "C1CC", "C" * 2000, "[Fe]", "[H][H]"):
        with pytest.raises(InputError) as caught:
            parse(text)
        assert caught.value.code != "input_error"
        assert caught.value.hint
        assert caught.value.message.isascii()


def test_nothing_reaches_stderr():
    code = (
        "from nmrshift.chem.parse import parse\n"
        "block = '\\n\\n\\n  1  0  0  0  0  0  0  0  0  0999 V2000\\n'\n"
        "for text in ('C1CC', 'c', 'C(C)(C)(C)(C)C', 'InChI=1S/C2H6O/c1-2-3', block + 'M  END'):\n"
        "    try:\n        parse(text)\n    except ValueError:\n        pass\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_record_limits_lengthen_texts():
    with pytest.raises(TooLargeError):
        parse("C" * 1200)
    assert parse("C" * 900 + "N" * 100, limits=RECORD_LIMITS).mol.GetNumAtoms() == 1000
