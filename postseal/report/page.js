"use strict";
const form = document.querySelector(".controls");
const input = form.querySelector("input");
const output = form.querySelector("output");
const tiles = [...document.querySelectorAll(".tile")];
const groups = [...document.querySelectorAll(".group")].map((element) => ({
  element,
  wasOpen: element.open,
  rows: [...element.querySelectorAll("tbody tr")].map((row) => ({ row, state: row.className.slice(2), text: null })),
}));
// A row of a host is found by the host's name as well, and a host by whatever stands above its rows. Where several hosts
// have the same rows, they stand below the first.
const hosts = groups.filter((group) => group.element.classList.contains("host"));
for (const host of hosts) {
  host.name = host.element.querySelector("h3").textContent.toLowerCase();
  host.head = [...host.element.querySelectorAll("summary, dl")].map((each) => each.textContent).join(" ").toLowerCase();
}
for (const host of hosts) {
  const first = hosts[host.element.dataset.same];
  host.same = first?.rows;
  if (first) first.name += " " + host.name;
}
const total = groups.reduce((sum, group) => sum + (group.head ? 0 : group.rows.length), 0);
const number = (count) => count.toLocaleString("en");

function filter() {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  const states = tiles.filter((tile) => tile.ariaPressed === "true").map((tile) => tile.dataset.state);
  const isFiltering = words.length + states.length > 0;
  let shown = 0;
  let ofHosts = 0;
  for (const group of groups) {
    let hits = 0;
    for (const item of group.same ?? group.rows) {
      item.text ??= item.row.textContent.toLowerCase();
      const isNamed = (word) => item.text.includes(word) || group.name?.includes(word);
      const isHit = words.every(isNamed) && (!states.length || states.includes(item.state));
      if (!group.same) item.row.hidden = !isHit;
      hits += isHit;
    }
    const isMeant = hits > 0 || (group.head && !states.length && words.every((word) => group.head.includes(word)));
    group.element.hidden = !isMeant;
    group.element.open = isFiltering ? isMeant && hits <= 200 : group.wasOpen;
    if (group.head) ofHosts += hits;
    else shown += hits;
  }
  const rest = ofHosts ? `, and ${number(ofHosts)} ${ofHosts === 1 ? "row" : "rows"} of hosts` : "";
  output.value = isFiltering ? `${number(shown)} of ${number(total)}${rest}` : "";
}

let pending;
input.addEventListener("input", () => {
  clearTimeout(pending);
  pending = setTimeout(filter, 120);
});
form.addEventListener("submit", (event) => event.preventDefault());
for (const tile of tiles) {
  tile.disabled = tile.classList.contains("none");
  tile.addEventListener("click", () => {
    tile.ariaPressed = String(tile.ariaPressed !== "true");
    filter();
  });
}
form.hidden = false;
