/* Two machines beside each other: the sentence, every row they share, and what is not compared. */
const WORDS = ["faster", "slower", "same", "unclear"];
const NAMES = ["A", "B"];

/* A row of the data: key, seconds per unit, how far its interval reaches down and up (in
   millionths of a natural logarithm), the doubt that forbids a verdict, the unit if it is not its
   key's, and the presentations of a training if they are not those of 1989. */
function measureOf(data, [key, median, down = null, up = null, doubt = null, unit = null, many = null]) {
  return {
    key, median,
    low: down === null ? null : median * Math.exp(-1e-6 * down),
    high: up === null ? null : median * Math.exp(1e-6 * up),
    forbidden: doubt === null ? null : data.doubts[doubt],
    unit: unit ?? data.keys[key].unit,
    many: many ?? data.presentations,
  };
}

function measuresOf(data, machine) {
  return new Map(machine.rows.map((row) => [row[0], measureOf(data, row)]));
}

function whyNot(data, key, machines, one, other) {
  if (data.keys[key].kind === "network" && machines[0].workload !== machines[1].workload) {
    return "the workload differs, by its hash";
  }
  if (one.unit !== other.unit) return `counted per ${one.unit} in one, per ${other.unit} in the other`;
  if (one.many !== other.many) {
    return `${counted(one.many)} presentations in one, ${counted(other.many)} in the other`;
  }
  return one.median && other.median ? null : "took no time by the clock";
}

function compared(data, machines) {
  const sides = machines.map((machine) => measuresOf(data, machine));
  const rows = [];
  const alone = new Map();
  const leave = (reason, key) => alone.set(reason, [...(alone.get(reason) ?? []), data.keys[key].text]);
  const bothSingle = machines.every((machine) => machine.single);
  data.keys.forEach(({ kind, text, all: everyThread }, key) => {
    if (everyThread && bothSingle) return; // the same two rows as for one thread
    const [one, other] = sides.map((side) => side.get(key));
    if (!one && !other) return;
    if (!one || !other) return leave(`only in ${one ? NAMES[0] : NAMES[1]}`, key);
    const reason = whyNot(data, key, machines, one, other);
    if (reason) return leave(reason, key);
    const noise = noiseOfBoth(machines.map((machine) => machine.noise), kind);
    const threshold = Math.max(LEAST_THRESHOLD, noise ?? 0);
    const speed = widened(ratioOf(one, other), noise ?? 0);
    const doubts = [one, other]
      .map((side, at) => side.forbidden && `${NAMES[at]}: ${side.forbidden}`)
      .filter(Boolean);
    const all = noise === null ? [...doubts, UNTESTED] : doubts;
    rows.push({ text, kind, one, other, speed, doubts, verdict: judge(speed, threshold, all) });
  });
  return { rows, alone };
}

function speedText(speed) {
  return `${significant(speed.median)}\u00d7`;
}

function spanText(speed) {
  if (speed.low === null) return "no interval";
  return `${significant(speed.low)} to ${significant(speed.high)}`;
}

function eachText(side) {
  if (side.unit === "MAC") return `${quantity(1 / side.median)} MAC/s`;
  if (side.unit === "byte") return `${quantity(1 / side.median)} B/s`;
  return duration(side.median);
}

function meanText(rows, kind) {
  const sure = rows.filter((row) => row.kind === kind && !row.doubts.length);
  if (!sure.length) return null;
  const mean = geometricMean(sure.map((row) => row.speed));
  const count = sure.length === 1 ? "1 row" : `geometric mean of ${sure.length} rows`;
  return { mean, count };
}

function headlineOf(rows) {
  const network = meanText(rows, "network");
  const floors = meanText(rows, "machine");
  const said = [];
  if (network) {
    const { mean, count } = network;
    said.push(`B is ${speedText(mean)} as fast as A (${count}, 95% interval ${spanText(mean)})`);
  } else {
    said.push("A and B share no row of a network on which a verdict may rest");
  }
  if (floors) said.push(`${speedText(floors.mean)} by what measures the machine itself (${floors.count})`);
  const words = WORDS.map((word) => `${rows.filter((row) => row.verdict.word === word).length} ${word}`);
  return `${said.join("; ")}: ${words.join(", ")}.`;
}

function comparedRow(row) {
  const made = element("tr");
  made.append(
    element("th", row.text, { scope: "row" }),
    element("td", speedText(row.speed), { class: "n" }),
    element("td", spanText(row.speed)),
    element("td", row.verdict.word, { class: `verdict ${row.verdict.word}` }),
    element("td", eachText(row.one), { class: "n" }),
    element("td", eachText(row.other), { class: "n" }),
    element("td", row.verdict.reason, { class: "wrap" }),
  );
  return made;
}

/* In what the two runs differ besides their speed. */
function notesOf(data, machines) {
  const [one, other] = machines;
  const notes = data.facts
    .map((what, at) => [what, one.facts[at], other.facts[at]])
    .filter(([, left, right]) => left !== right)
    .map(([what, left, right]) => `${what}: ${left || "unknown"} in A, ${right || "unknown"} in B`);
  machines.forEach((machine, at) => {
    if (machine.interrupted) notes.push(`${NAMES[at]} was interrupted: what it lacks was not measured`);
    if (machine.quick) notes.push(`${NAMES[at]} is of the quick profile: few rounds a row, wide intervals`);
    if (machine.invalid) notes.push(`${machine.invalid} rows of ${NAMES[at]} are invalid and left out`);
    if (machine.noise.network === undefined) {
      notes.push(`no null test for ${NAMES[at]}: how far apart equal things are there is not known`);
    }
  });
  return notes;
}

function startCompare(data) {
  const machines = new Map(data.machines.map((machine) => [machine.name, machine]));
  const inputs = ["one", "other"].map((id) => document.getElementById(id));
  const said = document.getElementById("said");
  const result = document.getElementById("result");
  const choices = document.querySelectorAll("select.machine, datalist.machine");
  for (const choice of choices) {
    choice.append(...data.machines.map(({ name }) => element("option", name, { value: name })));
  }

  function clear(text) {
    said.textContent = text;
    result.hidden = true;
  }

  function show() {
    const names = inputs.map((input) => input.value.trim());
    if (!names[0] || !names[1]) return clear("Choose two machines.");
    const unknown = names.filter((name) => !machines.has(name));
    if (unknown.length) return clear(`There is no machine called ${unknown[0]} here.`);
    if (names[0] === names[1]) return clear("Choose two different machines.");
    const pair = names.map((name) => machines.get(name));
    const { rows, alone } = compared(data, pair);
    said.textContent = rows.length ? headlineOf(rows) : "A and B share no row.";
    document.getElementById("who").replaceChildren(
      ...pair.map((machine, at) => element("li", `${NAMES[at]} is ${machine.name}, ${machine.source}`)),
    );
    document.querySelector("#compared tbody").replaceChildren(...rows.map(comparedRow));
    const notes = notesOf(data, pair);
    for (const [reason, keys] of alone) notes.push(`not compared, ${reason}: ${keys.join("; ")}`);
    document.getElementById("notes").replaceChildren(...notes.map((note) => element("li", note)));
    result.hidden = false;
  }

  function chosen() {
    show();
    const [a, b] = inputs.map((input) => encodeURIComponent(input.value.trim()));
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
    document.getElementById("compare").scrollIntoView();
  }

  for (const input of inputs) input.addEventListener("change", chosen);
  document.getElementById("swap").addEventListener("click", () => {
    [inputs[0].value, inputs[1].value] = [inputs[1].value, inputs[0].value];
    chosen();
  });
  addEventListener("hashchange", followHash);
  document.getElementById("compare").hidden = false;
  clear("Choose two machines.");
  followHash();
}
