/* The verdicts of two machines as a figure, as bench/report/figures/ratios.py draws them: the ratio of
   each row, its interval and the margin of sameness, a line an engine, device and threads. */
const MARKS = {
  better: "M-5,-5L5,0L-5,5Z", worse: "M5,-5L-5,0L5,5Z", same: "M-4,-4H4V4H-4Z", unclear: "M-4.5,0a4.5,4.5 0 1,0 9,0a4.5,4.5 0 1,0 -9,0Z",
};
const SPREAD = 1.5; // how far beyond all medians intervals are shown; there the edge cuts them
const MOST_TICKS = 7;
const NARROW = 640; // pixels, below which a name stands above its marks

function drawing(name, attributes = {}, content = []) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  made.append(...[content].flat());
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/* What has room in so many pixels; all of it stands in the table. */
function fitting(text, pixels) {
  const room = Math.floor(pixels / 7.5);
  return text.length > room ? `${text.slice(0, room - 1)}\u2026` : text;
}

/* By question, each with its lines and the reason that most of its rows have. */
function byQuestion(rows) {
  const groups = new Map();
  for (const row of rows) {
    if (!groups.has(row.asked)) groups.set(row.asked, { asked: row.asked, rows: [], lines: new Map() });
    const group = groups.get(row.asked);
    group.rows.push(row);
    group.lines.set(row.line, [...(group.lines.get(row.line) ?? []), row]);
  }
  for (const group of groups.values()) {
    const counts = new Map();
    for (const { verdict } of group.rows) counts.set(verdict.reason, (counts.get(verdict.reason) ?? 0) + 1);
    group.reason = [...counts].reduce((most, each) => (each[1] > most[1] ? each : most))[0];
    group.said = group.rows.find(({ verdict }) => verdict.reason === group.reason).verdict;
  }
  return [...groups.values()];
}

/* What a question comes to: the geometric mean of its rows and what that lets one say. */
function together({ rows }, rule) {
  const sure = rows.filter((row) => !row.doubts.length);
  if (!sure.length) return "unclear";
  const mean = geometricMean(sure.map((row) => row.speed));
  const { word } = judge(mean, sure[0].noises, [], sure[0].one.unit, rule);
  return `${speedText(mean)} (${spanText(mean)}) ${word}`;
}

function extentOf(rows, margin) {
  const logs = [0, ...rows.map((row) => row.speed.log)];
  const ends = rows.flatMap(({ speed }) => [speed.log - speed.down, speed.log + speed.up, -margin, margin])
    .filter(Number.isFinite);
  const low = Math.max(Math.min(...logs) - Math.log(SPREAD), Math.min(...logs, ...ends));
  const high = Math.min(Math.max(...logs) + Math.log(SPREAD), Math.max(...logs, ...ends));
  return [low - 0.04, high + 0.04];
}

/* The finest round ratios that have room, 1 among them. */
function ticksOf([low, high]) {
  const powers = [...Array(25).keys()].map((at) => at - 12);
  const fine = [0.01, 0.02, 0.05, 0.1, 0.2].map((step) =>
    [...Array(Math.round(1.5 / step) + 1).keys()].map((at) => 1 + step * (at - Math.round(0.5 / step))));
  const choices = [
    ...(low < Math.log(0.5) || high > Math.log(2) ? [] : fine),
    powers.flatMap((power) => [1, 2, 5].map((one) => one * 10 ** power)),
    ...[1, 2, 4].map((step) => powers.map((power) => 10 ** (step * power))),
  ];
  const within = choices.map((ticks) => ticks.filter((tick) => Math.log(tick) >= low && Math.log(tick) <= high));
  return within.find((ticks) => ticks.length <= MOST_TICKS) ?? [1];
}

function ratioFigure(groups, rule, width, alt) {
  const narrow = width < NARROW;
  const [names, values, line, heading] = narrow ? [0, 0, 38, 46] : [230, 190, 23, 36];
  const margin = Math.log1p(rule.margin);
  const extent = extentOf(groups.flatMap((group) => group.rows), margin);
  const [left, right] = [names + 10, width - values - 10];
  const across = (log) => left + ((right - left) * (Math.min(Math.max(log, extent[0]), extent[1]) - extent[0])) / (extent[1] - extent[0]);
  const text = (x, y, content, kind, anchor = "start") => drawing("text", { x, y, class: kind, "text-anchor": anchor }, content);
  const grid = [];
  const made = [];
  let y = 22;
  for (const group of groups) {
    made.push(text(0, y + heading - 16, fitting(group.asked, 0.9 * right), "asked"));
    y += heading - 8;
    if (narrow) made.push(text(width, (y += 14) - 6, together(group, rule), "holds", "end"));
    else made.push(text(right, y - 8, together(group, rule), "holds", "end"));
    for (const [name, rows] of group.lines) {
      const middle = narrow ? y + 26 : y + line / 2;
      grid.push(drawing("rect", { x: across(-margin), y, width: across(margin) - across(-margin), height: line, class: "band" }));
      grid.push(drawing("line", { x1: across(0), x2: across(0), y1: y, y2: y + line, class: "one" }));
      const logs = rows.map((row) => row.speed).sort((a, b) => a.log - b.log);
      const words = new Set(rows.map((row) => row.verdict.word));
      const ends = new Set([logs[0], logs.at(-1)].map((speed) => significant(plain(speed).median)));
      const said = `${[...ends].join("\u2013")}\u00d7${words.size === 1 ? ` ${[...words][0]}` : ""}`;
      made.push(text(narrow ? 0 : names, narrow ? y + 14 : middle + 4, fitting(name, names || 0.7 * width), "name", narrow ? "start" : "end"));
      made.push(text(narrow ? width : right + 14, narrow ? y + 14 : middle + 4, said, "value", narrow ? "end" : "start"));
      for (const { text: key, speed, verdict } of rows) {
        const { log, down, up } = speed;
        const title = drawing("title", {}, `${key}: ${speedText(speed)}, ${spanText(speed)}, ${verdict.word}: ${verdict.reason}`);
        const mark = drawing("path", { d: MARKS[verdict.way], transform: `translate(${across(log)},${middle})` });
        const whisker = { x1: across(log - down), x2: across(log + up), y1: middle, y2: middle };
        made.push(drawing("g", { class: `mark ${verdict.way}` }, [
          title, ...(Number.isNaN(down + up) ? [] : [drawing("line", whisker)]), mark,
        ]));
      }
      y += line;
    }
  }
  const ticks = ticksOf(extent).map((tick) => {
    const x = across(Math.log(tick));
    const label = `${Number(tick.toPrecision(6)).toLocaleString("en-US", { maximumSignificantDigits: 6 })}\u00d7`;
    return drawing("g", { class: "tick" }, [
      drawing("line", { x1: x, x2: x, y1: 18, y2: y + 4 }),
      text(x, 12, label, "", "middle"), text(x, y + 18, label, "", "middle"),
    ]);
  });
  const box = { viewBox: `0 0 ${width} ${y + 24}`, width, height: y + 24, role: "img", "aria-label": alt };
  return drawing("svg", box, [...grid, ...ticks, ...made]);
}

/* Each reason that a question has in common, once, beside its mark. */
function legendOf(groups) {
  const reasons = new Map(groups.map(({ said }) => [said.reason, said]));
  return [...reasons.values()].map(({ way, word, reason }) => {
    const mark = drawing("svg", { viewBox: "-6 -6 12 12", width: 12, height: 12, "aria-hidden": "true" },
      drawing("g", { class: `mark ${way}` }, drawing("path", { d: MARKS[way] })));
    return element("li", [mark, ` ${word}: ${reason}`]);
  });
}
