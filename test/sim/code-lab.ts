/** Members that open codes, a node that serves the page, and strangers who come to it, in a simulated world. */
import { concat, equal } from "../../core/base/bytes.ts";
import { StarfishError } from "../../core/base/errors.ts";
import { createCodes } from "../../core/io/codes/codes.ts";
import type { Consume } from "../../core/io/codes/contents-sink.ts";
import { fetchByCode, type Found } from "../../core/io/codes/fetching.ts";
import type { CodeProgress, Codes, OpenCode } from "../../core/io/codes/types.ts";
import { parseCode } from "../../core/io/codes/words.ts";
import type { TransferSource } from "../../core/io/transfer/types.ts";
import type { Net } from "../../core/net/types.ts";
import { type Clock, sleep } from "../../core/ports/clock.ts";
import type { Message } from "../../core/ports/network.ts";
import { QueuedChannel } from "../fixtures/queued-channel.ts";
import { Swarm } from "./nets.ts";
import type { SimNode } from "./node.ts";
import { noise, sourceOf } from "./transfer-lab.ts";

/** Changes a message under way: returns it, other messages, or none. */
export type Tamper = (message: Uint8Array, direction: "in" | "out", index: number) => readonly Uint8Array[];

const WAY_MS = 5;

export class CodeLab {
  readonly swarm: Swarm;
  readonly nodes: Map<string, { readonly net: Net; readonly codes: Codes }> = new Map();
  readonly stranger: SimNode;
  #strangers = 0;

  constructor(seed: number) {
    this.swarm = new Swarm(seed);
    this.stranger = this.swarm.world.spawn({ name: "stranger", kind: "tab" });
  }

  /** "page" serves the page and takes strangers, "member" has something to send. */
  static async open(seed: number): Promise<CodeLab> {
    const lab = new CodeLab(seed);
    const { net } = await lab.up("page");
    await lab.up("member", net.invite());
    await lab.swarm.agreement(20_000);
    return lab;
  }

  async up(name: string, invite?: string): Promise<{ readonly net: Net; readonly codes: Codes }> {
    const net = await this.swarm.up(name, invite === undefined ? {} : { invite });
    const { ports } = this.swarm.world.node(name);
    const codes = createCodes({ ...ports, net, inviteBase: () => "http://page.example:4500/" });
    if (name === "page") codes.openDesk();
    const node = { net, codes };
    this.nodes.set(name, node);
    return node;
  }

  node(name: string): { readonly net: Net; readonly codes: Codes } {
    const node = this.nodes.get(name);
    if (node === undefined) throw new Error(`${name} is not up`);
    return node;
  }

  get clock(): Clock {
    return this.stranger.ports.clock;
  }

  /** Waits by the senders' clock. */
  pause(ms: number): Promise<void> {
    return sleep(this.swarm.world.node("page").ports.clock, ms);
  }

  /** Opens a code for these, and remembers the states that it reports. */
  async offer(
    from: string,
    source: TransferSource = sourceOf(new Map([["notes.txt", noise(700_000)]])),
    stop: AbortController = new AbortController(),
  ): Promise<Offered> {
    const told: CodeProgress[] = [];
    const open = await this.swarm.settle(
      this.node(from).codes.offer(source, {
        signal: stop.signal,
        via: this.node("page").net.self,
        onProgress: (progress) => void told.push(progress),
      }),
    );
    return { ...open, told, stop };
  }

  /** A socket to the page. Each stranger has an address of its own, unless `place` is given. */
  connect(tamper?: Tamper, place: string = `10.0.0.${++this.#strangers}`): StrangerSocket {
    const [near, far] = StrangerSocket.pair(this.clock, tamper);
    this.node("page").codes.stranger(far, place);
    return near;
  }

  /** `seen` is told of each socket. */
  find(code: string, tamper?: Tamper, seen: (socket: StrangerSocket) => void = () => {}): Promise<Found> {
    const { clock, crypto, random, coder } = this.stranger.ports;
    const connect = async (): Promise<StrangerSocket> => {
      const socket = this.connect(tamper);
      seen(socket);
      return socket;
    };
    const parts = { clock, crypto, random, coder, connect };
    return fetchByCode(parseCode(code), parts, new AbortController().signal);
  }

  /** Finds and takes all of it. */
  async fetch(code: string, tamper?: Tamper): Promise<Map<string, Uint8Array | "folder">> {
    const found = await this.find(code, tamper);
    const { files, consume } = collecting();
    await found.take(consume, { signal: new AbortController().signal });
    return files;
  }

  /** The error with which somebody who has these words gets nothing. */
  async refusal(code: string): Promise<StarfishError> {
    return await this.swarm.failure(this.fetch(code));
  }
}

export interface Offered extends OpenCode {
  readonly told: readonly CodeProgress[];
  readonly stop: AbortController;
}

/** A code with other words than this one. */
export function otherWords(code: string): string {
  const [number, first, second, third] = code.split("-");
  return [number, first, third === "otter" ? "heron" : "otter", second === "owl" ? "fox" : "owl"].join("-");
}

/** Takes everything into memory, with a pause after each part. */
export function collecting(pause: () => Promise<void> = () => Promise.resolve()): {
  readonly files: Map<string, Uint8Array | "folder">;
  readonly consume: Consume;
} {
  const files = new Map<string, Uint8Array | "folder">();
  const consume: Consume = async (entries) => {
    for await (const entry of entries) {
      if (entry.kind === "folder") files.set(entry.path, "folder");
      else {
        const parts: Uint8Array[] = [];
        for await (const bytes of entry.content) {
          parts.push(bytes.slice());
          await pause();
        }
        files.set(entry.path, concat(parts));
      }
    }
  };
  return { files, consume };
}

/** Compares bytes as a whole, because nobody reads what a matcher prints about megabytes. */
export function isSame(came: Uint8Array | "folder" | undefined, bytes: Uint8Array): boolean {
  return came instanceof Uint8Array && equal(came, bytes);
}

/** One end of a simulated WebSocket: messages arrive in order, after some time. */
export class StrangerSocket extends QueuedChannel<Uint8Array> {
  readonly #clock: Clock;
  readonly #tamper: (message: Uint8Array, index: number) => readonly Uint8Array[];
  #other: StrangerSocket | undefined;
  #sent = 0;

  private constructor(clock: Clock, tamper: (message: Uint8Array, index: number) => readonly Uint8Array[]) {
    super("code");
    this.#clock = clock;
    this.#tamper = tamper;
  }

  /** The stranger's end, and the node's. */
  static pair(clock: Clock, tamper: Tamper = (message) => [message]): [StrangerSocket, StrangerSocket] {
    const near = new StrangerSocket(clock, (message, index) => tamper(message, "out", index));
    const far = new StrangerSocket(clock, (message, index) => tamper(message, "in", index));
    near.#other = far;
    far.#other = near;
    return [near, far];
  }

  /** The connection is gone, for both ends. */
  cut(): void {
    this.#other?.close(gone());
    this.close(gone());
  }

  protected override get isLinkDown(): boolean {
    return false;
  }

  protected override later(call: () => void): void {
    this.#clock.timer(0, call);
  }

  protected override transmit(message: Message, length: number): void {
    const bytes = message instanceof Uint8Array ? message.slice() : concat(message);
    const messages = this.#tamper(bytes, this.#sent++);
    this.#clock.timer(WAY_MS, () => {
      this.taken(length);
      for (const one of messages) this.#other?.arrive(one);
    });
  }

  protected override say(what: "end" | "abort"): void {
    this.#clock.timer(WAY_MS, () => {
      if (what === "end") this.#other?.arrive("end");
      else this.#other?.close(gone());
    });
  }

  protected override taking(received: Uint8Array): Uint8Array {
    return received;
  }

  protected override forget(): void {}
}

function gone(): StarfishError {
  return new StarfishError("link-closed", "The connection has gone");
}
