/**
 * Links between the tabs of one browser, for tabs that find nobody else, for example after a reload while the node is
 * dead. A tab asks, on a channel that all tabs of this page's origin hear, which tabs of its swarm are there, and calls
 * one that answers. The call is an ordinary libp2p connection, encrypted and admitted by certificate. Through that tab
 * it reaches the others. This needs Web Locks, which tell when a tab has gone.
 */
import {
  type ComponentLogger,
  type CreateListenerOptions,
  type Listener,
  type ListenerEvents,
  type Transport,
  TypedEventEmitter,
  transportSymbol,
} from "@libp2p/interface";
import { multiaddr, type Multiaddr } from "@multiformats/multiaddr";
import { toHex } from "../core/base/bytes.ts";
import { realRandom } from "../core/platform/random.ts";
import { abortable } from "../core/ports/clock.ts";
import type { Address } from "../core/ports/network.ts";
import type { SwarmId } from "../core/net/types.ts";
import type { TransportFactory } from "../core/transport/libp2p.ts";
import { TabLine } from "./tab-line.ts";

/** As many tabs as a browser may have (tab-index.ts): answers that are remembered, and lines that others may open. */
const TABS_MAX = 64;
const ID_BYTES = 16;
const ID = /^[\da-f]{32}$/;

/** The messages on the common channel. */
type Said =
  | { readonly kind: "who"; readonly swarm: SwarmId }
  | { readonly kind: "here"; readonly swarm: SwarmId; readonly id: string }
  | { readonly kind: "call"; readonly id: string; readonly line: string }
  | { readonly kind: "taken"; readonly line: string };

export class TabsNearby {
  readonly #id = newId();
  #swarm: SwarmId | undefined;
  readonly #channel = new BroadcastChannel("starfish/tabs");
  /** Tabs that have answered. */
  readonly #here = new Set<string>();
  readonly #taken = new Map<string, () => void>();
  #accept: ((line: string) => void) | undefined;

  /** `swarm` is undefined while it is being founded: see `belong`. */
  constructor(swarm: SwarmId | undefined) {
    this.#swarm = swarm;
    this.#channel.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
      if (isSaid(data)) this.#hear(data);
    });
    this.ask();
  }

  /** A moment later the tabs that answer are among the addresses. */
  ask(): void {
    this.#here.clear();
    if (this.#swarm !== undefined) this.#say({ kind: "who", swarm: this.#swarm });
  }

  /** From now on this tab answers tabs of this swarm. */
  belong(swarm: SwarmId): void {
    this.#swarm = swarm;
  }

  addresses(): Address[] {
    return [...this.#here].map((id) => `/memory/${id}`);
  }

  /** The address to listen on. */
  get listen(): Address {
    return `/memory/${this.#id}`;
  }

  readonly transport: TransportFactory = (components: { logger: ComponentLogger }): Transport => ({
    [transportSymbol]: true,
    [Symbol.toStringTag]: "starfish/tabs",
    createListener: (options) => new TabListener(this, options, components.logger),
    listenFilter: (addresses) => addresses.filter(isNearby),
    dialFilter: (addresses) => addresses.filter(isNearby),
    dial: async (address, options) => {
      const { signal } = options;
      const line = newId();
      const ended = new AbortController();
      await TabLine.hold(line, "caller", ended.signal);
      try {
        const taken = new Promise<void>((resolve) => this.#taken.set(line, resolve));
        this.#say({ kind: "call", id: idOf(address), line });
        await abortable(signal, taken);
        const connection = lineOf(line, "caller", address, components.logger);
        connection.ended.addEventListener("abort", () => ended.abort(), { once: true });
        return await options.upgrader.upgradeOutbound(connection, options);
      } catch (error) {
        ended.abort();
        throw error;
      } finally {
        this.#taken.delete(line);
      }
    },
  });

  /** From now on this function gets the calls. */
  accept(accept: ((line: string) => void) | undefined): void {
    this.#accept = accept;
  }

  taken(line: string): void {
    this.#say({ kind: "taken", line });
  }

  #hear(said: Said): void {
    if (said.kind === "who") {
      if (said.swarm === this.#swarm && this.#accept !== undefined) {
        this.#say({ kind: "here", swarm: said.swarm, id: this.#id });
      }
    } else if (said.kind === "here") {
      if (said.swarm === this.#swarm && this.#here.size < TABS_MAX) this.#here.add(said.id);
    } else if (said.kind === "call") {
      if (said.id === this.#id) this.#accept?.(said.line);
    } else {
      this.#taken.get(said.line)?.();
    }
  }

  #say(said: Said): void {
    this.#channel.postMessage(said);
  }
}

class TabListener extends TypedEventEmitter<ListenerEvents> implements Listener {
  readonly #nearby: TabsNearby;
  readonly #options: CreateListenerOptions;
  readonly #logger: ComponentLogger;
  readonly #shutdown = new AbortController();
  readonly #lines = new Set<TabLine>();
  #address: Multiaddr | undefined;

  constructor(nearby: TabsNearby, options: CreateListenerOptions, logger: ComponentLogger) {
    super();
    this.#nearby = nearby;
    this.#options = options;
    this.#logger = logger;
  }

  listen(address: Multiaddr): Promise<void> {
    this.#address = address;
    this.#nearby.accept((line) => void this.#take(line));
    this.safeDispatchEvent("listening");
    return Promise.resolve();
  }

  getAddrs(): Multiaddr[] {
    return this.#address === undefined ? [] : [this.#address];
  }

  updateAnnounceAddrs(): void {}

  close(): Promise<void> {
    this.#nearby.accept(undefined);
    this.#shutdown.abort();
    for (const line of this.#lines) line.sendReset();
    queueMicrotask(() => this.safeDispatchEvent("close"));
    return Promise.resolve();
  }

  async #take(line: string): Promise<void> {
    if (this.#lines.size >= TABS_MAX) return;
    const ended = new AbortController();
    await TabLine.hold(line, "called", ended.signal);
    const connection = lineOf(line, "called", multiaddr(`/memory/${line}`), this.#logger);
    this.#lines.add(connection);
    const forget = (): void => {
      this.#lines.delete(connection);
      ended.abort();
    };
    connection.ended.addEventListener("abort", forget, { once: true });
    this.#nearby.taken(line);
    try {
      await this.#options.upgrader.upgradeInbound(connection, { signal: this.#shutdown.signal });
    } catch (error) {
      connection.abort(error instanceof Error ? error : new Error(String(error)));
    }
  }
}

function lineOf(line: string, side: "caller" | "called", remoteAddr: Multiaddr, logger: ComponentLogger): TabLine {
  const direction = side === "caller" ? "outbound" : "inbound";
  return new TabLine({ line, side, remoteAddr, direction, log: logger.forComponent("starfish:tabs") });
}

function isNearby(address: Multiaddr): boolean {
  return ID.test(idOf(address));
}

function idOf(address: Multiaddr): string {
  const [first] = address.getComponents();
  return first?.name === "memory" ? (first.value ?? "") : "";
}

function newId(): string {
  return toHex(realRandom.bytes(ID_BYTES));
}

/** Only pages of this origin speak on the channel, but perhaps of another version. */
function isSaid(data: unknown): data is Said {
  if (typeof data !== "object" || data === null || !("kind" in data)) return false;
  const isId = (key: string): boolean => ID.test(String(Reflect.get(data, key)));
  if (data.kind === "who") return typeof Reflect.get(data, "swarm") === "string";
  if (data.kind === "here") return typeof Reflect.get(data, "swarm") === "string" && isId("id");
  if (data.kind === "call") return isId("id") && isId("line");
  return data.kind === "taken" && isId("line");
}
