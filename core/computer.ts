/** One node's computer: the parts wired together. Made by createComputer (index.ts); its life begins and ends here. */
import type { Cpu, Jobs } from "./jobs/types.ts";
import type { Contents, Files } from "./disk/types.ts";
import type { MapFunction } from "./jobs/map-function.ts";
import type { SqlDatabase } from "./db/types.ts";
import type { ReplicatedMap } from "./memory/types.ts";
import type { Codes } from "./io/codes/types.ts";
import type { Devices } from "./io/devices/types.ts";
import type { Mail } from "./io/mail/types.ts";
import type { People } from "./io/people/types.ts";
import type { Transfer } from "./io/transfer/types.ts";
import type { Net } from "./net/types.ts";
import type { Clock } from "./ports/clock.ts";
import type { Crypto } from "./ports/crypto.ts";
import type { Random } from "./ports/random.ts";
import type { Store } from "./ports/store.ts";
import type { ScriptKind } from "./sandbox/languages/engines.ts";

export interface Computer extends AsyncDisposable {
  readonly net: Net;
  /** Shared memory: the replicated map `mem`, in RAM on every node. */
  readonly memory: ReplicatedMap;
  /** The shared database: SQL on every node. */
  readonly sql: SqlDatabase;
  /** The disk: files by path, and the contents under them. */
  readonly files: Files;
  readonly storage: Contents;
  readonly cpu: Cpu;
  /** A function of a program's own over its values, on every core that is lent. */
  readonly map: MapFunction;
  /** Jobs of the swarm, which no node leads. */
  readonly jobs: Jobs;
  /** Screen and clipboard of the person at this node, and the way to those of others. */
  readonly devices: Devices;
  /** Whose nodes there are. */
  readonly people: People;
  /** For nodes and people who may be asleep. */
  readonly mail: Mail;
  /** What goes straight from one node to another, and this node's inbox. */
  readonly transfer: Transfer;
  /** One thing for somebody who is no member; loaded when it is first asked for. */
  readonly codes: () => Promise<Codes>;
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: Crypto;
  /** This node's own small store: identity, settings, the shell's history. */
  readonly store: Store;
  /** The WebAssembly modules that come with Starfish, by name ("primes"). Rejects with "not-found". */
  builtin(task: string): Promise<Uint8Array>;
  builtins(): readonly string[];
  /** The engine of scripts of that kind. Rejects with "not-found". */
  engine(kind: ScriptKind): Promise<Uint8Array>;
  /** The page's URL without fragment, to which `net.invite()` is appended ("https://host:port/"). */
  readonly inviteBase: () => string;
}
