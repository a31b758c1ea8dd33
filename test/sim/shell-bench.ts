/**
 * Whole computers in a simulated world with a shell on each, for tests of commands: a line in, its output and status
 * out.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { concat, text, utf8 } from "../../core/base/bytes.ts";
import type { Computer } from "../../core/computer.ts";
import { unsharedCores } from "../../core/sandbox/core-budget.ts";
// Modules that commands load when they are first used are imported here, because virtual time does not wait for
// imports.
import "../../core/db/as-of.ts";
import "../../core/db/database.ts";
import "../../core/db/export.ts";
import "../../core/db/insert.ts";
import "../../core/db/row-history.ts";
import "../../core/db/sql-file.ts";
import "../../core/db/upkeep.ts";
import "../../core/disk/content/car.ts";
import "../../core/disk/content/tar.ts";
import "../../core/disk/content/unixfs-read.ts";
import "../../core/disk/content/zip.ts";
import "../../core/disk/content/zip-write.ts";
import "../../core/io/codes/codes.ts";
import "../../core/jobs/borrower.ts";
import "../../core/jobs/dispatcher.ts";
import "../../core/jobs/graph-table.ts";
import "../../core/jobs/remembered.ts";
import "../../core/io/mail/send.ts";
import "../../core/io/people/join-by.ts";
import "../../core/io/people/pictures.ts";
import "../../core/io/transfer/incoming.ts";
import "../../core/io/transfer/outgoing.ts";
import "../../core/shell/elsewhere.ts";
import "../../core/shell/seldom/ln-run.ts";
import "../../core/shell/seldom/tar-run.ts";
import "../../core/shell/files/df-run.ts";
import "../../core/shell/files/pack.ts";
import "../../core/shell/files/stat-run.ts";
import "../../core/shell/files/unpack.ts";
import "../../core/shell/map/png.ts";
import "../../core/shell/namespace/inbox/tree.ts";
import "../../core/shell/jobs/show.ts";
import "../../core/shell/mail/mail-run.ts";
import "../../core/shell/map/run.ts";
import "../../core/shell/namespace/mail/mail-views.ts";
import "../../core/shell/people/me-run.ts";
import "../../core/shell/people/picture.ts";
import "../../core/shell/programs/jq-words.ts";
import "../../core/shell/sed/sed-run.ts";
import "../../core/shell/seldom/expr-run.ts";
import "../../core/shell/seldom/peers-run.ts";
import "../../core/shell/seldom/ping-run.ts";
import "../../core/shell/seldom/whoami-run.ts";
import "../../core/shell/sql/computer-tables.ts";
import "../../core/shell/sql/sql-run.ts";
import "../../core/shell/terminal/top.ts";
import "../../core/shell/transfer/code-run.ts";
import "../../core/shell/transfer/receive-run.ts";
import "../../core/shell/transfer/send-run.ts";
import "uqr";
import "acorn";
import "sucrase";
import { StarfishError } from "../../core/base/errors.ts";
import "../../core/sandbox/languages/scripts.ts";
import { engineFile, ENGINES } from "../../core/sandbox/languages/engines.ts";
import { createComputer } from "../../core/index.ts";
import { createShell } from "../../core/shell/shell.ts";
import type { Command, Output, TerminalInfo, Host } from "../../core/shell/types.ts";
import { memoryHost } from "../fixtures/host.ts";
import { SimWorld, type WorldOptions } from "./world.ts";

const PACKAGES = join(import.meta.dirname, "../../node_modules");
const TASKS = join(import.meta.dirname, "../../dist/tasks");
/** Read beforehand, because virtual time does not wait for the real disk. */
export const moduleOf = (task: string): Uint8Array => Uint8Array.from(readFileSync(join(TASKS, `${task}.wasm`)));
const BUILTINS = Object.fromEntries(
  ["primes", "wordcount", "mandelbrot", "film", "pi", "nbody", "sha256", "resize"].map((task) => [
    task,
    () => Promise.resolve(moduleOf(task)),
  ]),
);
/** A program's file from the folder dist/page/programs. */
function programFile(name: string): Promise<Uint8Array> {
  const engine = Object.values(ENGINES).find((one) => engineFile(one) === name);
  if (engine === undefined) return Promise.reject(new StarfishError("not-found", "there is no such program"));
  return Promise.resolve(Uint8Array.from(readFileSync(join(PACKAGES, engine.package, engine.file))));
}

export const TERMINAL: TerminalInfo = { columns: 100, rows: 30, colours: true, pictures: "blocks" };

/** The space that each computer offers for files. */
const QUOTA_BYTES = 1_000_000_000;

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly stdin?: string | Uint8Array | AsyncIterable<Uint8Array>;
  /** Gives access to the output so far. */
  readonly stdout?: Collector;
  readonly terminal?: TerminalInfo;
  readonly signal?: AbortSignal;
  readonly on?: string;
}

export class ShellBench {
  readonly world: SimWorld;
  readonly computers: Map<string, Computer> = new Map();
  /** The host's files by path. */
  readonly files: Map<string, Uint8Array> = new Map();
  readonly #host: Host = memoryHost(this.files);

  constructor(options: WorldOptions = { seed: 1 }) {
    this.world = new SimWorld(options);
  }

  /** A new machine, or one that has crashed and starts again. */
  async up(
    name: string,
    options: { invite?: string; coresLent?: number; inviteBase?: () => string } = {},
  ): Promise<Computer> {
    const before = this.world.nodes.find((node) => node.name === name);
    const node = before === undefined ? this.world.spawn({ name, kind: "node", cores: 2 }) : this.world.restart(before);
    const { store, shards, coder, age, clock, random, crypto, log, sandbox, sqlEngine } = node.ports;
    shards.setQuota(QUOTA_BYTES);
    const starting = createComputer(
      {
        store,
        shards,
        coder,
        age,
        clock,
        random,
        crypto,
        log,
        sandbox,
        sqlEngine,
        budget: unsharedCores,
        network: async (keys) => node.networkAs(keys),
      },
      {
        kind: "node",
        name,
        found: options.invite === undefined,
        coresLent: 2,
        builtins: BUILTINS,
        programFile,
        inviteBase: () => "https://example.org/",
        ...options,
      },
    );
    const computer = await this.world.settle(starting, { withinMs: 10_000 });
    this.computers.set(name, computer);
    return computer;
  }

  /** Adds two nodes, and waits until all three see each other. */
  async company(): Promise<void> {
    const invite = this.computer("first").net.invite();
    await this.up("second", { invite });
    await this.up("third", { invite });
    const all = (): boolean => [...this.computers.values()].every(({ net }) => net.members().length === 3);
    await this.world.runUntil(all, { withinMs: 20_000, what: "all three see each other" });
  }

  computer(name: string): Computer {
    const computer = this.computers.get(name);
    if (computer === undefined) throw new Error(`${name} is not up`);
    return computer;
  }

  /** Runs it to its end in virtual time. */
  run(line: string, options: RunOptions = {}, commands: readonly Command[] = []): Promise<Ran> {
    return this.world.settle(this.start(line, options, commands), { withinMs: 600_000 });
  }

  async start(line: string, options: RunOptions = {}, commands: readonly Command[] = []): Promise<Ran> {
    const { stdin = "", stdout = collector(), terminal } = options;
    const { signal = new AbortController().signal } = options;
    const stderr = collector();
    const shell = createShell(this.computer(options.on ?? "first"), this.#host, { commands });
    const io = {
      stdin: typeof stdin === "string" || stdin instanceof Uint8Array ? once(stdin) : stdin,
      stdout,
      stderr,
      terminal: terminal === undefined ? {} : { stdout: terminal, stderr: terminal },
    };
    const status = await shell.run(line, io, { signal });
    return { status, stdout: stdout.text(), stderr: stderr.text() };
  }
}

export interface Collector extends Output {
  bytes(): Uint8Array;
  text(): string;
}

export function collector(): Collector {
  const parts: Uint8Array[] = [];
  return {
    write: async (bytes) => void parts.push(bytes.slice()),
    bytes: () => concat(parts),
    text: () => text(concat(parts)),
  };
}

async function* once(input: string | Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  const bytes = typeof input === "string" ? utf8(input) : input;
  if (bytes.length > 0) yield bytes;
}
