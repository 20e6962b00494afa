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
const total = groups.reduce((sum, group) => sum + group.rows.length, 0);

function filter() {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  const states = tiles.filter((tile) => tile.ariaPressed === "true").map((tile) => tile.dataset.state);
  const isFiltering = words.length + states.length > 0;
  let shown = 0;
  for (const group of groups) {
    let hits = 0;
    for (const item of group.rows) {
      item.text ??= item.row.textContent.toLowerCase();
      const isHit = words.every((word) => item.text.includes(word)) && (!states.length || states.includes(item.state));
      item.row.hidden = !isHit;
      hits += isHit;
    }
    group.element.hidden = hits === 0;
    group.element.open = isFiltering ? hits > 0 && hits <= 200 : group.wasOpen;
    shown += hits;
  }
  output.value = isFiltering ? `${shown.toLocaleString("en")} of ${total.toLocaleString("en")}` : "";
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
