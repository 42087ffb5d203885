"""The batch tab in Chromium: upload, live progress, download; and a service without jobs."""

import pytest
from browsing import site, visiting

FILE = {"name": "three.smi", "mimeType": "", "buffer": b"CCO a\nC1CC b\nCC c\n"}


@pytest.fixture
def visit(browser):
    with site() as where, visiting(browser, where) as one:
        one.open()
        one.page.click("#tab-batch")
        yield one


def upload(page):
    page.set_input_files("#batch-file", FILE)
    page.click("#batch-start")


def says(page, text):
    page.locator("#job").get_by_text(text, exact=True).wait_for()


def test_a_file_from_upload_to_download(visit):
    page, jobs = visit.page, visit.site.jobs
    page.select_option("#batch-solvent", "cdcl3")
    page.locator('#batch-nuclei input[value="1H"]').check(force=True)
    upload(page)
    says(page, "0 of 3 molecules")
    assert page.locator("#job a").count() == 0
    jobs.released = 1
    says(page, "1 of 3 molecules")
    assert page.locator("progress").evaluate("bar => [bar.value, bar.max]") == [1, 3]
    jobs.released = 2
    says(page, "2 of 3 molecules, 1 could not be predicted")
    visit.shoot("batch-running")
    jobs.released = 3
    says(page, "Done")
    visit.shoot("batch-done")
    assert jobs.bodies == [FILE["buffer"]]
    assert jobs.types == ["chemical/x-daylight-smiles"]
    assert jobs.queries == ["nucleus=13C&nucleus=19F&nucleus=1H&solvent=cdcl3"]
    for form in ("CSV", "JSONL", "JSON"):
        with page.expect_download() as waiting:
            page.get_by_role("link", name=f"Download {form}", exact=True).click()
        assert waiting.value.suggested_filename == f"predictions.{form.lower()}"
        assert waiting.value.path().read_bytes() == f"{form.lower()}\n".encode() + FILE["buffer"]


def test_a_job_is_cancelled(visit):
    upload(visit.page)
    says(visit.page, "0 of 3 molecules")
    visit.page.get_by_role("button", name="Cancel").click()
    says(visit.page, "The job was removed.")
    assert visit.site.jobs.deleted == ["job-1"]


def test_a_job_is_found_again_after_a_reload(visit):
    upload(visit.page)
    says(visit.page, "0 of 3 molecules")
    visit.open()
    visit.page.click("#tab-batch")
    visit.site.jobs.released = 3
    says(visit.page, "Done")
    assert len(visit.site.jobs.bodies) == 1


def test_a_job_that_is_gone(visit):
    upload(visit.page)
    says(visit.page, "0 of 3 molecules")
    visit.site.jobs.jobs["job-1"]["status"] = "cancelled"
    says(visit.page, "Cancelled")
    visit.page.evaluate("sessionStorage.setItem('nmrshift-job', 'job-9')")
    visit.open()
    visit.page.click("#tab-batch")
    visit.page.get_by_role("alert").get_by_text("no longer knows this job").wait_for()


@pytest.mark.parametrize(
    ("name", "message"), [("x.pdf", "The name must end in"), (None, "Choose a file first")]
)
def test_what_is_no_file_of_molecules(visit, name, message):
    if name:
        visit.page.set_input_files("#batch-file", {**FILE, "name": name})
    visit.page.click("#batch-start")
    assert message in visit.page.get_by_role("alert").inner_text()
    assert visit.site.jobs.bodies == []


def test_a_refused_upload(visit):
    problem = {"code": "too_large", "detail": "A file may have 5 bytes."}
    visit.page.route("**/v1/jobs?*", lambda route: route.fulfill(status=413, json=problem))
    upload(visit.page)
    assert "A file may have 5 bytes." in visit.page.get_by_role("alert").inner_text()


def test_a_service_without_jobs(browser):
    def hide(route):
        response = route.fetch()
        schema = response.json()
        schema["paths"] = {path: one for path, one in schema["paths"].items() if "jobs" not in path}
        route.fulfill(response=response, json=schema)

    with site() as where, visiting(browser, where) as visit:
        visit.page.route("**/openapi.json", hide)
        visit.open()
        visit.page.click("#tab-batch")
        assert visit.page.get_by_text("This service takes no files.").is_visible()
        assert not visit.page.locator("#batch-form").is_visible()
