/** Nodes with a disk on simulated machines, for the simulations of contents: real code, real bytes, virtual time. */
import { equal } from "../../core/base/bytes.ts";
import { StarfishError } from "../../core/base/errors.ts";
import { type ContentsOptions, createContents } from "../../core/disk/contents.ts";
import type { ContentRef, Contents, ContentStat } from "../../core/disk/types.ts";
import { createMemory, type Memory } from "../../core/memory/memory.ts";
import type { ReplicatedMap } from "../../core/memory/types.ts";
import { createNet } from "../../core/net/net.ts";
import type { Net } from "../../core/net/types.ts";
import type { MachineOptions } from "./life.ts";
import type { SimNode } from "./node.ts";
import { SeededRandom } from "./random.ts";
import type { SimShardDisk } from "./shard-store.ts";
import type { SimWorld } from "./world.ts";

/** One life of a node. */
export interface DiskNode {
  readonly machine: SimNode;
  readonly net: Net;
  readonly memory: Memory;
  readonly layout: ReplicatedMap;
  readonly contents: Contents;
  readonly disk: SimShardDisk;
}

export interface DiskSwarmOptions extends ContentsOptions {
  readonly quotaBytes?: number;
  /** Wraps a node's net for its disk, for example to lie. */
  readonly wrap?: (net: Net, machine: SimNode) => Net;
}

export interface DiskMachineOptions extends MachineOptions {
  readonly device?: string;
  /** The machine that it shares with others; by default it has a machine of its own. */
  readonly host?: string;
  readonly quotaBytes?: number;
}

/** The net of a node that answers requests of one protocol in its own way; `serve` gives the right answer. */
export function answering(
  net: Net,
  lied: string,
  answer: (serve: () => Promise<unknown>, request: unknown) => Promise<unknown>,
): Net {
  return Object.assign<Net, Partial<Net>>(Object.create(net) as Net, {
    self: net.self,
    members: () => net.members(),
    member: net.member.bind(net),
    onMember: net.onMember.bind(net),
    links: () => net.links(),
    request: net.request.bind(net),
    handle: (protocol, schema, serve) =>
      net.handle(protocol, schema, async (request, context) => {
        const honest = (): Promise<unknown> => serve(request, context);
        return protocol === lied ? answer(honest, request) : honest();
      }),
  });
}

const QUOTA_BYTES: number = 1024 * 1024 * 1024;

export class DiskSwarm {
  readonly world: SimWorld;
  readonly running: Map<string, DiskNode> = new Map();
  readonly #options: DiskSwarmOptions;
  readonly #random: SeededRandom;

  constructor(world: SimWorld, options: DiskSwarmOptions = {}) {
    this.world = world;
    this.#options = options;
    this.#random = new SeededRandom(`content/${world.seed}`);
  }

  get nodes(): DiskNode[] {
    return [...this.running.values()];
  }

  node(name: string): DiskNode {
    const node = this.running.get(name);
    if (node === undefined) throw new Error(`${name} is not running`);
    return node;
  }

  /** Switches a machine on: a new one, or one that has been there before. */
  async up(options: DiskMachineOptions): Promise<DiskNode> {
    const before = this.world.nodes.find(({ name }) => name === options.name);
    const machine = before === undefined ? this.world.spawn(options) : this.world.restart(before);
    const { store, shards, clock, random, crypto, log, coder } = machine.ports;
    const { name, kind } = machine.machine;
    // By an invite of a living node, since dead ones let nobody in.
    const [host] = this.nodes;
    const invite = host?.net.invite();
    const net = await createNet({
      kind,
      found: invite === undefined,
      name,
      invite,
      device: options.device,
      host: async () => options.host,
    })({ store, clock, random, crypto, log, network: async (keys) => machine.networkAs(keys) });
    const wrapped = this.#options.wrap?.(net, machine) ?? net;
    const memory = createMemory({ net, store, clock, random, crypto, log });
    shards.setQuota(options.quotaBytes ?? this.#options.quotaBytes ?? QUOTA_BYTES);
    const contents = await createContents(
      { net: wrapped, memory, store: shards, coder, clock, random, crypto, log },
      this.#options,
    );
    const layout = await memory.map("layout");
    const node: DiskNode = { machine, net, memory, layout, contents, disk: machine.shardDisk };
    this.running.set(name, node);
    return node;
  }

  /** Adds that many nodes, and waits until all know each other and what each offers. */
  async grow(count: number, options: (index: number) => Partial<DiskMachineOptions> = () => ({})): Promise<DiskNode[]> {
    const from = this.world.nodes.length;
    const names = Array.from({ length: count }, (_, i) => `m${from + i}`);
    for (const [i, name] of names.entries()) {
      await this.settle(this.up({ name, kind: "node", ...options(from + i) }), 10_000);
    }
    await this.acquainted();
    return names.map((name) => this.node(name));
  }

  /** Waits until all nodes see all running nodes and no others, and know what they offer. */
  async acquainted(withinMs = 60_000): Promise<void> {
    const knowsAll = ({ net, layout }: DiskNode): boolean => {
      const awake = net.members().filter(({ status }) => status === "awake");
      return (
        awake.length === this.running.size && awake.every(({ record }) => layout.get(`d/${record.peer}`) !== undefined)
      );
    };
    await this.world.runUntil(() => this.nodes.every(knowsAll), { withinMs, everyMs: 50, what: "all know all" });
  }

  crash(name: string): void {
    this.world.crash(this.node(name).machine);
    this.running.delete(name);
  }

  /** A random half of the running nodes, or `count` of them. */
  halfOf(count: number = Math.floor(this.running.size / 2)): string[] {
    const names = [...this.running.keys()];
    for (let i = names.length - 1; i > 0; i--) {
      const j = Math.floor(this.#random.real() * (i + 1));
      [names[i], names[j]] = [names[j] ?? "", names[i] ?? ""];
    }
    return names.slice(0, count);
  }

  bytes(length: number): Uint8Array {
    return this.#random.bytes(length);
  }

  /** Puts bytes in at a node and waits until they are safe. */
  async put(node: DiskNode, bytes: Uint8Array, withinMs = 120_000): Promise<ContentRef> {
    const { ref, safe } = await this.settle(node.contents.put(chunksOf(bytes), {}), withinMs);
    await this.settle(safe, withinMs);
    return ref;
  }

  async read(node: DiskNode, ref: ContentRef, range: { from?: number; to?: number } = {}): Promise<Uint8Array> {
    return this.settle(collect(node.contents.read(ref, range)), 120_000);
  }

  /** The error with which a read ends. */
  readFailure(node: DiskNode, ref: ContentRef): Promise<StarfishError> {
    return this.failure(collect(node.contents.read(ref)));
  }

  /** Runs until the first node sees all these contents in the wanted state; returns how long that took, virtual ms. */
  async until(
    all: readonly (readonly [ContentRef, Uint8Array])[],
    isWanted: (stat: ContentStat) => boolean,
    withinMs: number,
  ): Promise<number> {
    const beganMs = this.world.nowMs;
    for (;;) {
      const [node] = this.nodes;
      if (node === undefined) throw new Error("Nobody is left to ask");
      const stats = await this.settle(Promise.all(all.map(([ref]) => node.contents.stat(ref))));
      if (stats.every((stat) => isWanted(stat))) return this.world.nowMs - beganMs;
      if (this.world.nowMs - beganMs > withinMs) {
        const wrong = stats.filter((stat) => !isWanted(stat));
        const say = wrong.map((stat) => JSON.stringify({ ...stat, holders: stat.holders.length }));
        throw new Error(`Not within ${withinMs} virtual ms: ${say.join("\n")}`);
      }
      await this.world.runFor(500);
    }
  }

  /** Whether each of these reads back at each of the nodes as it was put. */
  async readsBack(nodes: readonly DiskNode[], all: readonly (readonly [ContentRef, Uint8Array])[]): Promise<void> {
    for (const node of nodes) {
      for (const [ref, bytes] of all) {
        if (!equal(await this.read(node, ref), bytes)) throw new Error(`${ref.cid} reads otherwise`);
      }
    }
  }

  settle<T>(promise: Promise<T>, withinMs = 60_000): Promise<T> {
    return this.world.settle(promise, { withinMs });
  }

  async failure(promise: Promise<unknown>, withinMs = 120_000): Promise<StarfishError> {
    const caught = await this.settle(
      promise.then(
        () => undefined,
        (error: unknown) => error,
      ),
      withinMs,
    );
    if (caught instanceof StarfishError) return caught;
    throw new Error("It did not fail as it should", { cause: caught });
  }

  /** Bytes on the disks of all running nodes: shards, and some sixty bytes around each. */
  get storedBytes(): number {
    const sizes = this.nodes.flatMap(({ disk }) => [...disk.frames.values()].map(({ length }) => length));
    return sizes.reduce((sum, length) => sum + length, 0);
  }
}

/** Bytes in chunks of an odd size. */
export async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const chunkBytes = 100_003;
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
