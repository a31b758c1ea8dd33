/**
 * `starfish sh`: a terminal, a command line or a script at the node that runs in a data directory. Streams, interrupts
 * and the exit status pass through; files are those of the directory in which it was called.
 */
import { terminalFacts } from "./terminal-facts.ts";
import { connect, type Socket } from "node:net";
import { resolve as resolvePath } from "node:path";
import { createInterface } from "node:readline";
import { StarfishError } from "../core/base/errors.ts";
import { parse, SyntaxFault } from "../core/shell/parse.ts";
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
  type TerminalFacts,
} from "./frames.ts";

export interface ShOptions {
  readonly dataDir: string;
  readonly line?: string | undefined;
  /** Directories whose files a session at a terminal may reach, beside the one in which it was started. */
  readonly files?: readonly string[] | undefined;
}

/** Resolves to the exit status of the last line. Rejects with "unreachable" where no node is running. */
export async function sh({ dataDir, line, files = [] }: ShOptions): Promise<number> {
  if (line !== undefined) return await runLine(dataDir, line, process.stdin);
  if (process.stdin.isTTY && process.stdout.isTTY) return await interact(dataDir, files);
  return await runScript(dataDir);
}

/** Every line in turn, as they come; a line that is not complete is joined with the next. */
async function runScript(dataDir: string): Promise<number> {
  let status: number = EXIT.ok;
  let pending = "";
  const lines = createInterface({ input: process.stdin, crlfDelay: Infinity });
  // Say at once that nobody is there, also for an empty script.
  (await open(dataDir)).destroy();
  for await (const line of lines) {
    pending = pending === "" ? line : `${pending}\n${line}`;
    if (isIncomplete(pending)) continue;
    if (pending.trim() !== "") status = await runLine(dataDir, pending, undefined);
    pending = "";
    if (status === EXIT.interrupted) break;
  }
  lines.close();
  return pending === "" ? status : await runLine(dataDir, pending, undefined);
}

function isIncomplete(line: string): boolean {
  try {
    parse(line);
    return false;
  } catch (error) {
    return error instanceof SyntaxFault && error.incomplete;
  }
}

async function runLine(dataDir: string, line: string, stdin: NodeJS.ReadStream | undefined): Promise<number> {
  const client = new Client(await open(dataDir), stdin, NamedPaths.ofLine(line, process.cwd()));
  let interrupts = 0;
  const interrupt = (): void => {
    if (++interrupts > 1) client.quit();
    client.interrupt();
  };
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt).on("SIGHUP", interrupt);
  try {
    return await client.run({
      version: CONTROL_VERSION,
      line,
      stdout: terminalFacts(process.stdout),
      stderr: terminalFacts(process.stderr),
    });
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt).off("SIGHUP", interrupt);
  }
}

async function interact(dataDir: string, files: readonly string[]): Promise<number> {
  const directories = [process.cwd(), ...files.map((path) => resolvePath(path))];
  const client = new Client(await open(dataDir), process.stdin, NamedPaths.inDirectories(directories));
  const facts = factsOf(process.stdout);
  const resize = (): void => client.resize(factsOf(process.stdout));
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

/** What the node may know of a terminal, or nothing where there is none. */
function factsOf(stream: NodeJS.WriteStream): TerminalFacts | undefined {
  if (!stream.isTTY) return undefined;
  const program = process.env["TERM_PROGRAM"] ?? "";
  const inline =
    ["iTerm.app", "WezTerm", "vscode", "mintty"].includes(program) || process.env["LC_TERMINAL"] === "iTerm2";
  return {
    columns: stream.columns || 80,
    rows: stream.rows || 24,
    colours: (process.env["NO_COLOR"] ?? "") === "" && process.env["TERM"] !== "dumb",
    pictures: inline ? "inline" : "blocks",
  };
}

class Client {
  readonly #frames: FrameSocket;
  readonly #stdin: NodeJS.ReadStream | undefined;
  readonly #files: ClientFiles;
  #credit = 0;
  #hasCredit: (() => void) | undefined;
  #pumping = false;

  constructor(socket: Socket, stdin: NodeJS.ReadStream | undefined, named: NamedPaths) {
    this.#frames = new FrameSocket(socket);
    this.#files = new ClientFiles(this.#frames, named);
    this.#stdin = stdin;
  }

  async run(request: Open): Promise<number> {
    await this.#frames.sendMessage(KIND.open, withoutUndefined(request));
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

  interrupt(): void {
    this.#frames.send(KIND.interrupt).catch(() => {});
  }

  /** Without waiting for anybody. */
  quit(): never {
    this.#files.abandon();
    process.exit(EXIT.interrupted);
  }

  resize(facts: TerminalFacts | undefined): void {
    if (facts !== undefined) this.#frames.sendMessage(KIND.resize, facts).catch(() => {});
  }

  async #receive(frame: Frame): Promise<void> {
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
        // Not awaited: output goes on meanwhile. The node asks for the next piece only when it has this one.
        this.#files.serve(frame).catch(() => this.#frames.destroy());
    }
  }

  /** Sends stdin as far as the node wants it. */
  async #pump(): Promise<void> {
    this.#pumping = true;
    for await (const chunk of (this.#stdin ?? []) as AsyncIterable<Buffer>) {
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
