/** xargs: runs a command with the words of its input. */
import { StarfishError } from "../../base/errors.ts";
import { decodeText } from "../language/bytes.ts";
import { concat } from "../../base/bytes.ts";
import type { Command } from "../types.ts";
import { LINE_BYTES_MAX, lines } from "./lines.ts";
import { numberValue, utility, type UtilityContext } from "./utility.ts";

/** Characters of one command line, GNU's default. */
const COMMAND_CHARS_MAX: number = 128 * 1024;
const AT_ONCE_MAX = 64;

export const xargs: Command = utility({
  name: "xargs",
  summary: "run a command with words from standard input",
  help: `
usage: xargs [-0rt] [-d DELIMITER] [-I TEXT] [-L LINES] [-n WORDS] [-P AT_ONCE] [COMMAND [WORD…]]

Runs COMMAND (echo) with words from standard input after its own, as many at a time as fit, or with -n at most so many. -0
reads words that end with NUL, as 'find -print0' writes them; -I TEXT runs COMMAND once for each line, which replaces TEXT;
-P says how many run at the same time; -r runs nothing if there is no input.

  seq 6 | xargs -n 2 echo
`,
  specs: {
    "0": { long: "null" },
    a: { long: "arg-file", value: true },
    d: { long: "delimiter", value: true },
    E: { value: true },
    I: { long: "replace", value: true },
    L: { long: "max-lines", value: true },
    n: { long: "max-args", value: true },
    P: { long: "max-procs", value: true },
    r: { long: "no-run-if-empty" },
    s: { long: "max-chars", value: true },
    t: { long: "verbose" },
    x: { long: "exit" },
  },
  parsing: { isPosix: true },
  run: (context) => new Xargs(context).run(),
});

class Xargs {
  readonly #context: UtilityContext;
  readonly #command: readonly string[];
  readonly #atOnce: number;
  readonly #running = new Set<Promise<void>>();
  #status = 0;
  #isOver = false;
  #runs = 0;

  constructor(context: UtilityContext) {
    const { options, operands } = context;
    this.#context = context;
    this.#command = operands.length === 0 ? ["echo"] : operands;
    const wanted = numberValue(options.value("P") ?? "1", "number of processes");
    this.#atOnce = wanted === 0 ? AT_ONCE_MAX : Math.min(wanted, AT_ONCE_MAX);
  }

  async run(): Promise<number> {
    const { options } = this.#context;
    const replaced = options.value("I");
    const most = options.has("n") ? numberValue(options.value("n") ?? "", "number for -n option") : Infinity;
    const linesMost = options.has("L") ? numberValue(options.value("L") ?? "", "number for -L option") : Infinity;
    const charsMost = options.has("s")
      ? numberValue(options.value("s") ?? "", "number for -s option")
      : COMMAND_CHARS_MAX;
    let batch: string[] = [];
    let chars = 0;
    let linesIn = 0;
    for await (const { word, endsLine } of this.#words(replaced !== undefined)) {
      if (this.#isOver) break;
      if (replaced !== undefined) {
        await this.#start(this.#command.map((part) => part.replaceAll(replaced, word)));
        continue;
      }
      if (batch.length > 0 && (batch.length >= most || chars + word.length + 1 > charsMost)) {
        await this.#start([...this.#command, ...batch]);
        batch = [];
        chars = 0;
        linesIn = 0;
      }
      batch.push(word);
      chars += word.length + 1;
      if (endsLine) linesIn++;
      if (linesIn >= linesMost) {
        await this.#start([...this.#command, ...batch]);
        batch = [];
        chars = 0;
        linesIn = 0;
      }
    }
    const isEmptyRun = this.#runs === 0 && replaced === undefined && !options.has("r");
    if (!this.#isOver && (batch.length > 0 || isEmptyRun)) await this.#start([...this.#command, ...batch]);
    await Promise.all(this.#running);
    return this.#status;
  }

  async #start(words: readonly string[]): Promise<void> {
    const { run, stderr, options, signal, flush } = this.#context;
    this.#runs++;
    if (options.has("t")) await stderr.write(new TextEncoder().encode(`${words.join(" ")}\n`));
    await flush();
    const done = run(words, { stdin: nothing() }).then((status) => this.#heed(status, words[0] ?? ""));
    const tracked = done.finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
    if (this.#running.size >= this.#atOnce) await Promise.race(this.#running);
    if (signal.aborted) this.#isOver = true;
  }

  async #heed(status: number, name: string): Promise<void> {
    if (status === 0) return;
    if (status === 255) {
      this.#isOver = true;
      this.#status = 124;
      await this.#context.problem(`${name}: exited with status 255; aborting`);
    } else if (status === 126 || status === 127) {
      this.#isOver = true;
      this.#status = status;
    } else if (status > 128 && status < 192) {
      this.#isOver = true;
      this.#status = 125;
    } else if (this.#status === 0) this.#status = 123;
  }

  async *#words(isByLine: boolean): AsyncGenerator<{ word: string; endsLine: boolean }, void, undefined> {
    const { options, stdin, input } = this.#context;
    const file = options.value("a");
    const stream = file === undefined ? stdin : input(file);
    const delimiter = options.has("0") ? "\0" : options.has("d") ? delimiterOf(options.value("d") ?? "") : undefined;
    if (delimiter !== undefined) {
      for await (const word of lines(stream, delimiter)) yield { word, endsLine: true };
      return;
    }
    if (isByLine) {
      for await (const line of lines(stream))
        if (line.trim() !== "") yield { word: unquoted(line.trimStart()), endsLine: true };
      return;
    }
    yield* quotedWords(stream);
  }
}

async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {}

function delimiterOf(text: string): string {
  const escapes: Readonly<Record<string, string>> = { "\\n": "\n", "\\t": "\t", "\\0": "\0", "\\\\": "\\" };
  if (Object.hasOwn(escapes, text)) return escapes[text] ?? "";
  if (text.length !== 1 || text.charCodeAt(0) > 0x7f)
    throw new StarfishError("usage", `Invalid input delimiter specification ${text}`);
  return text;
}

function unquoted(line: string): string {
  return line.replaceAll(
    /'([^']*)'|"([^"]*)"|\\(.)/gsu,
    (_, single?: string, double?: string, escaped?: string) => single ?? double ?? escaped ?? "",
  );
}

/** Words are separated by blanks; quotes and backslashes keep blanks in a word. */
async function* quotedWords(
  stream: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ word: string; endsLine: boolean }, void, undefined> {
  let parts: number[] = [];
  let isWord = false;
  let quote = 0;
  let isEscaped = false;
  const take = (): string => {
    const word = decodeText(concat([Uint8Array.from(parts)]));
    parts = [];
    isWord = false;
    return word;
  };
  for await (const piece of stream) {
    for (const byte of piece) {
      if (isEscaped || (quote !== 0 && byte !== quote)) {
        if (quote !== 0 && byte === 0x0a && !isEscaped)
          throw new StarfishError("usage", `unmatched ${quote === 0x22 ? "double" : "single"} quote`);
        parts.push(byte);
        isEscaped = false;
      } else if (byte === quote) quote = 0;
      else if (byte === 0x22 || byte === 0x27) {
        quote = byte;
        isWord = true;
      } else if (byte === 0x5c) {
        isEscaped = true;
        isWord = true;
      } else if (byte === 0x20 || byte === 0x09 || byte === 0x0a) {
        if (isWord) yield { word: take(), endsLine: byte === 0x0a };
      } else {
        parts.push(byte);
        isWord = true;
      }
      if (parts.length > LINE_BYTES_MAX) throw new StarfishError("too-large", "a word is too long");
    }
  }
  if (quote !== 0) throw new StarfishError("usage", `unmatched ${quote === 0x22 ? "double" : "single"} quote`);
  if (isWord) yield { word: take(), endsLine: true };
}
