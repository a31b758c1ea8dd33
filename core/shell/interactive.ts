/**
 * A session at a terminal: the editor at the prompt, the shell while a line runs, Ctrl-C for what is in the foreground.
 * Knows the terminal only as bytes in and bytes out, so the page's xterm and `starfish sh` share it.
 */
import { utf8 } from "../base/bytes.ts";
import { StarfishError } from "../base/errors.ts";
import { cookedInput, type CookedInput } from "./cooked.ts";
import { KeyDecoder } from "./editor-keys.ts";
import { Editor, type EditorEvent } from "./editor.ts";
import type { History } from "./history.ts";
import { parse, SyntaxFault } from "./parse.ts";
import type { Shell } from "./shell.ts";
import type { Output, TerminalInfo } from "./types.ts";

export interface Terminal {
  /** Keys as the terminal sends them in raw mode. */
  readonly input: AsyncIterable<Uint8Array>;
  readonly output: Output;
  /** As it is now. */
  info(): TerminalInfo;
}

export interface SessionOptions {
  /** Read anew for each line. */
  readonly prompt: () => string;
  readonly history?: History;
  /** Whether `exit` and Ctrl-D end the session; a page has nowhere to go. */
  readonly canEnd: boolean;
}

export interface Session {
  /** Until the person leaves, the input ends or the signal aborts; resolves to the last status. */
  run(options: { signal: AbortSignal }): Promise<number>;
  /** The terminal has another size. */
  resized(): void;
  /** Says something between the lines; at a prompt, above it. */
  print(text: string): void;
  /** Runs a line as if it had been typed, if nothing is running. */
  submit(line: string): void;
}

const CONTINUATION = "> ";
const CTRL_C = 0x03;

export function createSession(shell: Shell, terminal: Terminal, options: SessionOptions): Session {
  const keys = new KeyDecoder();
  const screen = crlf(terminal.output);
  const editor = new Editor({
    columns: terminal.info().columns,
    ...(options.history === undefined ? {} : { history: options.history }),
    complete: (line, cursor) => shell.complete(line, cursor),
  });
  /** What runs now; while it does, keys go to it. */
  let job: { readonly input: CookedInput; readonly stop: AbortController } | undefined;
  /** Lines of a command that is not complete yet. */
  let unfinished = "";
  let status = 0;
  let atPrompt = false;
  let ended: (() => void) | undefined;

  const draw = (bytes: string): void => {
    // The terminal takes what it gets; one that has gone ends the session through its input.
    if (bytes !== "") terminal.output.write(utf8(bytes)).catch(() => {});
  };
  const prompt = (): void => {
    atPrompt = true;
    draw(editor.start(unfinished === "" ? options.prompt() : CONTINUATION));
    drain();
  };

  const runJob = async (line: string): Promise<void> => {
    const stop = new AbortController();
    const input = cookedInput(screen);
    job = { input, stop };
    const info = {
      get stdout() {
        return terminal.info();
      },
      get stderr() {
        return terminal.info();
      },
    };
    try {
      status = await shell.run(
        line,
        { stdin: input.stdin, stdout: screen, stderr: screen, terminal: info },
        { signal: stop.signal },
      );
      if (!screen.atLineStart()) draw("\r\n");
    } finally {
      job = undefined;
      keys.feed(input.finish());
    }
  };

  const finish = (line: string): void => {
    const whole = unfinished === "" ? line : `${unfinished}\n${line}`;
    if (isIncomplete(whole)) {
      unfinished = whole;
      return prompt();
    }
    unfinished = "";
    if (options.canEnd && whole.trim() === "exit") return ended?.();
    if (whole.trim() === "") return prompt();
    runJob(whole).then(prompt, (error: unknown) => {
      draw(`\r\n${String(error)}\r\n`);
      prompt();
    });
  };

  const handle = (event: EditorEvent): void => {
    atPrompt = false;
    if (event.kind === "line") return finish(event.line);
    if (event.kind === "end" && options.canEnd && unfinished === "") return ended?.();
    unfinished = "";
    prompt();
  };

  /** Keys that are there, until a line begins to run. */
  const drain = (): void => {
    for (;;) {
      // Looked at anew after each key: Enter may have begun a job, to which the rest belongs.
      const key = job === undefined && atPrompt ? keys.next() : undefined;
      if (key === undefined) return;
      const step = editor.key(key);
      draw(step.screen);
      if (step.event !== undefined) handle(step.event);
    }
  };

  const feed = (bytes: Uint8Array): void => {
    if (job === undefined) {
      keys.feed(bytes);
      return drain();
    }
    const interrupt = bytes.lastIndexOf(CTRL_C);
    if (interrupt >= 0) {
      draw("^C");
      job.stop.abort(new StarfishError("cancelled", "Cancelled by Ctrl-C"));
    }
    // As a terminal does: an interrupt throws away what was typed before it.
    job.input.feed(bytes.subarray(interrupt + 1));
  };

  return {
    async run({ signal }): Promise<number> {
      const iterator = terminal.input[Symbol.asyncIterator]();
      const over = new Promise<undefined>((resolve) => {
        ended = () => resolve(undefined);
        signal.addEventListener("abort", () => resolve(undefined), { once: true });
        if (signal.aborted) resolve(undefined);
      });
      prompt();
      for (;;) {
        const result = await Promise.race([over, iterator.next()]);
        if (result === undefined || result.done === true) break;
        feed(result.value);
      }
      job?.stop.abort(new StarfishError("cancelled", "The terminal has gone"));
      await iterator.return?.();
      return status;
    },
    resized(): void {
      const { columns } = terminal.info();
      if (atPrompt) draw(editor.resize(columns));
      else editor.resize(columns);
    },
    print(message): void {
      const lines = message.replaceAll(/\r?\n/g, "\r\n");
      draw(atPrompt ? `${editor.hide()}${lines}\r\n${editor.show()}` : `${lines}\r\n`);
    },
    submit(line): void {
      if (job === undefined) feed(utf8(`\x15\x0b${line}\r`));
    },
  };
}

function isIncomplete(line: string): boolean {
  try {
    parse(line);
    return false;
  } catch (error) {
    return error instanceof SyntaxFault && error.incomplete;
  }
}

interface Screen extends Output {
  /** Whether what was written last ended its line. */
  atLineStart(): boolean;
}

/** A raw terminal needs CR before LF. Also knows whether the prompt would stand behind unfinished output. */
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
