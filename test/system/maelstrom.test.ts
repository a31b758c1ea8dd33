/**
 * Maelstrom's nodes as real processes, with a small router in Maelstrom's place: late messages, a cut, its workloads.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { checkCounter, checkSet, type SetRead } from "../maelstrom/checkers.ts";
import { type Cut, majority } from "../maelstrom/cuts.ts";
import { ROOT } from "./processes.ts";

interface Message {
  readonly src: string;
  readonly dest: string;
  readonly body: Record<string, unknown> & { readonly type: string; readonly in_reply_to?: number };
}

/** Between two nodes, ms. */
const DELAY_MS = 5;
/** The deadline of a condition on a busy machine, ms. */
const PATIENCE = { timeout: 60_000, interval: 100 };

class Router implements AsyncDisposable {
  readonly #nodes = new Map<string, ChildProcess>();
  readonly #waiting = new Map<number, (body: Message["body"]) => void>();
  #lastId = 0;
  cut: Cut = () => false;

  constructor(count: number, workload: string) {
    for (let i = 0; i < count; i++) {
      const child = spawn(process.execPath, [join(ROOT, "test/maelstrom/node.ts"), workload], {
        stdio: ["pipe", "pipe", "inherit"],
      });
      this.#nodes.set(`n${i}`, child);
      createInterface({ input: child.stdout }).on("line", (line) => this.#pass(JSON.parse(line) as Message));
    }
  }

  get names(): string[] {
    return [...this.#nodes.keys()];
  }

  ask(dest: string, body: Record<string, unknown> & { readonly type: string }): Promise<Message["body"]> {
    const id = ++this.#lastId;
    const answered = new Promise<Message["body"]>((resolve) => this.#waiting.set(id, resolve));
    this.#deliver({ src: "c1", dest, body: { ...body, msg_id: id } });
    return answered;
  }

  async init(): Promise<void> {
    const { names } = this;
    const answers = await Promise.all(
      names.map((name) => this.ask(name, { type: "init", node_id: name, node_ids: names })),
    );
    expect(answers.map(({ type }) => type)).toEqual(names.map(() => "init_ok"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = [...this.#nodes.values()].map((child) => new Promise((resolve) => child.once("exit", resolve)));
    for (const child of this.#nodes.values()) child.stdin?.end();
    await Promise.all(ended);
  }

  #pass(message: Message): void {
    const { src, dest, body } = message;
    if (dest === "c1") {
      this.#waiting.get(body.in_reply_to ?? 0)?.(body);
      return;
    }
    if (this.cut(Number(src.slice(1)), Number(dest.slice(1)))) return;
    setTimeout(() => this.#deliver(message), DELAY_MS);
  }

  #deliver(message: Message): void {
    const stdin = this.#nodes.get(message.dest)?.stdin;
    if (stdin?.writable === true) stdin.write(`${JSON.stringify(message)}\n`);
  }
}

test("a set that only grows, with a majority cut off for a while", async () => {
  await using router = new Router(5, "g-set");
  await router.init();
  const added = new Map<number, number>();
  const reads: SetRead[] = [];
  const began = performance.now();
  const now = (): number => performance.now() - began;
  const add = async (element: number): Promise<void> => {
    const { type } = await router.ask(`n${element % 5}`, { type: "add", element });
    expect(type).toBe("add_ok");
    added.set(element, now());
  };
  const readAll = async (isFinal: boolean): Promise<Set<number>[]> =>
    Promise.all(
      router.names.map(async (name, node) => {
        const atMs = now();
        const { value } = await router.ask(name, { type: "read" });
        const elements = new Set(value as number[]);
        reads.push({ node, atMs, elements, isFinal });
        return elements;
      }),
    );
  for (let element = 0; element < 20; element++) await add(element);
  router.cut = majority([0, 1, 2, 3, 4]);
  for (let element = 20; element < 40; element++) await add(element);
  await readAll(false);
  router.cut = () => false;
  for (let element = 40; element < 50; element++) await add(element);
  await expect.poll(async () => (await readAll(false)).map(({ size }) => size), PATIENCE).toEqual([50, 50, 50, 50, 50]);
  await readAll(true);
  expect(checkSet({ added, reads }).faults).toEqual([]);
});

test("a counter to which all add", async () => {
  await using router = new Router(3, "pn-counter");
  await router.init();
  const adds: { atMs: number; delta: number }[] = [];
  let total = 0;
  for (let i = 0; i < 30; i++) {
    const delta = (i % 7) - 2;
    total += delta;
    await router.ask(`n${i % 3}`, { type: "add", delta });
    adds.push({ atMs: i, delta });
  }
  const read = async (): Promise<number[]> =>
    Promise.all(router.names.map(async (name) => Number((await router.ask(name, { type: "read" }))["value"])));
  await expect.poll(read, PATIENCE).toEqual([total, total, total]);
  const reads = (await read()).map((value, node) => ({ node, atMs: 99, value, isFinal: true }));
  expect(checkCounter({ adds, reads })).toEqual([]);
});

test("broadcast reaches everybody, and what is unknown is refused", async () => {
  await using router = new Router(3, "broadcast");
  await router.init();
  expect(await router.ask("n0", { type: "topology", topology: {} })).toMatchObject({ type: "topology_ok" });
  for (let message = 0; message < 10; message++) await router.ask(`n${message % 3}`, { type: "broadcast", message });
  const read = async (name: string): Promise<number[]> =>
    ((await router.ask(name, { type: "read" }))["messages"] as number[]).sort((a, b) => a - b);
  for (const name of router.names)
    await expect.poll(() => read(name), PATIENCE).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(await router.ask("n1", { type: "bogus" })).toMatchObject({ type: "error", code: 11 });
});
