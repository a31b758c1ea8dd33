/**
 * Codes of this node: those that it has opened itself, whichever node's page they are fetched from. If this node serves
 * the page, it also has the desk at which strangers ask for the codes of all members.
 */
import { decode } from "../../base/codec.ts";
import { isStarfishError, messageOf, StarfishError, toStarfishError } from "../../base/errors.ts";
import type { Unsubscribe } from "../../base/events.ts";
import { isLocalLink, pageAt } from "../../net/identity/invite-link.ts";
import { Inbox as Messages } from "../../net/links/inbox.ts";
import type { Net } from "../../net/types.ts";
import { every, withDeadline } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Channel, PeerId } from "../../ports/network.ts";
import { CONTROLS_MAX } from "../transfer/limits.ts";
import { checkEntries } from "../transfer/manifest.ts";
import type { TransferSource } from "../transfer/types.ts";
import { Desk } from "./desk.ts";
import { CODE_MS, CODES_PER_MEMBER_MAX, FIRST_WORD_MS, HOLD_EVERY_MS, RECEIVER_BYTES_MAX } from "./limits.ts";
import { Offering, type OfferingParts } from "./offering.ts";
import type { Codes, OfferCodeOptions, OpenCode } from "./types.ts";
import {
  CODE_PROTOCOL,
  type CodeRequest,
  refuseStranger,
  replySchema,
  requestSchema,
  STRANGER_PROTOCOL,
  strangerSchema,
} from "./wire.ts";
import { codeLink, makeCode } from "./words.ts";

export interface CodesParts extends OfferingParts {
  readonly net: Net;
  readonly log: Log;
  /** The page's URL without fragment. */
  readonly inviteBase: () => string;
}

export function createCodes(parts: CodesParts): Codes {
  return new NodeCodes(parts);
}

interface Open {
  readonly offering: Offering;
  /** The node at which it is held. */
  readonly at: PeerId;
}

class NodeCodes implements Codes {
  readonly #parts: CodesParts;
  readonly #open = new Set<Open>();
  /** Codes that wait for their number. */
  #opening = 0;
  readonly #stops: Unsubscribe[];
  #desk: Desk | undefined;

  constructor(parts: CodesParts) {
    this.#parts = parts;
    this.#stops = [parts.net.accept(STRANGER_PROTOCOL, (channel, from) => void this.#brought(channel, from))];
  }

  async offer(source: TransferSource, { signal, onProgress = () => {}, via }: OfferCodeOptions): Promise<OpenCode> {
    const { net, clock, random, inviteBase } = this.#parts;
    checkEntries(source.entries);
    if (this.#open.size + this.#opening >= CODES_PER_MEMBER_MAX)
      throw new StarfishError("busy", `${CODES_PER_MEMBER_MAX} codes of this node are open already`, {
        retryable: true,
      });
    const at = via ?? this.#pageNode();
    this.#opening++;
    const number = await this.#hold(at, null, CODE_MS, signal).finally(() => this.#opening--);
    const code = makeCode(number, random);
    const offering = new Offering(code, this.#parts, { signal, onProgress });
    const open = { offering, at };
    this.#open.add(open);
    const fetched = this.#run(open, source);
    // Its opener may look at the result later.
    fetched.catch(() => {});
    const page = via === undefined ? undefined : pagesOf(net, via)[0];
    return {
      code: code.text,
      link: codeLink(page ?? inviteBase(), code),
      untilMs: Math.round(clock.now() + offering.leftMs),
      fetched,
    };
  }

  openDesk(): void {
    const { net } = this.#parts;
    if (this.#desk !== undefined) return;
    const desk = new Desk({ ...this.#parts, own: (number) => this.#held(net.self, number) });
    this.#desk = desk;
    this.#stops.push(
      net.handle(CODE_PROTOCOL, requestSchema, async (request, { from }) => ({ number: ask(desk, from, request) })),
    );
  }

  stranger(channel: Channel, place: string): void {
    if (this.#desk === undefined) throw new StarfishError("closed", "This node is closing: it opens no codes");
    void this.#desk.serve(channel, place);
  }

  close(): void {
    for (const stop of this.#stops.splice(0)) stop();
    for (const { offering } of this.#open)
      offering.stop(new StarfishError("closed", "This node ends, and with it the code"));
    this.#desk?.close();
    this.#desk = undefined;
  }

  async #run(open: Open, source: TransferSource): Promise<void> {
    const { offering, at } = open;
    const renewing = every(this.#parts.clock, HOLD_EVERY_MS, () => void this.#renew(offering, at));
    try {
      await offering.run(source);
    } finally {
      renewing.cancel();
      // Strangers who are passed on until that node has heard of the end are told why it is over.
      await this.#drop(offering, at);
      this.#open.delete(open);
    }
  }

  /** Never rejects. */
  async #renew(offering: Offering, at: PeerId): Promise<void> {
    try {
      await this.#hold(at, offering.code.number, offering.neededMs);
      offering.isReachable = true;
    } catch (error) {
      offering.isReachable = false;
      if (isStarfishError(error, "closed") && at !== this.#parts.net.self)
        offering.stop(
          new StarfishError("closed", `The node that serves the page has given the code up: ${messageOf(error)}`),
        );
    }
  }

  /**
   * Tells the node at which the number is held to forget it. Never rejects: that node would forget it by itself, too.
   */
  async #drop({ code, end = "lost" }: Offering, at: PeerId): Promise<void> {
    const request: CodeRequest = { ask: "drop", number: code.number, why: end };
    try {
      if (at === this.#parts.net.self) this.#desk?.drop(at, code.number, end);
      else await this.#parts.net.request(at, CODE_PROTOCOL, request, replySchema);
    } catch (error) {
      this.#parts.log.write("debug", "code.not-dropped", { number: code.number, error: messageOf(error) });
    }
  }

  async #hold(at: PeerId, number: number | null, forMs: number, signal?: AbortSignal): Promise<number> {
    const { net } = this.#parts;
    if (at === net.self) {
      if (this.#desk === undefined) throw new StarfishError("unsupported", "This node serves no page");
      return this.#desk.hold(at, number, forMs);
    }
    try {
      const request: CodeRequest = { ask: "hold", number, forMs };
      return (await net.request(at, CODE_PROTOCOL, request, replySchema, { signal })).number;
    } catch (error) {
      if (!isStarfishError(error, "unknown-protocol")) throw error;
      throw new StarfishError("unsupported", "The node that serves the page runs a version that knows no codes", {
        cause: error,
      });
    }
  }

  /** The member that serves this node's page: strangers can reach only that one. Throws "unsupported". */
  #pageNode(): PeerId {
    const { net, inviteBase } = this.#parts;
    if (this.#desk !== undefined) return net.self;
    const base = inviteBase();
    const nodes = net.members().filter(({ isSelf, status }) => !isSelf && status !== "gone");
    const isSame = isLocalLink(base) ? samePort : sameHost;
    const found = nodes.find(({ record }) => pagesOf(net, record.peer).some((page) => isSame(page, base)));
    if (found !== undefined) return found.record.peer;
    throw new StarfishError(
      "unsupported",
      `No node of this swarm serves this page (${base}), so nobody could fetch anything here: open the page of a node that was started with 'starfish up'`,
    );
  }

  #held(at: PeerId, number: number): Offering | undefined {
    for (const open of this.#open) if (open.at === at && open.offering.code.number === number) return open.offering;
    return undefined;
  }

  /** Serves a stranger who asked at the node that serves the page, and whom that node passes on. Never rejects. */
  async #brought(channel: Channel, from: PeerId): Promise<void> {
    const messages = new Messages(channel, { bytesMax: RECEIVER_BYTES_MAX, messagesMax: CONTROLS_MAX });
    try {
      const { clock } = this.#parts;
      const first = await withDeadline(clock, FIRST_WORD_MS, "A number", (signal) => messages.next(signal));
      const { number } = decode(strangerSchema, first);
      const offering = this.#held(from, number);
      if (offering === undefined)
        throw new StarfishError("not-found", "Its sender knows nothing of this code (any more)");
      await offering.take(channel, messages);
    } catch (caught) {
      const error = toStarfishError(caught, "unreachable");
      if (error.code === "malformed" || error.code === "too-large")
        this.#parts.net.misbehaved(from, `${STRANGER_PROTOCOL}: ${error.message}`);
      if (messages.closed.aborted) channel.abort(error);
      else refuseStranger(channel, error, this.#parts.clock);
    }
  }
}

function ask(desk: Desk, from: PeerId, request: CodeRequest): number {
  if (request.ask === "hold") return desk.hold(from, request.number, request.forMs);
  desk.drop(from, request.number, request.why);
  return request.number;
}

/** The pages that a member serves. */
function pagesOf(net: Net, peer: PeerId): string[] {
  const pages = net.member(peer)?.record.addresses.map((address) => pageAt(address)) ?? [];
  return pages.filter((page) => page !== undefined);
}

function sameHost(a: string, b: string): boolean {
  return new URL(a).host === new URL(b).host;
}

/** Only ports are compared: the user's own machine has several host names. */
function samePort(a: string, b: string): boolean {
  const portOf = (url: string): string => /:(\d+)$/.exec(new URL(url).host)?.[1] ?? new URL(url).protocol;
  return portOf(a) === portOf(b);
}
