/**
 * The interface of the net to the parts above it: the members, and three ways to talk to them (request/reply, gossip by
 * topic, channels). Implemented by net.ts; everything here is about admitted members, never about strangers.
 */
import type { Bytes } from "../base/bytes.ts";
import type { Schema } from "../base/codec.ts";
import type { Unsubscribe } from "../base/events.ts";
import type { Address, Channel, LinkPath, PeerId } from "../ports/network.ts";

/** The swarm's name: base64url of its root public key. */
export type SwarmId = string;

export type Role = "admin" | "member" | "reader" | "worker";

/** Another node that runs with this node's identity (membership/twin.ts). */
export interface Twin {
  /** Whether this node is the one that ends. */
  readonly givesWay: boolean;
  readonly message: string;
}

/** A node's signed statement about itself, with a growing incarnation. */
export interface MemberRecord {
  readonly peer: PeerId;
  /** Grows with every change and with every refutation; the higher one wins. */
  readonly incarnation: number;
  readonly name: string;
  readonly kind: "tab" | "node";
  /** The device whose fate this node shares (tabs of one browser). */
  readonly device: string;
  /** The machine on which it runs, by an id that says nothing else: nodes of one machine have the same. */
  readonly host: string;
  readonly role: Role;
  readonly addresses: readonly Address[];
  /** Cores lent to everybody's jobs now. */
  readonly coresLent: number;
  /** Tasks running on this node now, its own jobs' among them: they may use cores that are not lent. */
  readonly coresBusy: number;
  /** Wall clock of the node when it started, ms since 1970. */
  readonly startedAtMs: number;
  /** The state that the node claims: here, about to be frozen, or gone on purpose. */
  readonly state: "awake" | "asleep" | "left";
  /** Why it takes no direct links, if so ("no WebRTC in this browser"). */
  readonly relayReason: string | undefined;
  /** How mail reaches it, and whose node it is (io/people/card.ts); undefined before it has said so. */
  readonly card: Uint8Array | undefined;
}

/** The swarm's view of it: a suspect may be dead and is still counted; gone means left or dead. */
export type MemberStatus = "awake" | "asleep" | "suspect" | "gone";

export interface Member {
  readonly record: MemberRecord;
  readonly status: MemberStatus;
  readonly isSelf: boolean;
}

export interface MemberChange {
  readonly member: Member;
  readonly before: MemberStatus | undefined;
}

/** The parts of its own record that a node may change; the net raises the incarnation and gossips it. */
export type SelfPatch = Partial<
  Pick<MemberRecord, "name" | "coresLent" | "coresBusy" | "state" | "relayReason" | "card">
>;

export interface LinkInfo {
  readonly peer: PeerId;
  readonly path: LinkPath;
  /** Smoothed round trip, ms; undefined before the first. */
  readonly roundTripMs: number | undefined;
}

export interface RequestContext {
  readonly from: PeerId;
  /** Aborts when the asker goes away or cancels. */
  readonly signal: AbortSignal;
}

export interface Net {
  readonly self: PeerId;
  readonly swarm: SwarmId;
  readonly role: Role;

  /** Everyone known, this node too; the gone ones for a day. */
  members(): readonly Member[];
  member(peer: PeerId): Member | undefined;
  onMember(listener: (change: MemberChange) => void): Unsubscribe;
  update(patch: SelfPatch): void;

  links(): readonly LinkInfo[];
  onLinks(listener: () => void): Unsubscribe;
  /** For pictures: each message that passes a link, in or out, by peer and bytes. */
  onTraffic(listener: (event: { peer: PeerId; direction: "in" | "out"; bytes: number }) => void): Unsubscribe;
  /**
   * Round trip to a member in ms, linking to it first if need be. Rejects with "unreachable", "timeout", "cancelled".
   */
  ping(peer: PeerId, options?: { signal?: AbortSignal | undefined }): Promise<number>;

  /**
   * Serves requests of a protocol ("/starfish/<part>/1.0.0"). A request that does not match the schema is refused and
   * counted, and never reaches the handler. A StarfishError thrown by the handler reaches the asker with its code and
   * message.
   */
  handle<Q>(
    protocol: string,
    schema: Schema<Q>,
    serve: (request: Q, context: RequestContext) => Promise<unknown>,
  ): Unsubscribe;
  /**
   * Asks a member, over a link of its own or through a member that is linked to it. Bounded in flight per peer
   * ("busy"). Rejects with the handler's own code, "unreachable", "link-closed", "timeout", "malformed" or "cancelled".
   */
  request<R>(
    peer: PeerId,
    protocol: string,
    request: unknown,
    schema: Schema<R>,
    options?: {
      signal?: AbortSignal | undefined;
      timeoutMs?: number;
      /** Keeps a channel open for the next such request, for many requests in a row. */
      keepAlive?: boolean;
      /** If there is no link, asks through a member that is linked to both, and makes no link. For small messages. */
      isCarried?: boolean;
    },
  ): Promise<R>;

  /**
   * To all members, best effort: sealed, each delivered at most once to each. Payload up to 64 KiB, else "too-large".
   */
  publish(topic: string, payload: Bytes): void;
  subscribe(topic: string, receive: (payload: Uint8Array, from: PeerId) => void): Unsubscribe;

  /** Milliseconds since 1970 by the swarm's common clock, whatever this node's own says. May step, if it was wrong. */
  correctedNow(): number;
  /**
   * Whether `correctedNow` is the common time already. Until a newcomer has been told the time, it is its own clock,
   * which may be wrong by a year.
   */
  isTimeKnown(): boolean;
  /**
   * Why this node does not know the time and so can't write now (it has just started, or its clock is wrong), for
   * people. Undefined if it can.
   */
  clockTrouble(): string | undefined;
  /** A sentence for a person whose clock differs from the others', although this node may write. */
  clockNotice(): string | undefined;
  /** Troubles that a person should mend, in sentences: a wrong clock, another node with this one's identity. */
  notices(): readonly string[];
  /** Another node runs under this one's identity. The node that ends has already left when this is called. */
  onTwin(listener: (twin: Twin) => void): Unsubscribe;

  /** A stream of messages to a member over a direct or relayed link, for contents that are too large for a request. */
  open(peer: PeerId, protocol: string, options?: { signal?: AbortSignal | undefined }): Promise<Channel>;
  accept(protocol: string, receive: (channel: Channel, from: PeerId) => void): Unsubscribe;

  /** Signs a message for one purpose as this node; others check it with `isSignedBy` (identity/statement.ts). */
  sign(purpose: string, message: Bytes): Uint8Array;
  /** Bytes that all members derive alike and nobody else knows, for one purpose. */
  secretFor(purpose: string, length: number): Uint8Array;
  /** Counts a fault of this member (it sent what no honest node sends); too many cost it its link and some minutes. */
  misbehaved(peer: PeerId, what: string): void;

  /**
   * The invite as text for a URL fragment, with as many of the best bootstrap addresses as fit into the given number of
   * characters. Throws "not-a-member" if this node may not invite.
   */
  invite(options?: { readonly charsMax?: number }): string;
  /** Says goodbye, closes all links and ends. */
  leave(): Promise<void>;
}
