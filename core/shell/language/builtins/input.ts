/** read, mapfile, readarray. */
import { AssociativeArray } from "../associative-array.ts";
import { abortable, sleep } from "../../../ports/clock.ts";
import { isStarfishError } from "../../../base/errors.ts";
import { setVariable } from "../assign.ts";
import { encodeText } from "../bytes.ts";
import type { Descriptor } from "../descriptor.ts";
import { evaluate } from "../arithmetic.ts";
import { scopeOf } from "../expand.ts";
import { ShellFault } from "../faults.ts";
import type { Builtin, BuiltinCall, Frame } from "../frame.ts";
import { ELEMENTS_MAX } from "../limits.ts";
import { splitPlace } from "../place.ts";
import { quoteIfNeeded } from "../quoting.ts";
import { readLine, type Line, type ReadOptions } from "../read-line.ts";
import { IndexedArray, isName } from "../variables.ts";
import { statusOfSignal } from "../process.ts";

interface ReadCall {
  readonly names: readonly string[];
  readonly array?: string | undefined;
  readonly delimiter: string;
  readonly count?: number | undefined;
  readonly isExact: boolean;
  readonly isRaw: boolean;
  readonly prompt?: string | undefined;
  readonly timeoutMs?: number | undefined;
  readonly descriptor: number;
}

export const read: Builtin = {
  name: "read",
  summary: "read a line into variables",
  usage: "read [-rs] [-a NAME] [-d DELIMITER] [-n N] [-N N] [-p PROMPT] [-t SECONDS] [-u FD] [NAME…]",
  async run(call) {
    const parsed = parse(call.args);
    if (typeof parsed === "string") {
      await call.complain(parsed);
      return /invalid option$|requires an argument$/.test(parsed) ? 2 : 1;
    }
    const { frame } = call;
    for (const name of parsed.array === undefined ? parsed.names : [parsed.array]) {
      if (/^[A-Za-z_]\w*(\[.+\])?$/s.test(name)) continue;
      await call.complain(`\`${name}': not a valid identifier`);
      return 1;
    }
    const input = frame.state.descriptors.get(parsed.descriptor);
    if (input === undefined || !input.isReadable) {
      await call.complain(`${parsed.descriptor}: invalid file descriptor: Bad file descriptor`);
      return 1;
    }
    if (parsed.timeoutMs === 0) return 0;
    if (parsed.count === 0) {
      await assign(parsed, "", frame);
      return 0;
    }
    if (parsed.prompt !== undefined && input.file.terminal?.() !== undefined) {
      await frame.state.descriptors.get(2)?.output()?.write(encodeText(parsed.prompt));
    }
    const line = await within(parsed.timeoutMs, frame, () => readLine(input, optionsOf(parsed)));
    if (line === "timeout") {
      await assign(parsed, "", frame);
      return statusOfSignal("ALRM");
    }
    await assign(parsed, line?.text ?? "", frame);
    return line?.isEnded === true ? 0 : 1;
  },
};

function optionsOf({ delimiter, count, isExact, isRaw }: ReadCall): ReadOptions {
  return { delimiter, count, isExact, hasEscapes: !isRaw };
}

async function within(
  timeoutMs: number | undefined,
  { clock, signal }: Frame,
  work: () => Promise<Line | undefined>,
): Promise<Line | undefined | "timeout"> {
  if (timeoutMs === undefined) return await abortable(signal, work());
  const stop = new AbortController();
  const timer = sleep(clock, timeoutMs, { signal: AbortSignal.any([signal, stop.signal]) }).then(
    () => "timeout" as const,
  );
  try {
    return await Promise.race([abortable(signal, work()), timer]);
  } finally {
    stop.abort();
    timer.catch((error: unknown) => {
      if (!isStarfishError(error)) throw error;
    });
  }
}

function parse(args: readonly string[]): ReadCall | string {
  const values: Record<string, string> = {};
  let isRaw = false;
  let at = 0;
  for (; at < args.length; at++) {
    const word = args[at] ?? "";
    if (word === "--") {
      at++;
      break;
    }
    if (!/^-./.test(word)) break;
    for (let i = 1; i < word.length; i++) {
      const letter = word[i] ?? "";
      if (letter === "r") isRaw = true;
      else if ("se".includes(letter)) continue;
      else if ("adnNptui".includes(letter)) {
        const value =
          word.slice(i + 1) === "" && letter !== "" ? (i + 1 < word.length ? "" : args[++at]) : word.slice(i + 1);
        if (value === undefined) return `-${letter}: option requires an argument`;
        values[letter] = value;
        break;
      } else return `-${letter}: invalid option`;
    }
  }
  for (const letter of ["n", "N"])
    if (values[letter] !== undefined && !/^\d+$/.test(values[letter])) return `${values[letter]}: invalid number`;
  if (values["t"] !== undefined && !/^(\d+\.?\d*|\.\d+)$/.test(values["t"]))
    return `${values["t"]}: invalid timeout specification`;
  if (values["u"] !== undefined && !/^\d+$/.test(values["u"]))
    return `${values["u"]}: invalid file descriptor specification`;
  const count = values["N"] ?? values["n"];
  return {
    names: args.slice(at),
    array: values["a"],
    delimiter: values["d"] === undefined ? "\n" : values["d"].slice(0, 1),
    count: count === undefined ? undefined : Number(count),
    isExact: values["N"] !== undefined,
    isRaw,
    prompt: values["p"],
    timeoutMs: values["t"] === undefined ? undefined : Number(values["t"]) * 1000,
    descriptor: Number(values["u"] ?? 0),
  };
}

/** A character, and whether a backslash has quoted it. */
interface Sign {
  readonly text: string;
  readonly isEscaped: boolean;
}

async function assign(call: ReadCall, text: string, frame: Frame): Promise<void> {
  const { variables } = frame.state;
  const clean = text.replaceAll("\0", "");
  if (call.isExact) {
    const [name = "REPLY", ...others] = call.names;
    await set(name, call.isRaw ? clean : unescaped(clean), frame);
    for (const other of others) await set(other, "", frame);
    return;
  }
  const signs = signsOf(clean, call.isRaw);
  const ifs = variables.get("IFS") ?? " \t\n";
  if (call.array !== undefined) {
    if (variables.find(call.array)?.value instanceof AssociativeArray)
      throw new ShellFault(`${call.array}: cannot convert associative to indexed array`);
    variables.setWhole(call.array, IndexedArray.of(fieldsOf(signs, ifs, Infinity)));
    return;
  }
  if (call.names.length === 0) return await set("REPLY", signs.map((sign) => sign.text).join(""), frame);
  const fields = fieldsOf(signs, ifs, call.names.length);
  for (const [i, name] of call.names.entries()) await set(name, fields[i] ?? "", frame);
}

async function set(name: string, value: string, frame: Frame): Promise<void> {
  const place = await splitPlace(name, frame);
  if (place === undefined) throw new ShellFault(`\`${name}': not a valid identifier`);
  setVariable(place.name, place.index, value, false, frame);
}

function unescaped(text: string): string {
  return text.replaceAll(/\\\n/g, "").replaceAll(/\\(.)/gsu, "$1");
}

function signsOf(text: string, isRaw: boolean): Sign[] {
  const signs: Sign[] = [];
  const characters = Array.from(text);
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i] ?? "";
    if (isRaw || character !== "\\") signs.push({ text: character, isEscaped: false });
    else if (++i < characters.length && characters[i] !== "\n")
      signs.push({ text: characters[i] ?? "", isEscaped: true });
  }
  return signs;
}

/** At most `most` fields; the last has the rest of the line with its delimiters. */
function fieldsOf(signs: readonly Sign[], ifs: string, most: number): string[] {
  const isIn = (sign: Sign | undefined): boolean => sign !== undefined && !sign.isEscaped && ifs.includes(sign.text);
  const isSpace = (sign: Sign | undefined): boolean => isIn(sign) && /[ \t\n]/.test(sign?.text ?? "");
  let at = 0;
  let end = signs.length;
  while (at < end && isSpace(signs[at])) at++;
  while (end > at && isSpace(signs[end - 1])) end--;
  const fields: string[] = [];
  while (at < end && fields.length < most - 1) {
    const start = at;
    while (at < end && !isIn(signs[at])) at++;
    fields.push(textOf(signs, start, at));
    while (at < end && isSpace(signs[at])) at++;
    if (at < end && isIn(signs[at])) at++;
    else if (at >= end) break;
    while (at < end && isSpace(signs[at])) at++;
  }
  if (at < end) fields.push(lastField(signs, at, end, isIn, isSpace));
  return fields;
}

/** A single delimiter at the very end is dropped, if the rest has no other. */
function lastField(
  signs: readonly Sign[],
  at: number,
  end: number,
  isIn: (sign: Sign | undefined) => boolean,
  isSpace: (sign: Sign | undefined) => boolean,
): string {
  const last = signs[end - 1];
  if (isIn(last) && !isSpace(last)) {
    let start = end - 1;
    while (start > at && isSpace(signs[start - 1])) start--;
    const hasOther = signs.slice(at, start).some((sign) => isIn(sign));
    if (!hasOther) return textOf(signs, at, start);
  }
  return textOf(signs, at, end);
}

function textOf(signs: readonly Sign[], from: number, to: number): string {
  return signs
    .slice(from, to)
    .map(({ text }) => text)
    .join("");
}

export const mapfile: Builtin = reading("mapfile");
export const readarray: Builtin = reading("readarray");

function reading(name: string): Builtin {
  return {
    name,
    summary: "read lines into an array",
    usage: `${name} [-t] [-d DELIMITER] [-n COUNT] [-O ORIGIN] [-s COUNT] [-u FD] [-C CALLBACK] [-c QUANTUM] [ARRAY]`,
    isTransparent: true,
    run: runMapfile,
  };
}

async function runMapfile({ args, frame, complain }: BuiltinCall): Promise<number> {
  const values: Record<string, string> = {};
  let isTrimmed = false;
  let at = 0;
  for (; at < args.length && /^-./.test(args[at] ?? ""); at++) {
    const word = args[at] ?? "";
    if (word === "--") {
      at++;
      break;
    }
    for (let i = 1; i < word.length; i++) {
      const letter = word[i] ?? "";
      if (letter === "t") isTrimmed = true;
      else if ("dnOsuCc".includes(letter)) {
        values[letter] = i + 1 < word.length ? word.slice(i + 1) : (args[++at] ?? "");
        break;
      } else {
        await complain(`-${letter}: invalid option`);
        return 2;
      }
    }
  }
  const name = args[at] ?? "MAPFILE";
  if (!isName(name)) {
    await complain(`\`${name}': not a valid identifier`);
    return 1;
  }
  const input = frame.state.descriptors.get(Number(values["u"] ?? 0));
  if (input === undefined) {
    await complain(`${values["u"] ?? 0}: invalid file descriptor: Bad file descriptor`);
    return 1;
  }
  const { variables } = frame.state;
  const before = variables.find(name)?.value;
  const array = values["O"] !== undefined && before instanceof IndexedArray ? before : new IndexedArray();
  variables.setWhole(name, array);
  await fill(array, input, values, isTrimmed, frame);
  return 0;
}

async function fill(
  array: IndexedArray,
  input: Descriptor,
  values: Readonly<Record<string, string>>,
  isTrimmed: boolean,
  frame: Frame,
): Promise<void> {
  const delimiter = values["d"] === undefined ? "\n" : values["d"].slice(0, 1);
  const number = (letter: string, standard: number): number =>
    Number(evaluate(values[letter] ?? String(standard), scopeOf(frame)));
  let index = number("O", 0);
  let skipped = number("s", 0);
  const most = number("n", 0) || ELEMENTS_MAX;
  const quantum = number("c", 5000);
  for (let read = 0; read < most;) {
    const pause = frame.process.rest();
    if (pause !== undefined) await pause;
    const line = await abortable(frame.signal, readLine(input, { delimiter }));
    if (line === undefined) break;
    if (skipped > 0) {
      skipped--;
      continue;
    }
    const text = line.text + (line.isEnded && !isTrimmed ? delimiter : "");
    read++;
    if (values["C"] !== undefined && read % quantum === 0) {
      await frame.interpreter.runText(`${values["C"]} ${index} ${quoteIfNeeded(text)}`, frame);
    }
    array.set(index++, text);
    if (!line.isEnded) break;
  }
}
