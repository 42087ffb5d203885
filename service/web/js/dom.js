// Elements from tags, attributes and children. Text is only ever set as text.

const SVG = "http://www.w3.org/2000/svg";

/** Return the element of the page with this id. */
export const byId = (id) => document.getElementById(id);

/** Make an HTML element: attributes that are functions listen, null and false are left out. */
export const h = (tag, attributes, ...children) =>
  filled(document.createElement(tag), attributes, children);

/** Make an SVG element. */
export const s = (tag, attributes, ...children) =>
  filled(document.createElementNS(SVG, tag), attributes, children);

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child || child === 0));
  return element;
}

/** Return a nucleus with its mass number raised. */
export function nucleusName(nucleus) {
  const [, mass, symbol] = /^(\d+)(.*)$/.exec(nucleus) ?? [null, "", nucleus];
  return h("span", { class: "nucleus" }, h("sup", {}, mass), symbol);
}

/** Say something to screen readers, and briefly at the foot of the page. */
export function say(text) {
  const place = byId("said");
  place.textContent = text;
  place.classList.add("shown");
  clearTimeout(say.timer);
  say.timer = setTimeout(() => place.classList.remove("shown"), 2600);
}

/** Offer content as a file. */
export function download(content, name, type) {
  const blob = content instanceof Blob ? content : new Blob([content], { type });
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
