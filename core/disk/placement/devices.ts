/**
 * The devices that hold shards, as this node sees them: those with a node that is awake and offers storage. Tabs of one
 * browser are one device, and several devices may be on one machine. A missing device is remembered as long as it is
 * awaited.
 */
import { Listeners, type Unsubscribe } from "../../base/events.ts";
import { rendezvous } from "../../base/rendezvous.ts";
import type { Net } from "../../net/types.ts";
import type { Clock } from "../../ports/clock.ts";
import type { PeerId } from "../../ports/network.ts";
import { Absences } from "./absences.ts";
import type { Catalogue } from "./catalogue.ts";
import { type Layout, layoutAmong } from "../code/layout.ts";
import { FULL_REMEMBERED_MS, ROOM_BYTES_MIN, SPREAD_AFTER_MS } from "../limits.ts";
import { overMachines, Placement, weightOf } from "./placement.ts";

export interface Device {
  readonly id: string;
  /** The machine on which the device is. */
  readonly host: string;
  readonly nodes: readonly PeerId[];
  readonly freeBytes: number;
  /** The time since which this node has seen it there without a break, monotonic ms. */
  readonly sinceMs: number;
}

export class Devices {
  readonly #net: Net;
  readonly #catalogue: Catalogue;
  readonly #clock: Clock;
  #awake: ReadonlyMap<string, Device> = new Map();
  #machines = 0;
  #placement = new Placement([]);
  readonly #absences: Absences<string>;
  /** Devices that have answered "full", and the time until which that is believed. */
  readonly #full = new Map<string, number>();
  readonly #changes = new Listeners<void>();
  readonly #stops: readonly Unsubscribe[];

  constructor(net: Net, catalogue: Catalogue, clock: Clock, fixedGraceMs: number | undefined) {
    this.#absences = new Absences(clock.monotonic(), fixedGraceMs);
    this.#net = net;
    this.#catalogue = catalogue;
    this.#clock = clock;
    this.#stops = [
      // Anyone can make up thousands of members that store nothing, and each look goes through all members.
      net.onMember(({ member }) => {
        if (catalogue.storage(member.record.peer) !== undefined) this.#look();
      }),
      catalogue.onChange((what) => {
        if (what === "storage") this.#look();
      }),
    ];
    this.#look();
  }

  close(): void {
    for (const stop of this.#stops) stop();
  }

  /** Called when a device has come or gone. */
  onChange(listener: () => void): Unsubscribe {
    return this.#changes.add(listener);
  }

  get count(): number {
    return this.#awake.size;
  }

  /** The number of machines on which these devices are. */
  get machines(): number {
    return this.#machines;
  }

  /** The machine of a device that is there. A missing device counts as a machine of its own. */
  hostOf(device: string): string {
    return this.#awake.get(device)?.host ?? device;
  }

  /** The layout in which contents are written now. */
  get layout(): Layout {
    const withRoom = [...this.#awake.keys()].filter((device) => this.hasRoom(device)).length;
    return layoutAmong(Math.max(1, this.count), withRoom);
  }

  awake(): IterableIterator<Device> {
    return this.#awake.values();
  }

  isAwake(device: string): boolean {
    return this.#awake.has(device);
  }

  /** All nodes that hold shards and are there, including this one if it does. */
  nodes(): PeerId[] {
    return [...this.#awake.values()].flatMap(({ nodes }) => nodes);
  }

  /** The same nodes in two halves. The first half has been there longer, and so has seen who comes and goes. */
  nodesByAge(): readonly [older: PeerId[], younger: PeerId[]] {
    const startedAtMs = (node: PeerId): number => this.#net.member(node)?.record.startedAtMs ?? Infinity;
    const nodes = this.nodes()
      .map((node) => ({ node, atMs: startedAtMs(node) }))
      .sort((a, b) => a.atMs - b.atMs || (a.node < b.node ? -1 : 1))
      .map(({ node }) => node);
    const half = Math.ceil(nodes.length / 2);
    return [nodes.slice(0, half), nodes.slice(half)];
  }

  /** The nodes of a device; the one that holds the partition comes first. */
  nodesOf(device: string, partition: number): readonly PeerId[] {
    const nodes = this.#awake.get(device)?.nodes ?? [];
    const first = nodes.length < 2 ? undefined : rendezvous(nodes, partition);
    return first === undefined ? nodes : [first, ...nodes.filter((node) => node !== first)];
  }

  /**
   * Whether it has failed to answer and has no link to this node. It counts as there for a while, but asking it takes a
   * dial.
   */
  isDoubtful(node: PeerId): boolean {
    return this.#net.member(node)?.status === "suspect" && !this.#net.links().some(({ peer }) => peer === node);
  }

  deviceOf(node: PeerId): string | undefined {
    return this.#net.member(node)?.record.device;
  }

  /**
   * All devices, first choice first: one machine after the other in turn, beginning with those that have the fewest
   * devices in `taken`.
   */
  order(partition: number, taken: Iterable<string> = []): readonly string[] {
    const order = this.#placement.order(partition);
    return this.machines === order.length ? order : overMachines(order, (device) => this.hostOf(device), taken);
  }

  /** Whether it has been there long enough for shards of old contents to move to it. */
  isSettled(device: string): boolean {
    const since = this.#awake.get(device)?.sinceMs;
    return since !== undefined && this.#clock.monotonic() - since >= SPREAD_AFTER_MS;
  }

  /**
   * When the next device will be settled, in ms from now; undefined if no machine has several devices, or none is new.
   */
  nextSettledMs(): number | undefined {
    if (this.machines < 2 || this.machines === this.count) return undefined;
    const nowMs = this.#clock.monotonic();
    const left = [...this.#awake.values()].map(({ sinceMs }) => sinceMs + SPREAD_AFTER_MS - nowMs);
    const least = left.filter((ms) => ms > 0).reduce((a, b) => Math.min(a, b), Infinity);
    return least === Infinity ? undefined : least;
  }

  hasRoom(device: string): boolean {
    const until = this.#full.get(device);
    if (until !== undefined && until > this.#clock.monotonic()) return false;
    return (this.#awake.get(device)?.freeBytes ?? 0) >= ROOM_BYTES_MIN;
  }

  /** Notes that it has refused a shard because it had no room. */
  sawFull(device: string): void {
    this.#full.set(device, this.#clock.monotonic() + FULL_REMEMBERED_MS);
  }

  /** Whether nobody has left for long. */
  get isAtRest(): boolean {
    return this.#absences.isAtRest(this.#clock.monotonic());
  }

  /** Whether many devices went at once, a moment ago. */
  get isCut(): boolean {
    return this.#absences.isCut(this.#clock.monotonic());
  }

  /** Whether it is away, and may be back soon. */
  isAwaited(device: string): boolean {
    return !this.#awake.has(device) && this.#absences.isAwaited(device, this.#clock.monotonic());
  }

  /** When the next missing device is no longer awaited, in ms from now; undefined if none is awaited. */
  nextGraceEndMs(): number | undefined {
    return this.#absences.nextGraceEndMs(this.#clock.monotonic());
  }

  #look(): void {
    const nodes = new Map<string, { host: string; nodes: PeerId[]; freeBytes: number }>();
    for (const { record, status } of this.#net.members()) {
      if (status !== "awake" && status !== "suspect") continue;
      const storage = this.#catalogue.storage(record.peer);
      if (storage === undefined || storage.offeredBytes === 0) continue;
      const device = nodes.get(record.device) ?? { host: record.host, nodes: [], freeBytes: 0 };
      device.nodes.push(record.peer);
      device.freeBytes = Math.max(device.freeBytes, storage.freeBytes);
      nodes.set(record.device, device);
    }
    const before = this.#awake;
    this.#awake = new Map(
      [...nodes].map(([id, { host, nodes: those, freeBytes }]) => {
        const sinceMs = before.get(id)?.sinceMs ?? this.#clock.monotonic();
        return [id, { id, host, nodes: those.sort(), freeBytes, sinceMs }];
      }),
    );
    this.#machines = new Set([...this.#awake.values()].map(({ host }) => host)).size;
    const came = [...this.#awake.keys()].filter((id) => !before.has(id));
    const went = [...before.keys()].filter((id) => !this.#awake.has(id));
    if (came.length + went.length > 0) {
      this.#absences.observe(this.#clock.monotonic(), came, went, this.#awake.size);
    }
    const isMoved = [...this.#awake.values()].some(
      ({ id, freeBytes }) => weightOf(freeBytes) !== weightOf(before.get(id)?.freeBytes ?? 0),
    );
    if (came.length + went.length > 0 || isMoved) {
      this.#placement = new Placement(
        [...this.#awake.values()].map(({ id, freeBytes }) => ({ id, weight: weightOf(freeBytes) })),
      );
    }
    if (came.length + went.length === 0) return;
    this.#changes.emit();
  }
}
