// Update a page of the admin while something on it is still running.
"use strict";

const INTERVAL = 1000; // milliseconds between two updates

function isActive(page) {
  return page.querySelector("[data-active]") !== null;
}

function cells(page) {
  const ofList = page.querySelectorAll("#result_list tr > *");
  return ofList.length ? [...ofList] : [...page.querySelectorAll("[data-active]")];
}

// Replace changed cells. Reload the page if it has other cells now, as when a job has ended.
function show(page) {
  const [older, newer] = [cells(document), cells(page)];
  if (older.length !== newer.length) {
    location.reload();
    return;
  }
  older.forEach((cell, index) => {
    const isUsed = cell.querySelector("input, [x-data]"); // somebody may be using it
    if (!isUsed && cell.innerHTML !== newer[index].innerHTML) {
      cell.innerHTML = newer[index].innerHTML;
    }
  });
}

async function update() {
  if (!isActive(document)) {
    return;
  }
  try {
    const response = await fetch(location.href);
    if (response.ok) {
      show(new DOMParser().parseFromString(await response.text(), "text/html"));
    }
  } catch {
    // The server does not respond; try again at the next update.
  }
  setTimeout(update, INTERVAL);
}

document.addEventListener("DOMContentLoaded", update);
