/**
 * The keyboard of an interactive session: lines with the shell's own editor, and Ctrl-C for the statement that runs.
 * The lines stay on the screen between the answers.
 */
import { StarfishError } from "../../base/errors.ts";
import type { Completion } from "../completion/typing.ts";
import type { KeyName } from "../editor-keys.ts";
import { Editor } from "../editor.ts";
import { bytesWords } from "../format.ts";
import type { History } from "../history.ts";
import { LINE_LENGTH_MAX } from "../language/limits.ts";
import { sequence, shown, type Text } from "../styled.ts";
import { type FullScreen, isKey, type ScreenEvent } from "../terminal/full-screen.ts";
import type { TerminalInfo } from "../types.ts";

export interface KeyboardOptions {
  readonly open: () => FullScreen<KeyName>;
  readonly history: History;
  readonly isIncomplete: (text: string) => boolean;
  readonly complete: (line: string, cursor: number) => Promise<Completion>;
  /** Called for each key of a line. */
  readonly onKey: () => void;
  /** The prompt of each further row of a statement. */
  readonly more: string;
}

/** Keys that wait for the next line; more are dropped, as in a terminal's own queue. */
const HELD_MAX = 4_096;

export type Typed =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "interrupt" }
  | { readonly kind: "end" };

export class Keyboard {
  readonly #options: KeyboardOptions;
  readonly #editor: Editor;
  #screen: FullScreen<KeyName>;
  #next: Promise<ScreenEvent<KeyName>> | undefined;
  /** Keys that were typed while something ran. */
  readonly #held: ScreenEvent<KeyName>[] = [];
  #reopened = Promise.withResolvers<undefined>();

  constructor(options: KeyboardOptions) {
    this.#options = options;
    this.#screen = options.open();
    this.#editor = new Editor({
      columns: this.info.columns,
      history: options.history,
      isIncomplete: options.isIncomplete,
      more: options.more,
      hasGhosts: () => this.info.colours && this.info.isReadOut !== true,
    });
  }

  get info(): TerminalInfo {
    return this.#screen.info();
  }

  /** For a terminal, which needs CR before LF. */
  print(text: Text): Promise<void> {
    return this.#draw(shown(text).replaceAll("\n", "\r\n"));
  }

  /** Reads a line, or several lines that belong together. Rejects with "cancelled" when the command is to end. */
  async read(prompt: string): Promise<Typed> {
    this.#editor.resize(this.info.columns);
    await this.#draw(this.#editor.start(prompt));
    for (;;) {
      const event = this.#held.shift() ?? this.#taken(await this.#event());
      if (event.kind === "redraw") await this.#draw(this.#editor.resize(this.info.columns));
      else if (event.kind === "too-long") await this.#tooLong(event.length);
      else {
        this.#options.onKey();
        const { screen, event: typed, asks, tooLong } = this.#editor.key(event.key);
        await this.#draw(screen);
        if (tooLong !== undefined) await this.#tooLong(tooLong);
        if (asks !== undefined)
          await this.#draw(this.#editor.completed(await this.#options.complete(asks.line, asks.cursor)));
        if (typed !== undefined) return typed.kind === "line" ? { kind: "text", text: typed.line } : typed;
      }
    }
  }

  /** Runs work that Ctrl-C ends; other keys wait for the next line. */
  async during<Result>(work: (signal: AbortSignal) => Promise<Result>, outer: AbortSignal): Promise<Result> {
    const stop = new AbortController();
    const running = work(AbortSignal.any([outer, stop.signal]));
    const done = running.then(
      () => "done" as const,
      () => "done" as const,
    );
    for (;;) {
      const event = await Promise.race([done, this.#reopened.promise, this.#event()]);
      if (event === "done") return await running;
      if (event === undefined) continue;
      this.#taken(event);
      if (isKey(event, "interrupt")) stop.abort(new StarfishError("cancelled", "Cancelled by Ctrl-C"));
      else if (event.kind !== "redraw" && this.#held.length < HELD_MAX) this.#held.push(event);
    }
  }

  /** Gives the terminal to another program meanwhile. */
  async without(work: () => Promise<void>): Promise<void> {
    this.close();
    try {
      await work();
    } finally {
      this.#screen = this.#options.open();
      this.#next = undefined;
      this.#reopened.resolve(undefined);
      this.#reopened = Promise.withResolvers<undefined>();
    }
  }

  close(): void {
    this.#screen.close();
  }

  /**
   * The next event. It stays the next one until it is taken, because its waiter may have gone on for another reason.
   */
  #event(): Promise<ScreenEvent<KeyName>> {
    return (this.#next ??= this.#screen.next());
  }

  #taken(event: ScreenEvent<KeyName>): ScreenEvent<KeyName> {
    this.#next = undefined;
    return event;
  }

  async #tooLong(length: number): Promise<void> {
    const told = `What was pasted (${bytesWords(length)}) is too long for a line, which takes up to ${bytesWords(LINE_LENGTH_MAX)}: 'sql -f FILE' takes any length.\n`;
    await this.#draw(this.#editor.hide());
    await this.print(told);
    await this.#draw(this.#editor.show());
  }

  async #draw(bytes: string): Promise<void> {
    if (bytes !== "") await this.#screen.draw(sequence(bytes));
  }
}
