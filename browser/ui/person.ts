/**
 * The person at this tab: questions about members who want to reach them, each with *Allow* and *Refuse*, and what
 * members send. A text for the clipboard waits for a click, because browsers let no page write there without one.
 */
import type { Delivery, Devices } from "../../core/io/devices/types.ts";
import { oneLine } from "../../core/shell/harmless.ts";
import { previewOf, terminalPerson } from "../../core/shell/person.ts";
import type { Text } from "../../core/shell/styled.ts";
import { shortId } from "../../core/shell/who.ts";
import { byId } from "./dom.ts";

/** Cards over the page at once. If there are more, the oldest is removed; it stays in the terminal. */
const CARDS_MAX = 5;

export function followPerson(devices: Devices, print: (text: Text) => void): void {
  const terminal = terminalPerson(print);
  const questions = new Map<string, HTMLElement>();
  devices.attach({
    asked(question) {
      const { from } = question;
      const answer = (word: "allow" | "refuse") => (): void => {
        devices.answer(from, word).catch((error: unknown) => print(String(error)));
      };
      const words = `It wants to reach you with '${question.device}': ${previewOf(question.text)}`;
      const more = "Allowing lets it show you notices, write in the terminal and offer texts for your clipboard.";
      questions.set(from, card(whoOf(question), [words, more], { Allow: answer("allow"), Refuse: answer("refuse") }));
      terminal.asked(question);
    },
    settled(from) {
      questions.get(from)?.remove();
      questions.delete(from);
    },
    received(delivery) {
      if (delivery.device === "tty") return terminal.received(delivery);
      if (delivery.device === "notify") {
        card(whoOf(delivery), [delivery.text], {});
        return terminal.received(delivery);
      }
      const copy = (): void => {
        navigator.clipboard.writeText(delivery.text).then(
          () => print(`Copied what ${whoOf(delivery)} has sent.`),
          (error: unknown) => print(`The browser does not let this page write to the clipboard: ${String(error)}`),
        );
      };
      const words = `Copy to your clipboard: ${previewOf(delivery.text)}`;
      card(whoOf(delivery), [words], { Copy: copy });
      print(`${whoOf(delivery)} has sent a text for your clipboard; the button over the page copies it.`);
    },
  });
}

function whoOf({ name, from }: Delivery): string {
  return `${oneLine(name)} (${shortId(from)})`;
}

/** Any of its buttons removes it. */
export function card(
  title: string,
  words: readonly string[],
  actions: Readonly<Record<string, () => void>>,
): HTMLElement {
  const place = byId("cards", HTMLElement);
  const box = document.createElement("section");
  box.className = "card";
  const heading = document.createElement("h2");
  heading.textContent = title;
  const paragraphs = words.map((text) => {
    const paragraph = document.createElement("p");
    paragraph.textContent = text;
    return paragraph;
  });
  const buttons = document.createElement("div");
  buttons.className = "buttons";
  for (const [label, run] of Object.entries({
    ...actions,
    ...("Allow" in actions || "Refuse" in actions ? {} : { Close: () => {} }),
  })) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.addEventListener("click", () => {
      run();
      box.remove();
    });
    buttons.append(button);
  }
  box.append(heading, ...paragraphs, buttons);
  place.append(box);
  while (place.childElementCount > CARDS_MAX) place.firstElementChild?.remove();
  return box;
}
