// Find a column in the form of a table's filters. The form also works without this script.
"use strict";

for (const form of document.querySelectorAll("[data-filters]")) {
  const find = form.querySelector("[data-find]");
  const columns = [...form.querySelectorAll("[data-column]")];
  find.parentElement.hidden = columns.length < 9; // the eye is faster
  find.addEventListener("input", () => {
    const words = find.value.toLowerCase().split(/[\s_]+/);
    for (const column of columns) {
      column.hidden = !words.every((word) => column.dataset.column.includes(word));
    }
    form.querySelector("[data-none]").hidden = columns.some((column) => !column.hidden);
  });
  find.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault(); // it searches, and does not submit
  });
  if (location.hash === "#filters" && !form.querySelector("input[value]:not([value=''])")) {
    form.open = true;
  }
}
