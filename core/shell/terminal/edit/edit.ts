/** The program behind `edit`: keys in, screens out. */
import { isStarfishError } from "../../../base/errors.ts";
import { oneLine } from "../../harmless.ts";
import { decodeText, encodeText } from "../../language/bytes.ts";
import { reasonOf } from "../../language/redirect.ts";
import { compose, type Text } from "../../styled.ts";
import type { CommandContext } from "../../types.ts";
import { cut, graphemes, widthOf } from "../../width.ts";
import type { FullScreen, ScreenEvent } from "../full-screen.ts";
import { inverse, screenOf, visibleText, windowOf } from "../rows.ts";
import type { ScreenKeyName } from "../screen-keys.ts";
import { Document } from "./document.ts";

const KEYS = "Ctrl-S save  Ctrl-F find  Ctrl-_ undo  Ctrl-Q quit";

/** `bytes`: the content of the file; undefined for a new file. */
export async function runEdit(
  context: CommandContext,
  screen: FullScreen,
  path: string,
  bytes: Uint8Array | undefined,
): Promise<number> {
  await new Edit(context, screen, path, bytes).run();
  return 0;
}

class Edit {
  readonly #context: CommandContext;
  readonly #screen: FullScreen;
  readonly #path: string;
  readonly #document: Document;
  /** Whether lines end with CR and LF, which is kept. */
  readonly #hasReturns: boolean;
  #message: string;
  #top = 0;
  #left = 0;
  /** The column, in cells, that moving up and down keeps to. */
  #wanted: number | undefined;
  #cut: string | undefined;
  #lastFound = "";

  constructor(context: CommandContext, screen: FullScreen, path: string, bytes: Uint8Array | undefined) {
    this.#context = context;
    this.#screen = screen;
    this.#path = path;
    const text = bytes === undefined ? "" : decodeText(bytes);
    this.#hasReturns = text.includes("\r\n") && !/(?<!\r)\n/.test(text);
    this.#document = new Document(this.#hasReturns ? text.replaceAll("\r\n", "\n") : text);
    this.#message = bytes === undefined ? `new file  ${KEYS}` : KEYS;
  }

  async run(): Promise<void> {
    for (;;) {
      await this.#show();
      if (await this.#handle(await this.#screen.next())) return;
    }
  }

  /** Returns whether the program ends. */
  async #handle(event: ScreenEvent): Promise<boolean> {
    if (event.kind === "too-long") this.#message = `what was pasted (${event.length} bytes) is too long`;
    if (event.kind !== "key") return false;
    this.#message = KEYS;
    const { key } = event;
    if (key.kind === "named") {
      if (key.name === "quit") return await this.#quit();
      await this.#named(key.name);
    } else {
      this.#wanted = undefined;
      this.#document.insert(key.text.replaceAll(/\r\n?/g, "\n"));
    }
    return false;
  }

  async #named(name: ScreenKeyName): Promise<void> {
    const document = this.#document;
    const { line } = document.spot;
    const page = Math.max(1, this.#height - 1);
    if (!["up", "down", "page-up", "page-down"].includes(name)) this.#wanted = undefined;
    const acts: Partial<Record<ScreenKeyName, () => void | Promise<void>>> = {
      enter: () => document.insert("\n"),
      tab: () => document.insert("\t"),
      backspace: () => document.backspace(),
      delete: () => document.delete(),
      "half-down": () => document.delete(),
      left: () => document.left(),
      right: () => document.right(),
      up: () => this.#vertical(-1),
      down: () => this.#vertical(1),
      "page-up": () => this.#vertical(-page),
      "page-down": () => this.#vertical(page),
      home: () => document.move(line, 0),
      end: () => document.move(line, Number.MAX_SAFE_INTEGER),
      "word-left": () => this.#word(-1),
      "word-right": () => this.#word(1),
      "document-start": () => document.move(0, 0),
      "document-end": () => document.move(document.lines.length - 1, Number.MAX_SAFE_INTEGER),
      "cut-line": () => void (this.#cut = document.cutLine()),
      "half-up": () => this.#paste(),
      undo: () => this.#say(document.undo(), "nothing to undo"),
      redo: () => this.#say(document.redo(), "nothing to do again"),
      save: () => this.#save(),
      search: () => this.#find(),
      interrupt: () => void (this.#message = "Ctrl-Q quits"),
    };
    await acts[name]?.();
  }

  #say(isDone: boolean, otherwise: string): void {
    if (!isDone) this.#message = otherwise;
  }

  #paste(): void {
    if (this.#cut !== undefined) this.#document.insert(`${this.#cut}\n`);
  }

  #vertical(lines: number): void {
    const document = this.#document;
    const { line, column } = document.spot;
    const before = graphemes(document.lineAt(line)).slice(0, column).join("");
    this.#wanted ??= widthOf(visibleText(before));
    const to = Math.max(0, Math.min(document.lines.length - 1, line + lines));
    const typed = graphemes(document.lineAt(to));
    let at = 0;
    while (at < typed.length && widthOf(visibleText(typed.slice(0, at + 1).join(""))) <= this.#wanted) at++;
    document.move(to, at);
  }

  #word(direction: -1 | 1): void {
    const document = this.#document;
    const isWord = (at: number): boolean =>
      /[\p{L}\p{N}_]/u.test(graphemes(document.lineAt(document.spot.line))[at] ?? "");
    const step = (): void => (direction < 0 ? document.left() : document.right());
    const at = (): number => document.spot.column + (direction < 0 ? -1 : 0);
    const { line } = document.spot;
    step();
    while (
      document.spot.line === line &&
      document.spot.column > 0 &&
      document.spot.column < document.lengthOfLine &&
      isWord(at())
    )
      step();
  }

  async #save(): Promise<void> {
    const text = this.#hasReturns ? this.#document.text.replaceAll("\n", "\r\n") : this.#document.text;
    const bytes = encodeText(text);
    try {
      await this.#context.names.write(this.#path, oneBlock(bytes), { signal: this.#context.signal });
      this.#document.saved();
      this.#message = `saved, ${bytes.length} bytes`;
    } catch (error) {
      if (!isStarfishError(error) || this.#context.signal.aborted) throw error;
      this.#message = `not saved: ${reasonOf(error)}`;
    }
  }

  /** Asks for a text in the last row; undefined if the person cancelled. */
  async #ask(question: string, initial = ""): Promise<string | undefined> {
    let text = initial;
    for (;;) {
      this.#message = `${question}${oneLine(text)}`;
      await this.#show(widthOf(this.#message));
      const event = await this.#screen.next();
      if (event.kind !== "key") continue;
      const { key } = event;
      if (key.kind !== "named") text += oneLine(key.text);
      else if (key.name === "enter") return text;
      else if (key.name === "backspace") text = graphemes(text).slice(0, -1).join("");
      else if (["escape", "interrupt", "cancel", "quit"].includes(key.name)) return undefined;
    }
  }

  async #find(): Promise<void> {
    const text = await this.#ask(this.#lastFound === "" ? "find: " : `find (Enter: ${oneLine(this.#lastFound)}): `);
    this.#message = KEYS;
    if (text === undefined) return;
    if (text !== "") this.#lastFound = text;
    this.#say(this.#document.find(this.#lastFound), `there is no '${oneLine(this.#lastFound)}'`);
  }

  async #quit(): Promise<boolean> {
    if (!this.#document.isChanged) return true;
    for (;;) {
      const answer = await this.#ask("save what was changed? (y: save, n: lose it, Esc: go on) ");
      if (answer === undefined) {
        this.#message = KEYS;
        return false;
      }
      if (/^n/i.test(answer)) return true;
      if (!/^y/i.test(answer)) continue;
      await this.#save();
      return !this.#document.isChanged;
    }
  }

  /** Rows for text. One row above names the file, one below says what can be done. */
  get #height(): number {
    return Math.max(1, this.#screen.info().rows - 2);
  }

  async #show(question?: number): Promise<void> {
    const { columns } = this.#screen.info();
    const document = this.#document;
    const { line, column } = document.spot;
    const height = this.#height;
    this.#top = Math.max(Math.min(this.#top, line), line - height + 1);
    const typed = graphemes(document.lineAt(line));
    const cell = widthOf(visibleText(typed.slice(0, column).join("")));
    if (cell < this.#left) this.#left = Math.max(0, cell - Math.floor(columns / 2));
    else if (cell > this.#left + columns - 1) this.#left = cell - Math.floor(columns / 2);
    const rows: Text[] = [this.#title(columns)];
    for (let row = 0; row < height; row++) {
      const content = document.lines[this.#top + row];
      rows.push(content === undefined ? "~" : windowOf(visibleText(content), this.#left, columns));
    }
    const status = cut(this.#message, Math.max(1, columns - 1));
    rows.push(question === undefined ? inverse(status) : status);
    const cursor =
      question === undefined
        ? { row: 1 + line - this.#top, column: cell - this.#left }
        : { row: height + 1, column: Math.min(question, columns - 1) };
    await this.#screen.draw(screenOf(rows, cursor));
  }

  #title(columns: number): Text {
    const { line, column } = this.#document.spot;
    const state = this.#document.isChanged ? " (changed)" : "";
    const words = `${oneLine(this.#path)}${state}  line ${line + 1} of ${this.#document.lines.length}, column ${column + 1}`;
    const title = cut(words, Math.max(1, columns - 1));
    return compose`${inverse(title)}`;
  }
}

async function* oneBlock(bytes: Uint8Array<ArrayBuffer>): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  yield await Promise.resolve(bytes);
}
