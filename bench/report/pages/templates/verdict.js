/* Ratios and verdicts as zipnet/results makes them, in natural logarithms: a median, and how far its
   interval reaches down and up; NaN where there is none. */
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

/* How far apart equal things are found between two machines, now and after more runs of each: each brings half of the square of
   its machine's; rows of a kind that was not seen twice are as those of a machine that nobody measured, and a question that
   nobody knows is as noisy as the noisiest kind. */
function noisesOfBoth(noises, kind, { unseen, unsteady }) {
  const noisiest = (noise) => Object.values(noise).sort((one, other) => other[0] - one[0])[0];
  const of = (noise) => (kind ? noise[kind] : noisiest(noise)) ?? unseen;
  const both = noises.map(of);
  return unseen.map((_, at) => {
    const logs = both.map((noise) => Math.log1p(noise[at]));
    return Math.min(unsteady, Math.expm1(Math.hypot(...logs) / Math.sqrt(logs.length)));
  });
}

/* What less and more of a unit are called: less is better. */
const CALLED = { s: ["faster", "slower"], B: ["smaller", "larger"] };

/* What it would take to call a row something: more equal runs, or more rounds. */
function neededText({ log, down, up }, noises, within, rule) {
  const off = Math.abs(log);
  const reach = Math.max(off > Math.log1p(rule.floor) ? off : 0, Math.log1p(rule.margin) - off);
  const runs = rule.more[noises.findIndex((noise) => Math.log1p(noise) <= reach)];
  const wide = Math.max(down, up);
  const own = wide > 1.001 * Math.log1p(noises[0]); // or it is the noise, give or take a rounding
  const times = own && wide > reach ? (wide / Math.max(reach, 1e-9)) ** 2 : 0;
  if (runs === undefined) return `${within}, and more runs cannot tell`;
  if (runs > 0) {
    const more = `at least ${runs} more equal run${runs > 1 ? "s" : ""} of each`;
    return `${within}; ${more}${times ? ", and longer ones," : ""} would tell`;
  }
  const longer = rule.longer.find((one) => times <= one);
  const rounds = longer === undefined ? `more than ${rule.longer.at(-1)}` : `about ${longer}`;
  return `the interval is too wide; ${rounds} times as many rounds would tell`;
}

function judge(speed, noises, doubts, unit, rule) {
  const unclear = (reason) => ({ word: "unclear", way: "unclear", reason });
  const { log, down, up } = speed;
  const [noise] = noises;
  if (doubts.length) return unclear(doubts[0]);
  if (Number.isNaN(down + up)) return unclear("too few rounds for an interval");
  if (noise >= rule.unsteady) return unclear("too unsteady to tell: equal things may differ by more than twofold here");
  const within = noise <= rule.floor
    ? `differences below ${percent(rule.floor)} are not called`
    : `equal things may differ by up to ${percent(noise)} here`;
  const [low, high, beyond] = [log - down, log + up, Math.log1p(Math.max(rule.floor, noise))];
  const [less, more] = CALLED[unit] ?? ["less", "more"];
  if (low > 0 && log > beyond) return { word: less, way: "better", reason: `the interval lies above 1, and ${within}` };
  if (high < 0 && log < -beyond) return { word: more, way: "worse", reason: `the interval lies below 1, and ${within}` };
  if (Math.max(-low, high) <= Math.log1p(rule.margin)) {
    return { word: "same", way: "same", reason: `differs by less than ${percent(rule.margin)}` };
  }
  return unclear(neededText(speed, noises, within, rule));
}
