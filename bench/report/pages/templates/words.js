/* Numbers as bench/report/wording.py writes them: the page and the command say the same. */
function significant(value, digits = 3) {
  if (!value) return "0";
  const [, exponent] = value.toExponential(digits - 1).split("e").map(Number);
  const rounded = Number(value.toExponential(digits - 1));
  if (Math.abs(rounded) >= 1e15 || Math.abs(rounded) < 1e-9) {
    return rounded.toExponential(digits - 1);
  }
  const decimals = Math.max(0, digits - 1 - exponent);
  return rounded.toLocaleString("en-US", {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
}

function duration(seconds) {
  for (const [unit, size] of [["days", 86400], ["h", 3600], ["min", 60]]) {
    if (seconds >= 2 * size) return `${significant(seconds / size).replace(/\.00$/, "")} ${unit}`;
  }
  if (seconds >= 0.1) return `${significant(seconds)} s`;
  if (seconds >= 1e-3) return `${significant(seconds / 1e-3)} ms`;
  if (seconds >= 1e-7) return `${significant(seconds / 1e-6)} \u00b5s`;
  return `${significant(seconds / 1e-9)} ns`;
}

function quantity(value) {
  for (const [letter, from, size] of [["T", 1e12, 1e12], ["G", 1e9, 1e9], ["M", 1e6, 1e6], ["k", 1e4, 1e3]]) {
    if (value >= from) return `${significant(value / size)} ${letter}`;
  }
  return significant(value);
}

function times(ratio) {
  return `${significant(ratio, 2)}\u00d7`;
}

function percent(share) {
  return `${significant(100 * share, 2)}%`;
}

function counted(number) {
  return number.toLocaleString("en-US");
}

/* Elements; data becomes text and never markup. */
function element(name, text = "", attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function embedded(id) {
  return JSON.parse(document.getElementById(id).textContent);
}
