// What HTML and HTMX cannot do: news, single keys, and sentences bound to their passages.
"use strict";

// News. A browser has few connections to one host, so only pages that are looked at listen.
(function () {
  const path = document.body.dataset.live;
  if (!path) return;
  let source = null;
  let missed = false;
  function listen() {
    if (document.hidden) {
      if (source) source.close();
      missed = source !== null;
      source = null;
    } else if (!source) {
      source = new EventSource(path);
      source.addEventListener("news", () => htmx.trigger(document.body, "news"));
      if (missed) htmx.trigger(document.body, "news");
    }
  }
  document.addEventListener("visibilitychange", listen);
  window.addEventListener("pagehide", () => source && source.close());
  listen();
})();

// A form's select that acts at once, buttons that open or toggle.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
  if (event.target.id === "keys-off") localStorage.setItem("keys-off", event.target.checked ? "1" : "");
});
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens).showModal();
  const toggle = event.target.closest("[data-toggles]");
  if (toggle) {
    const off = toggle.closest("figure").classList.toggle(toggle.dataset.toggles);
    toggle.setAttribute("aria-pressed", String(!off));
  }
});

// Sentences and passages light each other up.
function light(sentence, on) {
  for (const id of sentence.dataset.cites.split(" ").filter(Boolean)) {
    const passage = document.getElementById(id);
    if (passage) passage.classList.toggle("lit", on);
  }
}
for (const [event, on] of [["mouseover", true], ["mouseout", false], ["focusin", true], ["focusout", false]]) {
  document.addEventListener(event, (happened) => {
    const sentence = happened.target.closest && happened.target.closest(".sentence[data-cites]");
    if (sentence) light(sentence, on);
    const passage = happened.target.closest && happened.target.closest(".passage");
    if (passage) {
      for (const one of document.querySelectorAll(`.sentence[data-cites~="${CSS.escape(passage.id)}"]`)) {
        one.classList.toggle("lit", on);
      }
    }
  });
}

// A form that takes a picture by paste or drop, besides choosing a file.
function take(form, file) {
  const field = form.querySelector("[data-takes]");
  const chosen = new DataTransfer();
  chosen.items.add(file);
  field.files = chosen.files;
  tell(field);
}
function tell(field) {
  const shown = field.parentElement.querySelector("[data-named]");
  if (field.files.length) shown.textContent = field.files[0].name;
}
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-takes]")) tell(event.target);
});
document.addEventListener("paste", (event) => {
  const form = document.querySelector("[data-takes-files]");
  const file = form && [...event.clipboardData.files].find((one) => one.type.startsWith("image/"));
  if (!file) return;
  event.preventDefault();
  take(form, file);
});
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    const form = document.querySelector("[data-takes-files]");
    if (!form || !event.dataTransfer) return;
    event.preventDefault();
    form.classList.toggle("dropping", kind === "dragover");
    if (kind === "drop" && event.dataTransfer.files.length) take(form, event.dataTransfer.files[0]);
  });
}

// Single keys: `data-key` names an element's; it is focused, or pressed if it says `data-press`.
const keysOff = document.getElementById("keys-off");
if (keysOff) keysOff.checked = localStorage.getItem("keys-off") === "1";

function rows() {
  return [...document.querySelectorAll("[data-row]")];
}
function move(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.findIndex((row) => row.contains(document.activeElement));
  const next = all[Math.min(all.length - 1, Math.max(0, at < 0 ? 0 : at + step))];
  (next.querySelector("td a") || next).focus();
  next.scrollIntoView({ block: "nearest" });
}
document.addEventListener("keydown", (event) => {
  const field = event.target.closest("input, select, textarea");
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("[data-sends]")) {
    event.preventDefault();
    event.target.form.requestSubmit();
    return;
  }
  if (event.key === "Escape" && field) {
    field.blur();
    return;
  }
  if (field || event.ctrlKey || event.metaKey || event.altKey) return;
  if (localStorage.getItem("keys-off") === "1" || document.querySelector("dialog[open]")) return;
  if (event.key === "j" || event.key === "k") {
    event.preventDefault();
    move(event.key === "j" ? 1 : -1);
    return;
  }
  const named = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!named) return;
  event.preventDefault();
  if (named.hasAttribute("data-press")) named.click();
  else {
    named.focus();
    named.scrollIntoView({ block: "nearest" });
  }
});

// After a list is fetched anew, the row that had the focus has it again.
let focused = null;
document.addEventListener("htmx:beforeSwap", () => {
  const active = document.activeElement;
  focused = active && active.closest("[data-row]") ? active.getAttribute("href") : null;
});
document.addEventListener("htmx:afterSettle", () => {
  const again = focused && document.querySelector(`[data-row] a[href="${CSS.escape(focused)}"]`);
  if (again && document.activeElement === document.body) again.focus();
});
