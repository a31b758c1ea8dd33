/** Elements made by code, for parts of the page that are loaded when first looked at, and so are not in index.html. */

type Attributes = Readonly<Record<string, string | number | boolean>>;

/** Attributes that are true have no value; those that are false are left out. */
export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value !== false) element.setAttribute(attribute, value === true ? "" : String(value));
  }
  element.append(...children);
  return element;
}

export function button(words: string, act: () => void, attributes: Attributes = {}): HTMLButtonElement {
  const made = make("button", { type: "button", ...attributes }, words);
  made.addEventListener("click", act);
  return made;
}

/**
 * Puts a question in the place of some buttons, before something that can't be undone. The keyboard focus goes to the
 * answer and back. `doing` is the text of the first button.
 */
export function ask(place: HTMLElement, question: string, doing: string, act: () => void): void {
  const before = [...place.childNodes];
  const back = (): void => {
    place.replaceChildren(...before);
    place.querySelector("button")?.focus();
  };
  const done = (): void => {
    place.replaceChildren(...before);
    act();
  };
  const yes = button(doing, done, { class: "accent" });
  place.replaceChildren(make("span", {}, question), yes, button("Keep it", back));
  yes.focus();
}
