// A file becomes a job: upload, live progress, download. The job outlives the page.

import { ApiError, ask, askJson } from "./api.js";
import { byId, download, h } from "./dom.js";
import { listen } from "./events.js";
import { prepareDrop, ticked } from "./form.js";
import { currentKey } from "./key.js";
import { plural } from "./numbers.js";

const TYPES = {
  csv: "text/csv",
  tsv: "text/tab-separated-values",
  sdf: "chemical/x-mdl-sdfile",
  sd: "chemical/x-mdl-sdfile",
  smi: "chemical/x-daylight-smiles",
  txt: "chemical/x-daylight-smiles",
  jsonl: "application/x-ndjson",
  ndjson: "application/x-ndjson",
};
const RESULTS = ["csv", "jsonl", "json"];
const KEPT = "nmrshift-job";
const ENDED = new Set(["done", "failed", "cancelled"]);

/** Make the batch tab work, or say that this service has no jobs. */
export function prepareBatch(paths) {
  const hasJobs = "/v1/jobs" in paths;
  byId("batch-form").hidden = !hasJobs;
  byId("batch-none").hidden = hasJobs;
  if (!hasJobs) return;
  byId("batch-form").addEventListener("submit", (event) => {
    event.preventDefault();
    start();
  });
  byId("batch-file").addEventListener("change", () => named(byId("batch-file").files[0]));
  prepareDrop(byId("batch-zone"), (files) => {
    byId("batch-file").files = files;
    named(files[0]);
  });
  const kept = sessionStorage.getItem(KEPT);
  if (kept) follow(kept);
}

const named = (file) => {
  byId("batch-name").textContent = file ? `${file.name}, ${size(file.size)}` : "No file chosen";
};

const size = (bytes) =>
  bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;

async function start() {
  const button = byId("batch-start");
  button.disabled = true;
  try {
    const job = await send(byId("batch-file").files[0]);
    sessionStorage.setItem(KEPT, job.id);
    show(job);
    follow(job.id);
  } catch (error) {
    byId("job").replaceChildren(
      h("div", { class: "problem", role: "alert" }, h("h2", {}, "No job"), h("p", {}, error.message)));
  } finally {
    button.disabled = false;
  }
}

function send(file) {
  if (!file) throw new ApiError("no_file", "Choose a file first.");
  const type = TYPES[file.name.split(".").pop().toLowerCase()];
  if (!type) throw new ApiError("file_format", "The name must end in .csv, .tsv, .smi, .sdf or .jsonl.");
  const nuclei = ticked("batch-nuclei");
  if (!nuclei.length) throw new ApiError("no_nucleus", "Choose at least one nucleus.");
  const query = new URLSearchParams(nuclei.map((one) => ["nucleus", one]));
  if (byId("batch-solvent").value) query.set("solvent", byId("batch-solvent").value);
  return askJson(`v1/jobs?${query}`, { method: "POST", body: file, type });
}

let following = new AbortController();

/** Follow a job until it ends. */
function follow(id) {
  following.abort();
  following = new AbortController();
  const { signal } = following;
  const take = (data) => {
    const job = JSON.parse(data);
    show(job);
    return ENDED.has(job.status);
  };
  const broken = () => byId("job-line")?.replaceChildren("The connection broke; trying again…");
  const path = `v1/jobs/${encodeURIComponent(id)}/events`;
  listen(path, { take, broken, signal }).catch(() => signal.aborted || lost(id));
}

/** Find out why the events ended: a page that is being left must not forget its job. */
async function lost(id) {
  try {
    const job = await askJson(`v1/jobs/${encodeURIComponent(id)}`);
    show(job);
    if (!ENDED.has(job.status)) byId("job-line").append(again(id));
  } catch (error) {
    if (error.code === "not_found") sessionStorage.removeItem(KEPT);
    byId("job").replaceChildren(h("div", { class: "problem", role: "alert" },
      h("p", {}, error.code === "not_found" ? "The service no longer knows this job." : error.message),
      error.code !== "not_found" && again(id)));
    delete byId("job").dataset.job;
  }
}

const again = (id) =>
  h("button", { type: "button", click: () => follow(id) }, "Follow it again");

const TITLES = {
  queued: "Waiting", running: "Running", done: "Done", failed: "Failed", cancelled: "Cancelled",
};

function show(job) {
  const place = byId("job");
  if (place.dataset.job !== job.id || place.dataset.status !== job.status) {
    place.dataset.job = job.id;
    place.dataset.status = job.status;
    place.replaceChildren(card(job));
  }
  const bar = place.querySelector("progress");
  if (job.n_rows) {
    bar.max = job.n_rows;
    bar.value = job.n_done;
  }
  byId("job-line").replaceChildren(progressWords(job));
}

function progressWords({ n_rows: rows, n_done: done, n_failed: failed }) {
  const all = rows ? `${done.toLocaleString("en")} of ${plural(rows, "molecule")}` : plural(done, "molecule");
  return failed ? `${all}, ${failed.toLocaleString("en")} could not be predicted` : all;
}

function card(job) {
  const ended = ENDED.has(job.status);
  return h("section", { class: `card job ${job.status}`, "aria-labelledby": "job-title" },
    h("h2", { id: "job-title", role: "status" }, TITLES[job.status] ?? job.status),
    h("progress", { "aria-label": "Progress of the job" }),
    h("p", { id: "job-line" }),
    job.problem && h("p", { class: "poor" }, job.problem.detail ?? String(job.problem)),
    h("p", { class: "actions" },
      job.status === "done" && RESULTS.map((format) => result(job, format)),
      h("button", { type: "button", click: () => end(job) }, ended ? "Remove" : "Cancel")));
}

/** A link; where a key is needed, which a link cannot send, the file is fetched first. */
function result({ id }, format) {
  const path = `v1/jobs/${encodeURIComponent(id)}/results?format=${format}`;
  const name = `predictions.${format}`;
  const take = async (event) => {
    if (currentKey() === null) return;
    event.preventDefault();
    download(await (await ask(path)).blob(), name);
  };
  return h("a", { class: "button", download: name, href: path, click: take }, `Download ${format.toUpperCase()}`);
}

async function end({ id }) {
  following.abort();
  sessionStorage.removeItem(KEPT);
  try {
    await ask(`v1/jobs/${encodeURIComponent(id)}`, { method: "DELETE" });
    byId("job").replaceChildren(h("p", { class: "small", role: "status" }, "The job was removed."));
  } catch (error) {
    byId("job").replaceChildren(h("p", { class: "problem", role: "alert" }, error.message));
  }
  delete byId("job").dataset.job;
}
