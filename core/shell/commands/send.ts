/** send, receive: files and pipes from one node to another. Their code is loaded when one is first called. */
import type { Command } from "../types.ts";
import { memberWords } from "../who.ts";

export const send: Command = {
  name: "send",
  summary: "send files to a node that is awake",
  help: `
usage: send NODE PATH… [--json]
       send NODE -
       send --code PATH… [--json]

Sends files and directories of the tree or of your machine to one node, into its /inbox. '-' sends standard input, which
'receive' reads there. In a tab 'send NODE' lets you pick files. Nobody else can read the bytes on their way. The person
there is asked first, and told names and sizes. After a broken link, or a restart of either side, the same 'send' goes on
where it stopped. Ctrl-C ends it on both sides.

--code sends to somebody who is no member: it prints a few words, and a link to the page with them. Whoever opens the link,
or types the words there, within an hour can fetch this one thing, once, without becoming a member. Keep 'send' running until
then: Ctrl-C ends it, and so do three wrong guesses. 'starfish receive LINK' fetches without a browser.

  echo hello | send brisk-otter -
`,
  async run(context) {
    if (context.args.includes("--code")) {
      const { runSendCode } = await import("../transfer/code-run.ts");
      return await runSendCode(context);
    }
    const { runSend } = await import("../transfer/send-run.ts");
    return await runSend(context);
  },
  complete: (words, computer) =>
    words.length === 2 ? ["--code", ...memberWords(computer.net.members().filter((member) => !member.isSelf))] : [],
};

export const receive: Command = {
  name: "receive",
  summary: "receive what others send to you",
  help: `
usage: receive [--from NODE] [-o DIR|-] [--json]
       receive --allow NODE | --refuse NODE | --ask NODE
       receive --list [--json]

Takes the next transfer from anybody, or from NODE. On a terminal it goes into /inbox; with -o DIR into a directory of your
machine, where it replaces nothing; in a pipe, or with '-o -', to standard output, directories as a tar. --from and --allow
let NODE send files from now on without asking you; --refuse refuses them; --ask forgets the answer. --list shows
offers, what is under way, and what has come.

  receive --list
`,
  async run(context) {
    const { runReceive } = await import("../transfer/receive-run.ts");
    return await runReceive(context);
  },
  complete: (words, computer) =>
    /^--(from|allow|refuse|ask)$/.test(words.at(-2) ?? "")
      ? memberWords(computer.net.members().filter((member) => !member.isSelf))
      : ["--from", "--allow", "--refuse", "--ask", "--list", "--json"],
};
