// Copy buttons, this server's URL in examples, and a collapsed form on phones.
// Every page also works without this script.
"use strict";

function copyBySelection(text) {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "hidden";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

async function copy(text) {
  if (!navigator.clipboard) return copyBySelection(text); // pages without HTTPS have no clipboard
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

for (const origin of document.querySelectorAll("[data-origin]")) {
  origin.textContent = location.origin;
}

// Counts that take longer than the first rows: the page at this address has them.
async function countLater(counted) {
  const response = await fetch(counted.dataset.later);
  if (!response.ok) return; // the link to the same address stays
  const complete = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const id of ["counted", "facets"]) {
    const part = complete.getElementById(id);
    if (part) document.getElementById(id).replaceWith(part);
  }
}
const counted = document.querySelector("[data-later]");
if (counted) countLater(counted);

for (const button of document.querySelectorAll("button[data-copy]")) {
  const source = document.getElementById(button.dataset.copy);
  const status = button.parentElement.querySelector("[role=status]");
  button.hidden = false;
  button.addEventListener("click", async () => {
    const done = await copy(source.href || source.textContent);
    button.focus();
    status.textContent = done ? "Copied" : "This browser does not allow pages to copy";
    setTimeout(() => { status.textContent = ""; }, 4000);
  });
}

for (const tab of document.querySelectorAll(".tabs [aria-current=page]")) {
  tab.scrollIntoView({ block: "nearest", inline: "center", behavior: "instant" });
}

const form = document.querySelector("details.filters");
if (form && !document.querySelector("[role=alert]") && matchMedia("(max-width: 60rem)").matches) {
  form.open = false;
}
