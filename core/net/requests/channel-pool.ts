/**
 * Keeps the channels of finished requests for the next request to the same peer, so that many requests open few
 * channels.
 */
import type { Clock, Timer } from "../../ports/clock.ts";
import type { Channel, LinkPath } from "../../ports/network.ts";
import type { Inbox } from "../links/inbox.ts";
import { KEPT_CHANNEL_MS, KEPT_CHANNELS_MAX } from "../limits.ts";
import type { AdmittedLink } from "../links/links.ts";

/** A channel and what reads it. */
export interface Talk {
  readonly channel: Channel;
  readonly inbox: Inbox;
}

interface Idle extends Talk {
  readonly link: AdmittedLink;
  /** The path of the link when the channel was kept. If the link has another path by then, a new channel is opened. */
  readonly path: LinkPath;
  readonly untilMs: number;
}

export class ChannelPool {
  readonly #clock: Clock;
  readonly #kept = new Set<Idle>();
  #ending: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  take(link: AdmittedLink, protocol: string): Talk | undefined {
    const { transport, kind } = link.path();
    for (const kept of this.#kept) {
      if (kept.link !== link || kept.channel.protocol !== protocol) continue;
      this.#kept.delete(kept);
      if (kept.inbox.isQuiet && kept.path.transport === transport && kept.path.kind === kind) return kept;
      // It was closed, or the peer has sent something that nobody asked for, or the link has found a better path.
      kept.channel.end();
    }
    return undefined;
  }

  keep(link: AdmittedLink, { channel, inbox }: Talk): void {
    const { protocol } = channel;
    const count = this.#kept.values().filter((kept) => kept.link === link && kept.channel.protocol === protocol);
    if (!inbox.isQuiet || [...count].length >= KEPT_CHANNELS_MAX) return channel.end();
    const untilMs = this.#clock.monotonic() + KEPT_CHANNEL_MS;
    this.#kept.add({ link, channel, inbox, path: link.path(), untilMs });
    this.#endLater(KEPT_CHANNEL_MS);
  }

  close(): void {
    this.#ending?.cancel();
    for (const { channel } of this.#kept) channel.end();
    this.#kept.clear();
  }

  #endLater(delayMs: number): void {
    this.#ending ??= this.#clock.timer(delayMs, () => {
      this.#ending = undefined;
      this.#endOld();
    });
  }

  /** They stand in the order in which they were kept. */
  #endOld(): void {
    const nowMs = this.#clock.monotonic();
    for (const kept of this.#kept) {
      if (kept.untilMs > nowMs) return this.#endLater(kept.untilMs - nowMs);
      this.#kept.delete(kept);
      kept.channel.end();
    }
  }
}
