/**
 * Lets xterm.js run under `style-src 'self'`. It writes style elements and style attributes as text, which a strict
 * Content-Security-Policy refuses; the same rules set through the CSS object model are allowed. So for the elements
 * that it asks the document for, text becomes a constructed style sheet, and the style attribute becomes
 * `style.cssText`.
 *
 * xterm.js (6.0) makes its elements with the document of its parent, so this document's `createElement` is replaced.
 * Only "style" and "span" are affected, and other code that creates these notices no difference.
 */
export function allowXtermStyles(target: Document): void {
  const create = target.createElement.bind(target);
  target.createElement = (name: string, options?: ElementCreationOptions): HTMLElement => {
    if (name === "style") return sheetElement(target, create("template"));
    const element = create(name, options);
    if (name === "span") element.setAttribute = setAttribute;
    return element;
  };
}

/** An inert element that stands for a style sheet: its text is the sheet's text, and removing it removes the sheet. */
function sheetElement(target: Document, element: HTMLElement): HTMLElement {
  const sheet = new CSSStyleSheet();
  target.adoptedStyleSheets.push(sheet);
  Object.defineProperty(element, "textContent", {
    set(css: string) {
      sheet.replaceSync(css);
    },
  });
  element.remove = () => {
    Element.prototype.remove.call(element);
    target.adoptedStyleSheets = target.adoptedStyleSheets.filter((other) => other !== sheet);
  };
  return element;
}

function setAttribute(this: HTMLElement, name: string, value: string): void {
  if (name === "style") this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
}
