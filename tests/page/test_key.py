"""A service that wants a key: the page asks for it, keeps it in the tab, and nowhere else."""

import pytest
from browsing import site, visiting

from service.keys import hash_of
from service.settings import Settings

KEY = "a-key-that-opens-0123456789"
FILE = {"name": "three.smi", "mimeType": "", "buffer": b"CCO a\nC1CC b\nCC c\n"}


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / "keys"
    path.write_text(f"anna {hash_of(KEY)} 6000\n", "utf-8")
    with site(Settings(api_keys=path)) as where:
        yield where


@pytest.fixture
def visit(browser, locked):
    with visiting(browser, locked, axe=True) as one:
        one.page.goto(one.site.url)
        one.page.wait_for_selector("#key-form:visible")
        yield one


def give(page, key):
    page.fill("#key", key)
    page.press("#key", "Enter")


def opened(page):
    page.wait_for_selector("#predict:enabled")
    assert not page.locator("#key-form").is_visible()


def test_without_a_key_it_says_so_and_waits(visit):
    page = visit.page
    assert "asks for a key" in page.get_by_role("alert").inner_text()
    assert page.locator("#key").evaluate("one => one === document.activeElement")
    assert page.locator("#predict").is_disabled()
    assert visit.violations() == []
    visit.shoot("key-wanted")


def test_a_wrong_key_is_told_and_another_one_asked_for(visit):
    page = visit.page
    give(page, "wrong")
    page.get_by_text("does not know that key").wait_for()
    assert page.locator("#key").get_attribute("aria-invalid") == "true"
    assert page.input_value("#key") == ""
    assert visit.violations() == []
    visit.shoot("key-refused")
    give(page, KEY)
    opened(page)


def test_the_key_opens_all_and_stays_in_the_tab(visit, browser, locked):
    page = visit.page
    give(page, KEY)
    opened(page)
    visit.predict("CCO")
    assert page.locator("tr[data-keys]").count() > 0
    assert page.evaluate("Object.values(sessionStorage)") == [KEY]
    assert page.evaluate("localStorage.length") == 0
    assert page.context.cookies() == []
    assert all(KEY not in url for url in [*visit.requests, page.url])
    assert KEY not in page.content()
    visit.open()
    assert not page.locator("#key-form").is_visible()
    with visiting(browser, locked) as stranger:
        stranger.page.goto(stranger.site.url)
        stranger.page.wait_for_selector("#key-form:visible")


def test_a_batch_with_a_key(visit):
    page, jobs = visit.page, visit.site.jobs
    give(page, KEY)
    opened(page)
    jobs.released = 3
    page.click("#tab-batch")
    page.set_input_files("#batch-file", FILE)
    page.click("#batch-start")
    page.locator("#job").get_by_text("Done", exact=True).wait_for()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download CSV").click()
    assert waiting.value.suggested_filename == "predictions.csv"
    assert waiting.value.path().read_bytes() == b"csv\n" + FILE["buffer"]


def test_a_key_that_is_withdrawn_is_asked_for_in_the_midst(visit):
    page = visit.page
    give(page, KEY)
    opened(page)
    page.evaluate("sessionStorage.setItem('nmrshift-key', 'old')")
    page.fill("#structure", "CCO")
    page.press("#structure", "Enter")
    page.get_by_text("does not know that key").wait_for()
    give(page, KEY)
    page.wait_for_selector("#result:not([aria-busy]) tr[data-keys]")


def test_it_can_be_forgotten(visit):
    page = visit.page
    give(page, KEY)
    opened(page)
    page.get_by_role("button", name="Forget the API key").click()
    page.wait_for_selector("#key-form:visible")
    assert page.evaluate("sessionStorage.length") == 0


def test_a_service_without_keys_never_asks(browser, where):
    with visiting(browser, where) as visit:
        visit.open()
        assert not visit.page.locator("#key-form").is_visible()
        assert not visit.page.locator("#key-forget").is_visible()
