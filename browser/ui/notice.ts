/** One notice over the terminal: what happened, whether anything was lost, what to do. It disappears with its cause. */
import { byId } from "./dom.ts";

export interface Notice {
  readonly title: string;
  /** Sentences, one for each paragraph. */
  readonly words: readonly string[];
  readonly actions?: readonly { readonly label: string; readonly run: () => void }[];
  /** Details on demand. */
  readonly detail?: string;
  /** Whether it can be closed; a page that can't go on keeps it. */
  readonly closable?: boolean;
}

export function showNotice(notice: Notice | undefined): void {
  const box = byId("notice", HTMLElement);
  box.classList.remove("welcome");
  box.replaceChildren();
  box.hidden = notice === undefined;
  if (notice === undefined) return;
  const title = document.createElement("h2");
  title.textContent = notice.title;
  box.append(title, ...notice.words.map(paragraph));
  if (notice.detail !== undefined) {
    const details = document.createElement("details");
    const summary = document.createElement("summary");
    summary.textContent = "Details";
    details.append(summary, notice.detail);
    box.append(details);
  }
  const actions = [
    ...(notice.actions ?? []),
    ...(notice.closable ? [{ label: "Close", run: () => showNotice(undefined) }] : []),
  ];
  if (actions.length === 0) return;
  const buttons = document.createElement("div");
  buttons.className = "buttons";
  for (const { label, run } of actions) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.addEventListener("click", run);
    buttons.append(button);
  }
  box.append(buttons);
}

function paragraph(words: string): HTMLParagraphElement {
  const element = document.createElement("p");
  element.textContent = words;
  return element;
}
