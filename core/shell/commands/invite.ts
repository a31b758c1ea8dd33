/** invite: the link that lets somebody in, also as a picture for a phone's camera. */
import { renderUnicodeCompact } from "uqr";
import { utf8 } from "../../base/bytes.ts";
import { noOperands } from "../operands.ts";
import { parseArguments } from "../options.ts";
import type { Command } from "../types.ts";

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
    const columns = terminal.stdout?.columns ?? 0;
    if (columns === 0) return 0;
    // Low error correction keeps the modules large enough for a camera; a screen does not get scratched.
    const picture = renderUnicodeCompact(url, { ecc: "L", border: 2 });
    const width = picture.indexOf("\n");
    const note = width <= columns ? `\n${picture}\n\nOpen it in a browser, or point a phone's camera at it.\n` : "";
    await stdout.write(utf8(note || "(Widen the terminal to see it as a QR code.)\n"));
    return 0;
  },
};
