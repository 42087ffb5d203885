// A ppm axis: nice steps, and labels moved apart.

const LEAST_SPAN = { "1H": 2 };
const OTHER_SPAN = 10;

/** Fit an axis around values in ppm between two places in pixels, high values on the left. */
export function fitAxis(values, nucleus, left, right) {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const lacking = Math.max(0, (LEAST_SPAN[nucleus] ?? OTHER_SPAN) - (high - low));
  const room = lacking / 2 + 0.04 * (high - low + lacking);
  const ticks = Math.max(3, Math.min(9, Math.floor((right - left) / 80)));
  const [step, parts] = niceStep((high - low + 2 * room) / ticks);
  const fine = step / parts;
  const first = Math.floor((low - room) / fine);
  const last = Math.ceil((high + room) / fine);
  const places = Array.from({ length: last - first + 1 }, (_, rank) => last - rank);
  const x = (ppm) => left + ((last * fine - ppm) / ((last - first) * fine)) * (right - left);
  return {
    x,
    decimals: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)),
    major: places.filter((place) => place % parts === 0).map((place) => place * fine),
    minor: places.filter((place) => place % parts !== 0).map((place) => place * fine),
  };
}

/** Return the smallest 1, 2 or 5 times a power of ten not below `least`, and its parts. */
function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  for (const [factor, parts] of [[1, 5], [2, 4], [5, 5]]) {
    if (least <= factor * power * (1 + 1e-9)) return [factor * power, parts];
  }
  return [10 * power, 5];
}

/** Move ascending places as little as possible until neighbours are `gap` apart. */
export function spread(places, gap, left, right) {
  const least = places.length > 1 ? Math.min(gap, (right - left) / (places.length - 1)) : gap;
  const pools = [];
  for (const [rank, place] of places.entries()) {
    let pool = { mean: place - rank * least, size: 1 };
    while (pools.length && pools[pools.length - 1].mean > pool.mean) {
      const before = pools.pop();
      const size = before.size + pool.size;
      pool = { mean: (before.mean * before.size + pool.mean * pool.size) / size, size };
    }
    pools.push(pool);
  }
  const flat = pools.flatMap((pool) => Array(pool.size).fill(pool.mean));
  const last = right - (places.length - 1) * least;
  return flat.map((mean, rank) => Math.min(Math.max(mean, left), last) + rank * least);
}
