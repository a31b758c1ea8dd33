/** Runs a script of sed over lines: pattern space, hold space, cycles (POSIX "sed"). */
import { StarfishError } from "../../base/errors.ts";
import { TEXT_CHARS_MAX } from "../language/limits.ts";
import type { Address, Command, Piece, Substitution } from "./script.ts";

export interface Line {
  readonly text: string;
  /** Whether a line break came after it. */
  readonly isEnded: boolean;
}

/** What a running script needs from outside. */
export interface SedWorld {
  /** The next line, or undefined at the end of all input. */
  next(): Promise<Line | undefined>;
  /** Whether the line that was read last is the last of its input. */
  isLast(): Promise<boolean>;
  /** The number and the file of the line that was read last. */
  readonly line: number;
  readonly file: string;
  write(text: string): Promise<void>;
  /** Writes to a file that `w` names. */
  writeTo(file: string, text: string): Promise<void>;
  /** A whole file; "" if it can't be read. */
  read(file: string): Promise<string>;
  /** Lets other work of the thread have its turn. Rejects when the command is to end. */
  rest(): Promise<void>;
  /** The next line of a file; undefined at its end. */
  readLine(file: string): Promise<string | undefined>;
}

export interface SedOptions {
  readonly isQuiet: boolean;
  /** The end of a line: "\n", or NUL with -z. */
  readonly delimiter: string;
}

/** Resolves to the exit status of `q` or `Q`. */
export async function runSed(commands: readonly Command[], world: SedWorld, options: SedOptions): Promise<number> {
  return await new Sed(commands, world, options).run();
}

/** Lines and jumps between two calls of `rest`. */
const STEPS_A_REST = 64;

/** Jumps within one line, after which the script counts as endless. */
const JUMPS_MAX = 10_000_000;

class Sed {
  readonly #commands: readonly Command[];
  readonly #world: SedWorld;
  readonly #options: SedOptions;
  #pattern = "";
  #hold = "";
  #isEnded = true;
  /** Whether the last line was written without a line break, as it was read. */
  #isMissing = false;
  #hasSubstituted = false;
  #lastRegex: RegExp | undefined;
  /** Open ranges, with the line at which they end if that is known. */
  readonly #open = new Map<Command, number>();
  #appended: (() => Promise<string>)[] = [];

  constructor(commands: readonly Command[], world: SedWorld, options: SedOptions) {
    this.#commands = commands;
    this.#world = world;
    this.#options = options;
  }

  async run(): Promise<number> {
    let isKept = false;
    for (let lines = 1; ; lines++) {
      if (lines % STEPS_A_REST === 0) await this.#world.rest();
      if (!isKept && !(await this.#read())) return 0;
      isKept = false;
      const end = await this.#cycle();
      if (end.is === "quit") {
        if (end.prints) await this.#endCycle();
        return end.status;
      }
      if (end.is === "again") {
        await this.#flushAppended();
        isKept = true;
      } else if (end.is === "delete") await this.#flushAppended();
      else await this.#endCycle();
    }
  }

  async #read(): Promise<boolean> {
    const line = await this.#world.next();
    if (line === undefined) return false;
    this.#pattern = line.text;
    this.#isEnded = line.isEnded;
    this.#hasSubstituted = false;
    return true;
  }

  async #endCycle(): Promise<void> {
    if (!this.#options.isQuiet) await this.#print(this.#pattern);
    await this.#flushAppended();
  }

  async #print(text: string): Promise<void> {
    await this.#write(text + (this.#isEnded ? this.#options.delimiter : ""));
    this.#isMissing = !this.#isEnded;
  }

  /** Output after a last line without a line break begins on a line of its own. */
  async #write(text: string): Promise<void> {
    if (this.#isMissing) await this.#world.write(this.#options.delimiter);
    this.#isMissing = false;
    await this.#world.write(text);
  }

  async #flushAppended(): Promise<void> {
    const all = this.#appended;
    this.#appended = [];
    for (const text of all) {
      const appended = await text();
      if (appended !== "") await this.#write(appended);
    }
  }

  async #cycle(): Promise<{ is: "end" | "delete" | "again" } | { is: "quit"; status: number; prints: boolean }> {
    for (let at = 0, jumps = 0; at < this.#commands.length;) {
      const command = this.#commands[at];
      if (command === undefined) break;
      if (!(await this.#isSelected(command))) {
        at = command.name === "{" ? (command.target ?? at + 1) : at + 1;
        continue;
      }
      const { name, number } = command;
      if (name === "q" || name === "Q") return { is: "quit", status: number ?? 0, prints: name === "q" };
      if (name === "d") return { is: "delete" };
      if (name === "D") {
        const end = this.#pattern.indexOf("\n");
        if (end < 0) return { is: "delete" };
        this.#pattern = this.#pattern.slice(end + 1);
        return { is: "again" };
      }
      if (name === "c") {
        if (command.to === undefined || command.isNegated || !this.#open.has(command)) await this.#write(command.text);
        return { is: "delete" };
      }
      if (name === "n" || name === "N") {
        const isOver = await this.#world.isLast();
        if (name === "n" && !this.#options.isQuiet && !isOver) await this.#print(this.#pattern);
        // If there is no next line, GNU prints the pattern space.
        if (isOver) return { is: "quit", status: 0, prints: true };
        await this.#flushAppended();
        const before = this.#pattern;
        if (!(await this.#read())) return { is: "quit", status: 0, prints: true };
        if (name === "N") this.#pattern = bounded(`${before}\n${this.#pattern}`);
      } else if (/^[btT]$/.test(name)) {
        const isTaken = name === "b" || this.#hasSubstituted === (name === "t");
        if (name !== "b") this.#hasSubstituted = false;
        if (isTaken) {
          if (++jumps % STEPS_A_REST === 0) await this.#world.rest();
          if (jumps > JUMPS_MAX) throw new StarfishError("too-large", "the script jumps for ever");
          at = command.target ?? this.#commands.length;
          continue;
        }
      } else await this.#do(command);
      at++;
    }
    return { is: "end" };
  }

  async #do(command: Command): Promise<void> {
    const world = this.#world;
    const { delimiter } = this.#options;
    switch (command.name) {
      case "p":
        return await this.#print(this.#pattern);
      case "P":
        return await this.#write((this.#pattern.split("\n", 1)[0] ?? "") + delimiter);
      case "=":
        return await this.#write(`${world.line}\n`);
      case "F":
        return await this.#write(`${world.file}\n`);
      case "l":
        return await this.#write(unambiguous(this.#pattern, command.number ?? 70));
      case "i":
        return await this.#write(command.text);
      case "a":
        this.#appended.push(() => Promise.resolve(command.text));
        return;
      case "r":
        this.#appended.push(() => world.read(command.text));
        return;
      case "R": {
        const line = await world.readLine(command.text);
        if (line !== undefined) this.#appended.push(() => Promise.resolve(line + delimiter));
        return;
      }
      case "w":
        return await world.writeTo(command.text, this.#pattern + delimiter);
      case "W":
        return await world.writeTo(command.text, (this.#pattern.split("\n", 1)[0] ?? "") + delimiter);
      case "g":
        this.#pattern = this.#hold;
        return;
      case "G":
        this.#pattern = bounded(`${this.#pattern}\n${this.#hold}`);
        return;
      case "h":
        this.#hold = this.#pattern;
        return;
      case "H":
        this.#hold = bounded(`${this.#hold}\n${this.#pattern}`);
        return;
      case "x":
        [this.#pattern, this.#hold] = [this.#hold, this.#pattern];
        return;
      case "z":
        this.#pattern = "";
        return;
      case "y": {
        const { letters } = command;
        this.#pattern = Array.from(this.#pattern, (letter) => letters?.get(letter) ?? letter).join("");
        return;
      }
      case "s":
        if (command.substitution !== undefined) await this.#substitute(command.substitution);
        return;
      default:
    }
  }

  #regex(regex: RegExp | undefined): RegExp {
    const used = regex ?? this.#lastRegex;
    if (used === undefined) throw new StarfishError("usage", "no previous regular expression");
    this.#lastRegex = used;
    used.lastIndex = 0;
    return used;
  }

  async #substitute({ regex, pieces, isGlobal, number, prints, file }: Substitution): Promise<void> {
    const used = this.#regex(regex);
    let count = 0;
    let lastEnd = -1;
    let hasChanged = false;
    const result = this.#pattern.replaceAll(used, (...match: unknown[]) => {
      const offset = match.find((one): one is number => typeof one === "number") ?? 0;
      const whole = String(match[0]);
      // An empty match right after a match does not count.
      if (whole === "" && offset === lastEnd) return "";
      lastEnd = offset + whole.length;
      if (++count < number || (count > number && !isGlobal)) return whole;
      hasChanged = true;
      const groups = match.slice(0, match.indexOf(offset)).map((group) => (typeof group === "string" ? group : ""));
      return replaced(pieces, groups);
    });
    if (!hasChanged) return;
    this.#pattern = bounded(result);
    this.#hasSubstituted = true;
    if (prints) await this.#print(this.#pattern);
    if (file !== undefined) await this.#world.writeTo(file, this.#pattern + this.#options.delimiter);
  }

  async #isSelected(command: Command): Promise<boolean> {
    const { from, to, isNegated } = command;
    if (from === undefined) return !isNegated;
    const isIn = to === undefined ? await this.#matches(from) : await this.#isInRange(command, from, to);
    return isIn !== isNegated;
  }

  async #matches(address: Address): Promise<boolean> {
    const { line } = this.#world;
    switch (address.kind) {
      case "line":
        return line === address.number;
      case "step":
        return address.step === 0
          ? line === address.first
          : line >= address.first && (line - address.first) % address.step === 0;
      case "last":
        return await this.#world.isLast();
      case "regex":
        return this.#regex(address.regex).test(this.#pattern);
      default:
        return false;
    }
  }

  async #isInRange(command: Command, from: Address, to: Address): Promise<boolean> {
    const { line } = this.#world;
    const open = this.#open.get(command);
    if (open === undefined) {
      // `0,/re/` may end at the first line.
      const isZero = from.kind === "line" && from.number === 0;
      if (isZero ? line !== 1 : !(await this.#matches(from))) return false;
      const end = endOf(to, line);
      if (isZero ? !(await this.#matches(to)) : end > line) this.#open.set(command, end);
      return true;
    }
    const isOver = to.kind === "regex" || to.kind === "last" ? await this.#matches(to) : line >= open;
    if (isOver) this.#open.delete(command);
    // If the second line number is past, only the first line is selected.
    return !(to.kind === "line" && line > open);
  }
}

/** The line at which a range ends; Infinity if only later lines tell. */
function endOf(to: Address, line: number): number {
  if (to.kind === "line") return to.number;
  if (to.kind === "plus") return line + to.count;
  if (to.kind === "multiple") return to.of === 0 ? line : Math.ceil(line / to.of) * to.of;
  return Infinity;
}

function replaced(pieces: readonly Piece[], groups: readonly string[]): string {
  let result = "";
  let letters: "U" | "L" | "E" = "E";
  let once: "u" | "l" | undefined;
  for (const piece of pieces) {
    if (typeof piece !== "string" && "letters" in piece) {
      if (piece.letters === "u" || piece.letters === "l") once = piece.letters;
      else letters = piece.letters;
      continue;
    }
    let text = typeof piece === "string" ? piece : (groups[piece.group] ?? "");
    if (letters !== "E") text = letters === "U" ? text.toUpperCase() : text.toLowerCase();
    if (once !== undefined && text !== "") {
      const [first = ""] = text;
      text = (once === "u" ? first.toUpperCase() : first.toLowerCase()) + text.slice(first.length);
      once = undefined;
    }
    result += text;
  }
  return result;
}

function bounded(text: string): string {
  if (text.length > TEXT_CHARS_MAX)
    throw new StarfishError("too-large", `the pattern space has at most ${TEXT_CHARS_MAX} characters`);
  return text;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};

/** As `l` prints it: in lines of this many columns, with octal numbers for invisible characters. */
function unambiguous(text: string, columns: number): string {
  const signs = Array.from(new TextEncoder().encode(text), (byte) => {
    const character = String.fromCharCode(byte);
    if (Object.hasOwn(ESCAPES, character)) return ESCAPES[character] ?? "";
    return byte < 0x20 || byte >= 0x7f ? `\\${byte.toString(8).padStart(3, "0")}` : character;
  });
  let result = "";
  let width = 0;
  for (const sign of signs) {
    if (columns > 1 && width + sign.length > columns - 1) {
      result += "\\\n";
      width = 0;
    }
    result += sign;
    width += sign.length;
  }
  return `${result}$\n`;
}
