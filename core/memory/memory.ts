/**
 * The memory of a node: its replicated maps by name, and what they share on the net. A map is made once for each name.
 * Requests of members about maps that this node does not have are refused, and count as nobody's fault.
 */
import { isStarfishError, StarfishError, toStarfishError } from "../base/errors.ts";
import type { Unsubscribe } from "../base/events.ts";
import { shortIdOf } from "../net/membership/rows.ts";
import { PeerLimiter } from "../net/requests/peer-limiter.ts";
import type { Net, RequestContext } from "../net/types.ts";
import type { Clock } from "../ports/clock.ts";
import type { Crypto } from "../ports/crypto.ts";
import type { Log } from "../ports/log.ts";
import type { Channel, PeerId } from "../ports/network.ts";
import type { Random } from "../ports/random.ts";
import type { Store } from "../ports/store.ts";
import { ACK_PROTOCOL, type AckRequest, ackRequestSchema } from "./acknowledge.ts";
import { Journal } from "./journal.ts";
import { LargeBatches } from "./large-batches.ts";
import {
  BUDGET_BYTES_DEFAULT,
  HORIZON_KEPT_MS,
  HORIZON_RAM_MS,
  RECONCILE_ASKED_MAX,
  RECONCILE_ASKED_PER_MEMBER_MAX,
  RECONCILE_ASKING_MAX,
} from "./limits.ts";
import { NodeMap, RECONCILE_PROTOCOL } from "./replicated-map.ts";
import { Replica } from "./replica.ts";
import { Semaphore } from "../base/semaphore.ts";
import { awaitHello, NAME_CHARS_MAX } from "./exchange.ts";
import type { ReplicatedMap } from "./types.ts";

export interface MapOptions {
  /** Whether this node stores it; otherwise it is in RAM only. */
  readonly isKept?: boolean;
  /** Keys, values and 96 bytes for each entry. */
  readonly bytesMax?: number;
  /** How long deleted keys are remembered; 30 days if kept, else a day. The same on all nodes. */
  readonly horizonMs?: number;
}

export interface Memory {
  /** The map of that name, the same for each call. Rejects with "io" if a kept map can't be read. */
  map(name: string, options?: MapOptions): Promise<ReplicatedMap>;
  /** Sends what waits, while the net is still there. */
  flush(): void;
  /** Stores what is not stored yet, and ends. Rejects with "io". */
  close(): Promise<void>;
}

export interface MemoryParts {
  readonly net: Net;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly log: Log;
}

export function createMemory(parts: MemoryParts): Memory {
  return new NodeMemory(parts);
}

const DIGEST_KEY_BYTES = 8;

class NodeMemory implements Memory {
  readonly #parts: MemoryParts;
  readonly #maps = new Map<string, Promise<NodeMap>>();
  readonly #running = new Map<string, NodeMap>();
  readonly #largeBatches = new LargeBatches();
  readonly #asking = new Semaphore(RECONCILE_ASKING_MAX);
  readonly #asked = new PeerLimiter({ perPeerMax: RECONCILE_ASKED_PER_MEMBER_MAX, max: RECONCILE_ASKED_MAX });
  readonly #ended = new AbortController();
  readonly #stops: Unsubscribe[];

  constructor(parts: MemoryParts) {
    this.#parts = parts;
    const { net } = parts;
    this.#stops = [
      net.accept(RECONCILE_PROTOCOL, (channel, from) => void this.#serve(channel, from)),
      net.handle(ACK_PROTOCOL, ackRequestSchema, (request, context) => this.#serveAck(request, context)),
    ];
  }

  map(name: string, options: MapOptions = {}): Promise<ReplicatedMap> {
    const known = this.#maps.get(name);
    if (known !== undefined) return known;
    const made = this.#make(name, options);
    this.#maps.set(name, made);
    return made;
  }

  flush(): void {
    for (const map of this.#running.values()) map.flush();
  }

  async close(): Promise<void> {
    for (const stop of this.#stops) stop();
    this.#ended.abort();
    await Promise.all([...this.#running.values()].map((map) => map.close()));
  }

  async #make(name: string, options: MapOptions): Promise<NodeMap> {
    if (name.length > NAME_CHARS_MAX)
      throw new StarfishError("too-large", `A map's name has ${NAME_CHARS_MAX} letters`);
    const { net, clock, random, crypto, log } = this.#parts;
    const { isKept = false, bytesMax = BUDGET_BYTES_DEFAULT } = options;
    const horizonMs = options.horizonMs ?? (isKept ? HORIZON_KEPT_MS : HORIZON_RAM_MS);
    const writerOf = (peer: PeerId): number => shortIdOf(crypto, peer);
    const digestKey = net.secretFor(`memory ${name}`, DIGEST_KEY_BYTES);
    const time = {
      now: () => net.correctedNow(),
      isKnown: () => net.isTimeKnown(),
      trouble: () => net.clockTrouble(),
    };
    const replica = new Replica({ digestKey, self: writerOf(net.self), bytesMax, horizonMs }, time);
    const journal = isKept ? new Journal(name, replica, this.#parts) : undefined;
    await journal?.load();
    const map = new NodeMap({
      name,
      replica,
      bytesMax,
      net,
      clock,
      random,
      log,
      exchanges: this.#asking,
      largeBatches: this.#largeBatches,
      journal,
      writerOf,
    });
    if (this.#ended.signal.aborted) await map.close();
    else this.#running.set(name, map);
    return map;
  }

  async #serveAck(request: AckRequest, context: RequestContext): Promise<number[]> {
    try {
      return await this.#find(request.map).serveAck(request, context);
    } catch (error) {
      this.#blame(context.from, error);
      throw error;
    }
  }

  async #serve(channel: Channel, from: PeerId): Promise<void> {
    const release = this.#asked.take(from);
    if (release === undefined) {
      return channel.abort(new StarfishError("busy", "This node reconciles with enough others", { retryable: true }));
    }
    try {
      const incoming = await awaitHello(channel, this.#parts.clock, this.#ended.signal);
      await this.#find(incoming.hello.map).serveSession(from, channel, incoming);
    } catch (error) {
      channel.abort(toStarfishError(error, "malformed"));
      this.#blame(from, error);
    } finally {
      release();
    }
  }

  /** Counts what no honest member sends against its sender. */
  #blame(from: PeerId, error: unknown): void {
    if (!isStarfishError(error)) throw error;
    if (error.code === "malformed" || error.code === "too-large") {
      this.#parts.net.misbehaved(from, `memory: ${error.message}`);
    }
  }

  #find(name: string): NodeMap {
    const map = this.#running.get(name);
    if (map === undefined) throw new StarfishError("not-found", `This node has no map called ${name}`);
    return map;
  }
}
