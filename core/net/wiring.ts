/**
 * The parts that make a member of a node, wired to each other: links by certificate, common time, membership, overlay
 * and gossip, and the search for a way in. The net stands on them; so do the simulations of the net alone, which have
 * to run what nodes run. This file holds no algorithm.
 */
import type { StarfishError } from "../base/errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { Crypto, KeyPair } from "../ports/crypto.ts";
import type { Log } from "../ports/log.ts";
import type { Address, Network, PeerId } from "../ports/network.ts";
import type { Random } from "../ports/random.ts";
import type { HelloRecords, VersionRange } from "./links/admission.ts";
import type { Chain } from "./identity/certificate.ts";
import { createGossip, type Gossip } from "./gossip/gossip.ts";
import { keepJoined } from "./links/join.ts";
import { createLinkTable, type LinkTable } from "./links/link-table.ts";
import { createMembership, type Membership } from "./membership/membership.ts";
import { LIFE_BYTES } from "./membership/record.ts";
import { createOverlay, LINKS_MAX_NODE, LINKS_MAX_TAB, type Overlay } from "./overlay/overlay.ts";
import { createSealer } from "./gossip/sealing.ts";
import { type SwarmClock, swarmClock } from "./time/swarm-clock.ts";
import { CommonTime } from "./time/time.ts";
import type { MemberRecord, SwarmId, Twin } from "./types.ts";
import { rememberVerified } from "./identity/verified.ts";

export interface WiringOptions {
  readonly peer: PeerId;
  readonly keys: KeyPair;
  readonly swarm: SwarmId;
  readonly chain: Chain;
  /** When the chain ends. */
  readonly notAfterMs: number;
  /** The secret from which the keys that seal gossip are derived. */
  readonly secret: Uint8Array;
  readonly versions: VersionRange;
  /** Whether there may be others who know the time. */
  readonly hasOthers: boolean;
  /** The wall clock's time when others last confirmed it, in an earlier life of this node. */
  readonly confirmedMs?: number | undefined;
  /** The first record of this node. */
  readonly record: (nowMs: number) => MemberRecord;
  /** Where others may be found, by what is known when it is asked. */
  readonly elsewhere: (membership: Membership) => readonly Address[];
  /** More of that, for getting in only. */
  readonly nearby?: (() => readonly Address[]) | undefined;
  /** Told after each attempt to get in: undefined when it gave a link, else what went wrong. */
  readonly onAttempt: (failure: StarfishError | undefined) => void;
  /** Another node runs under this one's identity. */
  readonly onTwin: (twin: Twin) => void;
  /** Ends the search for a way in. */
  readonly signal: AbortSignal;
}

export interface WiringPorts {
  readonly network: Network;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly random: Random;
  readonly log: Log;
}

export interface Wiring {
  readonly time: CommonTime;
  readonly links: LinkTable;
  readonly membership: Membership;
  readonly overlay: Overlay;
  readonly gossip: Gossip;
  /** This node's timers, and common time. */
  readonly clock: SwarmClock;
  /** Remembers the signatures that it has found genuine. */
  readonly crypto: Crypto;
}

export function wire(options: WiringOptions, ports: WiringPorts): Wiring {
  const { peer, keys, swarm, chain, notAfterMs, versions, signal } = options;
  const { network, random, log } = ports;
  const crypto = rememberVerified(ports.crypto);
  const time = new CommonTime(ports.clock, { hasOthers: options.hasOthers, confirmedMs: options.confirmedMs });
  const clock = swarmClock(ports.clock, time);
  const records: HelloRecords = {
    own: () => membership.recordOf(peer),
    of: (other) => membership.recordOf(other),
    told: (from, record) => membership.told(from, record),
  };
  const links = createLinkTable(() => ({ swarm, chain, versions }))({ network, clock, crypto, random, log, records });
  const record = options.record(clock.now());
  const membership = createMembership({ swarm, keys, chain, notAfterMs, record, life: random.bytes(LIFE_BYTES) })({
    links,
    clock,
    crypto,
    log,
    time,
    random,
    onTwin: options.onTwin,
  });
  const linksMax = record.kind === "tab" ? LINKS_MAX_TAB : LINKS_MAX_NODE;
  // While there is no link at all, `keepJoined` dials these addresses.
  const bootstrap = (): readonly Address[] => (links.all().length === 0 ? [] : options.elsewhere(membership));
  const overlay = createOverlay({ linksMax, bootstrap })({ links, membership, clock, random, log });
  const heard = (from: PeerId): void => membership.heard(from);
  const onSilence: Membership["onSilence"] = (listener) => membership.onSilence(listener);
  const sealer = createSealer(options.secret)({ crypto, random });
  // Gossip gets the crypto without memory: each of its signatures is seen once, and remembering them would only push
  // out those of certificates.
  const gossip = createGossip({ peer, keys })({
    links,
    sealer,
    clock,
    crypto: ports.crypto,
    random,
    log,
    heard,
    onSilence,
  });
  network.onAddresses((addresses) => membership.update({ addresses }));
  const joining = {
    addresses: () => [...options.elsewhere(membership), ...(options.nearby?.() ?? [])],
    onAttempt: options.onAttempt,
  };
  void keepJoined(joining, { links, clock: ports.clock, random }, signal);
  return { time, links, membership, overlay, gossip, clock, crypto };
}
