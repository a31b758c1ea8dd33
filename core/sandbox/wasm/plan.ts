/**
 * What is to be written into one function: places in its code, in their order, with what comes there. The walk (walk.ts)
 * makes it, writing (write-body.ts) reads it; it is used again for the next function.
 */

/** What comes at a place. The value of each is said behind it. */
export const EDIT = {
  /** Takes fuel: how much. Nothing is written for 0. */
  charge: 0,
  /** The same at the head of a loop, where it is looked whether there is any left. */
  loop: 1,
  /** Before a call. */
  call: 2,
  /** Behind a call. */
  called: 3,
  /** Before a call that takes this function's place. */
  tailCall: 4,
  /** Before what leaves the function. */
  leave: 5,
  /** Makes the NaN on top of the stack the one canonical NaN, if the value is 1: by shape. */
  f32: 6,
  f64: 7,
  f32x4: 8,
  f64x2: 9,
  /** In the place of `memory.grow`: how many bytes that has. */
  grow: 10,
  /** Before what works on so many bytes, or entries of a table, as the top of the stack says. */
  bulkBytes: 11,
  bulkEntries: 12,
} as const;

export class Plan {
  count = 0;
  /** Of each edit: where, what, and a value. */
  places: Int32Array = new Int32Array(1_024);
  kinds: Uint8Array = new Uint8Array(1_024);
  values: Int32Array = new Int32Array(1_024);

  /** Of the function: types of its locals, and where they end and its code begins. */
  localRuns = 0;
  localsFrom = 0;
  codeFrom = 0;
  end = 0;
  /** Parameters and locals. */
  locals = 0;
  /** Places of 8 bytes that its frame has on the stack, at most. */
  frameSlots = 0;
  /** What entering it costs. */
  entryFuel = 0;
  hasLoop = false;
  /** Whether it calls anything. */
  hasCall = false;
  /** The edits that make NaNs canonical of which there are any, a bit each. */
  canonical = 0;
  /** Whether it does more than a call of it pays for. */
  isCharged = false;

  clear(): void {
    this.count = this.localRuns = this.localsFrom = this.codeFrom = this.end = 0;
    this.locals = this.frameSlots = this.entryFuel = this.canonical = 0;
    this.hasLoop = this.hasCall = this.isCharged = false;
  }

  /** Adds an edit behind all others, and gives its number. */
  add(place: number, kind: number, value: number): number {
    const index = this.count;
    if (index === this.places.length) this.#grow();
    this.places[index] = place;
    this.kinds[index] = kind;
    this.values[index] = value;
    this.count = index + 1;
    return index;
  }

  #grow(): void {
    const grown = <T extends Int32Array | Uint8Array>(column: T, next: T): T => {
      next.set(column);
      return next;
    };
    this.places = grown(this.places, new Int32Array(2 * this.places.length));
    this.kinds = grown(this.kinds, new Uint8Array(2 * this.kinds.length));
    this.values = grown(this.values, new Int32Array(2 * this.values.length));
  }
}
