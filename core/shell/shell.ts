/**
 * The shell of one session: bash's language over the computer's trees, with the commands of this folder. Lines and
 * scripts run one after the other; variables, functions, jobs and the current directory stay from one to the next.
 */
import { cancelled, isStarfishError, messageOf } from "../base/errors.ts";
import type { Computer } from "../computer.ts";
import { abortable } from "../ports/clock.ts";
import { builtinCommands } from "./commands/index.ts";
import { complete } from "./complete.ts";
import { quote, type Completion } from "./completion/typing.ts";
import { isIncomplete } from "./language/syntax.ts";
import { Marker } from "./completion/marks.ts";
import { fitted, told } from "./format.ts";
import { inOrder, type InOrder } from "./in-order.ts";
import { Descriptor, type OpenFile } from "./language/descriptor.ts";
import type { ExternalCall } from "./language/frame.ts";
import { ShellSession, type RunResult } from "./language/session.ts";
import { absolutePath } from "./language/glob.ts";
import type { SessionTerminal } from "./namespace/dev/tree.ts";
import { rememberPicked } from "./namespace/host/picked.ts";
import { mounts } from "./namespace/mounts.ts";
import { Namespace } from "./namespace/namespace.ts";
import { processesOf } from "./namespace/proc/processes.ts";
import { killOutside, waitOutside } from "./namespace/proc/tree.ts";
import { SessionPrograms } from "./programs/session.ts";
import { sinkTo } from "./sink.ts";
import { STATUS } from "./status.ts";
import { compose, type Text } from "./styled.ts";
import type { Mark } from "./terminal/drawing.ts";
import type { ScreenSource } from "./terminal/full-screen.ts";
import type { Process } from "./language/process.ts";
import { suggest } from "./suggest.ts";
import { hostNameOf } from "./utilities/machine.ts";
import { utilities } from "./utilities/index.ts";
import type { Command, CommandContext, Host, Io, Output, Sink, TerminalInfo } from "./types.ts";

export interface Shell {
  /**
   * Runs a line. Resolves to the status of the last command; never rejects because of a command, whose errors are
   * printed to stderr.
   */
  run(line: string, io: Io, options: { signal: AbortSignal }): Promise<number>;
  /** Runs a script on standard input as it arrives, in this session. */
  runInput(io: Io, options: { signal: AbortSignal }): Promise<number>;
  /** Runs the swarm's start-up file and this node's, once; at a terminal before its first prompt. */
  startUp(io: Io, options: { signal: AbortSignal }): Promise<void>;
  /** The candidates at the cursor. Rejects with the reason of the signal. */
  complete(line: string, cursor: number, options: { signal: AbortSignal }): Promise<Completion>;
  /** The parts of a line that would fail; `onChange` is called when more is known. */
  marks(line: string, cursor: number, onChange: () => void): readonly Mark[];
  /** Whether the line needs more lines: an open quote, a loop without its end. */
  isIncomplete(line: string): boolean;
  /** A signal of the keyboard for the foreground job. Returns whether there was one. */
  signal(name: KeyboardSignal): boolean;
  /** Lines about ended jobs, each reported once. */
  takeReports(): string;
  /** PS1 or PS2 as it is to be shown now; undefined if it is not set. */
  prompt(name: "PS1" | "PS2"): Promise<string | undefined>;
  /** Whether `exit`, or a fault that ends a script, has ended the session. */
  readonly isOver: boolean;
  /** Runs the EXIT trap and ends all jobs. Resolves to the session's exit status. */
  end(status: number): Promise<number>;
  /** The session of the language: variables, jobs. */
  readonly session: ShellSession;
  readonly names: Namespace;
}

export type KeyboardSignal = "INT" | "QUIT" | "TSTP" | "TERM" | "HUP";

export interface ShellOptions {
  /** These take precedence over the built-in ones; the page adds its own commands this way. */
  readonly commands?: readonly Command[];
  /**
   * Whether it is at a terminal: faults end a line and not the session, ended jobs are reported, and aliases and job
   * control are on.
   */
  readonly isInteractive?: boolean;
  /** $0 */
  readonly name?: string;
  /** $1 and on. */
  readonly args?: readonly string[];
}

export function createShell(computer: Computer, host: Host, options: ShellOptions = {}): Shell {
  const { commands = [], isInteractive = true, name = "starfish", args = [] } = options;
  const table = new Map<string, Command>();
  for (const command of [...builtinCommands(() => [...table.values()]), ...utilities, ...commands])
    table.set(command.name, command);
  const picked = rememberPicked(host);
  const terminal: SessionTerminal = {};
  const names = new Namespace(
    mounts({
      computer,
      host,
      picked,
      processes: processesOf(computer),
      terminal,
      descriptors: () => session.state.descriptors,
      commands: () => [...table.values(), ...programsOf(session, table)],
    }),
  );
  const environment = new Map([["HOME", "/"]]);
  const session: ShellSession = openSession(
    { computer, host: picked?.host ?? host, table, names },
    { name, isInteractive, environment, args, hostName: hostNameOf(computer) },
  );
  return new SessionShell({ session, names, computer, table, terminal });
}

/** Every terminal of the swarm runs this file, and those at one node a file of that node's name. */
const START_FILE = "/.starfishrc";

interface ShellParts {
  readonly session: ShellSession;
  readonly names: Namespace;
  readonly computer: Computer;
  readonly table: ReadonlyMap<string, Command>;
  /** What /dev/tty refers to while a line runs. */
  readonly terminal: SessionTerminal;
}

class SessionShell implements Shell {
  readonly session: ShellSession;
  readonly names: Namespace;
  readonly #computer: Computer;
  readonly #table: ReadonlyMap<string, Command>;
  readonly #marker: Marker;
  readonly #terminal: SessionTerminal;
  #started = false;
  #isOver = false;
  /**
   * The terminal, or its replacement. It is kept from line to line, for a job that was stopped while it was reading.
   */
  #stdin: { readonly stream: Io["stdin"]; readonly descriptor: Descriptor } | undefined;

  constructor({ session, names, computer, table, terminal }: ShellParts) {
    this.session = session;
    this.names = names;
    this.#computer = computer;
    this.#table = table;
    this.#marker = new Marker({ session, names, commands: table });
    this.#terminal = terminal;
  }

  run(line: string, io: Io, { signal }: { signal: AbortSignal }): Promise<number> {
    return this.#within(io, () => this.session.run(line, { signal }));
  }

  runInput(io: Io, { signal }: { signal: AbortSignal }): Promise<number> {
    return this.#within(io, () => this.session.runInput({ signal }));
  }

  async startUp(io: Io, { signal }: { signal: AbortSignal }): Promise<void> {
    if (this.#started) return;
    this.#started = true;
    const self = this.#computer.net.members().find(({ isSelf }) => isSelf)?.record.name;
    for (const path of [START_FILE, ...(self === undefined ? [] : [`${START_FILE}.${self}`])]) {
      const file = quote(path);
      await this.run(`if [ -f ${file} ]; then . ${file}; fi`, io, { signal });
    }
    this.session.state.status = 0;
  }

  complete(line: string, cursor: number, options: { signal: AbortSignal }): Promise<Completion> {
    const { session, names } = this;
    return complete(line, cursor, { session, names, computer: this.#computer, commands: this.#table }, options);
  }

  isIncomplete(line: string): boolean {
    return isIncomplete(line);
  }

  marks(line: string, cursor: number, onChange: () => void): readonly Mark[] {
    this.#marker.onChange = onChange;
    return this.#marker.marks(line, cursor);
  }

  signal(name: KeyboardSignal): boolean {
    return this.session.signal(name);
  }

  takeReports(): string {
    return this.session.takeReports();
  }

  async prompt(name: "PS1" | "PS2"): Promise<string | undefined> {
    const text = this.session.state.variables.get(name);
    return text === undefined ? undefined : await this.session.prompt(text);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  end(status: number): Promise<number> {
    return this.session.end(status);
  }

  async #within(io: Io, work: () => Promise<RunResult>): Promise<number> {
    const { descriptors } = this.session.state;
    if (this.#stdin?.stream !== io.stdin)
      this.#stdin = { stream: io.stdin, descriptor: new Descriptor(keyboardFile(io)) };
    await descriptors.set(0, this.#stdin.descriptor.retain());
    const [output, errors] = [
      outputFile(io.stdout, () => io.terminal.stdout, io.terminal.screen),
      outputFile(io.stderr, () => io.terminal.stderr),
    ];
    await descriptors.set(1, new Descriptor(output));
    await descriptors.set(2, new Descriptor(errors));
    const screen = io.terminal.stdout !== undefined ? output : io.terminal.stderr !== undefined ? errors : undefined;
    this.#terminal.output = screen;
    this.#terminal.input = screen === undefined ? undefined : this.#stdin.descriptor.file;
    const { status, isExit } = await processesOf(this.#computer).during(this.session, work);
    this.#marker.forget();
    this.#isOver = isExit;
    for (const number of [1, 2]) await descriptors.get(number)?.file.flush?.().catch(ignoreClosed);
    return status;
  }
}

export interface SessionParts {
  readonly computer: Computer;
  readonly host: Host;
  readonly table: ReadonlyMap<string, Command>;
  readonly names: Namespace;
}

/** A session over these trees and commands. */
export function openSession(
  parts: SessionParts,
  options: {
    readonly name: string;
    readonly isInteractive: boolean;
    readonly environment: ReadonlyMap<string, string>;
    readonly args?: readonly string[];
    readonly cwd?: string;
    readonly hostName?: string | undefined;
  },
): ShellSession {
  const { computer, table, names, host } = parts;
  const programs = host.programs && new SessionPrograms(host.programs, names, computer.clock);
  const processes = processesOf(computer);
  const running = { ...computer, processes };
  const session: ShellSession = new ShellSession({
    files: names,
    externals: {
      has: (name) => table.has(name) || programs?.has(name) === true,
      names: () => [...new Set([...table.keys(), ...(programs?.names() ?? [])])],
      run: async (call) => {
        if (table.has(call.name)) return await runCommand(call, parts, () => isForeground(session, call.process));
        return (await programs?.run(call)) ?? STATUS.notFound;
      },
      end: () => programs?.close(),
      runFile: (path, head, call) => programs?.runFile(path, head, call),
    },
    clock: computer.clock,
    random: () => fraction(computer.random.bytes(4)),
    cwd: "/",
    unknown: (name) => unknownWords(name, [...table.keys()]),
    pid: processes.newPid(),
    newPid: () => processes.newPid(),
    killProcess: (target, signal) => Promise.resolve(killOutside(target, signal, running)),
    waitProcess: (target, signal) => waitOutside(target, signal, running, session),
    ...options,
  });
  return session;
}

/** What can be called besides the shell's own commands. */
function programsOf(
  session: ShellSession,
  table: ReadonlyMap<string, Command>,
): Pick<Command, "name" | "summary" | "help">[] {
  const others = session.interpreter.externals.names().filter((name) => !table.has(name));
  return others.map((name) => ({ name, summary: "a program", help: `'${name} --help' says what it does.` }));
}

/** Whether it is not one of the background jobs. */
function isForeground({ jobs }: ShellSession, process: Process): boolean {
  const holds = (one: Process): boolean => one === process || [...one.children].some(holds);
  return !jobs.all.some((job) => job.isBackground && holds(job.process));
}

function fraction(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) / 2 ** 32;
}

async function unknownWords(name: string, known: readonly string[]): Promise<string> {
  const { hintFor } = await import("./elsewhere.ts");
  const near = suggest(name, known);
  const hint = hintFor(name) ?? (near === undefined ? "'help' lists the commands" : `did you mean '${near}'?`);
  return `${name}: there is no such command; ${hint}`;
}

function ignoreClosed(error: unknown): void {
  if (!isStarfishError(error)) throw error;
}

function inputFile(stream: AsyncIterable<Uint8Array>): OpenFile {
  let iterator: AsyncIterator<Uint8Array> | undefined;
  return {
    async read() {
      iterator ??= stream[Symbol.asyncIterator]();
      const { done, value } = await iterator.next();
      return done === true ? undefined : value;
    },
  };
}

/** The standard input of a line: the keyboard, if there is one. */
function keyboardFile({ stdin, terminal }: Io): OpenFile {
  return { ...inputFile(stdin), ...(terminal.screen === undefined ? {} : { terminal: () => terminal.stdout }) };
}

/** All output to a terminal goes through its sink. */
function outputFile(output: Output, terminal: () => TerminalInfo | undefined, screen?: ScreenSource): OpenFile {
  const sink = sinkTo(output, () => terminal() !== undefined);
  return {
    write: (bytes) => sink.write(bytes),
    print: (text) => sink.print(text),
    flush: () => sink.flush(),
    terminal,
    screen,
  };
}

async function runCommand(call: ExternalCall, parts: SessionParts, isForeground: () => boolean): Promise<number> {
  const command = parts.table.get(call.name);
  if (command === undefined) return STATUS.notFound;
  const ordered = inOrder(() => call.process.rest());
  const context = contextOf(call, parts, { isForeground, ordered });
  try {
    const wantsHelp = call.args.includes("--help") && (command.verbatim !== true || call.args.length === 1);
    if (wantsHelp) {
      await context.stdout.print(compose`${fitted(command.help.trim(), context.terminal.stdout)}\n`);
      return STATUS.ok;
    }
    const status = await command.run(context);
    // What comes next, such as the prompt, must not be written before it.
    await ordered.written();
    return status;
  } catch (error) {
    await ordered.written();
    return await report(call, error, command, context);
  }
}

async function report(
  call: ExternalCall,
  error: unknown,
  command: Command,
  { lastWords, terminal }: CommandContext,
): Promise<number> {
  // Whatever the command itself returned, it was ended.
  if (call.signal.aborted) throw cancelled(call.signal);
  if (isStarfishError(error, "cancelled")) throw error;
  if (isStarfishError(error, "closed")) return STATUS.brokenPipe;
  const isUsage = isStarfishError(error, "usage");
  const hint = isUsage ? `Try '${call.name} --help'.\n` : "";
  await lastWords.print(`${told(`${call.name}: ${messageOf(error)}`, terminal.stderr)}\n${hint}`).catch(ignoreClosed);
  return isUsage ? (command.usageStatus ?? STATUS.usage) : STATUS.failed;
}

function contextOf(
  call: ExternalCall,
  { computer, host, names }: SessionParts,
  { isForeground, ordered }: { readonly isForeground: () => boolean; readonly ordered: InOrder },
): CommandContext {
  const { descriptors, signal, process } = call;
  const guarded = async (write: () => Promise<void> | undefined): Promise<void> => {
    if (signal.aborted) throw cancelled(signal);
    await ordered.write(() => abortable(signal, write() ?? Promise.resolve()));
  };
  const output = (number: number): Sink => {
    const sink = sinkOf(descriptors.get(number));
    return { write: (bytes) => guarded(() => sink?.write(bytes)), print: (text) => guarded(() => sink?.print(text)) };
  };
  const terminalOf = (number: number): TerminalInfo | undefined => descriptors.get(number)?.file.terminal?.();
  const screen = descriptors.get(1)?.file.screen;
  const path = (operand: string): string => absolutePath(operand, call.cwd);
  const user = { signal, isForeground, turn: () => process.turn(), stop: () => process.stop() };
  return {
    computer,
    host,
    args: call.args,
    signal,
    stdin: untilAborted(descriptors.get(0)?.input(() => process.rest()) ?? empty, signal),
    stdout: output(1),
    stderr: output(2),
    lastWords: sinkOf(descriptors.get(2)) ?? nowhere,
    terminal: {
      get stdin() {
        return terminalOf(0);
      },
      get stdout() {
        return terminalOf(1);
      },
      get stderr() {
        return terminalOf(2);
      },
    },
    names,
    fullScreen: screen && (() => screen.open(user)),
    ownLines: screen && terminalOf(0) && (() => screen.openLines(user)),
    cwd: call.cwd,
    environment: call.environment,
    path,
    input: (operand) => inputOf(operand, call),
    run: (words, { stdin, stdout, environment, signal } = {}) =>
      call.run(words, {
        stdin: stdin && inputFile(stdin),
        stdout: stdout && outputFile(stdout, () => undefined),
        environment,
        signal,
      }),
  };
}

/** A command's own escape sequences reach a terminal; a pipe or a file gets the text only. */
function sinkOf(descriptor: Descriptor | undefined): Sink | undefined {
  const file = descriptor?.file;
  if (file?.write === undefined) return undefined;
  const output = { write: (bytes: Uint8Array) => file.write?.(bytes) ?? Promise.resolve() };
  return {
    ...output,
    print: (text: Text) => file.print?.(text) ?? sinkTo(output, () => false).print(text),
  };
}

const nowhere: Sink = { write: () => Promise.resolve(), print: () => Promise.resolve() };

/** A command that waits for input ends with the signal, even if the input does not. */
function untilAborted(stream: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = stream[Symbol.asyncIterator]();
      return { next: () => abortable(signal, iterator.next()) };
    },
  };
}

const empty: AsyncIterable<Uint8Array> = {
  [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }),
};

async function* inputOf(operand: string, call: ExternalCall): AsyncGenerator<Uint8Array, void, undefined> {
  if (operand === "-") {
    const stdin = call.descriptors.get(0);
    if (stdin !== undefined)
      yield* untilAborted(
        stdin.input(() => call.process.rest()),
        call.signal,
      );
    return;
  }
  const descriptor = await call.open(operand, "read");
  try {
    yield* untilAborted(
      descriptor.input(() => call.process.rest()),
      call.signal,
    );
  } finally {
    await descriptor.release();
  }
}
