/**
 * A shell session: one shell with its jobs, in which scripts and lines run one after the other. Everything outside of the
 * language (files, commands, clock) comes in through SessionOptions.
 */
import type { Assignment, CommandNode, CompoundList, ParsedScript, Redirection, Statement, Word } from "unbash";
import { cancelled, isStarfishError, StarfishError } from "../../base/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import { expandAliases } from "./aliases.ts";
import { assign } from "./assign.ts";
import { builtins } from "./builtins/index.ts";
import { encodeText } from "./bytes.ts";
import type { Descriptor } from "./descriptor.ts";
import { runCommand, runList, runStatements } from "./execute.ts";
import { ExitJump, ShellFault } from "./faults.ts";
import type { Builtin, CommandKind, Externals, Frame, Interpreter, WordsOptions } from "./frame.ts";
import { resumeForeground } from "./foreground.ts";
import { absolutePath } from "./glob.ts";
import { jobLine } from "./job-line.ts";
import { Jobs, type Job } from "./jobs.ts";
import { runInput } from "./input-script.ts";
import { invocationOf, type Invocation } from "./invoke.ts";
import { isKeyword } from "./keywords.ts";
import { PROCESSES_MAX } from "./limits.ts";
import { Process, statusOfSignal } from "./process.ts";
import { promptText } from "./prompt.ts";
import { quoteIfNeeded } from "./quoting.ts";
import { openPath, redirect } from "./redirect.ts";
import { runWords } from "./simple.ts";
import { SourceText, parseScript, templateOf, wordOf, type Script } from "./source-text.ts";
import { specialVariables } from "./special.ts";
import { OPTION_LETTERS, ShellState } from "./state.ts";
import { captureOutput, forkFrame, settle, statusOf, substituteProcess } from "./subshell.ts";
import { checkSyntax } from "./syntax.ts";
import { runAction, runExitTrap } from "./traps.ts";
import { IndexedArray } from "./variables.ts";
import type { FileAccess, OpenMode } from "./world.ts";

export interface SessionOptions {
  readonly files: FileAccess;
  readonly externals: Externals;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** $0 */
  readonly name: string;
  readonly cwd: string;
  /** $1 and on. */
  readonly args?: readonly string[];
  readonly environment?: ReadonlyMap<string, string>;
  readonly isInteractive?: boolean;
  /** What is said of a command that there is none of, after its name. */
  readonly unknown?: (name: string) => string;
  /** Faults of our own that no command can tell of. */
  readonly onFault?: (error: unknown) => void;
  /** The first process number; further ones count up. */
  readonly pid?: number;
  /** Numbers of further processes, where several sessions share them. */
  readonly newPid?: (() => number) | undefined;
  readonly waitProcess?: (target: string, signal: AbortSignal) => Promise<number | undefined>;
  /** A process of elsewhere: says what is wrong, if anything; "unknown" where there is none. */
  readonly killProcess?: (target: string, signal: string) => Promise<string | undefined>;
}

/** What runs in a session now. */
export interface RunningProcess {
  readonly process: Process;
  /** Number of the one that began it. */
  readonly parent: number;
  readonly cwd: string;
  readonly environment: ReadonlyMap<string, string>;
}

export interface RunOptions {
  /** Ends what runs now; the session stays. */
  readonly signal: AbortSignal;
  /** For `$0` in messages, and BASH_SOURCE. */
  readonly name?: string;
}

/** What came of a run. */
export interface RunResult {
  readonly status: number;
  /** `exit` was called, or a fault ended the shell. */
  readonly isExit: boolean;
}

export class ShellSession {
  readonly state: ShellState;
  readonly jobs: Jobs = new Jobs();
  readonly #options: SessionOptions;
  readonly #life = new AbortController();
  readonly #interpreter: SessionInterpreter;
  /** The process that runs in the foreground now, for signals from the keyboard. */
  #foreground: Process | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    const pid = options.pid ?? 1000;
    this.state = new ShellState({
      name: options.name,
      cwd: options.cwd,
      pid,
      isInteractive: options.isInteractive ?? false,
      special: specialVariables(() => this.state, options),
    });
    this.#interpreter = new SessionInterpreter(options, this.#life.signal, pid);
    this.state.secondsFromMs = options.clock.monotonic();
    prepare(this.state, options);
    this.state.positional = [...(options.args ?? [])];
    if (this.state.isInteractive) {
      this.state.options.add("monitor");
      this.state.shopt.set("expand_aliases", true);
    }
  }

  /** Runs a script or a line. Never rejects for what a command does. */
  run(text: string, { signal, name = "main" }: RunOptions): Promise<RunResult> {
    return this.#run(signal, (frame) => this.#interpreter.runText(text, frame, { name }));
  }

  /** Runs what comes on standard input, as far as it comes. */
  runInput({ signal }: { signal: AbortSignal }): Promise<RunResult> {
    const input = this.state.descriptors.get(0);
    return this.#run(signal, (frame) => (input === undefined ? Promise.resolve(0) : runInput(input, frame)));
  }

  /** `text` with its prompt escapes, and what it has of `$…`. */
  prompt(text: string): Promise<string> {
    return promptText(text, this.#frame(new Process(this.state.shellPid, this.#life.signal)));
  }

  async #run(signal: AbortSignal, work: (frame: Frame) => Promise<number>): Promise<RunResult> {
    const process = new Process(this.state.shellPid, AbortSignal.any([signal, this.#life.signal]));
    const frame = this.#frame(process);
    this.state.loopDepth = 0;
    const outer = this.#foreground;
    this.#foreground = process;
    try {
      this.#interpreter.adopt(frame);
      const status = await work(frame);
      if (process.signal.aborted) throw cancelled(process.signal);
      return { status, isExit: false };
    } catch (error) {
      this.#reset();
      if (error instanceof ExitJump && !process.signal.aborted)
        return { status: await runExitTrap(error.status & 0xff, frame), isExit: true };
      const status = await statusOf(error, frame);
      this.state.status =
        process.endedBy === undefined
          ? signal.aborted
            ? statusOfSignal("INT")
            : status
          : statusOfSignal(process.endedBy);
      return {
        status: this.state.status,
        isExit: error instanceof ShellFault && error.isFatal && !this.state.isInteractive,
      };
    } finally {
      this.#foreground = outer;
      process.end();
    }
  }

  /** What a line that was broken off leaves behind. */
  #reset(): void {
    this.state.loopDepth = 0;
    this.state.conditionDepth = 0;
    this.state.callDepth = 0;
    this.state.returnDepth = 0;
    this.state.calls = [];
    while (this.state.variables.depth > 1) this.state.variables.popScope();
  }

  /** Runs the EXIT trap and ends all jobs. Resolves to the session's exit status. */
  async end(status: number): Promise<number> {
    const process = new Process(this.state.shellPid, this.#life.signal);
    const frame = this.#frame(process);
    const last = await runExitTrap(status, frame).catch((error: unknown) => statusOf(error, frame));
    this.#life.abort(new StarfishError("cancelled", "The shell has ended"));
    this.#options.externals.end?.();
    await this.state.descriptors.closeAll();
    return last;
  }

  /**
   * A signal from outside. At a terminal the shell itself heeds INT only: QUIT and TSTP are for what it waits for.
   * Says whether anything runs that could take it.
   */
  signal(name: string): boolean {
    const process = this.#foreground;
    if (process === undefined) return false;
    if (!this.state.isInteractive || !KEYBOARD_ONLY.has(name)) process.kill(name);
    else for (const child of [...process.children]) child.kill(name);
    return true;
  }

  /** What is waiting to be told of jobs that have ended. */
  takeReports(): string {
    const lines: string[] = [];
    for (const job of [...this.jobs.all]) {
      if (job.status === undefined || job.isReported) continue;
      lines.push(jobLine(job, this.jobs));
      this.jobs.remove(job);
    }
    return lines.join("");
  }

  /** Subshells, stages, jobs and commands that run now. */
  get processCount(): number {
    return this.#interpreter.processCount;
  }

  get interpreter(): Interpreter {
    return this.#interpreter;
  }

  /** The shell itself first, while it runs something, or something runs in its background. */
  running(): RunningProcess[] {
    const { cwd, variables, shellPid } = this.state;
    const begun = this.#interpreter.running(shellPid);
    if (this.#foreground === undefined && begun.length === 0) return [];
    const process = this.#foreground ?? new Process(shellPid);
    return [{ process, parent: shellPid - 1, cwd, environment: variables.environment() }, ...begun];
  }

  /** Expands a prompt and the like in this shell. */
  frame(signal: AbortSignal): Frame {
    return this.#frame(new Process(this.state.shellPid, signal));
  }

  #frame(process: Process): Frame {
    const { files, clock } = this.#options;
    return {
      state: this.state,
      files,
      clock,
      process,
      jobs: this.jobs,
      signal: process.signal,
      interpreter: this.#interpreter,
      source: new SourceText(""),
    };
  }
}

/** Signals that an interactive shell itself ignores. */
const KEYBOARD_ONLY = new Set(["QUIT", "TSTP"]);

function prepare(state: ShellState, { environment, cwd, pid = 1000 }: SessionOptions): void {
  const { variables } = state;
  const set = (name: string, value: string, isExported = false): void => {
    const variable = variables.declare(name, { global: true });
    variable.value = value;
    if (isExported) variable.isExported = true;
  };
  set("IFS", " \t\n");
  set("PATH", "/bin:/usr/bin", true);
  set("PS4", "+ ");
  set("OPTIND", "1");
  set("BASH_VERSION", "5.2.0(1)-starfish");
  set("BASH", "/bin/bash");
  set("HOSTNAME", "starfish");
  set("HOSTTYPE", "wasm32");
  set("MACHTYPE", "wasm32-unknown-starfish");
  set("OSTYPE", "starfish");
  set("PPID", String(pid - 1));
  set("UID", "0");
  set("EUID", "0");
  set("SHLVL", "1", true);
  set("SHELL", "/bin/bash");
  for (const [name, value] of environment ?? []) set(name, value, true);
  set("PWD", cwd, true);
  const oldPwd = variables.declare("OLDPWD", { global: true });
  oldPwd.isExported = true;
  for (const name of ["UID", "EUID", "PPID", "BASH_VERSINFO"]) variables.declare(name, { global: true });
  variables.setWhole("BASH_VERSINFO", versionInfo());
  for (const name of ["UID", "EUID", "PPID"]) {
    const variable = variables.declare(name, { global: true });
    variable.isReadonly = true;
    variable.isInteger = true;
  }
}

function versionInfo(): IndexedArray {
  return IndexedArray.of(["5", "2", "0", "1", "starfish", "wasm32-unknown-starfish"]);
}

/** Names under which this shell itself is called. */
const SHELLS: ReadonlySet<string> = new Set(["bash", "sh"]);

class SessionInterpreter implements Interpreter {
  readonly builtins: ReadonlyMap<string, Builtin> = builtins;
  readonly externals: Externals;
  readonly #options: SessionOptions;
  readonly #life: AbortSignal;
  readonly #processes = new Map<number, Process>();
  readonly #frames = new WeakMap<Process, Frame>();
  #lastPid: number;

  constructor(options: SessionOptions, life: AbortSignal, pid: number) {
    this.#options = options;
    this.externals = options.externals;
    this.#life = life;
    this.#lastPid = pid;
  }

  wordOf(text: string): Word {
    return wordOf(text);
  }

  templateOf(text: string): Word {
    return templateOf(text);
  }

  quote(text: string): string {
    return quoteIfNeeded(text);
  }

  prompt(text: string, frame: Frame): Promise<string> {
    return promptText(text, frame);
  }

  unknown(name: string): string {
    return this.#options.unknown?.(name) ?? `${name}: command not found`;
  }

  async complain(message: string, frame: Frame): Promise<void> {
    const { state } = frame;
    const where = state.isInteractive ? "" : `line ${state.line}: `;
    const output = state.descriptors.get(2)?.output();
    try {
      await output?.write(encodeText(`${state.name}: ${where}${message}\n`));
    } catch (error) {
      if (!isStarfishError(error)) throw error;
    }
  }

  failed(error: unknown): number {
    this.#options.onFault?.(error);
    return 1;
  }

  watch(ended: Promise<number>): void {
    ended.catch((error: unknown) => this.failed(error));
  }

  newProcess(frame: Frame, options: { isDetached?: boolean; outer?: AbortSignal | undefined } = {}): Process {
    if (this.#processes.size >= PROCESSES_MAX) {
      throw new ShellFault(`fork: a shell has at most ${PROCESSES_MAX} processes at once`, {
        isFatal: true,
        status: 254,
      });
    }
    const life = options.isDetached === true ? this.#life : frame.process.signal;
    const process = new Process(
      this.#options.newPid?.() ?? ++this.#lastPid,
      options.outer === undefined ? life : AbortSignal.any([life, options.outer]),
    );
    this.#processes.set(process.pid, process);
    return process;
  }

  running(shellPid: number): RunningProcess[] {
    const parents = new Map<Process, number>();
    for (const process of this.#processes.values())
      for (const child of process.children) parents.set(child, process.pid);
    return [...this.#processes.values()].map((process) => {
      const state = this.#frames.get(process)?.state;
      return {
        process,
        parent: parents.get(process) ?? shellPid,
        cwd: state?.cwd ?? "/",
        environment: state?.variables.environment() ?? new Map<string, string>(),
      };
    });
  }

  adopt(frame: Frame): void {
    const { state, process } = frame;
    state.variables.rebind(specialVariables(() => state, this.#options));
    process.trapped = (signal) => {
      const action = state.traps.get(signal);
      if (action === undefined) return undefined;
      return action !== "";
    };
    this.#frames.set(process, frame);
  }

  get processCount(): number {
    return this.#processes.size;
  }

  ended({ process }: Frame): void {
    this.#processes.delete(process.pid);
  }

  substituted(number: number, _ended: Promise<number>, { state }: Frame): void {
    state.substituted.push(number);
  }

  async runPendingTraps(frame: Frame): Promise<void> {
    for (let name = frame.process.takePending(); name !== undefined; name = frame.process.takePending()) {
      const action = frame.state.traps.get(name);
      if (action !== undefined) await runAction(action, frame);
    }
  }

  runCommand(node: CommandNode | CompoundList, frame: Frame): Promise<void> {
    return node.type === "CompoundList" ? runList(node, frame) : runCommand(node, frame);
  }

  runStatements(statements: readonly Statement[], frame: Frame): Promise<number> {
    return runStatements(statements, frame);
  }

  runWords(words: readonly string[], frame: Frame, options: WordsOptions = {}): Promise<number> {
    return runWords(words, frame, options);
  }

  redirect(redirections: readonly Redirection[], frame: Frame): Promise<void> {
    return redirect(redirections, frame);
  }

  assign(assignment: Assignment, frame: Frame): Promise<void> {
    return assign(assignment, frame);
  }

  open(path: string, mode: OpenMode, frame: Frame): Promise<Descriptor> {
    return openPath(path, mode, frame);
  }

  async capture(script: ParsedScript | undefined, text: string, frame: Frame): Promise<string> {
    const inner = text.startsWith("`") ? (script?.source ?? text.slice(1, -1)) : text.slice(2, -1);
    const { state } = frame;
    // $(<file) is the file's content.
    const file = /^\s*<\s*[^\s<>&(|;]/.test(inner) ? onlyRedirection(inner) : undefined;
    const captured = await captureOutput(frame, async (own) => {
      if (file === undefined)
        return await this.runText(inner, own, { firstLine: state.line, isCommandSubstitution: true });
      await redirect(file, own);
      const output = own.state.descriptors.get(1)?.output();
      const input = own.state.descriptors.get(0);
      for (let piece = await input?.read(); piece !== undefined; piece = await input?.read())
        await output?.write(piece);
      return 0;
    });
    state.substitutionStatus = state.status;
    return captured;
  }

  async processSubstitution(text: string, operator: "<" | ">", frame: Frame): Promise<string> {
    const inner = text.slice(2, -1);
    return await substituteProcess(operator, frame, (own) => this.runText(inner, own, { firstLine: frame.state.line }));
  }

  async runText(
    text: string,
    frame: Frame,
    options: { name?: string; firstLine?: number; isCommandSubstitution?: boolean } = {},
  ): Promise<number> {
    const runner = new TextRunner(frame, options);
    return await runner.run(text);
  }

  runInput(input: Descriptor, frame: Frame): Promise<number> {
    return runInput(input, frame);
  }

  async runScriptFile(text: string, path: string, args: readonly string[], frame: Frame, words = ""): Promise<number> {
    const options = new Map<string, boolean>();
    for (const letter of /^-(\w+)$/.exec(words.trim())?.[1] ?? "") {
      const name = Object.hasOwn(OPTION_LETTERS, letter) ? OPTION_LETTERS[letter] : undefined;
      if (name !== undefined) options.set(name, true);
    }
    return await this.#runShell(
      { text, name: path, args, options, shopt: new Map(), isScriptFile: true, isInteractive: false },
      frame,
    );
  }

  async runShell(name: string, words: readonly string[], frame: Frame): Promise<number> {
    return await this.#runShell(await invocationOf(name, words, frame), frame);
  }

  /** A shell of its own: only what was exported comes along. */
  async #runShell(invocation: Invocation, frame: Frame): Promise<number> {
    const inner = forkFrame(frame);
    frame.process.children.add(inner.process);
    try {
      const { cwd, variables, descriptors, umask } = inner.state;
      const { name, isInteractive } = invocation;
      const fresh: ShellState = new ShellState({
        name,
        cwd,
        pid: inner.process.pid,
        isInteractive,
        special: specialVariables(() => fresh, this.#options),
      });
      prepare(fresh, { ...this.#options, cwd, environment: variables.environment() });
      fresh.variables.set({ name: "SHLVL" }, String(Number(variables.get("SHLVL") ?? 0) + 1), (text) => text);
      fresh.descriptors = descriptors;
      fresh.positional = [...invocation.args];
      fresh.isScriptFile = invocation.isScriptFile;
      fresh.isCommandLine = invocation.isCommandLine === true;
      fresh.umask = umask;
      fresh.secondsFromMs = this.#options.clock.monotonic();
      if (isInteractive) fresh.shopt.set("expand_aliases", true);
      for (const [option, isOn] of invocation.options) {
        if (isOn) fresh.options.add(option);
        else fresh.options.delete(option);
      }
      for (const [option, isOn] of invocation.shopt) fresh.shopt.set(option, isOn);
      const own: Frame = { ...inner, state: fresh };
      this.adopt(own);
      return await settle(own, (script) =>
        this.runText(invocation.text, script, { name: invocation.isScriptFile ? name : "main" }),
      );
    } finally {
      frame.process.children.delete(inner.process);
    }
  }

  async lookUp(name: string, frame: Frame, options: { path?: string } = {}): Promise<CommandKind | undefined> {
    if (name === "") return undefined;
    for await (const found of this.#inPath(name, frame, options.path)) return found;
    return undefined;
  }

  /** Where a name leads: as it is if it has a slash, else by $PATH. */
  async *#inPath(
    name: string,
    frame: Frame,
    path = frame.state.variables.get("PATH") ?? "",
  ): AsyncGenerator<CommandKind> {
    const candidates = name.includes("/")
      ? [name]
      : path.split(":").map((folder) => (folder === "" ? `./${name}` : `${folder}/${name}`));
    for (const shown of candidates) {
      const found = await this.#at(shown, frame);
      if (found !== undefined) yield found;
    }
  }

  async #at(shown: string, { files, signal, state }: Frame): Promise<CommandKind | undefined> {
    const path = absolutePath(shown, state.cwd);
    const own = /^\/(?:usr\/)?bin\/([^/]+)$/.exec(path)?.[1];
    if (own !== undefined && (SHELLS.has(own) || this.externals.has(own))) return { kind: "command", name: own, shown };
    const status = await files.stat(path, { signal });
    if (status === undefined || status.kind === "directory" || status.isExecutable === false) return undefined;
    return { kind: "file", path, shown };
  }

  async lookUpAll(name: string, frame: Frame): Promise<CommandKind[]> {
    const { state } = frame;
    const found: CommandKind[] = [];
    const alias = state.aliases.get(name);
    if (alias !== undefined && state.isSetOption("expand_aliases")) found.push({ kind: "alias", text: alias });
    if (isKeyword(name)) found.push({ kind: "keyword" });
    if (state.functions.has(name)) found.push({ kind: "function" });
    const builtin = this.builtins.get(name);
    if (builtin !== undefined) found.push({ kind: "builtin", isSpecial: builtin.isSpecial === true });
    if (name !== "") for await (const file of this.#inPath(name, frame)) found.push(file);
    return found;
  }

  describe(name: string, found: CommandKind, _frame: Frame): Promise<string> {
    const words: Record<CommandKind["kind"], string> = {
      alias: `is aliased to \`${found.kind === "alias" ? found.text : ""}'`,
      keyword: "is a shell keyword",
      function: "is a function",
      builtin: "is a shell builtin",
      command: `is ${found.kind === "command" ? found.shown : ""}`,
      file: `is ${found.kind === "file" ? found.shown : ""}`,
    };
    return Promise.resolve(`${name} ${words[found.kind]}`);
  }

  async kill(target: string, signal: string, frame: Frame): Promise<string | undefined> {
    const job = frame.jobs.find(target);
    if (job === "ambiguous") return `${target}: ambiguous job spec`;
    if (job !== undefined) {
      if (job.status !== undefined) return `(${job.process.pid}) - No such process`;
      if (signal !== "0") job.process.kill(signal);
      return undefined;
    }
    if (target.startsWith("%")) return `${target}: no such job`;
    if (/^-?\d+$/.test(target)) {
      const pid = Math.abs(Number(target));
      const process = this.#processes.get(pid) ?? (pid === frame.state.shellPid ? frame.process : undefined);
      if (process !== undefined) {
        if (signal !== "0") process.kill(signal);
        return undefined;
      }
    }
    const outside = await this.#options.killProcess?.(target, signal);
    if (this.#options.killProcess !== undefined && outside !== "unknown") return outside;
    return /^-?\d+$/.test(target) ? `(${target}) - No such process` : `${target}: arguments must be process or job IDs`;
  }

  async waitProcess(target: string, frame: Frame): Promise<number | undefined> {
    return await this.#options.waitProcess?.(target, frame.signal);
  }

  foreground(job: Job, frame: Frame): Promise<number> {
    return resumeForeground(job, frame);
  }
}

function onlyRedirection(text: string): readonly Redirection[] | undefined {
  const { statements, errors } = parseScript(new SourceText(text));
  const command = statements[0]?.command;
  if (errors.length > 0 || statements.length !== 1 || command?.type !== "Command") return undefined;
  const isBare =
    command.name === undefined &&
    command.redirects.length === 1 &&
    command.prefix.every(({ type }) => type === "Redirect");
  const [first] = command.redirects;
  return isBare && first?.type === "Redirect" && first.operator === "<" ? command.redirects : undefined;
}

/** Runs a text line by line: a fault ends its line, and a fault of syntax what comes after it. */
class TextRunner {
  readonly #frame: Frame;
  readonly #name: string;
  readonly #firstLine: number;
  readonly #isSubstitution: boolean;

  constructor(
    frame: Frame,
    {
      name,
      firstLine = 1,
      isCommandSubstitution = false,
    }: { name?: string; firstLine?: number; isCommandSubstitution?: boolean },
  ) {
    this.#frame = frame;
    this.#name = name ?? frame.source.name;
    this.#firstLine = firstLine;
    this.#isSubstitution = isCommandSubstitution;
  }

  async run(text: string): Promise<number> {
    const { state } = this.#frame;
    if (state.option("verbose") && !this.#isSubstitution) await this.#echo(text);
    let source = new SourceText(text, this.#name, this.#firstLine);
    let script = parseScript(source);
    let at = 0;
    let status = 0;
    for (let index = 0; ;) {
      if (state.isSetOption("expand_aliases") && state.aliases.size > 0) {
        const rest = this.#withAliases(source, script, index, at);
        if (rest !== undefined) ({ source, script, index } = { ...rest, index: 0 });
      }
      const unit = unitFrom(script, index);
      if (unit.length === 0 || isBroken(unit, script)) break;
      at = unit.at(-1)?.end ?? at;
      const fault = checkSyntax(unit);
      if (fault !== undefined) return await this.#syntaxFault(fault, source);
      index += unit.length;
      status = await this.#runUnit(unit, source);
    }
    const [error] = script.errors;
    if (error !== undefined) return await this.#syntaxFault(error, source);
    if (script.statements.length === 0) state.status = this.#isSubstitution ? 0 : status;
    return script.statements.length === 0 ? 0 : state.status;
  }

  async #echo(text: string): Promise<void> {
    await this.#frame.state.descriptors
      .get(2)
      ?.output()
      ?.write(encodeText(text.endsWith("\n") ? text : `${text}\n`));
  }

  /** The rest of the text with aliases expanded in its next line, where that changes it. */
  #withAliases(
    source: SourceText,
    script: Script,
    index: number,
    at: number,
  ): { source: SourceText; script: Script } | undefined {
    const unit = unitFrom(script, index);
    const [first] = unit;
    const last = unit.at(-1);
    const from = first?.pos ?? at + (/^\s*/.exec(source.text.slice(at))?.[0].length ?? 0);
    const lineEnd = source.text.indexOf("\n", Math.max(from, (last?.end ?? from) - 1));
    const end = lineEnd < 0 ? source.text.length : lineEnd;
    const line = source.text.slice(from, end);
    const expanded = expandAliases(line, this.#frame.state.aliases);
    if (expanded === line) return undefined;
    const rest = new SourceText(expanded + source.text.slice(end), source.name, source.lineAt(from));
    return { source: rest, script: parseScript(rest) };
  }

  async #syntaxFault(fault: { message: string; pos: number }, source: SourceText): Promise<number> {
    const { state, interpreter } = this.#frame;
    const { line, column } = source.placeOf(fault.pos);
    state.line = line;
    const message = `syntax error: ${fault.message} (line ${line}, column ${column})`;
    await interpreter.complain(message, this.#frame);
    state.status = 2;
    throw new ExitOrFail(2);
  }

  async #runUnit(unit: readonly Statement[], source: SourceText): Promise<number> {
    const frame: Frame = { ...this.#frame, source };
    const { state } = frame;
    try {
      const status = await runStatements(unit, frame);
      if (!frame.process.hasPending) return status;
      await frame.interpreter.runPendingTraps(frame);
      return state.status;
    } catch (error) {
      if (!(error instanceof ShellFault) || error.isFatal) throw error;
      // Only at the top of a script does the next line go on; within functions, evals and subshells all of it is left.
      if (state.subshellDepth > 0 || state.callDepth > 0 || state.returnDepth > 0) throw error;
      await frame.interpreter.complain(error.message, frame);
      state.status = error.status;
      state.loopDepth = 0;
      const isCondition = state.conditionDepth > 0;
      state.conditionDepth = 0;
      if (state.option("errexit") && !isCondition) throw new ExitJump(error.status);
      return error.status;
    }
  }
}

/** A fault of syntax: the script ends with status 2, a line at the terminal alone. */
class ExitOrFail extends ExitJump {}

/** Whether a fault of syntax lies within these statements or at their end: what the parser made of them is not all of it. */
function isBroken(unit: readonly Statement[], { errors, source }: Script): boolean {
  const [first, last] = [unit[0], unit.at(-1)];
  if (first === undefined || last === undefined) return false;
  return errors.some(({ pos }) => pos >= first.pos && source.text.slice(last.end, pos).trim() === "");
}

/** Statements that stand on one line with the first, as far as they reach. */
function unitFrom({ statements, source, errors }: Script, index: number): Statement[] {
  const unit: Statement[] = [];
  let end = -1;
  const errorLine = errors[0] === undefined ? Infinity : source.lineAt(errors[0].pos);
  for (let i = index; i < statements.length; i++) {
    const statement = statements[i];
    if (statement === undefined) break;
    if (unit.length > 0 && source.text.slice(end, statement.pos).includes("\n")) break;
    // What stands on the line of a fault of syntax does not run.
    if (source.lineAt(statement.end) >= errorLine) break;
    unit.push(statement);
    end = statement.end;
  }
  return unit;
}
