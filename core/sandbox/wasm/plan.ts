/**
 * The plan of what is written into one function: positions in its code, in order, with what is inserted there. The walk
 * (walk.ts) makes it, and write-body.ts reads it. It is used again for the next function.
 */

/** What is inserted. The meaning of each edit's value is given after it. */
export const EDIT = {
  /** Takes fuel: the amount. Nothing is written for 0. */
  charge: 0,
  /** The same at the head of a loop, where the remaining fuel is checked. */
  loop: 1,
  /** Before a call. */
  call: 2,
  /** After a call. */
  called: 3,
  /** Before a call that replaces this function's frame. */
  tailCall: 4,
  /** Before an instruction that leaves the function. */
  leave: 5,
  /** Makes the NaN on top of the stack canonical, if the value is 1; one for each shape. */
  f32: 6,
  f64: 7,
  f32x4: 8,
  f64x2: 9,
  /** The replacement of `memory.grow`: the number of its bytes. */
  grow: 10,
  /** Before an instruction on as many bytes, or table entries, as the top of the stack says. */
  bulkBytes: 11,
  bulkEntries: 12,
} as const;

export class Plan {
  count = 0;
  /** The edits: position, kind, and value. */
  places: Int32Array = new Int32Array(1_024);
  kinds: Uint8Array = new Uint8Array(1_024);
  values: Int32Array = new Int32Array(1_024);

  /** The position of the locals' types, and where these end and the code begins. */
  localRuns = 0;
  localsFrom = 0;
  codeFrom = 0;
  end = 0;
  /** Parameters and locals. */
  locals = 0;
  /** The most slots of 8 bytes that its frame has on the stack. */
  frameSlots = 0;
  /** The cost of entering it. */
  entryFuel = 0;
  hasLoop = false;
  /** Whether it calls anything. */
  hasCall = false;
  /** The kinds of canonical NaN edits that occur, one bit each. */
  canonical = 0;
  /** Whether it does more than the cost of a call pays for. */
  isCharged = false;

  clear(): void {
    this.count = this.localRuns = this.localsFrom = this.codeFrom = this.end = 0;
    this.locals = this.frameSlots = this.entryFuel = this.canonical = 0;
    this.hasLoop = this.hasCall = this.isCharged = false;
  }

  /** Appends an edit, and returns its number. */
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
