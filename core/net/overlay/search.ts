/** Looks for missing members, at their addresses and at those where the swarm might be found (heal.ts). */
import { type Clock, withDeadline } from "../../ports/clock.ts";
import type { Address, DialTarget, PeerId } from "../../ports/network.ts";
import { type Random, sample } from "../../ports/random.ts";
import type { Links } from "../links/links.ts";
import type { Membership } from "../membership/membership.ts";
import { chooseProbe } from "./heal.ts";
import type { Member } from "../types.ts";

export interface SearchParts {
  readonly links: Links;
  readonly membership: Membership;
  readonly clock: Clock;
  readonly random: Random;
  readonly bootstrap: () => readonly Address[];
  readonly signal: AbortSignal;
  /** How often `tick` is called. */
  readonly periodMs: number;
}

/** How long a probe of a missing member waits for an answer. */
const PROBE_MS = 2_000;
/**
 * Probes at once by a node that has nobody left. It can't know which of the nodes that it knew are on its side of a
 * cut.
 */
const ALONE_PROBES_MAX = 4;
/** An entry among the missing members for whatever node answers at the bootstrap addresses. It is not a PeerId. */
const BOOTSTRAP = "bootstrap";

export class Search {
  readonly #parts: SearchParts;
  /** Whom we are looking for now. */
  readonly #probing = new Set<PeerId>();

  constructor(parts: SearchParts) {
    this.#parts = parts;
  }

  /** Looks for missing members. A node without a living link looks for any member. */
  tick(linked: number, awake: readonly Member[]): void {
    const { membership, random, periodMs } = this.#parts;
    const isAlone = linked === 0;
    const bootstrap = this.#parts.bootstrap();
    for (let free = (isAlone ? ALONE_PROBES_MAX : 1) - this.#probing.size; free > 0; free--) {
      const anybody = isAlone ? awake.filter(({ isSelf }) => !isSelf).map((member) => ({ member, agoMs: 0 })) : [];
      const missing = [...membership.gone(), ...anybody].filter(({ member }) => !this.#probing.has(member.record.peer));
      const hasBootstrap = bootstrap.length > 0 && !this.#probing.has(BOOTSTRAP);
      const probe = chooseProbe(random, { missing, awake: awake.length, links: linked, hasBootstrap }, periodMs);
      if (probe === undefined) return;
      if (probe.kind === "bootstrap") {
        this.#look(BOOTSTRAP, { addresses: sample(random, bootstrap) });
      } else {
        const { peer, addresses } = probe.member.record;
        this.#look(peer, { peer, addresses });
      }
    }
  }

  #look(whom: PeerId, target: DialTarget): void {
    const { links, clock, signal: ended } = this.#parts;
    const done = (): boolean => this.#probing.delete(whom);
    this.#probing.add(whom);
    const look = (signal: AbortSignal): ReturnType<Links["dial"]> => links.dial(target, { signal });
    withDeadline(clock, PROBE_MS, "Looking for the missing", look, { signal: ended }).then(done, done);
  }
}
