/**
 * Which units of stripes this node is to look at now. Each is some node's by rendezvous, and a few stand by, who take their
 * turn when it has not been found in order for a while. They are of the older half of all nodes: who has just come does not
 * know yet whether the swarm is at rest or comes and goes. A round begins whenever devices come or go; what has been found
 * in order is then looked at again.
 */
import type { Clock } from "../ports/clock.ts";
import type { PeerId } from "../ports/network.ts";
import type { Catalogue } from "./catalogue.ts";
import { type Unit, unitsOf } from "./census.ts";
import type { Devices } from "./devices.ts";
import { ASKED_UNITS_MAX, RANKED_PER_LOOK, REPAIRERS_MAX, TURN_MS, UNIT_STRIPES, VERIFY_EVERY_MS } from "./limits.ts";
import { repairersOf } from "./placement.ts";
import type { Slots } from "./slots.ts";

export interface RotaParts {
  readonly self: PeerId;
  readonly catalogue: Catalogue;
  readonly devices: Devices;
  readonly slots: Slots;
  readonly clock: Clock;
}

interface UnitState {
  /** The round in which `rank` was worked out, and how many come before this node. */
  round: number;
  rank: number;
  /** When it was found in order in this round, monotonic ms. */
  verifiedAtMs: number | undefined;
}

export interface DueUnit extends Unit {
  /** How many come before this node in looking after it. */
  readonly rank: number;
}

export interface Due {
  readonly units: readonly DueUnit[];
  /** There is more, to be asked for soon. */
  readonly isMore: boolean;
}

export class Rota {
  readonly #parts: RotaParts;
  /** By layout, the states of its units. */
  readonly #states = new Map<string, UnitState[]>();
  /** Layouts that this node looks after, whoever else does: it has put them, or found damage. */
  readonly #own = new Set<string>();
  #round = 1;
  #roundAtMs: number;
  #isQuiet = false;
  #lookedAtMs = -Infinity;

  constructor(parts: RotaParts) {
    this.#parts = parts;
    this.#roundAtMs = parts.clock.monotonic();
  }

  get round(): number {
    return this.#round;
  }

  /** What was in order may be so no more. */
  begin(): void {
    this.#round++;
    this.#roundAtMs = this.#parts.clock.monotonic();
    this.#isQuiet = false;
  }

  /** There is something new. */
  stir(): void {
    this.#isQuiet = false;
  }

  /** This layout is to be looked at now, by this node. */
  nudge(id: string): void {
    this.#own.add(id);
    this.#states.delete(id);
    this.#isQuiet = false;
  }

  /** Somebody has asked for it, and it is not in order yet. */
  isNudged(id: string): boolean {
    return this.#own.has(id);
  }

  due(): Due {
    const { catalogue, clock, devices } = this.#parts;
    const nowMs = clock.monotonic();
    if (this.#isQuiet && nowMs - this.#lookedAtMs < VERIFY_EVERY_MS / 10) return { units: [], isMore: false };
    this.#lookedAtMs = nowMs;
    const turn = Math.floor((nowMs - this.#roundAtMs) / TURN_MS);
    const nodes = devices.nodesByAge();
    const units: DueUnit[] = [];
    let ranked = 0;
    for (const stored of catalogue.all()) {
      const isOwn = this.#own.has(stored.id);
      for (const unit of unitsOf(stored)) {
        let state = this.#stateOf(unit);
        if (state?.round !== this.#round) {
          if (ranked++ === RANKED_PER_LOOK) return { units, isMore: true };
          state = this.#rank(unit, nodes);
        }
        const { rank, verifiedAtMs } = state;
        if (verifiedAtMs !== undefined && nowMs - verifiedAtMs < VERIFY_EVERY_MS) continue;
        if (!isOwn && rank > Math.min(turn, REPAIRERS_MAX - 1)) continue;
        units.push({ ...unit, rank });
        if (units.length === ASKED_UNITS_MAX) return { units, isMore: true };
      }
    }
    // Nobody's turn is still to come, and nothing is to do.
    this.#isQuiet = units.length === 0 && turn >= REPAIRERS_MAX;
    if (this.#states.size > 2 * catalogue.count) this.#forget();
    return { units, isMore: false };
  }

  /** The unit was found in order in that round. */
  inOrder(unit: Unit, round: number): void {
    const state = this.#stateOf(unit);
    if (state?.round !== round) return;
    state.verifiedAtMs = this.#parts.clock.monotonic();
    const { stored } = unit;
    const isDone = (each: Unit): boolean => this.#stateOf(each)?.verifiedAtMs !== undefined;
    if (this.#own.has(stored.id) && unitsOf(stored).every(isDone)) this.#own.delete(stored.id);
  }

  #stateOf({ stored, from }: Unit): UnitState | undefined {
    return this.#states.get(stored.id)?.[from / UNIT_STRIPES];
  }

  #rank(unit: Unit, nodes: readonly (readonly PeerId[])[]): UnitState {
    const { self, slots } = this.#parts;
    const { id } = unit.stored;
    const hash = slots.nameHash(id, unit.from);
    const at = nodes.flatMap((those) => repairersOf(hash, those)).indexOf(self);
    const state = { round: this.#round, rank: at < 0 ? Infinity : at, verifiedAtMs: undefined };
    const states = this.#states.get(id) ?? [];
    states[unit.from / UNIT_STRIPES] = state;
    this.#states.set(id, states);
    return state;
  }

  #forget(): void {
    for (const id of this.#states.keys()) if (this.#parts.catalogue.layout(id) === undefined) this.#states.delete(id);
  }
}
