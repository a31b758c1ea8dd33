/**
 * This node's own record: signed anew with every change under a higher incarnation, and paced, so that a busy node does
 * not drown the swarm in news about itself. Pure but for the signature; the caller publishes what `take` returns.
 */
import { equal } from "../../base/bytes.ts";
import type { Crypto, KeyPair } from "../../ports/crypto.ts";
import type { Address } from "../../ports/network.ts";
import { answerPace, type Pace } from "./crisis.ts";
import type { Chain } from "../identity/certificate.ts";
import { INCARNATION_MAX, type Lives, type SignedRecord, signRecord } from "./record.ts";
import type { MemberRecord, SelfPatch } from "../types.ts";

/** Changes that people see are told this often at most. */
const CHANGE_MS = 1_000;
/** How busy a node is changes all the time: the swarm as a whole tells at most 20 such changes a second. */
const LOAD_MS_MIN = 2_000;
const LOAD_MS_PER_MEMBER = 50;

/** Changes that wait to be published; the later in the list, the shorter the wait. */
const URGENCY = ["nothing", "load", "change", "answer", "now"] as const;

export interface SelfOptions {
  readonly keys: KeyPair;
  readonly chain: Chain;
  readonly notAfterMs: number;
  readonly record: MemberRecord;
  /** LIFE_BYTES at random. */
  readonly life: Uint8Array;
}

export class SelfRecord {
  readonly #crypto: Crypto;
  readonly #options: SelfOptions;
  #says: MemberRecord;
  #signed: SignedRecord;
  #lives: Lives;
  /** An answer waits for its pace alone. */
  #pending: (typeof URGENCY)[number] = "now";
  #takenMs = -Infinity;
  #answers: Pace | undefined;

  constructor(crypto: Crypto, options: SelfOptions) {
    this.#crypto = crypto;
    this.#options = options;
    this.#says = options.record;
    this.#lives = { life: options.life, rival: undefined };
    this.#signed = this.#sign();
  }

  get signed(): SignedRecord {
    return this.#signed;
  }

  patch(patch: SelfPatch & { readonly addresses?: readonly Address[] }): void {
    const changed = (Object.keys(patch) as (keyof typeof patch)[]).filter((key) => !same(patch[key], this.#says[key]));
    if (changed.length === 0) return;
    this.#says = { ...this.#says, ...patch };
    if (changed.includes("state")) this.#raise("now");
    else if (changed.some((key) => key !== "coresBusy")) this.#raise("change");
    else this.#raise("load");
  }

  get life(): Uint8Array {
    return this.#lives.life;
  }

  /** Another life of this node has been heard of: what is said from now on names it. */
  rivalled(rival: Uint8Array): void {
    this.#lives = { ...this.#lives, rival };
  }

  /** This life has been copied, with the whole machine: from now on it is another one. */
  begunAnew(life: Uint8Array): void {
    this.#lives = { life, rival: this.#lives.life };
  }

  /** Says it again, with an incarnation above this one. False if that would leave no room for another. */
  outdo(incarnation: number): boolean {
    if (incarnation >= INCARNATION_MAX) return false;
    this.#says = { ...this.#says, incarnation: Math.max(incarnation, this.#says.incarnation) };
    this.#raise("answer");
    return true;
  }

  /** The record to publish now, or undefined if there is nothing new or it has to wait. */
  take(nowMs: number, members: number): SignedRecord | undefined {
    const paceMs = {
      nothing: Infinity,
      load: Math.max(LOAD_MS_MIN, members * LOAD_MS_PER_MEMBER),
      change: CHANGE_MS,
      answer: 0,
      now: 0,
    };
    this.#answers ??= answerPace(nowMs);
    if (nowMs - this.#takenMs < paceMs[this.#pending] || this.#pending === "nothing") return undefined;
    if (this.#pending === "answer" && !this.#answers.allows(nowMs)) return undefined;
    this.#answers.spend();
    this.#pending = "nothing";
    this.#takenMs = nowMs;
    this.#says = { ...this.#says, incarnation: this.#says.incarnation + 1 };
    this.#signed = this.#sign();
    return this.#signed;
  }

  #raise(to: (typeof URGENCY)[number]): void {
    if (URGENCY.indexOf(to) > URGENCY.indexOf(this.#pending)) this.#pending = to;
  }

  #sign(): SignedRecord {
    const { keys, chain, notAfterMs } = this.#options;
    return signRecord(this.#crypto, keys, chain, notAfterMs, this.#says, this.#lives);
  }
}

function same(a: unknown, b: unknown): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return equal(a, b);
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b;
  return a.length === b.length && a.every((item, i) => item === b[i]);
}
