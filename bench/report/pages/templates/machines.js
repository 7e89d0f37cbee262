/* The table of runs: ordered by its headers, filtered as one types, some rows at a time. */
const RUNS_AT_ONCE = 50;
const RUN_COLUMNS = ["machine", "who", "seconds", "known", "sun", "test", "train", "written", "file"];

function runsOf(data) {
  return records(data.runs).map((run) => {
    const file = run.folder + run.name;
    const words = [run.machine, run.who, run.known, run.written, file, run.dirty ? "uncommitted changes" : ""].join(" ").toLowerCase();
    return { ...run, file, words, sun: run.seconds === null ? null : data.sun / run.seconds };
  });
}

/* What is not known comes last, whichever way the order goes. */
function inOrder(runs, column, ascending) {
  const sign = ascending ? 1 : -1;
  return [...runs].sort(({ [column]: x }, { [column]: y }) => {
    if (x === null || y === null) return (x === null) - (y === null);
    return sign * (x < y ? -1 : x > y ? 1 : 0);
  });
}

function runRow(run, links) {
  const linked = (content, href) => (href === null ? content : element("a", content, { href }));
  const name = run.machine.length > 44 ? `${run.machine.slice(0, 37)}\u2026${run.machine.slice(-6)}` : run.machine;
  const path = run.file.split("/").map(encodeURIComponent).join("/");
  const number = (text) => element("td", text, { class: "n" });
  const trained = run.seconds === null
    ? [element("td", "no row says", { colspan: "4", class: "muted" })]
    : [element("td", run.who), number(duration(run.seconds)), element("td", run.known), number(times(run.sun))];
  return element("tr", [
    element("th", linked(name, run.section ? `#run-${run.section}` : null), { scope: "row" }),
    ...trained,
    ...[run.test, run.train].map((misses) => number(String(misses ?? "not trained"))),
    element("td", run.written + (run.dirty ? ", uncommitted changes" : "")),
    element("td", linked(element("cite", run.file), links === null ? null : links + path), { class: "wrap" }),
  ]);
}

function startMachines(data) {
  const runs = runsOf(data);
  const body = document.querySelector("#runs tbody");
  const [search, filter, count, more] = ["search", "filter", "count", "more"].map((id) => document.getElementById(id));
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
      if (RUN_COLUMNS[at] !== order.column) return header.removeAttribute("aria-sort");
      header.setAttribute("aria-sort", order.ascending ? "ascending" : "descending");
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
  search.hidden = false;
  show();
}
