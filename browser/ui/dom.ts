/** Small helpers over the DOM. The page's skeleton is index.html; a missing element is a bug of ours. */
import { assert } from "../../core/base/assert.ts";

const SVG = "http://www.w3.org/2000/svg";

export function byId<E extends Element>(id: string, type: new () => E): E {
  const element = document.getElementById(id);
  assert(element instanceof type, `#${id} is not in the page as ${type.name}`);
  return element;
}

export function svg<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string | number>> = {},
): SVGElementTagNameMap[Name] {
  const element = document.createElementNS(SVG, name);
  set(element, attributes);
  return element;
}

export function set(element: Element, attributes: Readonly<Record<string, string | number>>): void {
  for (const [name, value] of Object.entries(attributes)) {
    const next = String(value);
    if (element.getAttribute(name) !== next) element.setAttribute(name, next);
  }
}

/** Sets the text only if it differs, so that screen readers and the layout notice only real changes. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export const stillness: MediaQueryList = matchMedia("(prefers-reduced-motion: reduce)");
