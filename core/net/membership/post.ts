/**
 * What membership sends on its links: frames, each with whatever waits in the broadcast tree for that peer. Small
 * messages are gathered (gossip/flush.ts). A frame that is sent for another reason takes along what waits.
 */
import { encode } from "../../base/codec.ts";
import type { Clock } from "../../ports/clock.ts";
import type { PeerId } from "../../ports/network.ts";
import { Flusher } from "../gossip/flush.ts";
import type { GossipTree } from "../gossip/tree.ts";
import type { AdmittedLink, Links } from "../links/links.ts";
import type { MemberTable } from "./table.ts";
import type { MemberFrame } from "./wire.ts";
import type { CommonTime } from "../time/time.ts";

export interface PostParts {
  readonly links: Links;
  readonly clock: Clock;
  readonly tree: GossipTree;
  readonly table: MemberTable;
  readonly time: CommonTime;
}

export class Post {
  readonly #parts: PostParts;
  readonly #flusher: Flusher;

  constructor(parts: PostParts) {
    this.#parts = parts;
    this.#flusher = new Flusher(parts.clock, (peer) => this.#flush(peer));
  }

  /** Tells everyone, along the tree. */
  broadcast(body: Uint8Array): void {
    this.#parts.tree.publish(body, this.#parts.clock.monotonic());
  }

  ping(link: AdmittedLink, roundTripMs?: number): void {
    const { clock, table, time } = this.#parts;
    const ping = [Math.round(clock.monotonic()), table.hash] as const;
    const rtt = roundTripMs === undefined ? undefined : Math.round(roundTripMs);
    this.send(link, {
      ping,
      ...(rtt !== undefined && { rtt }),
      ...(time.ask(link.peer) && { asksTime: true as const }),
    });
  }

  /** Sends a frame together with what waits for that peer. */
  send(link: AdmittedLink, frame: MemberFrame | undefined): void {
    if (frame === undefined) return;
    this.sendAlone(link, { ...frame, ...this.#parts.tree.take(link.peer, this.#parts.clock.monotonic()) });
  }

  /** False: the link's queue is filling. */
  sendAlone(link: AdmittedLink, frame: MemberFrame): boolean {
    this.#flusher.sent(link.peer);
    return link.send("members", encode(frame));
  }

  /** Sends what has waited long enough. Call it at the end of whatever may have put something into the tree. */
  settle(): void {
    this.#flusher.mark(this.#parts.tree.urgent);
    this.#flusher.settle();
  }

  /** Sends everything that waits, at once. */
  flushAll(): void {
    for (const link of this.#parts.links.all()) this.#flush(link.peer);
  }

  forget(peer: PeerId): void {
    this.#flusher.forget(peer);
  }

  stop(): void {
    this.#flusher.stop();
  }

  #flush(peer: PeerId): void {
    const link = this.#parts.links.get(peer);
    if (link === undefined) return;
    for (;;) {
      const frame = this.#parts.tree.take(peer, this.#parts.clock.monotonic());
      if (frame === undefined || !this.sendAlone(link, frame)) return;
    }
  }
}
