/* The table of runs: ordered by its headers, filtered as one types, some rows at a time. */
const RUNS_AT_ONCE = 50;

function runsOf(data) {
  return data.runs.map(([name, who, seconds, measured, test, train, written, source, section]) => {
    const machine = data.names[name];
    const file = source.startsWith("/") ? data.folders[name] + source : source;
    const run = {
      machine, seconds, test, train, written, file, section,
      who: who === null ? null : data.whos[who],
      known: seconds === null ? null : measured ? "measured" : "projected",
      sun: seconds === null ? null : data.sun / seconds,
    };
    run.words = [machine, run.who, run.known, written, file].join(" ").toLowerCase();
    return run;
  });
}

const RUN_COLUMNS = ["machine", "who", "seconds", "known", "sun", "test", "train", "written", "file"];

/* What is not known comes last, whichever way the order goes. */
function inOrder(runs, column, ascending) {
  const sign = ascending ? 1 : -1;
  return [...runs].sort((a, b) => {
    const [x, y] = [a[column], b[column]];
    if (x === null || y === null) return (x === null) - (y === null);
    if (typeof x === "number") return sign * (x - y);
    return sign * (x < y ? -1 : x > y ? 1 : 0);
  });
}

function runRow(run, links) {
  const row = element("tr");
  const name = element("th", "", { scope: "row" });
  const shown = run.machine.length > 44 ? `${run.machine.slice(0, 43)}\u2026` : run.machine;
  if (run.section) name.append(element("a", shown, { href: `#run-${run.section}` }));
  else name.textContent = shown;
  row.append(name);
  if (run.seconds === null) {
    row.append(element("td", "no row says", { colspan: "4", class: "muted" }));
  } else {
    row.append(
      element("td", run.who),
      element("td", duration(run.seconds), { class: "n" }),
      element("td", run.known),
      element("td", times(run.sun), { class: "n" }),
    );
  }
  for (const misses of [run.test, run.train]) {
    row.append(element("td", misses === null ? "not trained" : String(misses), { class: "n" }));
  }
  const source = element("td", "", { class: "wrap" });
  const cite = element("cite", run.file);
  if (links === null) source.append(cite);
  else {
    const path = run.file.split("/").map(encodeURIComponent).join("/");
    const link = element("a", "", { href: links + path });
    link.append(cite);
    source.append(link);
  }
  row.append(element("td", run.written), source);
  return row;
}

function startMachines(data) {
  const runs = runsOf(data);
  const body = document.querySelector("#runs tbody");
  const filter = document.getElementById("filter");
  const count = document.getElementById("count");
  const more = document.getElementById("more");
  const headers = [...document.querySelectorAll("#runs thead th")];
  const order = { column: "seconds", ascending: true };
  let found = runs;
  let shown = 0;

  function append() {
    const next = found.slice(shown, shown + RUNS_AT_ONCE);
    const first = shown;
    body.append(...next.map((run) => runRow(run, data.links)));
    shown += next.length;
    more.hidden = shown >= found.length;
    more.textContent = `Show ${Math.min(RUNS_AT_ONCE, found.length - shown)} more`;
    const all = found.length === runs.length ? "" : ` of ${counted(runs.length)}`;
    const seen = shown < found.length ? `, ${counted(shown)} shown` : "";
    count.textContent = `${counted(found.length)}${all} run${runs.length === 1 ? "" : "s"}${seen}`;
    return body.children[first];
  }

  function show() {
    const wanted = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const kept = runs.filter((run) => wanted.every((word) => run.words.includes(word)));
    found = inOrder(kept, order.column, order.ascending);
    body.replaceChildren();
    shown = 0;
    append();
    headers.forEach((header, at) => {
      const way = order.ascending ? "ascending" : "descending";
      if (RUN_COLUMNS[at] === order.column) header.setAttribute("aria-sort", way);
      else header.removeAttribute("aria-sort");
    });
  }

  headers.forEach((header, at) => {
    const button = element("button", header.textContent, { type: "button" });
    button.addEventListener("click", () => {
      order.ascending = RUN_COLUMNS[at] === order.column ? !order.ascending : true;
      order.column = RUN_COLUMNS[at];
      show();
    });
    header.replaceChildren(button);
  });
  filter.addEventListener("input", show);
  more.addEventListener("click", () => {
    const first = append(); // the reader goes on where the new rows begin
    if (first) {
      first.tabIndex = -1;
      first.focus({ preventScroll: true });
    }
  });
  document.getElementById("search").hidden = false;
  show();
}
