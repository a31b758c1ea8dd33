/**
 * Finds the way to a member and asks it there: over a link of its own, which the overlay makes if it can, or else
 * through a member that is linked to both.
 */
import { whole } from "../../base/bytes.ts";
import { check, type Schema } from "../../base/codec.ts";
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import { abortable, withDeadline, type Clock } from "../../ports/clock.ts";
import type { PeerId } from "../../ports/network.ts";
import type { Forwarder } from "./forward.ts";
import { FORWARDERS_TRIED_MAX, REQUEST_TIMEOUT_MS } from "../limits.ts";
import type { AdmittedLink, Links } from "../links/links.ts";
import type { AskOptions, Rpc } from "./rpc.ts";
import { decodeReply, encodeRequest } from "./wire.ts";

export interface RouterPorts {
  readonly self: PeerId;
  readonly rpc: Rpc;
  readonly forwarder: Forwarder;
  readonly links: Links;
  readonly overlay: {
    connect(peer: PeerId, options: { readonly signal: AbortSignal }): Promise<AdmittedLink>;
    introducers(peer: PeerId): readonly PeerId[];
    introducersOf(peer: PeerId, options: { readonly signal: AbortSignal }): Promise<readonly PeerId[]>;
  };
  readonly clock: Clock;
}

export interface Router {
  /** Rejects as `Net.request` does. */
  request<R>(peer: PeerId, protocol: string, request: unknown, schema: Schema<R>, options: AskOptions): Promise<R>;
  /**
   * Makes sure that there is a way to the peer, so that the next request need not look for one. Rejects like `request`.
   */
  prepare(peer: PeerId, options: AskOptions): Promise<void>;
}

interface Limits {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

export function createRouter(ports: RouterPorts): Router {
  const { self, rpc, forwarder, links, overlay, clock } = ports;

  /** Rejects if there is no link and none can be made. */
  function linkTo(peer: PeerId, { signal, timeoutMs }: Limits): Promise<AdmittedLink> {
    const connect = (deadline: AbortSignal): Promise<AdmittedLink> => overlay.connect(peer, { signal: deadline });
    // Half the time, so that there is some left for the way round.
    return withDeadline(clock, timeoutMs / 2, "Finding a way to the node", connect, { signal });
  }

  /**
   * Members that can carry requests for this node. If there are none, rejects with `why`, the reason for which there is
   * no link.
   */
  async function carriersTo(peer: PeerId, { signal }: Limits, why: unknown): Promise<readonly AdmittedLink[]> {
    if (signal.aborted || !isStarfishError(why)) throw why;
    const carriers = linksOf(await abortable(signal, overlay.introducersOf(peer, { signal })));
    if (carriers.length === 0) throw why;
    return carriers;
  }

  function linksOf(introducers: readonly PeerId[]): readonly AdmittedLink[] {
    const found = introducers.map((introducer) => links.get(introducer)).filter((link) => link !== undefined);
    return found.slice(0, FORWARDERS_TRIED_MAX);
  }

  /** Asks through the first carrier that works. If none does, rejects with the error of the last one. */
  async function carried<R>(
    carriers: readonly AdmittedLink[],
    peer: PeerId,
    protocol: string,
    request: unknown,
    schema: Schema<R>,
    limits: Limits,
  ): Promise<{ readonly value: R } | { readonly failure: unknown }> {
    let failure: unknown;
    for (const carrier of carriers) {
      try {
        return { value: await forwarder.ask(carrier, peer, protocol, request, schema, limits) };
      } catch (error) {
        if (!isCarriersOwn(error)) throw error;
        failure = error;
      }
    }
    return { failure };
  }

  async function askSelf<R>(protocol: string, request: unknown, schema: Schema<R>, signal: AbortSignal): Promise<R> {
    const message = whole(encodeRequest(request));
    const bytes = whole(await abortable(signal, rpc.serve(protocol, message, { from: self, signal })));
    const reply = decodeReply(bytes);
    if (!reply.ok) throw reply.error;
    return check(schema, reply.value);
  }

  async function within<T>(what: string, options: AskOptions, work: (limits: Limits) => Promise<T>): Promise<T> {
    const { timeoutMs = REQUEST_TIMEOUT_MS } = options;
    return withDeadline(clock, timeoutMs, what, (signal) => work({ signal, timeoutMs }), { signal: options.signal });
  }

  return {
    request<R>(peer: PeerId, protocol: string, request: unknown, schema: Schema<R>, options: AskOptions): Promise<R> {
      const { keepAlive, isCarried = false } = options;
      return within(`The request ${protocol}`, options, async (limits) => {
        if (peer === self) return askSelf(protocol, request, schema, limits.signal);
        let failure: unknown;
        if (isCarried && links.get(peer) === undefined) {
          const carriers = linksOf(overlay.introducers(peer));
          const answer = await carried(carriers, peer, protocol, request, schema, limits);
          if ("value" in answer) return answer.value;
        }
        const link = await linkTo(peer, limits).catch((error: unknown) => void (failure = error));
        if (link !== undefined) {
          let isSent = false;
          const onSent = (): void => void (isSent = true);
          try {
            return await rpc.ask(link, protocol, request, schema, { ...limits, keepAlive, onSent });
          } catch (error) {
            // A request that was sent may have been carried out, so it is not sent again. Before that, the peer may
            // just have closed the link to make room for another one; then a carrier is asked.
            if (isSent || !isStarfishError(error, "link-closed")) throw error;
            failure = error;
          }
        }
        const carriers = await carriersTo(peer, limits, failure);
        const answer = await carried(carriers, peer, protocol, request, schema, limits);
        if ("value" in answer) return answer.value;
        throw answer.failure;
      });
    },

    async prepare(peer, options) {
      if (peer === self) return;
      await within("Finding a way to the node", options, async (limits) => {
        await linkTo(peer, limits).catch((error: unknown) => carriersTo(peer, limits, error));
      });
    },
  };
}

/** Whether the failure is the carrier's, so that another one may succeed. */
function isCarriersOwn(error: unknown): error is StarfishError {
  return (
    isStarfishError(error, "unreachable") || isStarfishError(error, "link-closed") || isStarfishError(error, "busy")
  );
}
