/**
 * The float locals of one function, and whether they hold only results of arithmetic and numbers. Such a local may hold
 * any NaN, which is made canonical when the local is read and its bits may be observed. All other locals get only
 * canonical NaNs from arithmetic, because their other values must keep their bits. Parameters are such other locals.
 */
import { SHAPE } from "./opcodes.ts";
import { EDIT, type Plan } from "./plan.ts";
import { F32, F64, V128 } from "./types.ts";

const EDITS: readonly number[] = [0, EDIT.f32, EDIT.f64, EDIT.f32x4, EDIT.f64x2];

interface LocalUse {
  /** The shape of its values; for vectors it is known at the first write. */
  shape: number;
  isSpoilt: boolean;
  /** The edits at results that were written to it, and their shapes. */
  readonly writes: number[];
  readonly writtenShapes: number[];
  /** The edits at reads whose bits may be observed. */
  readonly looks: number[];
  /** The shapes of the instructions that took it without observing its bits, one bit each. */
  takers: number;
}

export class NanLocals {
  readonly #plan: Plan;
  /** By number, from the first that is not a parameter: 0, or the type. */
  #types: Uint8Array = new Uint8Array(0);
  #first = 0;
  #count = 0;
  readonly #uses = new Map<number, LocalUse>();

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  begin(): void {
    this.#count = 0;
    if (this.#uses.size > 0) this.#uses.clear();
  }

  /** Whether the function has any. */
  get areThere(): boolean {
    return this.#count > 0;
  }

  /** That many locals of a type, from `first` on; the runs come in their order. */
  declare(parameters: number, first: number, count: number, type: number): void {
    if (type !== F32 && type !== F64 && type !== V128) return;
    const end = first + count - parameters;
    if (end > this.#types.length) {
      const grown = new Uint8Array(end * 2);
      grown.set(this.#types.subarray(0, this.#count));
      this.#types = grown;
    }
    this.#types.fill(0, this.#count, first - parameters);
    this.#types.fill(type, first - parameters, end);
    this.#first = parameters;
    this.#count = end;
  }

  isOne(local: number): boolean {
    const index = local - this.#first;
    return index >= 0 && index < this.#count && this.#types[index] !== 0;
  }

  /** SHAPE.none for a vector. */
  shapeOf(local: number): number {
    const type = this.#types[local - this.#first];
    return type === F32 ? SHAPE.f32 : type === F64 ? SHAPE.f64 : SHAPE.none;
  }

  /** A result of arithmetic is written to it. */
  write(local: number, edit: number, shape: number): void {
    const use = this.#use(local);
    use.writes.push(edit);
    use.writtenShapes.push(shape);
    if (use.shape === SHAPE.none) use.shape = shape;
    if (use.shape !== shape) use.isSpoilt = true;
  }

  /** Something else is written to it. */
  spoil(local: number): void {
    this.#use(local).isSpoilt = true;
  }

  look(local: number, edit: number): void {
    this.#use(local).looks.push(edit);
  }

  /** An instruction of this shape takes the value that was read from it. */
  isAbsorbed(local: number, shape: number): boolean {
    const own = this.shapeOf(local);
    if (own !== SHAPE.none) return own === shape;
    // If it turns out to hold another shape, it is treated as spoilt.
    this.#use(local).takers |= 1 << shape;
    return true;
  }

  /** At the function's end: writes into the plan which values are made canonical. */
  end(): void {
    for (const use of this.#uses.values()) {
      if (use.isSpoilt || (use.takers & ~(1 << use.shape)) !== 0) {
        for (const [i, edit] of use.writes.entries()) this.#mark(edit, use.writtenShapes[i] ?? 0);
      } else if (use.shape !== SHAPE.none) for (const edit of use.looks) this.#mark(edit, use.shape);
    }
  }

  #mark(edit: number, shape: number): void {
    const kind = EDITS[shape] ?? 0;
    this.#plan.kinds[edit] = kind;
    this.#plan.values[edit] = 1;
    this.#plan.canonical |= 1 << kind;
  }

  #use(local: number): LocalUse {
    let use = this.#uses.get(local);
    if (use === undefined) {
      const shape = this.shapeOf(local);
      use = { shape, isSpoilt: false, writes: [], writtenShapes: [], looks: [], takers: 0 };
      this.#uses.set(local, use);
    }
    return use;
  }
}
