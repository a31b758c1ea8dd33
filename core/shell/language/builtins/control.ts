/**
 * :, true, false, break, continue, return, exit, eval, source, exec, command, builtin, trap, set, shopt: the shell
 * itself.
 */
import { SHOPT_DEFAULTS, OPTION_LETTERS, OPTION_NAMES } from "../state.ts";
import { decodeText } from "../bytes.ts";
import { ExitJump, LoopJump, ReturnJump, ShellFault } from "../faults.ts";
import type { Builtin, BuiltinCall, Frame } from "../frame.ts";
import { absolutePath } from "../glob.ts";
import { CALL_DEPTH_MAX } from "../limits.ts";
import { SIGNALS, signalName } from "../process.ts";
import { quoteAlways } from "../quoting.ts";
import { reasonOf } from "../redirect.ts";
import { meaningOf } from "./names.ts";
import { allVariables } from "./variables.ts";
import { isStarfishError } from "../../../base/errors.ts";
import { concat } from "../../../base/bytes.ts";

export const colon: Builtin = {
  name: ":",
  summary: "do nothing",
  usage: ":",
  isSpecial: true,
  run: () => Promise.resolve(0),
};
export const trueBuiltin: Builtin = { name: "true", summary: "succeed", usage: "true", run: () => Promise.resolve(0) };
export const falseBuiltin: Builtin = { name: "false", summary: "fail", usage: "false", run: () => Promise.resolve(1) };

export const breakLoop: Builtin = leaving("break", "leave loops");
export const continueLoop: Builtin = leaving("continue", "start the next round of a loop");

function leaving(name: "break" | "continue", summary: string): Builtin {
  return {
    name,
    summary,
    usage: `${name} [N]`,
    isSpecial: true,
    isTransparent: true,
    async run({ args, frame, complain }) {
      const { loopDepth } = frame.state;
      const [word = "1"] = args[0] === "--" ? args.slice(1) : args;
      if (loopDepth === 0) {
        await complain("only meaningful in a `for', `while', or `until' loop");
        return 0;
      }
      if (args.length > 1) {
        await complain("too many arguments");
        throw new LoopJump("break", loopDepth);
      }
      if (!/^[+-]?\d+$/.test(word)) {
        await complain(`${word}: numeric argument required`);
        throw new ExitJump(128);
      }
      if (Number(word) < 1) {
        await complain(`${word}: loop count out of range`);
        throw new LoopJump("break", loopDepth);
      }
      throw new LoopJump(name, Math.min(Number(word), loopDepth));
    },
  };
}

async function statusWord({ args, frame, complain, name }: BuiltinCall): Promise<number> {
  const [word] = args[0] === "--" ? args.slice(1) : args;
  if (word === undefined) return frame.state.status;
  if (!/^\s*[+-]?\d+\s*$/.test(word)) {
    await complain(`${word}: numeric argument required`);
    if (name === "exit") throw new ExitJump(2);
    return 2;
  }
  return Number(BigInt.asUintN(8, BigInt(word.trim())));
}

export const returnBuiltin: Builtin = {
  name: "return",
  summary: "leave a function or a sourced file",
  usage: "return [STATUS]",
  isSpecial: true,
  isTransparent: true,
  async run(call) {
    const status = await statusWord(call);
    if (call.frame.state.returnDepth === 0) {
      await call.complain("can only `return' from a function or sourced script");
      return 2;
    }
    throw new ReturnJump(status);
  },
};

export const exit: Builtin = {
  name: "exit",
  summary: "leave the shell",
  usage: "exit [STATUS]",
  isSpecial: true,
  isTransparent: true,
  async run(call) {
    const words = call.args[0] === "--" ? call.args.slice(1) : call.args;
    const status = await statusWord(call);
    if (words.length > 1) {
      await call.complain("too many arguments");
      return 1;
    }
    if (await keepsForJobs(call)) return 1;
    throw new ExitJump(status);
  },
};

/** At a terminal the first `exit` with stopped jobs only warns, because they would end with the shell. */
async function keepsForJobs({ frame }: BuiltinCall): Promise<boolean> {
  const { state, jobs, interpreter } = frame;
  if (!state.isInteractive || state.subshellDepth > 0 || state.isWarnedOfJobs) return false;
  if (!jobs.running.some(({ process }) => process.isStopped)) return false;
  state.isWarnedOfJobs = true;
  await interpreter.complain("There are stopped jobs.", frame);
  return true;
}

export const evalBuiltin: Builtin = {
  name: "eval",
  summary: "run words as a line of the shell",
  usage: "eval [WORD…]",
  isSpecial: true,
  isTransparent: true,
  async run({ args, frame, complain }) {
    const words = args[0] === "--" ? args.slice(1) : args;
    if (/^-./.test(words[0] ?? "") && words === args) {
      await complain(`${words[0] ?? ""}: invalid option`);
      return 2;
    }
    const text = words.join(" ");
    if (text.trim() === "") return 0;
    return await nested(frame, () => frame.interpreter.runText(text, frame, { firstLine: frame.state.line }));
  },
};

async function nested<T>(frame: Frame, work: () => Promise<T>): Promise<T> {
  const { state } = frame;
  if (state.callDepth >= CALL_DEPTH_MAX)
    throw new ShellFault(`maximum nesting level exceeded (${CALL_DEPTH_MAX})`, { isFatal: true });
  state.callDepth++;
  try {
    return await work();
  } finally {
    state.callDepth--;
  }
}

export const source: Builtin = sourcing("source");
export const dot: Builtin = sourcing(".");

function sourcing(name: string): Builtin {
  return {
    name,
    summary: "run a file in this shell",
    usage: `${name} FILE [WORD…]`,
    isSpecial: name === ".",
    isTransparent: true,
    async run({ args, frame, complain }) {
      const { state, interpreter } = frame;
      const words = args[0] === "--" ? args.slice(1) : args;
      const [file, ...positional] = words;
      if (file === undefined) {
        await complain("filename argument required");
        return 2;
      }
      if (/^-./.test(file) && words === args) {
        await complain(`${file}: invalid option`);
        return 2;
      }
      const text = await readSource(file, frame, complain);
      if (text === undefined) return 1;
      const before = state.positional;
      if (positional.length > 0) state.positional = positional;
      const own = state.positional;
      state.returnDepth++;
      state.calls.push({ name: "source", file, line: state.line });
      const { line } = state;
      try {
        return await nested(frame, () => interpreter.runText(text, frame, { name: file }));
      } catch (error) {
        if (!(error instanceof ReturnJump)) throw error;
        return error.status;
      } finally {
        state.calls.pop();
        state.returnDepth--;
        state.line = line;
        if (positional.length > 0 && state.positional === own) state.positional = before;
      }
    },
  };
}

async function readSource(file: string, frame: Frame, complain: BuiltinCall["complain"]): Promise<string | undefined> {
  const { state, files, signal, interpreter } = frame;
  const candidates = file.includes("/")
    ? [file]
    : [...(state.variables.get("PATH") ?? "").split(":").map((folder) => `${folder}/${file}`), file];
  for (const candidate of candidates) {
    const path = absolutePath(candidate, state.cwd);
    const isDescriptor = /^\/dev\/(fd\/\d+|stdin)$/.test(path);
    const status = isDescriptor ? undefined : await files.stat(path, { signal });
    if (status === undefined && !isDescriptor) continue;
    if (status?.kind === "directory") {
      if (candidate !== file) continue;
      await complain(`${file}: is a directory`);
      return undefined;
    }
    try {
      const descriptor = await interpreter.open(path, "read", frame);
      const parts: Uint8Array[] = [];
      for (let piece = await descriptor.read(); piece !== undefined; piece = await descriptor.read()) parts.push(piece);
      await descriptor.release();
      return decodeText(concat(parts));
    } catch (error) {
      if (!isStarfishError(error) || signal.aborted) throw error;
      await complain(`${file}: ${reasonOf(error)}`);
      return undefined;
    }
  }
  await interpreter.complain(`${file}: No such file or directory`, frame);
  return undefined;
}

export const exec: Builtin = {
  name: "exec",
  summary: "keep redirections, or run a command in this shell's place",
  usage: "exec [-c] [-a NAME] [COMMAND [WORD…]]",
  isSpecial: true,
  isTransparent: true,
  async run({ args, frame, complain }) {
    let at = 0;
    let shownAs: string | undefined;
    let isBare = false;
    for (; /^-[cla]+$/.test(args[at] ?? ""); at++) {
      const letters = args[at] ?? "";
      if (letters.includes("c")) isBare = true;
      if (letters.endsWith("a")) shownAs = args[++at];
    }
    if (args[at] === "--") at++;
    else if (/^-./.test(args[at] ?? "")) {
      await complain(`${args[at] ?? ""}: invalid option`);
      return 2;
    }
    const words = args.slice(at);
    if (words.length === 0) {
      frame.state.isExecKept = true;
      return 0;
    }
    const [name = ""] = words;
    const kinds = await frame.interpreter.lookUpAll(name, frame);
    if (!kinds.some(({ kind }) => kind === "command" || kind === "file" || kind === "builtin")) {
      await complain(`${name}: not found`);
      if (frame.state.isSetOption("execfail") || frame.state.isInteractive) return 127;
      throw new ExitJump(127);
    }
    frame.state.traps.delete("EXIT");
    if (isBare) frame.state.variables.setEnvironment(new Map());
    throw new ExitJump(await frame.interpreter.runWords(words, frame, { isPlain: true, shownAs }));
  },
};

const DEFAULT_PATH = "/bin:/usr/bin";

export const command: Builtin = {
  name: "command",
  summary: "run a command, not a function; or say what a name is",
  usage: "command [-pvV] NAME [WORD…]",
  isTransparent: true,
  async run(call) {
    const { args, frame, declarations } = call;
    let at = 0;
    let letters = "";
    for (; /^-[pvV]+$/.test(args[at] ?? ""); at++) letters += (args[at] ?? "").slice(1);
    if (args[at] === "--") at++;
    else if (/^-./.test(args[at] ?? "")) {
      await call.complain(`${args[at] ?? ""}: invalid option`);
      return 2;
    }
    const words = args.slice(at);
    if (words.length === 0) return 0;
    if (/[vV]/.test(letters)) return await describe(words, letters.includes("V"), call);
    // Assignments in `command export …` stay assignments.
    const own = declarations.length > 0 && declarations !== args ? declarations : undefined;
    return await frame.interpreter.runWords(words, frame, {
      isPlain: true,
      ...(own === undefined ? {} : { declarations: own }),
      ...(letters.includes("p") ? { path: DEFAULT_PATH } : {}),
    });
  },
};

async function describe(
  names: readonly string[],
  isLong: boolean,
  { frame, out, complain }: BuiltinCall,
): Promise<number> {
  let status = 1;
  for (const name of names) {
    const [found] = await frame.interpreter.lookUpAll(name, frame);
    if (found === undefined) {
      if (isLong) await complain(`${name}: not found`);
      continue;
    }
    status = 0;
    if (isLong) {
      await out(meaningOf(name, found, frame));
    } else if (found.kind === "alias") await out(`alias ${name}=${quoteAlways(found.text)}\n`);
    else await out(`${"shown" in found ? found.shown : name}\n`);
  }
  return status;
}

export const builtin: Builtin = {
  name: "builtin",
  summary: "run a command of the shell itself",
  usage: "builtin [NAME [WORD…]]",
  isTransparent: true,
  async run({ args, frame, complain, declarations }) {
    const words = args[0] === "--" ? args.slice(1) : args;
    const [name] = words;
    if (name === undefined) return 0;
    if (!frame.interpreter.builtins.has(name)) {
      await complain(`${name}: not a shell builtin`);
      return 1;
    }
    const own = declarations.length > 0 && declarations !== args ? declarations : undefined;
    return await frame.interpreter.runWords(words, frame, {
      isPlain: true,
      isBuiltinOnly: true,
      ...(own === undefined ? {} : { declarations: own }),
    });
  },
};

const EVENTS = ["EXIT", "DEBUG", "ERR", "RETURN"];

export const trap: Builtin = {
  name: "trap",
  summary: "say what runs when a signal comes or the shell ends",
  usage: "trap [-lp] [ACTION] [SIGNAL…]",
  isSpecial: true,
  async run({ args, frame, out, complain }) {
    const { traps } = frame.state;
    if (args[0] === "-l") {
      await out(signalList());
      return 0;
    }
    const isShown = args[0] === "-p";
    const words = args[0] === "--" || isShown ? args.slice(1) : args;
    if (/^-[^-]/.test(args[0] ?? "") && !isShown) {
      await complain(`${args[0] ?? ""}: invalid option`);
      return 2;
    }
    if (isShown || words.length === 0) {
      const { outerTraps } = frame.state;
      const all = traps.size > 0 ? traps : (outerTraps ?? traps);
      const names = words.length === 0 ? [...all.keys()] : words.map((word) => eventName(word) ?? word);
      for (const name of sortedEvents(names)) {
        const action = all.get(name);
        if (action !== undefined)
          await out(`trap -- ${quoteAlways(action)} ${EVENTS.includes(name) ? name : `SIG${name}`}\n`);
      }
      return 0;
    }
    // With one word, or if the first is a number, all words are signals to be reset.
    const isReset = words.length === 1 || /^\d+$/.test(words[0] ?? "") || words[0] === "-";
    const action = isReset ? undefined : words[0];
    const events = words[0] === "-" || !isReset ? words.slice(1) : words;
    let status = 0;
    frame.state.outerTraps = undefined;
    for (const word of events) {
      const name = eventName(word);
      if (name === undefined) {
        await complain(`${word}: invalid signal specification`);
        status = 1;
      } else if (action === undefined) traps.delete(name);
      else traps.set(name, action);
    }
    return status;
  },
};

function eventName(word: string): string | undefined {
  const name = word.toUpperCase().replace(/^SIG/, "");
  if (word === "0") return "EXIT";
  return EVENTS.includes(name) ? name : signalName(word);
}

function sortedEvents(names: readonly string[]): string[] {
  const order = (name: string): number => (name === "EXIT" ? 0 : (SIGNALS[name] ?? 100 + EVENTS.indexOf(name)));
  return [...names].sort((a, b) => order(a) - order(b));
}

export function signalList(): string {
  return Object.entries(SIGNALS)
    .map(([name, number], i) => `${String(number).padStart(2)}) SIG${name}${i % 5 === 4 ? "\n" : "\t"}`)
    .join("")
    .trimEnd()
    .concat("\n");
}

export const set: Builtin = {
  name: "set",
  summary: "options of the shell, and positional parameters",
  usage: "set [-+abefhkmnptuvxBCEHPT] [-+o NAME] [--] [WORD…]",
  isSpecial: true,
  async run({ args, frame, out, complain }) {
    const { state } = frame;
    if (args.length === 0) {
      await out(allVariables(frame));
      return 0;
    }
    let at = 0;
    for (; at < args.length; at++) {
      const word = args[at] ?? "";
      if (word === "+") continue;
      if (word === "--" || word === "-") {
        if (word === "-") {
          state.options.delete("xtrace");
          state.options.delete("verbose");
        }
        if (word === "--" || at + 1 < args.length) state.positional = args.slice(at + 1);
        return 0;
      }
      if (!/^[-+]./.test(word)) break;
      const isOn = word.startsWith("-");
      for (const letter of word.slice(1)) {
        if (letter === "o") {
          const name = args[at + 1];
          if (name === undefined || /^[-+]/.test(name)) {
            await out(optionList(frame, isOn));
            continue;
          }
          at++;
          if (!OPTION_NAMES.includes(name)) {
            await complain(`${name}: invalid option name`);
            return 2;
          }
          setOption(name, isOn, frame);
          continue;
        }
        const name = Object.hasOwn(OPTION_LETTERS, letter) ? OPTION_LETTERS[letter] : undefined;
        if (name === undefined) {
          await complain(`${word.charAt(0)}${letter}: invalid option`);
          return 2;
        }
        setOption(name, isOn, frame);
      }
    }
    if (at < args.length) state.positional = args.slice(at);
    return 0;
  },
};

export function setOption(name: string, isOn: boolean, { state }: Frame): void {
  if (isOn) state.options.add(name);
  else state.options.delete(name);
}

function optionList({ state }: Frame, isTable: boolean): string {
  return OPTION_NAMES.map((name) => {
    const isOn = state.option(name);
    return isTable ? `${name.padEnd(15)}\t${isOn ? "on" : "off"}\n` : `set ${isOn ? "-" : "+"}o ${name}\n`;
  }).join("");
}

export const shopt: Builtin = {
  name: "shopt",
  summary: "more options of the shell",
  usage: "shopt [-opqsu] [NAME…]",
  async run({ args, frame, out, complain }) {
    const { state } = frame;
    let at = 0;
    let letters = "";
    for (; /^-[opqsu]+$/.test(args[at] ?? ""); at++) letters += (args[at] ?? "").slice(1);
    if (/^-./.test(args[at] ?? "") && args[at] !== "--") {
      await complain(`${args[at] ?? ""}: invalid option`);
      return 2;
    }
    const isSetNames = letters.includes("o");
    const known = isSetNames ? OPTION_NAMES : Object.keys(SHOPT_DEFAULTS);
    const isOn = (name: string): boolean => (isSetNames ? state.option(name) : state.isSetOption(name));
    const names = args.slice(at).filter((word) => word !== "--");
    if (letters.includes("s") && letters.includes("u")) {
      await complain("cannot set and unset shell options simultaneously");
      return 1;
    }
    let status = 0;
    const chosen =
      names.length > 0 ? names : known.filter((name) => !/[su]/.test(letters) || isOn(name) === letters.includes("s"));
    for (const name of chosen) {
      if (!known.includes(name)) {
        await complain(`${name}: invalid ${isSetNames ? "option" : "shell option"} name`);
        status = 1;
        continue;
      }
      if (names.length > 0 && /[su]/.test(letters)) {
        if (isSetNames) setOption(name, letters.includes("s"), frame);
        else state.shopt.set(name, letters.includes("s"));
        continue;
      }
      if (names.length > 0 && !isOn(name)) status = 1;
      if (letters.includes("q")) continue;
      if (letters.includes("p"))
        await out(
          isSetNames ? `set ${isOn(name) ? "-" : "+"}o ${name}\n` : `shopt -${isOn(name) ? "s" : "u"} ${name}\n`,
        );
      else await out(`${name.padEnd(15)}\t${isOn(name) ? "on" : "off"}\n`);
    }
    return status;
  },
};
