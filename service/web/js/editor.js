// Drawing a structure: openchemlib's editor, loaded when it is first wanted.

import { byId, say } from "./dom.js";

window.requestIdleCallback ??= (act) => setTimeout(act, 1); // some browsers lack what it calls

let loading = null;

const openchemlib = () => {
  loading ??= import("../vendor/openchemlib/openchemlib.js").then((module) => {
    module.registerCustomElement();
    return module;
  });
  return loading;
};

/** Make the dialog work; `use` is told when a drawing has become the structure. */
export function prepareEditor(use) {
  const dialog = byId("editor");
  byId("draw").addEventListener("click", () => open(dialog));
  byId("editor-cancel").addEventListener("click", () => dialog.close());
  byId("editor-clear").addEventListener("click", () => dialog.querySelector("openchemlib-editor")?.clearAll());
  byId("editor-use").addEventListener("click", () => {
    const molecule = dialog.querySelector("openchemlib-editor")?.getMolecule();
    if (!molecule?.getAllAtoms()) {
      say("Nothing is drawn yet.");
      return;
    }
    byId("structure").value = molecule.toIsomericSmiles({ kekulizedOutput: true });
    dialog.close();
    use();
  });
}

async function open(dialog) {
  dialog.showModal();
  try {
    const { Molecule } = await openchemlib();
    const place = byId("editor-place");
    if (!place.firstElementChild) place.append(document.createElement("openchemlib-editor"));
    const text = byId("structure").value;
    const editor = place.firstElementChild;
    if (text.trim()) editor.setMolecule(moleculeOf(Molecule, text));
    else editor.clearAll();
    dialog.dataset.ready = "";
  } catch {
    say("The structure given could not be drawn; the editor begins empty.");
  }
}

function moleculeOf(Molecule, text) {
  return /M {2}END/.test(text) ? Molecule.fromMolfile(text) : Molecule.fromSmiles(text.trim());
}
