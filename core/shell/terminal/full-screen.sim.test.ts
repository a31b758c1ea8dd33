/** less, edit and watch on a whole computer: keys go in, and the rows of a screen come out. */
import { beforeEach, expect, test } from "vitest";
import { memoryHost } from "../../../test/fixtures/host.ts";
import { ShellBench } from "../../../test/sim/shell-bench.ts";
import { text, utf8 } from "../../base/bytes.ts";
import { History } from "../history.ts";
import { createSession, type Session } from "../interactive.ts";
import { createPipe } from "../pipe.ts";
import { createShell } from "../shell.ts";
// Loaded when they are first called; virtual time waits for no module.
import "./edit/edit.ts";
import { historyOf } from "./history-store.ts";
import { sleep } from "../../ports/clock.ts";
import "./less/less.ts";
import "./watch.ts";

let bench: ShellBench;
beforeEach(async () => {
  bench = new ShellBench();
  await bench.up("first");
});

/** A terminal as far as full-screen programs need one: the screen that they draw, and whether they have it. */
class Person {
  readonly #keys = createPipe();
  readonly session: Session;
  readonly #stop = new AbortController();
  readonly size = { columns: 40, rows: 8 };
  isFull = false;
  rows: string[] = [];
  /** All that was shown outside of it. */
  log = "";

  constructor() {
    const write = (bytes: Uint8Array): Promise<void> => {
      this.#show(text(bytes));
      return Promise.resolve();
    };
    const info = () => ({ ...this.size, colours: false, pictures: "blocks" }) as const;
    const computer = bench.computer("first");
    const shell = createShell(computer, memoryHost(new Map()));
    const history = new History(historyOf(computer.store));
    const terminal = { input: this.#keys.input, output: { write }, info };
    this.session = createSession(shell, terminal, { prompt: () => "$ ", history, canEnd: false });
    void this.session.run({ signal: this.#stop.signal });
  }

  #show(written: string): void {
    // eslint-disable-next-line no-control-regex
    for (const part of written.split(/(\x1b\[\?1049[hl])/)) {
      if (part === "\x1b[?1049h") this.isFull = true;
      else if (part === "\x1b[?1049l") this.isFull = false;
      else if (this.isFull) this.#draw(part);
      else this.log += part;
    }
  }

  /** Programs draw all of the screen at once, row after row. */
  #draw(part: string): void {
    if (!part.includes("\x1b[H\x1b[2J") && part.includes("\x1b[H"))
      // eslint-disable-next-line no-control-regex
      this.rows = part.replaceAll(/\x1b\[[?\d;]*[A-Za-z]/g, "").split("\r\n");
  }

  type(keys: string): void {
    void this.#keys.output.write(utf8(keys));
  }

  async until(what: string, condition: () => boolean): Promise<void> {
    await bench.world.runUntil(condition, {
      withinMs: 60_000,
      what: `${what}; ${JSON.stringify(this.rows)} ${this.log.slice(-300)}`,
    });
  }

  /** Waits until the screen begins with this. */
  async sees(first: string): Promise<void> {
    await this.until(`a screen that begins with ${first}`, () => this.isFull && this.rows[0] === first);
  }

  async prompt(): Promise<void> {
    await this.until("the prompt", () => !this.isFull && this.log.endsWith("$ "));
  }
}

test("less: a pipe by screens, searched, to its end; and the terminal as it was", async () => {
  const person = new Person();
  person.type("seq 1000 | less\r");
  await person.sees("1");
  expect(person.rows.slice(0, 7)).toEqual(["1", "2", "3", "4", "5", "6", "7"]);
  person.type(" ");
  await person.sees("8");
  person.type("/^5.7$\r");
  await person.sees("507");
  person.type("n");
  await person.sees("517");
  person.type("N");
  await person.sees("507");
  person.type("G");
  await person.sees("994");
  person.type("50%");
  await person.sees("500");
  person.type("g");
  await person.sees("1");
  person.type("/nowhere\r");
  await person.until("it says so", () => (person.rows.at(-1) ?? "").includes("pattern not found"));
  person.type("q");
  await person.prompt();
});

test("less: another size, Ctrl-Z and fg; a pipe that goes on for ever ends with it", async () => {
  const person = new Person();
  person.type("yes abcdefghijklmnopqrstuvwxyz | less\r");
  await person.sees("abcdefghijklmnopqrstuvwxyz");
  person.size.columns = 20;
  person.session.resized();
  await person.sees("abcdefghijklmnopqrst");
  expect(person.rows[1]).toBe("uvwxyz");
  person.type("\x1a");
  await person.prompt();
  expect(person.log).toMatch(/Stopped/);
  person.type("fg\r");
  await person.sees("abcdefghijklmnopqrst");
  person.type("q");
  await person.prompt();
});

test("edit: writes, undoes, finds, saves and asks; what is saved is there", async () => {
  const person = new Person();
  const file = async (): Promise<string> => (await bench.run("cat /notes")).stdout;
  person.type("edit /notes\r");
  await person.until("an empty text", () => person.isFull && person.rows[1] === "");
  person.type("one 漢字\rtwo\rthree");
  await person.until("three lines", () => person.rows[3] === "three");
  person.type("\x06wo\r");
  person.type("X");
  await person.until("the word is found", () => person.rows[2] === "tXwo");
  person.type("\x1f");
  await person.until("it is taken back", () => person.rows[2] === "two");
  person.type("\x13");
  await person.until("it is saved", () => (person.rows.at(-1) ?? "").startsWith("saved"));
  expect(await file()).toBe("one 漢字\ntwo\nthree");
  person.type("!\x11");
  await person.until("it asks", () => (person.rows.at(-1) ?? "").startsWith("save what was changed"));
  person.type("n\r");
  await person.prompt();
  expect(await file()).toBe("one 漢字\ntwo\nthree");
});

test("edit refuses what is too large, and less what is not there", async () => {
  const person = new Person();
  person.type("head -c 5000000 /dev/zero > /tmp/large; yes | head -c 5000000 > /tmp/large; edit /tmp/large\r");
  await person.until("it is refused", () => /larger than 4 MiB/.test(person.log));
  person.type("less /nowhere\r");
  await person.until("it is said", () => /\/nowhere: No such file or\s+directory/.test(person.log));
  person.type("seq 3 | less | cat\r");
  await person.until("it passes on", () => person.log.includes("1\r\n2\r\n3\r\n"));
});

test("watch shows what a command prints, again and again, until q", async () => {
  const person = new Person();
  person.type("watch -n 1 'echo x >> /tmp/n; wc -l < /tmp/n'\r");
  await person.until("it has run three times", () => person.isFull && person.rows[1]?.trim() === "3");
  person.type("q");
  await person.prompt();
});

test("what is said meanwhile waits until the screen is free", async () => {
  const person = new Person();
  person.type("seq 100 | less\r");
  await person.sees("1");
  person.session.print("somebody joined");
  expect(person.log).not.toContain("somebody");
  person.type("q");
  await person.prompt();
  expect(person.log).toContain("somebody joined");
});

test("history outlives the node, and says what was run", async () => {
  const person = new Person();
  person.type("echo first\r");
  await person.until("it has run", () => person.log.includes("first\r\n$ "));
  person.type(" echo secret\r");
  await person.until("it has run", () => person.log.includes("secret\r\n$ "));
  // Long enough for it to be stored.
  await bench.world.settle(sleep(bench.computer("first").clock, 5_000), { withinMs: 10_000 });
  bench.world.crash("first");
  await bench.up("first");
  expect((await bench.run("history 1")).stdout).toBe("    1  echo first\n");
  expect((await bench.run("history -c; history")).stdout).toBe("");
});
