// Copy buttons, this server's URL in examples, and a collapsed form on phones.
// Every page also works without this script.
"use strict";

function copyBySelection(text) {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "hidden";
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  return copied;
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

// Counting can take longer than reading the first rows, so a second request fetches the counts.
async function fetchCounts(counted) {
  const response = await fetch(counted.dataset.later);
  if (!response.ok) return; // the page still links to the counts
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const id of ["counted", "facets"]) {
    const part = page.getElementById(id);
    if (part) document.getElementById(id).replaceWith(part);
  }
}
const counted = document.querySelector("[data-later]");
if (counted) fetchCounts(counted);

for (const button of document.querySelectorAll("button[data-copy]")) {
  const source = document.getElementById(button.dataset.copy);
  const status = button.parentElement.querySelector("[role=status]");
  button.hidden = false;
  button.addEventListener("click", async () => {
    const copied = await copy(source.href || source.textContent);
    button.focus();
    status.textContent = copied ? "Copied" : "This browser does not allow pages to copy";
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
