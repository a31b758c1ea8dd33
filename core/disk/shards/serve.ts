/** Answers the requests of other nodes about this node's shards. */
import { StarfishError } from "../../base/errors.ts";
import type { Unsubscribe } from "../../base/events.ts";
import { release } from "../../base/owned.ts";
import { Semaphore } from "../../base/semaphore.ts";
import type { Net } from "../../net/types.ts";
import type { Coder } from "../../ports/coder.ts";
import { MESSAGE_BYTES_MAX } from "../../ports/network.ts";
import type { Catalogue } from "../placement/catalogue.ts";
import type { Fetcher } from "./fetch.ts";
import type { Giver } from "./give.ts";
import { type Holdings, refusal, type Shard, type ShardName } from "./holdings.ts";
import { shardsOf } from "../code/layout.ts";
import { COMPUTED_BYTES_MAX } from "../limits.ts";
import { stripeCount, stripeOf } from "../code/shard-list.ts";
import {
  DROP_PROTOCOL,
  dropSchema,
  GET_PROTOCOL,
  fetchSchema,
  FETCH_PROTOCOL,
  getSchema,
  GIVE_PROTOCOL,
  giveSchema,
  HAVE_PROTOCOL,
  haveSchema,
  heldOf,
  nameSchema,
  nothingSchema,
  PUT_PROTOCOL,
  putSchema,
  type PutResult,
  RECHECK_PROTOCOL,
  SYNC_PROTOCOL,
} from "./wire.ts";

export interface ServeParts {
  readonly net: Net;
  readonly holdings: Holdings;
  readonly catalogue: Catalogue;
  readonly coder: Coder;
  /** The hash that a shard ought to have. */
  readonly hashOf: (name: ShardName) => Promise<Uint8Array | undefined>;
  readonly fetcher: Fetcher;
  readonly giver: Giver;
}

/** Bytes of a reply beyond the shards. */
const REPLY_SLACK_BYTES = 8_192;

export function serveShards(parts: ServeParts): Unsubscribe[] {
  const { net, holdings, catalogue } = parts;
  const computing = new Semaphore(COMPUTED_BYTES_MAX);
  return [
    net.handle(PUT_PROTOCOL, putSchema, async ({ shards }) => {
      const results = await Promise.all(
        shards.map(({ bytes, sha256, ...name }) => take(holdings, name, { bytes, sha256 })),
      );
      // Nobody needs the message of these shards any more.
      for (const { bytes } of shards) release(bytes);
      return results;
    }),
    net.handle(GET_PROTOCOL, getSchema, async ({ shards }) => give(parts, computing, shards)),
    net.handle(HAVE_PROTOCOL, haveSchema, async ({ runs }) => runs.map((run) => heldOf(holdings, run))),
    net.handle(DROP_PROTOCOL, dropSchema, async ({ id }) => {
      if (catalogue.isNamed(id)) throw new StarfishError("in-use", "An entry names these shards");
      await holdings.dropAll(id);
      return null;
    }),
    net.handle(SYNC_PROTOCOL, nothingSchema, async () => {
      await holdings.store.sync();
      return null;
    }),
    net.handle(FETCH_PROTOCOL, fetchSchema, async ({ shards }, { signal }) =>
      Promise.all(shards.map((request) => parts.fetcher.serve(request, signal))),
    ),
    net.handle(GIVE_PROTOCOL, giveSchema, async ({ stripes }, { signal }) =>
      Promise.all(stripes.map((request) => parts.giver.serve(request, signal))),
    ),
    net.handle(RECHECK_PROTOCOL, nameSchema, async (name) => {
      await recheck(parts, name);
      return null;
    }),
  ];
}

async function take(holdings: Holdings, name: ShardName, shard: Shard): Promise<PutResult> {
  try {
    await holdings.putForOthers(name, shard);
    return "ok";
  } catch (error) {
    return refusal(error);
  }
}

/** The shards that fit into one message; the asker asks for the others again. */
async function give(
  parts: ServeParts,
  computing: Semaphore,
  names: readonly ShardName[],
): Promise<(Uint8Array | null)[]> {
  const given: (Uint8Array | null)[] = [];
  let bytesLeft = MESSAGE_BYTES_MAX - REPLY_SLACK_BYTES;
  const held = await Promise.all(names.map((name) => parts.holdings.get(name)));
  for (const [i, name] of names.entries()) {
    const bytes = held[i] ?? (await computed(parts, computing, name, bytesLeft));
    const isGiven = bytes !== undefined && bytes.length <= bytesLeft;
    if (isGiven) bytesLeft -= bytes.length;
    given.push(isGiven ? bytes : null);
  }
  return given;
}

/**
 * A shard that is not held, of at most this many bytes: computed from all data shards, if this node has to hold these.
 */
async function computed(
  { holdings, catalogue, coder }: ServeParts,
  computing: Semaphore,
  name: ShardName,
  bytesMax: number,
): Promise<Uint8Array | undefined> {
  const { id, stripe, shard } = name;
  const stored = catalogue.layout(id);
  if (stored === undefined || shard >= stored.code.n || stripe >= stripeCount(stored)) return undefined;
  const { k, n } = stored.code;
  const { shardBytes } = stripeOf(stored, stripe);
  const numbers = shardsOf(n, stored.code);
  if (shardBytes > bytesMax || !numbers.every((each) => holdings.has({ id, stripe, shard: each }))) return undefined;
  const release = await computing.acquire(k * shardBytes);
  try {
    const data = new Map<number, Uint8Array>();
    for (const each of numbers) {
      const bytes = await holdings.get({ id, stripe, shard: each });
      if (bytes === undefined) return undefined;
      data.set(each, bytes);
    }
    return (await coder.reconstruct(k, data, [shard])).get(shard);
  } finally {
    release();
  }
}

/** Drops a shard of this node that is not what its list says. */
async function recheck({ holdings, hashOf }: ServeParts, name: ShardName): Promise<void> {
  if (!holdings.has(name)) return;
  const wanted = await hashOf(name);
  if (wanted !== undefined) await holdings.get(name, wanted);
}
