/**
 * Joining: while this node has no link, it tries all addresses that it knows at once, again and again with growing
 * pauses, as long as it lives. A founder that is alone does so too; that does no harm. Once there is a link, the
 * overlay takes over, until the last link has gone.
 */
import { StarfishError, toStarfishError } from "../../base/errors.ts";
import { sleep, withDeadline, type Clock } from "../../ports/clock.ts";
import type { Address } from "../../ports/network.ts";
import type { Random } from "../../ports/random.ts";
import { JOIN_ATTEMPT_MS, JOIN_BACKOFF_MAX_MS, JOIN_BACKOFF_MIN_MS, JOIN_BACKOFF_SHARE } from "../limits.ts";
import type { AdmittedLink, Links } from "./links.ts";

export interface JoinOptions {
  /** Where the swarm may be found, without this node's own addresses. Read before each attempt. */
  readonly addresses: () => readonly Address[];
  /** Told after each attempt: undefined when it gave a link, else what went wrong. */
  readonly onAttempt: (failure: StarfishError | undefined) => void;
}

export interface JoinPorts {
  readonly links: Links;
  readonly clock: Clock;
  readonly random: Random;
}

/** Tries until the signal aborts. Never rejects. */
export async function keepJoined(options: JoinOptions, ports: JoinPorts, signal: AbortSignal): Promise<void> {
  let aloneSinceMs = ports.clock.monotonic();
  while (!signal.aborted) {
    if (ports.links.all().length > 0) {
      await loneliness(ports.links, signal);
      aloneSinceMs = ports.clock.monotonic();
      continue;
    }
    const addresses = options.addresses();
    if (addresses.length > 0) {
      const failure = await attempt(addresses, ports, signal);
      if (signal.aborted) return;
      options.onAttempt(failure);
      if (failure === undefined) continue;
    }
    // Spread, so that a swarm whose node has restarted does not come back as one crowd.
    const pauseMs = clamped((ports.clock.monotonic() - aloneSinceMs) * JOIN_BACKOFF_SHARE);
    await sleep(ports.clock, pauseMs * (0.5 + ports.random.real() / 2), { signal }).catch(() => {});
  }
}

function clamped(pauseMs: number): number {
  return Math.min(JOIN_BACKOFF_MAX_MS, Math.max(JOIN_BACKOFF_MIN_MS, pauseMs));
}

/** Dials each address by itself, since different nodes may be behind them by now. The first link wins. */
async function attempt(
  addresses: readonly Address[],
  { links, clock }: JoinPorts,
  signal: AbortSignal,
): Promise<StarfishError | undefined> {
  const dial = (address: Address): Promise<AdmittedLink> =>
    withDeadline(
      clock,
      JOIN_ATTEMPT_MS,
      "Joining",
      (deadline) => links.dial({ addresses: [address] }, { signal: deadline }),
      {
        signal,
      },
    );
  const failures: StarfishError[] = [];
  const dials = addresses.map((address) =>
    dial(address).catch((error: unknown) => {
      failures.push(toStarfishError(error, "unreachable"));
      throw error;
    }),
  );
  try {
    await Promise.any(dials);
    return undefined;
  } catch {
    // A refusal says more than that nobody answered.
    return failures.find(({ code }) => code !== "unreachable" && code !== "timeout") ?? failures[0];
  }
}

/** Resolves when the last link has gone, or the signal aborts. */
function loneliness(links: Links, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const unsubscribe = links.onDown(() => {
      if (links.all().length === 0) done();
    });
    function done(): void {
      unsubscribe();
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done, { once: true });
    if (signal.aborted) done();
  });
}
