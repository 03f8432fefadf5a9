// Copying, this server's address in examples, and a folded form on a phone.
// Every page works without it.
"use strict";

function copyByHand(text) {
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
  if (!navigator.clipboard) return copyByHand(text); // a page without HTTPS has none
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyByHand(text);
  }
}

for (const place of document.querySelectorAll("[data-origin]")) {
  place.textContent = location.origin;
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  const source = document.getElementById(button.dataset.copy);
  const status = button.parentElement.querySelector("[role=status]");
  button.hidden = false;
  button.addEventListener("click", async () => {
    const done = await copy(source.href || source.textContent);
    button.focus();
    status.textContent = done ? "Copied" : "This browser does not let pages copy";
    setTimeout(() => { status.textContent = ""; }, 4000);
  });
}

for (const tab of document.querySelectorAll(".tabs [aria-current]")) {
  tab.scrollIntoView({ block: "nearest", inline: "center", behavior: "instant" });
}

const form = document.querySelector("details.filters");
if (form && !document.querySelector("[role=alert]") && matchMedia("(max-width: 60rem)").matches) {
  form.open = false;
}
