/* Numbers as bench/report/wording.py writes them: the page and the command say the same. */
function significant(value, digits = 3) {
  if (!value) return "0";
  const [, exponent] = value.toExponential(digits - 1).split("e").map(Number);
  const rounded = Number(value.toExponential(digits - 1));
  if (Math.abs(rounded) >= 1e15 || Math.abs(rounded) < 1e-9) return rounded.toExponential(digits - 1);
  const decimals = Math.max(0, digits - 1 - exponent);
  return rounded.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

function duration(seconds) {
  for (const [unit, one] of [["days", 86400], ["h", 3600], ["min", 60]]) {
    if (seconds >= 2 * one) return `${significant(seconds / one).replace(/\.00$/, "")} ${unit}`;
  }
  if (seconds >= 0.1) return `${significant(seconds)} s`;
  if (seconds >= 1e-3) return `${significant(seconds / 1e-3)} ms`;
  if (seconds >= 1e-7) return `${significant(seconds / 1e-6)} \u00b5s`;
  return `${significant(seconds / 1e-9)} ns`;
}

function size(count) {
  for (const [unit, power] of [["TiB", 4], ["GiB", 3], ["MiB", 2], ["KiB", 1]]) {
    if (count >= 1024 ** power) return `${significant(count / 1024 ** power)} ${unit}`;
  }
  return `${significant(count)} B`;
}

function quantity(value) {
  for (const [letter, from, one] of [["T", 1e12, 1e12], ["G", 1e9, 1e9], ["M", 1e6, 1e6], ["k", 1e4, 1e3]]) {
    if (value >= from) return `${significant(value / one)} ${letter}`;
  }
  return significant(value);
}

const times = (ratio) => `${significant(ratio, 2)}\u00d7`;
const percent = (share) => `${significant(100 * share, 2)}%`;
const counted = (number) => number.toLocaleString("en-US");

/* An element of text, or of elements; data becomes text and never markup. */
function element(name, content = "", attributes = {}) {
  const made = document.createElement(name);
  made.append(...[content].flat());
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

const embedded = (id) => JSON.parse(document.getElementById(id).textContent);

/* A record for each place of columns, some of which are texts named by numbers. */
function records(columns) {
  const named = Object.entries(columns).map(([name, column]) => [
    name, column.words ? column.at.map((at) => column.words[at] ?? null) : column,
  ]);
  return named[0][1].map((_, at) => Object.fromEntries(named.map(([name, column]) => [name, column[at]])));
}
