/**
 * Plans what a node does next for a job, from what it knows: which free tasks it claims, which claims it gives up, and
 * which tasks of others it runs a second time. Each node decides this for itself, by what it has heard. Nodes seldom
 * choose the same task, because they go through the tasks in different orders; if they do, it costs time and nothing
 * else. Pure, like the disk's repair/policy.ts.
 *
 * Every node has an equal share of the tasks for each of its cores. The tasks
 * are cut into blocks. For each block all nodes are ranked by rendezvous hashing, and the first of them whose share has
 * room gets it; a block that is larger than that room is divided. So all nodes know who has which share without asking, and
 * nodes that are equally fast end at the same time. A node takes free tasks of its own share first. When none is left,
 * it takes free tasks of others, from a place that is chosen anew each time. What others have taken in the last
 * seconds is not known yet. If all went on from the same place, they would take the same tasks.
 */
import { hashOf, type IdHash, scoreOf } from "../base/rendezvous.ts";
import { type Intervals, intersect, NONE, sizeOf, subtract, take, union, unionAll, within } from "./intervals.ts";
import { AHEAD_TELLS, BLOCKS_MAX, CLAIM_GROWTH, COPIES_MAX, LATE_MS_MIN } from "./limits.ts";

/** A core claims one part in this many of what is left, divided by all cores. */
const SHARES = 2;

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
  const unused = lane.cores - sizeOf(mine);
  let claim = want > 0 ? chosen(view.order, free, { want, least: unused, turn: lane.done }) : NONE;
  const idle = unused - sizeOf(claim);
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

/**
 * @param least so many tasks are to begin at once; from other nodes' shares no more are taken as long as the own share
 *   has some
 * @param turn a number that changes
 */
function chosen(
  order: Order,
  free: Intervals,
  { want, least, turn }: { readonly want: number; readonly least: number; readonly turn: number },
): Intervals {
  let claim: Intervals = NONE;
  for (const [from, to] of order.share) {
    const left = want - sizeOf(claim);
    if (left === 0) return claim;
    const here = within(free, from, to);
    if (here.length > 0) claim = union(claim, take(here, left));
  }
  const more = (claim.length === 0 ? want : least) - sizeOf(claim);
  const others = subtract(free, claim);
  if (more <= 0 || others.length === 0) return claim;
  const before = take(others, order.place(turn, sizeOf(others)));
  const after = take(subtract(others, before), more);
  return unionAll([claim, after, take(before, more - sizeOf(after))]);
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

/** A node that works on the job, as all know it. */
export interface Sharing {
  readonly id: string;
  readonly cores: number;
}

/** A part of a node's share: from which task to which, with the rank of the block for that node. */
interface Piece {
  readonly from: number;
  readonly to: number;
  readonly score: number;
}

/** Which tasks a node takes first, among these nodes. That changes with the nodes, not with what is done. */
export class Order {
  /** The node's own share, in the order in which it takes it. */
  readonly share: readonly (readonly [from: number, to: number])[];
  readonly #self: string;
  readonly #key: number;

  /** @param nodes all nodes that work on the job, with this one; `key` is the job's, of 32 bits */
  constructor(total: number, nodes: readonly Sharing[], self: string, key: number) {
    this.#self = self;
    this.#key = key;
    const pieces = shareOf(total, nodes, self, key).sort((a, b) => b.score - a.score || a.from - b.from);
    this.share = pieces.map(({ from, to }) => [from, to] as const);
  }

  /** A number below `size` that looks random, and differs from node to node and from turn to turn. */
  place(turn: number, size: number): number {
    return scoreOf(hashOf(this.#self), this.#key ^ turn) % size;
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

/**
 * The share of one node. All nodes are gone through, because how much room the others have left decides what a node
 * gets.
 */
function shareOf(total: number, nodes: readonly Sharing[], self: string, key: number): Piece[] {
  const open = rooms(total, nodes);
  const count = Math.min(total, BLOCKS_MAX);
  const own: Piece[] = [];
  for (let block = 0; block < count; block++) {
    const to = Math.floor((total / count) * (block + 1));
    for (let from = Math.floor((total / count) * block); from < to;) {
      let first = open[0];
      let score = -1;
      for (const node of open) {
        const its = scoreOf(node.hash, key ^ block);
        if (its > score) [first, score] = [node, its];
      }
      if (first === undefined) return own;
      const end = Math.min(to, from + first.room);
      if (first.id === self) own.push({ from, to: end, score });
      first.room -= end - from;
      if (first.room === 0) open.splice(open.indexOf(first), 1);
      from = end;
    }
  }
  return own;
}

/** How many tasks each node gets, in proportion to its cores. Together that are all tasks. */
function rooms(total: number, nodes: readonly Sharing[]): { id: string; hash: IdHash; room: number }[] {
  const sorted = nodes.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const all = sorted.reduce((sum, { cores }) => sum + cores, 0);
  let counted = 0;
  let given = 0;
  return sorted.flatMap(({ id, cores }) => {
    counted += cores;
    const room = Math.round((total * counted) / all) - given;
    given += room;
    return room === 0 ? [] : [{ id, hash: hashOf(id), room }];
  });
}
