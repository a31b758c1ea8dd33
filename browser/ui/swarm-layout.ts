/**
 * The position of each node in the picture of the swarm. It is a pure function of the members and the size of the
 * picture: every tab of the same size draws the same swarm alike, a node that returns comes back to its place, and
 * nothing moves unless somebody came or went. A node's home follows from its id. A light relaxation then moves nodes
 * apart that are too close, which shifts neighbours a little and leaves the others where they are.
 *
 * Up to CLUSTERED_FROM nodes are drawn singly; more are grouped by id, and can be zoomed into.
 */
import type { PeerId } from "../../core/ports/network.ts";

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Cluster extends Point {
  readonly radius: number;
  readonly peers: readonly PeerId[];
}

export interface Layout {
  readonly seats: ReadonlyMap<PeerId, Point>;
  /** Empty while nodes are drawn singly. */
  readonly clusters: readonly Cluster[];
  /** The distance of neighbours if there is room, px: the limit for the size of marks and labels. */
  readonly spacing: number;
}

/** A name below its node: the middle of its base line, and half of its width. */
export interface Label extends Point {
  readonly half: number;
}

/** More labels can't be read at once in a side view. */
export const CLUSTERED_FROM = 40;
/** About 13 nodes in each at 200 members, 60 at 1,000: few enough to be read when zoomed. */
const CLUSTERS = 16;
/** Nodes that are farther apart look lost. */
const SPACING_MAX_PX = 150;
/** Room for half a label at the sides, px. */
const MARGIN = { x: 74, y: 48 } as const;
const ROUNDS = 160;
/** Labels are wide and flat, so nodes side by side need more room than nodes above each other. */
const LABELLED: Point = { x: 0.78, y: 1.2 };
const ROUND: Point = { x: 1, y: 1 };
/** A small group is stretched to use the room, but never so far that it looks lost. */
const DRAW_OUT_MAX = 1.7;

interface Body {
  readonly peer: PeerId;
  x: number;
  y: number;
}

export function layout(peers: readonly PeerId[], size: Size): Layout {
  const sorted = [...new Set(peers)].sort();
  const room = { x: Math.max(60, size.width / 2 - MARGIN.x), y: Math.max(60, size.height / 2 - MARGIN.y) };
  const middle = { x: size.width / 2, y: size.height / 2 };
  return sorted.length > CLUSTERED_FROM ? clustered(sorted, room, middle) : free(sorted, room, middle);
}

function free(peers: readonly PeerId[], room: Point, middle: Point): Layout {
  const spacing = Math.min(SPACING_MAX_PX, 0.9 * Math.sqrt((4 * room.x * room.y) / Math.max(1, peers.length)));
  const bodies = peers.map((peer) => body(peer, room, { x: 0, y: 0 }));
  relax(bodies, spacing, LABELLED, (one) => {
    one.x = clamp(one.x, room.x);
    one.y = clamp(one.y, room.y);
  });
  const seats = new Map<PeerId, Point>();
  const across = fitted(
    bodies.map((one) => one.x),
    room.x,
  );
  const down = fitted(
    bodies.map((one) => one.y),
    room.y,
  );
  for (const { peer, x, y } of bodies) seats.set(peer, { x: middle.x + across(x), y: middle.y + down(y) });
  return { seats, clusters: [], spacing };
}

function clustered(peers: readonly PeerId[], room: Point, middle: Point): Layout {
  const groups = Array.from({ length: CLUSTERS }, (): PeerId[] => []);
  for (const peer of peers) groups[hash(peer, 3) % CLUSTERS]?.push(peer);
  const radius = 0.8 * Math.sqrt((room.x * room.y) / CLUSTERS);
  const centres = groups.map((_, index): Body => ({ peer: String(index), ...sunflower(index, room) }));
  relax(centres, 2.15 * radius, ROUND, (one) => {
    one.x = clamp(one.x, room.x - radius / 2);
    one.y = clamp(one.y, room.y - radius / 2);
  });
  const largest = Math.max(...groups.map((group) => group.length));
  const spacing = 1.5 * radius * Math.sqrt(1 / largest);
  const seats = new Map<PeerId, Point>();
  const clusters: Cluster[] = [];
  groups.forEach((group, index) => {
    const at = centres[index];
    if (at === undefined || group.length === 0) return;
    const x = middle.x + at.x;
    const y = middle.y + at.y;
    const inner = radius * 0.78;
    const bodies = group.map((peer) => body(peer, { x: inner, y: inner }, { x: 0, y: 0 }));
    relax(bodies, spacing, ROUND, (one) => keepInside(one, inner));
    for (const one of bodies) seats.set(one.peer, { x: x + one.x, y: y + one.y });
    clusters.push({ x, y, radius, peers: group });
  });
  return { seats, clusters, spacing };
}

/** A node's home: uniform over an ellipse, by its id. */
function body(peer: PeerId, room: Point, at: Point): Body {
  const angle = (2 * Math.PI * hash(peer, 1)) / 2 ** 32;
  const radius = 0.9 * Math.sqrt(hash(peer, 2) / 2 ** 32);
  return { peer, x: at.x + room.x * radius * Math.cos(angle), y: at.y + room.y * radius * Math.sin(angle) };
}

/** Evenly over an ellipse in a spiral (Vogel 1979). */
function sunflower(index: number, room: Point): Point {
  const angle = index * Math.PI * (3 - Math.sqrt(5));
  const radius = 0.92 * Math.sqrt((index + 0.5) / CLUSTERS);
  return { x: room.x * radius * Math.cos(angle), y: room.y * radius * Math.sin(angle) };
}

/** Moves bodies apart that are closer than `spacing`, in rounds that get gentler and so come to rest. */
function relax(bodies: readonly Body[], spacing: number, metric: Point, confine: (body: Body) => void): void {
  for (let round = 0; round < ROUNDS; round++) {
    const strength = 0.5 * (1 - round / ROUNDS);
    bodies.forEach((a, index) => {
      for (const b of bodies.slice(index + 1)) separate(a, b, spacing, metric, strength);
    });
    for (const one of bodies) confine(one);
  }
}

function separate(a: Body, b: Body, spacing: number, metric: Point, strength: number): void {
  const dx = (b.x - a.x) * metric.x || 0.01;
  const dy = (b.y - a.y) * metric.y || 0.01;
  const distance = Math.hypot(dx, dy);
  if (distance >= spacing) return;
  const push = (strength * (spacing - distance)) / distance;
  a.x -= push * dx;
  a.y -= push * dy;
  b.x += push * dx;
  b.y += push * dy;
}

function keepInside(one: Body, radius: number): void {
  const distance = Math.hypot(one.x, one.y);
  if (distance <= radius) return;
  one.x *= radius / distance;
  one.y *= radius / distance;
}

/** Height of a label, px, with the gap to the next. */
const LABEL_PX = 17;

/** The labels that cover no label before them in the list. */
export function readable(labels: readonly Label[]): boolean[] {
  const shown: Label[] = [];
  return labels.map((label) => {
    const isFree = shown.every(
      ({ x, y, half }) => Math.abs(label.y - y) >= LABEL_PX || Math.abs(label.x - x) >= label.half + half,
    );
    if (isFree) shown.push(label);
    return isFree;
  });
}

/** Maps coordinates so that they lie around the middle and use the room; a small swarm may be anywhere at first. */
function fitted(all: readonly number[], room: number): (value: number) => number {
  const least = Math.min(...all);
  const most = Math.max(...all);
  const middle = (least + most) / 2;
  const scale = most > least ? Math.min(DRAW_OUT_MAX, (1.7 * room) / (most - least)) : 1;
  return (value) => (value - middle) * Math.max(1, scale);
}

function clamp(value: number, limit: number): number {
  return Math.max(-limit, Math.min(limit, value));
}

/** FNV-1a with a final mix (as in MurmurHash3), so that similar ids are far apart. 32 bits. */
function hash(text: string, seed: number): number {
  let h = 0x811c9dc5 ^ Math.imul(seed, 0x9e3779b1);
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
