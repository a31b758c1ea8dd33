/**
 * Draws the devices that run the tasks of a verified job. The tasks are cut into blocks. For each block all nodes are
 * ranked. In that order nodes are drawn, one a device, until there are enough. Nodes that know the same members draw
 * the same ones.
 *
 * Ranks follow from a hash of the job's id, which is drawn after the nodes have their ids. So no node can choose an id
 * that will be drawn for a future job. A node with more cores comes first more often, up to a bound, because it could
 * claim any number of cores. Weighted rendezvous hashing as in Schindelhauer and Schomaker (2005). Pure.
 */
import { type Bytes, utf8 } from "../base/bytes.ts";
import { type IdHash, scoreOf } from "../base/rendezvous.ts";
import { add, type Intervals, NONE, union, within } from "./intervals.ts";
import { DRAW_BLOCKS_MAX, DRAW_WEIGHT_MAX } from "./limits.ts";

export interface Candidate {
  readonly id: string;
  /** At most one node of a device is drawn for a task. */
  readonly device: string;
  /** 0: it runs no tasks, but still holds results of tasks that it has run. */
  readonly cores: number;
  /** Tasks that failed on it. It is not drawn for their blocks. */
  readonly failed: Intervals;
}

/** Where a block begins, and its end. */
export type Block = readonly [from: number, to: number];

/**
 * @param isGrowing only the first of these tasks exist at the beginning, and the others may never come. So the first
 * blocks have one task each, and later blocks have more: even a few tasks are then spread over many nodes
 */
export function blocksOf(total: number, isGrowing = false): Block[] {
  if (isGrowing) return growingBlocks(total);
  const count = Math.min(total, DRAW_BLOCKS_MAX);
  const at = (i: number): number => (i === count ? total : Math.floor((total / count) * i));
  return Array.from({ length: count }, (_, i): Block => [at(i), at(i + 1)]);
}

/** 64 blocks of a task, 64 of 8, 64 of 64, and so on. */
function growingBlocks(total: number): Block[] {
  const blocks: Block[] = [];
  for (let from = 0; from < total;) {
    const to = Math.min(total, from + GROWING_BLOCKS_TIMES ** Math.floor(blocks.length / GROWING_BLOCKS));
    blocks.push([from, to]);
    from = to;
  }
  return blocks;
}

const GROWING_BLOCKS = 64;
const GROWING_BLOCKS_TIMES = 8;

/** The hash that decides a node's ranks in this job. */
export function seedOf(sha256: (message: Bytes) => Bytes, job: string, id: string): IdHash {
  const { buffer, byteOffset } = sha256(utf8(`starfish draw ${job} ${id}`));
  const view = new DataView(buffer, byteOffset);
  return { a: view.getUint32(0), b: view.getUint32(4) };
}

export class Draw {
  readonly #drawn = new Map<string, Intervals>();

  /** @param seed the seed of a node's ranks */
  constructor(blocks: readonly Block[], candidates: readonly Candidate[], runs: number, seed: (id: string) => IdHash) {
    const all = candidates
      .filter(({ cores }) => cores > 0)
      .map((candidate) => ({ candidate, hash: seed(candidate.id) }));
    blocks.forEach(([from, to], block) => {
      const able = all.filter(({ candidate }) => within(candidate.failed, from, to).length === 0);
      const ranked = able.map(({ candidate, hash }) => ({ candidate, rank: rankOf(hash, block, candidate.cores) }));
      ranked.sort((a, b) => a.rank - b.rank || (a.candidate.id < b.candidate.id ? -1 : 1));
      const devices = new Set<string>();
      for (const { candidate } of ranked) {
        if (devices.has(candidate.device)) continue;
        this.#drawn.set(candidate.id, union(this.of(candidate.id), [from, to]));
        if (devices.add(candidate.device).size >= runs) break;
      }
    });
  }

  /** The tasks for which a node is drawn. */
  of(id: string): Intervals {
    return this.#drawn.get(id) ?? NONE;
  }
}

/** The score by which nodes are ranked: the smallest comes first. */
function rankOf(hash: IdHash, block: number, cores: number): number {
  const chance = (scoreOf(hash, block) + 1) / 2 ** 32;
  return -Math.log(chance) / Math.max(1, Math.min(cores, DRAW_WEIGHT_MAX));
}

/** The first of these tasks in each block that has some. */
export function firstOfBlocks(blocks: readonly Block[], tasks: Intervals, most: number): Intervals {
  let firsts: Intervals = NONE;
  let count = 0;
  for (const [from, to] of blocks) {
    if (count >= most) break;
    const [first] = within(tasks, from, to);
    if (first === undefined) continue;
    firsts = add(firsts, first);
    count++;
  }
  return firsts;
}
