/**
 * Honest computers, and the one rule by which they are judged: they answer within a second, stay within a stated
 * memory, and accept and keep honest writes, before, during and after an adversary is there, and after a restart.
 *
 * The second is one of virtual time, from question to answer. In addition no single turn of a thread takes more than a
 * second of real time: code that blocks a thread for longer would keep everybody waiting.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { assert } from "../../core/base/assert.ts";
import { equal } from "../../core/base/bytes.ts";
import { isStarfishError } from "../../core/base/errors.ts";
import type { Computer } from "../../core/computer.ts";
import { withDeadline } from "../../core/ports/clock.ts";
import type { PeerId } from "../../core/ports/network.ts";
import type { SimNode } from "../sim/node.ts";
import { ShellBench, TERMINAL } from "../sim/shell-bench.ts";
import type { SimWorld } from "../sim/world.ts";
import { Intruder } from "./intruder.ts";

const ANSWER_MS = 1_000;
/** A node that has just started learns the common time within this, and may write. */
const READY_MS = 15_000;
/** How long a write may take to reach the others, and a file until the others can read it. */
const SPREAD_MS = 5_000;
const FILE_BYTES = 300_000;
/** How long to wait for a file to be spread over the honest nodes. */
const PLACED_MS = 10_000;
/** How long honest work with a liar may take before it is given up; waiting for the liar's own answer takes less. */
const WORK_MS = 15_000;
/**
 * What three honest nodes may grow by together. The most that is sent to them are 62,000 deletions in each of three
 * maps, for which the maps' budgets count 141 MB; what their simulated disks and gossip keep of it comes on top.
 */
const GROWN_BYTES_MAX: number = 256 * 1024 * 1024;
/** Commands that show what others have sent. */
const LOOKS = [
  "ls",
  "ls -l",
  "df",
  "peers",
  "mem ls",
  "mem stat",
  "whoami",
  "mail",
  "mail sent",
  "me",
  "sql 'SELECT count(*) FROM sqlite_schema'",
];

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

export class Scene {
  readonly bench: ShellBench;
  /** Files that honest nodes have put, by path, with their contents. */
  readonly #files = new Map<string, Uint8Array>();
  readonly #keys = new Map<string, number>();
  readonly #invite: string;
  #heapBytes: number;
  #writes = 0;
  #intruders = 0;
  #intruder: Intruder | undefined;
  #turnBeganUs = 0;
  /** The longest turn of all, in ms of the thread's processor time. */
  longestTurnMs = 0;

  private constructor(bench: ShellBench, invite: string) {
    this.bench = bench;
    this.#invite = invite;
    this.#heapBytes = heapBytes();
  }

  /** Starts that many honest computers, which know each other and have written something. */
  static async open(seed: number, honest = 3): Promise<Scene> {
    let scene: Scene | undefined;
    const bench = new ShellBench({ seed, trace: () => scene?.turn() });
    const founder = await bench.up("h0");
    scene = new Scene(bench, founder.net.invite());
    for (let i = 1; i < honest; i++) await bench.up(`h${i}`, { invite: scene.#invite });
    await scene.acquainted();
    await scene.openDesks();
    await scene.judge();
    return scene;
  }

  get world(): SimWorld {
    return this.bench.world;
  }

  get invite(): string {
    return this.#invite;
  }

  get honest(): Computer[] {
    return [...this.bench.computers.values()];
  }

  computer(name: string): Computer {
    return this.bench.computer(name);
  }

  machine(name: string): SimNode {
    return this.world.node(name);
  }

  /** A member that knows the protocol; a new one if the last has lost its links. */
  async intruder(): Promise<Intruder> {
    if (this.#intruder?.isLinked !== true) {
      await this.#intruder?.leave();
      this.#intruder = await Intruder.join(this, `mallory${this.#intruders++}`);
      const { self } = this.#intruder.net;
      // Its transfers are accepted, so that all of them are read.
      for (const { transfer } of this.honest) await this.settle(transfer.answer(self, "allow"));
    }
    return this.#intruder;
  }

  /**
   * Ends a node in the middle of its work, and starts it again. Just before its end `tamper` may change what is on its
   * disk.
   */
  async restart(name: string, tamper: (machine: SimNode) => Promise<void> = async () => {}): Promise<void> {
    await this.world.settle(tamper(this.machine(name)), { withinMs: 60_000 });
    this.world.crash(name);
    this.bench.computers.delete(name);
    const { people } = await this.bench.up(name, { invite: this.#invite });
    await this.settle(people.pictures());
    await this.acquainted();
  }

  /**
   * Memory that ended lives still hold does not count: Node's AbortSignal.any releases nothing that waits on it before
   * the test ends (test/sim/forget.ts), while a killed process releases everything.
   */
  async restartAll(): Promise<void> {
    this.#heapBytes = heapBytes();
    for (const name of [...this.bench.computers.keys()]) await this.restart(name);
  }

  /** Makes the honest nodes take members' codes, as nodes that serve a page do, and keep pictures of people. */
  async openDesks(): Promise<void> {
    for (const { codes, people } of this.honest) {
      (await codes()).openDesk();
      await this.settle(people.pictures());
    }
  }

  async acquainted(): Promise<void> {
    const honest = new Set(this.honest.map(({ net }) => net.self));
    const knowsAll = ({ net }: Computer): boolean =>
      net.members().filter(({ record, status }) => honest.has(record.peer) && status === "awake").length ===
      honest.size;
    await this.world.runUntil(() => this.honest.every(knowsAll), {
      withinMs: 30_000,
      what: "the honest know each other",
    });
  }

  /** A content that the honest nodes have: its CID, and the id of its layout. */
  async content(): Promise<{ readonly layout: string; readonly cid: string }> {
    const { memory } = await this.intruder();
    const map = await this.world.settle(memory.map("layout"), { withinMs: ANSWER_MS });
    const find = (): string | undefined => [...map.entries("c/")][0]?.key;
    await this.world.runUntil(() => find() !== undefined, { withinMs: SPREAD_MS, what: "the map layout has come" });
    const [, cid = "", layout = ""] = (find() ?? "").split("/");
    return { cid, layout };
  }

  settle<T>(promise: Promise<T>): Promise<T> {
    return this.world.settle(promise, { withinMs: 60_000 });
  }

  /** Makes an honest node ask others, among them `other`. It may fail, but with a clear error and in time. */
  async work(fileBytes: number, other: PeerId, module: Uint8Array): Promise<void> {
    const [asker, reader] = this.honest;
    if (asker === undefined || reader === undefined) throw new Error("It takes two who are honest");
    const path = `/work${this.#writes++}`;
    const bytes = this.machine("h0").ports.random.bytes(fileBytes);
    asker.memory.set("work", this.#writes);
    const input = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 100, 0, 0, 0, 0, 0, 0, 0);
    const written = asker.files.write(path, once(bytes)).then(({ safe }) => safe);
    const stop = new AbortController();
    const all: readonly Promise<unknown>[] = [
      asker.net.ping(other),
      asker.memory.sync({ timeoutMs: 3_000 }),
      asker.devices.write(other, "notify", "lunch"),
      written.then(() => collect(reader.files.read(path))),
      this.#job(asker, module),
      Array.fromAsync(asker.cpu.map({ title: "work", module, inputs: Array.from({ length: 6 }, () => input) }, stop)),
    ];
    const ended = Promise.allSettled(
      all.map((each) => withDeadline(this.machine("h0").ports.clock, WORK_MS, "It", () => each)),
    );
    for (const outcome of await this.world.settle(ended, { withinMs: 2 * WORK_MS })) {
      if (outcome.status === "rejected" && !isStarfishError(outcome.reason)) throw outcome.reason;
    }
    stop.abort();
  }

  /** Honest nodes run a job together, with her among them. */
  async #job({ jobs }: Computer, module: Uint8Array): Promise<void> {
    const { id } = await jobs.submit({
      title: "work",
      program: { kind: "bytes", module: await jobs.content(module) },
      inputs: { from: "range", lo: 0, hi: 600, count: 6 },
      combine: { how: "concat" },
      limits: { memoryBytesMax: 2 ** 24, timeMsMax: 10_000 },
    });
    await Array.fromAsync(jobs.attach(id, { results: true }));
  }

  /** Checks the rule. */
  async judge(): Promise<void> {
    const { world, honest } = this;
    for (const { net } of honest) {
      for (const other of honest) {
        if (other === undefined || other.net === net) continue;
        await world.settle(net.ping(other.net.self), { withinMs: ANSWER_MS });
      }
    }
    for (const [i, computer] of honest.entries()) {
      await world.settle(computer.memory.ready(), { withinMs: READY_MS });
      this.#write(i, computer);
    }
    const isThere = (): boolean =>
      this.honest.every(({ memory }) => [...this.#keys].every(([key, value]) => memory.get(key) === value));
    await world.runUntil(isThere, { withinMs: SPREAD_MS, what: "all have what the honest have written" });
    for (const line of LOOKS) await this.#look(line);
    assert(this.longestTurnMs < ANSWER_MS, `a thread is busy for ${this.longestTurnMs} ms, less than a second`);
    const errors = world.journal.entries().filter(({ level }) => level === "error");
    const own = errors.filter(({ node }) => this.bench.computers.has(node));
    assert(own.length === 0, `no honest node logs an error: ${JSON.stringify(own)}`);
  }

  /** Checks the rule, and files and memory, which take longer. */
  async judgeWhole(): Promise<void> {
    await this.judge();
    const path = `/file${this.#writes++}`;
    const bytes = new Uint8Array(FILE_BYTES).fill(this.#writes);
    this.#files.set(path, bytes);
    const [writer] = this.honest;
    if (writer === undefined) throw new Error("Nobody is honest");
    const { safe } = await this.world.settle(writer.files.write(path, once(bytes)), { withinMs: 30_000 });
    // If somebody accepts no shards, the file is never as safe as it should be; whether it can be read is checked
    // below.
    let isPlaced = false;
    void Promise.allSettled([safe]).then(() => (isPlaced = true));
    const untilMs = this.world.nowMs + PLACED_MS;
    await this.world.runUntil(() => isPlaced || this.world.nowMs >= untilMs, { withinMs: 2 * PLACED_MS });
    const has = ({ files }: Computer): boolean => files.stat(path) !== undefined;
    await this.world.runUntil(() => this.honest.every(has), { withinMs: SPREAD_MS, what: `all see ${path}` });
    for (const { files } of this.honest) {
      for (const [name, content] of this.#files) {
        const read = await this.world.settle(collect(files.read(name)), { withinMs: 60_000 });
        assert(equal(read, content), `${name} reads as it was written`);
      }
    }
    await this.judge();
    const grownBytes = heapBytes() - this.#heapBytes;
    assert(grownBytes < GROWN_BYTES_MAX, `the honest have grown by ${grownBytes} bytes, less than ${GROWN_BYTES_MAX}`);
  }

  /** How many faults of others this node has counted. */
  faults(name: string): number {
    return this.world.journal.entries().filter(({ node, event }) => node === name && event === "net.misbehaved").length;
  }

  /** The work that the test itself has done since the last turn is not counted. */
  rest(): void {
    this.#turnBeganUs = 0;
  }

  /** A turn of some node's thread is over. */
  turn(): void {
    const { user, system } = process.threadCpuUsage();
    const nowUs = user + system;
    if (this.#turnBeganUs > 0) this.longestTurnMs = Math.max(this.longestTurnMs, (nowUs - this.#turnBeganUs) / 1_000);
    this.#turnBeganUs = nowUs;
  }

  #write(i: number, { memory }: Computer): void {
    const key = `honest/${i}`;
    this.#keys.set(key, ++this.#writes);
    memory.set(key, this.#writes);
  }

  async #look(line: string): Promise<void> {
    for (const on of this.bench.computers.keys()) {
      const looking = this.bench.start(line, { on, terminal: { ...TERMINAL, colours: false } });
      const { status, stdout, stderr } = await this.world.settle(looking, { withinMs: ANSWER_MS });
      assert(status === 0, `${line} ends well: ${stderr}`);
      // What others have sent may be shown, but must not control a terminal.
      assert(!/(?!\n)\p{Cc}/u.test(stdout), `${line} shows no control characters: ${JSON.stringify(stdout)}`);
    }
  }
}

function heapBytes(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}
