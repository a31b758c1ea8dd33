/** The one public door of core: `createComputer(ports, options)` makes a node out of a platform's ports. */
import { StarfishError } from "./base/errors.ts";
import type { Computer } from "./computer.ts";
import type { CoreBudget } from "./sandbox/core-budget.ts";
import { createCpu } from "./jobs/cpu.ts";
import { createJobs } from "./jobs/jobs.ts";
import { createWorkers } from "./jobs/workers.ts";
import { DATABASE_BYTES_DEFAULT } from "./db/limits.ts";
import { createSql } from "./db/sql.ts";
import { createContents } from "./disk/contents.ts";
import { openFiles } from "./disk/files/open.ts";
import { Engines } from "./jobs/engines.ts";
import { createMapFunction } from "./jobs/map-function.ts";
import type { Codes } from "./io/codes/types.ts";
import { createDevices } from "./io/devices/devices.ts";
import { createMail } from "./io/mail/mail.ts";
import { createPeople } from "./io/people/people.ts";
import { createTransfer } from "./io/transfer/transfer.ts";
import { createMemory } from "./memory/memory.ts";
import { shortIdOf } from "./net/membership/rows.ts";
import { createNet, type NetOptions, type NetPorts } from "./net/net.ts";
import type { Age } from "./ports/age.ts";
import type { Coder } from "./ports/coder.ts";
import type { Sandbox } from "./ports/sandbox.ts";
import type { ShardStore } from "./ports/shard-store.ts";
import type { SqlEngine } from "./ports/sql-engine.ts";

export type { Computer } from "./computer.ts";
export type * from "./db/types.ts";

/** What a platform supplies. Stores and coder are of this node alone; the computer closes them. */
export interface ComputerPorts extends NetPorts {
  readonly sandbox: Sandbox;
  readonly coder: Coder;
  /** Seals mail. */
  readonly age: Age;
  /** What this node keeps of the swarm's files; its quota is what the node offers. */
  readonly shards: ShardStore;
  /** Where SQLite runs, which is loaded when somebody first asks the database. */
  readonly sqlEngine: SqlEngine;
  /** Cores, where several nodes of one device share them. */
  readonly budget: CoreBudget;
}

export interface ComputerOptions extends NetOptions {
  /** Loaders of the modules that come along, by task name. */
  readonly builtins: Readonly<Record<string, () => Promise<Uint8Array>>>;
  /** How large the shared database may become on this node, in bytes as the memory counts them. */
  readonly databaseBytesMax?: number | undefined;
  /** A file of dist/page/programs, by its name. Rejects with "not-found", "io", "unreachable". */
  readonly programFile: (name: string) => Promise<Uint8Array>;
  /** The page's URL without fragment; it may change when the node learns how it is reached. */
  readonly inviteBase: () => string;
}

/**
 * Starts a node. Resolves as soon as it runs, with or without others: who can be reached shows in `net.members()`.
 * Rejects with "bad-invite", "version-mismatch" (of the invite), "bad-certificate" (run out) or "io"; the store is then
 * closed.
 */
export async function createComputer(ports: ComputerPorts, options: ComputerOptions): Promise<Computer> {
  const { shards, clock, random, crypto } = ports;
  const { builtins, inviteBase, programFile, coresLent = 0, databaseBytesMax = DATABASE_BYTES_DEFAULT } = options;
  try {
    const net = await createNet(options)(ports);
    const memory = createMemory({ ...ports, net });
    const mem = await memory.map("mem");
    const db = await memory.map("db", { isKept: true, bytesMax: databaseBytesMax });
    const database = createSql({
      ...ports,
      map: db,
      engine: ports.sqlEngine,
      computer: async () => {
        const { computerTables } = await import("./shell/sql/computer-tables.ts");
        return computerTables(computer);
      },
      writer: shortIdOf(crypto, net.self),
      contents: () => storage,
    });
    const storage = await createContents({ ...ports, net, memory, store: shards });
    storage.addReferences(() => database.references());
    const files = await openFiles({ ...ports, net, memory, contents: storage });
    const workers = createWorkers(ports);
    const cpu = createCpu({ coresLent })({ ...ports, net, workers });
    const jobs = await createJobs({ ...ports, net, memory, contents: storage, workers });
    const engines = new Engines({ load: programFile, files, crypto });
    const devices = await createDevices({ ...ports, net });
    const people = await createPeople({ ...ports, net, memory });
    const mail = await createMail({ ...ports, net, memory, contents: storage, people });
    const transfer = await createTransfer({ ...ports, net, devices });
    let codes: Promise<Codes> | undefined;
    let openCodes: Codes | undefined;
    const computer: Computer = {
      net,
      memory: mem,
      sql: database.sql,
      files,
      storage,
      cpu,
      map: createMapFunction({ cpu, engine: (kind) => engines.load(kind) }),
      jobs,
      devices,
      people,
      mail,
      transfer,
      codes: () =>
        (codes ??= import("./io/codes/codes.ts").then(
          ({ createCodes }) => (openCodes = createCodes({ ...ports, net, inviteBase })),
        )),
      clock,
      random,
      crypto,
      store: ports.store,
      inviteBase,
      builtins: () => Object.keys(builtins).sort(),
      engine: (kind) => engines.load(kind),
      async builtin(task) {
        const load = Object.hasOwn(builtins, task) ? builtins[task] : undefined;
        if (load === undefined) {
          throw new StarfishError(
            "not-found",
            `There is no task ${task}. The bundled tasks are: ${Object.keys(builtins).sort().join(", ")}`,
          );
        }
        return load();
      },
      async [Symbol.asyncDispose]() {
        memory.flush();
        devices.close();
        mail.close();
        people.close();
        openCodes?.close();
        const paused = transfer.close();
        // All at once: a page that is being closed gets no second turn to say goodbye in.
        await Promise.all([
          paused,
          net.leave(),
          database.close(),
          jobs.close(),
          cpu.close(),
          files.close(),
          storage.close(),
        ]);
        await memory.close();
        await closeAll(ports);
      },
    };
    return computer;
  } catch (error) {
    await closeAll(ports);
    throw error;
  }
}

async function closeAll({ store, shards, coder }: ComputerPorts): Promise<void> {
  await Promise.all([store, shards, coder].map((port) => port[Symbol.asyncDispose]()));
}
