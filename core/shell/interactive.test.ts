import { expect, test } from "vitest";
import { concat, text, utf8 } from "../base/bytes.ts";
import { isIncomplete } from "./language/syntax.ts";
import { History } from "./history.ts";
import { createSession, type LineRunner, type Session } from "./interactive.ts";
import { createPipe } from "./pipe.ts";
import type { Io } from "./types.ts";

/** A shell with three commands, whose running the test controls, so that a session can be watched. */
let interrupt: (() => void) | undefined;
let isOver = false;
const shell: LineRunner = {
  isIncomplete: (line) => isIncomplete(line),
  async run(line: string, io: Io, { signal }): Promise<number> {
    const [word, ...rest] = line.split(" ");
    if (word === "say") await io.stdout.write(utf8(`${rest.join(" ")}\n`));
    if (word === "copy") for await (const part of io.stdin) await io.stdout.write(utf8(`<${text(part)}>`));
    if (word === "count") {
      let bytes = 0;
      const reading = (async (): Promise<void> => {
        for await (const part of io.stdin) bytes += part.length;
      })();
      await io.stdout.write(utf8("reading"));
      await reading;
      await io.stdout.write(utf8(`<${bytes}>`));
    }
    if (word === "hang") {
      await new Promise<void>((resolve) => (interrupt = resolve));
      return 130;
    }
    if (word === "deaf") {
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      return 130;
    }
    isOver = word === "exit";
    return word === "fail" ? 3 : 0;
  },
  startUp() {
    isOver = false;
    interrupt = undefined;
    return Promise.resolve();
  },
  signal(name) {
    if (name === "INT") interrupt?.();
    return interrupt !== undefined;
  },
  takeReports: () => "",
  prompt: () => Promise.resolve(undefined),
  get isOver() {
    return isOver;
  },
  complete: (line, cursor) => {
    const candidates = line.slice(0, cursor) === "sa" ? [{ text: "say", isPart: false }] : [];
    return Promise.resolve({ from: 0, quote: "", candidates });
  },
  marks: () => [],
};

class Person {
  readonly #keys = createPipe();
  readonly #shown: Uint8Array[] = [];
  readonly session: Session;
  readonly over: Promise<number>;
  #seen = 0;
  #changed: (() => void) | undefined;

  constructor(canEnd = true) {
    const write = (bytes: Uint8Array): Promise<void> => {
      this.#shown.push(bytes.slice());
      this.#changed?.();
      return Promise.resolve();
    };
    const info = () => ({ columns: 80, rows: 24, colours: false, pictures: "blocks" }) as const;
    const terminal = { input: this.#keys.input, output: { write }, info };
    this.session = createSession(shell, terminal, { prompt: () => "$ ", history: new History(), canEnd });
    this.over = this.session.run({ signal: new AbortController().signal });
  }

  type(keys: string): void {
    // The pipe holds far more than anybody types here.
    void this.#keys.output.write(utf8(keys));
  }

  leave(): void {
    this.#keys.output.end();
  }

  /** Waits until this has been shown, and returns everything shown since the last call. */
  async sees(expected: string): Promise<string> {
    for (;;) {
      const all = text(concat(this.#shown));
      const at = all.indexOf(expected, this.#seen);
      if (at >= 0) {
        const fresh = all.slice(this.#seen, at + expected.length);
        this.#seen = at + expected.length;
        return fresh;
      }
      await new Promise<void>((resolve) => (this.#changed = resolve));
    }
  }
}

test("a line is completed, run, and the next prompt follows its output", async () => {
  const person = new Person();
  await person.sees("$ ");
  person.type("sa\thello\r");
  expect(await person.sees("hello\r\n")).toContain("say ");
  await person.sees("hello\r\n");
  await person.sees("$ ");
  person.type("exit\r");
  expect(await person.over).toBe(0);
});

test("the status of the last line is that of the session; the end of input ends it", async () => {
  const person = new Person();
  await person.sees("$ ");
  person.type("fail\r");
  await person.sees("\r\n");
  await person.sees("$ ");
  person.leave();
  expect(await person.over).toBe(3);
});

test("Ctrl-C ends what runs, and gives up what is typed", async () => {
  const person = new Person();
  await person.sees("$ ");
  person.type("hang\r");
  await person.sees("hang\r\n");
  person.type("\x03");
  await person.sees("^C\r\n");
  await person.sees("$ ");
  person.type("hang\r");
  await person.sees("hang\r\n");
  person.type("typed ahead\x03say after\r");
  await person.sees("^C");
  expect(await person.sees("after\r\n")).not.toContain("typed ahead");
  person.type("half a line\x03");
  await person.sees("^C\r\n");
  await person.sees("$ ");
  person.type("\x04");
  expect(await person.over).toBe(0);
});

test("a second Ctrl-C ends what takes no signal", async () => {
  const person = new Person();
  await person.sees("$ ");
  person.type("deaf\r");
  await person.sees("deaf\r\n");
  person.type("\x03\x03");
  await person.sees("^C^C");
  await person.sees("$ ");
  person.leave();
  expect(await person.over).toBe(130);
});

test("the keyboard is the job's stdin, line by line, until Ctrl-D", async () => {
  const person = new Person();
  await person.sees("$ ");
  person.type("copy\r");
  person.type("onx\x7fe\r");
  await person.sees("<one\r\n>");
  person.type("two\x04\x04");
  await person.sees("<two>");
  expect(await person.sees("$ ")).not.toContain("two");
});

test("what is typed while a job reads nothing goes to the next prompt", async () => {
  const person = new Person();
  await person.sees("$ ");
  person.type("say one\rsay two\r");
  expect(await person.sees("\r\none\r\n")).not.toContain("two\r\n");
  await person.sees("\r\ntwo\r\n");
});

test("many blank lines at once are many prompts", async () => {
  const person = new Person();
  await person.sees("$ ");
  person.type(`${"\r".repeat(5_000)}say done\r`);
  expect((await person.sees("\r\ndone\r\n")).split("$ ")).toHaveLength(5_001);
});

const pasted = (content: string): string => `\x1b[200~${content}\x1b[201~`;
/** Lines that would each print something, as a terminal sends them: 136 kB. */
const LINES = Array.from({ length: 1_546 }, (_, i) => `say ${String(i).padStart(4, "0")} ${"x".repeat(78)}\r`).join("");

test("nothing pasted runs: what fits waits in the line for Enter", async () => {
  const person = new Person();
  expect(await person.sees("$ ")).toContain("\x1b[?2004h");
  person.type(pasted("say one\rsay two\r"));
  expect(await person.sees("say one\x1b[K\r\n> say two")).not.toContain("\r\none");
  person.type(" three\r");
  // The two lines reach the shell as one command.
  await person.sees("\r\none\r\nsay two three\r\n");
  person.type("\x04");
  await person.sees("\x1b[?2004l");
});

test("a paste that is too long says so, and nothing of it runs", async () => {
  const person = new Person();
  await person.sees("$ ");
  for (const content of [LINES, LINES.repeat(4), "x".repeat(70_000)]) {
    person.type(pasted(content));
    expect(await person.sees("nothing of it was taken")).not.toMatch(/\d{4} x/);
    await person.sees("$ ");
  }
  person.type("say after\r");
  expect(await person.sees("\r\nafter\r\n")).not.toMatch(/\d{4} x/);
});

test("what is pasted while a job runs goes into the next line, and does not run", async () => {
  const person = new Person();
  await person.sees("$ ");
  person.type("hang\r");
  await person.sees("hang\r\n");
  // A Ctrl-C within a paste interrupts nothing.
  person.type(pasted("say \x03one\rsay two\r"));
  person.type(pasted(LINES.repeat(3)));
  person.type("\x1b[200~say three\r");
  person.type("\x03");
  // The end of a paste that the job did not see.
  person.type("say four\r\x1b[201~\x03");
  const after = await person.sees("say four");
  expect(after).toContain("nothing of it was taken");
  expect(after).toContain("say one\r\n> say two");
  person.type("\x15\x0bsay five\r");
  expect(await person.sees("\r\nfive\r\n")).not.toMatch(/\r\n(one|three|four)\r\n|\d{4} x/);
});

test("what is pasted into a job that reads is its input, of any length, but ends nothing", async () => {
  const person = new Person();
  await person.sees("$ ");
  person.type("count\r");
  await person.sees("reading");
  person.type(pasted(`\x04\x7f${LINES}`));
  person.type("\x04");
  expect(await person.sees(`<${LINES.length}>`)).toContain("0000 x");
});

test("an open quote asks for more", async () => {
  const person = new Person();
  await person.sees("$ ");
  person.type("say 'one\r");
  await person.sees("> ");
  person.type("two'\r");
  expect(await person.sees("'one\r\ntwo'\r\n")).toContain("two'\r\n");
});

test("a page has no end, and prints above the line", async () => {
  const person = new Person(false);
  await person.sees("$ ");
  person.type("\x04ha");
  await person.sees("ha");
  person.session.print("somebody joined");
  expect(await person.sees("$ ha")).toContain("\r\x1b[Jsomebody joined\r\n");
  person.session.submit("say clicked");
  await person.sees("clicked\r\n");
  await person.sees("clicked\r\n");
});
