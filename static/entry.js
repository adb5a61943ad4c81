// Entering a form: keys, conditional questions, drafts. Without this script every question is shown and the server decides.
"use strict";

const entry = document.getElementById("entry");
const state = document.getElementById("entry-state");
const DRAFT_AFTER = 1500; // milliseconds after the first key: at most two seconds of typing are ever lost

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

// Drafts

const TRY_AGAIN_AFTER = 5000; // milliseconds, when a draft could not be kept
const MOST_TO_WAIT = 10000; // milliseconds that a save waits to hear who is signed in
const ON_THIS_PAGE = "What you typed is on this page.";

const away = document.getElementById("entry-away"); // says that who opened the page is not signed in
let waiting = null;
let sending = null; // one draft at a time: an older one must not arrive behind a newer one, or behind the save
let isSubmitted = false;
let mayLeave = false;

const draft = () => {
  const typed = new FormData(entry);
  typed.set("page", entry.getAttribute("action")); // where it is to be saved: after a refusal that can be another page
  return typed;
};

const post = () => fetch(entry.dataset.draft, { method: "POST", body: draft(), credentials: "same-origin" });

// A sign-in changes the mark without which no form of this browser is taken.
const takeNewMark = async () => {
  const answer = await fetch(away.querySelector("a").href, { credentials: "same-origin" });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const mark = page.querySelector("[name=csrfmiddlewaretoken]")?.value;
  if (!mark) return;
  for (const control of document.querySelectorAll("[name=csrfmiddlewaretoken]")) control.value = mark;
};

// Why nothing can be saved here now; empty where the person who opened the page is signed in.
const whyAway = async (answer) => {
  if (answer.status === 401) return `You are signed out. ${ON_THIS_PAGE}`;
  if (answer.status === 409) return `${await answer.text()} ${ON_THIS_PAGE}`;
  if ([403, 404].includes(answer.status)) return `Whoever is signed in now may not enter this form. ${ON_THIS_PAGE}`;
  return "";
};

const sayAway = (why) => {
  away.hidden = why === "";
  if (why) away.querySelector("span").textContent = why;
};

// Whether the page may be left for a save: not where the save would lead to the sign-in page, or nowhere.
const sendDraft = async () => {
  try {
    if (!away.hidden) await takeNewMark();
    let answer = await post();
    if (answer.status === 403) {
      await takeNewMark();
      answer = await post();
    }
    const why = await whyAway(answer);
    sayAway(why);
    if (answer.ok) {
      state.textContent = `Draft kept at ${new Date().toTimeString().slice(0, 5)}. Not saved yet.`;
      return true;
    }
    state.textContent = why ? "Nothing was saved." : "The draft could not be kept. Save soon, and do not close this page.";
    waiting ??= window.setTimeout(keepDraft, TRY_AGAIN_AFTER);
    return why === "";
  } catch {
    state.textContent = `The server cannot be reached, and nothing was saved. ${ON_THIS_PAGE} Do not close it.`;
    waiting ??= window.setTimeout(keepDraft, TRY_AGAIN_AFTER);
    return false;
  }
};

const send = async () => {
  sending = sendDraft();
  const isKept = await sending;
  sending = null;
  return isKept;
};

const keepDraft = async () => {
  await sending;
  waiting = null;
  if (!isSubmitted) await send();
};

const wait = (milliseconds) => new Promise((resolve) => window.setTimeout(resolve, milliseconds));

// A save asks first who is signed in, by the draft. A draft that arrived behind the save would stand there as if it had not been saved.
const onSubmit = async (event) => {
  if (mayLeave) return;
  event.preventDefault();
  if (isSubmitted) return; // a second click must not save twice
  isSubmitted = true;
  mayLeave = await Promise.race([sending ?? send(), wait(MOST_TO_WAIT).then(() => true)]);
  if (mayLeave) entry.requestSubmit(event.submitter);
  else isSubmitted = false;
};

const typed = () => {
  showWhatIsAsked();
  passAnswered();
  waiting ??= window.setTimeout(keepDraft, DRAFT_AFTER);
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
  entry.addEventListener("input", typed);
  entry.addEventListener("change", typed);
  document.addEventListener("keydown", onKey);
  entry.addEventListener("submit", onSubmit);
  window.addEventListener("pageshow", () => {
    isSubmitted = mayLeave = false; // back in the browser's history the page can be sent again
    showWhatIsAsked();
    passAnswered();
  });
  window.addEventListener("pagehide", () => {
    if (waiting !== null && !isSubmitted) navigator.sendBeacon(entry.dataset.draft, draft());
  });
  showWhatIsAsked();
  passAnswered();
  entry.querySelector(".is-wrong input, .is-wrong select, .is-wrong textarea")?.focus();
}
