/**
 * Plans what a node does next for a job, from what it knows: which free tasks it claims, which claims it gives up, and
 * which tasks of others it runs a second time. Each node decides this for itself, by what it has heard. Nodes seldom
 * choose the same task, because they go through the tasks in different orders; if they do, it costs time and nothing
 * else. Pure, like the disk's repair/policy.ts.
 *
 * The tasks are cut into blocks. For each block all nodes are ranked by rendezvous hashing. A node goes through the
 * blocks in which it ranks first, then through those in which it ranks second, and so on. It begins with the block of
 * its own in which its score is highest. Of another node's blocks it begins with the one in which that node's score is
 * lowest, which that node would reach last. The first-ranked node takes a block's tasks from its beginning, the others
 * from its end.
 */
import { hashOf, scoreOf } from "../base/rendezvous.ts";
import { type Intervals, intersect, NONE, sizeOf, subtract, take, union, unionAll, within } from "./intervals.ts";
import { AHEAD_TELLS, BLOCKS_MAX, CLAIM_GROWTH, COPIES_MAX, LATE_MS_MIN } from "./limits.ts";

/** A core claims one part in this many of what is left, divided by all cores. */
const SHARES = 4;

export interface Peer {
  readonly id: string;
  /** Cores that it lends. */
  readonly cores: number;
  /** Tasks that it says it runs or will run next. */
  readonly claimed: Intervals;
  /** When it last told something new (results of its own, other claims), on this node's clock. */
  readonly progressAtMs: number;
}

export interface View {
  readonly order: Order;
  /** Tasks whose results a living node has, or that have failed for good. */
  readonly done: Intervals;
  /** Tasks that can begin. */
  readonly ready: Intervals;
  /** The other living nodes that work on this job. */
  readonly peers: readonly Peer[];
  /** Tasks that this node must not run, because they failed here. */
  readonly barred: Intervals;
}

export interface Lane {
  readonly cores: number;
  /** Claimed tasks that a core is running. */
  readonly started: Intervals;
  /** All other claimed tasks. */
  readonly queued: Intervals;
  /** The mean time of a task on this node's cores; undefined before the first is done. */
  readonly taskMs: number | undefined;
  /** The number of tasks that this node has done. */
  readonly done: number;
  /** How long it takes until others have heard of a claim. */
  readonly tellMs: number;
}

export interface Plan {
  readonly claim: Intervals;
  /** Queued tasks to give up, because others have done them, or will sooner. */
  readonly drop: Intervals;
  /** Running tasks to end, because others have their results. */
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
  // Tasks that others have claimed are run here too only if there is nothing else to do.
  if (idle > 0) claim = union(claim, seconds(view, lane, open, idle, nowMs));
  return { claim, drop, cancel };
}

/**
 * How many tasks this node wants to have queued besides those that its cores run, so that others have heard of them
 * before they begin. Towards the end it is 0: all nodes share what is left, so that none sits on work while others are
 * idle.
 */
function wanted({ peers }: View, { cores, taskMs, done, tellMs }: Lane, free: number): number {
  const all = peers.reduce((sum, peer) => sum + peer.cores, cores);
  const each = taskMs === undefined ? 1 : Math.max(1, Math.ceil((AHEAD_TELLS * tellMs) / Math.max(taskMs, 0.001)));
  // One measurement may not be typical, so claims grow with what has been done.
  const most = done * CLAIM_GROWTH;
  const share = Math.floor(free / (SHARES * all));
  return Math.min(cores * Math.min(each, share), most);
}

export interface DrawnView {
  /** Tasks that this node is drawn for and that can begin. */
  readonly drawn: Intervals;
  /** Tasks that it has run, tasks that failed here, and tasks that failed for good. */
  readonly over: Intervals;
  readonly verified: Intervals;
  /** Others have to catch up before it goes on. */
  readonly isFull: boolean;
}

/**
 * Plans for a verified job. Other nodes' claims do not count, because each task is run by all nodes that are drawn for
 * it. All go through the tasks in one order, so that those who have to agree on a task run it at about the same time.
 * Tasks on which enough have agreed come last.
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

/**
 * Claimed tasks that have not begun here, and that another node will have done sooner: the node with less work before
 * them keeps them.
 */
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
 * Tasks that others have claimed and that this node would finish sooner: those that wait there, and those of nodes that
 * have not been heard for long. At most a few nodes run the same task at once.
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
  /** Whether this node ranks first. */
  readonly isHome: boolean;
}

/**
 * The order in which a node goes through a job's tasks, among these nodes. It changes with the nodes, not with what is
 * done.
 */
export class Order {
  readonly blocks: readonly Block[];
  readonly #self: string;
  readonly #key: number;

  /** @param nodes the ids of all nodes that work on the job, with this one; `key` is the job's, of 32 bits */
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
    // Its own blocks from the highest score down; of the others' blocks those that they would reach last.
    all.sort((a, b) => a.rank - b.rank || (a.rank === 0 ? b.first - a.first : a.first - b.first) || a.from - b.from);
    this.blocks = all.map(({ from, to, rank }) => ({ from, to, isHome: rank === 0 }));
  }

  /** Whether the other node keeps what both have claimed, all else being equal. */
  precedes(other: string): boolean {
    const [mine, theirs] = [scoreOf(hashOf(this.#self), this.#key), scoreOf(hashOf(other), this.#key)];
    return theirs > mine || (theirs === mine && other < this.#self);
  }

  /** The other nodes in an order that differs from node to node. */
  shuffled(peers: readonly Peer[]): Peer[] {
    const own = scoreOf(hashOf(this.#self), this.#key);
    return peers
      .map((peer) => ({ peer, score: scoreOf(hashOf(peer.id), own) }))
      .sort((a, b) => b.score - a.score || (a.peer.id < b.peer.id ? -1 : 1))
      .map(({ peer }) => peer);
  }
}
