/**
 * Where a function pays for what it does. Its code falls into segments, each paid for at its beginning. A segment hangs
 * on the one that is always run before it (its dominator); where it costs little, or is always run if that one is, the
 * other pays for it. So most of the code costs nothing beyond what is paid at the function's entry and at the heads of its
 * loops, which are never merged into anything.
 *
 * What is paid is never less than what is run: a segment that is left early has been paid for whole.
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

  /** A new function: its first segment is its entry. */
  begin(): void {
    this.#count = 0;
    this.#add(0, NO_EDIT);
  }

  /** The next instruction is at the head of a loop. */
  loop(place: number): void {
    this.#add(this.current, this.#plan.add(place, EDIT.loop, 0));
  }

  /** The next instruction is only run sometimes when that of segment `parent` was. */
  branch(place: number, parent: number): void {
    this.#add(parent, this.#plan.add(place, EDIT.charge, 0));
  }

  pay(quarters: number): void {
    this.#quarters[this.current] = (this.#quarters[this.current] ?? 0) + quarters;
  }

  /** Says in the plan what each segment pays; gives what the function pays in all. */
  end(): number {
    let sum = 0;
    // Those that hang on a segment come after it.
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
