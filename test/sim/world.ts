/**
 * A whole world in one process: machines with their ports, the network between them, virtual time, and faults.
 * Everything in it follows from the seed: the same seed and the same calls give the same events, told by `traceHash`.
 *
 *     const world = new SimWorld({ seed: 7 });
 *     const a = world.spawn({ name: "a", kind: "node" });
 *     startProgram(a.ports);
 *     await world.runUntil(() => isSettled(a), { withinMs: 10_000 });
 */
import { assert } from "../../core/base/assert.ts";
import { messageOf } from "../../core/base/errors.ts";
import type { KeyPair } from "../../core/ports/crypto.ts";
import { IdealCrypto } from "./crypto.ts";
import { type Cut, Fabric, type FabricOptions } from "./fabric.ts";
import { Journal } from "./journal.ts";
import { Machine, type MachineOptions } from "./life.ts";
import { SimNode } from "./node.ts";
import { SeededRandom } from "./random.ts";
import type { TaskModel } from "./sandbox.ts";
import { Scheduler, type SimEvent } from "./scheduler.ts";

export interface WorldOptions extends FabricOptions {
  readonly seed: number | string;
  /** Sees each event before it happens, for debugging. */
  readonly trace?: (event: SimEvent) => void;
  /** How long tasks take in the simulated sandboxes. */
  readonly tasks?: TaskModel;
}

/** The virtual time that `drive` runs before it lets real events happen. */
const DRIVE_STEP_MS = 1;

/** A group of machines, given by their names or as objects. */
export type Group = readonly (string | SimNode)[];

export class SimWorld {
  readonly seed: string;
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  readonly crypto: IdealCrypto;
  readonly fabric: Fabric;
  readonly journal: Journal;
  readonly #tasks: TaskModel | undefined;
  readonly #nodes = new Map<string, SimNode>();

  constructor(options: WorldOptions) {
    this.seed = String(options.seed);
    this.scheduler = new Scheduler({ trace: options.trace });
    this.random = new SeededRandom(this.seed);
    this.crypto = new IdealCrypto(this.seed);
    this.fabric = new Fabric(this.scheduler, this.random.fork("fabric"), options);
    this.journal = new Journal(this.scheduler);
    this.#tasks = options.tasks;
  }

  /** Virtual ms since the world began. */
  get nowMs(): number {
    return this.scheduler.nowMs;
  }

  /** All machines that were ever there, in the order of their first start. */
  get nodes(): readonly SimNode[] {
    return [...this.#nodes.values()];
  }

  node(name: string): SimNode {
    const node = this.#nodes.get(name);
    assert(node !== undefined, `there is a machine called ${name}`);
    return node;
  }

  /** Sets up a machine and switches it on. Its name is unique; its random numbers and its identity follow from it. */
  spawn(options: MachineOptions): SimNode {
    assert(!this.#nodes.has(options.name), `the name ${options.name} is free`);
    const random = this.random.fork(`node/${options.name}`);
    const keys: KeyPair = this.crypto.keyPair(random.fork("identity").bytes(32));
    const node = new SimNode(this, new Machine(options), keys, random, this.#tasks);
    this.#nodes.set(options.name, node);
    return node;
  }

  /**
   * Ends a life in the middle of what it does. Peers see their links reset, or with `silent` (power cut, lost radio)
   * nothing until the connections time out.
   */
  crash(node: string | SimNode, options: { silent?: boolean } = {}): void {
    this.#resolve(node).crash(options.silent ?? false);
  }

  /** Switches a crashed machine on again: same disk, same identity, everything else new. */
  restart(node: string | SimNode): SimNode {
    const resolved = this.#resolve(node);
    resolved.start();
    return resolved;
  }

  /** Holds a machine still, as a browser freezes a tab: nothing runs, and nothing gets in or out, until `thaw`. */
  freeze(node: string | SimNode): void {
    this.fabric.setFrozen(this.#resolve(node).machine, true);
  }

  thaw(node: string | SimNode): void {
    const { machine } = this.#resolve(node);
    this.fabric.setFrozen(machine, false);
    for (const timer of machine.held.splice(0)) this.scheduler.post(timer, this.nowMs);
  }

  /**
   * Cuts the network: between the groups (machines in none of them form one more), or wherever the predicate says,
   * which need not be symmetric. Replaces the cut before.
   */
  partition(cut: readonly Group[] | Cut): void {
    if (typeof cut === "function") {
      this.fabric.setCut(cut);
      return;
    }
    const groups = new Map<Machine, number>();
    cut.forEach((group, i) => group.forEach((node) => groups.set(this.#resolve(node).machine, i)));
    this.fabric.setCut((from, to) => groups.get(from) !== groups.get(to));
  }

  heal(): void {
    this.fabric.setCut(undefined);
  }

  /** Runs the world for some virtual time. Rejects with the first error that its code throws, and says the seed. */
  async runFor(durationMs: number): Promise<void> {
    await this.run({ untilMs: this.nowMs + durationMs });
  }

  async run(options: { untilMs: number }): Promise<void> {
    await this.#guarded(() => this.scheduler.run(options.untilMs));
  }

  /**
   * Runs until the condition holds, checking every `everyMs` virtual ms; resolves to how long that took. Rejects if it
   * does not hold within `withinMs`, with what `describe` says.
   */
  async runUntil(
    condition: () => boolean,
    options: { withinMs: number; everyMs?: number; what?: string; describe?: () => string },
  ): Promise<number> {
    const beganMs = this.nowMs;
    const everyMs = options.everyMs ?? 10;
    let lookMs = beganMs;
    await this.#guarded(async () => {
      const met = await this.scheduler.run(beganMs + options.withinMs, (nextMs) => {
        if (nextMs < lookMs) return false;
        lookMs = nextMs + everyMs;
        return condition();
      });
      if (met || condition()) return;
      const what = options.what ?? String(condition);
      throw new Error(
        `Not within ${options.withinMs} virtual ms: ${what}${options.describe ? `\n${options.describe()}` : ""}`,
      );
    });
    return this.nowMs - beganMs;
  }

  /** Runs until the promise settles, and returns its result. */
  async settle<T>(promise: Promise<T>, options: { withinMs: number }): Promise<T> {
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    promise.then(mark, mark);
    await this.runUntil(() => settled, { ...options, everyMs: 0, what: "the promise settles" });
    return promise;
  }

  /**
   * Lets time pass by itself, as fast as it can, until disposed of: for suites that await promises and know nothing of
   * virtual time. Such a run does not repeat exactly.
   */
  drive(): AsyncDisposable {
    const stop = new AbortController();
    const driven = (async () => {
      while (!stop.signal.aborted) await this.runFor(DRIVE_STEP_MS);
    })();
    driven.catch(() => {});
    return {
      async [Symbol.asyncDispose](): Promise<void> {
        stop.abort();
        await driven;
      },
    };
  }

  /** Equal for runs that went alike, event for event. */
  traceHash(): string {
    return this.scheduler.traceHash();
  }

  #resolve(node: string | SimNode): SimNode {
    return typeof node === "string" ? this.node(node) : node;
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const place = `seed ${this.seed}, virtual time ${this.nowMs.toFixed(3)} ms, event ${this.scheduler.events}`;
      throw new Error(`Simulation failed (${place}): ${messageOf(error)}${this.journal.tail()}`, { cause: error });
    }
  }
}
