/**
 * A swarm in a simulated world: machines that run admission, membership, overlay and gossip, as net.ts wires them, and
 * what each ought to believe of the others. For simulations of the net alone; nothing of it is replaced.
 */
import { type Chain, issue, swarmIdOf } from "../../core/net/certificate.ts";
import { createGossip, type Gossip } from "../../core/net/gossip.ts";
import { keepJoined } from "../../core/net/join.ts";
import { createLinkTable, type LinkTable } from "../../core/net/link-table.ts";
import { createMembership, type Membership } from "../../core/net/membership.ts";
import { createOverlay, LINKS_MAX_NODE, LINKS_MAX_TAB, type Overlay } from "../../core/net/overlay.ts";
import { createSealer } from "../../core/net/sealing.ts";
import { CommonTime } from "../../core/net/time.ts";
import type { KeyPair } from "../../core/ports/crypto.ts";
import type { Address, PeerId } from "../../core/ports/network.ts";
import type { MachineOptions } from "./life.ts";
import type { SimNode } from "./node.ts";
import type { SimWorld } from "./world.ts";

const NOT_AFTER_MS = 1e14;
const INVITE_ADDRESSES = 4;

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
  /** The side of the cut on which a machine of this name is, or would be. */
  side: (name: string) => number = () => 0;
  /** Along which it is cut. */
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

  /** Addresses of members that run on this machine's side of the cut, as an invite from a friend there would carry. */
  addresses(name: string): Address[] {
    const side = this.side(name);
    const reachable = this.nodes.filter(({ machine }) => this.side(machine.name) === side);
    return reachable.flatMap(({ machine }) => machine.ports.network.addresses()).slice(-INVITE_ADDRESSES);
  }

  /**
   * Cuts the network along this line. A side without containers stays whole only where tabs are linked, as nobody could
   * introduce the others: those that are not are sides of their own.
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

  /** Machines that links within one side of the line lead to. */
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
    const { clock, crypto, random, log } = ports;
    const swarm = swarmIdOf(this.#root.publicKey);
    const chain: Chain = [this.#delegation, this.#sign(this.#delegate, keys.publicKey, "member")];
    const links = createLinkTable(() => ({ swarm, chain, versions: { min: 1, max: 1 } }))(ports);
    const { kind, relayReason } = machine.machine;
    const record = {
      peer,
      incarnation: clock.now(),
      name: machine.name,
      kind,
      device: peer,
      role: "member" as const,
      addresses: ports.network.addresses(),
      coresLent: 0,
      coresBusy: 0,
      startedAtMs: clock.now(),
      state: "awake" as const,
      relayReason,
    };
    const time = new CommonTime(clock, { hasOthers: bootstrap.length > 0 });
    const membership = createMembership({ swarm, keys, chain, notAfterMs: NOT_AFTER_MS, record })({
      links,
      clock,
      crypto,
      log,
      time,
    });
    const linksMax = kind === "tab" ? LINKS_MAX_TAB : LINKS_MAX_NODE;
    const overlay = createOverlay({ linksMax, bootstrap: () => bootstrap })({ links, membership, clock, random, log });
    const sealer = createSealer(new Uint8Array(32).fill(3))(ports);
    const heard = (from: PeerId): void => membership.heard(from);
    const gossip = createGossip({ peer, keys })({ links, sealer, clock, crypto, random, log, heard });
    const node: CrowdNode = {
      machine,
      peer,
      startedMs: this.world.nowMs,
      links,
      time,
      membership,
      overlay,
      gossip,
      ended: new AbortController(),
    };
    this.running.set(machine.name, node);
    const addresses = (): readonly Address[] => bootstrap;
    void keepJoined({ addresses, onAttempt: () => {} }, { links, clock, random }, node.ended.signal);
    return node;
  }

  /** Runs until everyone that runs knows everyone as awake, or was told of who is not here. */
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
    // Whoever was linked to nobody else on its side is alone by now.
    if (this.#line !== undefined) this.#divide(this.#line);
    if (how !== "goodbye") return this.world.crash(node.machine, { silent: how === "silent" });
    node.membership.leave();
    node.overlay.stop();
    node.gossip.stop();
    node.ended.abort();
    void node.links.close();
    // The program exits when its last words are out.
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
