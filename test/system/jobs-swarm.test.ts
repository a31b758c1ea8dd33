/** Jobs that belong to the swarm, over real processes: whoever is killed, and wherever the network is cut. */
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { expect, test } from "vitest";
import { type Intervals, intersect, sizeOf, subtract, unionAll } from "../../core/jobs/intervals.ts";
import type { JobRequest } from "./job-node.ts";
import { eventually, type Lab, openLab } from "./processes.ts";
import { openSites } from "./sites.ts";

const JOB_NODE = join(import.meta.dirname, "job-node.ts");
/** Primes below 100,000,000; a sieve takes each task some milliseconds. */
const JOB = { task: "primes", hi: 100_000_000, count: 1_000 };
const RESULT = "5761455\n";
/**
 * A job that is not over before results have been copied to other nodes, which takes three seconds: primes below
 * 300,000,000.
 */
const LONG_JOB = { task: "primes", hi: 300_000_000, count: 3_000 };
const LONG_RESULT = "16252325\n";
/** Time limit of a job, for two busy cores that up to eight nodes share. */
const DONE_MS = 90_000;
const TEST_MS = 240_000;

interface NodeIntervals {
  readonly running: Intervals;
  readonly held: Intervals;
  readonly copies: Intervals;
}

/** Which nodes do which tasks of a job, as far as one node knows. */
interface Parts {
  readonly self: string;
  readonly all: ReadonlyMap<string, NodeIntervals>;
  readonly own: NodeIntervals;
  /** Tasks that the node has run itself. */
  readonly ran: Intervals;
}

/** A process that answers one question after the other. */
class JobNode {
  readonly process: ReturnType<Lab["starfish"]>;
  readonly #lines: Interface;
  readonly #answers: ((line: string) => void)[] = [];
  invite = "";

  private constructor(running: JobNode["process"]) {
    this.process = running;
    const { stdout } = running.child;
    if (stdout === null) throw new Error("It has no output");
    this.#lines = createInterface({ input: stdout });
    this.#lines.on("line", (line) => {
      if (line.startsWith("{")) this.#answers.shift()?.(line);
    });
  }

  static async up(lab: Lab, args: readonly string[], within: readonly string[] = []): Promise<JobNode> {
    const node = new JobNode(lab.starfish([JOB_NODE, ...args], { keepStdin: true, within }));
    const [, invite = ""] = await node.process.output(/^invite: (\S+)$/m, 60_000);
    node.invite = invite;
    return node;
  }

  async ask<T>(request: JobRequest): Promise<T> {
    const line = new Promise<string>((resolve) => this.#answers.push(resolve));
    this.process.child.stdin?.write(`${JSON.stringify(request)}\n`);
    const { answer, error } = JSON.parse(await line) as { answer?: T; error?: string };
    if (error !== undefined) throw new Error(error);
    return answer as T;
  }

  state(id: string): Promise<{ state: string; tasks?: { done: number; total: number; running: number }; by?: string }> {
    return this.ask({ state: id });
  }

  async done(id: string): Promise<void> {
    await eventually(
      `job ${id} is done`,
      () => this.state(id),
      ({ state }) => state === "done",
      DONE_MS,
    );
  }

  async parts(id: string): Promise<Parts> {
    const { self, nodes } = await this.ask<{ self: string; nodes: [string, NodeIntervals][] }>({ parts: id });
    const none = { running: [], held: [], copies: [] };
    const all = new Map(nodes);
    const own = all.get(self) ?? none;
    return { self, all, own, ran: subtract(own.held, own.copies) };
  }

  async sees(count: number): Promise<void> {
    await eventually(
      `it sees ${count}`,
      () => this.ask<number>({ members: true }),
      (seen) => seen === count,
      60_000,
    );
  }
}

async function openJobLab(): Promise<Lab> {
  return await openLab({ program: [process.execPath] });
}

test(
  "a job goes on when its submitter is killed a second later; who joins later reads the result",
  { timeout: TEST_MS },
  async () => {
    await using lab = await openJobLab();
    const data = (name: string): string => join(lab.folder, name);
    const submitter = await JobNode.up(lab, [data("a"), "1", "127.0.0.1"]);
    const [b, c] = await Promise.all(
      ["b", "c"].map((name) => JobNode.up(lab, [data(name), "1", "127.0.0.1", submitter.invite])),
    );
    if (b === undefined || c === undefined) throw new Error("They are not up");
    await Promise.all([submitter, b, c].map((node) => node.sees(3)));
    const id = await submitter.ask<string>({ submit: JOB });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await submitter.process.end("SIGKILL");
    await b.done(id);
    const late = await JobNode.up(lab, [data("late"), "0", "127.0.0.1", c.invite]);
    await late.done(id);
    expect(await late.ask<string>({ result: id })).toBe(RESULT);
  },
);

test(
  "a random half of eight nodes is killed in the middle: the result is right, and only what was in flight is run again",
  { timeout: TEST_MS },
  async () => {
    await using lab = await openJobLab();
    const first = await JobNode.up(lab, [join(lab.folder, "n0"), "1", "127.0.0.1"]);
    const others = await Promise.all(
      Array.from({ length: 7 }, (_, i) =>
        JobNode.up(lab, [join(lab.folder, `n${i + 1}`), "1", "127.0.0.1", first.invite]),
      ),
    );
    const nodes = [first, ...others];
    await Promise.all(nodes.map((node) => node.sees(8)));
    const id = await first.ask<string>({ submit: LONG_JOB });
    const drawn = nodes.map((node) => ({ node, rank: Math.random() })).toSorted((a, b) => a.rank - b.rank);
    const victims = drawn.slice(0, 4).map(({ node }) => node);
    const survivors = nodes.filter((node) => !victims.includes(node));
    const parts = await eventually(
      "each half of them has done something",
      () => Promise.all([...victims, ...survivors].map((node) => node.parts(id))),
      (all) => [all.slice(0, 4), all.slice(4)].every((half) => sizeOf(unionAll(half.map(({ ran }) => ran))) > 10),
      DONE_MS,
    );
    const done = unionAll(parts.slice(0, 4).map(({ ran }) => ran));
    // The results of the doomed nodes are safe when those that stay hold them, all of them know that, and none of them
    // runs the same tasks.
    const peers = parts.slice(4).map(({ self }) => self);
    const knows = ({ all, own }: Parts): boolean => {
      const held = unionAll(peers.map((peer) => all.get(peer)?.held ?? []));
      return subtract(done, held).length === 0 && intersect(own.running, done).length === 0;
    };
    const before = await eventually(
      "the others hold what half of them have done",
      () => Promise.all(survivors.map((node) => node.parts(id))),
      (all) => all.every(knows),
      DONE_MS,
    );
    expect(await first.state(id)).toMatchObject({ state: "running" });
    await Promise.all(victims.map((node) => node.process.end("SIGKILL")));
    for (const node of survivors) await node.done(id);
    const after = await Promise.all(survivors.map((node) => node.parts(id)));
    const again = after.map(({ ran }, i) => intersect(subtract(ran, before[i]?.ran ?? []), done));
    expect(again).toEqual(survivors.map(() => []));
    for (const node of survivors) expect(await node.ask<string>({ result: id })).toBe(LONG_RESULT);
  },
);

test("halves that are cut apart each finish it; healed, there is one result", { timeout: TEST_MS }, async () => {
  await using sites = await openSites(4);
  await using lab = await openJobLab();
  const up = (site: number, invite: readonly string[]): Promise<JobNode> =>
    JobNode.up(lab, [join(lab.folder, `s${site}`), "1", sites.address(site), ...invite], sites.enter(site));
  const a = await up(0, []);
  const [b, c, d] = await Promise.all([1, 2, 3].map((site) => up(site, [a.invite])));
  if (b === undefined || c === undefined || d === undefined) throw new Error("They are not up");
  const all = [a, b, c, d];
  await Promise.all(all.map((node) => node.sees(4)));
  const id = await a.ask<string>({ submit: JOB });
  await eventually(
    "all know it",
    () => d.state(id),
    ({ tasks }) => (tasks?.done ?? 0) > 0,
    DONE_MS,
  );
  await sites.cut([2, 3]);
  for (const node of all) await node.done(id);
  for (const node of all) expect(await node.ask<string>({ result: id })).toBe(RESULT);
  await sites.heal();
  await Promise.all(all.map((node) => node.sees(4)));
  const who = async (): Promise<(string | undefined)[]> =>
    Promise.all(all.map(async (node) => (await node.state(id)).by));
  await eventually("they say the same of who finished it", who, (by) => new Set(by).size === 1, 60_000);
  for (const node of all) expect(await node.ask<string>({ result: id })).toBe(RESULT);
});
