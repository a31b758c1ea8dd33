/**
 * Files as CARs, the archive format of IPFS (https://ipld.io/specs/transport/car/carv1/). This module writes what `ipfs
 * dag export` writes: version 1, one root, blocks depth first, each once. It reads CARs of any order, and of version 2.
 *
 * There are two ways to read. `CarStream` reads a stream: its blocks have to be asked for in about their order, and it
 * keeps a window of passed blocks. `openCar` reads at any position: it takes any order, and holds an index.
 */
import * as carBuffer from "@ipld/car/buffer-writer";
import { createDecoder } from "@ipld/car/decoder";
import { varint } from "multiformats";
import type { CID } from "multiformats/cid";
import { concat } from "../../base/bytes.ts";
import { StarfishError, toStarfishError } from "../../base/errors.ts";
import {
  type Block,
  type Blocks,
  checkDigest,
  checkHashKnown,
  type Hash,
  inlineBytes,
  isHashKnown,
  keyOf,
} from "./block.ts";
import { BoundedReader } from "./bounded-reader.ts";
import { bytesOf, depthFirst } from "./dag-shape.ts";
import { hashAhead } from "./hash-ahead.ts";
import { BLOCK_BYTES_MAX, CAR_BLOCKS_MAX, CAR_WINDOW_BYTES } from "./limits.ts";
import { type RandomAccess, readExactly, readRun } from "./random-access.ts";
import { cut, type FileDag } from "./unixfs.ts";

/**
 * A file as a CAR. `content` are its bytes, which were checked when they were read. Rejects with "corrupt" if they have
 * another length.
 */
export async function* writeCar(dag: FileDag, content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield carHeader([dag.root]);
  const written = new Set<string>();
  const leaves = cut(content);
  try {
    for (const place of depthFirst(dag.shape)) {
      const cid = dag.cid(place);
      // A leaf is taken from the content even if it was written before.
      const bytes = place.level > 0 ? undefined : ((await leaves.next()).value ?? new Uint8Array(0));
      if (bytes !== undefined) {
        const { start, end } = bytesOf(dag.shape, place);
        if (bytes.length !== end - start) throw wrongLength(dag);
      }
      if (written.has(keyOf(cid))) continue;
      written.add(keyOf(cid));
      yield* carSection({ cid, bytes: bytes ?? dag.node(place).bytes });
    }
    if ((await leaves.next()).done !== true) throw wrongLength(dag);
  } finally {
    await leaves.return(undefined);
  }
}

function wrongLength(dag: FileDag): StarfishError {
  return new StarfishError(
    "corrupt",
    `The content of ${dag.root.toString()} does not have ${dag.shape.sizeBytes} bytes`,
  );
}

function carHeader(roots: CID[]): Uint8Array {
  const room = new ArrayBuffer(carBuffer.headerLength({ roots }));
  return carBuffer.createWriter(room, { roots }).close();
}

/** Two chunks, so that the bytes of the block are not copied. */
function* carSection({ cid, bytes }: Block): Generator<Uint8Array> {
  const length = cid.bytes.length + bytes.length;
  yield concat([varint.encodeTo(length, new Uint8Array(varint.encodingLength(length))), cid.bytes]);
  if (bytes.length > 0) yield bytes;
}

/**
 * The blocks of a CAR in their order, each checked against its hash; without blocks of other hashes, which can't be
 * checked.
 */
export interface CarContents {
  readonly roots: readonly CID[];
  readonly blocks: AsyncGenerator<Block>;
}

/** Rejects with "malformed" or "too-large", the blocks with "corrupt" besides. */
export async function readCar(source: AsyncIterable<Uint8Array>, hash: Hash): Promise<CarContents> {
  const reader = new BoundedReader(source);
  const decoder = createDecoder(reader);
  try {
    const { roots } = await decoder.header();
    return { roots, blocks: checked(decoder.blocks(), reader, hash) };
  } catch (error) {
    await reader.close();
    throw notCar(error);
  }
}

async function* checked(blocks: AsyncIterable<Block>, reader: BoundedReader, hash: Hash): AsyncGenerator<Block> {
  try {
    for await (const { cid, bytes, digest } of hashAhead(blocks, hash)) {
      if (!isHashKnown(cid)) continue;
      if (inlineBytes(cid) === undefined) checkDigest(cid, digest);
      yield { cid, bytes };
    }
  } catch (error) {
    throw notCar(error);
  } finally {
    await reader.close();
  }
}

/** Errors of @ipld/car are about the bytes, so they count as "malformed". */
function notCar(error: unknown): StarfishError {
  return toStarfishError(error, "malformed");
}

/**
 * The blocks of a CAR that is read as a stream: `get` reads on until it finds the block. The latest 32 MiB of passed
 * blocks are kept, since a CAR has a block only once even if a file contains it twice. That is enough for CARs in
 * depth-first order, unless a file repeats something from far back; then it rejects with "not-found".
 */
export class CarStream implements Blocks, AsyncDisposable {
  readonly roots: readonly CID[];
  readonly #blocks: AsyncGenerator<Block>;
  /** What was passed, the longest unused first. */
  readonly #window = new Map<string, Uint8Array>();
  #windowBytes = 0;

  private constructor({ roots, blocks }: CarContents) {
    this.roots = roots;
    this.#blocks = blocks;
  }

  static async open(source: AsyncIterable<Uint8Array>, hash: Hash): Promise<CarStream> {
    return new CarStream(await readCar(source, hash));
  }

  async get(cid: CID): Promise<Uint8Array> {
    const inline = inlineBytes(cid);
    if (inline !== undefined) return inline;
    checkHashKnown(cid);
    const key = keyOf(cid);
    const passed = this.#window.get(key);
    if (passed !== undefined) {
      this.#keep(key, passed);
      return passed;
    }
    for (;;) {
      const next = await this.#blocks.next();
      if (next.done === true) break;
      const nextKey = keyOf(next.value.cid);
      const bytes = ownBytes(next.value.bytes);
      this.#keep(nextKey, bytes);
      if (nextKey === key) return bytes;
    }
    throw new StarfishError(
      "not-found",
      `The block ${cid.toString()} is missing, or came too early in the CAR to be still known; import it from a file`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#blocks.return(undefined);
    this.#window.clear();
  }

  #keep(key: string, bytes: Uint8Array): void {
    if (this.#window.delete(key)) this.#windowBytes -= bytes.length;
    this.#window.set(key, bytes);
    this.#windowBytes += bytes.length;
    for (const [oldest, { length }] of this.#window) {
      if (this.#windowBytes <= CAR_WINDOW_BYTES) return;
      this.#window.delete(oldest);
      this.#windowBytes -= length;
    }
  }
}

/** Bytes in memory that is mostly theirs: a small part of a large chunk would keep all of the chunk alive. */
function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.buffer.byteLength > 2 * bytes.length ? bytes.slice() : bytes;
}

/** The blocks of a CAR that can be read anywhere, in whatever order they stand there. */
export interface CarFile extends Blocks {
  readonly roots: readonly CID[];
}

/**
 * Reads the places of all blocks; a block is read and checked when it is asked for. Rejects with "malformed" or
 * "too-large"; `get` with "not-found" if the CAR lacks the block, "corrupt", or "unsupported" (another hash).
 */
export async function openCar(source: RandomAccess, hash: Hash, signal?: AbortSignal): Promise<CarFile> {
  const reader = new BoundedReader(readRun(source, 0, source.sizeBytes, { signal }));
  const places = new Map<string, { readonly at: number; readonly length: number }>();
  let roots: readonly CID[];
  try {
    const decoder = createDecoder(reader);
    ({ roots } = await decoder.header());
    for await (const { cid, blockOffset, blockLength } of decoder.blocksIndex()) {
      if (places.size === CAR_BLOCKS_MAX) throw new StarfishError("too-large", "A CAR of too many blocks");
      places.set(keyOf(cid), { at: blockOffset, length: blockLength });
    }
  } catch (error) {
    throw notCar(error);
  } finally {
    await reader.close();
  }
  const get = async (cid: CID): Promise<Uint8Array> => {
    const inline = inlineBytes(cid);
    if (inline !== undefined) return inline;
    const place = places.get(keyOf(cid));
    if (place === undefined) throw new StarfishError("not-found", `The CAR lacks the block ${cid.toString()}`);
    const bytes = await readBlock(source, place);
    const [digest = new Uint8Array(0)] = await hash([bytes]);
    checkDigest(cid, digest);
    return bytes;
  };
  return { roots, get };
}

async function readBlock(source: RandomAccess, { at, length }: { at: number; length: number }): Promise<Uint8Array> {
  if (length > BLOCK_BYTES_MAX) {
    throw new StarfishError("too-large", `A block of ${length} bytes; ${BLOCK_BYTES_MAX} are allowed`);
  }
  return readExactly(source, at, length);
}
