/* Two machines beside each other: the sentence, every row they share, and what is not compared. */
const WORDS = ["faster", "slower", "same", "unclear"];
const NAMES = ["A", "B"];
const FACTS = [
  "schema", "workload", "commit", "torch", "profile", "digits", "digits, by their hash", "all threads", "limits",
  "environment", "precision",
];

function compareData() {
  const data = embedded("compare-data");
  return { ...data, entries: records(data.keys), machines: records(data.machines) };
}

/* The rows of a machine by their keys; an interval reaches down and up by millionths, or is not there. */
function measuresOf(data, machine) {
  const [each, down, up, forbidden] = machine.rows;
  const reach = (millionths) => (millionths < 0 ? NaN : 1e-6 * millionths);
  return new Map(data.layouts[machine.layout].map((entry, at) => {
    const known = data.entries[entry];
    const interval = { log: Math.log(each[at]), down: reach(down[at]), up: reach(up[at]) };
    return [known.key, { ...known, ...interval, each: each[at], forbidden: data.forbidden[forbidden[at]] }];
  }));
}

function whyNot(machines, one, other) {
  if (one.kind === "network" && machines[0].workload !== machines[1].workload) {
    return "the workload differs, by its hash";
  }
  if (one.unit !== other.unit) return `measured in ${one.unit} in one, in ${other.unit} in the other`;
  if (one.per !== other.per) return `counted per ${one.per} in one, per ${other.per} in the other`;
  if (one.many !== other.many) return `${one.many} in one, ${other.many} in the other`;
  if (one.each && other.each) return null;
  return one.unit === "s" ? "took no time by the clock" : `0 ${one.unit} has no ratio`;
}

function compared(data, machines) {
  const sides = machines.map((machine) => measuresOf(data, machine));
  const rows = [];
  const alone = new Map();
  const leave = (reason, text) => alone.set(reason, [...(alone.get(reason) ?? []), text]);
  const bothSingle = machines.every((machine) => machine["all threads"] === "1");
  const shared = new Map(data.entries.map(({ key, text, all }) => [key, { text, all }]));
  shared.forEach(({ text, all: everyThread }, key) => {
    if (everyThread && bothSingle) return; // the same two rows as for one thread
    const [one, other] = sides.map((side) => side.get(key));
    if (!one && !other) return;
    if (!one || !other) return leave(`only in ${one ? NAMES[0] : NAMES[1]}`, text);
    const reason = whyNot(machines, one, other);
    if (reason) return leave(reason, text);
    const noises = noisesOfBoth(machines.map((machine) => machine.noise), one.kind, data.rule);
    const speed = widened(ratioOf(one, other), noises[0]);
    const doubts = [one, other]
      .map((side, at) => side.forbidden && `${NAMES[at]}: ${side.forbidden}`)
      .filter(Boolean);
    const verdict = judge(speed, noises, doubts, one.unit, data.rule);
    const { asked, line, kind } = one;
    rows.push({ text, asked, line, kind, one, other, speed, doubts, noises, verdict });
  });
  return { rows, alone };
}

const speedText = (speed) => `${significant(plain(speed).median)}\u00d7`;

function spanText(speed) {
  const { low, high } = plain(speed);
  return Number.isNaN(low + high) ? "no interval" : `${significant(low)} to ${significant(high)}`;
}

function eachText({ each, per, unit }) {
  if (per === "MAC") return `${quantity(1 / each)} MAC/s`;
  if (per === "byte") return `${quantity(1 / each)} B/s`;
  return amount(each, unit);
}

function meanText(rows, kind) {
  const sure = rows.filter((row) => row.kind === kind && !row.doubts.length);
  if (!sure.length) return null;
  const mean = geometricMean(sure.map((row) => row.speed));
  return { mean, count: sure.length === 1 ? "1 row" : `geometric mean of ${sure.length} rows` };
}

function headlineOf(rows) {
  const network = meanText(rows, "network");
  const floors = meanText(rows, "machine");
  const said = [network
    ? `B is ${speedText(network.mean)} as fast as A (${network.count}, 95% interval ${spanText(network.mean)})`
    : "A and B share no row of a network on which a verdict may rest"];
  if (floors) said.push(`floors ${speedText(floors.mean)} (${floors.count})`);
  const words = [...new Set([...WORDS, ...rows.map((row) => row.verdict.word)])]
    .map((word) => `${rows.filter((row) => row.verdict.word === word).length} ${word}`);
  return `${said.join("; ")}: ${words.join(", ")}.`;
}

/* The reason stands in the row where it is not the one that its question has in the legend. */
function comparedRow({ text, speed, verdict, one, other }, reason) {
  return element("tr", [
    element("th", text, { scope: "row" }),
    element("td", speedText(speed), { class: "n" }),
    element("td", spanText(speed)),
    element("td", verdict.word, { class: `verdict ${verdict.way}` }),
    element("td", eachText(one), { class: "n" }),
    element("td", eachText(other), { class: "n" }),
    element("td", verdict.reason === reason ? "" : verdict.reason, { class: "wrap" }),
  ]);
}

function comparedGroup({ asked, rows, reason }) {
  const head = element("tr", element("th", asked, { scope: "rowgroup", colspan: "7" }), { class: "group" });
  return element("tbody", [head, ...rows.map((row) => comparedRow(row, reason))]);
}

/* In what the two runs differ besides their speed. */
function notesOf([one, other]) {
  const notes = FACTS
    .filter((what) => one[what] !== other[what])
    .map((what) => `${what}: ${one[what] || "unknown"} in A, ${other[what] || "unknown"} in B`);
  [one, other].forEach(({ interrupted, profile, invalid, dirty, disagrees }, at) => {
    const name = NAMES[at];
    if (dirty) notes.push(`${name} was measured with uncommitted changes: it is equal to no other run`);
    if (interrupted) notes.push(`${name} was interrupted: what it lacks was not measured`);
    if (["smoke", "quick"].includes(profile)) {
      notes.push(`${name} is of the ${profile} profile: few rounds a row, wide intervals`);
    }
    if (invalid) notes.push(`${invalid} rows of ${name} are invalid and left out`);
    notes.push(...disagrees);
  });
  return notes;
}

function startCompare(data) {
  const [one, other, said, result, who, why, notes, swap, section, figure] =
    ["one", "other", "said", "result", "who", "why", "notes", "swap", "compare", "ratios"].map((id) => document.getElementById(id));
  let groups = [];
  const machines = new Map(data.machines.map((machine) => [machine.name, machine]));
  const inputs = [one, other];
  const chosenNames = () => inputs.map((input) => input.value.trim());
  for (const choice of document.querySelectorAll("select.machine, datalist.machine")) {
    choice.append(...data.machines.map(({ name }) => element("option", name, { value: name })));
  }

  function clear(text) {
    said.textContent = text;
    result.hidden = true;
  }

  function draw() {
    const { paddingLeft, paddingRight } = getComputedStyle(figure);
    const width = figure.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
    figure.replaceChildren(...(groups.length && width > 0 ? [ratioFigure(groups, data.rule, width, said.textContent)] : []));
  }

  function show() {
    const names = chosenNames();
    if (!names[0] || !names[1]) return clear("Choose two machines.");
    const unknown = names.filter((name) => !machines.has(name));
    if (unknown.length) return clear(`There is no machine called ${unknown[0]} here.`);
    if (names[0] === names[1]) return clear("Choose two different machines.");
    const pair = names.map((name) => machines.get(name));
    const { rows, alone } = compared(data, pair);
    const items = (texts) => texts.map((text) => element("li", text));
    said.textContent = rows.length ? headlineOf(rows) : "A and B share no row.";
    who.replaceChildren(...items(pair.map(({ name, source }, at) => `${NAMES[at]} is ${name}, ${source}`)));
    groups = byQuestion(rows);
    document.querySelectorAll("#compared tbody").forEach((body) => body.remove());
    document.getElementById("compared").append(...groups.map(comparedGroup));
    why.replaceChildren(...legendOf(groups));
    const left = [...alone].map(([reason, keys]) => `not compared, ${reason}: ${keys.join("; ")}`);
    notes.replaceChildren(...items([...notesOf(pair), ...left]));
    result.hidden = false;
    draw();
  }

  function chosen() {
    show();
    const [a, b] = chosenNames().map(encodeURIComponent);
    if (a && b) history.replaceState(null, "", `#compare=${a},${b}`);
  }

  function followHash() {
    const found = /^#compare=([^,]*),([^,]*)$/.exec(location.hash);
    if (!found) return;
    try {
      inputs.forEach((input, at) => { input.value = decodeURIComponent(found[at + 1]); });
    } catch {
      return clear("The address names two machines in a way that cannot be read.");
    }
    show();
    section.scrollIntoView();
  }

  for (const input of inputs) input.addEventListener("change", chosen);
  swap.addEventListener("click", () => {
    [one.value, other.value] = [other.value, one.value];
    chosen();
  });
  addEventListener("hashchange", followHash);
  addEventListener("resize", draw);
  section.hidden = false;
  clear("Choose two machines.");
  followHash();
}

startMachines(embedded("runs-data"));
if (document.getElementById("compare-data")) startCompare(compareData());
