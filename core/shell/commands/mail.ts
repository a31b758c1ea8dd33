/** mail: to nodes and people who may be asleep. Its code is loaded when it is first called. */
import type { Command } from "../types.ts";

export const mail: Command = {
  name: "mail",
  summary: "write to people who may be asleep, and read mail",
  help: `
usage: mail WHO… [FILE…] [-m TEXT] [-s SUBJECT] [--no-wait]
       mail [--json] | read N | reply N [FILE…] | forward N WHO… | save N DIR | rm N… | sent [rm N…]

WHO is a node or a person. Without -m and FILE the text is standard input. Mail is sealed: other members see that you wrote
to WHO and how much, but not what. It waits for 30 days. 'mail sent' says who got it and who has read it.

  mail sent
`,
  async run(context) {
    const { runMail } = await import("../mail/mail-run.ts");
    return await runMail(context);
  },
  complete: (_words, computer) => computer.mail.correspondents().map(({ name }) => name),
};
