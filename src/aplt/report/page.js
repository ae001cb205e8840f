// A click on a column's header sorts its table; a second click turns the order around. Rows without a value stay last.
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const header = button.closest("th");
    const body = header.closest("table").tBodies[0];
    const order = header.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
    for (const other of header.parentElement.cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    const numeric = header.classList.contains("n");
    const key = (row) => {
      const cell = row.cells[header.cellIndex];
      return numeric ? parseFloat(cell.dataset.value ?? "NaN") : cell.textContent;
    };
    const compare = (a, b) => {
      if (!numeric) return sign * a.localeCompare(b, undefined, { numeric: true });
      if (isNaN(a) || isNaN(b)) return isNaN(a) - isNaN(b);
      return sign * (a - b);
    };
    body.append(...[...body.rows].sort((a, b) => compare(key(a), key(b))));
  });
}
// On paper nothing can be opened, so everything is.
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((d) => (d.open = true)));
