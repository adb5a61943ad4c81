// Puts the live figure in the place of its picture. Where this fails or is not run, the picture stays.
"use strict";

const options = {
  mode: "vega-lite",
  renderer: "svg",
  actions: false,
  ast: true, // expressions are interpreted: the page's policy allows no eval
  defaultStyle: false, // styles are in marrow.css: the policy allows no inline style
  tooltip: { disableDefaultStyle: true },
};

for (const plot of document.querySelectorAll("[data-spec]")) {
  const picture = plot.querySelector("img");
  const place = document.createElement("div");
  place.setAttribute("role", "img");
  place.setAttribute("aria-label", picture.alt);
  fetch(plot.dataset.spec, { credentials: "same-origin" })
    .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(`The figure came with ${answer.status}.`))))
    .then((spec) => vegaEmbed(place, spec, options))
    .then(() => picture.replaceWith(place))
    .catch(() => plot.classList.add("is-still"));
}
