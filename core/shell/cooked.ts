/**
 * The keyboard as a job's stdin: what a terminal's own line discipline would do (echo, backspace, Ctrl-D, lines). Keys
 * wait, unseen, until the job first reads, so that a job that reads nothing leaves them to the next prompt.
 */
import { utf8 } from "../base/bytes.ts";
import { isStarfishError } from "../base/errors.ts";
import { createPipe } from "./pipe.ts";
import type { Output } from "./types.ts";
import { graphemes, graphemeWidth } from "./width.ts";

/** Type-ahead that is kept, as in a terminal's own queue; more is dropped. */
const TYPE_AHEAD_MAX = 4_096;

export interface CookedInput {
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Keys from the keyboard; Ctrl-C is the caller's business. */
  feed(bytes: Uint8Array): void;
  /** The job is over: what was typed and not read. */
  finish(): Uint8Array;
}

export function cookedInput(screen: Output): CookedInput {
  const pipe = createPipe();
  const decoder = new TextDecoder();
  let waiting: number[] = [];
  let reading = false;
  let line = "";

  const take = async (bytes: Uint8Array): Promise<void> => {
    for (const character of decoder.decode(bytes, { stream: true })) {
      const echo = press(character);
      if (echo !== "") await screen.write(utf8(echo));
    }
  };

  /** Queued in order: two keys must not overtake each other. */
  let last: Promise<void> = Promise.resolve();
  const enqueue = (bytes: Uint8Array): void => {
    last = last.then(() => take(bytes)).catch(ignoreClosed);
  };

  const press = (character: string): string => {
    if (character === "\r" || character === "\n") return send("\r\n", `${line}\n`);
    if (character === "\x04") {
      if (line !== "") return send("", line);
      last = last.then(() => pipe.output.end());
      return "";
    }
    if (character === "\x7f" || character === "\b") return erase();
    if (character < " " && character !== "\t") return "";
    if (line.length < TYPE_AHEAD_MAX) line += character;
    return character;
  };

  const send = (echo: string, text: string): string => {
    line = "";
    // The pipe holds more than may wait here; a job that does not keep up gets its lines later, not less of them.
    last = last.then(() => pipe.output.write(utf8(text))).catch(ignoreClosed);
    return echo;
  };

  const erase = (): string => {
    const typed = graphemes(line);
    const width = graphemeWidth(typed.pop() ?? "");
    line = typed.join("");
    return "\b \b".repeat(width);
  };

  return {
    stdin: {
      [Symbol.asyncIterator]() {
        const iterator = pipe.input[Symbol.asyncIterator]();
        return {
          next: () => {
            reading = true;
            enqueue(Uint8Array.from(waiting));
            waiting = [];
            return iterator.next();
          },
        };
      },
    },
    feed(bytes): void {
      if (reading) enqueue(bytes);
      else waiting.push(...bytes.subarray(0, Math.max(0, TYPE_AHEAD_MAX - waiting.length)));
    },
    finish(): Uint8Array {
      pipe.close();
      return Uint8Array.from(waiting);
    },
  };
}

function ignoreClosed(error: unknown): void {
  if (!isStarfishError(error)) throw error;
}
