// The page, put together.

import { askJson, untilReady } from "./api.js";
import { prepareBatch } from "./batch.js";
import { byId } from "./dom.js";
import { prepareEditor } from "./editor.js";
import { fillChoices, takeFiles } from "./form.js";
import { prepareKey } from "./key.js";
import { learnNuclei } from "./numbers.js";
import { prepareForm } from "./single.js";
import { prepareTabs } from "./tabs.js";

async function begin() {
  prepareTabs(byId("tabs"));
  prepareKey();
  const waiting = (error) => {
    byId("status").textContent =
      error.code === "not_ready" ? "The model is being loaded…" : "Waiting for the service…";
  };
  const { nuclei } = await untilReady("v1/nuclei", waiting);
  const [{ solvents }, model, schema] = await Promise.all(
    ["v1/solvents", "v1/model", "openapi.json"].map((path) => askJson(path)),
  );
  learnNuclei(nuclei);
  fillChoices(solvents, nuclei);
  const labels = new Map(solvents.map((one) => [one.key, one.label]));
  const answers = schema.paths["/v1/predict"].post.responses["200"].content;
  const submit = prepareForm({ labels, formats: Object.keys(answers) });
  takeFiles(submit);
  prepareEditor(submit);
  prepareBatch(schema.paths);
  byId("model").textContent = model.identity;
  byId("status").textContent = "";
  byId("predict").disabled = false;
}

begin().catch((error) => {
  byId("status").textContent = `The page could not start: ${error.message}`;
});
