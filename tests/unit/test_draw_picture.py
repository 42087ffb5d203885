"""Whole pictures: what they show, where, and what they refuse."""

import subprocess
import sys
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from pictures import SVG, atom_places, atoms_of, groups, middle_of, predicted, read, words_of
from PIL import Image
from rdkit.Chem.Draw import rdMolDraw2D

from nmrshift.chem.toolkit import Chem
from nmrshift.draw import Picture, layout, picture
from nmrshift.draw.molecule import _draw, depict
from nmrshift.draw.tags import tags_of
from nmrshift.errors import DeadlineError, DrawingError, InputError

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"
LONG = "C" * 70


def drawn(structure, *nuclei, **settings):
    return read(picture(predicted(structure, *nuclei, **settings)).svg)


class TestSticks:
    def test_one_a_signal(self):
        root = drawn("COc1ccc(C(F)(F)F)cc1", "13C", "19F")
        found = [(g.get("data-nucleus"), atoms_of(g)) for g in groups(root, "stick")]
        assert sorted(atoms for nucleus, atoms in found if nucleus == "19F") == [[7, 8, 9]]
        carbons = sorted(atoms for nucleus, atoms in found if nucleus == "13C")
        assert carbons == [[0], [2], [3, 11], [4, 10], [5], [6]]

    def test_axis_runs_from_high_to_low(self):
        root = drawn(ASPIRIN)
        shifts, places = [], []
        for group in groups(root, "stick"):
            words = words_of(group)[0].split()[0]
            shifts.append(float(words.replace("−", "-")))
            places.append(float(group.findall(f"{SVG}line")[3].get("x1")))
        assert shifts == sorted(shifts, reverse=True)
        assert places == sorted(places)

    def test_height_is_the_number_of_nuclei(self):
        heights = {}
        for group in groups(drawn("FC(F)(F)CCF", "19F"), "stick"):
            line = group.findall(f"{SVG}line")[3]
            heights[len(atoms_of(group))] = float(line.get("y1")) - float(line.get("y2"))
        assert heights[3] == pytest.approx(3 * heights[1], abs=0.05)

    def test_too_many_for_labels_are_still_drawn(self):
        atoms = [
            replace(atom, shift_ppm=float(rank), signal=rank)
            for rank, atom in enumerate(predicted("C" * 120).atoms)
        ]
        root = read(picture(replace(predicted("C" * 120), atoms=tuple(atoms))).svg)
        assert len(groups(root, "stick")) == 120
        assert words_of(groups(root, "stick")[0]) == []
        assert any("too close together" in text for text in words_of(root))


class TestTags:
    @pytest.mark.parametrize(
        ("structure", "nuclei"),
        [
            ("OCC", ["13C"]),
            (ASPIRIN, ["13C"]),
            ("[Na+].CC(=O)[O-]", ["13C", "1H"]),
            ("[H]C([H])([H])OC", ["13C"]),
            ("C[C@]12CC[C@H]3[C@H]([C@@H]1CC[C@@H]2O)CCC4=CC(=O)CC[C@]34C", ["13C"]),
            ("InChI=1S/C2H5F/c1-2-3/h2H2,1H3", ["13C", "19F"]),
        ],
    )
    def test_stand_at_their_atoms(self, structure, nuclei):
        prediction = predicted(structure, *nuclei)
        root = read(picture(prediction).svg)
        places = atom_places(root)
        shifted = {atom.atom_index for atom in prediction.atoms}
        written = set()
        for group in groups(root, "tag"):
            x, y = middle_of(group)
            near = min(shifted, key=lambda i: np.hypot(places[i][0] - x, places[i][1] - y))
            assert near in atoms_of(group)
            written |= {(group.get("data-nucleus"), atom) for atom in atoms_of(group)}
        assert written == {(atom.nucleus, atom.atom_index) for atom in prediction.atoms}

    def test_say_shift_and_half_width(self):
        (tag,) = groups(drawn("C"), "tag")
        assert words_of(tag) == ["4.0", "±2.5"]

    def test_equivalent_ends_share_one(self):
        (tag,) = groups(drawn("FC(F)(F)C", "19F"), "tag")
        assert atoms_of(tag) == [0, 2, 3]
        assert words_of(tag)[-1] == "±2.5 ×3"

    @pytest.mark.parametrize("structure", [ASPIRIN, "c1ccc2ccccc2c1", "OCC1OC(O)C(O)C(O)C1O"])
    def test_do_not_overlap(self, structure):
        boxes = []
        for group in groups(drawn(structure, "13C", "1H"), "tag"):
            box = group.find(f"{SVG}rect")
            boxes.append([float(box.get(key)) for key in ("x", "y", "width", "height")])
        for i, (x, y, width, height) in enumerate(boxes):
            for x2, y2, width2, height2 in boxes[:i]:
                apart = x + width <= x2 or x2 + width2 <= x or y + height <= y2 or y2 + height2 <= y
                assert apart

    def test_a_mol_keeps_its_own_order(self):
        mol = Chem.RenumberAtoms(Chem.MolFromSmiles("CCCO"), [3, 1, 0, 2])
        prediction = predicted(mol)
        prediction = replace(prediction, molblock=Chem.MolToMolBlock(mol))
        root = read(picture(prediction).svg)
        tags = {tuple(atoms_of(group)): words_of(group)[0] for group in groups(root, "tag")}
        assert tags == {(1,): "22.0", (2,): "13.0", (3,): "22.0"}

    def test_what_finds_no_place_is_counted(self):
        root = drawn("C" * 300, "13C", "1H")
        n_tags = len(tags_of(predicted("C" * 300, "13C", "1H"), Chem.MolFromSmiles("C" * 300)))
        written = len(groups(root, "tag")) // 2
        note = f"{n_tags - written} labels of the molecule left out"
        assert written == n_tags or any(note in text for text in words_of(root))


class TestWords:
    def test_title_says_predicted_solvent_and_model(self):
        root = drawn("CO", solvent="CDCl3", name="methanol")
        words = words_of(root)
        assert words[0] == "methanol"
        assert "Predicted" in words[1]
        assert "chloroform" in words[1]
        assert "fake-1.0" in words[1]
        assert "90 %" in words[1]

    def test_text_is_escaped(self):
        name = "<script>alert('&')</script>\x00\x1b\ud800 \"quoted\""
        svg = picture(predicted("C", name=name)).svg
        assert "<script" not in svg
        assert "<script>alert('&')</script>" in words_of(read(svg))[0]
        svg.encode()

    def test_long_titles_are_cut(self):
        root = drawn("C", name="W" * 500)
        assert words_of(root)[0].endswith("…")
        assert len(words_of(root)[0]) < 60

    def test_notices_stand_below(self):
        words = words_of(drawn("[Na+].[O-]C"))
        assert any("fragment" in text for text in words)


class TestPng:
    def test_signature_and_size(self):
        seen = picture(predicted(ASPIRIN, "13C", "1H"))
        for scale in (1.0, 2.0):
            png = seen.png(scale=scale)
            assert png.startswith(b"\x89PNG\r\n\x1a\n")
            with Image.open(BytesIO(png)) as image:
                assert image.size == (seen.width * scale, seen.height * scale)
                assert image.convert("RGB").getcolors(2) is None, "more than paper and ink"

    @pytest.mark.parametrize("scale", [0.0, -1.0, 4.5])
    def test_scale_has_limits(self, scale):
        with pytest.raises(ValueError, match="scale"):
            picture(predicted("C")).png(scale=scale)

    def test_the_molecule_lies_where_the_svg_has_it(self):
        flat = Chem.MolFromSmiles(ASPIRIN)
        depiction = depict(layout.lay_out(flat), width=900)
        drawer = rdMolDraw2D.MolDraw2DCairo(1800, 2 * depiction.height)
        _draw(drawer, depiction.mol, depiction.bond, 2.0)
        points = [drawer.GetDrawCoords(i) for i in range(flat.GetNumAtoms())]
        found = np.array([(point.x, point.y) for point in points])
        np.testing.assert_allclose(found / 2, depiction.positions, atol=1.0)


class TestFiles:
    @pytest.mark.parametrize(("name", "start"), [("a.svg", b"<svg"), ("a.PNG", b"\x89PNG")])
    def test_suffix_chooses_the_format(self, tmp_path, name, start):
        picture(predicted("C")).save(tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(start)

    def test_no_overwrite_without_force(self, tmp_path):
        path = tmp_path / "a.svg"
        path.write_text("old")
        seen = picture(predicted("C"))
        with pytest.raises(FileExistsError):
            seen.save(path)
        assert path.read_text() == "old"
        seen.save(path, force=True)
        assert path.read_text("utf-8") == seen.svg

    def test_other_suffixes_are_refused(self, tmp_path):
        with pytest.raises(ValueError, match=r"\.svg or \.png"):
            picture(predicted("C")).save(tmp_path / "a.pdf")


class TestNotebook:
    def test_pictures_and_predictions_show_themselves(self):
        prediction = predicted("CO")
        seen = picture(prediction)
        assert isinstance(seen, Picture)
        assert seen._repr_svg_() == seen.svg == prediction._repr_svg_()
        assert "<svg" not in repr(seen)

    def test_what_cannot_be_drawn_falls_back_to_text(self):
        assert replace(predicted("CO"), input="no molecule")._repr_svg_() is None

    def test_the_same_prediction_gives_the_same_picture(self):
        assert picture(predicted(ASPIRIN)).svg == picture(predicted(ASPIRIN)).svg

    def test_types_stay_light(self):
        code = (
            "import sys, nmrshift.types, nmrshift\n"
            "print({'rdkit', 'numpy', 'PIL', 'nmrshift.draw'} & set(sys.modules))"
        )
        done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
        assert done.stdout.strip() == b"set()"

    def test_drawing_needs_no_torch(self):
        code = "import sys, nmrshift.draw; sys.exit('torch' in sys.modules)"
        subprocess.run([sys.executable, "-c", code], check=True)


class TestRefusals:
    def test_another_molecule(self):
        with pytest.raises(DrawingError, match="no C"):
            picture(replace(predicted("CCO"), input="OCC"))
        with pytest.raises(DrawingError, match="no C"):
            picture(replace(predicted("CCO"), input="C"))

    def test_no_molecule(self):
        with pytest.raises(InputError):
            picture(replace(predicted("CCO"), input="C1CC"))

    def test_no_shift(self):
        with pytest.raises(DrawingError, match="no shift"):
            picture(replace(predicted("CCO"), atoms=()))

    def test_a_layout_that_hangs_is_stopped(self, monkeypatch):
        monkeypatch.setattr(layout, "_WORKER", ("-c", "while True: pass"))
        with pytest.raises(DeadlineError, match=r"longer than 0\.5 s") as caught:
            picture(predicted(LONG), deadline_s=0.5)
        assert caught.value.code == "timeout"
        assert caught.value.hint

    @pytest.mark.parametrize(
        "program", ["raise SystemExit(3)", "print('nonsense')", "print('[[0, 0]]')"]
    )
    def test_a_layout_that_fails_is_an_error(self, monkeypatch, program):
        monkeypatch.setattr(layout, "_WORKER", ("-c", program))
        with pytest.raises(DrawingError, match="2D layout"):
            picture(predicted(LONG))

    def test_both_layouts_agree(self, monkeypatch):
        mol = Chem.MolFromSmiles(ASPIRIN)
        here = layout.lay_out(mol).GetConformer().GetPositions()
        monkeypatch.setattr(layout, "_SMALL_ATOMS", 0)
        there = layout.lay_out(mol).GetConformer().GetPositions()
        np.testing.assert_allclose(there, here, atol=1e-4)
        assert mol.GetNumConformers() == 0

    def test_a_macrocycle_that_once_hung(self):
        ring = "c1%99ccc(cc1)" + "c1ccc(cc1)" * 10 + "c1ccc%99cc1"
        assert len(groups(drawn(ring), "stick")) == 2
