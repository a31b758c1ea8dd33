/** Whole nets on simulated machines, for the simulations of what stands on the net. */
import type { SimNode } from "./node.ts";
import { SimWorld, type WorldOptions } from "./world.ts";
import { StarfishError } from "../../core/base/errors.ts";
import { createNet, type NetOptions } from "../../core/net/net.ts";
import type { Member, Net } from "../../core/net/types.ts";

export class Swarm {
  readonly world: SimWorld;
  readonly nets: Map<string, Net> = new Map();
  readonly attempts: Map<string, (StarfishError | undefined)[]> = new Map();

  constructor(seed: number, options: Omit<WorldOptions, "seed"> = {}) {
    this.world = new SimWorld({ ...options, seed });
  }

  async up(name: string, options: Partial<NetOptions> = {}, kind: "node" | "tab" = "node"): Promise<Net> {
    const before = this.world.nodes.find((node) => node.name === name);
    const node = before === undefined ? this.world.spawn({ name, kind }) : this.world.restart(before);
    return this.start(node, options);
  }

  async start(node: SimNode, options: Partial<NetOptions> = {}): Promise<Net> {
    const { store, clock, random, crypto, log } = node.ports;
    const { name } = node;
    const attempts: (StarfishError | undefined)[] = [];
    this.attempts.set(name, attempts);
    const starting = createNet({
      kind: node.machine.kind,
      found: true,
      name,
      onAttempt: (failure) => void attempts.push(failure),
      ...options,
    })({ store, clock, random, crypto, log, network: async (keys) => node.networkAs(keys) });
    const net = await this.world.settle(starting, { withinMs: 5_000 });
    this.nets.set(name, net);
    return net;
  }

  net(name: string): Net {
    const net = this.nets.get(name);
    if (net === undefined) throw new Error(`No net called ${name}`);
    return net;
  }

  crash(name: string): void {
    this.world.crash(name);
    this.nets.delete(name);
  }

  /** Every running node sees exactly the running ones as awake. */
  agrees(): boolean {
    const names = [...this.nets.keys()].toSorted();
    return [...this.nets.values()].every((net) => {
      const awake = net
        .members()
        .filter(isAwake)
        .map(({ record }) => record.name);
      return JSON.stringify(awake.toSorted()) === JSON.stringify(names);
    });
  }

  picture(): string {
    return [...this.nets].map(([name, net]) => `${name} sees ${net.members().map(say).join(", ")}`).join("\n");
  }

  async agreement(withinMs: number): Promise<number> {
    return this.world.runUntil(() => this.agrees(), { withinMs, what: "all agree", describe: () => this.picture() });
  }

  settle<T>(promise: Promise<T>, withinMs = 30_000): Promise<T> {
    return this.world.settle(promise, { withinMs });
  }

  async failure(promise: Promise<unknown>): Promise<StarfishError> {
    const caught = await this.settle(
      promise.then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
    if (caught instanceof StarfishError) return caught;
    throw new Error("It did not fail as it should", { cause: caught });
  }
}

function isAwake({ status }: Member): boolean {
  return status === "awake";
}

export function say({ record, status }: Member): string {
  return `${record.name}:${status}`;
}

/** Three nodes, each of which was invited by the one before. */
export async function chain(seed: number): Promise<Swarm> {
  const swarm = new Swarm(seed);
  const a = await swarm.up("a");
  const b = await swarm.up("b", { invite: a.invite() });
  // c knows only b.
  const invite = b.invite();
  await swarm.up("c", { invite });
  await swarm.agreement(10_000);
  return swarm;
}
