// Entering a form: keys and conditional questions. Without this script every question is shown and the server decides.
"use strict";

const entry = document.getElementById("entry");

// What stands in a control: a list, because several boxes can be ticked.
const valuesOf = (name) =>
  [...entry.elements]
    .filter((control) => control.name === name && (!["radio", "checkbox"].includes(control.type) || control.checked))
    .map((control) => control.value)
    .filter((value) => value !== "");

// A number that was typed as 05 is asked about as 5.
const plain = (value) => (/^\d+$/.test(value) ? String(Number(value)) : value);

const showWhatIsAsked = () => {
  for (const line of entry.querySelectorAll("[data-asked-if]")) {
    const conditions = Object.entries(JSON.parse(line.dataset.askedIf));
    const isAsked = conditions.every(([name, values]) => valuesOf(name).some((value) => values.includes(plain(value))));
    const holds = valuesOf(line.dataset.name).length > 0 || line.querySelector(".field-problem, .entry-query, .entry-theirs");
    line.classList.toggle("is-not-asked", !isAsked);
    line.hidden = !isAsked && !holds; // what was typed is never hidden: the person takes it back, or corrects the other
  }
};

// Whoever typed an answer goes on to the next question: why it would be blank is then out of the way of the Tab key.
const passAnswered = () => {
  for (const line of entry.querySelectorAll(".entry-line")) {
    const why = line.querySelector(".entry-aside select");
    if (!why) continue;
    const isAnswered = valuesOf(line.dataset.name).length > 0;
    why.tabIndex = isAnswered ? -1 : 0;
    line.classList.toggle("is-answered", isAnswered && why.value === "");
  }
};

const showWhatFollows = () => {
  showWhatIsAsked();
  passAnswered();
};

// Keys

const pick = (group, digit) => {
  const boxes = [...group.querySelectorAll("input[type=checkbox]")];
  const radios = [...group.querySelectorAll("input[type=radio]")];
  const empty = radios.find((radio) => radio.value === "");
  const control = boxes.length ? boxes[digit - 1] : digit === 0 ? empty : radios.filter((radio) => radio !== empty)[digit - 1];
  if (!control) return false;
  control.checked = control.type === "radio" || !control.checked;
  control.focus();
  control.dispatchEvent(new Event("change", { bubbles: true }));
  return true;
};

const onKey = (event) => {
  if (event.key === "Enter" && event.ctrlKey) {
    event.preventDefault();
    entry.querySelector("button[name=next]").click();
    return;
  }
  const control = event.target;
  if (event.key === "Enter" && control.matches("input, select")) {
    event.preventDefault(); // Enter saves nothing by accident
    return;
  }
  if (/^[0-9]$/.test(event.key) && !event.altKey && !event.ctrlKey && control.matches("input[type=radio], input[type=checkbox]")) {
    const group = control.closest(".entry-choices");
    if (group && pick(group, Number(event.key))) event.preventDefault();
  }
};

if (entry) {
  entry.addEventListener("input", showWhatFollows);
  entry.addEventListener("change", showWhatFollows);
  document.addEventListener("keydown", onKey);
  window.addEventListener("pageshow", showWhatFollows);
  showWhatFollows();
  entry.querySelector(".is-wrong input, .is-wrong select, .is-wrong textarea")?.focus();
}
