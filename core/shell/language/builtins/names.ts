/** type, alias, unalias, hash, caller, help, history and the commands for completion: what names mean. */
import type { Builtin, BuiltinCall, CommandKind, Frame } from "../frame.ts";
import { functionText } from "../function-text.ts";
import { expandText } from "../expand.ts";
import { absolutePath } from "../glob.ts";
import { KEYWORDS } from "../keywords.ts";
import { patternTest } from "../pattern.ts";
import { SIGNALS } from "../process.ts";
import { quoteAlways } from "../quoting.ts";
import { wordOf } from "../source-text.ts";
import { OPTION_NAMES } from "../state.ts";

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
    default: {
      const isHashed = state.hashed.get(name)?.path === found.shown;
      return isHashed ? `${name} is hashed (${found.shown})\n` : `${name} is ${found.shown}\n`;
    }
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
  summary: "remember where commands are",
  usage: "hash [-lr] [-p PATH] [-dt] [NAME…]",
  async run(call) {
    const { args, frame, complain } = call;
    const { hashed } = frame.state;
    let at = 0;
    let letters = "";
    for (; /^-[dlrtp]+$/.test(args[at] ?? ""); at++) letters += (args[at] ?? "").slice(1);
    if (/^-./.test(args[at] ?? "")) {
      await complain(`${args[at] ?? ""}: invalid option`);
      return 2;
    }
    const words = args.slice(at);
    if (letters.includes("r")) hashed.clear();
    const path = letters.includes("p") ? words.shift() : undefined;
    if (words.length === 0) return letters.includes("r") ? 0 : await listHashed(letters.includes("l"), call);
    let status = 0;
    for (const word of words) if (!(await hashOne(word, letters, path, call))) status = 1;
    return status;
  },
};

async function listHashed(isReusable: boolean, { frame, out }: BuiltinCall): Promise<number> {
  const { hashed } = frame.state;
  if (hashed.size === 0) await out("hash: hash table empty\n");
  else if (isReusable) for (const [name, { path }] of hashed) await out(`builtin hash -p ${path} ${name}\n`);
  else {
    await out("hits\tcommand\n");
    for (const { path, hits } of hashed.values()) await out(`${String(hits).padStart(4)}\t${path}\n`);
  }
  return 0;
}

async function hashOne(
  name: string,
  letters: string,
  path: string | undefined,
  { args, frame, out, complain }: BuiltinCall,
): Promise<boolean> {
  const { hashed } = frame.state;
  if (path !== undefined) {
    hashed.set(name, { path, hits: 0 });
    return true;
  }
  if (letters.includes("t") || letters.includes("d")) {
    const known = hashed.get(name);
    if (known === undefined) await complain(`${name}: not found`);
    else if (letters.includes("d")) hashed.delete(name);
    else {
      known.hits++;
      await out(args.length > 2 ? `${name}\t${known.path}\n` : `${known.path}\n`);
    }
    return known !== undefined;
  }
  const kinds = await frame.interpreter.lookUpAll(name, frame);
  const file = kinds.find(isFile);
  if (file !== undefined) hashed.set(name, { path: file.shown, hits: 0 });
  else if (kinds.length === 0) await complain(`${name}: not found`);
  return kinds.length > 0;
}

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
export const quiet: readonly Builtin[] = ["bind", "complete"].map((name) => ({
  name,
  summary: "accepted for scripts; the terminal here has its own",
  usage: `${name} [WORD…]`,
  run: () => Promise.resolve(0),
}));

export const suspend: Builtin = {
  name: "suspend",
  summary: "stop the shell; nothing here could continue it",
  usage: "suspend [-f]",
  async run({ complain }) {
    await complain("cannot suspend: no job control");
    return 1;
  },
};

export const logout: Builtin = {
  name: "logout",
  summary: "leave a login shell; there is none here",
  usage: "logout [N]",
  async run({ complain }) {
    await complain("not login shell: use `exit'");
    return 1;
  },
};

export const enable: Builtin = {
  name: "enable",
  summary: "turn builtins off and on",
  usage: "enable [-anps] [NAME…]",
  async run({ args, frame, out, complain }) {
    const { state, interpreter } = frame;
    const letters = args.filter((word) => /^-[anps]+$/.test(word)).join("");
    const words = args.filter((word) => !/^-[anps]+$/.test(word));
    if (words.length === 0) {
      for (const [name, { isSpecial }] of [...interpreter.builtins].sort(([a], [b]) => (a < b ? -1 : 1))) {
        const isOff = state.disabled.has(name);
        if (letters.includes("s") && isSpecial !== true) continue;
        if (letters.includes("a") || isOff === letters.includes("n"))
          await out(`enable ${isOff ? "-n " : ""}${name}\n`);
      }
      return 0;
    }
    let status = 0;
    for (const word of words) {
      if (!interpreter.builtins.has(word)) {
        await complain(`${word}: not a shell builtin`);
        status = 1;
      } else if (letters.includes("n")) state.disabled.add(word);
      else state.disabled.delete(word);
    }
    return status;
  },
};

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
  summary: "list completions of a word",
  usage: "compgen [-A ACTION] [-abcdefjkv] [-W WORDS] [-P PREFIX] [-S SUFFIX] [-X PATTERN] [WORD]",
  run: runCompgen,
};

const ACTIONS: Readonly<Record<string, string>> = {
  "-a": "alias",
  "-b": "builtin",
  "-c": "command",
  "-v": "variable",
  "-k": "keyword",
  "-f": "file",
  "-d": "directory",
  "-e": "export",
  "-j": "job",
};

async function runCompgen({ args, frame, out }: BuiltinCall): Promise<number> {
  const found = new Set<string>();
  const actions: string[] = [];
  let [word, prefix, suffix, filter] = ["", "", "", ""];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (arg === "-A") actions.push(args[++i] ?? "");
    else if (arg === "-W") {
      const words = await expandText(wordOf(`"${args[++i] ?? ""}"`), frame);
      for (const one of words.split(/\s+/)) found.add(one);
    } else if (arg === "-P") prefix = args[++i] ?? "";
    else if (arg === "-S") suffix = args[++i] ?? "";
    else if (arg === "-X") filter = args[++i] ?? "";
    else if (/^-[FCGo]$/.test(arg)) i++;
    else if (/^-[a-z]+$/.test(arg))
      actions.push(...Array.from(arg.slice(1)).flatMap((letter) => ACTIONS[`-${letter}`] ?? []));
    else if (arg !== "--") word = arg;
  }
  for (const action of actions) for (const one of await namesOf(action, word, frame)) found.add(one);
  const isExcluded = filter === "" ? undefined : patternTest([{ text: filter.replace(/^!/, ""), isQuoted: false }]);
  const matching = [...found].filter(
    (one) =>
      one !== "" && one.startsWith(word) && (isExcluded === undefined || isExcluded(one) === filter.startsWith("!")),
  );
  // Names of files, and words, keep their order.
  if (actions.length > 0) matching.sort();
  for (const one of matching) await out(`${prefix}${one}${suffix}\n`);
  return matching.length > 0 ? 0 : 1;
}

async function namesOf(action: string, word: string, frame: Frame): Promise<Iterable<string>> {
  const { state, interpreter } = frame;
  switch (action) {
    case "alias":
      return state.aliases.keys();
    case "builtin":
    case "helptopic":
      return interpreter.builtins.keys();
    case "enabled":
      return [...interpreter.builtins.keys()].filter((name) => !state.disabled.has(name));
    case "disabled":
      return state.disabled;
    case "function":
      return state.functions.keys();
    case "variable":
      return state.variables.names();
    case "arrayvar":
      return state.variables.names().filter((name) => typeof state.variables.raw(name)?.value === "object");
    case "export":
      return state.variables.environment().keys();
    case "keyword":
      return KEYWORDS;
    case "shopt":
      return state.shopt.keys();
    case "setopt":
      return OPTION_NAMES;
    case "signal":
      return Object.keys(SIGNALS).map((name) => `SIG${name}`);
    case "command":
      return [
        ...KEYWORDS,
        ...state.aliases.keys(),
        ...state.functions.keys(),
        ...interpreter.builtins.keys(),
        ...interpreter.externals.names(),
      ];
    case "file":
    case "directory":
      return await filesOf(word, action === "directory", frame);
    default:
      return [];
  }
}

async function filesOf(word: string, isDirectories: boolean, { files, state, signal }: Frame): Promise<string[]> {
  const folder = word.slice(0, word.lastIndexOf("/") + 1);
  const all = (await files.list(absolutePath(folder, state.cwd), { signal })) ?? [];
  return all.flatMap(({ name, isDirectory }) => (isDirectory || !isDirectories ? [folder + name] : []));
}
