/* Numbers as zipnet/results/units.py writes them, by its table UNITS: the page and the command say the same. */
function significant(value, digits = 3) {
  const rounded = Number(value.toExponential(digits - 1));
  if (value && (Math.abs(rounded) >= 1e15 || Math.abs(rounded) < 1e-9)) return rounded.toExponential(digits - 1);
  return rounded.toLocaleString("en-US", value ? { minimumSignificantDigits: digits, maximumSignificantDigits: digits } : {});
}

function amount(value, unit) {
  if (!Object.hasOwn(UNITS, unit)) return `${Number(value.toPrecision(3))} ${unit}`;
  const [, name, one] = UNITS[unit].find(([least]) => value >= least) ?? UNITS[unit].at(-1);
  const text = significant(value / one);
  return `${["days", "h", "min"].includes(name) ? text.replace(/\.00$/, "") : text} ${name}`.trimEnd();
}

const duration = (seconds) => amount(seconds, "s");
const quantity = (value) => amount(value, "quantity");
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
