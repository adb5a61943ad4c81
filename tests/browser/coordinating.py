"""A coordinator at the browser: reads which form is open, types its answers, and goes on to the next expected one.

A form that is met for the first time is answered control by control, as people do it; what is asked again at a later visit is
filled in at once, so that a whole course of treatment is entered in a minute.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

Answers = dict[str, str]


def answers(text: str) -> Answers:
    """Answers as they are typed: a line for each, the name of the question and what is typed, several codes with `;`."""
    lines = [line.split(maxsplit=1) for line in text.strip().splitlines()]
    return {name: given.strip() for name, given in lines}


# Sets the controls of the names that are given, and tells the page so, as a paste into each of them would.
FILL_IN = """answers => {
  const entry = document.getElementById('entry');
  for (const [name, given] of Object.entries(answers)) {
    const controls = [...entry.elements].filter((control) => control.name === name);
    if (!controls.length) throw new Error(`The form has no control '${name}'.`);
    for (const control of controls) {
      if (['radio', 'checkbox'].includes(control.type)) control.checked = given.split('; ').includes(control.value);
      else if (control.options && given === 'first') control.selectedIndex = 1;
      else if (control.options && given === 'last') control.selectedIndex = control.options.length - 1;
      else control.value = given;
    }
    controls.at(-1).dispatchEvent(new Event('change', { bubbles: true }));
  }
}"""

# What reaches beyond the right edge of the window and cannot be scrolled in a box of its own.
BEYOND_THE_WINDOW = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll('body *')]
    .filter((each) => each.getBoundingClientRect().right > innerWidth && !each.closest('.scroll'))
    .map((each) => `${each.tagName} ${each.className} ${each.innerText?.slice(0, 40)}`)"""


@dataclass
class Coordinator:
    """One person at one browser. `seen` are the forms that they have filled in before."""

    page: Page
    seen: set[str] = field(default_factory=set)

    @property
    def where(self) -> tuple[str, str]:
        """The form that is open, and its visit; empty where another page is, and the visit where a saved record is."""
        parts = urlsplit(self.page.url).path.strip("/").split("/")
        if len(parts) < 5:
            return "", ""
        return (parts[3], parts[5]) if parts[4] == "at" else (parts[3], "")

    def answer(self, answers: Answers) -> None:
        """Answer the questions of the form that is open."""
        form, _ = self.where
        if form and form in self.seen:
            self.page.evaluate(FILL_IN, answers)
            return
        self.seen.add(form)
        for name, given in answers.items():
            self.answer_one(name, given)

    def answer_one(self, name: str, given: str) -> None:
        """Answer one question: tick what is chosen, pick from a list, or type."""
        control = self.page.locator(f"main [name='{name}']").first
        kind = control.evaluate("control => control.type")
        if kind in ("radio", "checkbox"):
            for value in given.split("; "):
                self.page.locator(f"main [name='{name}'][value='{value}']").check()
        elif given in ("first", "last"):
            control.select_option(index=1 if given == "first" else control.locator("option").count() - 1)
        elif kind == "select-one":
            control.select_option(given)
        else:
            control.click()
            self.page.keyboard.type(given)

    def save(self) -> None:
        """Save, and stay on the form."""
        self._send(self.page.get_by_role("button", name="Save", exact=True).click)

    def save_and_add_another(self) -> None:
        """Save a row of a log, and come to the next one."""
        self._send(self.page.get_by_role("button", name="Save and add another").click)

    def save_and_go_on(self) -> None:
        """Save with the keys, and come to the next expected form."""
        self._send(lambda: self.page.keyboard.press("Control+Enter"))

    def says_there_is_nothing(self) -> None:
        """Say of a log that there is nothing to report, and come to the next expected form."""
        self._send(self.page.get_by_role("button", name="There is nothing to report").click)

    def _send(self, act: Callable[[], None]) -> None:
        """Fail with what the page says where a form was not saved, or where the next page is wider than the window."""
        with self.page.expect_navigation():
            act()
        said = self.page.locator("main > .note[role=status], #problem, .field-problem").first
        expect(said).to_contain_text("Saved at")
        too_wide = self.page.evaluate(BEYOND_THE_WINDOW)
        assert not too_wide, (self.page.url, too_wide)
