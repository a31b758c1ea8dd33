/** The person at a terminal: how a session tells them of questions, and of what members send. */
import { base64pad } from "multiformats/bases/base64";
import { utf8 } from "../base/bytes.ts";
import type { Delivery, Person } from "../io/devices/types.ts";
import { oneLine } from "./harmless.ts";
import { compose, sequence, type Text } from "./styled.ts";
import { cut } from "./width.ts";
import { shortId } from "./who.ts";

/** Cells of a text that a question shows. */
const PREVIEW_CELLS = 60;

export function terminalPerson(print: (text: Text) => void): Person {
  return {
    asked: (question) => print(questionWords(question)),
    received: (delivery) => print(deliveryWords(delivery)),
  };
}

function questionWords({ from, name, device, text }: Delivery): string {
  const id = shortId(from);
  return (
    `${oneLine(name)} (${id}) wants to reach you with '${device}': ${previewOf(text)}\n` +
    `'allow ${id}' lets this member show you notices, write here and offer texts for your clipboard; 'refuse ${id}' refuses it for good.`
  );
}

export function previewOf(text: string): string {
  return cut(oneLine(text.slice(0, 4 * PREVIEW_CELLS)), PREVIEW_CELLS);
}

function deliveryWords({ from, name, device, text }: Delivery): Text {
  const who = `${oneLine(name)} (${shortId(from)})`;
  if (device === "notify") return `✉ ${who}: ${oneLine(text)}`;
  if (device === "tty") return `${who} writes:\n${text}`;
  return compose`${clipboardSequence(text)}${who} has put a text of ${text.length} characters on your clipboard, if your terminal lets it: ${previewOf(text)}`;
}

/** OSC 52, "Manipulate Selection Data" (xterm, ctlseqs). Base64 has no characters that control a terminal. */
function clipboardSequence(text: string): Text {
  return sequence(`\u001b]52;c;${base64pad.baseEncode(utf8(text))}\u0007`);
}
