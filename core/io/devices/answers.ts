/**
 * A person's answers to questions about other members. They stay until they are changed, and are kept in this node's
 * store.
 */
import { decode, encode } from "../../base/codec.ts";
import { messageOf } from "../../base/errors.ts";
import type { Log } from "../../ports/log.ts";
import type { PeerId } from "../../ports/network.ts";
import type { Store } from "../../ports/store.ts";
import { ANSWERS_MAX } from "./limits.ts";
import type { Answer } from "./types.ts";
import { answersSchema } from "./wire.ts";

/** Answers about a person's screen. */
export const DEVICE_ANSWERS = "io/answers";
/** Answers about files that others want to send. */
export const TRANSFER_ANSWERS = "io/transfer-answers";

export class Answers {
  readonly #store: Store;
  readonly #key: string;
  readonly #answers = new Map<PeerId, Answer>();
  #storing: Promise<void> = Promise.resolve();

  private constructor(store: Store, key: string) {
    this.#store = store;
    this.#key = key;
  }

  /**
   * Loads the answers. If they can't be read, it starts without any, and the person is asked again. Rejects with "io".
   */
  static async load(store: Store, key: string, log: Log): Promise<Answers> {
    const answers = new Answers(store, key);
    const bytes = await store.get(key);
    if (bytes === undefined) return answers;
    try {
      for (const [peer, isAllowed] of decode(answersSchema, bytes))
        answers.#answers.set(peer, isAllowed ? "allow" : "refuse");
    } catch (error) {
      log.write("warn", "devices.answers-unreadable", { key, error: messageOf(error) });
    }
    return answers;
  }

  get all(): ReadonlyMap<PeerId, Answer> {
    return this.#answers;
  }

  /** Takes effect at once; resolves when the answer is durable. */
  set(peer: PeerId, answer: Answer | undefined): Promise<void> {
    this.#answers.delete(peer);
    if (answer !== undefined) this.#answers.set(peer, answer);
    while (this.#answers.size > ANSWERS_MAX) this.#forgetOne();
    const stored = this.#storing.then(() => this.#write());
    this.#storing = stored.catch(() => {});
    return stored;
  }

  #write(): Promise<void> {
    return this.#store.set(this.#key, encode([...this.#answers].map(([peer, answer]) => [peer, answer === "allow"])));
  }

  #forgetOne(): void {
    const first = [...this.#answers].find(([, answer]) => answer === "allow") ?? [...this.#answers][0];
    if (first !== undefined) this.#answers.delete(first[0]);
  }
}
