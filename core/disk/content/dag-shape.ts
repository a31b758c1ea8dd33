/**
 * The shape of a file's DAG, as a pure function of its size.
 *
 * A file of up to 256 KiB is a single leaf: one raw block that holds its bytes (an empty file is a leaf of no bytes),
 * and its CID is the file's. A longer file is cut into leaves of 256 KiB, the last one shorter. Every 174 neighbours of
 * a level get a parent, the last of them fewer, and so on level by level until a single node is left: the root. A
 * parent is a dag-pb block that holds, for each child, its CID, how many bytes of the file are below it and how many
 * bytes all blocks below it have (https://specs.ipfs.tech/unixfs/).
 *
 * So every block of a file follows from its size and the digests of its leaves, 32 bytes for each 256 KiB: the inner
 * nodes need not be stored anywhere.
 */
import { assert } from "../../base/assert.ts";
import { LEAF_BYTES, LINKS_PER_NODE } from "./limits.ts";

export interface DagShape {
  /** Bytes of the file. */
  readonly sizeBytes: number;
  /** Nodes on each level: the leaves first, the root (one node) last. */
  readonly levels: readonly number[];
}

/** A place in the DAG. Level 0 are the leaves; places of a level count from the beginning of the file. */
export interface DagPosition {
  readonly level: number;
  readonly index: number;
}

/** A run of something: from `start` on, up to `end` and without it. */
export interface Run {
  readonly start: number;
  readonly end: number;
}

export function dagShape(sizeBytes: number): DagShape {
  assert(Number.isSafeInteger(sizeBytes) && sizeBytes >= 0, `a file of ${sizeBytes} bytes`);
  let nodes = Math.max(1, Math.ceil(sizeBytes / LEAF_BYTES));
  const levels = [nodes];
  while (nodes > 1) {
    nodes = Math.ceil(nodes / LINKS_PER_NODE);
    levels.push(nodes);
  }
  return { sizeBytes, levels };
}

export function leafCount(shape: DagShape): number {
  return nodesOn(shape, 0);
}

export function rootPosition(shape: DagShape): DagPosition {
  return { level: shape.levels.length - 1, index: 0 };
}

/** The children of an inner node, as indices on the level below. */
export function childrenOf(shape: DagShape, { level, index }: DagPosition): Run {
  assert(level > 0 && index < nodesOn(shape, level), `no inner node ${index} on level ${level}`);
  const start = index * LINKS_PER_NODE;
  return { start, end: Math.min(start + LINKS_PER_NODE, nodesOn(shape, level - 1)) };
}

/** The bytes of the file that are in or below a node. */
export function bytesOf(shape: DagShape, { level, index }: DagPosition): Run {
  assert(index < nodesOn(shape, level), `no node ${index} on level ${level}`);
  const span = LEAF_BYTES * LINKS_PER_NODE ** level;
  return { start: index * span, end: Math.min((index + 1) * span, shape.sizeBytes) };
}

/** The leaves that hold the bytes of a run within the file; none for an empty run. */
export function leavesOf(shape: DagShape, { start, end }: Run): Run {
  assert(start >= 0 && start <= end && end <= shape.sizeBytes, `bytes ${start} to ${end} of ${shape.sizeBytes}`);
  const first = Math.floor(start / LEAF_BYTES);
  return { start: first, end: start === end ? first : Math.ceil(end / LEAF_BYTES) };
}

/** All places, each node before its children and these from left to right: the order of blocks in a CAR. */
export function* depthFirst(shape: DagShape, from: DagPosition = rootPosition(shape)): Generator<DagPosition> {
  yield from;
  if (from.level === 0) return;
  const { start, end } = childrenOf(shape, from);
  for (let index = start; index < end; index++) yield* depthFirst(shape, { level: from.level - 1, index });
}

function nodesOn(shape: DagShape, level: number): number {
  const nodes = shape.levels[level];
  assert(nodes !== undefined, `no level ${level}`);
  return nodes;
}
