/** Runs the commands of a session: its processes, finding commands, and shells within the shell. */
import type { Assignment, CommandNode, CompoundList, ParsedScript, Redirection, Statement } from "unbash";
import { isStarfishError } from "../../base/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import { told } from "../format.ts";
import { assign } from "./assign.ts";
import { builtins } from "./builtins/index.ts";
import { encodeText } from "./bytes.ts";
import type { Descriptor } from "./descriptor.ts";
import { runCommand, runList, runStatements } from "./execute.ts";
import { ShellFault } from "./faults.ts";
import type { Builtin, CommandKind, Externals, Frame, Interpreter, WordsOptions } from "./frame.ts";
import { resumeForeground } from "./foreground.ts";
import { absolutePath } from "./glob.ts";
import { type Job } from "./jobs.ts";
import { runInput } from "./input-script.ts";
import { invocationOf, type Invocation } from "./invoke.ts";
import { isKeyword } from "./keywords.ts";
import { HASHED_MAX, PROCESSES_MAX } from "./limits.ts";
import { Process } from "./process.ts";
import { promptText } from "./prompt.ts";
import { openPath, redirect } from "./redirect.ts";
import { builtinOf, runWords } from "./simple.ts";
import { SourceText, parseScript } from "./source-text.ts";
import { specialVariables } from "./special.ts";
import { OPTION_LETTERS, ShellState } from "./state.ts";
import { captureOutput, forkFrame, settle, substituteProcess } from "./subshell.ts";
import { runAction } from "./traps.ts";
import type { FileAccess, OpenMode } from "./world.ts";
import { setFirstVariables } from "./first-variables.ts";
import { TextRunner } from "./text-runner.ts";
import { turns } from "./turns.ts";

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
  /** The message about an unknown command, after its name. */
  readonly unknown?: (name: string) => Promise<string>;
  /** Told of bugs of ours that no command can report. */
  readonly onFault?: (error: unknown) => void;
  /** $HOSTNAME */
  readonly hostName?: string | undefined;
  /** The number of the first process; further ones count up. */
  readonly pid?: number;
  /** Gives the numbers of further processes, if several sessions share them. */
  readonly newPid?: (() => number) | undefined;
  readonly waitProcess?: (target: string, signal: AbortSignal) => Promise<number | undefined>;
  /** Signals a process of elsewhere. Returns what is wrong, if anything; "unknown" if there is no such process. */
  readonly killProcess?: (target: string, signal: string) => Promise<string | undefined>;
}

/** Something that runs in a session now. */
export interface RunningProcess {
  readonly process: Process;
  /** The number of the process that started it. */
  readonly parent: number;
  readonly cwd: string;
  readonly environment: ReadonlyMap<string, string>;
}

/** Builtins that POSIX has as files too: `/bin/echo`, `env true`. */
const ALSO_FILES: ReadonlySet<string> = new Set(["[", "echo", "false", "kill", "printf", "pwd", "test", "true"]);

/** Names by which this shell itself is called. */
const SHELLS: ReadonlySet<string> = new Set(["bash", "sh"]);

export class SessionInterpreter implements Interpreter {
  readonly builtins: ReadonlyMap<string, Builtin> = builtins;
  readonly externals: Externals;
  readonly #options: SessionOptions;
  readonly #life: AbortSignal;
  readonly #processes = new Map<number, Process>();
  /** Background processes that a subshell has started, which may go on without it. */
  readonly #orphans = new Set<Process>();
  readonly #frames = new WeakMap<Process, Frame>();
  #lastPid: number;

  constructor(options: SessionOptions, life: AbortSignal, pid: number) {
    this.#options = options;
    this.externals = options.externals;
    this.#life = life;
    this.#lastPid = pid;
  }

  prompt(text: string, frame: Frame): Promise<string> {
    return promptText(text, frame);
  }

  async unknown(name: string): Promise<string> {
    return (await this.#options.unknown?.(name)) ?? `${name}: command not found`;
  }

  async complain(message: string, frame: Frame): Promise<void> {
    const { state } = frame;
    const where = state.isInteractive ? "" : `line ${state.line}: `;
    const descriptor = state.descriptors.get(2);
    const words = told(`${state.name}: ${where}${message}`, descriptor?.file.terminal?.());
    try {
      await descriptor?.output()?.write(encodeText(`${words}\n`));
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
      // Otherwise those of a fork bomb would take each place that becomes free, for ever.
      for (const orphan of this.#orphans) orphan.kill("KILL");
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
    process.pause = () => turns.due(this.#options.clock);
    this.#processes.set(process.pid, process);
    if (options.isDetached === true && frame.state.subshellDepth > 0) this.#orphans.add(process);
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
    process.pause = () => turns.due(this.#options.clock);
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
    this.#orphans.delete(process);
  }

  async runPendingTraps(frame: Frame): Promise<void> {
    for (let name = frame.process.takePending(); name !== undefined; name = frame.process.takePending()) {
      const action = frame.state.traps.get(name);
      if (action !== undefined) await runAction(name, action, frame);
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
    // $(<file) is the content of the file.
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

  /** A shell of its own, which inherits only what was exported. */
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
      setFirstVariables(fresh, { ...this.#options, cwd, environment: variables.environment() });
      fresh.variables.set({ name: "SHLVL" }, String(Number(variables.get("SHLVL") ?? 0) + 1), (text) => text);
      fresh.descriptors = descriptors;
      for (const [own, one] of inner.state.functions) if (one.isExported === true) fresh.functions.set(own, one);
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
    const { state } = frame;
    const isHashed = options.path === undefined && !name.includes("/") && state.option("hashall");
    const { hashed } = state;
    const path = state.variables.get("PATH") ?? "";
    if (state.hashedPath !== path) hashed.clear();
    state.hashedPath = path;
    const known = isHashed ? hashed.get(name) : undefined;
    const again = known && (await this.#at(known.path, frame));
    if (known !== undefined && again !== undefined) {
      known.hits++;
      return again;
    }
    for await (const found of this.#inPath(name, frame, options.path)) {
      if (isHashed && "shown" in found && hashed.size < HASHED_MAX) hashed.set(name, { path: found.shown, hits: 1 });
      return found;
    }
    return undefined;
  }

  /** The paths that a name may mean: the name itself if it has a slash, else by $PATH. */
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
    if (own !== undefined && (SHELLS.has(own) || ALSO_FILES.has(own) || this.externals.has(own)))
      return { kind: "command", name: own, shown };
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
    const builtin = builtinOf(name, frame);
    if (builtin !== undefined) found.push({ kind: "builtin", isSpecial: builtin.isSpecial === true });
    if (name !== "") for await (const file of this.#inPath(name, frame)) found.push(file);
    return found;
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
