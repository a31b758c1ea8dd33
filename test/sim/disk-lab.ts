/**
 * Measures what repair costs under churn, and what a random half would take, for three schemes under the same comings
 * and goings: ours, plain four-fold replication with the same grace, and an oracle that knows who comes back. Used by
 * tests and by bench/disk-promise.ts.
 *
 * The oracle repairs only what is lost for good. Meanwhile it may have fewer copies within reach: on average 3.4 of 4.
 */
import { layoutFor } from "../../core/disk/code/layout.ts";
import { LossChances } from "../../core/disk/code/promise.ts";
import { planRepair, type ShardStates } from "../../core/disk/repair/policy.ts";
import { DeviceChurn } from "./disk-churn.ts";
import { DiskModel, type Scheme } from "./disk-model.ts";

export const MINUTE_MS = 60_000;
export const HOUR_MS: number = 60 * MINUTE_MS;

/** Four plain copies: in the model, one shard with four holders. */
const FOURFOLD: Scheme["layout"] = { k: 1, n: 1, copies: 4, wholes: 0 };
/** Enough stripes for about as many shards as ours, for the same accuracy. */
const COPIED_STRIPES = 300;
/** A device that comes back was away for a quarter of a session (median). */
const AWAY_OF_SESSION = 1 / 4;
const RETURNING = 0.7;
/** In swarms of up to this size a death is known and a shard is rebuilt within seconds. */
const SMALL_SWARM = 16;

/** In swarms of up to this size the probability is computed at each step, not only when halves are taken. */
const COMPUTED_ALWAYS = 64;

export interface LabOptions {
  readonly seed: number;
  readonly devices: number;
  readonly medianSessionMs: number;
  readonly hours: number;
  readonly stripes?: number;
  /** At how many moments random halves are taken, and how many each time. */
  readonly samples?: number;
  readonly halves?: number;
  /** How long it takes until a death is known; after the same time again its shards are elsewhere. */
  readonly stepMs?: number;
}

/** Losses to a random half: computed as `stat` does, and counted. */
interface Losses {
  /** The mean probability over stripes and time. */
  readonly mean: number;
  readonly greatest: number;
  /** The mean over the moments when halves were taken, for comparison with the counts. */
  readonly expected: number;
  readonly measured: number;
  /**
   * The number of halves taken, and of stripes times halves. Stripes of a small swarm share their holders, and are lost
   * together.
   */
  readonly draws: number;
  readonly trials: number;
}

export interface Outcome {
  /** Bytes moved for repair, in multiples of the content an hour. */
  readonly ours: number;
  readonly fourfold: number;
  readonly oracle: number;
  /** The part of ours that was rebuilt and not copied. */
  readonly rebuiltPart: number;
  readonly stored: number;
  readonly losses: Losses;
  readonly fourfoldLosses: Losses;
  /** Stripes that could not be read at some moment. */
  readonly unreadable: number;
  readonly fourfoldUnreadable: number;
}

/** The scheme that real nodes follow, for stripes that are written in a swarm of that many devices. */
export function ourScheme(devices: number): Scheme {
  const chances = new LossChances();
  const layout = layoutFor(devices);
  return { layout, plan: (states, there, isAtRest) => planRepair(layout, states, there, chances, isAtRest) };
}

function replication(isOracle: boolean): Scheme {
  const plan = ({ living, awaited }: ShardStates): ReturnType<Scheme["plan"]> => {
    const missing = Math.max(0, FOURFOLD.copies - (living[0] ?? 0) - (awaited[0] ?? 0));
    return { copy: Array<number>(missing).fill(0), rebuild: [], isUrgent: false };
  };
  return { layout: FOURFOLD, isLocal: true, isOracle, plan };
}

function usualStepMs(devices: number, medianSessionMs: number): number {
  const session = medianSessionMs / 120;
  return devices <= SMALL_SWARM ? Math.min(2_000, session) : session;
}

export function churnRun(options: LabOptions): Outcome {
  const { seed, devices, medianSessionMs, hours, stripes = 10, samples = 50, halves = 1 } = options;
  const medianAwayMs = medianSessionMs * AWAY_OF_SESSION;
  const churn = new DeviceChurn({ seed, devices, medianSessionMs, medianAwayMs, returning: RETURNING });
  const ours = new DiskModel(ourScheme(devices), stripes, seed);
  const fourfold = new DiskModel(replication(false), COPIED_STRIPES, seed);
  const oracle = new DiskModel(replication(true), COPIED_STRIPES, seed);
  const models = [ours, fourfold, oracle];
  const first = churn.until(0);
  for (const model of models) {
    model.step(0, first);
    model.write();
  }
  const ourMeter = new Meter(ours);
  const fourfoldMeter = new Meter(fourfold);
  let [stored, sampled] = [0, 0];
  const endMs = hours * HOUR_MS;
  const step = options.stepMs ?? usualStepMs(devices, medianSessionMs);
  const sampleMs = Math.max(step, endMs / samples);
  for (let nowMs = step; nowMs <= endMs; nowMs += step) {
    const events = churn.until(nowMs);
    for (const model of models) model.step(nowMs, events);
    const isSample = nowMs % sampleMs < step;
    // In small swarms the promise may be broken for seconds at a time, each of which counts; in large ones the
    // probability is never far from its mean.
    if (isSample || devices <= COMPUTED_ALWAYS) ourMeter.compute();
    if (!isSample) continue;
    ourMeter.measure(halves);
    fourfoldMeter.compute();
    fourfoldMeter.measure(halves);
    stored += ours.stored();
    sampled++;
  }
  const { copied, rebuilt } = ours.tally;
  return {
    ours: (copied + rebuilt) / hours,
    fourfold: fourfold.tally.copied / hours,
    oracle: oracle.tally.copied / hours,
    rebuiltPart: rebuilt / (copied + rebuilt),
    stored: stored / sampled,
    losses: ourMeter.losses(),
    fourfoldLosses: fourfoldMeter.losses(),
    unreadable: ours.tally.unreadable.size,
    fourfoldUnreadable: fourfold.tally.unreadable.size,
  };
}

class Meter {
  readonly #model: DiskModel;
  #sum = 0;
  #count = 0;
  #greatest = 0;
  #expected = 0;
  #lost = 0;
  #draws = 0;
  #trials = 0;

  constructor(model: DiskModel) {
    this.#model = model;
  }

  compute(): void {
    const chances = this.#model.chances();
    for (const chance of chances) {
      this.#sum += chance;
      this.#greatest = Math.max(this.#greatest, chance);
    }
    this.#count += chances.length;
  }

  measure(halves: number): void {
    const chances = this.#model.chances();
    for (let half = 0; half < halves; half++) this.#lost += this.#model.lostToHalf();
    this.#expected += halves * chances.reduce((sum, chance) => sum + chance, 0);
    this.#draws += halves;
    this.#trials += halves * chances.length;
  }

  losses(): Losses {
    return {
      mean: this.#sum / this.#count,
      greatest: this.#greatest,
      expected: this.#expected / this.#trials,
      measured: this.#lost / this.#trials,
      draws: this.#draws,
      trials: this.#trials,
    };
  }
}
