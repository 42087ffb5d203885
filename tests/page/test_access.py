"""For everybody, everywhere: axe-core, a phone, the dark, no network, under 2 MB."""

import pytest
from browsing import visiting

ANISOLE = "FC(F)(F)c1ccc(OC)cc1"
TESTOSTERONE = "C[C@]12CC[C@H]3[C@@H](CCC4=CC(=O)CC[C@]34C)[C@@H]1CC[C@@H]2O"
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser, where, scheme):
    with visiting(browser, where, axe=True, color_scheme=scheme) as visit:
        visit.open()
        assert visit.violations() == []
        visit.shoot(f"empty-{scheme}")
        visit.page.select_option("#second", "dmso-d6")
        visit.change_answers(_judge)
        visit.predict(ANISOLE)
        visit.page.locator("tr[data-keys]").first.hover()
        assert visit.violations() == []
        visit.shoot(f"answer-{scheme}")
        visit.page.select_option("#second", "")
        visit.page.click("summary")
        visit.page.fill("#peaks", "13C NMR δ 22.4, 13.3, 77.2")
        visit.predict("CCO")
        assert visit.violations() == []
        visit.predict("C1CC")
        visit.page.wait_for_selector(".problem")
        assert visit.violations() == []
        visit.shoot(f"problem-{scheme}")
        visit.page.click("#tab-batch")
        assert visit.violations() == []
        visit.shoot(f"batch-{scheme}")


def _judge(document):
    for prediction in document["predictions"]:
        prediction.get("atoms", [{}])[0]["domain"] = "edge"
        prediction["domain"] = "outside"
        for atom in prediction.get("atoms", []):
            atom["flags"] = ["strained"]
            atom["evidence"] = "14 atoms alike"


def test_axe_finds_nothing_around_the_editor(browser, where):
    with visiting(browser, where, axe=True) as visit:
        visit.open()
        visit.page.click("#draw")
        visit.page.wait_for_selector("#editor[data-ready]")
        assert visit.violations() == []
        visit.page.keyboard.press("Escape")
        assert not visit.page.locator("#editor").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_never_scrolls_sideways(browser, where, scheme):
    with visiting(browser, where, color_scheme=scheme, **PHONE) as visit:
        visit.open()
        assert _overflow(visit.page) == 0
        visit.page.select_option("#second", "dmso-d6")
        visit.page.locator('#nuclei input[value="1H"]').check(force=True)
        visit.predict(TESTOSTERONE)
        assert _overflow(visit.page) == 0
        assert visit.page.locator(".sticks svg").first.bounding_box()["width"] <= 360
        sizes = "labels => labels.map(one => one.getBoundingClientRect().height)"
        assert min(visit.page.locator(".sticks .tick-name").evaluate_all(sizes)) > 9
        visit.page.locator(".stick").first.tap(force=True)
        assert visit.page.locator("tr.lit").count() == 1
        visit.shoot(f"phone-{scheme}")
        visit.predict("C1CC")
        assert _overflow(visit.page) == 0
        visit.page.click("#tab-batch")
        assert _overflow(visit.page) == 0
        visit.shoot(f"phone-batch-{scheme}")


def _overflow(page):
    return page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )


def test_the_dark_page_is_dark_to_the_last_atom(browser, where):
    luminance = """element => {
      const [r, g, b] = getComputedStyle(element).stroke.match(/\\d+/g).map(Number);
      return 0.3 * r + 0.6 * g + 0.1 * b;
    }"""
    for scheme, bright in (("dark", True), ("light", False)):
        with visiting(browser, where, color_scheme=scheme) as visit:
            visit.open()
            visit.predict("CCO")
            bond = visit.page.locator(".drawing [class*='bond-']").first
            assert (bond.evaluate(luminance) > 128) is bright


def test_under_two_megabytes_with_the_editor(browser, where):
    with visiting(browser, where) as visit:
        sizes = []
        visit.page.on("response", lambda response: sizes.append(len(response.body())))
        visit.open()
        visit.predict(ANISOLE)
        without = sum(sizes)
        visit.page.click("#draw")
        visit.page.wait_for_selector("#editor[data-ready]")
        assert 50_000 < without < 250_000
        assert 1_000_000 < sum(sizes) < 2_000_000


def test_the_api_page_works_offline(browser, where):
    with visiting(browser, where) as visit:
        visit.open("docs")
        visit.page.wait_for_selector(".opblock")
        paths = visit.page.locator(".opblock-summary-path").all_inner_texts()
        assert any("draw" in path for path in paths)
        visit.page.locator(".opblock-summary-control").first.click()
        visit.page.wait_for_selector(".opblock-body")
        visit.shoot("docs")
