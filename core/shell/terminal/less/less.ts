/** The program behind `less`: keys in, screens out. */
import { StarfishError } from "../../../base/errors.ts";
import { abortable, sleep } from "../../../ports/clock.ts";
import type { Key } from "../../editor-keys.ts";
import { oneLine } from "../../harmless.ts";
import type { Options } from "../../getopt.ts";
import type { CommandContext } from "../../types.ts";
import { graphemes, widthOf } from "../../width.ts";
import { isKey, type FullScreen, type ScreenEvent } from "../full-screen.ts";
import type { ScreenKeyName } from "../screen-keys.ts";
import { Pages, type Source } from "./pages.ts";
import { View } from "./view.ts";

/** How often a followed file is checked, if its tree does not tell of changes. */
const FOLLOW_MS = 1_000;

const HELP = `q  leave                          h  this text (q goes back)
space f PgDn  a screen down       b PgUp  a screen up
enter j down  a row down          k up    a row up
d u  half a screen down or up     left right  sideways, where lines are cut (-S)
g G  first or last line (5g: line 5)   50%  half of it
/TEXT  look for TEXT (a pattern), forward      ?TEXT  backward
n N  the next match, or the one before
F  wait for more, until Ctrl-C    :n :p  the next file, the one before
-S -N -i then Enter: cut long lines, number lines, ignore case`;

export interface LessInput {
  readonly name: string;
  readonly source: Source;
}

export async function runLess(
  context: CommandContext,
  screen: FullScreen,
  inputs: readonly LessInput[],
  options: Options,
): Promise<number> {
  for (let at = 0; at >= 0;) {
    const input = inputs[at];
    if (input === undefined) break;
    const less = new Less(context, screen, input, options);
    const next = await less.run();
    if (next === "quit") break;
    at = Math.max(0, Math.min(inputs.length - 1, at + (next === "next" ? 1 : -1)));
  }
  return 0;
}

type Leave = "quit" | "next" | "before";

class Less {
  readonly #context: CommandContext;
  readonly #screen: FullScreen;
  readonly #name: string;
  readonly #pages: Pages;
  readonly #view: View;
  #message: string | undefined;
  /** The number that is typed before a key. */
  #count = "";
  #isForward = true;
  #ignoresCase: boolean;
  #waiting: Promise<ScreenEvent> | undefined;
  #hasEvent = false;
  /** Letters that have arrived and are not used yet. */
  readonly #typed: string[] = [];

  constructor(context: CommandContext, screen: FullScreen, { name, source }: LessInput, options: Options) {
    this.#context = context;
    this.#screen = screen;
    this.#name = oneLine(name);
    this.#pages = new Pages(source, context.computer.clock);
    this.#view = new View(this.#pages, screen.info(), { isChopped: options.has("S"), hasNumbers: options.has("N") });
    this.#ignoresCase = options.has("i");
  }

  async run(): Promise<Leave> {
    try {
      for (;;) {
        await this.#show();
        const leave = await this.#handle(await this.#next());
        if (leave !== undefined) return leave;
      }
    } finally {
      await this.#pages.close();
    }
  }

  /** An event that was waited for and did not come yet is the next one. */
  #next(): Promise<ScreenEvent> {
    this.#hasEvent = false;
    const typed = this.#typed.shift();
    if (typed !== undefined) return Promise.resolve({ kind: "key", key: { kind: "text", text: typed } });
    const next = this.#waiting ?? this.#screen.next();
    this.#waiting = undefined;
    return next;
  }

  /** Resolves when there is an event, which `#next` then takes. */
  #event(): Promise<undefined> {
    if (this.#typed.length > 0) {
      this.#hasEvent = true;
      return Promise.resolve(undefined);
    }
    this.#waiting ??= this.#screen.next();
    const arrived = (): undefined => {
      this.#hasEvent = true;
    };
    // Its error shows where it is taken.
    return this.#waiting.then(arrived, arrived);
  }

  async #show(): Promise<void> {
    this.#view.resize(this.#screen.info());
    if (this.#pages.count <= this.#view.top) await this.#screen.draw(await this.#view.frame("…"));
    await this.#ensure(0);
    // Twice, because the last row depends on what the rows above show.
    await this.#view.frame("");
    await this.#screen.draw(await this.#view.frame(this.#view.status(this.#name, this.#message)));
  }

  async #handle(event: ScreenEvent): Promise<Leave | undefined> {
    if (event.kind !== "key") return undefined;
    this.#message = undefined;
    const { key } = event;
    if (key.kind === "named") {
      await this.#named(key.name);
      return undefined;
    }
    // Letters that arrive together count as typed one after the other; those after a slash are searched for.
    const [first = "", ...rest] = graphemes(key.text);
    this.#typed.unshift(...rest);
    return await this.#letter(first);
  }

  async #named(name: ScreenKeyName): Promise<void> {
    const view = this.#view;
    const count = this.#takeCount();
    const moves: Partial<Record<ScreenKeyName, () => Promise<void>>> = {
      enter: () => this.#down(count ?? 1),
      down: () => this.#down(count ?? 1),
      up: () => view.up(count ?? 1),
      "page-down": () => this.#down(view.height),
      search: () => this.#down(view.height),
      "page-up": () => view.up(view.height),
      "half-down": () => this.#down(Math.ceil(view.height / 2)),
      "half-up": () => view.up(Math.ceil(view.height / 2)),
      home: () => this.#goTo(0),
      "document-start": () => this.#goTo(0),
      end: () => this.#toEnd(),
      "document-end": () => this.#toEnd(),
      left: () => this.#sideways(-1),
      right: () => this.#sideways(1),
    };
    await moves[name]?.();
  }

  async #letter(letter: string): Promise<Leave | undefined> {
    const view = this.#view;
    if (/\d/.test(letter)) {
      this.#count = (this.#count + letter).slice(0, 15);
      this.#message = `:${this.#count}`;
      return undefined;
    }
    const count = this.#takeCount();
    switch (letter) {
      case "q":
      case "Q":
        return "quit";
      case " ":
      case "f":
        await this.#down(count ?? view.height);
        break;
      case "b":
        await view.up(count ?? view.height);
        break;
      case "d":
        await this.#down(count ?? Math.ceil(view.height / 2));
        break;
      case "u":
        await view.up(count ?? Math.ceil(view.height / 2));
        break;
      case "j":
      case "e":
        await this.#down(count ?? 1);
        break;
      case "k":
      case "y":
        await view.up(count ?? 1);
        break;
      case "g":
      case "<":
        await this.#goTo((count ?? 1) - 1);
        break;
      case "G":
      case ">":
        if (count === undefined) await this.#toEnd();
        else await this.#goTo(count - 1);
        break;
      case "%":
        await this.#toShare(count ?? 0);
        break;
      case "/":
      case "?":
        await this.#startSearch(letter);
        break;
      case "n":
        await this.#search(this.#isForward, count ?? 1);
        break;
      case "N":
        await this.#search(!this.#isForward, count ?? 1);
        break;
      case "F":
        await this.#follow();
        break;
      case "h":
        await this.#help();
        break;
      case ":":
        return await this.#colon();
      case "-":
        await this.#toggle();
        break;
      case "=":
        this.#message = `${this.#name} line ${view.top + 1} of ${this.#pages.count}, ${this.#pages.bytes} bytes read`;
        break;
      default:
        break;
    }
    return undefined;
  }

  #takeCount(): number | undefined {
    const count = this.#count === "" ? undefined : Number(this.#count);
    this.#count = "";
    return count;
  }

  async #sideways(direction: -1 | 1): Promise<void> {
    if (!this.#view.options.isChopped) return;
    this.#view.left = Math.max(0, this.#view.left + direction * Math.ceil(this.#view.width / 2));
  }

  /** Reads on while that is wanted; a key ends it. Resolves to whether no key came. */
  async #readWhile(isWanted: () => boolean): Promise<boolean> {
    while (isWanted() && !this.#pages.isEnd) {
      await Promise.race([this.#pages.more(), this.#event()]);
      if (this.#hasEvent) return false;
    }
    return true;
  }

  /** Reads lines until that many rows below the screen are known. */
  async #ensure(rows: number): Promise<void> {
    const wanted = this.#view.top + this.#view.height + rows + 1;
    await this.#readWhile(() => this.#pages.count <= wanted);
  }

  async #down(rows: number): Promise<void> {
    await this.#ensure(rows);
    await this.#view.down(rows);
  }

  async #goTo(number: number): Promise<void> {
    await this.#readWhile(() => this.#pages.count <= number + this.#view.height);
    await this.#view.goTo(number);
  }

  async #toEnd(): Promise<void> {
    await this.#screen.draw(await this.#view.frame(this.#view.status(this.#name, "reading to the end; Ctrl-C stops")));
    await this.#readWhile(() => true);
    await this.#view.toEnd();
  }

  async #toShare(percent: number): Promise<void> {
    await this.#readWhile(() => true);
    await this.#goTo(Math.floor((Math.min(100, percent) / 100) * Math.max(0, this.#pages.count - 1)));
  }

  async #startSearch(letter: "/" | "?"): Promise<void> {
    const text = await this.#ask(letter);
    if (text === undefined) return;
    this.#isForward = letter === "/";
    if (text !== "") {
      try {
        this.#view.pattern = new RegExp(text, this.#ignoresCase ? "giu" : "gu");
      } catch {
        this.#message = `${text} is no pattern`;
        return;
      }
    }
    await this.#search(this.#isForward, 1);
  }

  async #search(isForward: boolean, count: number): Promise<void> {
    const { pattern } = this.#view;
    if (pattern === undefined) {
      this.#message = "nothing was looked for yet";
      return;
    }
    let found = this.#view.top;
    for (let i = 0; i < count; i++) {
      const next = await this.#find(pattern, found, isForward ? 1 : -1);
      if (next === undefined) {
        this.#message ??= "pattern not found";
        return;
      }
      found = next;
    }
    await this.#goTo(found);
  }

  async #find(pattern: RegExp, from: number, step: 1 | -1): Promise<number | undefined> {
    for (let number = from + step; number >= this.#pages.lost; number += step) {
      const isThere = await this.#readWhile(() => this.#pages.count <= number);
      if (!isThere || this.#hasEvent) {
        this.#message = "stopped";
        return undefined;
      }
      const line = await this.#pages.line(number);
      if (line === undefined) return undefined;
      pattern.lastIndex = 0;
      if (pattern.test(line)) return number;
      // Lines in memory come without a pause in which other work, or keys, could be handled.
      if (number % 1024 === 0) await Promise.race([this.#event(), sleep(this.#context.computer.clock, 0)]);
    }
    return undefined;
  }

  /** A text that is typed in the last row; undefined if the person cancelled. */
  async #ask(prompt: string): Promise<string | undefined> {
    let text = "";
    for (;;) {
      const row = `${prompt}${oneLine(text)}`;
      await this.#screen.draw(await this.#view.frame(row, widthOf(row)));
      const event = await this.#next();
      if (event.kind !== "key") {
        this.#view.resize(this.#screen.info());
        continue;
      }
      const { key } = event;
      if (key.kind !== "named") text += oneLine(key.text);
      else if (key.name === "enter") return text;
      else if (key.name === "backspace" && text !== "") text = graphemes(text).slice(0, -1).join("");
      else if (isGivingUp(key)) return undefined;
    }
  }

  async #toggle(): Promise<void> {
    const { options } = this.#view;
    const letter = await this.#ask("-");
    if (letter === "S") options.isChopped = !options.isChopped;
    else if (letter === "N") options.hasNumbers = !options.hasNumbers;
    else if (letter === "i") this.#ignoresCase = !this.#ignoresCase;
    else if (letter !== undefined) this.#message = `there is no option -${letter}`;
    this.#view.left = 0;
    this.#view.skip = 0;
  }

  async #colon(): Promise<Leave | undefined> {
    const word = await this.#ask(":");
    if (word === "n") return "next";
    if (word === "p") return "before";
    return word === "q" ? "quit" : undefined;
  }

  async #follow(): Promise<void> {
    for (;;) {
      await this.#readWhile(() => true);
      await this.#view.toEnd();
      this.#message = "waiting for more; Ctrl-C stops";
      await this.#show();
      const stop = new AbortController();
      const pause = sleep(this.#context.computer.clock, FOLLOW_MS, { signal: stop.signal }).catch(() => {});
      await abortable(this.#context.signal, Promise.race([this.#event(), pause]));
      stop.abort(new StarfishError("cancelled", "A key came"));
      if (this.#hasEvent && (await this.#next()).kind === "key") break;
      this.#pages.goOn();
    }
    this.#message = undefined;
  }

  async #help(): Promise<void> {
    const bytes = new TextEncoder().encode(HELP);
    const pages = new Pages({ isSeekable: false, read: () => oneBlock(bytes) }, this.#context.computer.clock);
    while (!pages.isEnd) await pages.more();
    const view = new View(pages, this.#screen.info(), { isChopped: false, hasNumbers: false });
    for (;;) {
      view.resize(this.#screen.info());
      await this.#screen.draw(await view.frame(view.status("help", undefined)));
      const event = await this.#next();
      if (isKey(event, "down") || isKey(event, "enter")) await view.down(1);
      else if (isKey(event, "up")) await view.up(1);
      else if (event.kind === "key") return;
    }
  }
}

function isGivingUp(key: Key<ScreenKeyName>): boolean {
  return key.kind === "named" && ["escape", "interrupt", "cancel", "backspace"].includes(key.name);
}

async function* oneBlock(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield await Promise.resolve(bytes);
}
