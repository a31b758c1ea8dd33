/**
 * How a simulated link is made: with the same packets and round trips as a WebSocket dial to an address, or a WebRTC
 * offer and answer through an introducer.
 */
import { isStarfishError, StarfishError } from "../../core/base/errors.ts";
import type { DialTarget, Link, PeerId } from "../../core/ports/network.ts";
import type { Fabric } from "./fabric.ts";
import type { Machine } from "./life.ts";
import type { SimLink } from "./link.ts";
import type { SimNetwork } from "./network.ts";

/** How long one route is tried. */
const ATTEMPT_MS_MAX = 5000;

/** How long a direct connection is tried before an introducer relays instead. */
const DIRECT_MS_MAX = 3000;

/** An attempt at one route; results that come after its end are dropped. */
interface Attempt {
  over: boolean;
}

type Route = (attempt: Attempt) => Promise<SimLink>;

/** Tries addresses, then introducers, one after the other. Rejects with "unreachable" or "timeout". */
export async function dialRoutes(fabric: Fabric, self: SimNetwork, target: DialTarget): Promise<Link> {
  const { peer } = target;
  if (peer !== undefined && (peer === self.self || self.refuses(peer))) {
    throw unreachable(peer === self.self ? "A node does not dial itself" : "This peer is refused for now");
  }
  const routes: Route[] = [];
  for (const address of target.addresses) {
    const machine = fabric.machineAt(address);
    if (machine !== undefined) routes.push((attempt) => dialAddress(fabric, self, machine, peer, attempt));
  }
  for (const introducer of target.introducers ?? []) {
    if (peer !== undefined) routes.push((attempt) => dialThrough(fabric, self, introducer, peer, attempt));
  }
  let failure = unreachable("No address of the peer leads anywhere, and nobody introduces us");
  for (const route of routes) {
    try {
      return await within(fabric, ATTEMPT_MS_MAX, route);
    } catch (error) {
      if (!isStarfishError(error)) throw error;
      failure = error;
    }
  }
  throw failure;
}

async function dialAddress(
  fabric: Fabric,
  self: SimNetwork,
  machine: Machine,
  peer: PeerId | undefined,
  attempt: Attempt,
): Promise<SimLink> {
  await fabric.travel(self.machine, machine);
  const answerer = fabric.networks.get(machine);
  if (answerer === undefined && machine.silent) return never();
  await fabric.travel(machine, self.machine);
  if (answerer === undefined) throw unreachable("The connection was refused");
  if (peer !== undefined && answerer.self !== peer) throw unreachable("Another node answers at this address");
  return establish(fabric, self, answerer, undefined, attempt);
}

async function dialThrough(
  fabric: Fabric,
  self: SimNetwork,
  introducer: PeerId,
  peer: PeerId,
  attempt: Attempt,
): Promise<SimLink> {
  const link = self.linkTo(introducer);
  const via = link && fabric.networks.get(link.out.to);
  if (via === undefined) throw unreachable("Not linked to the introducer");
  await fabric.travel(self.machine, via.machine);
  if (!via.alive) return never();
  const onward = via.carries(self.self) && via.carries(peer) ? via.linkTo(peer) : undefined;
  const answerer = onward && fabric.networks.get(onward.out.to);
  if (answerer === undefined) {
    await fabric.travel(via.machine, self.machine);
    throw unreachable("The introducer has no link to the peer, or does not carry for us");
  }
  await fabric.travel(via.machine, answerer.machine);
  await fabric.travel(answerer.machine, via.machine);
  await fabric.travel(via.machine, self.machine);
  let reason = fabric.whyRelayed(self.machine, answerer.machine);
  if (reason === undefined) {
    try {
      return await within(fabric, DIRECT_MS_MAX, async (direct) => {
        await fabric.travel(self.machine, answerer.machine);
        await fabric.travel(answerer.machine, self.machine);
        return establish(fabric, self, answerer, undefined, direct);
      });
    } catch (error) {
      if (!isStarfishError(error, "timeout")) throw error;
      reason = "a direct connection could not be had";
    }
  }
  return establish(fabric, self, answerer, { via, reason }, attempt);
}

function establish(
  fabric: Fabric,
  self: SimNetwork,
  answerer: SimNetwork,
  relay: { via: SimNetwork; reason: string } | undefined,
  attempt: Attempt,
): SimLink | Promise<SimLink> {
  if (!self.alive || attempt.over) return never();
  if (answerer.refuses(self.self) || self.refuses(answerer.self)) throw unreachable("The peer refuses us for now");
  if (!answerer.alive) throw unreachable("The peer has gone");
  return self.linkTo(answerer.self) ?? fabric.connect(self, answerer, relay);
}

/** Rejects with "timeout" if the work takes longer. */
function within(fabric: Fabric, timeoutMs: number, work: Route): Promise<SimLink> {
  return new Promise((resolve, reject) => {
    const attempt: Attempt = { over: false };
    const timer = fabric.scheduler.after(timeoutMs, "dial-timeout", () => {
      attempt.over = true;
      reject(new StarfishError("timeout", `No answer within ${timeoutMs} ms`, { retryable: true }));
    });
    work(attempt)
      .then(resolve, reject)
      .finally(() => fabric.scheduler.cancel(timer));
  });
}

function never(): Promise<never> {
  return new Promise(() => {});
}

function unreachable(message: string): StarfishError {
  return new StarfishError("unreachable", message, { retryable: true });
}
