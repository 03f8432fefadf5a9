// Show a chart's values on hover and by keyboard: arrow keys move from value to value, Home and End to the ends.
// The table below each chart shows the same values without this script.
"use strict";

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity };

for (const figure of document.querySelectorAll("[data-chart]")) {
  const status = figure.querySelector(".chart-value");
  let current = null;

  const show = (mark) => {
    current?.classList.remove("current");
    current = mark;
    mark?.classList.add("current");
    status.textContent = mark ? mark.dataset.value : "";
  };

  for (const chart of figure.querySelectorAll(".figure-chart")) {
    const marks = [...chart.querySelectorAll(".mark")];
    if (!marks.length) continue;
    for (const title of chart.querySelectorAll(".mark > title")) title.remove(); // `show` displays the value instead
    chart.tabIndex = 0;
    chart.setAttribute("aria-description", "Use the arrow keys to hear the values.");
    chart.addEventListener("pointerover", (event) => show(event.target.closest(".mark")));
    chart.addEventListener("pointerleave", () => show(null));
    chart.addEventListener("blur", () => show(null));
    chart.addEventListener("focus", () => { if (!current) show(marks[0]); });
    chart.addEventListener("keydown", (event) => {
      const step = STEPS[event.key];
      if (!step) return;
      event.preventDefault();
      const next = Math.max(-1, marks.indexOf(current)) + step;
      show(marks[Math.min(marks.length - 1, Math.max(0, next))]);
    });
  }
}
