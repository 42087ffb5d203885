// One molecule: from the form to an answer or to a reason.

import { ApiError, askJson } from "./api.js";
import { byId, h } from "./dom.js";
import { readForm } from "./form.js";
import { matchSpectra } from "./match.js";
import { plural } from "./numbers.js";
import { showResult } from "./result.js";

let running = null;

/** Make the form work. `about` is { labels, formats }. */
export function prepareForm(about) {
  const submit = () => byId("ask").requestSubmit();
  byId("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    predict(about);
  });
  byId("structure").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !byId("structure").value.includes("\n")) {
      event.preventDefault();
      submit();
    }
  });
  for (const one of document.querySelectorAll("[data-example]")) {
    one.addEventListener("click", () => {
      byId("structure").value = one.dataset.example;
      submit();
    });
  }
  return submit;
}

async function predict(about) {
  running?.abort();
  running = new AbortController();
  const { signal } = running;
  const place = byId("result");
  place.setAttribute("aria-busy", "true");
  byId("status").textContent = "Predicting…";
  try {
    const answer = await answerTo(readForm(), signal);
    await showResult(place, { ...answer, ...about, signal });
    if (signal.aborted) return;
    const n = answer.prediction.atoms.length;
    byId("status").textContent = `Done: ${plural(n, "shift")} predicted.`;
    if (matchMedia("(max-width: 56rem)").matches) place.scrollIntoView();
  } catch (error) {
    if (signal.aborted) return;
    byId("status").textContent = "";
    place.replaceChildren(problem(error));
  }
  place.removeAttribute("aria-busy");
}

/** Ask for all that the form wants. */
async function answerTo(form, signal) {
  const structure = form.structure.includes("\n") ? form.structure : form.structure.trim();
  if (!structure.trim()) throw new ApiError("no_structure", "Write, draw or open a structure first.");
  if (!form.nuclei.length) throw new ApiError("no_nucleus", "Choose at least one nucleus.");
  const molecule = { structure, solvent: form.solvent };
  const settings = form.solvent ? { solvent: form.solvent } : {};
  const matches = form.peaks ? await matchSpectra({ structure }, form.peaks, settings, signal) : [];
  const nuclei = [...new Set([...form.nuclei, ...matches.map((one) => one.nucleus)])];
  const molecules = [molecule, ...(form.second ? [{ structure, solvent: form.second }] : [])];
  const request = { molecules, nuclei, interval: form.interval };
  const document = await askJson("v1/predict", {
    method: "POST", body: JSON.stringify(request), type: "application/json", signal,
  });
  const [prediction, other] = document.predictions;
  if (prediction.status !== "ok") throw new ApiError(prediction.code, prediction.message, [], prediction.hint);
  const question = { ...molecule, nuclei, interval: form.interval };
  if (!question.solvent) delete question.solvent;
  return { document, request, prediction, other: other?.status === "ok" ? other : null, matches, question };
}

const problem = (error) =>
  h("div", { class: "problem", role: "alert" },
    h("h2", {}, "No prediction"),
    h("p", {}, sentence(error.message)),
    error.hint && h("p", {}, error.hint),
    error.fields?.map((one) => h("p", { class: "small" }, `${one.place}: ${one.reason}`)),
    error.code && h("p", { class: "small" }, "Code ", h("code", {}, error.code)));

/** Write a message that may lack its capital and its full stop as a sentence. */
const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1).replace(/([^.?!])$/, "$1.");
