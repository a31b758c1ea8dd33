/**
 * The net, wired: identity and credentials from the store, links by certificate, membership, overlay, gossip, requests.
 * This file holds no algorithm; it says which part answers what, and how a node starts and leaves.
 */
import * as v from "valibot";
import { text, utf8, type Bytes } from "../base/bytes.ts";
import { decode, encode, momentOf, type Schema } from "../base/codec.ts";
import { messageOf, StarfishError } from "../base/errors.ts";
import { Listeners, type Unsubscribe } from "../base/events.ts";
import { type Clock, every, type Timer } from "../ports/clock.ts";
import type { Crypto, KeyPair } from "../ports/crypto.ts";
import type { Log } from "../ports/log.ts";
import type { Address, Channel, Network, PeerId } from "../ports/network.ts";
import type { Random } from "../ports/random.ts";
import type { Store } from "../ports/store.ts";
import type { VersionRange } from "./links/admission.ts";
import { bestAddresses, forOtherDevices } from "./links/bootstrap.ts";
import type { Standing } from "./identity/certificate.ts";
import { obtainCredentials, saveCredentials, standingOf, type Credentials } from "./identity/credentials.ts";
import { createForwarder } from "./requests/forward.ts";
import type { Gossip } from "./gossip/gossip.ts";
import { loadIdentity, type Identity } from "./identity/identity.ts";
import { checkInvite, formatInvite, parseInvite } from "./identity/invite.ts";
import { ADDRESSES_SAVED_MS, KEPT_ADDRESSES_MAX, ADDRESSES_SAVED_SOON_MS, PROTOCOL_VERSIONS } from "./limits.ts";
import type { LinkTable } from "./links/link-table.ts";
import type { Membership } from "./membership/membership.ts";
import type { Traffic } from "./links/meter.ts";
import { friendlyName } from "./identity/names.ts";
import { signStatement } from "./identity/statement.ts";
import type { Overlay } from "./overlay/overlay.ts";
import { createRouter, type Router } from "./requests/router.ts";
import { createRpc, type AskOptions, type Rpc } from "./requests/rpc.ts";
import type { SwarmClock } from "./time/swarm-clock.ts";
import type { CommonTime } from "./time/time.ts";
import type {
  LinkInfo,
  Member,
  MemberChange,
  MemberRecord,
  Net,
  RequestContext,
  Role,
  SelfPatch,
  SwarmId,
  Twin,
} from "./types.ts";
import { wire } from "./wiring.ts";

export interface NetOptions {
  readonly kind: "tab" | "node";
  /** The text of an invite, or a link that ends in one. Without it: the swarm this node was in last. */
  readonly invite?: string | undefined;
  /**
   * Whether to found a swarm if there is neither an invite nor a former swarm. Otherwise it rejects with "bad-invite".
   */
  readonly found: boolean;
  /** The name that people see. If not given: the node's last name, or two friendly words. */
  readonly name?: string | undefined;
  /** The device whose fate it shares; a device by itself if not given. */
  readonly device?: string | undefined;
  /**
   * The machine on which it runs, as an id that is of no use in another swarm. If it is undefined, the device counts as
   * the machine. A device that was named by its person counts as a machine, too.
   */
  readonly host?: ((swarm: SwarmId) => Promise<string | undefined>) | undefined;
  readonly coresLent?: number;
  readonly relayReason?: string | undefined;
  /** Where others may be found, besides the remembered addresses. Read before each attempt to join. */
  readonly nearby?: (() => readonly Address[]) | undefined;
  /** Told after each attempt to get in: undefined when it gave a link, else what went wrong. */
  readonly onAttempt?: (failure: StarfishError | undefined) => void;
  /** For tests of what happens between versions. */
  readonly versions?: VersionRange;
}

export interface NetPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly log: Log;
  /** Starts the network under the node's identity; the net ends it. */
  readonly network: (keys: KeyPair) => Promise<Network>;
}

export const PING_PROTOCOL = "/starfish/ping/1.0.0";

/**
 * Starts a node's net. Resolves as soon as it runs; whether others can be reached is seen from `members` and
 * `onAttempt`. Rejects with "bad-invite", "version-mismatch" (of the invite), "bad-certificate" (run out) or "io".
 */
export function createNet(options: NetOptions): (ports: NetPorts) => Promise<Net> {
  return async (ports) => {
    const { clock, crypto } = ports;
    const invite = options.invite === undefined ? undefined : parseInvite(crypto, options.invite);
    const identity = await loadIdentity(ports, { device: options.device });
    const nowMs = Math.round(clock.now());
    const credentials = await obtainCredentials(ports, identity, invite, { found: options.found, nowMs });
    const standing = standingOf(crypto, identity, credentials, nowMs);
    const name = options.name ?? (await keptName(ports.store)) ?? friendlyName(identity.peer);
    const confirmedMs = await keptConfirmation(ports.store);
    const host = (await options.host?.(credentials.swarm)) ?? identity.device;
    const network = await ports.network(identity.keys);
    return new WiredNet({ ...options, name, host, confirmedMs }, ports, network, identity, credentials, standing);
  };
}

const NAME_KEY = "net/name";

async function keptName(store: Store): Promise<string | undefined> {
  const kept = await store.get(NAME_KEY);
  return kept && text(kept);
}

/** The wall clock's time when other nodes last confirmed it. */
const CONFIRMED_KEY = "net/clock";
const confirmedSchema = momentOf();

async function keptConfirmation(store: Store): Promise<number | undefined> {
  const kept = await store.get(CONFIRMED_KEY);
  try {
    return kept && decode(confirmedSchema, kept);
  } catch {
    // Treated as if nobody had ever confirmed the clock.
    return undefined;
  }
}

class WiredNet implements Net {
  readonly self: PeerId;
  readonly swarm: SwarmId;
  readonly role: Role;
  readonly #ports: NetPorts;
  readonly #network: Network;
  readonly #privateKey: Uint8Array;
  #credentials: Credentials;
  readonly #links: LinkTable;
  readonly #membership: Membership;
  readonly #overlay: Overlay;
  readonly #gossip: Gossip;
  readonly #rpc: Rpc;
  readonly #router: Router;
  readonly #time: CommonTime;
  readonly #clock: SwarmClock;
  readonly #linksChanged = new Listeners<void>();
  readonly #ended = new AbortController();
  #leaving: Promise<void> | undefined;
  readonly #twins = new Listeners<Twin>();
  /** The last twin that was heard of. */
  #twin: Twin | undefined;
  /** The last notice about the clock that was logged. */
  #told: string | undefined;
  /** The stored addresses of others; undefined: they may be outdated. */
  #keptAddresses: readonly Address[] | undefined;
  #savingSoon: Timer | undefined;

  constructor(
    options: NamedOptions,
    ports: NetPorts,
    network: Network,
    identity: Identity,
    credentials: Credentials,
    standing: Standing,
  ) {
    const { swarm, chain, secret } = credentials;
    const { random, log } = ports;
    const { peer, keys } = identity;
    const own = network.addresses();
    this.self = peer;
    this.swarm = swarm;
    this.role = standing.role;
    this.#ports = ports;
    this.#network = network;
    this.#privateKey = keys.privateKey;
    this.#credentials = credentials;
    const { clock, crypto, ...parts } = wire(
      {
        peer,
        keys,
        swarm,
        chain,
        notAfterMs: standing.notAfterMs,
        secret,
        versions: options.versions ?? PROTOCOL_VERSIONS,
        confirmedMs: options.confirmedMs,
        hasOthers: credentials.addresses.some((address) => !own.includes(address)),
        record: (nowMs) => firstRecord(options, identity, standing, own, nowMs),
        elsewhere: (membership) => this.#elsewhere(membership.members()),
        nearby: options.nearby ?? (() => []),
        onAttempt: options.onAttempt ?? (() => {}),
        onTwin: (twin) => this.#met(twin),
        signal: this.#ended.signal,
      },
      { ...ports, network },
    );
    this.#time = parts.time;
    this.#clock = clock;
    this.#links = parts.links;
    this.#membership = parts.membership;
    this.#overlay = parts.overlay;
    this.#gossip = parts.gossip;
    const { links, overlay } = parts;
    this.#rpc = createRpc({ links, clock, log });
    const rpc = this.#rpc;
    const forwarder = createForwarder({ identity, swarm, chain })({ rpc, links, clock, crypto, random });
    this.#router = createRouter({ self: peer, rpc, forwarder, links, overlay, clock });
    this.#start();
  }

  #start(): void {
    this.#links.onUp(() => {
      this.#linksChanged.emit();
      this.#saveSoon();
    });
    this.#links.onDown(() => this.#linksChanged.emit());
    this.#rpc.handle(PING_PROTOCOL, v.null(), async () => null);
    const saving = every(this.#ports.clock, ADDRESSES_SAVED_MS, () => {
      void this.#saveAddresses();
      void this.#saveConfirmation();
      this.#tellOfClock();
    });
    this.#ended.signal.addEventListener("abort", () => {
      saving.cancel();
      this.#savingSoon?.cancel();
    });
  }

  // Who is there

  members(): readonly Member[] {
    return this.#membership.members();
  }

  member(peer: PeerId): Member | undefined {
    return this.#membership.member(peer);
  }

  onMember(listener: (change: MemberChange) => void): Unsubscribe {
    return this.#membership.onMember(listener);
  }

  update(patch: SelfPatch): void {
    this.#membership.update(patch);
    if (patch.name !== undefined) void this.#keep(this.#ports.store.set(NAME_KEY, utf8(patch.name)));
  }

  links(): readonly LinkInfo[] {
    return this.#links.all().map((link) => ({
      peer: link.peer,
      path: link.path(),
      roundTripMs: this.#membership.roundTripMs(link.peer),
    }));
  }

  onLinks(listener: () => void): Unsubscribe {
    return this.#linksChanged.add(listener);
  }

  onTraffic(listener: (event: Traffic) => void): Unsubscribe {
    return this.#links.onTraffic(listener);
  }

  // Talking to one

  async ping(peer: PeerId, options: { signal?: AbortSignal | undefined } = {}): Promise<number> {
    // The way is found first: the time for that is not part of the round trip.
    await this.#router.prepare(peer, { signal: this.#alive(options.signal) });
    const beganMs = this.#ports.clock.monotonic();
    await this.request(peer, PING_PROTOCOL, null, v.null(), options);
    return this.#ports.clock.monotonic() - beganMs;
  }

  handle<Q>(
    protocol: string,
    schema: Schema<Q>,
    serve: (request: Q, context: RequestContext) => Promise<unknown>,
  ): Unsubscribe {
    return this.#rpc.handle(protocol, schema, serve);
  }

  request<R>(
    peer: PeerId,
    protocol: string,
    request: unknown,
    schema: Schema<R>,
    options: AskOptions = {},
  ): Promise<R> {
    return this.#router.request(peer, protocol, request, schema, { ...options, signal: this.#alive(options.signal) });
  }

  async open(peer: PeerId, protocol: string, options: { signal?: AbortSignal | undefined } = {}): Promise<Channel> {
    const signal = this.#alive(options.signal);
    const link = await this.#overlay.connect(peer, { signal });
    return link.open(protocol, { signal });
  }

  accept(protocol: string, receive: (channel: Channel, from: PeerId) => void): Unsubscribe {
    return this.#links.accept(protocol, (channel, link) => receive(channel, link.peer));
  }

  /** The caller's signal, or the end of this node. */
  #alive(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.#ended.signal : AbortSignal.any([signal, this.#ended.signal]);
  }

  // Talking to all

  publish(topic: string, payload: Bytes): void {
    this.#gossip.publish(topic, payload);
  }

  subscribe(topic: string, receive: (payload: Uint8Array, from: PeerId) => void): Unsubscribe {
    return this.#gossip.subscribe(topic, receive);
  }

  // What time it is

  correctedNow(): number {
    return this.#time.now();
  }

  isTimeKnown(): boolean {
    return this.#time.isKnown;
  }

  clockTrouble(): string | undefined {
    return this.#time.trouble();
  }

  clockNotice(): string | undefined {
    return this.#time.notice();
  }

  notices(): readonly string[] {
    const clock = this.clockNotice();
    return [...(clock === undefined ? [] : [clock]), ...(this.#twin === undefined ? [] : [this.#twin.message])];
  }

  // Trust

  sign(purpose: string, message: Bytes): Uint8Array {
    return signStatement(this.#ports.crypto, this.#privateKey, purpose, message);
  }

  secretFor(purpose: string, length: number): Uint8Array {
    return this.#ports.crypto.derive(this.#credentials.secret, `starfish ${purpose}`, length);
  }

  misbehaved(peer: PeerId, what: string): void {
    this.#links.misbehaved(peer, what);
  }

  // Coming and going

  invite(options: { readonly charsMax?: number } = {}): string {
    try {
      checkInvite(this.#ports.crypto, this.#credentials, this.#clock.when());
    } catch (error) {
      throw new StarfishError("not-a-member", "This node may not invite (any more): its own invite has expired", {
        cause: error,
      });
    }
    const own = forOtherDevices(this.#network.addresses());
    const addresses = forOtherDevices(bestAddresses(this.members(), own, this.#credentials.addresses));
    return formatInvite(this.#ports.crypto, { ...this.#credentials, addresses }, options);
  }

  leave(): Promise<void> {
    this.#leaving ??= this.#leave();
    return this.#leaving;
  }

  onTwin(listener: (twin: Twin) => void): Unsubscribe {
    return this.#twins.add(listener);
  }

  #met(twin: Twin): void {
    const { givesWay, message } = twin;
    // A twin is noticed again with each of its answers; it is reported once.
    if (message === this.#twin?.message) return;
    this.#ports.log.write(givesWay ? "error" : "warn", "net.twin", { givesWay, message });
    this.#twin = twin;
    // No goodbye is sent: others would take it for the twin's, too.
    if (givesWay) this.#leaving ??= this.#end(new StarfishError("in-use", message));
    this.#twins.emit(twin);
  }

  #leave(): Promise<void> {
    // The goodbye comes before anything that takes time: a page that is being closed has no time left.
    this.#membership.leave();
    return this.#end(new StarfishError("closed", "This node has left the swarm"));
  }

  async #end(why: StarfishError): Promise<void> {
    const saved = Promise.all([this.#saveAddresses(), this.#saveConfirmation()]);
    this.#ended.abort(why);
    this.#overlay.stop();
    this.#gossip.stop();
    this.#rpc.close();
    // Closing first sends what is queued.
    await this.#links.close();
    await saved;
    await this.#network[Symbol.asyncDispose]();
  }

  /** Where others may be found. */
  #elsewhere(members: readonly Member[]): Address[] {
    const own = this.#network.addresses();
    return bestAddresses(members, [], this.#credentials.addresses, KEPT_ADDRESSES_MAX).filter(
      (address) => !own.includes(address),
    );
  }

  /** Stores where the swarm is now, for the next start. While the node is alone, the former addresses stay. */
  async #saveAddresses(): Promise<void> {
    const addresses = this.#elsewhere(this.members());
    const kept = this.#keptAddresses;
    if (kept !== undefined && addresses.join() === kept.join()) return;
    this.#credentials = { ...this.#credentials, addresses };
    // What could not be stored is tried again the next time.
    if (await this.#keep(saveCredentials(this.#ports, this.#credentials))) this.#keptAddresses = addresses;
  }

  /**
   * If this node is killed and comes back at another address, nobody finds it: it has to find the others itself. So
   * soon after a new link it stores their addresses, unless a member at one of the stored addresses is awake: in that
   * case it can wait.
   */
  #saveSoon(): void {
    if (this.#savingSoon !== undefined || this.#ended.signal.aborted) return;
    this.#savingSoon = this.#ports.clock.timer(ADDRESSES_SAVED_SOON_MS, () => {
      this.#savingSoon = undefined;
      const kept = new Set(this.#keptAddresses);
      const isKept = ({ isSelf, status, record }: Member): boolean =>
        !isSelf && status === "awake" && record.addresses.some((address) => kept.has(address));
      if (!this.members().some(isKept)) void this.#saveAddresses();
    });
  }

  #tellOfClock(): void {
    const notice = this.clockNotice();
    if (notice !== undefined && this.#told === undefined) this.#ports.log.write("warn", "net.clock", { notice });
    this.#told = notice;
  }

  /**
   * Stores that others find this node's clock right. So nodes that surround it after the next start can't make it
   * believe otherwise.
   */
  async #saveConfirmation(): Promise<void> {
    const confirmedMs = this.#time.confirmedMs();
    if (confirmedMs !== undefined)
      await this.#keep(this.#ports.store.set(CONFIRMED_KEY, encode(Math.max(0, Math.round(confirmedMs)))));
  }

  /**
   * Waits until it is stored, and returns whether that succeeded. A failure is only logged, because only the next start
   * would notice it. Never rejects.
   */
  async #keep(storing: Promise<void>): Promise<boolean> {
    try {
      await storing;
      return true;
    } catch (error) {
      this.#ports.log.write("warn", "net.not-kept", { error: messageOf(error) });
      return false;
    }
  }
}

interface NamedOptions extends Omit<NetOptions, "host"> {
  readonly name: string;
  readonly host: string;
  readonly confirmedMs: number | undefined;
}

function firstRecord(
  options: NamedOptions,
  identity: Identity,
  standing: Standing,
  addresses: readonly Address[],
  nowMs: number,
): MemberRecord {
  return {
    peer: identity.peer,
    // The wall clock, so that a new life outranks the one before. If the clock was set back, the swarm says so, and the
    // node exceeds its former value.
    incarnation: Math.round(nowMs),
    name: options.name,
    kind: options.kind,
    device: identity.device,
    host: options.host,
    role: standing.role,
    addresses,
    coresLent: options.coresLent ?? 0,
    coresBusy: 0,
    startedAtMs: Math.round(nowMs),
    state: "awake",
    relayReason: options.relayReason,
    card: undefined,
  };
}
