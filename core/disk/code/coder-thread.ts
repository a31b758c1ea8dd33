/**
 * A coder's thread: its requests and replies, and its side of the messages, for Web Workers, worker_threads and the
 * simulator alike. Bytes are moved in both directions. The owner's side is coder-pool.ts.
 */
import { assert } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import { messageOf } from "../../base/errors.ts";
import type { CodedStripe } from "../../ports/coder.ts";
import { merkleRoot, type Sha256 } from "./merkle.ts";
import { ReedSolomon } from "./reed-solomon.ts";

export type CoderWork =
  | { readonly kind: "encode"; readonly data: readonly Bytes[]; readonly parityCount: number }
  | {
      readonly kind: "reconstruct";
      readonly k: number;
      readonly shards: ReadonlyMap<number, Bytes>;
      readonly want: readonly number[];
    };

export interface CoderCall {
  readonly id: number;
  readonly work: CoderWork;
}

export type CoderAnswer =
  | { readonly id: number; readonly ok: true; readonly stripe: CodedStripe }
  | { readonly id: number; readonly ok: true; readonly shards: Map<number, Uint8Array> }
  | { readonly id: number; readonly ok: false; readonly message: string };

/**
 * How the thread hashes: `sha256` hashes small messages synchronously, `sha256All` hashes shards as fast as possible.
 */
export interface ThreadHasher {
  readonly sha256: Sha256;
  sha256All(pieces: readonly Bytes[]): Uint8Array[] | Promise<Uint8Array[]>;
}

/** Handles each call of a thread. A call may begin while another one waits for its hashes. */
export function serveCoder(
  module: WebAssembly.Module,
  hasher: ThreadHasher,
  post: (answer: CoderAnswer, transfer: ArrayBuffer[]) => void,
): (call: CoderCall) => void {
  const code = new ReedSolomon(module);
  const answer = async (id: number, work: CoderWork): Promise<void> => {
    try {
      if (work.kind === "encode") {
        const shards = [...work.data, ...code.encode(work.data, work.parityCount)];
        const hashes = await hasher.sha256All(shards);
        const stripe = { shards, hashes, root: merkleRoot(hashes, hasher.sha256) };
        post({ id, ok: true, stripe }, buffersOf(shards));
      } else {
        const shards = code.reconstruct(work.k, work.shards, work.want);
        post({ id, ok: true, shards }, buffersOf(shards.values()));
      }
    } catch (error) {
      // The owner has checked its call, so only memory can run out.
      post({ id, ok: false, message: messageOf(error) }, []);
    }
  };
  return ({ id, work }) => void answer(id, work);
}

/**
 * The bytes in a buffer that holds nothing else, ready to be posted: the bytes themselves if they fill their buffer,
 * else a copy.
 */
export function alone(bytes: Bytes): Bytes {
  const { buffer } = bytes;
  if (!(buffer instanceof ArrayBuffer) || bytes.length !== buffer.byteLength) return new Uint8Array(bytes);
  assert(!buffer.detached, "bytes are given away only once");
  return bytes;
}

/** The buffers to be moved with bytes that are alone, each once. */
export function buffersOf(pieces: Iterable<Bytes>): ArrayBuffer[] {
  return [...new Set(Array.from(pieces, (bytes) => bytes.buffer as ArrayBuffer))];
}
