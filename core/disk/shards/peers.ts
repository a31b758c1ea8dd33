/**
 * Asks other nodes for shards and gives them theirs. Requests to one peer at one time share messages, so that small
 * shards cost little more than large ones. A few messages are under way to each peer, and the rest waits here. The
 * callers bound what waits (Semaphore).
 */
import { assert } from "../../base/assert.ts";
import { type Bytes, copyOf } from "../../base/bytes.ts";
import { StarfishError, toStarfishError } from "../../base/errors.ts";
import { own, release } from "../../base/owned.ts";
import type { Net } from "../../net/types.ts";
import type { PeerId } from "../../ports/network.ts";
import type { Holdings, Shard, ShardName } from "./holdings.ts";
import { refusal } from "./holdings.ts";
import {
  ASKED_STRIPES_MAX,
  ASKED_UNITS_MAX,
  CARRIED_SHARD_BYTES_MAX,
  FETCH_TIMEOUT_MS,
  MESSAGE_FETCH_BYTES_MAX,
  MESSAGE_SHARD_BYTES_MAX,
  MESSAGE_SHARDS_MAX,
  MESSAGE_TIMEOUT_MS,
  MESSAGES_PER_PEER,
} from "../limits.ts";
import {
  DROP_PROTOCOL,
  FETCH_PROTOCOL,
  type FetchRequest,
  GET_PROTOCOL,
  GIVE_PROTOCOL,
  giveReplySchema,
  type GiveRequest,
  getReplySchema,
  HAVE_PROTOCOL,
  haveReplySchema,
  heldOf,
  nothingSchema,
  PUT_PROTOCOL,
  putReplySchema,
  type PutResult,
  RECHECK_PROTOCOL,
  SYNC_PROTOCOL,
  type StripeRun,
} from "./wire.ts";

interface Item<Content, Result> {
  /** The length of the shards that are moved for it, known or expected. */
  readonly bytes: number;
  readonly shards: number;
  readonly content: Content;
  readonly settle: (result: Result) => void;
  readonly fail: (error: unknown) => void;
}

type Send<Content, Result> = (peer: PeerId, contents: readonly Content[]) => Promise<readonly Result[]>;

export class ShardPeers {
  readonly #net: Net;
  readonly #holdings: Holdings;
  readonly #puts: Queues<ShardName & Shard, PutResult>;
  readonly #gets: Queues<ShardName, Uint8Array | null>;
  readonly #fetches: Queues<FetchRequest, PutResult>;
  readonly #gives: Queues<GiveRequest, readonly PutResult[]>;

  constructor(net: Net, holdings: Holdings) {
    this.#net = net;
    this.#holdings = holdings;
    const limit = (peer: PeerId): number => {
      const isLinked = net.links().some((link) => link.peer === peer);
      return isLinked ? MESSAGE_SHARD_BYTES_MAX : CARRIED_SHARD_BYTES_MAX;
    };
    this.#puts = new Queues(limit, (peer, items) => this.#sendPuts(peer, items));
    this.#gets = new Queues(limit, (peer, items) => this.#sendGets(peer, items));
    const asked = (): number => MESSAGE_FETCH_BYTES_MAX;
    this.#fetches = new Queues(asked, (peer, items) => this.#sendFetches(peer, items));
    this.#gives = new Queues(asked, (peer, items) => this.#sendGives(peer, items));
  }

  /** Rejects with "unreachable", "timeout", "link-closed" and the like; what the peer says itself is the result. */
  async put(peer: PeerId, name: ShardName, shard: Shard): Promise<PutResult> {
    if (peer !== this.#net.self) return this.#puts.add(peer, shard.bytes.length, { ...name, ...shard });
    try {
      await this.#holdings.put(name, shard);
      return "ok";
    } catch (error) {
      return refusal(error);
    }
  }

  /**
   * The shard with this length and hash, in a buffer that belongs to the caller; undefined if the peer does not have
   * it. Only this node's own shards are checked. Rejects if the peer can't be asked.
   */
  async get(
    peer: PeerId,
    name: ShardName,
    wanted: { readonly bytes: number; readonly sha256: Bytes },
  ): Promise<Uint8Array | undefined> {
    if (peer === this.#net.self) return this.#holdings.get(name, wanted.sha256);
    return (await this.#gets.add(peer, wanted.bytes, { ...name })) ?? undefined;
  }

  /**
   * Once this resolves, the shards that the peer was given survive a power cut. Rejects with "io" if the peer can't
   * promise that, or as `put` does.
   */
  async sync(peer: PeerId): Promise<void> {
    if (peer === this.#net.self) await this.#holdings.store.sync();
    else await this.#net.request(peer, SYNC_PROTOCOL, null, nothingSchema, BULK);
  }

  /** The shards that a peer holds of each run, as serve.ts packs them. */
  async have(
    peer: PeerId,
    runs: readonly StripeRun[],
    options: { signal?: AbortSignal | undefined } = {},
  ): Promise<readonly Uint8Array[]> {
    if (peer === this.#net.self) return runs.map((run) => heldOf(this.#holdings, run));
    const held: Uint8Array[] = [];
    for (const some of portions(runs)) {
      const reply = await this.#net.request(peer, HAVE_PROTOCOL, { runs: some }, haveReplySchema, {
        ...options,
        keepAlive: true,
      });
      if (reply.length !== some.length) throw new StarfishError("malformed", "An answer to other questions");
      held.push(...reply);
    }
    return held;
  }

  /** Has another node fetch `bytes` of shards from others. Rejects as `put` does. */
  fetch(peer: PeerId, request: FetchRequest, bytes: number): Promise<PutResult> {
    return this.#fetches.add(peer, bytes, { ...request });
  }

  /** Has another node that holds a stripe whole give that many bytes of its shards to others. Rejects like `put`. */
  give(peer: PeerId, request: GiveRequest, bytes: number): Promise<readonly PutResult[]> {
    return this.#gives.add(peer, bytes, { ...request }, request.to.length);
  }

  /** Asks it to drop its shards of a layout that nothing needs. */
  async drop(peer: PeerId, id: string): Promise<void> {
    if (peer === this.#net.self) await this.#holdings.dropAll(id);
    else await this.#net.request(peer, DROP_PROTOCOL, { id }, nothingSchema);
  }

  /** Tells the peer that it has given a shard with wrong bytes. Never rejects. */
  async complain(peer: PeerId, name: ShardName): Promise<void> {
    if (peer === this.#net.self) return this.#holdings.drop(name).catch(() => undefined);
    await this.#net.request(peer, RECHECK_PROTOCOL, { ...name }, nothingSchema).catch(() => undefined);
  }

  #sendPuts(peer: PeerId, shards: readonly (ShardName & Shard)[]): Promise<readonly PutResult[]> {
    return this.#net.request(peer, PUT_PROTOCOL, { shards }, putReplySchema, BULK);
  }

  async #sendGets(peer: PeerId, shards: readonly ShardName[]): Promise<readonly (Uint8Array | null)[]> {
    const given = await this.#net.request(peer, GET_PROTOCOL, { shards }, getReplySchema, BULK);
    // Each gets a buffer of its own; otherwise all of them would stay in memory as long as one is used.
    const apart = given.map((bytes) => bytes && own(copyOf(bytes)));
    for (const bytes of given) if (bytes !== null) release(bytes);
    return apart;
  }

  #sendFetches(peer: PeerId, shards: readonly FetchRequest[]): Promise<readonly PutResult[]> {
    return this.#net.request(peer, FETCH_PROTOCOL, { shards }, putReplySchema, ASKED);
  }

  #sendGives(peer: PeerId, stripes: readonly GiveRequest[]): Promise<readonly (readonly PutResult[])[]> {
    return this.#net.request(peer, GIVE_PROTOCOL, { stripes }, giveReplySchema, ASKED);
  }
}

/** Runs by as many as one answer has room for. */
function* portions(runs: readonly StripeRun[]): Generator<readonly StripeRun[]> {
  let portion: StripeRun[] = [];
  let stripes = 0;
  for (const run of runs) {
    if (portion.length === ASKED_UNITS_MAX || stripes + run.to - run.from > ASKED_STRIPES_MAX) {
      yield portion;
      [portion, stripes] = [[], 0];
    }
    portion.push(run);
    stripes += run.to - run.from;
  }
  if (portion.length > 0) yield portion;
}

const BULK: { readonly timeoutMs: number; readonly keepAlive: boolean } = {
  timeoutMs: MESSAGE_TIMEOUT_MS,
  keepAlive: true,
};
/** For requests in which other nodes move shards. */
const ASKED: { readonly timeoutMs: number; readonly keepAlive: boolean } = { ...BULK, timeoutMs: FETCH_TIMEOUT_MS };

/** A queue for each peer, in one direction. */
class Queues<Content, Result> {
  readonly #limit: (peer: PeerId) => number;
  readonly #send: Send<Content, Result>;
  readonly #waiting = new Map<PeerId, Item<Content, Result>[]>();
  readonly #underWay = new Map<PeerId, number>();

  constructor(limit: (peer: PeerId) => number, send: Send<Content, Result>) {
    this.#limit = limit;
    this.#send = send;
  }

  /** A content may stand for several shards. */
  add(peer: PeerId, bytes: number, content: Content, shards = 1): Promise<Result> {
    return new Promise((settle, fail) => {
      const waiting = this.#waiting.get(peer) ?? [];
      waiting.push({ bytes, shards, content, settle, fail });
      if (waiting.length > 1) return;
      this.#waiting.set(peer, waiting);
      // Runs once everything that is added at this moment is in the queue.
      queueMicrotask(() => this.#flush(peer));
    });
  }

  #flush(peer: PeerId): void {
    for (;;) {
      const waiting = this.#waiting.get(peer);
      const underWay = this.#underWay.get(peer) ?? 0;
      if (waiting === undefined || underWay >= MESSAGES_PER_PEER) return;
      const items = this.#take(peer, waiting);
      if (waiting.length === 0) this.#waiting.delete(peer);
      this.#underWay.set(peer, underWay + 1);
      void this.#deliver(peer, items);
    }
  }

  #take(peer: PeerId, waiting: Item<Content, Result>[]): Item<Content, Result>[] {
    const limit = this.#limit(peer);
    let [count, bytes, shards] = [0, 0, 0];
    for (const item of waiting) {
      const isTooMuch = bytes + item.bytes > limit || shards + item.shards > MESSAGE_SHARDS_MAX;
      if (count > 0 && isTooMuch) break;
      bytes += item.bytes;
      shards += item.shards;
      count++;
    }
    return waiting.splice(0, count);
  }

  async #deliver(peer: PeerId, items: readonly Item<Content, Result>[]): Promise<void> {
    try {
      const results = await this.#send(
        peer,
        items.map(({ content }) => content),
      );
      if (results.length !== items.length) throw new StarfishError("malformed", "An answer for other shards");
      for (const [i, item] of items.entries()) {
        const result = results[i];
        assert(result !== undefined, "a result for each shard");
        item.settle(result);
      }
    } catch (error) {
      const reason = toStarfishError(error, "remote-failure");
      for (const item of items) item.fail(reason);
    }
    const left = (this.#underWay.get(peer) ?? 1) - 1;
    if (left === 0) this.#underWay.delete(peer);
    else this.#underWay.set(peer, left);
    this.#flush(peer);
  }
}
