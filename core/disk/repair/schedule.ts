/**
 * Decides which units of stripes this node checks now. Rendezvous hashing gives each unit to one node. A few other
 * nodes stand by; they take over when the unit has not been found in order for a while. All of these belong to the
 * older half of all nodes, because a newcomer does not know yet whether the swarm is at rest or churns. A new round
 * begins whenever devices come or go; units that were in order are then checked again.
 *
 * Any member may claim contents of any number and size, with more units than any node could list. So units are made one
 * by one, a bounded number at each look, some of each content in turn. Their states are remembered for a bounded
 * number.
 */
import type { Clock } from "../../ports/clock.ts";
import type { PeerId } from "../../ports/network.ts";
import type { Catalogue, Stored } from "../placement/catalogue.ts";
import { type Unit, unitCount, unitsOf } from "./census.ts";
import type { Devices } from "../placement/devices.ts";
import {
  ASKED_UNITS_MAX,
  RANKED_PER_LOOK,
  REPAIRERS_MAX,
  TURN_MS,
  UNIT_STATES_MAX,
  UNIT_STRIPES,
  UNITS_PER_LOOK,
  UNITS_PER_TURN,
  VERIFY_EVERY_MS,
} from "../limits.ts";
import { repairersOf } from "../placement/placement.ts";
import type { Slots } from "../placement/slots.ts";

export interface ScheduleParts {
  readonly self: PeerId;
  readonly catalogue: Catalogue;
  readonly devices: Devices;
  readonly slots: Slots;
  readonly clock: Clock;
}

interface UnitState {
  /** The round in which `rank` was computed, and the number of nodes that come before this one. */
  readonly round: number;
  readonly rank: number;
  /** When it was found in order in this round, monotonic ms. */
  verifiedAtMs: number | undefined;
}

export interface DueUnit extends Unit {
  /** How many nodes come before this one in checking it. */
  readonly rank: number;
}

export interface Due {
  readonly units: readonly DueUnit[];
  /** Whether further units are due at once. The rest waits for the next look. */
  readonly isMore: boolean;
}

/** One pass through all units, over several looks. */
interface Pass {
  readonly units: Iterator<Unit, void>;
  /** The turn in which it began, and whether any unit was due or still has to be computed. */
  readonly turn: number;
  isIdle: boolean;
}

/** The work that is left for one look. */
interface Budget {
  units: number;
  ranked: number;
}

export class RepairSchedule {
  readonly #parts: ScheduleParts;
  /** By layout, the states of its units by their numbers. */
  readonly #states = new Map<string, Map<number, UnitState>>();
  #stateCount = 0;
  /**
   * Layouts that this node checks, whoever else does, because it has put them or found damage; with the number of their
   * units that have been in order since.
   */
  readonly #own = new Map<string, number>();
  #ownPass: Iterator<Unit, void> | undefined;
  #pass: Pass | undefined;
  #round = 1;
  #roundAtMs: number;
  /** How much was computed or given out in consecutive looks of this round. */
  #burst = 0;
  #isQuiet = false;
  #lookedAtMs = -Infinity;

  constructor(parts: ScheduleParts) {
    this.#parts = parts;
    this.#roundAtMs = parts.clock.monotonic();
  }

  get round(): number {
    return this.#round;
  }

  /** Begins a round, in which units that were in order are checked again. */
  begin(): void {
    this.#round++;
    this.#roundAtMs = this.#parts.clock.monotonic();
    for (const id of this.#own.keys()) this.#own.set(id, 0);
    this.#ownPass = undefined;
    this.#pass = undefined;
    this.#burst = 0;
    this.#isQuiet = false;
  }

  /** Call it when there is something new. */
  stir(): void {
    this.#isQuiet = false;
    if (this.#pass !== undefined) this.#pass.isIdle = false;
  }

  /** This node checks the layout now. */
  nudge(id: string): void {
    this.#own.set(id, 0);
    this.#ownPass = undefined;
    this.#forget(id);
    this.#isQuiet = false;
  }

  /** Whether somebody has asked for it, and it is not in order yet. */
  isNudged(id: string): boolean {
    return this.#own.has(id);
  }

  /** Goes on where the look before has ended. Each look costs the same, whatever members claim. */
  due(): Due {
    const { clock, devices } = this.#parts;
    const nowMs = clock.monotonic();
    if (this.#isQuiet && nowMs - this.#lookedAtMs < VERIFY_EVERY_MS / 10) return { units: [], isMore: false };
    this.#lookedAtMs = nowMs;
    const turn = Math.floor((nowMs - this.#roundAtMs) / TURN_MS);
    const nodes = devices.nodesByAge();
    const due: DueUnit[] = [];
    this.#ownPass ??= this.#ownUnits();
    const isOwnDone = this.#take(
      this.#ownPass,
      due,
      { units: UNITS_PER_LOOK, ranked: RANKED_PER_LOOK },
      nodes,
      Infinity,
    );
    if (isOwnDone) this.#ownPass = undefined;
    this.#pass ??= { units: this.#allUnits(), turn, isIdle: true };
    const budget = { units: UNITS_PER_LOOK, ranked: RANKED_PER_LOOK };
    const isDone = this.#take(this.#pass.units, due, budget, nodes, Math.min(turn, REPAIRERS_MAX - 1));
    if (due.length > 0) this.#pass.isIdle = false;
    this.#burst += due.length + RANKED_PER_LOOK - budget.ranked;
    const isMore = budget.units > 0 && this.#burst < UNIT_STATES_MAX && !(isDone && isOwnDone);
    if (isDone) {
      // Nobody has a turn left, and nothing is to be done.
      this.#isQuiet = this.#pass.isIdle && isOwnDone && this.#pass.turn >= REPAIRERS_MAX;
      this.#pass = undefined;
      this.#burst = 0;
      this.#forgetGone();
    }
    return { units: due, isMore };
  }

  /** The unit was found in order in that round. */
  inOrder(unit: Unit, round: number): void {
    const state = this.#stateOf(unit);
    if (state?.round !== round) return;
    const isNews = state.verifiedAtMs === undefined;
    state.verifiedAtMs = this.#parts.clock.monotonic();
    const { stored } = unit;
    const before = this.#own.get(stored.id);
    if (before === undefined || !isNews) return;
    if (before + 1 < unitCount(stored)) this.#own.set(stored.id, before + 1);
    else this.#own.delete(stored.id);
  }

  /** Takes due units up to a rank. Returns whether it has passed all units. */
  #take(
    units: Iterator<Unit, void>,
    due: DueUnit[],
    budget: Budget,
    nodes: readonly (readonly PeerId[])[],
    rankMax: number,
  ): boolean {
    const nowMs = this.#parts.clock.monotonic();
    while (due.length < ASKED_UNITS_MAX && budget.ranked > 0 && budget.units > 0) {
      const next = units.next();
      if (next.done === true) return true;
      const unit = next.value;
      budget.units--;
      let state = this.#stateOf(unit);
      if (state?.round !== this.#round) {
        budget.ranked--;
        state = this.#rank(unit, nodes);
      }
      const { rank, verifiedAtMs } = state;
      if (verifiedAtMs !== undefined && nowMs - verifiedAtMs < VERIFY_EVERY_MS) continue;
      if (rank <= rankMax) due.push({ ...unit, rank });
    }
    return false;
  }

  *#ownUnits(): Generator<Unit, void, undefined> {
    for (const id of this.#own.keys()) {
      const stored = this.#parts.catalogue.layout(id);
      if (stored === undefined) this.#own.delete(id);
      else yield* unitsOf(stored);
    }
  }

  /** Some units of each layout in turn. */
  *#allUnits(): Generator<Unit, void, undefined> {
    let left: Iterable<Stored> = this.#parts.catalogue.all();
    for (let first = 0; ; first += UNITS_PER_TURN) {
      const longer: Stored[] = [];
      for (const stored of left) {
        if (this.#own.has(stored.id)) continue;
        yield* unitsOf(stored, first, first + UNITS_PER_TURN);
        if (unitCount(stored) > first + UNITS_PER_TURN) longer.push(stored);
      }
      if (longer.length === 0) return;
      left = longer;
    }
  }

  #stateOf({ stored, from }: Unit): UnitState | undefined {
    return this.#states.get(stored.id)?.get(from / UNIT_STRIPES);
  }

  #rank(unit: Unit, nodes: readonly (readonly PeerId[])[]): UnitState {
    const { self, slots } = this.#parts;
    const { id } = unit.stored;
    const hash = slots.nameHash(id, unit.from);
    const at = nodes.flatMap((those) => repairersOf(hash, those)).indexOf(self);
    const state = { round: this.#round, rank: at < 0 ? Infinity : at, verifiedAtMs: undefined };
    const number = unit.from / UNIT_STRIPES;
    const states = this.#states.get(id) ?? new Map<number, UnitState>();
    if (!states.has(number)) this.#stateCount++;
    states.set(number, state);
    this.#states.set(id, states);
    // A forgotten state is computed again when the unit has its turn.
    for (const oldest of this.#states.keys()) {
      if (this.#stateCount <= UNIT_STATES_MAX) break;
      if (oldest !== id || this.#states.size === 1) this.#forget(oldest);
    }
    return state;
  }

  #forgetGone(): void {
    const { catalogue } = this.#parts;
    if (this.#states.size <= 2 * catalogue.count) return;
    for (const id of this.#states.keys()) if (catalogue.layout(id) === undefined) this.#forget(id);
  }

  #forget(id: string): void {
    this.#stateCount -= this.#states.get(id)?.size ?? 0;
    this.#states.delete(id);
  }
}
