/** invite: the link that lets others in, and a QR code of it. */
import { inviteLink, isLocalLink } from "../../net/identity/invite-link.ts";
import { wrapped } from "../format.ts";
import { qrCode } from "../qr-code.ts";
import { compose } from "../styled.ts";
import { utf8 } from "../../base/bytes.ts";
import { noOperands } from "../operands.ts";
import { parseArguments } from "../options.ts";
import type { Command } from "../types.ts";

export const invite: Command = {
  name: "invite",
  summary: "show the link that lets others in",
  help: `
usage: invite [--json]

Prints the invite, and in a terminal also a QR code of it. Whoever opens the link becomes a node of this swarm. Its part
after '#' is a key, which never reaches a server. Send it only to people you trust.

  invite
`,
  async run({ args, computer, stdout, terminal }) {
    const { options, operands } = parseArguments(args, { json: "flag" });
    noOperands(operands);
    const url = inviteLink(computer);
    if (options.json === true) {
      await stdout.write(utf8(`${JSON.stringify({ invite: url })}\n`));
      return 0;
    }
    await stdout.write(utf8(`${url}\n`));
    if (terminal.stdout === undefined) return 0;
    if (isLocalLink(url)) {
      // A phone that reads this link would look for the swarm on itself.
      await stdout.print(compose`${wrapped(ONLY_HERE, terminal.stdout.columns)}\n`);
      return 0;
    }
    const code = await qrCode(url, terminal.stdout);
    const note = code === "" ? "(Widen the terminal to see it as a QR code.)" : compose`\n${code}\n\n${USE}`;
    await stdout.print(compose`${note}\n`);
    return 0;
  },
};

const USE = "Open it in a browser, or point a phone's camera at it.";
const ONLY_HERE = "This link works on this machine only. To let other devices in, start the node with --host 0.0.0.0.";
