/**
 * The keyboard as a job's standard input. It does what a terminal's line discipline does (echo, backspace, Ctrl-D,
 * lines). Keys wait, without echo, until the job first reads, so that a job that reads nothing leaves them to the next
 * prompt.
 */
import { concat, utf8 } from "../base/bytes.ts";
import { isStarfishError } from "../base/errors.ts";
import { bytesWords } from "./format.ts";
import { oneLine } from "./harmless.ts";
import { type Input, PASTE_BYTES_MAX } from "./paste.ts";
import { createPipe, type Pipe } from "./pipe.ts";
import type { Output } from "./types.ts";
import { graphemes, graphemeWidth } from "./width.ts";

/** Characters of type-ahead that are kept, as in a terminal's own queue; more is dropped. */
const TYPE_AHEAD_MAX = 4_096;
/** Characters of one line of input. */
const LINE_LENGTH_MAX: number = 1024 * 1024;

export interface CookedInput {
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Input from the keyboard. The caller handles keys that send signals. */
  feed(input: Input): void;
  /** Drops input that has been typed and not read. */
  forget(): void;
  /** Takes the waiting input, for a program that gets every key from now on. */
  take(): Input[];
  /**
   * The line that ran is over. Returns the input that was not read. A stopped job of the line reads again when it goes
   * on.
   */
  finish(): Input[];
}

export function cookedInput(screen: Output): CookedInput {
  let source = new Source();
  const decoder = new TextDecoder();
  let waiting: Input[] = [];
  let waitingBytes = 0;
  let reading = false;
  /** Reads that wait, also those of stopped jobs. */
  let readers = 0;
  let line = "";

  const type = async (bytes: Uint8Array): Promise<void> => {
    let echo = "";
    for (const character of decoder.decode(bytes, { stream: true })) echo += press(character);
    if (echo !== "") await screen.write(utf8(echo));
  };

  /** Keys are handled in order, and must not overtake each other. */
  let last: Promise<void> = Promise.resolve();
  const enqueue = (input: Input): void => {
    if (input.kind === "typed") last = last.then(() => type(input.bytes)).catch(ignoreClosed);
    if (input.kind !== "pasted") return;
    // Pasted text is data: characters in it that would erase or end a line are left out.
    last = last.then(() => type(input.bytes.filter(isText))).catch(ignoreClosed);
    if (input.missing === 0) return;
    const told = `(${bytesWords(input.missing)} that were pasted before anything read them were too much to keep.)\r\n`;
    last = last.then(() => screen.write(utf8(told))).catch(ignoreClosed);
  };
  const keepTyped = (bytes: Uint8Array): void => {
    const kept = bytes.slice(0, Math.max(0, TYPE_AHEAD_MAX - waitingBytes));
    waitingBytes += kept.length;
    if (kept.length > 0) waiting.push({ kind: "typed", bytes: kept });
  };
  /** Keeps all of a paste or nothing, and then says how long it was. Its pieces are joined. */
  const keepPasted = (bytes: Uint8Array): void => {
    const before = waiting.at(-1);
    const begun = before?.kind === "pasted" ? before : { bytes: new Uint8Array(), missing: 0 };
    if (before?.kind === "pasted") waiting.pop();
    waitingBytes -= begun.bytes.length;
    const fits = begun.missing === 0 && waitingBytes + begun.bytes.length + bytes.length <= PASTE_BYTES_MAX;
    const kept = fits ? concat([begun.bytes, bytes]) : new Uint8Array();
    const missing = fits ? 0 : begun.missing + begun.bytes.length + bytes.length;
    waitingBytes += kept.length;
    waiting.push({ kind: "pasted", bytes: kept, missing });
  };

  const take = (): Input[] => {
    const unread = waiting;
    waiting = [];
    waitingBytes = 0;
    return unread;
  };

  const press = (character: string): string => {
    if (character === "\r" || character === "\n") return send("\r\n", `${line}\n`);
    if (character === "\x04") {
      if (line !== "") return send("", line);
      const { pipe } = source;
      source.isAtEnd = true;
      last = last.then(() => pipe.output.end());
      return "";
    }
    if (character === "\x7f" || character === "\b") return erase();
    if (character < " " && character !== "\t") return "";
    if (line.length >= LINE_LENGTH_MAX) return "";
    line += character;
    return oneLine(character);
  };

  const send = (echo: string, text: string): string => {
    line = "";
    // The pipe has more than may wait here. A slow job gets its lines later; none are dropped.
    const { pipe } = source;
    last = last.then(() => pipe.output.write(utf8(text))).catch(ignoreClosed);
    return echo;
  };

  const erase = (): string => {
    const typed = graphemes(line);
    const width = graphemeWidth(typed.pop() ?? "");
    line = typed.join("");
    return "\b \b".repeat(width);
  };

  const read = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
    for (;;) {
      const mine = source;
      const result = await mine.next();
      if (result.done !== true) return result;
      // After an end of input, and after a job was stopped at the end of its line, the keyboard starts anew.
      if (mine === source) source = new Source();
      if (mine.isAtEnd) return result;
    }
  };

  return {
    stdin: {
      [Symbol.asyncIterator]() {
        return {
          next: () => {
            reading = true;
            readers++;
            for (const input of waiting) enqueue(input);
            waiting = [];
            waitingBytes = 0;
            return read().finally(() => readers--);
          },
        };
      },
    },
    feed(input): void {
      if (reading) enqueue(input);
      else if (input.kind === "typed") keepTyped(input.bytes);
      else if (input.kind === "pasted") keepPasted(input.bytes);
      else waiting.push(input);
    },
    forget(): void {
      waiting = waiting.filter(({ kind }) => kind !== "typed");
      waitingBytes = waiting.reduce((sum, input) => sum + (input.kind === "pasted" ? input.bytes.length : 0), 0);
    },
    take,
    finish(): Input[] {
      source.pipe.close();
      source = new Source();
      const unread = take();
      line = "";
      reading = readers > 0;
      return unread;
    },
  };
}

/** Input that was typed until an end of input, or until the line that reads it is over. */
class Source {
  readonly pipe: Pipe = createPipe();
  readonly #iterator = this.pipe.input[Symbol.asyncIterator]();
  isAtEnd = false;

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    return this.#iterator.next();
  }
}

function isText(byte: number): boolean {
  return (byte >= 0x20 && byte !== 0x7f) || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

function ignoreClosed(error: unknown): void {
  if (!isStarfishError(error)) throw error;
}
