/**
 * Gives the whole screen and every key to one program at a time (`less`, `edit`, `watch`). The session owns the screen:
 * however the program ends, the terminal is restored.
 */
import { utf8 } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { abortable } from "../../ports/clock.ts";
import { KeyDecoder, type Key, type KeyName } from "../editor-keys.ts";
import { type Input, PasteInput } from "../paste.ts";
import { shown, type Text } from "../styled.ts";
import type { Output, TerminalInfo } from "../types.ts";
import { SCREEN_KEYS, type ScreenKeyName } from "./screen-keys.ts";

export type ScreenEvent<Name extends string = ScreenKeyName> =
  | { readonly kind: "key"; readonly key: Key<Name> }
  /** Everything has to be drawn again: the size has changed, or the program goes on after Ctrl-Z. */
  | { readonly kind: "redraw" }
  /** A paste that is too large. */
  | { readonly kind: "too-long"; readonly length: number };

export interface FullScreen<Name extends string = ScreenKeyName> {
  info(): TerminalInfo;
  /** The next event. Rejects with "cancelled" when the program is to end. */
  next(): Promise<ScreenEvent<Name>>;
  /** Whether an event waits. */
  readonly hasNext: boolean;
  draw(text: Text): Promise<void>;
  close(): void;
}

/** What the session has to know about the program that asks for the screen. */
export interface ScreenUser {
  readonly signal: AbortSignal;
  /** Whether the keyboard belongs to this program: not after `&` or `bg`. */
  isForeground(): boolean;
  /** Resolves when the program goes on; undefined if it has not been stopped. */
  turn(): Promise<void> | undefined;
  stop(): void;
}

export interface ScreenSource {
  /** Throws "unsupported" if another program has the screen, or this one runs in the background. */
  open(user: ScreenUser): FullScreen;
  /** Every key, with the names of a line editor. What is drawn stays, below what was printed before. */
  openLines(user: ScreenUser): FullScreen<KeyName>;
}

interface Manner {
  /** What is sent to the terminal when the program gets it, and when it gives it back. */
  readonly enter: string;
  readonly leave: string;
}

/** When it leaves the alternate screen, it shows the cursor and resets colours. */
const WHOLE: Manner = { enter: "\x1b[?1049h\x1b[2J\x1b[H", leave: "\x1b[?1049l\x1b[?25h\x1b[m" };
const IN_LINES: Manner = { enter: "", leave: "\x1b[?25h\x1b[m" };
/** Keys that wait to be taken. */
const EVENTS_MAX = 4_096;
/** Bytes of others' output that are held meanwhile and shown afterwards. */
const HELD_BYTES_MAX: number = 64 * 1024;

export interface ScreenHost {
  readonly output: Output;
  info(): TerminalInfo;
  /** Sends a signal of the keyboard to the foreground job. */
  signal(name: "INT" | "TSTP"): void;
  /** Takes what was typed before the program had the keyboard. */
  typedAhead(): readonly Input[];
}

export class ScreenOwner implements ScreenSource {
  readonly #host: ScreenHost;
  #current: Pick<Program<never>, "isShown" | "take" | "push" | "hide"> | undefined;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #waiting: (() => void)[] = [];

  constructor(host: ScreenHost) {
    this.#host = host;
  }

  /** Whether a program has the keyboard now. */
  get isTaken(): boolean {
    return this.#current?.isShown === true;
  }

  open(user: ScreenUser): FullScreen {
    return this.#open(user, new KeyDecoder(SCREEN_KEYS), WHOLE);
  }

  openLines(user: ScreenUser): FullScreen<KeyName> {
    return this.#open(user, KeyDecoder.forLines(), IN_LINES);
  }

  #open<Name extends string>(user: ScreenUser, keys: KeyDecoder<Name>, manner: Manner): FullScreen<Name> {
    if (!user.isForeground())
      throw new StarfishError("unsupported", "it runs in the background, and has no keyboard there");
    if (this.isTaken) throw new StarfishError("unsupported", "another program has the screen");
    const program = new Program(user, this.#host, keys, manner, {
      shown: (shown) => {
        if (shown) this.#current = program;
        else if (this.#current === program) this.#current = undefined;
        if (!shown) this.#release();
      },
      isTaken: () => this.isTaken,
    });
    program.show();
    for (const input of this.#host.typedAhead()) program.take(input);
    return program;
  }

  take(input: Input): void {
    this.#current?.take(input);
  }

  resized(): void {
    this.#current?.push({ kind: "redraw" });
  }

  /** The line has ended, or its job has stopped: the session takes the screen back. */
  giveBack(): void {
    this.#current?.hide();
  }

  /** Passes output on; while a program has the screen, the output waits. */
  async write(bytes: Uint8Array): Promise<void> {
    while (this.isTaken && this.#heldBytes + bytes.length > HELD_BYTES_MAX)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (!this.isTaken) return await this.#host.output.write(bytes);
    this.#held.push(bytes.slice());
    this.#heldBytes += bytes.length;
  }

  #release(): void {
    for (const bytes of this.#held.splice(0)) this.#host.output.write(bytes).catch(() => {});
    this.#heldBytes = 0;
    for (const resume of this.#waiting.splice(0)) resume();
  }
}

interface Ownership {
  shown(isShown: boolean): void;
  isTaken(): boolean;
}

class Program<Name extends string> implements FullScreen<Name> {
  readonly #user: ScreenUser;
  readonly #host: ScreenHost;
  readonly #ownership: Ownership;
  readonly #keys: KeyDecoder<Name>;
  readonly #manner: Manner;
  readonly #events: ScreenEvent<Name>[] = [];
  readonly #pastes = new PasteInput();
  #arrived: (() => void) | undefined;
  #isClosed = false;
  isShown = false;

  constructor(user: ScreenUser, host: ScreenHost, keys: KeyDecoder<Name>, manner: Manner, ownership: Ownership) {
    this.#user = user;
    this.#host = host;
    this.#keys = keys;
    this.#manner = manner;
    this.#ownership = ownership;
  }

  info(): TerminalInfo {
    return this.#host.info();
  }

  get hasNext(): boolean {
    return this.#events.length > 0;
  }

  async next(): Promise<ScreenEvent<Name>> {
    const { signal } = this.#user;
    for (;;) {
      signal.throwIfAborted();
      await this.#comeBack();
      const event = this.#events.shift();
      if (event !== undefined) return event;
      await abortable(signal, new Promise<void>((resolve) => (this.#arrived = resolve)));
    }
  }

  async draw(text: Text): Promise<void> {
    await this.#comeBack();
    this.#user.signal.throwIfAborted();
    await this.#host.output.write(utf8(shown(text)));
  }

  close(): void {
    this.#isClosed = true;
    this.hide();
  }

  show(): void {
    if (this.isShown || this.#isClosed) return;
    this.isShown = true;
    this.#ownership.shown(true);
    this.#host.output.write(utf8(this.#manner.enter)).catch(() => {});
  }

  hide(): void {
    if (!this.isShown) return;
    this.isShown = false;
    this.#host.output.write(utf8(this.#manner.leave)).catch(() => {});
    this.#ownership.shown(false);
    this.#arrived?.();
  }

  /**
   * Waits while the program is stopped, then takes the screen again. In the background the program stops again, as with
   * SIGTTOU.
   */
  async #comeBack(): Promise<void> {
    while (!this.isShown && !this.#isClosed) {
      const turn = this.#user.turn();
      if (turn !== undefined) await abortable(this.#user.signal, turn);
      else if (this.#user.isForeground() && !this.#ownership.isTaken()) {
        this.show();
        this.push({ kind: "redraw" });
      } else this.#user.stop();
    }
  }

  push(event: ScreenEvent<Name>): void {
    if (this.#events.length < EVENTS_MAX) this.#events.push(event);
    this.#arrived?.();
  }

  take(input: Input): void {
    if (input.kind === "typed") {
      this.#keys.feed(input.bytes);
      for (let key = this.#keys.next(); key !== undefined; key = this.#keys.next()) this.#take(key);
      return;
    }
    const paste = this.#pastes.take(input);
    if (paste === undefined) return;
    const text = paste.text();
    if (text === undefined) this.push({ kind: "too-long", length: paste.length });
    else this.push({ kind: "key", key: { kind: "paste", text } });
  }

  #take(key: Key<Name>): void {
    if (key.kind === "named" && key.name === "suspend") {
      this.hide();
      return this.#host.signal("TSTP");
    }
    // A second Ctrl-C ends a program that does not react to the first.
    const isInterrupt = key.kind === "named" && key.name === "interrupt";
    if (isInterrupt && this.#events.some((event) => isKey(event, "interrupt"))) return this.#host.signal("INT");
    this.push({ kind: "key", key });
  }
}

export function isKey<Name extends string>(event: ScreenEvent<Name>, name: Name | "interrupt"): boolean {
  return event.kind === "key" && event.key.kind === "named" && event.key.name === name;
}
