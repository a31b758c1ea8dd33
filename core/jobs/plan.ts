/**
 * What a node does next for a job, from what it knows of it: which free tasks it claims, which claims it gives up, which
 * tasks of others it runs a second time. All nodes decide so for themselves, each by what it has heard; that they seldom
 * meet comes from the order in which they go through the tasks, and where they do meet it costs time and nothing else.
 * Pure, as the disk's repair/policy.ts is.
 *
 * The tasks are cut in blocks. For each block all nodes are ranked by rendezvous; a node goes through the blocks of which it
 * is the first, then through those of which it is the second, and so on. It begins with those of its own where its score is
 * highest, and of another's with those where the other's is lowest, to which that one would come last. The first takes a
 * block's tasks from its beginning, the others from its end.
 */
import { hashOf, scoreOf } from "../base/rendezvous.ts";
import { type Intervals, intersect, NONE, sizeOf, subtract, take, union, unionAll, within } from "./intervals.ts";
import { AHEAD_TELLS, BLOCKS_MAX, CLAIM_GROWTH, COPIES_MAX, LATE_MS_MIN } from "./limits.ts";

/** Of what is left, a core claims one part in so many, divided by all cores. */
const SHARES = 4;

export interface Peer {
  readonly id: string;
  /** Cores that it lends. */
  readonly cores: number;
  /** What it says that it runs or will run next. */
  readonly claimed: Intervals;
  /** When it last told of something new (its own results, other claims), on this node's clock. */
  readonly progressAtMs: number;
}

export interface View {
  readonly order: Order;
  /** Tasks whose results a living node has, or that have failed for good. */
  readonly done: Intervals;
  /** Tasks that can begin. */
  readonly ready: Intervals;
  /** Other living nodes that work on this job. */
  readonly peers: readonly Peer[];
  /** Tasks that this node is not to run: they failed here. */
  readonly barred: Intervals;
}

export interface Lane {
  readonly cores: number;
  /** What of its claims a core is at work on. */
  readonly started: Intervals;
  /** All others of its claims. */
  readonly queued: Intervals;
  /** What a task takes on this node's cores, in the mean; undefined before the first is done. */
  readonly taskMs: number | undefined;
  /** Tasks that this node has done. */
  readonly done: number;
  /** How long it takes until others have heard what it claims. */
  readonly tellMs: number;
}

export interface Plan {
  readonly claim: Intervals;
  /** Of what is queued: others have it, or will sooner. */
  readonly drop: Intervals;
  /** Of what is started: others have its results. */
  readonly cancel: Intervals;
}

export function plan(view: View, lane: Lane, nowMs: number): Plan {
  const cancel = intersect(lane.started, view.done);
  const drop = dropped(view, lane);
  const started = subtract(lane.started, cancel);
  const queued = subtract(lane.queued, drop);
  const mine = union(started, queued);
  const claimedByOthers = unionAll(view.peers.map(({ claimed }) => claimed));
  const open = subtract(subtract(subtract(view.ready, view.done), view.barred), mine);
  const free = subtract(open, claimedByOthers);
  const ahead = sizeOf(queued) + sizeOf(started) - lane.cores;
  const want = wanted(view, lane, sizeOf(free)) - ahead;
  let claim = want > 0 ? chosen(view.order, free, want) : NONE;
  const idle = lane.cores - sizeOf(mine) - sizeOf(claim);
  // What others have claimed is run here too only where there is nothing else to do.
  if (idle > 0) claim = union(claim, seconds(view, lane, open, idle, nowMs));
  return { claim, drop, cancel };
}

/**
 * How many tasks this node would have waiting besides those that its cores run, so that others have heard of them before they
 * begin. Towards the end it is none: all have a share of what is left, so that nobody sits on work while others are idle.
 */
function wanted({ peers }: View, { cores, taskMs, done, tellMs }: Lane, free: number): number {
  const all = peers.reduce((sum, peer) => sum + peer.cores, cores);
  const each = taskMs === undefined ? 1 : Math.max(1, Math.ceil((AHEAD_TELLS * tellMs) / Math.max(taskMs, 0.001)));
  // What has been measured once may be an exception: claims grow with what has been done.
  const most = done * CLAIM_GROWTH;
  const share = Math.floor(free / (SHARES * all));
  return Math.min(cores * Math.min(each, share), most);
}

export interface DrawnView {
  /** Tasks that are this node's to run and can begin. */
  readonly drawn: Intervals;
  /** Those that it has run, those that failed here, and those that failed for good. */
  readonly over: Intervals;
  readonly verified: Intervals;
  /** Others have to catch up before it goes on. */
  readonly isFull: boolean;
}

/**
 * The same for a job that is verified. Nobody else's claims count: each task is run by all that are drawn for it. All go
 * through the tasks in one order, so that those who have to agree on a task come to it at about the same time; what enough
 * have agreed on comes last.
 */
export function planDrawn({ drawn, over, verified, isFull }: DrawnView, lane: Lane): Plan {
  const { queued, started, cores, taskMs, done, tellMs } = lane;
  const drop = subtract(queued, drawn);
  const mine = union(started, subtract(queued, drop));
  const open = subtract(subtract(drawn, over), mine);
  const needed = subtract(open, verified);
  const each = taskMs === undefined ? 0 : Math.ceil((AHEAD_TELLS * tellMs) / Math.max(taskMs, 0.001));
  const want = cores + Math.min(cores * each, done * CLAIM_GROWTH) - sizeOf(mine);
  const claim = isFull || want <= 0 ? NONE : take(needed.length > 0 ? needed : open, want);
  return { claim, drop, cancel: NONE };
}

function chosen(order: Order, free: Intervals, want: number): Intervals {
  let claim: Intervals = NONE;
  let left = want;
  for (const { from, to, isHome } of order.blocks) {
    const here = within(free, from, to);
    if (here.length === 0) continue;
    const part = take(here, left, isHome ? "front" : "back");
    claim = union(claim, part);
    left -= sizeOf(part);
    if (left <= 0) break;
  }
  return claim;
}

/** Claims that nobody has begun here, and that another will have done sooner: whoever has less before it keeps them. */
function dropped({ order, done, peers }: View, { queued, started }: Lane): Intervals {
  let drop = intersect(queued, done);
  const own = sizeOf(queued) + sizeOf(started);
  for (const { id, claimed } of peers) {
    const both = intersect(queued, claimed);
    if (both.length === 0) continue;
    const theirs = sizeOf(claimed);
    const isTheirs = theirs < own || (theirs === own && order.precedes(id));
    if (isTheirs) drop = union(drop, both);
  }
  return drop;
}

/**
 * Tasks that others have claimed and that this node would have done sooner: those that wait there, and those that nothing
 * has been heard of for long. Of each, a few nodes at most are at it at once.
 */
function seconds(view: View, { taskMs, cores }: Lane, open: Intervals, idle: number, nowMs: number): Intervals {
  const lateMs = Math.max(LATE_MS_MIN, 2 * (taskMs ?? 0));
  const { peers, order } = view;
  const claims = peers.map(({ claimed }) => claimed);
  const most = unionAll(claims, COPIES_MAX);
  let chosenHere: Intervals = NONE;
  let left = idle;
  for (const peer of order.shuffled(peers)) {
    const theirs = subtract(subtract(intersect(open, peer.claimed), most), chosenHere);
    const isLate = nowMs - peer.progressAtMs > lateMs;
    const count = isLate ? sizeOf(theirs) : Math.floor((sizeOf(theirs) - peer.cores) / 2);
    const part = take(theirs, Math.min(left, count, cores), "back");
    chosenHere = union(chosenHere, part);
    left -= sizeOf(part);
    if (left <= 0) break;
  }
  return chosenHere;
}

interface Block {
  readonly from: number;
  readonly to: number;
  /** This node is the first in its order. */
  readonly isHome: boolean;
}

/** In which order a node goes through a job's tasks, among these nodes: it changes with who there is, not with what is done. */
export class Order {
  readonly blocks: readonly Block[];
  readonly #self: string;
  readonly #key: number;

  /** @param nodes the ids of all that work on the job, this one too; `key` is the job's, of 32 bits. */
  constructor(total: number, nodes: readonly string[], self: string, key: number) {
    this.#self = self;
    this.#key = key;
    const count = Math.min(total, BLOCKS_MAX);
    const own = hashOf(self);
    const others = nodes.filter((id) => id !== self).map((id) => ({ id, hash: hashOf(id) }));
    const at = (i: number): number => Math.floor((total / count) * i);
    const all = Array.from({ length: count }, (_, i) => {
      const score = scoreOf(own, key ^ i);
      let rank = 0;
      let first = score;
      for (const { id, hash } of others) {
        const other = scoreOf(hash, key ^ i);
        if (other > score || (other === score && id < self)) rank++;
        if (other > first) first = other;
      }
      return { from: at(i), to: i === count - 1 ? total : at(i + 1), rank, first };
    });
    // Its own from the highest score down; of others' those that they would come to last.
    all.sort((a, b) => a.rank - b.rank || (a.rank === 0 ? b.first - a.first : a.first - b.first) || a.from - b.from);
    this.blocks = all.map(({ from, to, rank }) => ({ from, to, isHome: rank === 0 }));
  }

  /** Whether another node keeps what both have claimed, all else being equal. */
  precedes(other: string): boolean {
    const [mine, theirs] = [scoreOf(hashOf(this.#self), this.#key), scoreOf(hashOf(other), this.#key)];
    return theirs > mine || (theirs === mine && other < this.#self);
  }

  /** The others in an order of this node's own. */
  shuffled(peers: readonly Peer[]): Peer[] {
    const own = scoreOf(hashOf(this.#self), this.#key);
    return peers
      .map((peer) => ({ peer, score: scoreOf(hashOf(peer.id), own) }))
      .sort((a, b) => b.score - a.score || (a.peer.id < b.peer.id ? -1 : 1))
      .map(({ peer }) => peer);
  }
}
