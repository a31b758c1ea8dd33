/**
 * Nodes that take part in jobs, on simulated machines: real nets, maps and sandboxes, contents in memory or real ones.
 */
import { concat, text, utf8 } from "../../core/base/bytes.ts";
import { createContents } from "../../core/disk/contents.ts";
import type { Contents } from "../../core/disk/types.ts";
import { createCpu } from "../../core/jobs/cpu.ts";
// Modules that are loaded with the first map, graph or long task are imported here, because virtual time does not wait for
// imports.
import "../../core/jobs/borrower.ts";
import "../../core/jobs/dispatcher.ts";
import "../../core/jobs/graph-table.ts";
import "../../core/jobs/remembered.ts";
import { createJobs } from "../../core/jobs/jobs.ts";
import type { JobSpec } from "../../core/jobs/spec.ts";
import type { Cpu, JobOutcome, Jobs, JobState } from "../../core/jobs/types.ts";
import { createWorkers } from "../../core/jobs/workers.ts";
import { createMemory, type Memory } from "../../core/memory/memory.ts";
import type { Sandbox } from "../../core/ports/sandbox.ts";
import { createNet } from "../../core/net/net.ts";
import type { Net } from "../../core/net/types.ts";
import { MemoryContents, type Stored } from "../fixtures/contents.ts";
import type { SimNode } from "./node.ts";
import { SimWorld, type WorldOptions } from "./world.ts";

/** Each liar makes up another output. */
function lying(sandbox: Sandbox, name: string, lies: (input: string) => boolean): Sandbox {
  return {
    cores: sandbox.cores,
    async spawn() {
      const worker = await sandbox.spawn();
      return {
        ...worker,
        async run(tasks, ran) {
          const lying = tasks.inputs.map((input) => lies(text(input)));
          await worker.run(tasks, (runs) =>
            ran(
              runs.map(({ outcome, runMs }) => {
                const lie = lying.shift() === true && outcome.ok;
                return { outcome: lie ? { ...outcome, output: utf8(`${name} says so`) } : outcome, runMs };
              }),
            ),
          );
        },
      };
    },
  };
}

const QUOTA_BYTES = 1_000_000_000;

export interface JobNode {
  readonly machine: SimNode;
  readonly net: Net;
  readonly memory: Memory;
  readonly contents: Contents;
  readonly cpu: Cpu;
  readonly jobs: Jobs;
}

export interface JobNodeOptions {
  readonly cores?: number;
  readonly lent?: number;
  readonly speed?: number;
  readonly kind?: "node" | "tab";
  /** Where this returns true, its sandbox gives another output than the program's: a device that errs, or lies. */
  readonly lies?: (input: string) => boolean;
  /** Another sandbox than the simulated one. */
  readonly sandbox?: (machine: SimNode) => Sandbox;
}

export class JobLab {
  readonly world: SimWorld;
  readonly running: Map<string, JobNode> = new Map();
  /** Tasks that cores have begun, with their machines and inputs. */
  readonly begun: { readonly node: string; readonly input: string }[] = [];
  readonly #stored: Stored = new Map();
  readonly #isReal: boolean;
  #invite: string | undefined;

  /** @param isReal with the real disk; otherwise all share one in memory, which is never cut */
  constructor(options: WorldOptions, isReal = false) {
    this.world = new SimWorld(options);
    this.#isReal = isReal;
  }

  get nodes(): JobNode[] {
    return [...this.running.values()];
  }

  node(name: string): JobNode {
    const node = this.running.get(name);
    if (node === undefined) throw new Error(`${name} is not running`);
    return node;
  }

  async up(name: string, options: JobNodeOptions = {}): Promise<JobNode> {
    const { cores = 2, lent = cores, speed = 1, kind = "node", lies } = options;
    const before = this.world.nodes.find((node) => node.name === name);
    const machine = before === undefined ? this.world.spawn({ name, kind, cores, speed }) : this.world.restart(before);
    const { store, shards, coder, clock, random, crypto, log } = machine.ports;
    const sandbox = options.sandbox?.(machine) ?? machine.ports.sandbox;
    const ports = { store, coder, clock, random, crypto, log, sandbox: lies ? lying(sandbox, name, lies) : sandbox };
    shards.setQuota(QUOTA_BYTES);
    const invite = this.nodes[0]?.net.invite() ?? this.#invite;
    const starting = createNet({ kind, name, found: invite === undefined, invite, coresLent: lent })({
      ...ports,
      network: async (keys) => machine.networkAs(keys),
    });
    const net = await this.world.settle(starting, { withinMs: 10_000 });
    this.#invite ??= net.invite();
    const memory = createMemory({ ...ports, net });
    const contents = this.#isReal
      ? await this.world.settle(createContents({ ...ports, net, memory, store: shards }), { withinMs: 10_000 })
      : new MemoryContents(
          (pieces) => Promise.resolve(pieces.map((piece) => ports.crypto.sha256(concat([piece])))),
          this.#stored,
        );
    const workers = createWorkers(ports);
    const cpu = createCpu({ coresLent: lent })({ ...ports, net, workers });
    const starting2 = createJobs({ ...ports, net, memory, contents, workers });
    const jobs = await this.world.settle(starting2, { withinMs: 10_000 });
    const node = { machine, net, memory, contents, cpu, jobs };
    this.running.set(name, node);
    return node;
  }

  /** Machines n0, n1, … that know each other. */
  async grow(count: number, options: JobNodeOptions = {}): Promise<JobNode> {
    for (let i = this.running.size; i < count; i++) await this.up(`n${i}`, options);
    await this.acquainted();
    return this.node("n0");
  }

  async acquainted(withinMs = 60_000): Promise<void> {
    const knowAll = (): boolean =>
      this.nodes.every(
        ({ net }) => net.members().filter(({ status }) => status === "awake").length === this.running.size,
      );
    await this.world.runUntil(knowAll, { withinMs, what: "all know each other", everyMs: 100 });
  }

  crash(name: string, options: { silent?: boolean } = {}): void {
    this.world.crash(name, options);
    this.running.delete(name);
  }

  async submit(node: JobNode, spec: JobSpec): Promise<string> {
    const { id } = await this.world.settle(node.jobs.submit(spec), { withinMs: 20_000 });
    return id;
  }

  state(id: string, node: JobNode = this.firstNode()): JobState | undefined {
    return node.jobs.state(id);
  }

  firstNode(): JobNode {
    const [first] = this.nodes;
    if (first === undefined) throw new Error("Nobody is there");
    return first;
  }

  /** Runs until all nodes say the same about how the job ended. */
  async outcome(id: string, withinMs = 120_000): Promise<JobOutcome> {
    const told = (): boolean => this.nodes.every(({ jobs }) => jobs.state(id)?.outcome !== undefined);
    const describe = (): string =>
      this.nodes
        .map(({ machine, jobs }) => `${machine.name}: ${JSON.stringify({ ...jobs.state(id)?.tasks })}`)
        .join("\n");
    await this.world.runUntil(told, { withinMs, everyMs: 50, what: `job ${id} is over everywhere`, describe });
    const outcome = this.state(id)?.outcome;
    if (outcome === undefined) throw new Error("It is not over");
    return outcome;
  }

  async result(id: string, node: JobNode = this.firstNode()): Promise<string> {
    const parts = await this.world.settle(Array.fromAsync(node.jobs.result(id)), { withinMs: 60_000 });
    return text(concat(parts));
  }
}
