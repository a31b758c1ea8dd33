/** invite: the link that lets somebody in, also as a picture for a phone's camera. */
import { joined, compose, sequence, type Text } from "../styled.ts";
import { utf8 } from "../../base/bytes.ts";
import { noOperands } from "../operands.ts";
import { parseArguments } from "../options.ts";
import type { Command, TerminalInfo } from "../types.ts";

export const invite: Command = {
  name: "invite",
  summary: "show the link that lets others in",
  help: `
usage: invite [--json]

Prints the link that makes whoever opens it a node of this swarm, and in a terminal the same as a QR code. The part behind
'#' is a key: it never reaches a server, and whoever holds it can join. Send it only to people you trust.

  invite
`,
  async run({ args, computer, stdout, terminal }) {
    const { options, operands } = parseArguments(args, { json: "flag" });
    noOperands(operands);
    const url = `${computer.inviteBase()}#${computer.net.invite()}`;
    if (options.json === true) {
      await stdout.write(utf8(`${JSON.stringify({ invite: url })}\n`));
      return 0;
    }
    await stdout.write(utf8(`${url}\n`));
    const code = terminal.stdout === undefined ? undefined : await drawn(url, terminal.stdout);
    if (code === undefined) return 0;
    const note = code === "" ? "(Widen the terminal to see it as a QR code.)" : compose`\n${code}\n\n${USE}`;
    await stdout.print(compose`${note}\n`);
    return 0;
  },
};

const USE = "Open it in a browser, or point a phone's camera at it.";
/** Pixels of a module where pictures can be shown: as large as a phone's width allows for the longest invite. */
const MODULE_PIXELS = 3;
/** White modules are drawn and dark ones left, whatever the terminal's own colours are: cameras want it this way round. */
const WHITE_ON_BLACK = sequence("\x1b[38;2;255;255;255;48;2;0;0;0m");
const PLAIN = sequence("\x1b[39;49m");

/** The QR code as the terminal can show it, "" if it has no room. Low error correction: a screen does not get scratched. */
async function drawn(url: string, terminal: TerminalInfo): Promise<Text> {
  const { encode, renderUnicodeCompact } = await import("uqr");
  if (terminal.pictures === "inline") {
    const { bitmap, inlinePicture } = await import("../map/png.ts");
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
