/** mem: the memory that all nodes share. */
import { StarfishError } from "../../base/errors.ts";
import type { Computer } from "../../computer.ts";
import { get } from "../mem/get.ts";
import { firstKeys } from "../mem/keys.ts";
import { ls } from "../mem/ls.ts";
import { rm } from "../mem/rm.ts";
import { set } from "../mem/set.ts";
import { stat } from "../mem/stat.ts";
import type { MemVerb } from "../mem/verb.ts";
import { watch } from "../mem/watch.ts";
import { suggest } from "../suggest.ts";
import type { Command } from "../types.ts";

const VERBS: Readonly<Record<string, MemVerb>> = { set, get, ls, rm, watch, stat };
/** As many keys as completion shows. */
const KEYS_PROPOSED_MAX = 200;

export const mem: Command = {
  name: "mem",
  summary: "write, read and watch values in shared memory",
  help: `
usage: mem set KEY VALUE [--for TIME] [--sync] [--json]
       mem get KEY [--json]
       mem ls [PREFIX] [--json]          keys, values, writers
       mem rm KEY…
       mem watch [PREFIX] [--json]       changes as they come, until Ctrl-C
       mem stat [--json]

Every node of this swarm holds all of these small values in RAM. They are gone when the last node stops. Of two writes to
one key the later one wins, on every node. Keys have up to 1 KiB, values up to 64 KiB.

VALUE is text; with --json it is any JSON value. '-' reads it from standard input, as bytes if it is not UTF-8. With
--for 90s (10m, 2h, 1d) it expires by itself. --sync waits until more than half of the members that are awake hold it.

  mem set hello world
  mem get hello
  mem set lunch noodles --for 2h
  mem set where '{"lat": 52.5, "lon": 13.4}' --json
  echo 'as long as you like' | mem set note -
  mem ls
`,
  async run(context) {
    const [name, ...args] = context.args;
    const names = Object.keys(VERBS);
    if (name === undefined) throw new StarfishError("usage", `say what to do: ${names.join(", ")}`);
    const verb = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
    if (verb === undefined) {
      const near = suggest(name, names);
      const hint = near === undefined ? `it can ${names.join(", ")}` : `did you mean 'mem ${near}'?`;
      throw new StarfishError("usage", `there is no 'mem ${name}'; ${hint}`);
    }
    return await verb.run({ ...context, args });
  },
  complete(words, computer) {
    if (words.length === 2) return Object.keys(VERBS);
    const verb = Object.hasOwn(VERBS, words[1] ?? "") ? VERBS[words[1] ?? ""] : undefined;
    return verb === undefined ? [] : completeFor(verb, words.slice(2), computer);
  },
};

/** `words` are those after the verb; the last one is being typed. */
function completeFor(verb: MemVerb, words: readonly string[], { memory }: Computer): readonly string[] {
  const typed = words.at(-1) ?? "";
  if (words.at(-2) === "--for") return ["90s", "10m", "2h", "1d"];
  if (typed.startsWith("--")) return verb.options;
  const operands = words.filter((word, i) => !word.startsWith("--") && words[i - 1] !== "--for");
  const wantsKey = verb.keys === "many" || (verb.keys === "one" && operands.length === 1);
  return wantsKey ? firstKeys(memory, typed, KEYS_PROPOSED_MAX) : [];
}
