// Sticks above a reversed ppm axis, with the interval of each; a second set hangs below.

import { fitAxis, spread } from "./axis.js";
import { h, nucleusName, s } from "./dom.js";
import { firstStop } from "./highlight.js";
import { number, plural, raised, shiftText } from "./numbers.js";
import { signalWords } from "./signals.js";

const STICK = 78;
const HANGING = 56;
const LANE = 7;
const MAX_LANES = 6;
const EDGE = 12;
const LABEL_GAP = 14;

/**
 * Draw the spectrum of one nucleus, as wide as its place, and again when that changes.
 *
 * `second` is null, or { above, name, sticks: [{ shift, low, high, count, key, words, loose }] }.
 */
export function spectrum(nucleus, signals, second) {
  const holder = h("div", { class: "sticks" });
  let width = 0;
  const draw = () => {
    const now = Math.max(280, Math.round(holder.clientWidth));
    if (now === width) return;
    width = now;
    holder.replaceChildren(picture(nucleus, signals, second, width));
  };
  new ResizeObserver(draw).observe(holder);
  return h("figure", { class: "spectrum" }, heading(nucleus, signals, second), holder);
}

function heading(nucleus, signals, second) {
  const legend = second && h("span", { class: "legend" }, `up: ${second.above}, down: ${second.name}`);
  return h(
    "figcaption",
    {},
    h("h3", {}, nucleusName(nucleus)),
    h("span", { class: "small" }, plural(signals.length, "signal")),
    legend || "",
  );
}

function picture(nucleus, signals, second, width) {
  const hanging = second?.sticks ?? [];
  const all = [...signals, ...hanging];
  const axis = fitAxis(all.flatMap((one) => [one.low ?? one.shift, one.high ?? one.shift]),
    nucleus, EDGE, width - EDGE);
  const lanes = lanesOf(signals, axis);
  const pitch = Math.min(LANE, (LANE * MAX_LANES) / Math.max(1, ...lanes.map((lane) => lane + 1)));
  const crowded = signals.length * 9 > width;
  const labels = crowded ? 12 : 20 + 8 * Math.max(...signals.map((one) => labelOf(one).length));
  const foot = labels + STICK;
  const bars = foot + (hanging.length ? HANGING + 6 : 0) + 9;
  const floor = bars + pitch * Math.max(...lanes) + 10;
  const most = Math.max(...all.map((one) => one.count));
  const svg = s("svg", {
    width, height: floor + 40, viewBox: `0 0 ${width} ${floor + 40}`, role: "group",
    "aria-label": `${nucleus} spectrum, ${signals.length} signals`, "data-group": "spectrum",
  });
  svg.append(...axisMarks(axis, nucleus, foot, floor, width));
  const places = spread(signals.map((one) => axis.x(one.shift)), LABEL_GAP, EDGE, width - EDGE);
  for (const [rank, one] of signals.entries()) {
    const top = foot - STICK * (one.count / most);
    const label = crowded ? [] : labelMarks(one, axis, places[rank], labels, top);
    const bar = bars + pitch * lanes[rank];
    svg.append(stick(one, axis, top, foot, bar, [hitArea(signals, rank, axis, labels, bar), label]));
  }
  svg.append(...hanging.map((one) => hangingStick(one, axis, foot, most)));
  firstStop(svg);
  return svg;
}

/** Where a stick is pointed at: half way to its neighbours. Coincident sticks share it. */
function hitArea(signals, rank, axis, labels, bar) {
  const x = axis.x(signals[rank].shift);
  const away = signals.map((other) => axis.x(other.shift) - x);
  const reach = (side) =>
    Math.min(7, ...away.filter((one) => one * side >= 0.5).map((one) => Math.abs(one) / 2));
  const keys = signals.filter((_, place) => Math.abs(away[place]) < 0.5).map((one) => one.key);
  const left = x - reach(-1);
  return s("rect", {
    class: "hit", x: left, y: labels, width: x + reach(1) - left, height: bar + 6 - labels,
    "data-keys": keys.join(" "),
  });
}

function stick(one, axis, top, foot, bar, above) {
  const [x, high, low] = [one.shift, one.high, one.low].map(axis.x);
  return s(
    "g",
    {
      class: `stick step-${one.step}`, "data-keys": one.key, tabindex: "-1", role: "img",
      "aria-label": signalWords(one),
    },
    above,
    s("line", { class: "rise", x1: x, x2: x, y1: foot, y2: top }),
    s("line", { class: "thread", x1: x, x2: x, y1: foot, y2: bar }),
    s("path", { class: "bar", d: `M${high} ${bar - 3}v6m0-3H${low}m0-3v6` }),
    s("circle", { class: "dot", cx: x, cy: bar, r: 2.4 }),
  );
}

const labelOf = (one) =>
  shiftText(one.nucleus, one.shift) + (one.count > 1 ? ` ×${one.count}` : "");

function labelMarks(one, axis, place, labels, top) {
  const x = axis.x(one.shift);
  const bend = labels - 4;
  return [
    s("path", { class: "leader", d: `M${place} ${bend - 12}v3L${x} ${bend}V${top}` }),
    s("text", { x: place + 4, y: bend - 15, transform: `rotate(-90 ${place + 4} ${bend - 15})` },
      labelOf(one)),
  ];
}

function hangingStick(one, axis, foot, most) {
  const x = axis.x(one.shift);
  const end = foot + Math.max(14, HANGING * (one.count / most));
  return s(
    "g",
    {
      class: `hanging${one.loose ? " loose" : ""}`, "data-keys": one.key || null,
      tabindex: one.key ? "-1" : null, role: "img", "aria-label": one.words,
    },
    s("title", {}, one.words),
    s("rect", { class: "hit", x: x - 6, y: foot, width: 12, height: HANGING }),
    s("line", { class: "rise", x1: x, x2: x, y1: foot, y2: end }),
    s("path", { class: "dot", d: `M${x} ${end - 4}l4 4l-4 4l-4-4z` }),
  );
}

function axisMarks(axis, nucleus, foot, floor, width) {
  const line = (kind, x1, y1, x2, y2) => s("line", { class: kind, x1, y1, x2, y2 });
  return [
    line("base", EDGE, foot, width - EDGE, foot),
    line("axis", EDGE, floor, width - EDGE, floor),
    ...axis.minor.map((tick) => line("tick", axis.x(tick), floor, axis.x(tick), floor + 3)),
    ...axis.major.map((tick) => line("tick", axis.x(tick), floor, axis.x(tick), floor + 6)),
    ...axis.major.map((tick) =>
      s("text", { class: "tick-name", x: axis.x(tick), y: floor + 20 }, number(tick, axis.decimals))),
    s("text", { class: "axis-name", x: width - EDGE, y: floor + 35 }, `δ ${raised(nucleus)} / ppm`),
  ];
}

/** Give each interval, from high to low, the first lane in which it touches no other. */
function lanesOf(signals, axis) {
  const ends = [];
  return signals.map((one) => {
    const [start, end] = [axis.x(one.high), axis.x(one.low)];
    const free = ends.findIndex((taken) => taken + 3 < start);
    const lane = free < 0 ? ends.length : free;
    ends[lane] = end;
    return lane;
  });
}
