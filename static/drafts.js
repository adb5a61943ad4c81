// What is typed is kept while it is typed, and a form is sent only while who opened its page is signed in.
// Every form with data-draft, the address that keeps its drafts. Without this script the server keeps what it is sent too late.
"use strict";

const DRAFT_AFTER = 1500; // milliseconds after the first key: at most two seconds of typing are ever lost
const TRY_AGAIN_AFTER = 5000; // milliseconds, when a draft could not be kept
const MOST_TO_WAIT = 10000; // milliseconds that a save waits to hear who is signed in
const ON_THIS_PAGE = "What you typed is on this page.";

// By the clock of the page, which is that of the site, and not of the computer in front of the person.
const timeHere = () =>
  new Date().toLocaleTimeString("en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    timeZone: document.documentElement.dataset.clock,
    timeZoneName: "short",
  });

const wait = (milliseconds) => new Promise((resolve) => window.setTimeout(resolve, milliseconds));

// Why nothing can be saved here now; empty where the person who opened the page is signed in.
const whyAway = async (answer) => {
  if (answer.status === 401) return `You are signed out. ${ON_THIS_PAGE}`;
  if (answer.status === 409) return `${await answer.text()} ${ON_THIS_PAGE}`;
  if ([403, 404].includes(answer.status)) return `Whoever is signed in now may not enter this form. ${ON_THIS_PAGE}`;
  return "";
};

// A sign-in changes the mark without which no form of this browser is taken.
const takeNewMark = async (signIn) => {
  const answer = await fetch(signIn, { credentials: "same-origin" });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const mark = page.querySelector("[name=csrfmiddlewaretoken]")?.value;
  if (!mark) return;
  for (const control of document.querySelectorAll("[name=csrfmiddlewaretoken]")) control.value = mark;
};

const keepDraftsOf = (form) => {
  const state = form.querySelector(".entry-state");
  const away = form.querySelector(".entry-away"); // says that who opened the page is not signed in
  const signIn = away.querySelector("a").href;
  let waiting = null;
  let sending = null; // one draft at a time: an older one must not arrive behind a newer one, or behind the save
  let isSubmitted = false;
  let mayLeave = false;

  const draft = () => {
    const typed = new FormData(form);
    typed.set("page", form.getAttribute("action") ?? window.location.pathname); // where it is to be saved: after a refusal that can be another page
    return typed;
  };

  const post = () => fetch(form.dataset.draft, { method: "POST", body: draft(), credentials: "same-origin" });

  const sayAway = (why) => {
    away.hidden = why === "";
    if (why) away.querySelector("span").textContent = why;
  };

  // Whether the page may be left for a save: not where the save would lead to the sign-in page, or nowhere.
  const sendDraft = async () => {
    try {
      if (!away.hidden) await takeNewMark(signIn);
      let answer = await post();
      if (answer.status === 403) {
        await takeNewMark(signIn);
        answer = await post();
      }
      const why = await whyAway(answer);
      sayAway(why);
      if (answer.ok) {
        state.textContent = `Draft kept at ${timeHere()}. Not saved yet.`;
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

  // A save asks first who is signed in, by the draft. A draft that arrived behind the save would stand there as if it had not been saved.
  const onSubmit = async (event) => {
    if (mayLeave) return;
    event.preventDefault();
    if (isSubmitted) return; // a second click must not save twice
    isSubmitted = true;
    mayLeave = await Promise.race([sending ?? send(), wait(MOST_TO_WAIT).then(() => true)]);
    if (mayLeave) form.requestSubmit(event.submitter);
    else isSubmitted = false;
  };

  const typed = () => {
    waiting ??= window.setTimeout(keepDraft, DRAFT_AFTER);
  };

  form.addEventListener("input", typed);
  form.addEventListener("change", typed);
  form.addEventListener("submit", onSubmit);
  window.addEventListener("pageshow", () => {
    isSubmitted = mayLeave = false; // back in the browser's history the page can be sent again
  });
  window.addEventListener("pagehide", () => {
    if (waiting !== null && !isSubmitted) navigator.sendBeacon(form.dataset.draft, draft());
  });
};

for (const form of document.querySelectorAll("form[data-draft]")) keepDraftsOf(form);
