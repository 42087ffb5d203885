"""The page in Chromium: from a structure to an answer, linked, warned of and taken away."""

import csv
import io
import json

import pytest
from browsing import visiting

from nmrshift.match import read_peaks

ANISOLE = "FC(F)(F)c1ccc(OC)cc1"
CARBONS = ".signals tbody:first-of-type tr[data-keys]"


@pytest.fixture
def visit(browser, where):
    with visiting(browser, where, viewport={"width": 1360, "height": 900}) as one:
        one.open()
        yield one


def lit(page):
    """Return the keys of what is lit in the table, the spectra and the molecule."""
    keys = "elements => elements.map(one => one.dataset.keys)"
    places = ("tr.lit", ".stick.lit", ".tag.lit", ".atom-selector.lit")
    return [set(page.locator(place).evaluate_all(keys)) for place in places]


def downloaded(page, name):
    with page.expect_download() as waiting:
        page.get_by_role("button", name=name, exact=True).click()
    return waiting.value.suggested_filename, waiting.value.path().read_bytes()


class TestHighlight:
    def test_pointing_at_any_of_the_three_lights_the_others(self, visit):
        visit.predict(ANISOLE)
        page = visit.page
        assert page.locator(CARBONS).count() == 6
        assert lit(page) == [set()] * 4
        row = page.locator(CARBONS).first
        key = row.get_attribute("data-keys")
        row.hover()
        assert lit(page)[:3] == [{key}] * 3
        visit.shoot("highlight")
        for place in (".stick", ".tag", "tr"):
            page.locator("h1").hover()
            assert lit(page) == [set()] * 4
            page.locator(f'{place}[data-keys="{key}"]').first.hover()
            assert lit(page)[:3] == [{key}] * 3, place

    def test_coincident_signals_are_pointed_at_together_and_told_apart_by_their_labels(self, visit):
        visit.predict(ANISOLE)
        sticks = visit.page.locator(".stick:has(.hit[data-keys*=' '])")
        keys = set(sticks.first.locator(".hit").get_attribute("data-keys").split(" "))
        assert len(keys) == 2
        sticks.nth(1).locator(".hit").hover(position={"x": 2, "y": 60})
        assert lit(visit.page)[0] == lit(visit.page)[1] == keys
        for place in range(2):
            sticks.nth(place).locator("text").hover()
            assert lit(visit.page)[0] == {sticks.nth(place).get_attribute("data-keys")}

    def test_an_atom_of_the_drawing_lights_all_its_nuclei(self, visit):
        visit.page.locator('#nuclei input[value="1H"]').check(force=True)
        visit.predict("CCO")
        visit.page.locator(".atom-selector[data-keys*=' ']").first.hover()
        rows = lit(visit.page)[0]
        assert {key.partition(":")[0] for key in rows} == {"13C", "1H"}
        assert visit.page.locator(".readout").inner_text().count("±") == 2

    def test_the_keyboard_does_as_much(self, visit):
        visit.predict(ANISOLE)
        page = visit.page
        for group in (".signals", ".sticks svg >> nth=0", ".drawing svg"):
            stops = page.locator(group).locator("[data-keys][tabindex='0']")
            assert stops.count() == 1, group
            stops.focus()
            first = lit(page)[0]
            page.keyboard.press("ArrowDown")
            second = lit(page)[0]
            assert len(first) == len(second) == 1
            assert first != second
            assert lit(page)[:3] == [second] * 3
            page.keyboard.press("Home")
            assert lit(page)[0] == first
        page.locator("#structure").focus()
        assert lit(page) == [set()] * 4

    def test_tab_reaches_each_view_once(self, visit):
        visit.predict(ANISOLE)
        visit.page.locator(".actions button").last.focus()
        seen = []
        for _ in range(4):
            visit.page.keyboard.press("Tab")
            seen.append(
                visit.page.evaluate("document.activeElement.closest('[data-group]')?.dataset.group")
            )
        assert seen == ["molecule", "spectrum", "spectrum", "table"]


class TestTakeAway:
    def test_text_for_a_paper_says_predicted_and_can_be_read_back(self, visit):
        visit.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        visit.predict(ANISOLE)
        visit.page.get_by_role("button", name="Copy as text for a paper").click()
        visit.page.wait_for_selector("#said.shown")
        text = visit.page.evaluate("navigator.clipboard.readText()")
        carbon, fluorine = text.splitlines()
        assert carbon.startswith("13C NMR (CDCl3, predicted by fake-1.0+00000000) δ ")
        assert fluorine.endswith("δ −90.0 (3F).")
        shown = visit.page.locator(f"{CARBONS} .shift").all_inner_texts()
        assert [f"{peak.shift_ppm:.1f}" for peak in read_peaks(carbon).peaks] == shown

    def test_tables(self, visit):
        visit.predict(ANISOLE)
        name, content = downloaded(visit.page, "CSV")
        assert name == "prediction.csv"
        rows = list(csv.DictReader(io.StringIO(content.decode())))
        assert len(rows) == 7
        assert rows[-1]["nucleus"] == "19F"
        assert (rows[-1]["atoms"], rows[-1]["shift_ppm"]) == ("0 2 3", "-90.000")
        assert (rows[-1]["low_ppm"], rows[-1]["solvent"]) == ("-92.500", "cdcl3")
        name, content = downloaded(visit.page, "JSON")
        document = json.loads(content)
        assert document["counts"] == {"ok": 1, "error": 0}
        assert len(document["predictions"][0]["atoms"]) == 11

    def test_pictures(self, visit):
        visit.predict(ANISOLE)
        _, svg = downloaded(visit.page, "SVG")
        assert svg.startswith(b"<svg")
        assert svg.count(b'class="stick"') == 7
        _, png = downloaded(visit.page, "PNG")
        assert png.startswith(b"\x89PNG")


class TestInput:
    def test_a_file_of_two_molecules_gives_the_first(self, visit, tmp_path):
        file = tmp_path / "two.sdf"
        counts = "  1  0  0  0  0  0  0  0  0  0999 V2000"
        atom = "    0.0000    0.0000    0.0000 {}   0  0"
        block = f"\n  x\n\n{counts}\n{atom}\nM  END\n$$$$\n"
        file.write_text("<img src=x onerror=alert(1)>" + block.format("C") + block.format("N"))
        visit.page.set_input_files("#file", file)
        visit.page.wait_for_selector(".drawing svg")
        assert "Only the first molecule" in visit.page.locator("#said").inner_text()
        assert visit.page.locator("#answer-name").inner_text() == "<img src=x onerror=alert(1)>"
        assert visit.page.locator("main img").count() == 0
        assert visit.page.locator("td.atoms").all_inner_texts() == ["C0"]

    def test_a_dropped_file(self, visit):
        drop = """(element, text) => {
          const data = new DataTransfer();
          data.items.add(new File([text], "x.smi"));
          const options = { dataTransfer: data, bubbles: true, cancelable: true };
          return element.dispatchEvent(new DragEvent("drop", options));
        }"""
        assert visit.page.locator("footer").evaluate(drop, "CO") is False  # the page stays
        assert visit.page.input_value("#structure") == ""
        assert visit.page.locator("#structure").evaluate(drop, "CCO ethanol") is False
        visit.page.wait_for_selector(".drawing svg")
        assert visit.page.input_value("#structure") == "CCO"

    def test_only_the_last_question_is_answered(self, visit):
        held = []

        def hold(route):
            if "CCCCO" in route.request.post_data:
                held.append(route)
            else:
                route.continue_()

        visit.page.route("**/v1/predict", hold)
        visit.page.fill("#structure", "CCCCO")
        visit.page.click("#predict")
        visit.predict("CO")
        assert len(held) == 1
        assert visit.page.locator("#answer-name").inner_text() == "CO"
        assert visit.page.locator("#status").inner_text() == "Done: 1 shift predicted."

    def test_a_drawing(self, visit):
        page = visit.page
        page.click("#draw")
        page.wait_for_selector("#editor[data-ready]")
        editor = page.locator("openchemlib-editor")
        box = editor.bounding_box()
        assert box["width"] == pytest.approx(
            page.locator("#editor-place").bounding_box()["width"], abs=3
        )
        page.mouse.click(box["x"] + 34, box["y"] + 202)
        page.mouse.click(box["x"] + 400, box["y"] + 200)
        visit.shoot("editor")
        page.click("#editor-use")
        page.wait_for_selector(".drawing svg")
        assert page.input_value("#structure").upper().count("C") == 6
        assert page.locator(CARBONS).count() == 1
        assert page.locator("td.atoms").inner_text().count("C") == 6

    def test_a_structure_can_be_drawn_on(self, visit):
        visit.page.fill("#structure", "C[C@H](F)Cl")
        visit.page.click("#draw")
        visit.page.wait_for_selector("#editor[data-ready]")
        visit.page.click("#editor-use")
        visit.page.wait_for_selector(".drawing svg")
        assert "@" in visit.page.input_value("#structure")

    def test_an_example(self, visit):
        visit.page.get_by_role("button", name="caffeine").click()
        visit.page.wait_for_selector(".drawing svg")
        assert visit.page.locator(CARBONS).count() > 3

    def test_a_mixture_as_solvent(self, visit):
        visit.page.select_option("#solvent", "other")
        visit.page.fill("#other-solvent", "CDCl3/CD3OD 9:1")
        visit.predict("CCO")
        assert "CDCl3/CD3OD 9:1" in visit.page.locator(".answer-head").inner_text()


class TestBeside:
    def test_two_solvents(self, visit):
        def move(document):
            for atom in document["predictions"][1]["atoms"]:
                atom["shift_ppm"] += 1.5

        visit.change_answers(move)
        visit.page.select_option("#second", "dmso-d6")
        visit.predict(ANISOLE)
        assert visit.page.locator("thead th").all_inner_texts()[-1] == "Δ"
        assert set(visit.page.locator("tr[data-keys] td:last-child").all_inner_texts()) == {"+1.5"}
        assert visit.page.locator(".hanging").count() == 7
        assert "up: CDCl3, down: DMSO-d6" in visit.page.locator(".legend").first.inner_text()
        visit.shoot("compare")
        content = downloaded(visit.page, "CSV")[1].decode()
        assert next(csv.DictReader(io.StringIO(content)))["other_solvent"] == "dmso-d6"

    def test_measured_peaks(self, visit):
        visit.page.click("summary")
        visit.page.fill("#peaks", "13C NMR (CDCl3) δ 22.4, 13.3, 77.2\n1H NMR δ 13.1")
        visit.predict("CCO")
        said = visit.page.locator(".fit").inner_text()
        assert "2 of 3 peaks assigned" in said
        assert "77.2 ppm" in said
        assert visit.page.locator(CARBONS).first.inner_text().split("\t")[-2:] == ["22.4", "+0.4"]
        assert visit.page.locator(".hanging.loose").count() == 1
        assert visit.page.locator("tr.group").count() == 2  # 1H came with the peaks
        visit.shoot("match")

    def test_peaks_that_cannot_be_read(self, visit):
        visit.page.click("summary")
        visit.page.fill("#peaks", "13C NMR δ many")
        visit.predict("CCO")
        assert "peak_text" in visit.page.locator(".problem").inner_text()


class TestWarnings:
    def test_flags_and_notices(self, visit):
        visit.predict("C1CC1.[Na+].[Cl-]")
        said = visit.page.locator(".warnings li").all_inner_texts()
        assert "strained: C0, C1, C2" in said[0]
        assert "fragment" in said[1]
        assert visit.page.locator("td .flag").all_inner_texts() == ["strained"]

    def test_nothing_to_warn_of(self, visit):
        visit.predict(ANISOLE)
        assert visit.page.locator(".warnings").count() == 0

    def test_outside_is_loud(self, visit):
        def judge(document):
            (prediction,) = document["predictions"]
            prediction["domain"] = "outside"
            for atom in prediction["atoms"]:
                if atom["nucleus"] == "19F":
                    atom["domain"], atom["flags"] = "outside", ["unseen_environment"]
                atom["evidence"] = {
                    "sphere": 4,
                    "n_measured": 14,
                    "mean_ppm": 128.4,
                    "spread_ppm": 0.7,
                    "references": [],
                }

        visit.change_answers(judge)
        visit.predict(ANISOLE)
        danger = visit.page.locator(".warnings .danger")
        assert "Outside the model's knowledge" in danger.inner_text()
        assert "F0, F2, F3" in danger.inner_text()
        assert "unseen environment" in danger.inner_text()
        assert danger.bounding_box()["y"] < visit.page.locator(".views").bounding_box()["y"]
        assert visit.page.locator("td .flag.outside").count() == 1
        assert (
            "14 shifts alike to 4 bonds: 128.4 ± 0.7 ppm"
            in visit.page.locator(".evidence").first.inner_text()
        )
        visit.shoot("outside")


class TestProblems:
    @pytest.mark.parametrize(
        ("structure", "code"),
        [
            ("C1CC", "parse_error"),
            ("O", "no_target_atoms"),
            ("", "no_structure"),
            ("[Fe]", "unsupported_element"),
        ],
    )
    def test_a_molecule_that_cannot_be_predicted(self, visit, structure, code):
        visit.predict(structure)
        problem = visit.page.get_by_role("alert")
        assert code in problem.inner_text()
        assert visit.page.locator("#result svg").count() == 0
        visit.shoot(f"problem-{code}")

    def test_a_problem_gives_way_to_an_answer(self, visit):
        visit.predict("C1CC")
        visit.predict("CCO")
        visit.page.wait_for_selector(".drawing svg")
        assert visit.page.locator(".problem").count() == 0

    def test_no_nucleus(self, visit):
        for nucleus in ("13C", "19F"):
            visit.page.locator(f'#nuclei input[value="{nucleus}"]').uncheck(force=True)
        visit.predict("CCO")
        assert "no_nucleus" in visit.page.get_by_role("alert").inner_text()

    def test_a_service_that_is_gone(self, visit):
        visit.page.route("**/v1/predict", lambda route: route.abort())
        visit.predict("CCO")
        assert "does not answer" in visit.page.get_by_role("alert").inner_text()

    def test_a_service_that_is_busy(self, visit):
        problem = {"code": "busy", "detail": "Too many requests are waiting."}
        visit.page.route("**/v1/predict", lambda route: route.fulfill(status=429, json=problem))
        visit.predict("CCO")
        assert "Too many requests" in visit.page.get_by_role("alert").inner_text()

    def test_a_drawing_that_fails_leaves_the_numbers(self, visit):
        problem = {"code": "timeout", "detail": "It took too long."}
        visit.page.route("**/v1/draw", lambda route: route.fulfill(status=504, json=problem))
        visit.page.fill("#structure", "CCO")
        visit.page.click("#predict")
        visit.page.get_by_text("No drawing: It took too long.").wait_for()
        assert visit.page.locator(CARBONS).count() == 2


def test_the_page_waits_for_a_model(browser, where):
    with visiting(browser, where) as visit:
        answers = [{"code": "not_ready", "detail": "The model is being loaded."}]

        def handle(route):
            route.fulfill(status=503, json=answers.pop()) if answers else route.continue_()

        visit.page.route("**/v1/nuclei", handle)
        visit.page.goto(visit.site.url)
        visit.page.get_by_text("The model is being loaded…").wait_for()
        visit.page.wait_for_selector("#predict:enabled")
        assert answers == []
