import { expect, test } from "vitest";
import { concat, text, utf8 } from "../base/bytes.ts";
import { History } from "./history.ts";
import { createSession, type Session } from "./interactive.ts";
import { createPipe } from "./pipe.ts";
import type { Shell } from "./shell.ts";
import type { Io } from "./types.ts";

/** A shell of three words, so that a session can be watched: what it runs is the test's business. */
const shell: Pick<Shell, "run" | "complete"> = {
  async run(line: string, io: Io, { signal }): Promise<number> {
    const [word, ...rest] = line.split(" ");
    if (word === "say") await io.stdout.write(utf8(`${rest.join(" ")}\n`));
    if (word === "copy") for await (const part of io.stdin) await io.stdout.write(utf8(`<${text(part)}>`));
    if (word === "hang") {
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      return 130;
    }
    return word === "fail" ? 3 : 0;
  },
  complete: (line, cursor) => ({ from: 0, candidates: line.slice(0, cursor) === "sa" ? ["say"] : [] }),
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

  /** What has been shown since the last call, once it contains this. */
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
  person.type("typed ahead\x03say after\r");
  await person.sees("^C");
  expect(await person.sees("after\r\n")).not.toContain("typed ahead");
  person.type("half a line\x03");
  await person.sees("^C\r\n");
  await person.sees("$ ");
  person.type("\x04");
  expect(await person.over).toBe(0);
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
  expect(await person.sees("\x1b[?2004lone\r\n")).not.toContain("two\r\n");
  await person.sees("\x1b[?2004ltwo\r\n");
});

test("many blank lines at once are many prompts", async () => {
  const person = new Person();
  await person.sees("$ ");
  person.type(`${"\r".repeat(5_000)}say done\r`);
  expect((await person.sees("\x1b[?2004ldone\r\n")).split("$ ")).toHaveLength(5_001);
});

test("an open quote asks for more", async () => {
  const person = new Person();
  await person.sees("$ ");
  person.type("say 'one\r");
  await person.sees("> ");
  person.type("two'\r");
  expect(await person.sees("'one\r\ntwo'\r\n")).toContain("\x1b[?2004l");
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
