/** A link as a QR code in a terminal, for a phone's camera. */
import { joined, compose, sequence, type Text } from "./styled.ts";
import type { TerminalInfo } from "./types.ts";

/** Pixels of a module where pictures can be shown, so that the longest invite fits the width of a phone's view. */
const MODULE_PIXELS = 3;
/**
 * White modules are drawn and dark ones left out, whatever the terminal's own colours are: cameras need dark on light.
 */
const WHITE_ON_BLACK = sequence("\x1b[38;2;255;255;255;48;2;0;0;0m");
const PLAIN = sequence("\x1b[39;49m");

/**
 * The QR code in the form that the terminal can show; "" if there is no room. Low error correction, because a screen
 * does not get scratched.
 */
export async function qrCode(url: string, terminal: TerminalInfo): Promise<Text> {
  const { encode, renderUnicodeCompact } = await import("uqr");
  if (terminal.pictures === "inline") {
    const { bitmap, inlinePicture } = await import("./map/png.ts");
    return sequence(inlinePicture(bitmap(encode(url, { ecc: "L", border: 4 }).data, MODULE_PIXELS)));
  }
  const lines = renderUnicodeCompact(url, { ecc: "L", border: 2 }).split("\n");
  if ((lines[0]?.length ?? 0) > terminal.columns) return "";
  if (!terminal.colours) return lines.join("\n");
  return joined(
    lines.map((line) => compose`${WHITE_ON_BLACK}${line}${PLAIN}`),
    "\n",
  );
}
