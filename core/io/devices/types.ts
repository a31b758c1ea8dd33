/** A person's devices: what other members may reach of them, and how that person is asked. */
import type { Unsubscribe } from "../../base/events.ts";
import type { PeerId } from "../../ports/network.ts";

/** `notify` shows a notice, `tty` writes to the terminal, `clipboard` offers a text to be pasted. */
export type DeviceName = "notify" | "tty" | "clipboard";
export const DEVICE_NAMES: readonly DeviceName[] = ["notify", "tty", "clipboard"];

/** Something for a person, and from whom. */
export interface Delivery {
  readonly from: PeerId;
  /** What the sender calls itself now. Other members may have the same name. */
  readonly name: string;
  readonly device: DeviceName;
  readonly text: string;
}

export type Answer = "allow" | "refuse";

/** A screen with somebody in front of it. None of these methods may throw. */
export interface Person {
  /** A member wants to reach the person for the first time. The answer goes to `Devices.answer`. */
  asked(question: Delivery): void;
  /** The question is over: answered here or elsewhere, or expired. */
  settled?(from: PeerId): void;
  received(delivery: Delivery): void;
}

export interface Devices {
  /**
   * Somebody is at this node from now on. The person attached last has the terminal and the clipboard; notices go to
   * all.
   */
  attach(person: Person): Unsubscribe;
  readonly hasPerson: boolean;
  /**
   * Delivers a text to a member's device, once its person allows that. Rejects with "refused", "timeout" (the person
   * has not answered), "unsupported" (nobody is there), "too-large", "busy", "unreachable", "cancelled".
   */
  write(
    peer: PeerId,
    device: DeviceName,
    text: string,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<void>;
  /** Which members have been allowed or refused. */
  answers(): ReadonlyMap<PeerId, Answer>;
  /** The members that wait for an answer now. */
  questions(): readonly Delivery[];
  /**
   * Takes effect at once and stays after a restart; undefined forgets the answer. Rejects with "io" if it can't be
   * stored: then it stays until a restart.
   */
  answer(peer: PeerId, answer: Answer | undefined): Promise<void>;
  onChange(listener: () => void): Unsubscribe;
  close(): void;
}
