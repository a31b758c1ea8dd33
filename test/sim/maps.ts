/** Nodes with a net and a replicated map on simulated machines, for the simulations of the memory. */
import type { StarfishError } from "../../core/base/errors.ts";
import { createMemory, type MapOptions, type Memory } from "../../core/memory/memory.ts";
import type { ReplicatedMap } from "../../core/memory/types.ts";
import { createNet } from "../../core/net/net.ts";
import type { Net } from "../../core/net/types.ts";
import type { MachineOptions } from "./life.ts";
import type { SimNode } from "./node.ts";
import type { SimWorld } from "./world.ts";

/** One life of a node. */
export interface MapNode {
  readonly machine: SimNode;
  readonly net: Net;
  readonly memory: Memory;
  readonly map: ReplicatedMap;
  readonly startedMs: number;
}

export interface MapSwarmOptions extends MapOptions {
  /** Wraps a node's net for its memory, for example to lose gossip. */
  readonly wrap?: (net: Net, machine: SimNode) => Net;
}

const MAP = "test";

export class MapSwarm {
  readonly world: SimWorld;
  /** The nodes that run, by the names of their machines. */
  readonly running: Map<string, MapNode> = new Map();
  readonly #options: MapSwarmOptions;
  #invite: string | undefined;

  constructor(world: SimWorld, options: MapSwarmOptions = {}) {
    this.world = world;
    this.#options = options;
  }

  get nodes(): MapNode[] {
    return [...this.running.values()];
  }

  node(name: string): MapNode {
    const node = this.running.get(name);
    if (node === undefined) throw new Error(`${name} is not running`);
    return node;
  }

  /**
   * Switches a machine on, a new one or one that has been there before, with an invite of `host`. Resolves when its map
   * is there.
   */
  async up(options: MachineOptions, host?: MapNode): Promise<MapNode> {
    const before = this.world.nodes.find(({ name }) => name === options.name);
    const machine = before === undefined ? this.world.spawn(options) : this.world.restart(before);
    const { store, clock, random, crypto, log } = machine.ports;
    const { name, kind } = machine.machine;
    const invite = host?.net.invite() ?? this.#invite;
    const net = await createNet({ kind, found: invite === undefined, name, invite })({
      store,
      clock,
      random,
      crypto,
      log,
      network: async (keys) => machine.networkAs(keys),
    });
    const wrapped = this.#options.wrap?.(net, machine) ?? net;
    const memory = createMemory({ net: wrapped, store, clock, random, crypto, log });
    const map = await memory.map(MAP, this.#options);
    const node: MapNode = { machine, net, memory, map, startedMs: this.world.nowMs };
    this.running.set(name, node);
    return node;
  }

  /** Like `up`, and runs the world meanwhile. */
  start(options: MachineOptions): Promise<MapNode> {
    return this.world.settle(this.up(options), { withinMs: 5_000 });
  }

  /** Makes this node invite new ones from now on. */
  inviteBy(name: string): void {
    this.#invite = this.node(name).net.invite();
  }

  /** A founder and `count - 1` more, who all know each other. */
  async found(count: number, options: (index: number) => Partial<MachineOptions> = () => ({})): Promise<MapNode[]> {
    for (let i = 0; i < count; i++) {
      await this.start({ name: `m${i}`, kind: "node", ...options(i) });
      if (i === 0) this.inviteBy("m0");
    }
    await this.acquainted();
    return this.nodes;
  }

  async acquainted(withinMs = 20_000): Promise<void> {
    const knowsAll = ({ net }: MapNode): boolean =>
      net.members().filter(({ status }) => status === "awake").length === this.running.size;
    await this.world.runUntil(() => this.nodes.every(knowsAll), { withinMs, everyMs: 50, what: "all know all" });
  }

  /** Ends a node's life; `silent` leaves its links to time out. */
  crash(name: string, silent = false): void {
    this.world.crash(this.node(name).machine, { silent });
    this.running.delete(name);
  }

  /** Says goodbye and switches off. */
  leave(name: string): void {
    const node = this.node(name);
    this.running.delete(name);
    node.memory.flush();
    void node.net.leave();
    void node.memory.close();
    this.world.scheduler.after(1_000, "exit", () => {
      if (node.machine.running && !this.running.has(name)) this.world.crash(node.machine);
    });
  }

  /** Whether these nodes' maps are equal. */
  areEqual(nodes: readonly MapNode[] = this.nodes): boolean {
    const [first, ...others] = nodes;
    if (first === undefined) return true;
    const { fingerprint } = first.map.stat();
    if (others.some(({ map }) => map.stat().fingerprint !== fingerprint)) return false;
    const nowMs = first.map.now();
    const text = contentsOf(first.map, nowMs);
    return others.every(({ map }) => contentsOf(map, nowMs) === text);
  }

  /** How the maps of two of these nodes differ, if they do. */
  difference(nodes: readonly MapNode[] = this.nodes): string | undefined {
    const nowMs = nodes[0]?.map.now() ?? 0;
    const [first, ...others] = nodes.map(({ machine, map }) => ({
      name: machine.name,
      lines: new Set(contentsOf(map, nowMs).split("\n")),
    }));
    for (const other of others) {
      const [x, y] = [first?.lines.difference(other.lines), other.lines.difference(first?.lines ?? new Set())];
      if (x?.size === 0 && y.size === 0) continue;
      return `${first?.name} has ${[...(x ?? [])].slice(0, 9).join(", ")}; ${other.name} has ${[...y].slice(0, 9).join(", ")}`;
    }
    return undefined;
  }

  /** Runs until they are equal; returns how long that took, virtual ms. */
  async equal(withinMs: number, nodes?: readonly MapNode[]): Promise<number> {
    return this.world.runUntil(() => this.areEqual(nodes), {
      withinMs,
      everyMs: 50,
      what: "all maps are equal",
      describe: () => this.difference(nodes) ?? "",
    });
  }

  settle<T>(promise: Promise<T>, withinMs = 30_000): Promise<T> {
    return this.world.settle(promise, { withinMs });
  }

  /** The error with which the promise rejects. */
  async failure(promise: Promise<unknown>): Promise<StarfishError> {
    const caught = await this.settle(
      promise.then(
        () => undefined,
        (error: unknown) => error as StarfishError,
      ),
    );
    if (caught === undefined) throw new Error("It did not fail as it should");
    return caught;
  }
}

/** An entry that expires within this time may be gone on one node and not on another, because their clocks differ. */
const EXPIRY_MS = 3_000;

function contentsOf(map: ReplicatedMap, nowMs: number): string {
  return [...map.entries()]
    .filter(({ expiresAtMs = Infinity }) => expiresAtMs > nowMs + EXPIRY_MS)
    .map(({ key, value, version }) => `${key}=${JSON.stringify(value)}@${version.stamp}/${version.writer}`)
    .join("\n");
}
