/** The page for people without an invite: what Starfish is, a box for a link, and a button that founds a swarm. */
import { messageOf } from "../../core/base/errors.ts";
import { parseInvite, type Invite } from "../../core/net/identity/invite.ts";
import { baseIn } from "../../core/net/identity/invite-text.ts";
import { realCrypto } from "../../core/platform/crypto.ts";
import { codeLinkIn } from "./code-link.ts";
import { byId, setText } from "./dom.ts";
import { showNotice, type Notice } from "./notice.ts";

/** An invite, and the address of the page in its link. */
export interface Entrance {
  readonly invite: Invite;
  readonly base: string | undefined;
}

/** A link with a code: what it is for is fetched without becoming a member. */
export interface CodeEntrance {
  readonly link: string;
}

const WORDS: readonly string[] = [
  "Starfish makes one computer out of everybody's devices: their shared memory, files and cores.",
  "It has no account and no server in the middle. An invite link lets you in.",
  "This device keeps and computes nothing for the others before you say so.",
];

/** `trouble`: what is wrong with the link that led here. */
export function openDoor(
  trouble: Notice | undefined,
  onChoose: (choice: Entrance | CodeEntrance | "found") => void,
): void {
  const title = trouble?.title ?? "One computer made of everybody's devices";
  const words = trouble === undefined ? WORDS : [...trouble.words, WORDS[0] ?? ""];
  showNotice({ title, words });
  const form = document.createElement("form");
  form.id = "door";
  const label = document.createElement("label");
  label.textContent = "Your invite link, or a code";
  label.htmlFor = "door-link";
  const input = document.createElement("input");
  Object.assign(input, { id: "door-link", autocomplete: "off", spellcheck: false, placeholder: "Paste it here" });
  const said = document.createElement("p");
  said.setAttribute("role", "status");
  const join = button("Join", "submit");
  join.className = "accent";
  const found = button("Start a swarm of my own here", "button");
  const buttons = document.createElement("div");
  buttons.className = "buttons";
  buttons.append(found);
  form.append(label, input, join, said, buttons);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    try {
      const link = codeLinkIn(input.value);
      if (link !== undefined) return onChoose({ link });
      onChoose({ invite: parseInvite(realCrypto, input.value), base: baseIn(input.value) });
    } catch (error) {
      setText(said, messageOf(error));
      input.focus();
    }
  });
  found.addEventListener("click", () => onChoose("found"));
  const box = byId("notice", HTMLElement);
  box.classList.toggle("welcome", trouble === undefined);
  box.append(form);
}

function button(label: string, type: "submit" | "button"): HTMLButtonElement {
  const element = document.createElement("button");
  element.type = type;
  element.textContent = label;
  return element;
}
