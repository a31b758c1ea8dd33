/**
 * The page before there is a node: terminal, prompt and places. It needs only the document, so it is drawn at once.
 * computer-views.ts, which is loaded with the node, connects them.
 */
import type { Text } from "../../core/shell/styled.ts";
import { History } from "../../core/shell/history.ts";
import { createSession, type Session } from "../../core/shell/interactive.ts";
import { bytesWords, wrapped } from "../../core/shell/format.ts";
import { readSetting, writeSetting } from "../settings.ts";
import { byId, setText } from "./dom.ts";
import { greeting, PROMPT } from "./greeting.ts";
import { showKeyBar } from "./key-bar.ts";
import { PendingShell } from "./pending-shell.ts";
import { connectPlaces } from "./places.ts";
import { starPath } from "./shapes.ts";
import { StatusLine } from "./status-line.ts";
import { PageTerminal } from "./terminal.ts";

export class Page {
  readonly terminal: PageTerminal;
  readonly session: Session;
  readonly shell: PendingShell = new PendingShell();
  /** Lines that are typed before the node's own history is known are added to it. */
  readonly history: History = new History();
  readonly status: StatusLine = new StatusLine();

  constructor() {
    byId("star", SVGPathElement).setAttribute("d", starPath(11));
    this.terminal = new PageTerminal(byId("terminal", HTMLElement));
    this.session = createSession(this.shell, this.terminal, {
      prompt: () => PROMPT,
      canEnd: false,
      history: this.history,
    });
    this.terminal.onResize(() => this.session.resized());
    this.terminal.onTooMuch = (bytes) => {
      const told = `What was pasted (${bytesWords(bytes)}) is too much at once: nothing of it was taken. 'put' brings files in.`;
      this.session.print(wrapped(told, this.terminal.info().columns));
    };
    this.terminal.onRun = (line) => {
      this.session.submit(line);
      this.terminal.focus();
    };
    connectPlaces(this.terminal);
    showKeyBar(this.terminal);
    rememberScreenReader(this.terminal);
  }

  /** Greets and shows the prompt. */
  open(state: "joining" | "apart"): void {
    this.status.say(state === "apart" ? "Not connected" : "Joining…");
    this.session.print(greeting(state, this.terminal.info().columns));
    void this.session.run({ signal: new AbortController().signal });
    if (matchMedia("(pointer: fine)").matches) this.terminal.focus();
  }

  /** Shows the swarm's name in words. */
  set swarm(name: string) {
    setText(byId("swarm-name", HTMLElement), name);
  }

  /** There will be no computer in this page; lines that are typed get an error that says so. */
  fail(error: unknown): void {
    this.shell.fail(error);
  }

  print(text: Text): void {
    this.session.print(text);
  }
}

/**
 * The first thing that the keyboard reaches. It is remembered, because people who need it need it before they can read
 * anything.
 */
function rememberScreenReader(terminal: PageTerminal): void {
  const button = byId("reader", HTMLButtonElement);
  const apply = (on: boolean): void => {
    terminal.screenReader = on;
    button.setAttribute("aria-pressed", String(on));
  };
  apply(readSetting("screen-reader") === "on");
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    apply(on);
    writeSetting("screen-reader", on ? "on" : "off");
  });
}
