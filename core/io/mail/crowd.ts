/**
 * Decides which mail is not listed if there are too many: the earliest of a sender whom this node does not know, else
 * the earliest of the sender who has the most. So nobody crowds out the mail of those who send less.
 */
import type { PeerId } from "../../ports/network.ts";

interface Listed {
  readonly mail: { readonly from: PeerId; readonly sentAtMs: number };
}

export class Crowd<T extends Listed> {
  readonly #isKnown: (sender: PeerId) => boolean;
  readonly #bySender = new Map<PeerId, Set<T>>();
  /** Senders by the number of their mails. */
  readonly #byCount: Set<PeerId>[] = [];
  /** In the order in which they came. Their senders may have become known since. */
  readonly #ofUnknown = new Set<T>();

  constructor(isKnown: (sender: PeerId) => boolean) {
    this.#isKnown = isKnown;
  }

  add(one: T): void {
    const { from } = one.mail;
    const own = this.#bySender.get(from) ?? new Set<T>();
    this.#bySender.set(from, own);
    this.#countedAs(from, own.size, own.add(one).size);
    if (!this.#isKnown(from)) this.#ofUnknown.add(one);
  }

  delete(one: T): void {
    const { from } = one.mail;
    const own = this.#bySender.get(from);
    this.#ofUnknown.delete(one);
    if (own?.delete(one) !== true) return;
    this.#countedAs(from, own.size + 1, own.size);
    if (own.size === 0) this.#bySender.delete(from);
  }

  /** The mail that is least missed. */
  least(): T | undefined {
    for (const one of this.#ofUnknown) {
      if (!this.#isKnown(one.mail.from)) return one;
      this.#ofUnknown.delete(one);
    }
    const [sender] = this.#byCount.at(-1) ?? [];
    let least: T | undefined;
    for (const one of (sender === undefined ? undefined : this.#bySender.get(sender)) ?? []) {
      if (one.mail.sentAtMs < (least?.mail.sentAtMs ?? Infinity)) least = one;
    }
    return least;
  }

  #countedAs(sender: PeerId, before: number, now: number): void {
    if (before === now) return;
    this.#byCount[before]?.delete(sender);
    while (this.#byCount.length <= now) this.#byCount.push(new Set());
    if (now > 0) this.#byCount[now]?.add(sender);
    while (this.#byCount.at(-1)?.size === 0) this.#byCount.pop();
  }
}
