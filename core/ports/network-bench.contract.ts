/** Helpers of the suites of the port Network: networks that are cleaned up, and messages that can be told apart. */
import { afterEach, beforeEach, expect } from "vitest";
import type { Bytes } from "../base/bytes.ts";
import { type ErrorCode, isStarfishError, StarfishError } from "../base/errors.ts";
import { type Clock, sleep } from "./clock.ts";
import type { Address, Channel, Link, Network } from "./network.ts";

export interface NetworkHarness extends AsyncDisposable {
  /** The clock that the networks use. */
  readonly clock: Clock;
  /** A network that can be dialled at its addresses. */
  node(): Promise<Network>;
  /** A network that can only be reached through an introducer. */
  tab(): Promise<Network>;
  /** An address at which nobody answers. */
  readonly deadAddress: Address;
}

export interface Pair {
  readonly a: Network;
  readonly b: Network;
  readonly ab: Link;
  readonly ba: Link;
}

export interface ChannelPair extends Pair {
  readonly near: Channel;
  readonly far: Channel;
}

export const PROTOCOL = "/starfish/test/1.0.0";

/** How long anything may take, since real adapters run this on busy machines. */
const PATIENCE_MS = 20_000;

/** Makes networks for each test of the suite in which it is made, and disposes of them after it. */
export class NetworkBench {
  #harness: NetworkHarness | undefined;
  #made: Network[] = [];

  constructor(create: () => Promise<NetworkHarness>) {
    beforeEach(async () => {
      this.#harness = await create();
    });
    afterEach(async () => {
      await Promise.all(this.#made.splice(0).map((network) => network[Symbol.asyncDispose]()));
      await this.#harness?.[Symbol.asyncDispose]();
    });
  }

  get deadAddress(): Address {
    return this.#now.deadAddress;
  }

  async node(): Promise<Network> {
    return this.#keep(await this.#now.node());
  }

  async tab(): Promise<Network> {
    return this.#keep(await this.#now.tab());
  }

  /** Two nodes that accept each other as members; the first has dialled the second. */
  async pair(): Promise<Pair> {
    const a = await this.node();
    const b = await this.node();
    const incoming = nextLink(b);
    const ab = await a.dial({ peer: b.self, addresses: b.addresses() });
    const ba = await this.within(incoming);
    a.admit(b.self);
    b.admit(a.self);
    return { a, b, ab, ba };
  }

  /** A channel between two nodes, both ends. */
  async channelPair(): Promise<ChannelPair> {
    const nodes = await this.pair();
    const accepted = nextChannel(nodes.b);
    const near = await nodes.ab.open(PROTOCOL);
    return { ...nodes, near, far: await this.within(accepted) };
  }

  sleep(delayMs: number): Promise<void> {
    return sleep(this.#now.clock, delayMs);
  }

  async within<T>(promise: Promise<T>): Promise<T> {
    const late = this.sleep(PATIENCE_MS).then(() => {
      throw new Error("The contract's patience is over");
    });
    late.catch(() => {});
    return Promise.race([promise, late]);
  }

  /** Waits until the condition holds; adapters may take a moment. */
  async until(condition: () => boolean): Promise<void> {
    const { clock } = this.#now;
    const endMs = clock.monotonic() + PATIENCE_MS;
    while (!condition()) {
      if (clock.monotonic() > endMs) throw new Error(`Not in time: ${String(condition)}`);
      await sleep(clock, 5);
    }
  }

  get #now(): NetworkHarness {
    if (this.#harness === undefined) throw new Error("Networks can be made within tests only");
    return this.#harness;
  }

  #keep(network: Network): Network {
    this.#made.push(network);
    return network;
  }
}

function nextLink(network: Network): Promise<Link> {
  return new Promise((resolve) => {
    const stop = network.onLink((link) => {
      stop();
      resolve(link);
    });
  });
}

export function nextChannel(network: Network): Promise<Channel> {
  return new Promise((resolve) => void network.handle(PROTOCOL, resolve));
}

/** Collects summaries of all messages until the end; rejects if the channel closes with an error before. */
export function collect(channel: Channel): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const got: string[] = [];
    channel.onMessage((bytes) => void got.push(summary(bytes)));
    channel.onEnd(() => resolve(got));
    channel.onClose((error) => (error === undefined ? resolve(got) : reject(error)));
  });
}

export function closing(channel: Channel): Promise<StarfishError | undefined> {
  return new Promise((resolve) => channel.onClose(resolve));
}

/** A message of `length` bytes that contains its number, and shows whether it was changed or cut. */
export function message(length: number, number: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + number * 7 + (i >> 8)) & 0xff;
  return bytes;
}

/** Length and checksum (FNV-1a): comparing megabytes element by element takes minutes. */
export function summary(bytes: Bytes): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193);
  return `${bytes.length}:${hash >>> 0}`;
}

export async function expectRejection(promise: Promise<unknown>, ...codes: ErrorCode[]): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  expect(codes).toContain(error instanceof StarfishError ? error.code : error);
}

export async function expectFailure(promise: Promise<unknown>): Promise<void> {
  expect(
    await promise.then(
      () => "it worked",
      () => "it failed",
    ),
  ).toBe("it failed");
}

export function expectThrow(work: () => unknown, code: ErrorCode): void {
  let failure: unknown;
  try {
    work();
  } catch (error) {
    failure = error;
  }
  expect(isStarfishError(failure, code)).toBe(true);
}
