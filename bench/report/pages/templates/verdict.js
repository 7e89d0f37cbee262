/* Ratios and verdicts as zipnet/results makes them, in natural logarithms: a median, and how far its
   interval reaches down and up; NaN where there is none. */
const LEAST_THRESHOLD = 0.01;
const UNTESTED =
  "no null test: how far apart equal things are is not known here; measure with --profile standard";

/* Time of one by time of the other: how many times as fast the other is (MOVER). */
function ratioOf(one, other) {
  return {
    log: one.log - other.log,
    down: Math.hypot(one.down, other.up),
    up: Math.hypot(one.up, other.down),
  };
}

function widened({ log, down, up }, share) {
  return { log, down: Math.max(down, Math.log1p(share)), up: Math.max(up, Math.log1p(share)) };
}

/* As wide as the intervals are on average: rows of one run depend on each other. */
function geometricMean(ratios) {
  const mean = (part) => ratios.reduce((sum, ratio) => sum + ratio[part], 0) / ratios.length;
  return { log: mean("log"), down: mean("down"), up: mean("up") };
}

/* A ratio as a reader knows it. */
function plain({ log, down, up }) {
  return { median: Math.exp(log), low: Math.exp(log - down), high: Math.exp(log + up) };
}

/* Each run brings half of the square of its machine's noise; an unknown one is like the other, and
   rows of a kind that neither tested are as noisy as the noisiest kind. Undefined: not known. */
function noiseOfBoth(noises, kind) {
  const kinds = [...new Set(noises.flatMap(Object.keys))];
  const of = (which) => {
    const logs = noises.filter((noise) => which in noise).map((noise) => Math.log1p(noise[which]));
    return Math.expm1(Math.hypot(...logs) / Math.sqrt(logs.length));
  };
  if (!kinds.length) return undefined;
  return kinds.includes(kind) ? of(kind) : Math.max(...kinds.map(of));
}

/* What less and more of a unit are called: less is better. */
const CALLED = { s: ["faster", "slower"], B: ["smaller", "larger"] };

function judge({ log, down, up }, threshold, doubts, unit) {
  const unclear = (reason) => ({ word: "unclear", way: "unclear", reason });
  if (doubts.length) return unclear(doubts[0]);
  if (Number.isNaN(down + up)) return unclear("too few rounds for an interval");
  const calm = threshold <= LEAST_THRESHOLD;
  const margin = calm ? LEAST_THRESHOLD : (1 + threshold) ** 2 - 1; // within it things are the same
  const within = calm
    ? `differences below ${percent(LEAST_THRESHOLD)} are not called`
    : `equal things differ by up to ${percent(threshold)} here`;
  const [low, high, beyond] = [log - down, log + up, Math.log1p(threshold)];
  const [less, more] = CALLED[unit] ?? ["less", "more"];
  if (low > 0 && log > beyond) return { word: less, way: "better", reason: `the interval lies above 1, and ${within}` };
  if (high < 0 && log < -beyond) return { word: more, way: "worse", reason: `the interval lies below 1, and ${within}` };
  if (Math.max(-low, high) <= Math.log1p(margin)) {
    return { word: "same", way: "same", reason: `differs by less than ${percent(margin)}` };
  }
  if (low > 0 || high < 0) return unclear(`a difference, but ${within}`);
  return unclear(`the interval holds 1 and ends beyond ${percent(margin)}`);
}
