/**
 * The node's side of `starfish sh`: a local socket that only its owner can open. Each connection is one command line or
 * one session at a terminal; it ends, and what it runs is cancelled, when the client goes.
 */
import { chmod } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { isStarfishError, messageOf, StarfishError } from "../core/base/errors.ts";
import type { Computer } from "../core/computer.ts";
import type { Log } from "../core/ports/log.ts";
import { decodeText } from "../core/shell/language/bytes.ts";
import { reasonOf } from "../core/shell/language/redirect.ts";
import { createPipe, type Pipe } from "../core/shell/pipe.ts";
import { History } from "../core/shell/history.ts";
import { historyOf } from "../core/shell/terminal/history-store.ts";
import { createSession, type Session } from "../core/shell/interactive.ts";
import { SCRIPT_CHARS_MAX } from "../core/shell/language/limits.ts";
import { followMail } from "../core/shell/mail/notices.ts";
import { terminalPerson } from "../core/shell/person.ts";
import { createShell, type Shell } from "../core/shell/shell.ts";
import { followTransfers } from "../core/shell/transfer/notices.ts";
import type { Io, Output, TerminalInfo } from "../core/shell/types.ts";
import {
  CONTROL_VERSION,
  FrameSocket,
  KIND,
  read,
  schemas,
  STDIN_WINDOW_BYTES,
  type Frame,
  type Open,
  type Run,
  type SignalName,
  type TerminalFacts,
} from "./frames.ts";
import { RemoteHost } from "./remote-host.ts";

/** Terminals and scripts at one node at once; each holds some buffers. */
const CONNECTIONS_MAX = 64;

export interface ControlOptions {
  readonly computer: Computer;
  readonly path: string;
  readonly log: Log;
}

/** Listens until disposed, at a path that nobody else has any part in (control-path.ts). */
export async function serveControl({ computer, path, log }: ControlOptions): Promise<AsyncDisposable> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    serveConnection(computer, socket).catch((error: unknown) => {
      log.write(isStarfishError(error) ? "debug" : "error", "control.failed", { error: messageOf(error) });
      socket.destroy();
    });
  });
  server.maxConnections = CONNECTIONS_MAX;
  await listen(server, path);
  if (process.platform !== "win32") await chmod(path, 0o600);
  return {
    async [Symbol.asyncDispose](): Promise<void> {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) =>
      reject(new StarfishError("io", `The control socket cannot be opened: ${error.message}`)),
    );
    server.listen(path, resolve);
  });
}

async function serveConnection(computer: Computer, socket: Socket): Promise<void> {
  const frames = new FrameSocket(socket);
  const incoming = frames.frames();
  const first = await incoming.next();
  if (first.done === true) return;
  const open = first.value.kind === KIND.open ? read(schemas.open, first.value) : undefined;
  if (open === undefined || open.version !== CONTROL_VERSION) {
    await frames.send(KIND.stderr, Buffer.from("starfish: the running node is of another version; restart it\n"));
    await frames.sendMessage(KIND.exit, 69);
    return frames.end();
  }
  const connection = new Connection(computer, frames, open);
  const running = connection.run();
  // A bug of ours ends this connection and is reported below; it must not end the node.
  running.catch(() => frames.destroy());
  try {
    for await (const frame of incoming) connection.receive(frame);
  } finally {
    connection.gone();
  }
  await running;
}

class Connection {
  readonly #frames: FrameSocket;
  readonly #computer: Computer;
  readonly #host: RemoteHost;
  readonly #stdin: Pipe = createPipe(STDIN_WINDOW_BYTES);
  readonly #stop = new AbortController();
  readonly #open: Open;
  readonly #terminals: { stdout: TerminalInfo | undefined; stderr: TerminalInfo | undefined };
  #session: Session | undefined;
  #shell: Shell | undefined;
  /** Call it when nobody is at this terminal any more. */
  #leave: (() => void) | undefined;
  /** Bytes of stdin that were asked for and have not arrived. */
  #credit = 0;

  constructor(computer: Computer, frames: FrameSocket, open: Open) {
    this.#computer = computer;
    this.#frames = frames;
    this.#host = new RemoteHost(frames);
    this.#open = open;
    this.#terminals = { stdout: open.stdout, stderr: open.stderr };
  }

  async run(): Promise<void> {
    const { run } = this.#open;
    const status = run === undefined ? await this.#interact() : await this.#run(run);
    this.#leave?.();
    await this.#frames.sendMessage(KIND.exit, status).catch(ignoreClosed);
    this.#frames.end();
  }

  receive(frame: Frame): void {
    switch (frame.kind) {
      case KIND.stdin:
        return this.#receiveStdin(frame.body);
      case KIND.stdinEnd:
        return this.#stdin.output.end();
      case KIND.signal:
        return this.#signal(read(schemas.signal, frame).name);
      case KIND.resize:
        return this.#resize(read(schemas.terminal, frame));
      case KIND.fileData:
      case KIND.fileEnd:
        return this.#host.receive(frame);
      default:
        throw new StarfishError("malformed", `No frame of kind ${frame.kind} is expected here`);
    }
  }

  gone(): void {
    this.#leave?.();
    this.#stop.abort(new StarfishError("cancelled", "The terminal has gone"));
    this.#stdin.close();
    this.#host.close();
  }

  /** A trap of the script may handle it. Returns whether anything runs that could. */
  #signal(name: SignalName): void {
    if (this.#shell?.signal(name) !== true) this.#stop.abort(new StarfishError("cancelled", "Interrupted"));
  }

  async #run(run: Run): Promise<number> {
    const { name, args = [] } = this.#open;
    const shell = createShell(this.#computer, this.#host, {
      isInteractive: false,
      args,
      ...(name === undefined ? {} : { name }),
    });
    this.#shell = shell;
    const io = {
      stdin: this.#demanded(),
      stdout: this.#output(KIND.stdout),
      stderr: this.#output(KIND.stderr),
      terminal: this.#terminals,
    };
    return await shell.end(await this.#runIn(shell, run, io));
  }

  async #runIn(shell: Shell, run: Run, io: Io): Promise<number> {
    const { signal } = this.#stop;
    if (run.kind === "line") return await shell.run(run.text, io, { signal });
    if (run.kind === "stdin") return await shell.runInput(io, { signal });
    let text: string;
    try {
      const bytes = await this.#host.readFile(run.path, { signal });
      if (bytes.length > SCRIPT_CHARS_MAX)
        throw new StarfishError("too-large", `a script has at most ${SCRIPT_CHARS_MAX} bytes`);
      text = decodeText(bytes);
    } catch (error) {
      if (!isStarfishError(error)) throw error;
      await io.stderr.write(Buffer.from(`starfish: ${run.path}: ${reasonOf(error)}\n`)).catch(ignoreClosed);
      return error.code === "not-found" ? 127 : 126;
    }
    return await shell.run(text, io, { signal });
  }

  async #interact(): Promise<number> {
    const shell = createShell(this.#computer, this.#host);
    this.#shell = shell;
    const terminals = this.#terminals;
    const fallback: TerminalInfo = { columns: 80, rows: 24, colours: false, pictures: "blocks" };
    const terminal = {
      input: this.#demanded(),
      output: this.#output(KIND.stdout),
      info: () => terminals.stdout ?? fallback,
    };
    this.#session = createSession(shell, terminal, {
      prompt: () => `${selfName(this.#computer)} $ `,
      history: new History(historyOf(this.#computer.store)),
      canEnd: true,
    });
    const session = this.#session;
    const leaving = [this.#computer.devices.attach(terminalPerson((words) => session.print(words)))];
    this.#leave = () => {
      for (const leave of leaving) leave();
    };
    session.print(`This is ${selfName(this.#computer)}. 'help' lists the commands; 'exit' or Ctrl-D leaves.`);
    leaving.push(followMail(this.#computer, (words) => session.print(words)));
    leaving.push(followTransfers(this.#computer, (words) => session.print(words)));
    return await shell.end(await session.run({ signal: this.#stop.signal }));
  }

  #receiveStdin(bytes: Uint8Array): void {
    this.#credit -= bytes.length;
    if (this.#credit < 0) throw new StarfishError("malformed", "More stdin than was asked for");
    // This never has to wait, because only as much arrives as the pipe has room for. A finished job drops its input.
    this.#stdin.output.write(bytes).catch(ignoreClosed);
  }

  /** Asks for stdin only when somebody reads: `sh -c` must not swallow the input of the script that contains it. */
  #demanded(): AsyncIterable<Uint8Array> {
    const iterator = this.#stdin.input[Symbol.asyncIterator]();
    let asked = false;
    const ask = (bytes: number): void => {
      this.#credit += bytes;
      this.#frames.sendMessage(KIND.credit, bytes).catch(ignoreClosed);
    };
    const next = async (): Promise<IteratorResult<Uint8Array>> => {
      if (!asked) ask(STDIN_WINDOW_BYTES);
      asked = true;
      const result = await iterator.next();
      if (result.done !== true) ask(result.value.length);
      return result;
    };
    return { [Symbol.asyncIterator]: () => ({ next }) };
  }

  #output(kind: number): Output {
    return { write: (bytes) => (bytes.length === 0 ? Promise.resolve() : this.#frames.send(kind, bytes)) };
  }

  #resize(facts: TerminalFacts): void {
    if (this.#terminals.stdout !== undefined) this.#terminals.stdout = facts;
    if (this.#terminals.stderr !== undefined) this.#terminals.stderr = facts;
    this.#session?.resized();
  }
}

function selfName(computer: Computer): string {
  return computer.net.members().find((member) => member.isSelf)?.record.name ?? "starfish";
}

function ignoreClosed(error: unknown): void {
  if (!isStarfishError(error)) throw error;
}
