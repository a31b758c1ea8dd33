/**
 * Questions to neighbours: who of these members is linked to anyone you know? Answered within a second, or not at all.
 */
import type { Clock } from "../../ports/clock.ts";
import { packIds, type ShortId } from "../membership/rows.ts";
import type { AdmittedLink } from "../links/links.ts";
import { type Lead, type OverlayFrame, unpackLeads } from "./wire.ts";

/** Neighbours answer from memory: a round trip, and patience for a stalled path. */
const ANSWER_MS = 1_000;
/** Neighbours that are asked; a few reach most of a large swarm. */
const ASKED_MAX = 16;
const OPEN_MAX = 64;
/** Members that one question may name. */
export const QUESTION_IDS_MAX = 512;

interface Question {
  readonly leads: Lead[];
  readonly waiting: Set<AdmittedLink>;
  readonly isEnough: (leads: readonly Lead[]) => boolean;
  readonly settle: () => void;
}

export class Questions {
  readonly #clock: Clock;
  readonly #send: (link: AdmittedLink, frame: OverlayFrame) => void;
  readonly #open = new Map<number, Question>();
  #last = 0;

  constructor(clock: Clock, send: (link: AdmittedLink, frame: OverlayFrame) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  /** Resolves to what was learnt when `isEnough` says so, when all have answered, or after ANSWER_MS. Never rejects. */
  ask(
    links: readonly AdmittedLink[],
    ids: readonly ShortId[],
    isEnough: (leads: readonly Lead[]) => boolean = () => false,
  ): Promise<readonly Lead[]> {
    if (links.length === 0 || ids.length === 0 || this.#open.size >= OPEN_MAX) return Promise.resolve([]);
    const number = ++this.#last;
    const asked = links.slice(0, ASKED_MAX);
    return new Promise((resolve) => {
      const leads: Lead[] = [];
      const settle = (): void => {
        if (!this.#open.delete(number)) return;
        timer.cancel();
        resolve(leads);
      };
      const timer = this.#clock.timer(ANSWER_MS, settle);
      this.#open.set(number, { leads, waiting: new Set(asked), isEnough, settle });
      const packed = packIds(ids.slice(0, QUESTION_IDS_MAX));
      for (const link of asked) this.#send(link, { ask: [number, packed] });
    });
  }

  told(link: AdmittedLink, number: number, pairs: Uint8Array): void {
    const question = this.#open.get(number);
    if (question === undefined || !question.waiting.delete(link)) return;
    question.leads.push(...unpackLeads(pairs).slice(0, QUESTION_IDS_MAX));
    if (question.waiting.size === 0 || question.isEnough(question.leads)) question.settle();
  }
}
