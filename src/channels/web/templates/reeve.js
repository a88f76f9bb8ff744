// Keys, the choice of colours, and folds that open for whoever follows a link into them. Every page does without this file. It
// decides nothing: a key leads to a form or a button, and people press that. It makes no elements and asks no server.
(() => {
  "use strict";

  const root = document.documentElement;
  // Storage may be forbidden; then a choice holds for the page.
  const kept = {
    get(name) {
      try { return localStorage.getItem(name); } catch { return null; }
    },
    set(name, value) {
      try { localStorage.setItem(name, value); } catch { /* it holds for this page */ }
    },
  };

  // Before anything is painted, so that a dark page does not flash.
  const chosen = kept.get("reeve.theme");
  if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;

  const isDark = () =>
    root.dataset.theme === "dark" || (!root.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);

  function themes() {
    const button = document.querySelector("[data-theme-switch]");
    if (!button) return;
    // The button says what it will do.
    const name = () => { button.textContent = isDark() ? "Light" : "Dark"; };
    name();
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      kept.set("reeve.theme", root.dataset.theme);
      name();
    });
  }

  function say(text) {
    const place = document.querySelector("[data-said]");
    if (place) place.textContent = text;
  }

  function unfold(element) {
    for (let at = element; at; at = at.parentElement) {
      if (at instanceof HTMLDetailsElement) at.open = true;
    }
  }

  // What each key leads to on a case's page, and what to say where that is not there.
  const VERBS = { a: "approve", r: "reject", s: "snooze", e: "edit" };

  function lead(verb) {
    const place = document.getElementById(`do-${verb}`);
    if (!place) {
      say(`There is nothing here to ${verb}.`);
      return;
    }
    unfold(place);
    // Never the button itself: whoever arrives may press a key more before they have read what it would sign.
    const first = place.querySelector("select, input:not([type=hidden])");
    (first ?? place).focus();
    (first ?? place).scrollIntoView({ block: "center" });
    say(`To ${verb}: ${first ? "" : "Tab leads to the button, and "}nothing is done before you press the button.`);
  }

  // Links into what is folded, and links of the queue to a form.
  function arrive() {
    const name = decodeURIComponent(location.hash.slice(1));
    if (!name) return;
    const verb = name.startsWith("do-") && Object.values(VERBS).find((known) => name === `do-${known}`);
    if (verb) return lead(verb);
    const place = document.getElementById(name);
    if (place) {
      unfold(place);
      place.scrollIntoView({ block: "center" });
    }
  }

  const rows = () => [...document.querySelectorAll(".queue > li")];
  const link = (row) => row.querySelector("h3 a");
  const current = () => document.activeElement?.closest(".queue > li") ?? null;

  function move(step) {
    const all = rows();
    if (!all.length) return;
    const at = all.indexOf(current());
    const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1);
    link(all[next]).focus();
    all[next].scrollIntoView({ block: "nearest" });
  }

  function act(verb) {
    if (!rows().length) return lead(verb);
    const row = current();
    if (!row) {
      move(1);
      say("Choose a case with j and k first.");
      return;
    }
    location.assign(`${link(row).href}#do-${verb}`);
  }

  function tick() {
    const box = current()?.querySelector("input[type=checkbox]");
    if (!box) return;
    box.click();
    say(box.checked ? "Ticked." : "No longer ticked.");
  }

  const isTyped = (target) =>
    target instanceof Element && target.closest("input:not([type=checkbox]), select, textarea, [contenteditable]");

  function press(event) {
    const dialog = document.getElementById("keys");
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    // Held down, a key moves on through the list and does nothing else twice.
    if (event.repeat && event.key !== "j" && event.key !== "k") return;
    if (!dialog || dialog.open || isTyped(event.target) || kept.get("reeve.keys") === "off") return;
    const does = {
      j: () => move(1),
      k: () => move(-1),
      x: tick,
      q: () => location.assign("/"),
      "/": () => document.getElementById("text")?.focus(),
      "?": () => dialog.showModal(),
    }[event.key] ?? (event.key in VERBS ? () => act(VERBS[event.key]) : null);
    if (!does) return;
    event.preventDefault();
    does();
  }

  function keys() {
    const dialog = document.getElementById("keys");
    if (!dialog) return;
    document.querySelector("[data-tools]").hidden = false;
    document.querySelector("[data-open-keys]").addEventListener("click", () => dialog.showModal());
    const off = dialog.querySelector("[data-keys-off]");
    off.checked = kept.get("reeve.keys") === "off";
    off.addEventListener("change", () => kept.set("reeve.keys", off.checked ? "off" : "on"));
    document.addEventListener("keydown", press);
  }

  // Browsers go to the place that an address names when the page is there, and take the focus along: only then it can be led.
  addEventListener("load", () => setTimeout(arrive));

  document.addEventListener("DOMContentLoaded", () => {
    themes();
    keys();
    addEventListener("hashchange", arrive);
    // What is folded on the screen and was cited has to be on paper.
    addEventListener("beforeprint", () => document.querySelectorAll("details.group").forEach((group) => { group.open = true; }));
  });
})();
