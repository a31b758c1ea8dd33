/**
 * A swarm in a simulated world: machines that run admission, membership, overlay and gossip, wired as in any node, and
 * what each should believe of the others. It is for simulations of the net alone; no part of the net is replaced.
 */
import { issue, swarmIdOf } from "../../core/net/identity/certificate.ts";
import type { Gossip } from "../../core/net/gossip/gossip.ts";
import { PROTOCOL_VERSIONS } from "../../core/net/limits.ts";
import type { LinkTable } from "../../core/net/links/link-table.ts";
import type { Membership } from "../../core/net/membership/membership.ts";
import type { Overlay } from "../../core/net/overlay/overlay.ts";
import type { CommonTime } from "../../core/net/time/time.ts";
import type { MemberRecord } from "../../core/net/types.ts";
import { wire } from "../../core/net/wiring.ts";
import type { KeyPair } from "../../core/ports/crypto.ts";
import type { Address, PeerId } from "../../core/ports/network.ts";
import type { MachineOptions } from "./life.ts";
import type { SimNode } from "./node.ts";
import type { SimWorld } from "./world.ts";

const NOT_AFTER_MS = 1e14;
const INVITE_ADDRESSES = 4;
const SECRET = new Uint8Array(32).fill(3);

/** One life of a member. */
export interface CrowdNode {
  readonly machine: SimNode;
  readonly peer: PeerId;
  readonly startedMs: number;
  readonly links: LinkTable;
  readonly time: CommonTime;
  readonly membership: Membership;
  readonly overlay: Overlay;
  readonly gossip: Gossip;
  readonly ended: AbortController;
}

export class Crowd {
  readonly world: SimWorld;
  /** The members that run, by the name of their machine. */
  readonly running: Map<string, CrowdNode> = new Map();
  /** The side of the cut to which a machine of this name belongs. */
  side: (name: string) => number = () => 0;
  /** The line along which the network is cut. */
  #line: ((name: string) => number) | undefined;
  readonly #root: KeyPair;
  readonly #delegate: KeyPair;
  readonly #delegation: Uint8Array;

  constructor(world: SimWorld) {
    this.world = world;
    this.#root = world.crypto.keyPair(new Uint8Array(32).fill(1));
    this.#delegate = world.crypto.keyPair(new Uint8Array(32).fill(2));
    this.#delegation = this.#sign(this.#root, this.#delegate.publicKey, "delegate");
  }

  get nodes(): CrowdNode[] {
    return [...this.running.values()];
  }

  node(name: string): CrowdNode {
    const node = this.running.get(name);
    if (node === undefined) throw new Error(`${name} is not running`);
    return node;
  }

  /** Switches a new machine on; it joins by the addresses. */
  add(options: MachineOptions, bootstrap: readonly Address[] = this.addresses(options.name)): CrowdNode {
    return this.start(this.world.spawn(options), bootstrap);
  }

  restart(name: string, bootstrap: readonly Address[] = this.addresses(name)): CrowdNode {
    return this.start(this.world.restart(name), bootstrap);
  }

  /** Addresses of running members on this machine's side of the cut, as an invite from a friend there would have. */
  addresses(name: string): Address[] {
    const side = this.side(name);
    const reachable = this.nodes.filter(({ machine }) => this.side(machine.name) === side);
    return reachable.flatMap(({ machine }) => machine.ports.network.addresses()).slice(-INVITE_ADDRESSES);
  }

  /**
   * Cuts the network along this line. A side without Node.js nodes stays together only where tabs are linked, because
   * nobody could introduce the others; these are sides of their own.
   */
  cut(line: (name: string) => number): void {
    this.#line = line;
    this.#divide(line);
    this.world.partition((from, to) => this.side(from.name) !== this.side(to.name));
  }

  #divide(line: (name: string) => number): void {
    const sides = new Map<string, number>();
    let parts = this.nodes.length;
    for (const { machine } of this.nodes) {
      if (sides.has(machine.name)) continue;
      const side = line(machine.name);
      const hasAddress = this.nodes.some(
        (other) => other.machine.machine.kind === "node" && line(other.machine.name) === side,
      );
      if (hasAddress) continue;
      const part = parts++;
      for (const name of this.#linked(machine.name, line)) sides.set(name, part);
    }
    this.side = (name) => sides.get(name) ?? line(name);
  }

  /** The machines that are linked to this one, directly or by others on its side of the line. */
  #linked(from: string, line: (name: string) => number): Set<string> {
    const names = new Map(this.nodes.map((node) => [node.peer, node.machine.name]));
    const found = new Set([from]);
    for (const name of found) {
      for (const { peer } of this.node(name).links.all()) {
        const other = names.get(peer);
        if (other !== undefined && line(other) === line(from)) found.add(other);
      }
    }
    return found;
  }

  heal(): void {
    this.#line = undefined;
    this.side = () => 0;
    this.world.heal();
  }

  start(machine: SimNode, bootstrap: readonly Address[]): CrowdNode {
    const { ports, peer, keys } = machine;
    const ended = new AbortController();
    const { time, links, membership, overlay, gossip } = wire(
      {
        peer,
        keys,
        swarm: swarmIdOf(this.#root.publicKey),
        chain: [this.#delegation, this.#sign(this.#delegate, keys.publicKey, "member")],
        notAfterMs: NOT_AFTER_MS,
        secret: SECRET,
        versions: PROTOCOL_VERSIONS,
        hasOthers: bootstrap.length > 0,
        record: (nowMs) => recordOf(machine, nowMs),
        elsewhere: () => bootstrap,
        onAttempt: () => {},
        onTwin: () => {},
        signal: ended.signal,
      },
      ports,
    );
    const startedMs = this.world.nowMs;
    const node: CrowdNode = { machine, peer, startedMs, links, time, membership, overlay, gossip, ended };
    this.running.set(machine.name, node);
    return node;
  }

  /** Runs until every running node knows every other as awake, or was told that it is gone. */
  async settled(withinMs: number = 15_000): Promise<number> {
    const agree = (): boolean => this.nodes.every(({ membership }) => membership.awake().length === this.running.size);
    return this.world.runUntil(agree, {
      withinMs,
      everyMs: 50,
      what: "all agree on who is there",
      describe: () => this.describe(),
    });
  }

  describe(): string {
    return this.nodes
      .map(
        ({ machine, membership, links }) =>
          `${machine.name}: ${membership.awake().length} awake, ${links.all().length} links`,
      )
      .join("\n");
  }

  /** Ends a member: with a goodbye, by a crash that resets its links, or by one that leaves no trace. */
  end(name: string, how: "goodbye" | "crash" | "silent"): void {
    const node = this.node(name);
    this.running.delete(name);
    // A node that was linked to nobody else on its side is alone by now.
    if (this.#line !== undefined) this.#divide(this.#line);
    if (how !== "goodbye") return this.world.crash(node.machine, { silent: how === "silent" });
    node.membership.leave();
    node.overlay.stop();
    node.gossip.stop();
    node.ended.abort();
    void node.links.close();
    // The program exits when its last messages are sent.
    this.world.scheduler.after(1_000, "exit", () => {
      if (node.machine.running && !this.running.has(name)) this.world.crash(node.machine);
    });
  }

  #sign(issuer: KeyPair, subject: Uint8Array, kind: "delegate" | "member"): Uint8Array {
    const says = {
      swarm: this.#root.publicKey,
      subject,
      kind,
      role: "member",
      notBeforeMs: 0,
      notAfterMs: NOT_AFTER_MS,
    };
    return issue(this.world.crypto, issuer, { ...says, role: "member" });
  }
}

function recordOf({ ports, peer, machine }: SimNode, nowMs: number): MemberRecord {
  return {
    peer,
    incarnation: Math.round(nowMs),
    name: machine.name,
    kind: machine.kind,
    device: peer,
    host: peer,
    role: "member",
    addresses: ports.network.addresses(),
    coresLent: 0,
    coresBusy: 0,
    startedAtMs: Math.round(nowMs),
    state: "awake",
    relayReason: machine.relayReason,
    card: undefined,
  };
}
