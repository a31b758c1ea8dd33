/**
 * A job on a simulated swarm: the share of the available core-seconds that it uses, and what it costs each node. Says on
 * standard error how far it is, in virtual and in real time, because 200 nodes take minutes.
 *
 *     node bench/jobs/swarm.ts '{"nodes": 200, "tasks": 20000, "taskMs": 1000, "seed": 1}'
 *     node --expose-gc bench/jobs/swarm.ts '{"nodes": 8, "tasks": 1000000, "taskMs": 4, "seed": 1, "isEmpty": true}'
 */
import { text } from "../../core/base/bytes.ts";
import { sleep } from "../../core/ports/clock.ts";
import type { Sandbox } from "../../core/ports/sandbox.ts";
import { mirror } from "../../test/fixtures/wasm.ts";
import { JobLab } from "../../test/sim/job-lab.ts";
import type { SimNode } from "../../test/sim/node.ts";
import type { TaskModel } from "../../test/sim/sandbox.ts";

interface SwarmOptions {
  readonly nodes: number;
  readonly tasks: number;
  readonly taskMs: number;
  readonly seed: number;
  /**
   * The median session, after which a node leaves without a word and another one comes at once. Without it no node
   * leaves.
   */
  readonly sessionMs?: number;
  /** Measures only so long from the job's begin, and says nothing of its end. */
  readonly forMs?: number;
  /** Tasks run no code: each takes its time and gives its input. For many tasks. */
  readonly isEmpty?: boolean;
}

interface Cost {
  readonly messagesPerSecond: number;
  readonly bytesPerSecond: number;
}

interface SwarmRun extends SwarmOptions {
  readonly tookMs: number;
  /** When the last task began for the first time. After that the swarm only learns that all is done. */
  readonly lastBegunMs: number;
  /** The share of the cores that were there while the job ran, which its tasks, each counted once, have used. */
  readonly efficiency: number | undefined;
  /** What arrives on a node, averaged over nodes and the job's time; the cost of an idle swarm is included. */
  readonly each: Cost;
  /** The same of the node on which most arrives. */
  readonly busiest: Cost;
  readonly idle: Cost;
  /** What a node sends, by protocol: messages and bytes a second. */
  readonly sent: Readonly<Record<string, readonly [messages: number, bytes: number]>>;
  /** Tasks that were started, divided by the tasks of the job. */
  readonly begunPerTask: number;
  /** With --expose-gc: bytes of heap and buffers that a node needs for the job, at most. */
  readonly memoryBytes: number | undefined;
  /** Time of this machine's processor that a node needs for a second, from the job's begin to its end. */
  readonly cpuMsPerSecond: number;
}

/** A swarm that has come together within seconds has too many links to its first nodes. They are let go in this time. */
const SETTLE_MS = 90_000;
const IDLE_MS = 10_000;
const LOOK_MS = 100;
const SAY_MS = 10_000;

/** What has arrived on each node since the beginning. */
class Traffic {
  readonly #arrived = new Map<string, { messages: number; bytes: number }>();

  count(lab: JobLab, name: string): void {
    const sum = { messages: 0, bytes: 0 };
    this.#arrived.set(name, sum);
    lab.node(name).net.onTraffic(({ direction, bytes }) => {
      if (direction === "out") return;
      sum.messages++;
      sum.bytes += bytes;
    });
  }

  reset(): void {
    for (const sum of this.#arrived.values()) sum.messages = sum.bytes = 0;
  }

  /** Of all nodes together, for each of so many. */
  each(nodes: number, ms: number): Cost {
    const all = [...this.#arrived.values()];
    return {
      messagesPerSecond: all.reduce((sum, { messages }) => sum + messages, 0) / nodes / (ms / 1_000),
      bytesPerSecond: all.reduce((sum, { bytes }) => sum + bytes, 0) / nodes / (ms / 1_000),
    };
  }

  busiest(ms: number): Cost {
    const all = [...this.#arrived.values()];
    return {
      messagesPerSecond: Math.max(...all.map(({ messages }) => messages)) / (ms / 1_000),
      bytesPerSecond: Math.max(...all.map(({ bytes }) => bytes)) / (ms / 1_000),
    };
  }
}

/** What all nodes have sent since they began, by protocol. */
function sentBy(lab: JobLab): Map<string, { messages: number; bytes: number }> {
  const sums = new Map<string, { messages: number; bytes: number }>();
  for (const { machine } of lab.world.nodes) {
    for (const [protocol, { messages, bytes }] of machine.sentByProtocol) {
      const before = sums.get(protocol) ?? { messages: 0, bytes: 0 };
      sums.set(protocol, { messages: before.messages + messages, bytes: before.bytes + bytes });
    }
  }
  return sums;
}

function say(words: string): void {
  process.stderr.write(`${Math.round(performance.now() / 1_000)} s: ${words}\n`);
}

/** Counts the tasks that cores begin. */
class Begun {
  readonly #distinct = new Set<string>();
  all = 0;
  lastNewMs = 0;

  count(input: Uint8Array, nowMs: number): void {
    this.all++;
    const { size } = this.#distinct;
    if (this.#distinct.add(text(input)).size > size) this.lastNewMs = nowMs;
  }

  get again(): number {
    return this.all - this.#distinct.size;
  }
}

/** A sandbox whose tasks run no code. */
function emptySandbox({ ports: { clock } }: SimNode, taskMs: number, onTask: (input: Uint8Array) => void): Sandbox {
  return {
    cores: 1,
    spawn: async () => ({
      compile: async (bytes) => ({ ok: true, module: new WebAssembly.Module(bytes.slice()) }),
      run: async ({ inputs }, ran) => {
        for (const input of inputs) onTask(input);
        await sleep(clock, taskMs * inputs.length);
        ran(inputs.map((input) => ({ outcome: { ok: true, output: input.slice(), fuelUsed: 1 }, runMs: taskMs })));
      },
      terminate: () => {},
    }),
  };
}

/** What all objects of this process need; undefined without --expose-gc. */
function memoryUsed(): number | undefined {
  if (globalThis.gc === undefined) return undefined;
  globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

async function grown(options: SwarmOptions, begun: Begun): Promise<Grown> {
  const { nodes, seed, taskMs, isEmpty = false } = options;
  const model: TaskModel = ({ input }) => {
    begun.count(input, lab.world.nowMs);
    return taskMs;
  };
  const lab = new JobLab({ seed, tasks: model });
  const sandbox = (machine: SimNode): Sandbox =>
    emptySandbox(machine, taskMs, (input) => begun.count(input, lab.world.nowMs));
  const up = async (name: string): Promise<void> => {
    await lab.up(name, { cores: 1, ...(isEmpty && { sandbox }) });
  };
  for (let i = 0; i < nodes; i++) {
    await up(`n${i}`);
    if ((i + 1) % 25 === 0) say(`${i + 1} nodes`);
  }
  await lab.acquainted();
  say(`all know each other after ${Math.round(lab.world.nowMs / 1_000)} virtual s`);
  return { lab, up };
}

interface Grown {
  readonly lab: JobLab;
  /** Starts another node. */
  readonly up: (name: string) => Promise<void>;
}

async function run(options: SwarmOptions): Promise<SwarmRun> {
  const { nodes, tasks, taskMs, sessionMs, forMs = Infinity } = options;
  const begun = new Begun();
  const { lab, up } = await grown(options, begun);
  await lab.world.runFor(SETTLE_MS);
  const traffic = new Traffic();
  for (const name of lab.running.keys()) traffic.count(lab, name);
  await lab.world.runFor(IDLE_MS);
  const idle = traffic.each(nodes, IDLE_MS);
  traffic.reset();
  say("idle measured");
  const random = lab.world.random.fork("churn");
  const leaves = new Map<string, number>();
  const stay = (name: string): void => {
    if (sessionMs === undefined) return;
    const rate = Math.log(2) / sessionMs;
    leaves.set(name, lab.world.nowMs - Math.log(1 - random.real()) / rate);
  };
  // The node that checks whether the job is done stays; the others come and go.
  for (const name of lab.running.keys()) if (name !== "n0") stay(name);
  const beganMs = lab.world.nowMs;
  const cpuBegan = process.cpuUsage();
  const sentBefore = sentBy(lab);
  const id = await lab.submit(lab.node("n0"), {
    title: "bench",
    program: { kind: "bytes", module: { bytes: mirror() } },
    inputs: { from: "range", lo: 0, hi: tasks, count: tasks },
    combine: { how: "concat" },
    limits: { memoryBytesMax: 2 ** 20, timeMsMax: 60_000 },
  });
  let coreMs = 0;
  let next = nodes;
  let said = beganMs;
  const memoryBefore = memoryUsed();
  let memoryMost = memoryBefore;
  while (lab.node("n0").jobs.state(id)?.outcome === undefined && lab.world.nowMs - beganMs < forMs) {
    await lab.world.runFor(LOOK_MS);
    coreMs += LOOK_MS * lab.running.size;
    for (const [name, atMs] of leaves) {
      if (atMs > lab.world.nowMs) continue;
      leaves.delete(name);
      lab.crash(name);
      const newcomer = `n${next++}`;
      await up(newcomer);
      stay(newcomer);
      traffic.count(lab, newcomer);
    }
    if (lab.world.nowMs - said < SAY_MS) continue;
    said = lab.world.nowMs;
    const memory = memoryUsed() ?? 0;
    memoryMost = Math.max(memoryMost ?? 0, memory);
    const { done } = lab.node("n0").jobs.state(id)?.tasks ?? { done: 0 };
    const sinceS = Math.round((said - beganMs) / 1_000);
    const each = memoryBefore && `, ${Math.round((memory - memoryBefore) / nodes / 1_000)} kB a node`;
    say(`${done} of ${tasks} tasks after ${sinceS} virtual s, ${begun.again} begun again${each ?? ""}`);
  }
  const tookMs = lab.world.nowMs - beganMs;
  const cpu = process.cpuUsage(cpuBegan);
  const sent = [...sentBy(lab)].map(([protocol, { messages, bytes }]) => {
    const before = sentBefore.get(protocol) ?? { messages: 0, bytes: 0 };
    const each = (sum: number): number => Number((sum / nodes / (tookMs / 1_000)).toFixed(1));
    return [protocol, [each(messages - before.messages), each(bytes - before.bytes)]] as const;
  });
  return {
    ...options,
    tookMs,
    efficiency: forMs < Infinity ? undefined : (tasks * taskMs) / coreMs,
    each: traffic.each(nodes, tookMs),
    busiest: traffic.busiest(tookMs),
    idle,
    sent: Object.fromEntries(sent),
    begunPerTask: begun.all / tasks,
    lastBegunMs: begun.lastNewMs - beganMs,
    memoryBytes: memoryBefore && ((memoryMost ?? 0) - memoryBefore) / nodes,
    cpuMsPerSecond: (cpu.user + cpu.system) / 1_000 / nodes / (tookMs / 1_000),
  };
}

const result = await run(JSON.parse(process.argv[2] ?? "{}") as SwarmOptions);
process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
