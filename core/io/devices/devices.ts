/**
 * Devices of people (screen, terminal, clipboard), over the swarm. When a member reaches for a person's device for the
 * first time, the person is asked; the answer stays, and belongs to that member's PeerId. The sender gets the reply
 * "asked" every few seconds while the person thinks, and then asks again. So no request has to outlive a deadline of
 * the net, also where others forward it.
 */
import { StarfishError } from "../../base/errors.ts";
import { Listeners, type Unsubscribe } from "../../base/events.ts";
import type { Net } from "../../net/types.ts";
import { abortable, sleep, type Clock, type Timer } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { PeerId } from "../../ports/network.ts";
import type { Store } from "../../ports/store.ts";
import { Answers, DEVICE_ANSWERS } from "./answers.ts";
import {
  ASK_AGAIN_MS,
  ASK_MS,
  ASK_PAUSE_MS,
  ASK_TURN_MS,
  ASKS_MAX,
  BURST,
  PERSONS_MAX,
  REFILL_MS,
  SENDERS_MAX,
  TEXT_CHARS_MAX,
  WAITING_MAX,
} from "./limits.ts";
import type { Answer, Delivery, DeviceName, Devices, Person } from "./types.ts";
import { DEVICE_PROTOCOL, type DeviceReply, type DeviceRequest, replySchema, requestSchema } from "./wire.ts";

export interface DevicesParts {
  readonly net: Net;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
}

interface Question {
  readonly delivery: Delivery;
  readonly timer: Timer;
  readonly over: Promise<void>;
  readonly end: () => void;
  waiting: number;
}

/** How fast a sender has sent lately. */
interface Pace {
  left: number;
  atMs: number;
}

/** Rejects with "io" if this node's store can't be read. */
export async function createDevices(parts: DevicesParts): Promise<Devices> {
  return new NodeDevices(parts, await Answers.load(parts.store, DEVICE_ANSWERS, parts.log));
}

class NodeDevices implements Devices {
  readonly #parts: DevicesParts;
  readonly #answers: Answers;
  readonly #persons = new Set<Person>();
  readonly #questions = new Map<PeerId, Question>();
  readonly #paces = new Map<PeerId, Pace>();
  /** When a question about a member was last left unanswered. */
  readonly #silent = new Map<PeerId, number>();
  readonly #changed = new Listeners<void>();
  readonly #stop: Unsubscribe;

  constructor(parts: DevicesParts, answers: Answers) {
    this.#parts = parts;
    this.#answers = answers;
    this.#stop = parts.net.handle(DEVICE_PROTOCOL, requestSchema, (request, { from, signal }) =>
      this.#serve(request, from, signal),
    );
  }

  attach(person: Person): Unsubscribe {
    if (this.#persons.size >= PERSONS_MAX)
      throw new StarfishError("busy", `A node has at most ${PERSONS_MAX} screens`, { retryable: true });
    this.#persons.add(person);
    for (const { delivery } of this.#questions.values()) person.asked(delivery);
    return () => {
      this.#persons.delete(person);
      if (this.#persons.size === 0) for (const { end } of [...this.#questions.values()]) end();
    };
  }

  get hasPerson(): boolean {
    return this.#persons.size > 0;
  }

  async write(
    peer: PeerId,
    device: DeviceName,
    text: string,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<void> {
    if (text.length > TEXT_CHARS_MAX)
      throw new StarfishError("too-large", `a text for a person has at most ${TEXT_CHARS_MAX} characters`);
    const { net, clock } = this.#parts;
    if (peer === net.self) return this.#deliver({ from: peer, name: this.#nameOf(peer), device, text });
    const request: DeviceRequest = { device, text: text.toWellFormed() };
    const fromMs = clock.monotonic();
    for (;;) {
      const reply: DeviceReply = await net.request(peer, DEVICE_PROTOCOL, request, replySchema, { signal });
      if (reply === "done") return;
      // The node that is asked ends the question by itself; this is for one that does not.
      if (clock.monotonic() - fromMs > 2 * ASK_MS) throw this.#unanswered(this.#nameOf(peer));
      await sleep(clock, ASK_PAUSE_MS, { signal });
    }
  }

  answers(): ReadonlyMap<PeerId, Answer> {
    return this.#answers.all;
  }

  questions(): readonly Delivery[] {
    return [...this.#questions.values()].map(({ delivery }) => delivery);
  }

  async answer(peer: PeerId, answer: Answer | undefined): Promise<void> {
    this.#silent.delete(peer);
    const stored = this.#answers.set(peer, answer);
    if (answer !== undefined) this.#questions.get(peer)?.end();
    this.#changed.emit();
    await stored;
  }

  onChange(listener: () => void): Unsubscribe {
    return this.#changed.add(listener);
  }

  close(): void {
    this.#stop();
    for (const { end } of [...this.#questions.values()]) end();
  }

  async #serve({ device, text }: DeviceRequest, from: PeerId, signal: AbortSignal): Promise<DeviceReply> {
    const self = this.#nameOf(this.#parts.net.self);
    const delivery = { from, name: this.#nameOf(from), device, text };
    const question = this.#questions.get(from);
    if (question !== undefined) return await this.#wait(question, signal);
    if (this.#answers.all.get(from) === "refuse") throw refused(self);
    if (!this.hasPerson) throw nobody(self);
    this.#checkPace(from);
    if (this.#answers.all.get(from) === "allow") {
      this.#deliver(delivery);
      return "done";
    }
    return await this.#wait(this.#ask(delivery, self), signal);
  }

  /**
   * The question shows the first text only. Each request of the sender brings its own text, which is delivered once it
   * is allowed.
   */
  async #wait(question: Question, signal: AbortSignal): Promise<DeviceReply> {
    if (question.waiting >= WAITING_MAX)
      throw new StarfishError("busy", "That person is being asked already", { retryable: true });
    question.waiting++;
    const { clock } = this.#parts;
    const turn = Promise.withResolvers<undefined>();
    const timer = clock.timer(ASK_TURN_MS, () => turn.resolve(undefined));
    try {
      await abortable(signal, Promise.race([question.over, turn.promise]));
    } finally {
      timer.cancel();
      question.waiting--;
    }
    // The sender's next request brings the text again, and meets the answer.
    return "asked";
  }

  #ask(delivery: Delivery, self: string): Question {
    const { clock } = this.#parts;
    const { from } = delivery;
    const silentMs = clock.monotonic() - (this.#silent.get(from) ?? -Infinity);
    if (silentMs < ASK_AGAIN_MS) throw this.#unanswered(self);
    if (this.#questions.size >= ASKS_MAX) this.#giveWay(from, self);
    const over = Promise.withResolvers<undefined>();
    const end = (): void => {
      if (!this.#questions.delete(from)) return;
      question.timer.cancel();
      over.resolve(undefined);
      for (const person of this.#persons) person.settled?.(from);
      this.#changed.emit();
    };
    const timer = clock.timer(ASK_MS, () => {
      remember(this.#silent, from, clock.monotonic());
      end();
    });
    const question: Question = { delivery, timer, over: over.promise, end, waiting: 0 };
    this.#questions.set(from, question);
    for (const person of this.#persons) person.asked(delivery);
    this.#changed.emit();
    return question;
  }

  /**
   * Makes room for a question of a member that this node has known for longer: it ends the question of the member known
   * for the shortest time. So identities that are invented on the spot keep nobody off the screen.
   */
  #giveWay(to: PeerId, self: string): void {
    const order = new Map(this.#parts.net.members().map(({ record }, i) => [record.peer, i]));
    const placeOf = (peer: PeerId): number => order.get(peer) ?? Infinity;
    let [latest = to] = this.#questions.keys();
    for (const peer of this.#questions.keys()) if (placeOf(peer) > placeOf(latest)) latest = peer;
    if (placeOf(to) < placeOf(latest)) this.#questions.get(latest)?.end();
    else
      throw new StarfishError("busy", `${self} is being asked about others; try again in a minute`, {
        retryable: true,
      });
  }

  #deliver(delivery: Delivery): void {
    const persons = [...this.#persons];
    if (persons.length === 0) throw nobody(this.#nameOf(this.#parts.net.self));
    const reached = delivery.device === "notify" ? persons : persons.slice(-1);
    for (const person of reached) person.received(delivery);
  }

  #checkPace(from: PeerId): void {
    const nowMs = this.#parts.clock.monotonic();
    const pace = this.#paces.get(from) ?? { left: BURST, atMs: nowMs };
    const refilled = Math.floor((nowMs - pace.atMs) / REFILL_MS);
    if (refilled > 0) {
      pace.left = Math.min(BURST, pace.left + refilled);
      pace.atMs += refilled * REFILL_MS;
    }
    remember(this.#paces, from, pace);
    if (pace.left === 0)
      throw new StarfishError("busy", "Too many texts for a person at once; send fewer", { retryable: true });
    pace.left--;
  }

  #nameOf(peer: PeerId): string {
    return this.#parts.net.member(peer)?.record.name ?? peer;
  }

  #unanswered(name: string): StarfishError {
    return new StarfishError(
      "timeout",
      `${name} was asked and has not answered; ask again in ${ASK_AGAIN_MS / 60_000} minutes`,
    );
  }
}

/** The oldest entries are forgotten first. */
function remember<T>(map: Map<PeerId, T>, peer: PeerId, value: T): void {
  map.delete(peer);
  map.set(peer, value);
  if (map.size > SENDERS_MAX) map.delete(map.keys().next().value ?? peer);
}

function refused(name: string): StarfishError {
  return new StarfishError("refused", `${name} does not want to be reached by this node`);
}

function nobody(name: string): StarfishError {
  return new StarfishError("unsupported", `Nobody is at ${name}'s screen now`);
}
