// Keeps the bars of running transfers moving: once a second, until none runs.
"use strict";

const EVERY = 1000; // milliseconds

function show(cell, transfer) {
  cell.querySelector("progress").value = transfer.share;
  cell.querySelector("span").textContent = transfer.said;
  if (!transfer.active) {
    cell.removeAttribute("data-transfer");
  }
}

async function look() {
  const cells = [...document.querySelectorAll("[data-transfer]")];
  if (!cells.length) {
    return;
  }
  const keys = cells.map((cell) => cell.dataset.transfer).join(",");
  const answer = await fetch(`${cells[0].dataset.progress}?keys=${keys}`);
  if (answer.ok) {
    const transfers = await answer.json();
    cells.forEach((cell) => show(cell, transfers[cell.dataset.transfer]));
  }
  setTimeout(look, EVERY);
}

document.addEventListener("DOMContentLoaded", look);
