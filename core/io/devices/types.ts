/** A person's devices: what other members may reach of them, and how that person is asked. */
import type { Unsubscribe } from "../../base/events.ts";
import type { PeerId } from "../../ports/network.ts";

/** `notify` shows a notice, `tty` writes to the terminal, `clipboard` offers a text to be pasted. */
export type DeviceName = "notify" | "tty" | "clipboard";
export const DEVICE_NAMES: readonly DeviceName[] = ["notify", "tty", "clipboard"];

/** Something for a person, and from whom. */
export interface Delivery {
  readonly from: PeerId;
  /** What the sender is called now. Others may be called the same. */
  readonly name: string;
  readonly device: DeviceName;
  readonly text: string;
}

export type Answer = "allow" | "refuse";

/** A screen with somebody before it. Nothing here may throw. */
export interface Person {
  /** Somebody wants to reach the person for the first time. The answer goes to `Devices.answer`. */
  asked(question: Delivery): void;
  /** The question is over: answered here or elsewhere, or too old. */
  settled?(from: PeerId): void;
  received(delivery: Delivery): void;
}

export interface Devices {
  /** From now on there is somebody at this node. The one who came last has terminal and clipboard; notices go to all. */
  attach(person: Person): Unsubscribe;
  readonly hasPerson: boolean;
  /**
   * Brings a text to a member's device, once its person allows that. Rejects with "refused", "timeout" (the person has not
   * answered), "unsupported" (nobody is there), "too-large", "busy", "unreachable", "cancelled".
   */
  write(
    peer: PeerId,
    device: DeviceName,
    text: string,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<void>;
  /** Who has been answered, and how. */
  answers(): ReadonlyMap<PeerId, Answer>;
  /** Who waits for an answer now. */
  questions(): readonly Delivery[];
  /** Holds from now on, also after a restart; undefined forgets. Rejects with "io" where it can't be stored: it holds until then. */
  answer(peer: PeerId, answer: Answer | undefined): Promise<void>;
  onChange(listener: () => void): Unsubscribe;
  close(): void;
}
