/** One admitted link: what the table hands out, and what it counts about the peer behind it. */
import type { Bytes } from "../../base/bytes.ts";
import { sleep, type Clock } from "../../ports/clock.ts";
import type { Channel, Link, LinkPath, PeerId } from "../../ports/network.ts";
import type { Standing } from "../identity/certificate.ts";
import { TokenBucket } from "./peer-score.ts";
import { FAREWELL_MS, PEER_BYTES_PER_TOKEN, PEER_MESSAGES_BURST, PEER_MESSAGES_PER_SECOND } from "../limits.ts";
import type { AdmittedLink, LinkPart } from "./links.ts";
import { meter, type Traffic } from "./meter.ts";
import { PartSender } from "./part-sender.ts";
import type { Role } from "../types.ts";

export const PART_PROTOCOLS: Readonly<Record<LinkPart, string>> = {
  members: "/starfish/members/1.0.0",
  overlay: "/starfish/overlay/1.0.0",
  gossip: "/starfish/gossip/1.0.0",
};

export interface MemberLinkOptions {
  readonly link: Link;
  readonly standing: Standing;
  readonly life: Uint8Array;
  readonly clock: Clock;
  readonly onTraffic: (event: Traffic) => void;
  readonly onFault: (what: string) => void;
}

export class MemberLink implements AdmittedLink {
  readonly #options: MemberLinkOptions;
  readonly #rate: TokenBucket;
  readonly #senders = new Map<LinkPart, PartSender>();
  readonly #incoming = new Map<LinkPart, Channel>();
  standing: Standing;

  constructor(options: MemberLinkOptions) {
    this.#options = options;
    this.standing = options.standing;
    this.#rate = new TokenBucket(options.clock, { perSecond: PEER_MESSAGES_PER_SECOND, burst: PEER_MESSAGES_BURST });
  }

  get peer(): PeerId {
    return this.#options.link.peer;
  }

  /** The peer's present life, as its hello names it. */
  get life(): Uint8Array {
    return this.#options.life;
  }

  get role(): Role {
    return this.standing.role;
  }

  get inbound(): boolean {
    return this.#options.link.inbound;
  }

  path(): LinkPath {
    return this.#options.link.path();
  }

  send(part: LinkPart, message: Bytes): boolean {
    return this.#sender(part).send(message);
  }

  async open(protocol: string, options: { signal?: AbortSignal | undefined } = {}): Promise<Channel> {
    return this.metered(await this.#options.link.open(protocol, options));
  }

  /** Gives what is queued a moment to go out first. */
  async close(): Promise<void> {
    const patience = new AbortController();
    const flushed = Promise.all([...this.#senders.values()].map((sender) => sender.flushed()));
    const tired = sleep(this.#options.clock, FAREWELL_MS, { signal: patience.signal }).catch(() => {});
    await Promise.race([flushed, tired]);
    patience.abort();
    await this.#options.link.close();
  }

  metered(channel: Channel): Channel {
    return meter(channel, this.peer, this.#options.onTraffic);
  }

  /** Whether the peer may send us this much more; a fault if not. */
  allows(bytes: number): boolean {
    if (this.#rate.take(1 + Math.floor(bytes / PEER_BYTES_PER_TOKEN))) return true;
    this.#options.onFault("flooding");
    return false;
  }

  /** Takes the peer's channel for a part. It replaces an earlier one: the peer has begun anew. */
  adopt(part: LinkPart, channel: Channel): void {
    this.#incoming.get(part)?.end();
    this.#incoming.set(part, channel);
    channel.onEnd(() => channel.end());
    channel.onClose(() => {
      if (this.#incoming.get(part) === channel) this.#incoming.delete(part);
    });
  }

  /** The link is over. */
  dispose(): void {
    for (const sender of this.#senders.values()) sender.close();
  }

  #sender(part: LinkPart): PartSender {
    const known = this.#senders.get(part);
    if (known !== undefined) return known;
    const { link, clock, onTraffic, onFault } = this.#options;
    const made = new PartSender({
      link,
      protocol: PART_PROTOCOLS[part],
      clock,
      onSent: (bytes) => onTraffic({ peer: this.peer, direction: "out", bytes }),
      onUnexpected: () => onFault("message on a one-way channel"),
    });
    this.#senders.set(part, made);
    return made;
  }
}
