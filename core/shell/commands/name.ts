/** name: what this node is called. */
import { utf8 } from "../../base/bytes.ts";
import { checkName, NAME_LENGTH_MAX } from "../../net/identity/names.ts";
import { oneOperand } from "../operands.ts";
import { parseArguments } from "../options.ts";
import type { Command } from "../types.ts";

export const name: Command = {
  name: "name",
  summary: "give this node another name",
  help: `
usage: name NEWNAME

Gives this node another name, which all members see at once. A name is 1 to ${NAME_LENGTH_MAX} letters, digits, '-', '_' or '.'.

  name kitchen-laptop
`,
  async run({ args, computer, stdout }) {
    const wanted = oneOperand(parseArguments(args, {}).operands, "NEWNAME");
    checkName(wanted, "NEWNAME");
    const others = computer.net.members().filter((member) => !member.isSelf && member.status !== "gone");
    const taken = others.some((member) => member.record.name === wanted);
    computer.net.update({ name: wanted });
    await stdout.write(utf8(`This node is now called ${wanted}.\n`));
    if (taken)
      await stdout.write(utf8("Another member has the same name; commands will ask for an id to tell you apart.\n"));
    return 0;
  },
};
