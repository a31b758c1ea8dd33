/** `bash`, `sh`: a shell of its own, with the words that bash itself takes ("Invoking Bash"). */
import { concat } from "../../base/bytes.ts";
import { isStarfishError } from "../../base/errors.ts";
import { decodeText } from "./bytes.ts";
import { ShellFault } from "./faults.ts";
import type { Frame } from "./frame.ts";
import { reasonOf } from "./redirect.ts";
import { OPTION_LETTERS, OPTION_NAMES, SHOPT_DEFAULTS } from "./state.ts";

export interface Invocation {
  readonly text: string;
  /** $0 */
  readonly name: string;
  readonly args: readonly string[];
  readonly options: ReadonlyMap<string, boolean>;
  readonly shopt: ReadonlyMap<string, boolean>;
  readonly isScriptFile: boolean;
  readonly isInteractive: boolean;
  /** `-c` */
  readonly isCommandLine?: boolean;
}

/** Parses the words. Throws ShellFault for those that are not understood. */
export async function invocationOf(shell: string, words: readonly string[], frame: Frame): Promise<Invocation> {
  const options = new Map<string, boolean>();
  const shopt = new Map<string, boolean>();
  let isCommand = false;
  let isStdin = false;
  let isInteractive = false;
  let at = 0;
  for (; at < words.length; at++) {
    const word = words[at] ?? "";
    if (word === "--" || word === "-") {
      at++;
      break;
    }
    if (!/^[-+]./.test(word)) break;
    if (/^--(norc|noprofile|login|posix|noediting|verbose|restricted)$/.test(word)) continue;
    if (word === "--rcfile" || word === "--init-file") {
      at++;
      continue;
    }
    if (word.startsWith("--")) throw new ShellFault(`${word}: invalid option`, { status: 2 });
    for (const letter of word.slice(1)) {
      const isOn = word.startsWith("-");
      if (letter === "c") isCommand = true;
      else if (letter === "s") isStdin = true;
      else if (letter === "i") isInteractive = true;
      else if (letter === "l" || letter === "r") continue;
      else if (letter === "o" || letter === "O") {
        const name = words[++at] ?? "";
        const known = letter === "o" ? OPTION_NAMES.includes(name) : Object.hasOwn(SHOPT_DEFAULTS, name);
        if (!known)
          throw new ShellFault(`${name}: invalid ${letter === "o" ? "" : "shell "}option name`, { status: 2 });
        (letter === "o" ? options : shopt).set(name, isOn);
      } else {
        const name = Object.hasOwn(OPTION_LETTERS, letter) ? OPTION_LETTERS[letter] : undefined;
        if (name === undefined) throw new ShellFault(`-${letter}: invalid option`, { status: 2 });
        options.set(name, isOn);
      }
    }
  }
  const rest = words.slice(at);
  const common = { options, shopt, isInteractive };
  if (isCommand) {
    const [text, name = shell, ...args] = rest;
    if (text === undefined) throw new ShellFault("-c: option requires an argument", { status: 2 });
    return { ...common, text, name, args, isScriptFile: false, isCommandLine: true };
  }
  const [file, ...args] = rest;
  if (file === undefined || isStdin)
    return { ...common, text: await readAll("/dev/stdin", shell, frame), name: shell, args: rest, isScriptFile: false };
  return { ...common, text: await readAll(file, file, frame), name: file, args, isScriptFile: true };
}

/** How far the first line of a file is looked at. */
const FIRST_LINE_BYTES_MAX = 512;

/** As bash decides it: a NUL in the first line. */
export function isBinary(bytes: Uint8Array): boolean {
  const end = bytes.indexOf(0x0a);
  return bytes.subarray(0, Math.min(end < 0 ? bytes.length : end, FIRST_LINE_BYTES_MAX)).includes(0);
}

async function readAll(path: string, shown: string, frame: Frame): Promise<string> {
  try {
    const descriptor = await frame.interpreter.open(path, "read", frame);
    try {
      const parts: Uint8Array[] = [];
      for (let piece = await descriptor.read(); piece !== undefined; piece = await descriptor.read()) parts.push(piece);
      const bytes = concat(parts);
      if (isBinary(bytes)) throw new ShellFault(`${shown}: cannot execute binary file`, { status: 126 });
      return decodeText(bytes);
    } finally {
      await descriptor.release();
    }
  } catch (error) {
    if (!isStarfishError(error) || frame.signal.aborted) throw error;
    throw new ShellFault(`${shown}: ${reasonOf(error)}`, { status: error.code === "not-found" ? 127 : 126 });
  }
}
