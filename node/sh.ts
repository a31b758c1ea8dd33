/**
 * `starfish sh`: a terminal, a command line or a script at the node that runs in a data directory. Streams, interrupts
 * and the exit status pass through; files are those of the directory in which it was called.
 */
import { terminalFacts } from "./terminal-facts.ts";
import { connect, type Socket } from "node:net";
import { resolve as resolvePath } from "node:path";
import { encode } from "../core/base/codec.ts";
import { StarfishError } from "../core/base/errors.ts";
import { ClientFiles, servesFiles } from "./client-files.ts";
import { ownControlPath } from "./control-path.ts";
import { EXIT } from "./exit-status.ts";
import { NamedPaths } from "./named-paths.ts";
import {
  BODY_BYTES_MAX,
  CONTROL_VERSION,
  FrameSocket,
  KIND,
  read,
  schemas,
  type Frame,
  type Open,
  type SignalName,
  type TerminalFacts,
} from "./frames.ts";

export interface ShOptions {
  readonly dataDir: string;
  /** `-c`. */
  readonly line?: string | undefined;
  /** A script and its words; with `-c` the line's $0 and its words. */
  readonly words?: readonly string[] | undefined;
  /** Directories whose files a script or a session may reach, besides the one in which it was started. */
  readonly files?: readonly string[] | undefined;
}

/** Resolves to the exit status. Rejects with "unreachable" if no node is running. */
export async function sh({ dataDir, line, words = [], files = [] }: ShOptions): Promise<number> {
  const [name, ...args] = words;
  const directories = [process.cwd(), ...files.map((path) => resolvePath(path))];
  if (line !== undefined) {
    const named = NamedPaths.ofLine(line, process.cwd(), { words, directories });
    return await run(dataDir, { run: { kind: "line", text: line }, name, args }, named);
  }
  // What a script does is not known beforehand, so it reaches the same files as a session at a terminal.
  const named = NamedPaths.inDirectories(directories, words);
  if (name !== undefined) return await run(dataDir, { run: { kind: "file", path: name }, name, args }, named);
  if (process.stdin.isTTY && process.stdout.isTTY) return await interact(dataDir, named);
  return await run(dataDir, { run: { kind: "stdin" } }, named);
}

/** A line or a script: one session from its first command to its last. */
async function run(dataDir: string, what: Pick<Open, "run" | "name" | "args">, named: NamedPaths): Promise<number> {
  const request = {
    version: CONTROL_VERSION,
    ...what,
    stdout: terminalFacts(process.stdout),
    stderr: terminalFacts(process.stderr),
  };
  const client = new Client(await open(dataDir), process.stdin, named);
  let interrupts = 0;
  const pass = (signal: NodeJS.Signals): void => {
    // The first Ctrl-C is for the script and its traps; a person who presses it again does not want to wait for them.
    if (signal === "SIGINT" && ++interrupts > 1) client.quit();
    client.signal(SIGNAL_NAMES[signal] ?? "TERM");
  };
  for (const signal of ENDING) process.on(signal, pass);
  try {
    return await client.run(request);
  } finally {
    for (const signal of ENDING) process.off(signal, pass);
  }
}

const ENDING = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const SIGNAL_NAMES: Partial<Record<NodeJS.Signals, SignalName>> = { SIGINT: "INT", SIGTERM: "TERM", SIGHUP: "HUP" };

async function interact(dataDir: string, named: NamedPaths): Promise<number> {
  const client = new Client(await open(dataDir), process.stdin, named);
  const facts = terminalFacts(process.stdout);
  const resize = (): void => client.resize(terminalFacts(process.stdout));
  process.stdin.setRawMode(true);
  process.stdout.on("resize", resize);
  process.once("SIGHUP", () => client.quit());
  try {
    return await client.run({ version: CONTROL_VERSION, stdout: facts, stderr: facts });
  } finally {
    process.stdout.off("resize", resize);
    process.stdin.setRawMode(false);
  }
}

async function open(dataDir: string): Promise<Socket> {
  const path = await ownControlPath(dataDir);
  if (path === undefined) throw nobody(dataDir, undefined);
  return await new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("connect", () => resolve(socket));
    socket.once("error", (error: NodeJS.ErrnoException) => {
      const isNobody = error.code === "ENOENT" || error.code === "ECONNREFUSED";
      const why = `The node in ${dataDir} cannot be reached: ${error.message}`;
      reject(isNobody ? nobody(dataDir, error) : new StarfishError("unreachable", why, { cause: error }));
    });
  });
}

function nobody(dataDir: string, cause: unknown): StarfishError {
  const why = `No node is running in ${dataDir}. Start one with 'starfish up', or name its directory with --data`;
  return new StarfishError("unreachable", why, { cause });
}

const CTRL_C = 0x03;

class Client {
  readonly #frames: FrameSocket;
  readonly #stdin: NodeJS.ReadStream | undefined;
  readonly #files: ClientFiles;
  #credit = 0;
  #hasCredit: (() => void) | undefined;
  #pumping = false;
  /** Ctrl-C was pressed at the terminal, and the node has sent nothing since. */
  #isUnanswered = false;

  constructor(socket: Socket, stdin: NodeJS.ReadStream | undefined, named: NamedPaths) {
    this.#frames = new FrameSocket(socket);
    this.#files = new ClientFiles(this.#frames, named);
    this.#stdin = stdin;
  }

  async run(request: Open): Promise<number> {
    const opening = encode(withoutUndefined(request));
    if (opening.length > BODY_BYTES_MAX)
      throw new StarfishError("usage", `a line and its words have at most ${BODY_BYTES_MAX} bytes together`);
    await this.#frames.send(KIND.open, opening);
    try {
      for await (const frame of this.#frames.frames()) {
        if (frame.kind === KIND.exit) return read(schemas.number, frame);
        await this.#receive(frame);
      }
    } finally {
      await this.#files.close();
      this.#stdin?.destroy();
      this.#frames.destroy();
    }
    throw new StarfishError("link-closed", "The node has gone; what was running has ended with it");
  }

  signal(name: SignalName): void {
    this.#frames.sendMessage(KIND.signal, { name }).catch(() => {});
  }

  /** Ends the process without waiting for anything. */
  quit(): never {
    this.#files.abandon();
    process.exit(EXIT.interrupted);
  }

  resize(facts: TerminalFacts | undefined): void {
    if (facts !== undefined) this.#frames.sendMessage(KIND.resize, facts).catch(() => {});
  }

  async #receive(frame: Frame): Promise<void> {
    this.#isUnanswered = false;
    switch (frame.kind) {
      case KIND.stdout:
        return await write(process.stdout, frame.body);
      case KIND.stderr:
        return await write(process.stderr, frame.body);
      case KIND.credit:
        this.#credit += read(schemas.number, frame);
        this.#hasCredit?.();
        if (!this.#pumping) this.#pump().catch(() => this.#frames.destroy());
        return;
      default:
        if (!servesFiles(frame)) {
          throw new StarfishError("version-mismatch", "The running node is of another version; restart it");
        }
        // Not awaited, because output goes on meanwhile. The node asks for the next piece only when it has this one.
        this.#files.serve(frame).catch(() => this.#frames.destroy());
    }
  }

  /** Sends stdin as far as the node has asked for it. */
  async #pump(): Promise<void> {
    this.#pumping = true;
    for await (const chunk of (this.#stdin ?? []) as AsyncIterable<Buffer>) {
      if (this.#stdin?.isRaw === true && chunk.includes(CTRL_C)) {
        // A node that works echoes the key.
        if (this.#isUnanswered) this.quit();
        this.#isUnanswered = true;
      }
      for (let offset = 0; offset < chunk.length;) {
        while (this.#credit === 0) await new Promise<void>((resolve) => (this.#hasCredit = resolve));
        const piece = chunk.subarray(offset, offset + Math.min(this.#credit, BODY_BYTES_MAX));
        this.#credit -= piece.length;
        offset += piece.length;
        await this.#frames.send(KIND.stdin, piece);
      }
    }
    await this.#frames.send(KIND.stdinEnd);
  }
}

/** Waits while the reader is behind. A reader that has gone ends this process, as SIGPIPE would. */
function write(stream: NodeJS.WriteStream, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    if (stream.write(bytes)) resolve();
    else stream.once("drain", resolve);
  });
}

function withoutUndefined(request: Open): Partial<Open> {
  return Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined));
}
