/**
 * This node's answers to the tasks of a verified job, and what it knows of other nodes' answers. It commits to its
 * answers before it sees theirs. A commitment is a hash of this node's id, the tasks, a number that only this node
 * knows, and the answers' digests. The node opens it to nodes that have committed to the same tasks, and compares its
 * answers with theirs.
 */
import { type Bytes, concat, equal, toHex, utf8 } from "../base/bytes.ts";
import type { Crypto } from "../ports/crypto.ts";
import type { PeerId } from "../ports/network.ts";
import type { Random } from "../ports/random.ts";
import { Digests } from "./digests.ts";
import type { Block } from "./draw.ts";
import {
  add,
  has,
  type Intervals,
  intersect,
  numbersOf,
  NONE,
  pack,
  sizeOf,
  subtract,
  take,
  union,
  unionAll,
  unpack,
  within,
} from "./intervals.ts";
import {
  COMMIT_KEPT_MS,
  COMMIT_TASKS_BYTES_MAX,
  COMMIT_TASKS_MAX,
  COMMITS_MAX,
  DIGEST_BYTES,
  NONCE_BYTES,
  OPENINGS_BYTES_MAX,
} from "./limits.ts";

export interface Commitment {
  readonly tasks: Intervals;
  readonly hash: Bytes;
}

/** What a commitment is a hash of. */
export interface Opening {
  readonly tasks: Intervals;
  readonly nonce: Bytes;
  /** The digest of each task, in order. */
  readonly digests: Bytes;
}

interface Batch extends Commitment {
  readonly nonce: Bytes;
  readonly madeAtMs: number;
}

interface Compared {
  same: Intervals;
  differ: Intervals;
}

export interface BallotOptions {
  readonly job: string;
  readonly self: PeerId;
  readonly total: number;
  /** All tasks of one block are drawn for the same nodes. */
  readonly blocks: readonly Block[];
  readonly crypto: Crypto;
  readonly random: Random;
}

export class Ballot {
  readonly #options: BallotOptions;
  readonly #digests = new Digests();
  #answered: Intervals = NONE;
  #committed: Intervals = NONE;
  /** In the order of the commitments. */
  readonly #batches: Batch[] = [];
  /** The batches that other nodes may still need to see. */
  #told: Batch[] = [];
  readonly #compared = new Map<PeerId, Compared>();

  constructor(options: BallotOptions) {
    this.#options = options;
  }

  /** Tasks for which this node has committed to an answer. */
  get committed(): Intervals {
    return this.#committed;
  }

  /** Whether so many commitments are open that other nodes have to catch up first. */
  get isFull(): boolean {
    return this.#told.length >= COMMITS_MAX;
  }

  answer(task: number, digest: Bytes): void {
    if (has(this.#answered, task)) return;
    this.#digests.set(task, digest);
    this.#answered = add(this.#answered, task);
  }

  digest(task: number): Bytes {
    return this.#digests.get(task);
  }

  /**
   * Commits to new answers. Returns the commitments to tell: new ones, and those that others may not have compared yet.
   */
  commit(verified: Intervals, nowMs: number): readonly Commitment[] {
    this.#told = this.#told.filter(
      ({ tasks, madeAtMs }) => nowMs - madeAtMs < COMMIT_KEPT_MS || subtract(tasks, verified).length > 0,
    );
    const open = subtract(this.#answered, this.#committed);
    // Each commitment has tasks of one block only: these are drawn for the same nodes, and only those nodes open their
    // answers to each other.
    for (const [from, to] of this.#options.blocks) {
      if (open.length === 0 || this.isFull) break;
      const tasks = within(open, from, to);
      if (tasks.length > 0) this.#commitTo(take(tasks, COMMIT_TASKS_MAX), nowMs);
    }
    return this.#told;
  }

  #commitTo(answered: Intervals, nowMs: number): void {
    const { job, self, total, crypto, random } = this.#options;
    // Tasks with too many gaps for one commitment wait for the next.
    const tasks = unpack(pack(answered, COMMIT_TASKS_BYTES_MAX), total);
    const nonce = random.bytes(NONCE_BYTES);
    const digests = this.#digests.all(numbersOf(tasks));
    const batch = { tasks, nonce, hash: commitmentOf(crypto, job, self, { tasks, nonce, digests }), madeAtMs: nowMs };
    this.#batches.push(batch);
    this.#told.push(batch);
    this.#committed = union(this.#committed, tasks);
  }

  /** Opens the commitments to these tasks to a node that may see all tasks of each. */
  open(wanted: Intervals, mayBeSeen: Intervals): Opening[] {
    const openings: Opening[] = [];
    let bytes = 0;
    for (const { tasks, nonce } of this.#batches) {
      if (intersect(tasks, wanted).length === 0 || subtract(tasks, mayBeSeen).length > 0) continue;
      bytes += sizeOf(tasks) * DIGEST_BYTES + COMMIT_TASKS_BYTES_MAX + NONCE_BYTES;
      if (openings.length > 0 && (bytes > OPENINGS_BYTES_MAX || openings.length >= COMMITS_MAX)) break;
      openings.push({ tasks, nonce, digests: this.#digests.all(numbersOf(tasks)) });
    }
    return openings;
  }

  /** Tasks for which this node's answer has been compared with that node's. */
  compared(peer: PeerId): Intervals {
    const compared = this.#compared.get(peer);
    return compared === undefined ? NONE : union(compared.same, compared.differ);
  }

  /**
   * Compares the answers that another node opens, if they are those that it committed to. Returns the number of tasks
   * compared.
   */
  compare(peer: PeerId, commitments: readonly Commitment[], openings: readonly Opening[]): number {
    const { crypto, job } = this.#options;
    const all = this.#compared.get(peer) ?? { same: NONE, differ: NONE };
    this.#compared.set(peer, all);
    const hashes = new Set(commitments.map(({ hash }) => toHex(hash)));
    const known = this.compared(peer);
    let count = 0;
    for (const opening of openings) {
      if (!hashes.has(toHex(commitmentOf(crypto, job, peer, opening)))) continue;
      let at = 0;
      for (const task of numbersOf(opening.tasks)) {
        const theirs = opening.digests.subarray(at, (at += DIGEST_BYTES));
        const isNews = !has(known, task);
        if (!isNews || !has(this.#committed, task)) continue;
        if (equal(theirs, this.#digests.get(task))) all.same = add(all.same, task);
        else all.differ = add(all.differ, task);
        count++;
      }
    }
    return count;
  }

  /** Tasks for which at least that many devices have given this node's answer, this one included. */
  agreed(agree: number, deviceOf: (peer: PeerId) => string | undefined): Intervals {
    const devices = new Map<string, Intervals>();
    const own = deviceOf(this.#options.self) ?? "";
    for (const [peer, { same }] of this.#compared) {
      const device = deviceOf(peer);
      // A node of an unknown device, or of this device, counts for nothing.
      if (device === undefined || device === own) continue;
      devices.set(device, union(devices.get(device) ?? NONE, same));
    }
    return unionAll([this.#committed, ...devices.values()], agree);
  }

  /** The nodes that have given other answers than this node, and for which tasks. */
  differing(): ReadonlyMap<PeerId, Intervals> {
    const some = [...this.#compared].filter(([, { differ }]) => differ.length > 0);
    return new Map(some.map(([peer, { differ }]) => [peer, differ]));
  }
}

function commitmentOf(crypto: Crypto, job: string, peer: PeerId, { tasks, nonce, digests }: Opening): Bytes {
  const packed = pack(tasks, Infinity);
  return crypto.sha256(concat([utf8(`starfish answers ${job} ${peer} ${packed.length} `), packed, nonce, digests]));
}
