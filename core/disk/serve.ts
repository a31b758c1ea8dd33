/** Answers what others ask about this node's shards. */
import * as v from "valibot";
import { StarfishError } from "../base/errors.ts";
import type { Unsubscribe } from "../base/events.ts";
import type { Net } from "../net/types.ts";
import { MESSAGE_BYTES_MAX } from "../ports/network.ts";
import type { Catalogue } from "./catalogue.ts";
import { type Holdings, refusal, type Shard, type ShardName } from "./holdings.ts";
import { UNIT_STRIPES } from "./limits.ts";
import {
  DROP_PROTOCOL,
  dropSchema,
  GET_PROTOCOL,
  getSchema,
  HAVE_PROTOCOL,
  haveSchema,
  HELD_BYTES,
  nameSchema,
  PUT_PROTOCOL,
  putSchema,
  type PutResult,
  RECHECK_PROTOCOL,
  SYNC_PROTOCOL,
  type StripeRun,
} from "./wire.ts";

export interface ServeParts {
  readonly net: Net;
  readonly holdings: Holdings;
  readonly catalogue: Catalogue;
  /** The hash that a shard ought to have. */
  readonly hashOf: (name: ShardName) => Promise<Uint8Array | undefined>;
}

/** What a reply costs beyond the shards. */
const REPLY_SLACK_BYTES = 8_192;

export function serveShards(parts: ServeParts): Unsubscribe[] {
  const { net, holdings, catalogue } = parts;
  return [
    net.handle(PUT_PROTOCOL, putSchema, async ({ shards }) =>
      Promise.all(shards.map(({ bytes, sha256, ...name }) => take(holdings, name, { bytes, sha256 }))),
    ),
    net.handle(GET_PROTOCOL, getSchema, async ({ shards }) => give(holdings, shards)),
    net.handle(HAVE_PROTOCOL, haveSchema, async ({ runs }) => runs.map((run) => heldOf(holdings, run))),
    net.handle(DROP_PROTOCOL, dropSchema, async ({ id }) => {
      if (catalogue.layout(id) !== undefined) throw new StarfishError("in-use", "An entry names these shards");
      await holdings.dropAll(id);
      return null;
    }),
    net.handle(SYNC_PROTOCOL, nothingSchema, async () => {
      await holdings.store.sync();
      return null;
    }),
    net.handle(RECHECK_PROTOCOL, nameSchema, async (name) => {
      await recheck(parts, name);
      return null;
    }),
  ];
}

export const nothingSchema: v.NullSchema<undefined> = v.null();

async function take(holdings: Holdings, name: ShardName, shard: Shard): Promise<PutResult> {
  try {
    await holdings.put(name, shard);
    return "ok";
  } catch (error) {
    return refusal(error);
  }
}

/** Those that fit in one message; the asker asks for the others again. */
async function give(holdings: Holdings, names: readonly ShardName[]): Promise<(Uint8Array | null)[]> {
  const given: (Uint8Array | null)[] = [];
  let bytesLeft = MESSAGE_BYTES_MAX - REPLY_SLACK_BYTES;
  for (const bytes of await Promise.all(names.map((name) => holdings.get(name)))) {
    const isGiven = bytes !== undefined && bytes.length <= bytesLeft;
    if (isGiven) bytesLeft -= bytes.length;
    given.push(isGiven ? bytes : null);
  }
  return given;
}

/** What is held of a run: of each shard the stripe, counted from the run's start, and the number. */
export function heldOf(holdings: Holdings, { id, from, to }: StripeRun): Uint8Array {
  const held: number[] = [];
  for (let stripe = from; stripe < Math.min(to, from + UNIT_STRIPES); stripe++) {
    const offset = stripe - from;
    for (const shard of holdings.of(id, stripe)) held.push(offset & 255, offset >>> 8, shard);
  }
  return Uint8Array.from(held);
}

/** Calls back for each shard that `heldOf` has told of. */
export function readHeld(held: Uint8Array, from: number, tell: (stripe: number, shard: number) => void): void {
  for (let at = 0; at + HELD_BYTES <= held.length; at += HELD_BYTES) {
    tell(from + (held[at] ?? 0) + ((held[at + 1] ?? 0) << 8), held[at + 2] ?? 0);
  }
}

/** Drops a shard of this node that is not what its list says. */
async function recheck({ holdings, hashOf }: ServeParts, name: ShardName): Promise<void> {
  if (!holdings.has(name)) return;
  const wanted = await hashOf(name);
  if (wanted !== undefined) await holdings.get(name, wanted);
}
