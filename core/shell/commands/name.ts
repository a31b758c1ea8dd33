/** name: what this node is called. */
import { utf8 } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { oneOperand } from "../operands.ts";
import { parseArguments } from "../options.ts";
import type { Command } from "../types.ts";

/** Longer ones would not fit beside a node in the picture of the swarm. */
const NAME_LENGTH_MAX = 32;

export const name: Command = {
  name: "name",
  summary: "give this node another name",
  help: `
usage: name NEWNAME

Gives this node another name; everybody sees it at once. A name is 1 to ${NAME_LENGTH_MAX} letters, digits, '-', '_' or '.'.

  name kitchen-laptop
`,
  async run({ args, computer, stdout }) {
    const wanted = oneOperand(parseArguments(args, {}).operands, "NEWNAME");
    if (wanted.length > NAME_LENGTH_MAX || !/^[\p{L}\p{N}][\p{L}\p{N}\p{M}._-]*$/u.test(wanted)) {
      throw new StarfishError(
        "usage",
        `'${wanted}' is no name: use 1 to ${NAME_LENGTH_MAX} letters, digits, '-', '_' or '.', beginning with a letter or digit`,
      );
    }
    const others = computer.net.members().filter((member) => !member.isSelf && member.status !== "gone");
    const taken = others.some((member) => member.record.name === wanted);
    computer.net.update({ name: wanted });
    await stdout.write(utf8(`This node is now called ${wanted}.\n`));
    if (taken)
      await stdout.write(utf8("Another member has the same name; commands will ask for an id to tell you apart.\n"));
    return 0;
  },
};
