/**
 * A session at a terminal: the editor at the prompt, the shell while a line runs, Ctrl-C for the foreground job. It
 * knows the terminal only as bytes in and bytes out, so that the page's xterm and `starfish sh` share it.
 */
import { utf8 } from "../base/bytes.ts";
import { isStarfishError, StarfishError } from "../base/errors.ts";
import { cookedInput, type CookedInput } from "./cooked.ts";
import { KeyDecoder } from "./editor-keys.ts";
import { Editor, type EditorEvent } from "./editor.ts";
import { oneLine } from "./harmless.ts";
import type { History } from "./history.ts";
import { bytesWords, wrapped } from "./format.ts";
import { LINE_LENGTH_MAX } from "./language/limits.ts";
import { type Input, type Paste, PasteInput, PasteSplitter } from "./paste.ts";
import type { KeyboardSignal, Shell } from "./shell.ts";
import { joined, sequence, shown, type Text } from "./styled.ts";
import { ScreenOwner } from "./terminal/full-screen.ts";
import type { Io, Output, TerminalInfo } from "./types.ts";

export interface Terminal {
  /** Keys as the terminal sends them in raw mode. */
  readonly input: AsyncIterable<Uint8Array>;
  readonly output: Output;
  /** The terminal's present properties. */
  info(): TerminalInfo;
}

export interface SessionOptions {
  /** Called for each line, if the shell has no PS1 of its own. */
  readonly prompt: () => Text;
  readonly history?: History;
  /** Whether `exit` and Ctrl-D end the session; in a page they can't. */
  readonly canEnd: boolean;
}

export interface Session {
  /** Runs until the person leaves, the input ends or the signal aborts. Resolves to the last status. */
  run(options: { signal: AbortSignal }): Promise<number>;
  /** Call it when the terminal's size has changed. */
  resized(): void;
  /** Prints between the lines; at a prompt, above it. */
  print(text: Text): void;
  /** Runs a line as if it had been typed, unless something is running. */
  submit(line: string): void;
}

const CONTINUATION = "> ";
/**
 * Tells the terminal to mark pasted text, from the first prompt to the end, so that pasted text never runs by itself.
 */
const PASTE_MODE_ON = "\x1b[?2004h";
const PASTE_MODE_OFF = "\x1b[?2004l";
/** Keys that send signals to the foreground job, as in a terminal's line discipline. */
const SIGNAL_KEYS: ReadonlyMap<number, { readonly name: KeyboardSignal; readonly echo: string }> = new Map([
  [0x03, { name: "INT", echo: "^C" }],
  [0x1a, { name: "TSTP", echo: "^Z" }],
  [0x1c, { name: "QUIT", echo: "^\\" }],
]);

/** What a session at a terminal needs of a shell. */
export type LineRunner = Pick<
  Shell,
  "run" | "startUp" | "complete" | "isIncomplete" | "marks" | "signal" | "takeReports" | "prompt" | "isOver"
>;

export function createSession(shell: LineRunner, terminal: Terminal, options: SessionOptions): Session {
  return new TerminalSession(shell, terminal, options);
}

interface Job {
  readonly stop: AbortController;
  /** Ctrl-C has been pressed; the next one does not wait for code that takes no signals. */
  isInterrupted: boolean;
}

class TerminalSession implements Session {
  readonly #shell: LineRunner;
  readonly #terminal: Terminal;
  readonly #options: SessionOptions;
  readonly #screen: Screen;
  readonly #splitter = new PasteSplitter();
  readonly #input: CookedInput;
  readonly #keys = KeyDecoder.forLines();
  readonly #full: ScreenOwner;
  /** Cancels a Tab that has not been answered. */
  #completing: AbortController | undefined;
  readonly #pastes = new PasteInput();
  readonly #editor: Editor;
  readonly #over = Promise.withResolvers<undefined>();
  /** The running job, which gets the keys. */
  #job: Job | undefined;
  /** The lines of a command that is not complete yet. */
  #unfinished = "";
  /** Input that was typed or pasted while a job ran that did not read it. */
  #leftOver: Input[] = [];
  #status = 0;
  #atPrompt = false;
  /** PS1 and PS2 as the shell has them now. */
  #prompts: { first?: Text | undefined; more?: Text | undefined } = {};

  constructor(shell: LineRunner, terminal: Terminal, options: SessionOptions) {
    this.#shell = shell;
    this.#terminal = terminal;
    this.#options = options;
    this.#full = new ScreenOwner({
      output: terminal.output,
      info: () => terminal.info(),
      signal: (name) => void shell.signal(name),
      typedAhead: () => this.#input.take(),
    });
    this.#screen = crlf(this.#full);
    this.#input = cookedInput(this.#screen);
    this.#editor = new Editor({
      columns: terminal.info().columns,
      ...(options.history === undefined ? {} : { history: options.history }),
      isIncomplete: (line) => line.trim() !== "" && shell.isIncomplete(line),
      hasGhosts: () => this.#isColourful(),
      marks: (line, cursor) => (this.#isColourful() ? shell.marks(line, cursor, () => this.#refresh()) : []),
    });
  }

  async run({ signal }: { signal: AbortSignal }): Promise<number> {
    const iterator = this.#terminal.input[Symbol.asyncIterator]();
    signal.addEventListener("abort", () => this.#end(), { once: true });
    if (signal.aborted) this.#end();
    this.#draw(PASTE_MODE_ON);
    this.#inForeground((io, stop) => this.#shell.startUp(io, { signal: stop }));
    for (;;) {
      const result = await Promise.race([this.#over.promise, iterator.next()]);
      if (result === undefined || result.done === true) break;
      this.#feed(result.value);
    }
    this.#job?.stop.abort(new StarfishError("cancelled", "The terminal has gone"));
    this.#draw(PASTE_MODE_OFF);
    await iterator.return?.();
    return this.#status;
  }

  /** Whether the screen shows colours to somebody who sees them. */
  #isColourful(): boolean {
    const { colours, isReadOut } = this.#terminal.info();
    return colours && isReadOut !== true;
  }

  #refresh(): void {
    if (this.#atPrompt) this.#draw(this.#editor.refresh());
  }

  resized(): void {
    this.#full.resized();
    const screen = this.#editor.resize(this.#terminal.info().columns);
    if (this.#atPrompt) this.#draw(screen);
  }

  print(message: Text): void {
    const lines = `${shown(message).replaceAll(/\r?\n/g, "\r\n")}\r\n`;
    this.#draw(this.#atPrompt ? this.#editor.hide() + lines + this.#editor.show() : lines);
  }

  submit(line: string): void {
    if (this.#job !== undefined || !this.#atPrompt) return;
    this.#draw(this.#editor.clear());
    this.#take({ kind: "typed", bytes: utf8(`${line}\r`) });
  }

  #feed(bytes: Uint8Array): void {
    for (const input of this.#splitter.feed(bytes)) this.#take(input);
  }

  #take(input: Input): void {
    const job = this.#job;
    if (job === undefined) return this.#takeAtPrompt(input);
    if (this.#full.isTaken) return this.#full.take(input);
    if (input.kind !== "typed") return this.#input.feed(input);
    let from = 0;
    for (const [at, byte] of input.bytes.entries()) {
      const key = SIGNAL_KEYS.get(byte);
      if (key === undefined) continue;
      // As in a terminal, a signal drops the input before it.
      from = at + 1;
      this.#input.forget();
      // Through the screen, so that it knows that the prompt needs a new line.
      this.#screen.write(utf8(key.echo)).catch(() => {});
      this.#send(key.name, job);
    }
    this.#input.feed({ kind: "typed", bytes: input.bytes.subarray(from) });
  }

  #send(name: KeyboardSignal, job: Job): void {
    const isTaken = this.#shell.signal(name);
    if (name !== "INT") return;
    if (!isTaken || job.isInterrupted) job.stop.abort(new StarfishError("cancelled", "Cancelled by Ctrl-C"));
    job.isInterrupted = true;
  }

  #takeAtPrompt(input: Input): void {
    this.#completing?.abort(new StarfishError("cancelled", "Another key came"));
    this.#completing = undefined;
    if (input.kind === "typed") {
      this.#keys.feed(input.bytes);
      return this.#takeKeys();
    }
    const paste = this.#pastes.take(input);
    if (paste !== undefined) this.#insert(paste);
  }

  #insert(paste: Paste): void {
    const text = paste.text();
    const step = text === undefined ? undefined : this.#editor.key({ kind: "paste", text });
    if (step !== undefined && step.tooLong === undefined) return this.#draw(step.screen);
    const told =
      `What was pasted (${bytesWords(paste.length)}) is too long for a line, which takes up to ` +
      `${bytesWords(LINE_LENGTH_MAX)}: nothing of it was taken. 'put - NAME' takes text of any length, until Ctrl-D.`;
    this.print(wrapped(told, this.#terminal.info().columns));
  }

  /** Handles the waiting keys until a line begins to run; the rest is for that line. */
  #takeKeys(): void {
    while (this.#atPrompt && this.#completing === undefined) {
      const key = this.#keys.next();
      if (key === undefined) return;
      const { screen, event, asks } = this.#editor.key(key);
      this.#draw(screen);
      if (event !== undefined) this.#handle(event);
      if (asks !== undefined) this.#ask(asks);
    }
  }

  /** Keys that arrived together with a Tab wait for its answer. A key that comes later cancels the Tab. */
  #ask({ line, cursor }: { readonly line: string; readonly cursor: number }): void {
    const stop = new AbortController();
    this.#completing = stop;
    const answered = (screen: string): void => {
      if (this.#completing !== stop) return;
      this.#completing = undefined;
      this.#draw(screen);
      this.#takeKeys();
    };
    this.#shell.complete(line, cursor, { signal: stop.signal }).then(
      (found) => answered(this.#completing === stop ? this.#editor.completed(found) : ""),
      (error: unknown) => {
        answered("");
        if (!isStarfishError(error)) throw error;
      },
    );
  }

  #handle(event: EditorEvent): void {
    this.#atPrompt = false;
    if (event.kind === "line") return this.#finishLine(event.line);
    if (event.kind === "end" && this.#options.canEnd && this.#unfinished === "") return this.#end();
    this.#unfinished = "";
    this.#prompt();
  }

  #finishLine(line: string): void {
    const whole = this.#unfinished === "" ? line : `${this.#unfinished}\n${line}`;
    const incomplete = this.#shell.isIncomplete(whole);
    this.#unfinished = incomplete ? whole : "";
    if (incomplete || whole.trim() === "") return this.#prompt();
    this.#inForeground(async (io, signal) => {
      this.#status = await this.#shell.run(whole, io, { signal });
    });
  }

  /** Runs work that owns the keyboard meanwhile, then shows the prompt. */
  #inForeground(work: (io: Io, stop: AbortSignal) => Promise<void>): void {
    this.#runJob(work)
      .then(() => this.#betweenLines())
      .catch((error: unknown) => this.#draw(`\r\n${oneLine(String(error))}\r\n`))
      .then(() => {
        if (this.#shell.isOver && this.#options.canEnd) return this.#end();
        this.#prompt();
        this.#takeKeys();
        // One of these lines may begin to run; the rest of the input is for that job.
        for (const input of this.#leftOver.splice(0)) this.#take(input);
      }, unexpected);
  }

  async #runJob(work: (io: Io, stop: AbortSignal) => Promise<void>): Promise<void> {
    const job: Job = { stop: new AbortController(), isInterrupted: false };
    const terminal = this.#terminal;
    const info = {
      screen: this.#full,
      get stdout() {
        return terminal.info();
      },
      get stderr() {
        return terminal.info();
      },
    };
    const io = { stdin: this.#input.stdin, stdout: this.#screen, stderr: this.#screen, terminal: info };
    this.#job = job;
    try {
      await work(io, job.stop.signal);
      if (!this.#screen.atLineStart()) this.#draw("\r\n");
    } finally {
      this.#full.giveBack();
      this.#job = undefined;
      this.#leftOver = this.#input.finish();
    }
  }

  /** What bash does before a prompt: reports ended jobs, and expands the prompts. */
  async #betweenLines(): Promise<void> {
    const reports = this.#shell.takeReports();
    if (reports !== "") this.#draw(shown(reports).replaceAll("\n", "\r\n"));
    const [first, more] = [await this.#shell.prompt("PS1"), await this.#shell.prompt("PS2")];
    this.#prompts = { first: first && coloured(first), more: more && coloured(more) };
  }

  #prompt(): void {
    this.#atPrompt = true;
    const { first = this.#options.prompt(), more = CONTINUATION } = this.#prompts;
    this.#draw(this.#editor.start(shown(this.#unfinished === "" ? first : more)));
  }

  #draw(bytes: string): void {
    // A terminal that has gone ends the session through its input.
    if (bytes !== "") this.#full.write(utf8(bytes)).catch(() => {});
  }

  #end(): void {
    this.#over.resolve(undefined);
  }
}

function unexpected(error: unknown): never {
  throw error;
}

/** A prompt of the user's own. Its colours are kept; other control characters become visible. */
function coloured(prompt: string): Text {
  // eslint-disable-next-line no-control-regex
  const parts = prompt.split(/(\x1b\[[0-9;]*m)/);
  return joined(parts.map((part, i) => (i % 2 === 1 ? sequence(part) : part)));
}

interface Screen extends Output {
  /** Whether the last output ended its line. */
  atLineStart(): boolean;
}

/** A raw terminal needs CR before LF. It also knows whether the prompt would follow unfinished output. */
function crlf(output: Output): Screen {
  let last = 0x0a;
  return {
    atLineStart: () => last === 0x0a || last === 0x0d,
    write(bytes): Promise<void> {
      if (bytes.length === 0) return Promise.resolve();
      last = bytes.at(-1) ?? last;
      if (!bytes.includes(0x0a)) return output.write(bytes);
      return output.write(withReturns(bytes));
    },
  };
}

function withReturns(bytes: Uint8Array): Uint8Array {
  let newlines = 0;
  for (const byte of bytes) if (byte === 0x0a) newlines++;
  const result = new Uint8Array(bytes.length + newlines);
  let at = 0;
  let before = 0;
  for (const byte of bytes) {
    if (byte === 0x0a && before !== 0x0d) result[at++] = 0x0d;
    result[at++] = byte;
    before = byte;
  }
  return result.subarray(0, at);
}
