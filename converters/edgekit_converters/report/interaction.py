"""What a browser adds to the report: choosing a candidate, sorting and filtering layers.

Without it every explanation is on the page, one after the other, and dots are links to them.
"""

ABOUT = '<p class="about quiet" id="about" role="status">Each dot is a candidate: choose one.</p>'

STYLE = """
svg a.dot { cursor: pointer; } svg a.dot circle { stroke: transparent; stroke-width: 12; }
svg a.dot:hover circle, svg a.dot:focus-visible circle, svg a.dot.shown circle {
  stroke: var(--text); stroke-width: 3; }
svg a.dot:focus { outline: none; }
svg path.front { fill: none; stroke: var(--quiet); stroke-width: 1.5; stroke-dasharray: 5 4; }
.about { min-height: 1.5rem; }
nav.reasons { display: flex; flex-wrap: wrap; gap: .4rem; margin: .6rem 0 1rem; padding: 0; }
nav.reasons a { border: 1px solid var(--line); border-radius: 1rem; padding: .15rem .8rem;
  color: var(--text); text-decoration: none; }
nav.reasons a:hover { border-color: var(--text); }
nav.reasons a[aria-current] { border-color: var(--first);
  box-shadow: inset 0 0 0 1px var(--first); }
a:focus-visible, button:focus-visible, input:focus-visible, .scroll:focus-visible {
  outline: 2px solid var(--first); outline-offset: 2px; }
section.why { border-top: 1px solid var(--line); padding-top: .4rem; margin-top: 1.2rem;
  scroll-margin-top: 1rem; }
section.why h3 { font-size: 1.1rem; }
section.why h4 { font-size: .95rem; margin: 1.2rem 0 .3rem; }
dl.facts { display: grid; grid-template-columns: 6.5rem 1fr; gap: .25rem .8rem; margin: .6rem 0; }
dl.facts dt { color: var(--quiet); } dl.facts dd { margin: 0; }
@media (max-width: 32rem) { dl.facts { grid-template-columns: 1fr; gap: 0; }
  dl.facts dd { margin-bottom: .5rem; } }
.scroll { overflow: auto; max-height: 30rem; }
table.layers th, table.layers td { padding: .2rem .8rem .2rem 0; white-space: nowrap; }
table.layers th[scope=row] { font-weight: 400; max-width: none; white-space: normal; }
table.layers thead th { position: sticky; top: 0; background: var(--ground); z-index: 1; }
table.layers td:last-child { min-width: 0; }
table.layers tr.start th { font-weight: 700; box-shadow: inset 3px 0 0 var(--fail);
  padding-left: .6rem; }
table.layers button { font: inherit; font-weight: 700; color: inherit; background: none;
  border: 0; padding: .1rem .2rem .1rem 0; cursor: pointer; white-space: nowrap; }
.bar { display: inline-block; height: .65rem; border-radius: 2px; background: currentColor;
  margin-right: .4rem; opacity: .75; }
.tools { display: flex; flex-wrap: wrap; gap: .4rem 1.2rem; align-items: center; margin: .3rem 0; }
.tools input[type=search] { font: inherit; color: inherit; background: var(--ground);
  border: 1px solid var(--quiet); border-radius: 4px; padding: .15rem .5rem; width: 14rem;
  max-width: 100%; }
"""

SCRIPT = """
(() => {
  "use strict";
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const about = document.getElementById("about");
  const reasons = all("section.why"), dots = all("svg a.dot"), links = all("nav.reasons a");
  const idOf = link => decodeURIComponent(link.getAttribute("href").slice(1));

  const show = id => {
    if (!reasons.some(each => each.id === id)) return;
    for (const each of reasons) each.hidden = each.id !== id;
    for (const row of all("tr.start", document.getElementById(id)))
      row.closest(".scroll").scrollTop = row.offsetTop - row.closest(".scroll").clientHeight / 2;
    for (const each of links)
      idOf(each) === id ? each.setAttribute("aria-current", "true")
        : each.removeAttribute("aria-current");
  };
  const tell = dot => { about.textContent = dot.getAttribute("aria-label"); };
  const choose = dot => {
    tell(dot);
    for (const each of dots) each.classList.toggle("shown", each === dot);
    show(idOf(dot));
  };
  for (const dot of dots) {
    dot.addEventListener("mouseenter", () => tell(dot));
    dot.addEventListener("focus", () => choose(dot));
    dot.addEventListener("click", () => choose(dot));
  }
  addEventListener("hashchange", () => show(decodeURIComponent(location.hash.slice(1))));

  const valueOf = (row, place) => {
    const cell = row.cells[place], value = cell.dataset.value;
    return value === undefined ? cell.textContent : value === "" ? Infinity : Number(value);
  };
  const sort = (table, place, head) => {
    const up = head.getAttribute("aria-sort") !== "ascending", body = table.tBodies[0];
    for (const each of table.tHead.rows[0].cells) each.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const rows = [...body.rows].sort((a, b) => {
      const [x, y] = [valueOf(a, place), valueOf(b, place)];
      const order = typeof x === "number" && typeof y === "number" ? (x < y ? -1 : x > y ? 1 : 0)
        : String(x).localeCompare(String(y), "en", {numeric: true});
      return up ? order : -order;
    });
    body.append(...rows);
  };
  for (const table of all("table.layers")) {
    [...table.tHead.rows[0].cells].forEach((head, place) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      button.addEventListener("click", () => sort(table, place, head));
      head.replaceChildren(button);
    });
    const tools = document.createElement("div"), label = document.createElement("label");
    const input = document.createElement("input"), count = document.createElement("span");
    tools.className = "tools";
    input.type = "search";
    count.className = "quiet";
    count.setAttribute("role", "status");
    label.append("Filter by name or operator ", input);
    tools.append(label, count);
    const filter = () => {
      const wanted = input.value.toLowerCase(), rows = [...table.tBodies[0].rows];
      for (const row of rows)
        row.hidden = ![...row.cells].slice(0, 3).some(
          cell => cell.textContent.toLowerCase().includes(wanted));
      count.textContent = `${rows.filter(row => !row.hidden).length} of ${rows.length} layers`;
    };
    input.addEventListener("input", filter);
    filter();
    table.closest(".scroll").before(tools);
  }
  const first = decodeURIComponent(location.hash.slice(1));
  if (reasons.length) show(reasons.some(each => each.id === first) ? first : reasons[0].id);
})();
"""
