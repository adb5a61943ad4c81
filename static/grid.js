// The arrow keys go from cell to cell of a grid, and Tab leaves it. Without this script Tab goes through every cell.
"use strict";

for (const grid of document.querySelectorAll("[data-grid]")) {
  const rows = [...grid.querySelectorAll("tbody tr")].map((row) => [...row.cells].map((cell) => cell.querySelector("a")));
  const links = rows.flat().filter(Boolean);

  const placeOf = (link) => {
    const row = rows.findIndex((cells) => cells.includes(link));
    return [row, row < 0 ? -1 : rows[row].indexOf(link)];
  };

  // The next cell that leads somewhere, in a direction.
  const beyond = (link, down, right) => {
    let [row, column] = placeOf(link);
    do {
      row += down;
      column += right;
    } while (rows[row] && column >= 0 && column < rows[row].length && !rows[row][column]);
    return rows[row]?.[column];
  };

  const goTo = (link) => {
    for (const other of links) other.tabIndex = -1;
    link.tabIndex = 0;
    link.focus();
  };

  links.forEach((link, number) => {
    link.tabIndex = number ? -1 : 0;
  });

  grid.addEventListener("keydown", (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    const link = event.target.closest("a");
    if (!step || !link || event.altKey || event.ctrlKey || event.metaKey) return;
    const next = beyond(link, ...step);
    if (next) {
      event.preventDefault();
      goTo(next);
    }
  });
}
