/** A machine of the world as tests handle it: its ports now, its identity, and how it dies and starts again. */
import { assert } from "../../core/base/assert.ts";
import { peerIdOf } from "../../core/base/peer-id.ts";
import type { Age } from "../../core/ports/age.ts";
import type { Clock } from "../../core/ports/clock.ts";
import type { Coder } from "../../core/ports/coder.ts";
import type { Crypto, KeyPair } from "../../core/ports/crypto.ts";
import type { Log } from "../../core/ports/log.ts";
import type { PeerId } from "../../core/ports/network.ts";
import type { Random } from "../../core/ports/random.ts";
import type { Sandbox } from "../../core/ports/sandbox.ts";
import type { ShardStore } from "../../core/ports/shard-store.ts";
import type { SqlEngine } from "../../core/ports/sql-engine.ts";
import type { Store } from "../../core/ports/store.ts";
import { IdealAge } from "./age.ts";
import { SimClock } from "./clock.ts";
import { simCoder } from "./coder.ts";
import type { Life, Machine } from "./life.ts";
import { SimNetwork } from "./network.ts";
import type { SeededRandom } from "./random.ts";
import { SimSandbox, type TaskModel } from "./sandbox.ts";
import { SimShardDisk, SimFrames } from "./shard-store.ts";
import { simSqlEngine } from "./sql-engine.ts";
import { SimStore } from "./store.ts";
import type { SimWorld } from "./world.ts";

/** The ports that one life of a program gets. */
export interface SimPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly store: Store;
  readonly shards: ShardStore;
  readonly sandbox: Sandbox;
  readonly coder: Coder;
  readonly age: Age;
  readonly sqlEngine: SqlEngine;
  readonly log: Log;
  /** The network under the machine's usual identity, made when first asked for. */
  readonly network: SimNetwork;
}

export class SimNode {
  readonly machine: Machine;
  /** The identity that `ports.network` has. */
  readonly keys: KeyPair;
  /** The disk with its shards, which tests may damage. */
  readonly shardDisk: SimShardDisk = new SimShardDisk();
  readonly #world: SimWorld;
  readonly #random: SeededRandom;
  readonly #tasks: TaskModel | undefined;
  readonly #disk = new Map<string, Uint8Array>();
  #lives = 0;
  #life: Life = { alive: false };
  #store: SimStore | undefined;
  #shards: SimFrames | undefined;
  #network: SimNetwork | undefined;
  #peer: PeerId;
  #ports: SimPorts | undefined;

  constructor(world: SimWorld, machine: Machine, keys: KeyPair, random: SeededRandom, tasks: TaskModel | undefined) {
    this.#world = world;
    this.machine = machine;
    this.keys = keys;
    this.#random = random;
    this.#tasks = tasks;
    this.#peer = peerIdOf(keys.publicKey);
    this.start();
  }

  get name(): string {
    return this.machine.name;
  }

  get running(): boolean {
    return this.#life.alive;
  }

  /** The ports of the present life. Those of former lives answer no more. */
  get ports(): SimPorts {
    assert(this.#ports !== undefined, `${this.name} is running`);
    return this.#ports;
  }

  /** Its PeerId on the network. */
  get peer(): PeerId {
    return this.#peer;
  }

  /** The network under another identity (one that the program keeps in its store, say) instead of the usual one. */
  networkAs(keys: KeyPair): SimNetwork {
    assert(this.#network === undefined, `${this.name} has no network yet`);
    this.#peer = peerIdOf(keys.publicKey);
    this.#network = new SimNetwork(this.#world.fabric, this.machine, this.#life, this.#peer);
    return this.#network;
  }

  /** Lets the wall clock jump by this much, as when somebody sets it. */
  jumpClock(byMs: number): void {
    this.machine.skewMs += byMs;
  }

  /** Hides a tab, or shows it again; timers that run already are not moved. */
  throttle(throttled: boolean): void {
    this.machine.throttled = throttled;
  }

  start(): void {
    assert(!this.running, `${this.name} is not running`);
    const { scheduler, crypto, journal, fabric } = this.#world;
    const life: Life = { alive: true };
    const store = new SimStore(scheduler, life, this.#disk);
    const shards = new SimFrames(scheduler, life, this.shardDisk);
    const random = this.#random.fork(`life/${this.#lives++}`);
    const network = (): SimNetwork => this.#network ?? this.networkAs(this.keys);
    this.#life = life;
    this.#store = store;
    this.#shards = shards;
    this.machine.silent = false;
    const clock = new SimClock(scheduler, this.machine, life);
    this.#ports = {
      clock,
      random,
      age: new IdealAge(this.#world.seed, crypto, random),
      crypto,
      store,
      shards: shards.store(),
      sandbox: new SimSandbox(scheduler, this.machine, life, this.#tasks),
      coder: simCoder(scheduler, this.machine, life),
      sqlEngine: simSqlEngine(scheduler, this.machine, life, { clock, random: random.fork("sql") }),
      log: journal.logOf(this.name),
      get network() {
        return network();
      },
    };
    fabric.restarted(this.machine);
  }

  crash(silent: boolean): void {
    assert(this.running, `${this.name} is running`);
    const { fabric } = this.#world;
    this.#life.alive = false;
    this.#store?.crash(this.#random.fork(`crash/${this.#lives}`));
    this.#shards?.crash(this.#random.fork(`crash/shards/${this.#lives}`));
    this.machine.silent = silent;
    this.machine.held.length = 0;
    fabric.setFrozen(this.machine, false);
    fabric.networks.delete(this.machine);
    if (this.#network !== undefined) fabric.died(this.#network, silent);
    this.#network = undefined;
    this.#ports = undefined;
  }
}
