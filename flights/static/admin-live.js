// Keep a page of the admin up to date: fetch it again and change what differs, in place.
"use strict";

const BUSY = 2_000; // milliseconds between two updates while something on the page runs
const IDLE = 20_000; // otherwise: relative times grow, and a schedule can start something
// A list, the dashboard, the details of an object, and the actions that are possible.
const REGIONS = ["#result_list", "#live", ".change-form #content-main", "#header-inner ul"];
const CLIENT_SIDE = ["style", "open", "action"]; // attributes that Alpine.js and people set
let timer = 0;

const isBusy = () => document.querySelector("[data-active]") !== null;

// Rows get ids, by which idiomorph recognizes them when others come before them.
function nameRows(page) {
  for (const row of page.querySelectorAll("#result_list tbody")) {
    const link = row.querySelector("th a, td a");
    if (link) {
      row.id = `row ${link.getAttribute("href").split("?")[0]}`;
    }
  }
}

const isFree = (element) => element.nodeName !== "INPUT"; // checked boxes stay checked
const mayUpdate = (name, element) =>
  !CLIENT_SIDE.includes(name) && !(name === "class" && element.hasAttribute("x-bind:class"));

function show(page) {
  [document, page].forEach(nameRows);
  for (const region of REGIONS) {
    const [older, newer] = [document.querySelector(region), page.querySelector(region)];
    if (!older !== !newer) {
      location.reload(); // the first row of a list that was empty
      return;
    }
    if (older && older.innerHTML !== newer.innerHTML) {
      const callbacks = { beforeNodeMorphed: isFree, beforeAttributeUpdated: mayUpdate };
      Idiomorph.morph(older, newer, { callbacks });
    }
  }
}

const news = () => new Set([...document.querySelectorAll("[data-news]")].map((item) => item.dataset.news));

// Let screen readers announce changed states, but not running numbers.
function announce(before) {
  const added = [...news()].filter((text) => !before.has(text));
  if (added.length) {
    const more = added.length > 3 ? [`${added.length - 3} more`] : [];
    document.getElementById("news").textContent = [...added.slice(0, 3), ...more].join("; ");
  }
}

async function update() {
  try {
    const response = await fetch(location.href, { headers: { "X-Update": "1" } });
    if (response.redirected) {
      location.reload(); // the session has ended: show the login
      return;
    }
    if (response.ok) {
      const before = news();
      show(new DOMParser().parseFromString(await response.text(), "text/html"));
      announce(before);
    }
  } catch {
    // The server does not respond; try again at the next update.
  }
  plan();
}

function plan(pause = isBusy() ? BUSY : IDLE) {
  clearTimeout(timer);
  timer = document.hidden ? 0 : setTimeout(update, pause);
}

function begin() {
  if (document.querySelector("#content-main fieldset :is(input, select, textarea)")) {
    return; // somebody may be filling in this form
  }
  const status = document.createElement("p");
  Object.assign(status, { id: "news", className: "sr-only" });
  status.setAttribute("role", "status");
  document.body.append(status);
  document.addEventListener("visibilitychange", () => plan(0));
  plan();
}

document.addEventListener("DOMContentLoaded", begin);
