// What the page says when a passkey was not used after all. The rest is allauth's script.
"use strict";

document.addEventListener("allauth.error", (event) => {
  event.preventDefault(); // else allauth writes it to the console, where nobody looks
  const problem = document.getElementById("passkey-problem");
  problem.textContent =
    event.detail.exception.name === "NotAllowedError"
      ? "The passkey was not used: the browser's question was closed, or took too long. Try again."
      : "This browser could not use a passkey here. Take another way, or another browser.";
  problem.hidden = false;
  problem.focus();
});
