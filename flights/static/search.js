// Suggestions under search fields and fields of forms, by the combobox pattern of WAI-ARIA
// (https://www.w3.org/WAI/ARIA/apg/patterns/combobox/). Without this script the fields are plain.
//
//   <input name="to" data-suggest="destination">  kinds of suggestions; empty: all
//
// The fields `from`, `to` and `airline` of the same form limit the suggestions. Choosing a suggestion
// fills the field; with data-go it opens the page of the airline, airport, city, route, flight or day.
"use strict";

const ADDRESS = "/api/search/suggest", LIMITS = ["from", "to", "airline"];

const PAUSE = 120; // milliseconds without typing before a request
const cache = new Map(); // suggestions by URL, while the page is open
let lists = 0;

function element(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

function address(input) {
  const url = new URL(ADDRESS, location.origin);
  url.searchParams.set("q", input.value.trim());
  if (input.dataset.suggest) url.searchParams.set("kind", input.dataset.suggest);
  for (const limit of LIMITS) {
    const field = input.form && input.form.elements[limit];
    if (field && field !== input && field.value.trim()) {
      url.searchParams.set(limit, field.value.trim());
    }
  }
  return url.href;
}

function unlimited(href) {
  const url = new URL(href);
  for (const limit of LIMITS) url.searchParams.delete(limit);
  return url.href;
}

async function fetchSuggestions(url) {
  if (!cache.has(url)) {
    const response = await fetch(url, { headers: { Accept: "application/json" } });
    // 400: another field may contain a half-written name. Ignore the other fields.
    if (response.status === 400 && unlimited(url) !== url) return fetchSuggestions(unlimited(url));
    if (!response.ok) return [];
    cache.set(url, (await response.json()).suggestions);
  }
  return cache.get(url);
}

function flights(thing) {
  if (thing.flights === null) return thing.kind;
  const unit = thing.flights === 1 ? "flight" : "flights";
  return `${thing.flights.toLocaleString("en-US")} ${unit}`;
}

function option(thing, id) {
  return element("li", { role: "option", id, "aria-selected": "false" },
    element("span", { class: "thing" }, thing.name),
    element("span", { class: "detail" }, `${thing.detail} · ${flights(thing)}`));
}

class Combobox {
  constructor(input) {
    const id = `suggestions-${lists += 1}`;
    this.input = input;
    this.list = element("ul", { role: "listbox", id, "aria-label": "Suggestions", hidden: "" });
    this.status = element("span", { class: "hidden", role: "status" });
    this.things = [];
    this.active = -1;
    const box = element("span", { class: "combobox" });
    const label = input.closest("label") || input; // its text does not contain the suggestions
    label.replaceWith(box);
    box.append(label, this.list, this.status);
    const roles = { role: "combobox", "aria-expanded": "false", "aria-controls": id,
      "aria-autocomplete": "list" };
    for (const [key, value] of Object.entries(roles)) input.setAttribute(key, value);
    this.listen();
  }

  listen() {
    this.hideBrowserSuggestions();
    this.input.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.suggest(), PAUSE);
    });
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("blur", () => this.close());
    // Clicking a suggestion must not take the focus from the field.
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const place = [...this.list.children].indexOf(event.target.closest("li"));
      if (place >= 0) this.choose(place);
    });
  }

  // Only while the field has the focus: browsers do not restore fields with autocomplete=off on going back.
  hideBrowserSuggestions() {
    const allow = () => this.input.removeAttribute("autocomplete");
    this.input.addEventListener("focus", () => { this.input.autocomplete = "off"; });
    this.input.addEventListener("blur", allow);
    this.input.form?.addEventListener("submit", allow);
  }

  async suggest() {
    const url = address(this.input);
    const empty = !this.input.value.trim() && !this.input.dataset.suggest;
    const things = empty ? [] : await fetchSuggestions(url);
    if (!empty && (url !== address(this.input) || document.activeElement !== this.input)) return;
    this.show(things);
  }

  show(things) {
    this.things = things;
    this.list.replaceChildren(...things.map((thing, n) => option(thing, `${this.list.id}-${n}`)));
    this.list.hidden = !things.length;
    this.input.setAttribute("aria-expanded", String(things.length > 0));
    this.mark(-1);
    const count = things.length === 1 ? "1 suggestion" : `${things.length} suggestions`;
    this.status.textContent = this.input.value.trim() ? count : "";
  }

  close() {
    clearTimeout(this.timer);
    this.show([]);
    this.status.textContent = "";
  }

  mark(place) {
    this.active = place;
    for (const [n, item] of [...this.list.children].entries()) {
      item.setAttribute("aria-selected", String(n === place));
      if (n === place) item.scrollIntoView({ block: "nearest" });
    }
    if (place < 0) this.input.removeAttribute("aria-activedescendant");
    else this.input.setAttribute("aria-activedescendant", this.list.children[place].id);
  }

  key(event) {
    const open = !this.list.hidden, many = this.things.length;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!open) { this.suggest(); return; }
      const step = event.key === "ArrowDown" ? 1 : -1;
      // The field itself is the place before the first and after the last suggestion.
      this.mark((this.active + 1 + step + many + 1) % (many + 1) - 1);
    } else if (event.key === "Escape" && open) {
      event.preventDefault();
      this.close();
    } else if (event.key === "Enter" && open && this.active >= 0) {
      event.preventDefault();
      this.choose(this.active);
    }
  }

  choose(place) {
    const thing = this.things[place];
    this.input.value = thing.value;
    this.close();
    if ("go" in this.input.dataset) location.assign(thing.url);
    else this.input.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

for (const input of document.querySelectorAll("input[data-suggest]")) new Combobox(input);
