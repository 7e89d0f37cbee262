/* Ratios and verdicts, as bench/report/statistics, verdicts and compare make them. */
const LEAST_THRESHOLD = 0.01;
const UNTESTED =
  "no null test: how far apart equal things are is not known here; measure with --profile standard";

/* Time of one by time of the other: how many times as fast the other is (MOVER, by logarithms). */
function ratioOf(one, other) {
  const median = one.median / other.median;
  if (one.low === null || other.low === null) return { median, low: null, high: null };
  const down = Math.hypot(Math.log(one.median / one.low), Math.log(other.high / other.median));
  const up = Math.hypot(Math.log(one.high / one.median), Math.log(other.median / other.low));
  return { median, low: median * Math.exp(-down), high: median * Math.exp(up) };
}

function widened(found, share) {
  if (found.low === null) return found;
  const apart = 1 + share;
  return {
    median: found.median,
    low: Math.min(found.low, found.median / apart),
    high: Math.max(found.high, found.median * apart),
  };
}

function meanOf(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/* As wide as the intervals are on average: rows of one run depend on each other. */
function geometricMean(ratios) {
  const median = Math.exp(meanOf(ratios.map((one) => Math.log(one.median))));
  if (ratios.some((one) => one.low === null)) return { median, low: null, high: null };
  const ends = ["low", "high"].map((end) => Math.exp(meanOf(ratios.map((one) => Math.log(one[end])))));
  return { median, low: Math.min(ends[0], median), high: Math.max(ends[1], median) };
}

/* Each run brings half of the square of its machine's noise; an unknown one is like the other. */
function rootMeanSquare(noises) {
  const logs = noises.filter((noise) => noise !== undefined).map(Math.log1p);
  if (!logs.length) return null;
  return Math.expm1(Math.sqrt(logs.reduce((sum, log) => sum + log * log, 0) / logs.length));
}

/* By kind: rows of a kind that neither tested are as noisy as the other kind; null: not known. */
function noiseOfBoth(noises, kind) {
  const of = (which) => rootMeanSquare(noises.map((noise) => noise[which]));
  return of(kind) ?? of(kind === "network" ? "machine" : "network");
}

/* Within which share of each other two things are called the same. */
function alike(threshold) {
  return threshold <= LEAST_THRESHOLD ? LEAST_THRESHOLD : (1 + threshold) ** 2 - 1;
}

function judge(speed, threshold, doubts) {
  if (doubts.length) return { word: "unclear", reason: doubts[0] };
  if (speed.low === null) return { word: "unclear", reason: "too few rounds for an interval" };
  const beyond = Math.log1p(threshold);
  const [low, middle, high] = [speed.low, speed.median, speed.high].map(Math.log);
  const margin = alike(threshold);
  const within = threshold <= LEAST_THRESHOLD
    ? `differences below ${percent(LEAST_THRESHOLD)} are not called`
    : `equal things differ by up to ${percent(threshold)} here`;
  if (low > 0 && middle > beyond) {
    return { word: "faster", reason: `the interval lies above 1, and ${within}` };
  }
  if (high < 0 && middle < -beyond) {
    return { word: "slower", reason: `the interval lies below 1, and ${within}` };
  }
  if (Math.max(-low, high) <= Math.log1p(margin)) {
    return { word: "same", reason: `differs by less than ${percent(margin)}` };
  }
  if (low > 0 || high < 0) return { word: "unclear", reason: `a difference, but ${within}` };
  return { word: "unclear", reason: `the interval holds 1 and ends beyond ${percent(margin)}` };
}
