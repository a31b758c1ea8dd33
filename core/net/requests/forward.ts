/**
 * Requests between members that have no link: a third member, linked to both, carries them. One hop, bounded. The asker
 * signs its request and shows its chain, the target signs its reply, so that the carrier can lose or delay them, but
 * can neither change them nor pretend to be somebody else. It can read them, as any member may.
 *
 *   asker -> carrier   `/starfish/forward/1.0.0`  {to, request: envelope}  -> the signed reply
 *   carrier -> target  `/starfish/deliver/1.0.0`  {request: envelope}      -> the signed reply
 *
 * Both are plain requests (rpc.ts), which gives them deadlines, cancellation and bounds. An envelope is served once:
 * its nonce is remembered for as long as its date would pass.
 */
import * as v from "valibot";
import { type Bytes, concat, equal, toHex, utf8, whole } from "../../base/bytes.ts";
import { bytesOf, check, decode, encode, textOf, type Schema, momentOf } from "../../base/codec.ts";
import { StarfishError } from "../../base/errors.ts";
import { publicKeyOf } from "../../base/peer-id.ts";
import type { Crypto } from "../../ports/crypto.ts";
import type { PeerId } from "../../ports/network.ts";
import type { Random } from "../../ports/random.ts";
import { chainSchema, verifyChain, type Chain } from "../identity/certificate.ts";
import type { Identity } from "../identity/identity.ts";
import {
  FORWARD_AGE_MAX_MS,
  FORWARD_BYTES_MAX,
  FORWARD_NONCES_MAX,
  FORWARDS_MAX,
  FORWARDS_PER_PEER_MAX,
} from "../limits.ts";
import type { AdmittedLink, Links } from "../links/links.ts";
import type { Rpc } from "./rpc.ts";
import { decodeReply, encodeFailure } from "./wire.ts";
import { PeerLimiter } from "./peer-limiter.ts";
import type { SwarmClock } from "../time/swarm-clock.ts";
import type { RequestContext, SwarmId } from "../types.ts";

export const FORWARD_PROTOCOL = "/starfish/forward/1.0.0";
export const DELIVER_PROTOCOL = "/starfish/deliver/1.0.0";

export interface ForwardOptions {
  readonly identity: Identity;
  readonly swarm: SwarmId;
  readonly chain: Chain;
}

export interface ForwardPorts {
  readonly rpc: Rpc;
  readonly links: Links;
  readonly clock: SwarmClock;
  readonly crypto: Crypto;
  readonly random: Random;
}

export interface Forwarder {
  /**
   * Asks `to` through `carrier`. Rejects as `Rpc.ask` does, and with "unreachable" if the carrier has no link to it.
   */
  ask<R>(
    carrier: AdmittedLink,
    to: PeerId,
    protocol: string,
    request: unknown,
    schema: Schema<R>,
    options: { readonly signal: AbortSignal; readonly timeoutMs: number },
  ): Promise<R>;
}

export const REQUEST_DOMAIN: Uint8Array = utf8("starfish forwarded request 1\n");
const REPLY_DOMAIN = utf8("starfish forwarded reply 1\n");
const NONCE_BYTES = 16;
/** Room for the names, chain and signature around a request. */
const ENVELOPE_BYTES_MAX = FORWARD_BYTES_MAX + 8_192;

const PEER = textOf(64);
const signedSchema = v.tuple([bytesOf(1, ENVELOPE_BYTES_MAX), bytesOf(64)]);
const requestSchema = v.object({
  from: PEER,
  to: PEER,
  chain: chainSchema,
  protocol: textOf(100),
  request: bytesOf(0, FORWARD_BYTES_MAX),
  nonce: bytesOf(NONCE_BYTES),
  atMs: momentOf(),
});
const replySchema = v.object({ nonce: bytesOf(NONCE_BYTES), reply: bytesOf(1, FORWARD_BYTES_MAX) });
const envelopeSchema = bytesOf(1, ENVELOPE_BYTES_MAX + 100);
const forwardSchema = v.object({ to: PEER, envelope: envelopeSchema });

export function createForwarder(options: ForwardOptions): (ports: ForwardPorts) => Forwarder {
  return (ports) => new Forwarding(options, ports);
}

class Forwarding implements Forwarder {
  readonly #options: ForwardOptions;
  readonly #ports: ForwardPorts;
  readonly #carried = new PeerLimiter({ perPeerMax: FORWARDS_PER_PEER_MAX, max: FORWARDS_MAX });
  /** Nonces that were served lately, the oldest first, with the monotonic time until which they are remembered. */
  readonly #seen = new Map<string, number>();

  constructor(options: ForwardOptions, ports: ForwardPorts) {
    this.#options = options;
    this.#ports = ports;
    ports.rpc.handle(FORWARD_PROTOCOL, forwardSchema, (request, context) => this.#carry(request, context));
    ports.rpc.handle(DELIVER_PROTOCOL, envelopeSchema, (envelope, context) => this.#deliver(envelope, context));
  }

  async ask<R>(
    carrier: AdmittedLink,
    to: PeerId,
    protocol: string,
    request: unknown,
    schema: Schema<R>,
    options: { readonly signal: AbortSignal; readonly timeoutMs: number },
  ): Promise<R> {
    const { rpc, clock, random } = this.#ports;
    const { identity, chain } = this.#options;
    const bytes = encode(request);
    if (bytes.length > FORWARD_BYTES_MAX) {
      throw new StarfishError(
        "too-large",
        `No direct link to the node, and ${bytes.length} bytes are too many to forward`,
      );
    }
    const nonce = random.bytes(NONCE_BYTES);
    const says = { from: identity.peer, to, chain, protocol, request: bytes, nonce, atMs: Math.round(clock.now()) };
    const envelope = this.#sign(REQUEST_DOMAIN, encode(says));
    const signed = await rpc.ask(carrier, FORWARD_PROTOCOL, { to, envelope }, envelopeSchema, options);
    const answer = this.#open(REPLY_DOMAIN, signed, replySchema, () => to);
    if (!equal(answer.nonce, nonce)) throw new StarfishError("malformed", "The forwarded reply is to another request");
    const reply = decodeReply(answer.reply);
    if (!reply.ok) throw reply.error;
    return check(schema, reply.value);
  }

  /** As carrier: passes the envelope to a member that is linked, and its answer back. */
  async #carry({ to, envelope }: v.InferOutput<typeof forwardSchema>, context: RequestContext): Promise<Uint8Array> {
    const { rpc, links } = this.#ports;
    const link = links.get(to);
    if (link === undefined)
      throw new StarfishError("unreachable", "The member asked to forward has no link to the other");
    const release = this.#carried.take(context.from);
    if (release === undefined) throw new StarfishError("busy", "The member asked to forward carries too much already");
    try {
      return await rpc.ask(link, DELIVER_PROTOCOL, envelope, envelopeSchema, { signal: context.signal });
    } finally {
      release();
    }
  }

  /** As target: serves what a member has signed for us, once. */
  async #deliver(envelope: Uint8Array, { signal }: RequestContext): Promise<Uint8Array> {
    const { rpc, clock, crypto } = this.#ports;
    const { identity, swarm } = this.#options;
    const says = this.#open(REQUEST_DOMAIN, envelope, requestSchema, ({ from }) => from);
    if (says.to !== identity.peer) throw new StarfishError("malformed", "The forwarded request is for another node");
    verifyChain(crypto, says.chain, swarm, says.from, clock.when());
    if (Math.abs(clock.now() - says.atMs) > FORWARD_AGE_MAX_MS) {
      throw new StarfishError("malformed", "The forwarded request is too old, or a clock is wrong");
    }
    this.#remember(says.nonce);
    const reply = whole(await rpc.serve(says.protocol, says.request, { from: says.from, signal }));
    return this.#sign(REPLY_DOMAIN, encode({ nonce: says.nonce, reply: this.#fitting(reply) }));
  }

  /** A reply that is too large to be carried becomes an error that says so. */
  #fitting(reply: Bytes): Bytes {
    if (reply.length <= FORWARD_BYTES_MAX) return reply;
    return encodeFailure(
      new StarfishError("too-large", "The reply is too large to be forwarded, and there is no direct link"),
    );
  }

  #remember(nonce: Uint8Array): void {
    const nowMs = this.#ports.clock.monotonic();
    for (const [seen, untilMs] of this.#seen) {
      if (untilMs > nowMs) break;
      this.#seen.delete(seen);
    }
    const key = toHex(nonce);
    if (this.#seen.has(key)) throw new StarfishError("malformed", "The forwarded request came twice");
    if (this.#seen.size >= FORWARD_NONCES_MAX) throw new StarfishError("busy", "Too many forwarded requests");
    // A date may lie as far in the future as in the past.
    this.#seen.set(key, nowMs + 2 * FORWARD_AGE_MAX_MS);
  }

  #sign(domain: Uint8Array, body: Uint8Array): Uint8Array {
    const { privateKey } = this.#options.identity.keys;
    return encode([body, this.#ports.crypto.sign(privateKey, concat([domain, body]))]);
  }

  /** The signed content, if its signer is who it should be. Throws "malformed". */
  #open<T>(domain: Uint8Array, signed: Uint8Array, schema: Schema<T>, signerOf: (content: T) => PeerId): T {
    const [body, signature] = decode(signedSchema, signed);
    const content = decode(schema, body);
    if (!this.#ports.crypto.verify(publicKeyOf(signerOf(content)), concat([domain, body]), signature)) {
      throw new StarfishError("malformed", "The signature of a forwarded message is wrong");
    }
    return content;
  }
}

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = {
  signedSchema,
  requestSchema,
  replySchema,
  envelopeSchema,
  forwardSchema,
};
