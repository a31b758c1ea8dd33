/**
 * Where a function pays fuel. Its code is divided into segments, each of which is paid for at its beginning. Each
 * segment has a dominator: the segment that always runs before it. If the segment costs little, or always runs when its
 * dominator does, the dominator pays for it. So most code pays only at the function's entry and at the heads of its
 * loops, which are never merged into other segments.
 *
 * A function never pays less than it runs: a segment that is left early has been paid for as a whole.
 */
import { SEGMENT_FUEL } from "../limits.ts";
import { QUARTERS } from "./opcodes.ts";
import { EDIT, type Plan } from "./plan.ts";

const NO_EDIT = -1;

export class FuelSegments {
  #count = 0;
  #parents: Int32Array = new Int32Array(256);
  #edits: Int32Array = new Int32Array(256);
  #quarters: Int32Array = new Int32Array(256);
  readonly #plan: Plan;
  /** The segment to which the next instruction belongs. */
  current = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  /** Begins a function, whose first segment is its entry. */
  begin(): void {
    this.#count = 0;
    this.#add(0, NO_EDIT);
  }

  /** The next instruction is the head of a loop. */
  loop(place: number): void {
    this.#add(this.current, this.#plan.add(place, EDIT.loop, 0));
  }

  /** The next instruction runs only in some of the cases in which segment `parent` ran. */
  branch(place: number, parent: number): void {
    this.#add(parent, this.#plan.add(place, EDIT.charge, 0));
  }

  pay(quarters: number): void {
    this.#quarters[this.current] = (this.#quarters[this.current] ?? 0) + quarters;
  }

  /** Writes into the plan what each segment pays. Returns what the function pays in total. */
  end(): number {
    let sum = 0;
    // The segments that a segment dominates come after it.
    for (let segment = this.#count - 1; segment >= 0; segment--) {
      const quarters = this.#quarters[segment] ?? 0;
      const fuel = Math.ceil(quarters / QUARTERS);
      const edit = this.#edits[segment] ?? NO_EDIT;
      if (edit === NO_EDIT) this.#plan.entryFuel = fuel;
      else if (this.#plan.kinds[edit] === EDIT.loop || fuel > SEGMENT_FUEL) this.#plan.values[edit] = fuel;
      else {
        const parent = this.#parents[segment] ?? 0;
        this.#quarters[parent] = (this.#quarters[parent] ?? 0) + quarters;
        continue;
      }
      sum += fuel;
    }
    return sum;
  }

  #add(parent: number, edit: number): void {
    const segment = this.#count;
    if (segment === this.#parents.length) {
      const grown = (column: Int32Array): Int32Array => {
        const next = new Int32Array(2 * column.length);
        next.set(column);
        return next;
      };
      this.#parents = grown(this.#parents);
      this.#edits = grown(this.#edits);
      this.#quarters = grown(this.#quarters);
    }
    this.#parents[segment] = parent;
    this.#edits[segment] = edit;
    this.#quarters[segment] = 0;
    this.#count = segment + 1;
    this.current = segment;
  }
}
