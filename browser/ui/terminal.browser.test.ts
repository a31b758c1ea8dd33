/** Pastes into the page's terminal: the real xterm.js, a real clipboard event, and the session behind them. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { utf8 } from "../../core/base/bytes.ts";
import { createSession, type LineRunner } from "../../core/shell/interactive.ts";
import { PageTerminal } from "./terminal.ts";

let parent: HTMLElement;
let ran: string[];
let stop: AbortController;
let over: Promise<number>;

beforeEach(() => {
  parent = document.createElement("div");
  parent.style.cssText = "width: 800px; height: 400px";
  document.body.append(parent);
  ran = [];
  stop = new AbortController();
  const shell: LineRunner = {
    isIncomplete: () => false,
    run: async (line, { stdout }) => {
      ran.push(line);
      await stdout.write(utf8(`ran ${line.length}\n`));
      return 0;
    },
    startUp: () => Promise.resolve(),
    signal: () => false,
    takeReports: () => "",
    prompt: () => Promise.resolve(undefined),
    isOver: false,
    complete: (_line, cursor) => Promise.resolve({ from: cursor, quote: "", candidates: [] }),
    marks: () => [],
  };
  const terminal = new PageTerminal(parent);
  const session = createSession(shell, terminal, { prompt: () => "$ ", canEnd: false });
  terminal.onTooMuch = (bytes) => session.print(`${bytes} bytes are too much`);
  over = session.run({ signal: stop.signal });
  terminal.screenReader = true;
});
afterEach(async () => {
  stop.abort();
  await over;
  parent.remove();
});

function paste(text: string): void {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", text);
  const event = new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true });
  parent.querySelector("textarea")?.dispatchEvent(event);
}

function press(key: string): void {
  const keyCode = key === "Enter" ? 13 : 0;
  parent.querySelector("textarea")?.dispatchEvent(new KeyboardEvent("keydown", { key, keyCode, bubbles: true }));
}

/** The text for screen readers: the screen's rows. */
const screen = (): string =>
  Array.from(parent.querySelectorAll(".xterm-accessibility-tree > *"), (row) => row.textContent).join("\n");
const sees = async (words: string | RegExp): Promise<void> => {
  await expect.poll(screen, { timeout: 10_000 }).toMatch(words);
};

test("nothing pasted runs, not even behind what looks like the paste's end; Enter runs what fits", async () => {
  await sees(/\$/);
  paste("echo one\necho two\x1b[201~\necho three\n");
  await sees("echo two");
  expect(ran).toEqual([]);
  press("Enter");
  await sees("ran");
  expect(ran).toEqual(["echo one\necho two[201~\necho three"]);
});

test.each([
  ["136 kB in 1,546 lines", 1_546, /nothing\s+of\s+it\s+was\s+taken/],
  ["more than the keyboard's queue holds", 15_000, /1\d{6} bytes are too much/],
])("a paste of %s says that it is too long, and nothing of it runs", async (_what, count, words) => {
  await sees(/\$/);
  paste(Array.from({ length: count }, (_, i) => `echo ${String(i).padStart(5, "0")} ${"x".repeat(76)}\n`).join(""));
  await sees(words);
  paste("echo after");
  await sees("echo after");
  press("Enter");
  await sees("ran");
  expect(ran).toEqual(["echo after"]);
});
