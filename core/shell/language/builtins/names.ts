/** type, alias, unalias, hash, caller, help, history and the commands for completion: what names mean. */
import type { Builtin, BuiltinCall, CommandKind, Frame } from "../frame.ts";
import { functionText } from "../function-text.ts";
import { quoteAlways } from "../quoting.ts";

/** What `type` and `command -V` say about a name, line by line. */
export function meaningOf(name: string, found: CommandKind, { state }: Frame): string {
  switch (found.kind) {
    case "alias":
      return `${name} is aliased to \`${found.text}'\n`;
    case "keyword":
      return `${name} is a shell keyword\n`;
    case "function": {
      const shellFunction = state.functions.get(name);
      return `${name} is a function\n${shellFunction === undefined ? "" : functionText(shellFunction)}`;
    }
    case "builtin":
      return `${name} is a shell builtin\n`;
    default:
      return `${name} is ${found.shown}\n`;
  }
}

export const type: Builtin = {
  name: "type",
  summary: "say what a name is as a command",
  usage: "type [-afptP] NAME…",
  async run(call) {
    const { args, frame, out, complain } = call;
    let at = 0;
    let letters = "";
    for (; /^-[afptP]+$/.test(args[at] ?? ""); at++) letters += (args[at] ?? "").slice(1);
    if (args[at] === "--") at++;
    else if (/^-./.test(args[at] ?? "")) {
      await complain(`${args[at] ?? ""}: invalid option`);
      return 2;
    }
    let status = 0;
    for (const name of args.slice(at)) {
      let kinds = await frame.interpreter.lookUpAll(name, frame);
      if (letters.includes("f")) kinds = kinds.filter(({ kind }) => kind !== "function");
      if (letters.includes("P")) kinds = kinds.filter(isFile);
      if (!letters.includes("a")) kinds = kinds.slice(0, 1);
      if (letters.includes("p")) {
        if (kinds.length === 0) status = 1;
        for (const file of kinds.filter(isFile)) await out(`${file.shown}\n`);
        continue;
      }
      if (kinds.length === 0) {
        if (!/[tP]/.test(letters)) await complain(`${name}: not found`);
        status = 1;
      }
      for (const found of kinds) {
        if (letters.includes("t")) await out(`${found.kind === "command" ? "file" : found.kind}\n`);
        else if (letters.includes("P") && isFile(found)) await out(`${found.shown}\n`);
        else {
          await out(meaningOf(name, found, frame));
        }
      }
    }
    return status;
  },
};

/** A command in a folder of $PATH: one of ours, or a program. */
function isFile(found: CommandKind): found is Extract<CommandKind, { shown: string }> {
  return found.kind === "file" || found.kind === "command";
}

export const alias: Builtin = {
  name: "alias",
  summary: "short names for commands",
  usage: "alias [-p] [NAME[=VALUE]…]",
  async run({ args, frame, out, complain }) {
    const { aliases } = frame.state;
    const words = args.filter((word) => word !== "-p" && word !== "--");
    const line = (name: string): string => `alias ${name}=${quoteAlways(aliases.get(name) ?? "")}\n`;
    if (words.length === 0) {
      for (const name of [...aliases.keys()].sort()) await out(line(name));
      return 0;
    }
    let status = 0;
    for (const word of words) {
      const equals = word.indexOf("=", 1);
      if (equals > 0) {
        const name = word.slice(0, equals);
        if (/[\s/$`=|&;()<>'"\\]/.test(name)) {
          await complain(`\`${name}': invalid alias name`);
          status = 1;
        } else aliases.set(name, word.slice(equals + 1));
      } else if (aliases.has(word)) await out(line(word));
      else {
        await complain(`${word}: not found`);
        status = 1;
      }
    }
    return status;
  },
};

export const unalias: Builtin = {
  name: "unalias",
  summary: "forget aliases",
  usage: "unalias [-a] NAME…",
  async run({ args, frame, complain }) {
    const { aliases } = frame.state;
    if (args[0] === "-a") {
      aliases.clear();
      return 0;
    }
    const words = args[0] === "--" ? args.slice(1) : args;
    if (words.length === 0) {
      await complain("usage: unalias [-a] name [name ...]");
      return 2;
    }
    let status = 0;
    for (const word of words) {
      if (aliases.delete(word)) continue;
      await complain(`${word}: not found`);
      status = 1;
    }
    return status;
  },
};

export const hash: Builtin = {
  name: "hash",
  summary: "remembered places of programs",
  usage: "hash [-r] [-d] [NAME…]",
  async run({ args, frame, out, complain }) {
    const { hashed } = frame.state;
    if (args[0] === "-r") {
      hashed.clear();
      return 0;
    }
    const words = args.filter((word) => !word.startsWith("-"));
    if (words.length === 0) {
      if (hashed.size === 0) await out("hash: hash table empty\n");
      else await out(`hits\tcommand\n${[...hashed.values()].map((path) => `   1\t${path}\n`).join("")}`);
      return 0;
    }
    let status = 0;
    for (const word of words) {
      const kinds = await frame.interpreter.lookUpAll(word, frame);
      const file = kinds.find(isFile);
      if (file !== undefined) hashed.set(word, file.shown);
      else if (kinds.length === 0) {
        await complain(`${word}: not found`);
        status = 1;
      }
    }
    return status;
  },
};

export const caller: Builtin = {
  name: "caller",
  summary: "who called the running function",
  usage: "caller [N]",
  async run({ args, frame, out }) {
    const { calls } = frame.state;
    const depth = Number(args[0] ?? 0);
    const call = calls.at(-1 - depth);
    if (call === undefined || Number.isNaN(depth)) return 1;
    const outer = calls.at(-2 - depth);
    const file = outer?.file ?? frame.state.name;
    await out(
      args.length === 0
        ? `${call.line} ${outer === undefined ? "NULL" : file}\n`
        : `${call.line} ${outer?.name ?? "main"} ${file}\n`,
    );
    return 0;
  },
};

/** Parts of bash's line editing that scripts call even without a terminal. */
export const quiet: readonly Builtin[] = ["bind", "complete", "enable", "suspend", "logout"].map((name) => ({
  name,
  summary: "accepted for scripts; the terminal here has its own",
  usage: `${name} [WORD…]`,
  run: () => Promise.resolve(0),
}));

export const compopt: Builtin = {
  name: "compopt",
  summary: "options of a running completion; there is none here",
  usage: "compopt [-o OPTION] [NAME…]",
  async run({ complain }) {
    await complain("not currently executing completion function");
    return 1;
  },
};

export const compgen: Builtin = {
  name: "compgen",
  summary: "words that complete a word",
  usage: "compgen [-A ACTION] [-abcdefkv] [-W WORDS] [WORD]",
  run: runCompgen,
};

async function runCompgen({ args, frame, out }: BuiltinCall): Promise<number> {
  const { state, interpreter } = frame;
  const found = new Set<string>();
  let word = "";
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    const action =
      arg === "-A"
        ? args[++i]
        : {
            "-a": "alias",
            "-b": "builtin",
            "-c": "command",
            "-v": "variable",
            "-k": "keyword",
            "-f": "file",
            "-d": "directory",
            "-e": "export",
          }[arg];
    if (arg === "-W") for (const one of (args[++i] ?? "").split(/\s+/)) found.add(one);
    else if (action !== undefined) for (const one of await named(action)) found.add(one);
    else if (!arg.startsWith("-")) word = arg;
  }
  async function named(action: string): Promise<Iterable<string>> {
    if (action === "alias") return state.aliases.keys();
    if (action === "builtin") return interpreter.builtins.keys();
    if (action === "function") return state.functions.keys();
    if (action === "variable") return state.variables.names();
    if (action === "export") return state.variables.environment().keys();
    if (action === "command")
      return [...state.functions.keys(), ...interpreter.builtins.keys(), ...interpreter.externals.names()];
    if (action !== "file" && action !== "directory") return [];
    const all = (await frame.files.list(state.cwd, { signal: frame.signal })) ?? [];
    return all.filter(({ isDirectory }) => action === "file" || isDirectory).map(({ name }) => name);
  }
  const matching = [...found].filter((one) => one !== "" && one.startsWith(word)).sort();
  for (const one of matching) await out(`${one}\n`);
  return matching.length > 0 ? 0 : 1;
}
