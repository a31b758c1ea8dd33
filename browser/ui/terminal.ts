/**
 * The terminal of the page: xterm.js as the shell's Terminal. It is there before anything else, follows the system's
 * light or dark theme, and loads its decoder of pictures when the first one arrives.
 */
import { FitAddon } from "@xterm/addon-fit";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { Terminal as Xterm, type ITheme } from "@xterm/xterm";
import { text, utf8 } from "../../core/base/bytes.ts";
import type { Terminal } from "../../core/shell/interactive.ts";
import { compose, sequence, type Text } from "../../core/shell/styled.ts";
import type { TerminalInfo } from "../../core/shell/types.ts";
import { PASTE_BEGIN, PASTE_END } from "../../core/shell/paste.ts";
import { allowXtermStyles } from "./xterm-styles.ts";
import { sharedWidths, WIDTHS_VERSION } from "./xterm-widths.ts";

/** Links in text of the page itself; a click types them for the person. */
const RUN = "starfish:run/";
/** The beginning of the iTerm2 inline image protocol. */
const PICTURE = "\x1b]1337;";
/** Bytes of keys that nobody has read yet. A larger paste is dropped as a whole. */
const INPUT_BYTES_MAX = 1024 * 1024;
/** What the picture decoder may keep, MB: about twenty screens. */
const PICTURES_MB_MAX = 64;

const dark = matchMedia("(prefers-color-scheme: dark)");

const DARK: ITheme = {
  background: "#0c111c",
  foreground: "#dce5f4",
  cursor: "#ff8f6b",
  cursorAccent: "#0c111c",
  selectionBackground: "#35507e",
  black: "#1a2335",
  red: "#ff7b72",
  green: "#7ee0a1",
  yellow: "#f5c36b",
  blue: "#82b4ff",
  magenta: "#d6a3ff",
  cyan: "#6fd6e0",
  white: "#c3cee2",
  brightBlack: "#8494b3",
  brightRed: "#ffa198",
  brightGreen: "#a5f0bf",
  brightYellow: "#ffdc97",
  brightBlue: "#adceff",
  brightMagenta: "#e6c8ff",
  brightCyan: "#a2ecf2",
  brightWhite: "#ffffff",
};

const LIGHT: ITheme = {
  background: "#fbfaf7",
  foreground: "#1d2534",
  cursor: "#b8401a",
  cursorAccent: "#fbfaf7",
  selectionBackground: "#cfdcf5",
  black: "#1d2534",
  red: "#b3261e",
  green: "#1a6b3a",
  yellow: "#7d5300",
  blue: "#1d4fb8",
  magenta: "#7b2fa8",
  cyan: "#0c6570",
  white: "#5d6779",
  brightBlack: "#566074",
  brightRed: "#c9372c",
  brightGreen: "#1f7a45",
  brightYellow: "#8f6000",
  brightBlue: "#2a61d1",
  brightMagenta: "#8e3fbd",
  brightCyan: "#107582",
  brightWhite: "#1d2534",
};

export class PageTerminal implements Terminal {
  readonly #xterm: Xterm;
  readonly #fit = new FitAddon();
  readonly #keys: Uint8Array[] = [];
  #keysBytes = 0;
  #keysWaiting: (() => void) | undefined;
  #pictures: Promise<void> | undefined;
  #written: Promise<void> = Promise.resolve();

  constructor(parent: HTMLElement) {
    allowXtermStyles(document);
    const family = getComputedStyle(document.documentElement).getPropertyValue("--mono").trim() || "monospace";
    this.#xterm = new Xterm({
      allowProposedApi: true,
      // A blinking one has the browser draw sixty frames a second: most of what an idle tab would cost.
      cursorBlink: false,
      cursorStyle: "bar",
      cursorWidth: 2,
      fontFamily: family,
      fontSize: fontSizeOf(family, parent.clientWidth < 480 ? 12.5 : 14),
      lineHeight: 1.15,
      minimumContrastRatio: 4.5,
      scrollback: 5000,
      theme: dark.matches ? DARK : LIGHT,
      linkHandler: { activate: (_event, uri) => this.#follow(uri), allowNonHttpProtocols: true },
    });
    this.#xterm.unicode.register(sharedWidths());
    this.#xterm.unicode.activeVersion = WIDTHS_VERSION;
    this.#xterm.loadAddon(this.#fit);
    this.#xterm.loadAddon(new WebLinksAddon((_event, uri) => open(uri, "_blank", "noopener,noreferrer")));
    this.#xterm.attachCustomKeyEventHandler((event) => this.#isForTerminal(event));
    this.#xterm.onData((data) => this.type(data));
    this.#xterm.onBinary((data) => this.type(data));
    this.#xterm.open(parent);
    // Before xterm.js sees it, because a mark in the text could end the paste there.
    parent.addEventListener("paste", (event) => this.#takePaste(event), { capture: true });
    this.#xterm.textarea?.setAttribute("aria-label", "Terminal. Shift+Tab leaves it, F6 goes to the swarm.");
    this.#fit.fit();
    new ResizeObserver(() => this.#fit.fit()).observe(parent);
    dark.addEventListener("change", () => (this.#xterm.options.theme = dark.matches ? DARK : LIGHT));
  }

  /** Called with the number of bytes when a paste was too large and was dropped. */
  onTooMuch: (bytes: number) => void = () => {};

  /** Called when a link of the page's own (`runLink`) was clicked. */
  onRun: (line: string) => void = () => {};

  readonly input: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({ next: async () => ({ done: false, value: await this.#nextKeys() }) }),
  };

  readonly output: Terminal["output"] = {
    write: (bytes) => {
      // One after the other, and only as fast as the screen takes them.
      this.#written = this.#written.then(() => this.#write(bytes));
      return this.#written;
    },
  };

  info(): TerminalInfo {
    const ground = dark.matches ? "dark" : "light";
    const isReadOut = this.#xterm.options.screenReaderMode === true;
    return { columns: this.#xterm.cols, rows: this.#xterm.rows, colours: true, pictures: "inline", ground, isReadOut };
  }

  onResize(listener: () => void): void {
    this.#xterm.onResize(listener);
  }

  /** As if the keyboard had sent it. */
  type(data: string): void {
    const bytes = utf8(data);
    if (this.#keysBytes + bytes.length > INPUT_BYTES_MAX) return this.onTooMuch(bytes.length);
    this.#keysBytes += bytes.length;
    this.#keys.push(bytes);
    this.#keysWaiting?.();
  }

  #takePaste(event: ClipboardEvent): void {
    event.preventDefault();
    event.stopImmediatePropagation();
    const pasted = event.clipboardData?.getData("text/plain") ?? "";
    if (pasted === "") return;
    const text = pasted.replaceAll(/\r?\n/g, "\r").replaceAll("\x1b", "");
    this.type(`${PASTE_BEGIN}${text}${PASTE_END}`);
    this.#xterm.scrollToBottom();
  }

  clear(): void {
    this.#xterm.clear();
  }

  focus(): void {
    this.#xterm.focus();
  }

  set screenReader(on: boolean) {
    this.#xterm.options.screenReaderMode = on;
  }

  async #nextKeys(): Promise<Uint8Array> {
    for (;;) {
      const keys = this.#keys.shift();
      if (keys !== undefined) {
        this.#keysBytes -= keys.length;
        return keys;
      }
      await new Promise<void>((resolve) => (this.#keysWaiting = resolve));
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (this.#pictures === undefined && text(bytes).includes(PICTURE)) this.#pictures = this.#loadPictures();
    await this.#pictures;
    await new Promise<void>((resolve) => this.#xterm.write(bytes, resolve));
  }

  async #loadPictures(): Promise<void> {
    const { ImageAddon } = await import("@xterm/addon-image");
    this.#xterm.loadAddon(new ImageAddon({ sixelSupport: false, storageLimit: PICTURES_MB_MAX }));
  }

  /**
   * Which keys the terminal gets. It does not get the keys that leave it (it uses Tab for completion), Ctrl-C over a
   * selection, which copies, and Ctrl-V, which pastes.
   */
  #isForTerminal(event: KeyboardEvent): boolean {
    if (event.key === "F6" || (event.key === "Tab" && event.shiftKey)) return false;
    const control = event.ctrlKey && !event.altKey && !event.metaKey;
    if (control && event.key.toLowerCase() === "v") return false;
    if (control && event.key.toLowerCase() === "c" && this.#xterm.hasSelection()) {
      if (event.type === "keydown") requestAnimationFrame(() => this.#xterm.clearSelection());
      return false;
    }
    return true;
  }

  #follow(uri: string): void {
    if (uri.startsWith(RUN)) {
      const line = decodeURIComponent(uri.slice(RUN.length));
      // If other output has a link like this, it can run only what the page itself offers.
      if (OFFERED.has(line)) this.onRun(line);
    } else if (/^https?:/.test(uri)) open(uri, "_blank", "noopener,noreferrer");
  }
}

/**
 * The font size near `wanted` at which letters are whole pixels wide, so that pictures drawn cell by cell have no
 * seams.
 */
function fontSizeOf(family: string, wanted: number): number {
  const context = document.createElement("canvas").getContext("2d");
  if (context === null) return wanted;
  const advance = (size: number): number => {
    context.font = `${size}px ${family}`;
    return context.measureText("W").width * devicePixelRatio;
  };
  const before = advance(wanted);
  const pixels = Math.round(before);
  if (before === pixels || pixels === 0) return wanted;
  // Widths grow with the size. Hinting may make them jump, and then the size before may fit better.
  const size = Math.round((wanted * pixels * 100) / before) / 100;
  return Math.abs(advance(size) - pixels) < Math.abs(before - pixels) ? size : wanted;
}

const OFFERED = new Set<string>();

/** Text that runs `line` when it is clicked (OSC 8); the terminal underlines it. */
export function runLink(line: string): Text {
  OFFERED.add(line);
  return compose`${sequence(`\x1b]8;;${RUN}${encodeURIComponent(line)}\x1b\\`)}${line}${sequence("\x1b]8;;\x1b\\")}`;
}
