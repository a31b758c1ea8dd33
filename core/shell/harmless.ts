/** Makes text from anybody harmless on a terminal: control characters become visible. Pure. */

/** Control characters, and characters that change the direction of the text after them or are invisible. */
// eslint-disable-next-line no-control-regex
const CONTROLS = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufff9-\ufffb]/g;
// eslint-disable-next-line no-control-regex
const CONTROLS_IN_LINES = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufff9-\ufffb]/g;

/** A key or a text with its control characters made visible. */
export function oneLine(text: string): string {
  return text.replaceAll(CONTROLS, visible);
}

/** A text for a terminal: line breaks stay, other control characters become visible. */
export function harmless(text: string): string {
  return text.replaceAll("\r\n", "\n").replaceAll(CONTROLS_IN_LINES, visible);
}

function visible(control: string): string {
  if (control === "\n") return "⏎";
  if (control === "\t") return " ";
  const code = control.charCodeAt(0);
  // Unicode has pictures for these, from U+2400 on.
  return code < 0x20 ? String.fromCharCode(0x2400 + code) : "\ufffd";
}
