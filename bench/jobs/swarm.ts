/**
 * A job on a simulated swarm: the share of the available core-seconds that it uses, and what it costs each node.
 *
 *     node bench/jobs/swarm.ts '{"nodes": 200, "tasks": 20000, "taskMs": 1000, "seed": 1}'
 */
import { mirror } from "../../test/fixtures/wasm.ts";
import { JobLab } from "../../test/sim/job-lab.ts";

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
}

interface SwarmRun extends SwarmOptions {
  readonly tookMs: number;
  /**
   * The share of the core-seconds that were available while the job ran that its tasks used; each task is counted once.
   */
  readonly efficiency: number;
  /** Messages and bytes that arrive on a node in a second, averaged over nodes; those of an idle swarm are included. */
  readonly messagesPerSecond: number;
  readonly bytesPerSecond: number;
  readonly idleMessagesPerSecond: number;
  readonly idleBytesPerSecond: number;
  /** Tasks that were started, divided by the tasks of the job. */
  readonly begunPerTask: number;
}

const IDLE_MS = 10_000;
const LOOK_MS = 100;

class Traffic {
  messages = 0;
  bytes = 0;
}

async function run(options: SwarmOptions): Promise<SwarmRun> {
  const { nodes, tasks, taskMs, seed, sessionMs } = options;
  let begun = 0;
  const model = (): number => {
    begun++;
    return taskMs;
  };
  const lab = new JobLab({ seed, tasks: model });
  await lab.grow(nodes, { cores: 1 });
  await lab.world.runFor(IDLE_MS / 2);
  let traffic = new Traffic();
  const count = (name: string): void => {
    lab.node(name).net.onTraffic(({ direction, bytes }) => {
      if (direction === "out") return;
      traffic.messages++;
      traffic.bytes += bytes;
    });
  };
  for (const name of lab.running.keys()) count(name);
  await lab.world.runFor(IDLE_MS);
  const idle = traffic;
  traffic = new Traffic();
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
  while (lab.node("n0").jobs.state(id)?.outcome === undefined) {
    await lab.world.runFor(LOOK_MS);
    coreMs += LOOK_MS * lab.running.size;
    for (const [name, atMs] of leaves) {
      if (atMs > lab.world.nowMs) continue;
      leaves.delete(name);
      lab.crash(name);
      const newcomer = `n${next++}`;
      await lab.up(newcomer, { cores: 1 });
      stay(newcomer);
      count(newcomer);
    }
    if (lab.world.nowMs - said < 10_000) continue;
    said = lab.world.nowMs;
    const { done } = lab.node("n0").jobs.state(id)?.tasks ?? { done: 0 };
    process.stderr.write(`${Math.round((said - beganMs) / 1_000)} s: ${done} of ${tasks}\n`);
  }
  const tookMs = lab.world.nowMs - beganMs;
  const perNode = (sum: number, ms: number): number => sum / nodes / (ms / 1_000);
  return {
    ...options,
    tookMs,
    efficiency: (tasks * taskMs) / coreMs,
    messagesPerSecond: perNode(traffic.messages, tookMs),
    bytesPerSecond: perNode(traffic.bytes, tookMs),
    idleMessagesPerSecond: perNode(idle.messages, IDLE_MS),
    idleBytesPerSecond: perNode(idle.bytes, IDLE_MS),
    begunPerTask: begun / tasks,
  };
}

process.stdout.write(`${JSON.stringify(await run(JSON.parse(process.argv[2] ?? "{}") as SwarmOptions))}\n`);
