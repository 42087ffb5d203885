"""Signal classes against a slow twin: put a label on each atom and ask InChI.

Two atoms are one signal where the two labelled molecules are the same or mirror images
(the substitution test); every tetrahedral atom is given a handedness first, so that equal
groups on one centre are told apart.
"""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from nmrshift.chem.parse import parse
from nmrshift.chem.symmetry import signal_classes
from nmrshift.chem.toolkit import Chem, quiet

CCW, CW = Chem.ChiralType.CHI_TETRAHEDRAL_CCW, Chem.ChiralType.CHI_TETRAHEDRAL_CW


def labelled(mol, atom, mirror):
    copy = Chem.RWMol(mol)
    element = copy.GetAtomWithIdx(atom)
    element.SetIsotope(round(element.GetMass()) + 2)
    for centre in copy.GetAtoms():
        tag = centre.GetChiralTag()
        if mirror and tag in (CCW, CW):
            centre.SetChiralTag(CW if tag == CCW else CCW)
    with quiet():
        return Chem.MolToInchi(copy)


def with_every_centre_handed(mol):
    copy = Chem.Mol(mol)
    for atom in copy.GetAtoms():
        unspecified = atom.GetChiralTag() == Chem.ChiralType.CHI_UNSPECIFIED
        if atom.GetTotalDegree() == 4 and atom.GetDegree() >= 3 and unspecified:
            atom.SetChiralTag(CCW)
    for bond in copy.GetBonds():
        u, v = bond.GetBeginAtom(), bond.GetEndAtom()
        at_u = [n.GetIdx() for n in u.GetNeighbors() if n.GetIdx() != v.GetIdx()]
        at_v = [n.GetIdx() for n in v.GetNeighbors() if n.GetIdx() != u.GetIdx()]
        double = bond.GetBondType() == Chem.BondType.DOUBLE
        if double and at_u and at_v and bond.GetStereo() == Chem.BondStereo.STEREONONE:
            bond.SetStereoAtoms(at_u[0], at_v[0])
            bond.SetStereo(Chem.BondStereo.STEREOCIS)
    return copy


def twin_classes(mol):
    handed = with_every_centre_handed(mol)
    ranks = list(Chem.CanonicalRankAtoms(mol, breakTies=False, includeChirality=False))
    pair = (False, True)
    return [
        (rank, frozenset(labelled(handed, atom, mirror) for mirror in pair) if shared else atom)
        for atom, rank in enumerate(ranks)
        for shared in (ranks.count(rank) > 1,)
    ]


def sizes(classes):
    return sorted(Counter(classes).values())


GROUP = st.recursive(
    st.sampled_from(["C", "F", "C(C)C", "C(F)F", "C(C)(C)C", "c1ccccc1", "C=C(C)C", "C#N", "OC"]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda p: f"[C@H]({p[0]}){p[1]}"),
        st.tuples(inner, inner).map(lambda p: f"[C@@H]({p[0]}){p[1]}"),
        st.tuples(inner, inner).map(lambda p: f"C({p[0]})({p[0]}){p[1]}"),
        st.tuples(inner, inner).map(lambda p: f"C=C({p[0]}){p[1]}"),
        inner.map(lambda group: f"N({group}){group}"),
        inner.map(lambda group: f"C{group}"),
    ),
    max_leaves=4,
)


@given(left=GROUP, right=GROUP)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_agrees_with_substitution(left, right):
    mol = parse(f"C({left}){right}").mol
    if mol.GetNumAtoms() > 40:
        return
    assert sizes(signal_classes(mol)) == sizes(twin_classes(mol))
