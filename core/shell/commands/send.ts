/** send, receive: files and pipes from one node to another. What they do is loaded when one is first called. */
import type { Command } from "../types.ts";
import { memberWords } from "../who.ts";

export const send: Command = {
  name: "send",
  summary: "send files to a node that is awake",
  help: `
usage: send NODE PATH… [--json]
       send NODE -

Sends files and directories of the tree or of your machine to one node, into its /inbox; '-' is standard input, which
'receive' reads there. In a tab 'send NODE' lets you pick files. Nobody else can read the bytes on their way. Whoever is
there is asked first, with names and sizes. Broken links are looked for again; after a restart of either side the same
'send' goes on where it stopped. Ctrl-C ends it on both.

  echo hello | send brisk-otter -
`,
  async run(context) {
    const { runSend } = await import("../transfer/send-run.ts");
    return await runSend(context);
  },
  complete: (words, computer) =>
    words.length === 2 ? memberWords(computer.net.members().filter((member) => !member.isSelf)) : [],
};

export const receive: Command = {
  name: "receive",
  summary: "take what others send to you",
  help: `
usage: receive [--from NODE] [-o DIR|-] [--json]
       receive --allow NODE | --refuse NODE | --ask NODE
       receive --list [--json]

Takes the next thing that somebody (or NODE) sends: on a terminal into /inbox, with -o DIR into a directory of your
machine, where it replaces nothing; in a pipe, or with '-o -', to standard output, directories as a tar. Who was named with
--from or --allow sends files without asking, --refuse is for good, --ask forgets the answer. --list says who asks, what is
under way and what has come.

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
