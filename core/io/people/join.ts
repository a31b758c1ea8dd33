/**
 * How another node becomes one of this person's. This node makes a code; the person types it at the other node, which
 * sends one request (join-by.ts). Both derive from the code's secret a key to ask with and a key that seals the answer, so that
 * nodes that forward the request learn nothing from it.
 */
import * as v from "valibot";
import { base32 } from "multiformats/bases/base32";
import { type Bytes, concat, equal, utf8 } from "../../base/bytes.ts";
import { bytesOf, encode, lineOf, type Schema } from "../../base/codec.ts";
import { StarfishError } from "../../base/errors.ts";
import { packIds, shortIdOf } from "../../net/membership/rows.ts";
import type { Net } from "../../net/types.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Crypto } from "../../ports/crypto.ts";
import type { PeerId } from "../../ports/network.ts";
import type { Random } from "../../ports/random.ts";
import { CARD_NAME_CHARS_MAX, CODE_MS, CODE_SECRET_BYTES, WRONG_CODES_MAX } from "./limits.ts";
import { SEED_BYTES } from "./secrets.ts";

export const PERSON_PROTOCOL = "/starfish/person/1.0.0";

export const ID_BYTES = 6;
const ASK_BYTES = 16;
const KEY_BYTES = 32;
export const NONCE_BYTES = 24;
const TAG_BYTES = 16;
/** Letters between two hyphens, so that a code can be read aloud. */
const GROUP_CHARS = 5;
const ANSWER_BYTES_MAX = 256;

export interface JoinAnswer {
  readonly name: string;
  readonly seed: Uint8Array;
}

const askSchema: Schema<{ readonly ask: Uint8Array }> = v.object({ ask: bytesOf(ASK_BYTES) });
export const answerSchema: Schema<{ readonly sealed: Uint8Array }> = v.object({
  sealed: bytesOf(NONCE_BYTES + TAG_BYTES, ANSWER_BYTES_MAX),
});
export const insideSchema: Schema<readonly [name: string, seed: Uint8Array]> = v.tuple([
  lineOf(CARD_NAME_CHARS_MAX),
  bytesOf(SEED_BYTES),
]);

export interface JoinParts {
  readonly net: Net;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly random: Random;
}

/** The codes of this node: one at a time, and each works once. */
export class Joining {
  readonly #parts: JoinParts;
  readonly #stop: () => void;
  #open: { readonly secret: Bytes; readonly untilMs: number; wrong: number } | undefined;

  /** @param answer what the node that has the code is told; undefined if this node belongs to nobody any more */
  constructor(parts: JoinParts, answer: () => JoinAnswer | undefined) {
    this.#parts = parts;
    this.#stop = parts.net.handle(PERSON_PROTOCOL, askSchema, async ({ ask }, { from }) => {
      const open = this.#take(ask);
      const told = open === undefined ? undefined : answer();
      if (open === undefined || told === undefined) {
        throw new StarfishError("refused", "This code is wrong, was used already, or is too old");
      }
      return { sealed: seal(parts, open, from, told) };
    });
  }

  /** Makes a new code; the one before it no longer works. */
  add(): { readonly code: string; readonly forMs: number } {
    const { net, clock, crypto, random } = this.#parts;
    const secret = random.bytes(CODE_SECRET_BYTES);
    this.#open = { secret, untilMs: clock.monotonic() + CODE_MS, wrong: 0 };
    return { code: formatCode(concat([packIds([shortIdOf(crypto, net.self)]), secret])), forMs: CODE_MS };
  }

  close(): void {
    this.#stop();
  }

  /** The secret of the code that was asked with; uses up the code. */
  #take(ask: Bytes): Bytes | undefined {
    const open = this.#open;
    if (open === undefined) return undefined;
    if (open.untilMs > this.#parts.clock.monotonic() && equal(askOf(this.#parts.crypto, open.secret), ask)) {
      this.#open = undefined;
      return open.secret;
    }
    open.wrong++;
    if (open.wrong >= WRONG_CODES_MAX) this.#open = undefined;
    return undefined;
  }
}

function seal({ crypto, random }: JoinParts, secret: Bytes, to: PeerId, { name, seed }: JoinAnswer): Uint8Array {
  const nonce = random.bytes(NONCE_BYTES);
  return concat([nonce, crypto.seal(keyOf(crypto, secret), nonce, encode([name, seed]), utf8(to))]);
}

export function askOf(crypto: Crypto, secret: Bytes): Uint8Array {
  return crypto.derive(secret, "starfish person ask", ASK_BYTES);
}

export function keyOf(crypto: Crypto, secret: Bytes): Uint8Array {
  return crypto.derive(secret, "starfish person answer", KEY_BYTES);
}

function formatCode(bytes: Bytes): string {
  return base32.baseEncode(bytes).replaceAll(new RegExp(`.{${GROUP_CHARS}}(?=.)`, "g"), "$&-");
}

/** For the suite that sends the extremes of every schema (test/adversary). */
export const SCHEMAS: Readonly<Record<string, Schema<unknown>>> = { askSchema, answerSchema, insideSchema };
