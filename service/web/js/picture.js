// The molecule as the service draws it, taken apart and rebuilt from known elements only.

import { s } from "./dom.js";

const ELEMENTS = new Set(
  ["svg", "g", "path", "line", "rect", "circle", "ellipse", "polygon", "polyline", "text", "tspan", "title"],
);
const ATTRIBUTES = new Set(
  ("class d x y x1 y1 x2 y2 cx cy r rx ry dx dy points width height transform viewBox " +
    "font-size font-family text-anchor data-nucleus data-atoms stroke-width stroke-linecap " +
    "stroke-linejoin stroke-opacity fill-opacity fill-rule opacity stroke-dasharray").split(" "),
);
const COLOURS = new Set(["fill", "stroke"]);
const COLOUR = /^#([0-9a-f]{6})$/i;

/** Rebuild an SVG document of the service; scripts, links and styles do not survive. */
export function rebuilt(text) {
  const tame = text.replace(/\sstyle=(?=['"])/g, " data-style=");
  const parsed = new DOMParser().parseFromString(tame, "image/svg+xml");
  if (parsed.documentElement.nodeName !== "svg") throw new Error("not a picture");
  return copy(parsed.documentElement);
}

function copy(node) {
  const element = s(node.nodeName, {});
  for (const { name, value } of [...node.attributes, ...declarations(node)]) {
    if (ATTRIBUTES.has(name)) element.setAttribute(name, value);
    if (COLOURS.has(name)) paint(element, name, value);
  }
  for (const child of node.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) element.append(child.data);
    else if (ELEMENTS.has(child.nodeName)) element.append(copy(child));
  }
  return element;
}

/** Read a style attribute, renamed because the page's policy allows none, as attributes. */
function declarations(node) {
  const parts = (node.getAttribute("data-style") ?? "").split(";").map((part) => part.split(":"));
  return parts
    .filter((part) => part.length === 2)
    .map(([name, value]) => ({ name: name.trim(), value: value.trim() }));
}

/** Let each colour be replaced by the style sheet, for a dark page: --ink-rrggbb. */
function paint(element, name, value) {
  if (element.classList.contains("atom-selector")) return;
  const [, code] = COLOUR.exec(value) ?? [];
  if (code) element.style.setProperty(name, `var(--ink-${code.toLowerCase()}, ${value})`);
  else if (value === "none") element.setAttribute(name, value);
}

/** Cut the picture down to its ink; it must be in the page. Returns its width in pixels. */
export function crop(svg, margin = 10) {
  const boxes = [...svg.children].filter((one) => one.nodeName !== "title").map(box);
  const left = Math.min(...boxes.map((one) => one.x)) - margin;
  const top = Math.min(...boxes.map((one) => one.y)) - margin;
  const right = Math.max(...boxes.map((one) => one.x + one.width)) + margin;
  const bottom = Math.max(...boxes.map((one) => one.y + one.height)) + margin;
  svg.setAttribute("viewBox", [left, top, right - left, bottom - top].join(" "));
  svg.setAttribute("width", right - left);
  svg.setAttribute("height", bottom - top);
  return right - left;
}

function box(element) {
  const { x, y, width, height } = element.getBBox();
  const moved = /translate\(([-\d.]+),([-\d.]+)\)/.exec(element.getAttribute("transform") ?? "");
  return { x: x + Number(moved?.[1] ?? 0), y: y + Number(moved?.[2] ?? 0), width, height };
}
