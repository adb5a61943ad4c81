// The keys of every page. Without this script every page still works.
"use strict";

const isTyping = (target) => target.closest("input, select, textarea") !== null;

document.addEventListener("keydown", (event) => {
  const search = document.getElementById("search");
  const keys = document.getElementById("keys");
  if (event.altKey && !event.ctrlKey && !event.metaKey) {
    const step = { ArrowLeft: "previous", ArrowRight: "next" }[event.key];
    const link = step && document.querySelector(`[data-key="${step}"]`);
    if (link) {
      event.preventDefault();
      link.click();
    }
    return;
  }
  if (event.ctrlKey || event.metaKey || isTyping(event.target)) {
    if (event.key === "Escape" && event.target === search) search.blur();
    return;
  }
  if (event.key === "/" && search) {
    event.preventDefault();
    search.focus();
    search.select();
  } else if (event.key === "?" && keys && !keys.open) {
    event.preventDefault();
    keys.showModal();
  } else if (event.key === "Escape") {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  }
});

// A menu closes when the person goes on elsewhere.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

// A problem takes the focus, so that it is read first.
document.getElementById("problem")?.focus();
