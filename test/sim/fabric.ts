/**
 * The network between the machines of a world: paths with their latency and loss, cuts, and the connections that stall
 * and break when they are cut. Knows every machine, which no node does; nodes see it through SimNetwork only.
 */
import type { Address, PeerId } from "../../core/ports/network.ts";
import type { Machine } from "./life.ts";
import { SimLink, Wire } from "./link.ts";
import type { SimNetwork } from "./network.ts";
import { type Path, retransmissionMs } from "./pipe.ts";
import type { SeededRandom } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";

/** Two places on one continent. */
const USUAL_PATH: Path = { latencyMs: 20, jitterMs: 10, loss: 0, bytesPerSecond: 10_000_000 };

/** When a connection gives up on a silent peer: the consent check of WebRTC (RFC 7675). TCP would take longer. */
const BREAK_AFTER_MS = 30_000;

/** Bytes of a packet of a handshake. */
const HANDSHAKE_BYTES = 200;
/**
 * A handshake packet that is lost in a cut is sent again after this time (RFC 6298 for TCP's first), which doubles each
 * time.
 */
const HANDSHAKE_AGAIN_MS = 1_000;

/** Whether nothing gets from the first machine to the second. */
export type Cut = (from: Machine, to: Machine) => boolean;

export interface FabricOptions {
  /** Replaces parts of the usual path everywhere. */
  readonly path?: Partial<Path>;
  /** Replaces parts of it from one machine to another; the two directions may differ. */
  readonly paths?: (from: Machine, to: Machine) => Partial<Path>;
  /** Whether two machines can ever have a direct connection through an introducer (NATs); by default they can. */
  readonly direct?: (a: Machine, b: Machine) => boolean;
  readonly breakAfterMs?: number;
}

export class Fabric {
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  readonly breakAfterMs: number;
  /** The living adapter of each machine that is up. */
  readonly networks: Map<Machine, SimNetwork> = new Map();
  readonly #machinesByAddress = new Map<Address, Machine>();
  readonly #wires = new Set<Wire>();
  #options: FabricOptions;
  #cut: Cut | undefined;
  #frozen = 0;
  /** Grows when paths change, so that pipes look again. */
  pathVersion = 0;

  constructor(scheduler: Scheduler, random: SeededRandom, options: FabricOptions) {
    this.scheduler = scheduler;
    this.random = random;
    this.#options = options;
    this.breakAfterMs = options.breakAfterMs ?? BREAK_AFTER_MS;
  }

  setPaths(options: Pick<FabricOptions, "path" | "paths" | "direct">): void {
    this.#options = { ...this.#options, ...options };
    this.pathVersion++;
  }

  path(from: Machine, to: Machine, via?: Machine): Path {
    if (via !== undefined) return inSeries(this.path(from, via), this.path(via, to));
    return { ...USUAL_PATH, ...this.#options.path, ...this.#options.paths?.(from, to) };
  }

  /** Whether two machines can have a direct connection that an introducer helps to set up; if not, why. */
  whyRelayed(a: Machine, b: Machine): string | undefined {
    const reason = a.relayReason ?? b.relayReason;
    if (reason !== undefined) return reason;
    return this.#options.direct?.(a, b) === false ? "no direct path between these networks" : undefined;
  }

  /** False while nothing is cut or frozen, so that not every message has to ask. */
  get disturbed(): boolean {
    return this.#cut !== undefined || this.#frozen > 0;
  }

  cut(from: Machine, to: Machine, via?: Machine): boolean {
    if (!this.disturbed) return false;
    if (via !== undefined) return this.cut(from, via) || this.cut(via, to);
    return from.frozen || to.frozen || (this.#cut?.(from, to) ?? false);
  }

  /** Cuts the network, or with undefined heals it. Connections across a cut stall, and break after `breakAfterMs`. */
  setCut(cut: Cut | undefined): void {
    this.#cut = cut;
    this.#review();
  }

  setFrozen(machine: Machine, frozen: boolean): void {
    if (machine.frozen === frozen) return;
    machine.frozen = frozen;
    this.#frozen += frozen ? 1 : -1;
    this.#review();
  }

  /** Resolves when a handshake packet has come through; never, if it can't. */
  travel(from: Machine, to: Machine): Promise<void> {
    const path = this.path(from, to);
    const travelMs =
      path.latencyMs + this.random.real() * path.jitterMs + retransmissionMs(this, path, HANDSHAKE_BYTES);
    return new Promise((resolve) => {
      const arrive = (againMs: number): void => {
        if (!this.cut(from, to)) return resolve();
        if (againMs < this.breakAfterMs) this.scheduler.after(againMs, "travel", () => arrive(2 * againMs));
      };
      this.scheduler.after(travelMs, "travel", () => arrive(HANDSHAKE_AGAIN_MS));
    });
  }

  machineAt(address: Address): Machine | undefined {
    return this.#machinesByAddress.get(address);
  }

  setAddress(address: Address, machine: Machine): void {
    this.#machinesByAddress.set(address, machine);
  }

  /**
   * A connection whose handshake the dialler has completed. The dialler's end comes up now, the other's when it hears.
   */
  connect(dialler: SimNetwork, answerer: SimNetwork, relay: { via: SimNetwork; reason: string } | undefined): SimLink {
    const half = this.#halfOpen(dialler, answerer.self);
    if (half !== undefined) {
      // Both have dialled at once: one connection is enough.
      half.inbound = false;
      half.up();
      return half;
    }
    const wire = new Wire(this, dialler, answerer, relay);
    this.#wires.add(wire);
    wire.dialler.sayUp();
    wire.dialler.up();
    return wire.dialler;
  }

  /** One end of a wire is down. */
  wireEnded(wire: Wire): void {
    if (wire.dialler.state !== "down" || wire.answerer.state !== "down") return;
    if (wire.breaking !== undefined) this.scheduler.cancel(wire.breaking);
    this.#wires.delete(wire);
  }

  /** A relay has lost its link to a peer: connections that it carried over that link break. */
  relayLostLink(via: SimNetwork, peer: PeerId): void {
    for (const wire of this.#wires) {
      if (wire.via !== via) continue;
      if (wire.dialler.network.self === peer || wire.answerer.network.self === peer) this.#breakSoon(wire);
    }
  }

  /** A life is over. Unless it is silent, its peers see their connections reset; otherwise they wait in vain. */
  died(network: SimNetwork, silent: boolean): void {
    for (const wire of this.#wires) {
      if (wire.via === network) {
        this.#breakSoon(wire);
      } else if (wire.dialler.network === network || wire.answerer.network === network) {
        wire.end(network).state = "down";
        this.wireEnded(wire);
        if (!silent) this.#breakSoon(wire);
        else this.#breakLater(wire);
      }
    }
  }

  /** A machine is up again: it answers packets for its former life with a reset. */
  restarted(machine: Machine): void {
    for (const wire of this.#wires) {
      for (const end of [wire.dialler, wire.answerer]) {
        if (end.network.machine === machine && !end.network.alive) this.#breakSoon(wire);
      }
    }
  }

  #halfOpen(network: SimNetwork, peer: PeerId): SimLink | undefined {
    for (const wire of this.#wires) {
      if (wire.answerer.network === network && wire.answerer.peer === peer && wire.answerer.state === "pending") {
        return wire.answerer;
      }
    }
    return undefined;
  }

  #breakSoon(wire: Wire): void {
    const { from, to, via } = wire.dialler.out;
    this.scheduler.after(this.path(from, to, via).latencyMs, "reset", () => {
      // A reset can't cross a cut either.
      if (wire.cut) this.#breakLater(wire);
      else wire.break();
    });
  }

  #breakLater(wire: Wire): void {
    wire.breaking ??= this.scheduler.after(this.breakAfterMs, "break", () => wire.break());
  }

  /** Cuts have changed. */
  #review(): void {
    for (const wire of this.#wires) {
      if (wire.cut) {
        this.#breakLater(wire);
        continue;
      }
      const bothAlive = wire.dialler.network.alive && wire.answerer.network.alive;
      if (wire.breaking !== undefined && bothAlive) {
        this.scheduler.cancel(wire.breaking);
        wire.breaking = undefined;
      }
      wire.dialler.out.resume();
      wire.answerer.out.resume();
    }
  }
}

function inSeries(first: Path, second: Path): Path {
  return {
    latencyMs: first.latencyMs + second.latencyMs,
    jitterMs: first.jitterMs + second.jitterMs,
    loss: 1 - (1 - first.loss) * (1 - second.loss),
    bytesPerSecond: Math.min(first.bytesPerSecond, second.bytesPerSecond),
  };
}
