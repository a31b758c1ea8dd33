/**
 * Rendezvous hashing (highest random weight; Thaler and Ravishankar 1998): every node that knows the same ids works out
 * the same order of them without asking, and an id that comes or goes moves nothing but its own place.
 *
 * The hash mixes well and is no secret: a node that chooses its id can come first for a key of its choice. So use it to
 * balance load, never to decide whom to trust.
 */

/**
 * One of several ids, the same on all nodes that know the same ids. It decides, for example, which tab of a browser
 * holds a partition.
 */
export function rendezvous<Id extends string>(ids: Iterable<Id>, key: number): Id | undefined {
  return ranked(ids, key)[0];
}

/** All of them, first choice first. `key` is an integer of 32 bits. */
export function ranked<Id extends string>(ids: Iterable<Id>, key: number): Id[] {
  return [...ids]
    .map((id) => ({ id, score: scoreOf(hashOf(id), key) }))
    .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
    .map(({ id }) => id);
}

/** Whose turn it is, in the given order, if nobody has made progress for `idleMs`. Each has a turn of `turnMs`. */
export function whoseTurn<Id>(order: readonly Id[], idleMs: number, turnMs: number): Id | undefined {
  return order[Math.floor(idleMs / turnMs) % order.length];
}

export interface IdHash {
  readonly a: number;
  readonly b: number;
}

/** Two 32-bit FNV-1a of different start, so that two of a thousand ids share both once in 10^13 swarms. */
export function hashOf(id: string): IdHash {
  let a = 0x811c9dc5;
  let b = 0x2f0b4c47;
  for (let i = 0; i < id.length; i++) {
    const code = id.charCodeAt(i);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ code, 0x85ebca6b) ^ (b >>> 15);
  }
  return { a, b };
}

/** 32 bits that depend on every bit of the id's hash and the key: two rounds of MurmurHash3's finish. */
export function scoreOf({ a, b }: IdHash, key: number): number {
  return finish(finish(a ^ Math.imul(key, 0x9e3779b1)) ^ b) >>> 0;
}

function finish(word: number): number {
  let mixed = word;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
