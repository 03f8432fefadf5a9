// Keeps a page of the admin up to date while something that it shows still runs.
"use strict";

const EVERY = 1000; // milliseconds between two looks

function isActive(page) {
  return page.querySelector("[data-active]") !== null;
}

function cells(page) {
  const ofList = page.querySelectorAll("#result_list tr > *");
  return ofList.length ? [...ofList] : [...page.querySelectorAll("[data-active]")];
}

// The page of one row is another once it has ended: its buttons are, too.
function show(page) {
  const [older, newer] = [cells(document), cells(page)];
  if (older.length !== newer.length) {
    location.reload();
    return;
  }
  older.forEach((cell, index) => {
    const isUsed = cell.querySelector("input, [x-data]"); // by a person, at this moment
    if (!isUsed && cell.innerHTML !== newer[index].innerHTML) {
      cell.innerHTML = newer[index].innerHTML;
    }
  });
}

async function look() {
  if (!isActive(document)) {
    return;
  }
  try {
    const answer = await fetch(location.href);
    if (answer.ok) {
      show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    }
  } catch {
    // The server does not answer now; the next look asks again.
  }
  setTimeout(look, EVERY);
}

document.addEventListener("DOMContentLoaded", look);
