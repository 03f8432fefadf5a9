// Update the lights and the list: every two seconds while a transfer is active, else every ten.
"use strict";

const ACTIVE = 2_000;
const IDLE = 10_000; // milliseconds
const checkbox = document.querySelector("[data-updates]");
checkbox.parentElement.hidden = false;

function show(page) {
  const [older, newer] = [document, page].map((any) => any.querySelector("[data-live]"));
  const isUsed = older.contains(document.activeElement); // somebody follows a link by keyboard
  if (!isUsed && newer && older.innerHTML !== newer.innerHTML) {
    older.innerHTML = newer.innerHTML;
  }
}

async function update() {
  if (checkbox.checked && !document.hidden) {
    try {
      // X-Update: this page may stay open for days, and must not keep a warehouse awake.
      const headers = { Accept: "text/html", "X-Update": "1" };
      const response = await fetch(location.href, { headers });
      if (response.ok) {
        show(new DOMParser().parseFromString(await response.text(), "text/html"));
      }
    } catch {
      // The server does not respond; try again at the next update.
    }
  }
  schedule();
}

function schedule() {
  setTimeout(update, document.querySelector("[data-active]") ? ACTIVE : IDLE);
}

schedule();
