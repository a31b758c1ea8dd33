/** The state of one shell: variables, functions, options, descriptors. A subshell begins with a copy. */
import type { CompoundCommand, CompoundList, Redirected } from "unbash";
import { Descriptors } from "./descriptor.ts";
import type { SourceText } from "./source-text.ts";
import { IndexedArray, Variables, type SpecialVariable } from "./variables.ts";

export interface ShellFunction {
  readonly name: string;
  readonly body: CompoundCommand | Redirected | CompoundList;
  /** The script in which it was defined. */
  readonly source: SourceText;
  /** The text of its body, for `declare -f` and `type`. */
  readonly text: string;
  readonly line: number;
  /** Whether shells that this one starts have it too (`export -f`). */
  isExported?: boolean;
  /** Whether it has the DEBUG and RETURN traps (`declare -ft`). */
  isTraced?: boolean;
}

/** The names for `set -o` by their letters. */
export const OPTION_LETTERS: Readonly<Record<string, string>> = {
  a: "allexport",
  B: "braceexpand",
  b: "notify",
  C: "noclobber",
  E: "errtrace",
  e: "errexit",
  f: "noglob",
  H: "histexpand",
  h: "hashall",
  k: "keyword",
  m: "monitor",
  n: "noexec",
  P: "physical",
  p: "privileged",
  T: "functrace",
  t: "onecmd",
  u: "nounset",
  v: "verbose",
  x: "xtrace",
};

/** `set -o` names without a letter. */
export const OPTION_NAMES: readonly string[] = [
  ...Object.values(OPTION_LETTERS),
  "emacs",
  "history",
  "ignoreeof",
  "interactive-comments",
  "nolog",
  "pipefail",
  "posix",
  "vi",
].sort();

/** `shopt` names with their defaults in a script. */
export const SHOPT_DEFAULTS: Readonly<Record<string, boolean>> = {
  autocd: false,
  cdable_vars: false,
  checkhash: false,
  checkwinsize: true,
  cmdhist: true,
  complete_fullquote: true,
  dotglob: false,
  execfail: false,
  expand_aliases: false,
  extdebug: false,
  extglob: true,
  extquote: true,
  failglob: false,
  force_fignore: true,
  globasciiranges: true,
  globskipdots: true,
  globstar: false,
  histappend: false,
  histreedit: false,
  histverify: false,
  hostcomplete: true,
  huponexit: false,
  inherit_errexit: false,
  lastpipe: false,
  lithist: false,
  localvar_inherit: false,
  localvar_unset: false,
  login_shell: false,
  nocaseglob: false,
  nocasematch: false,
  noexpand_translation: false,
  nullglob: false,
  patsub_replacement: true,
  progcomp: true,
  promptvars: true,
  shift_verbose: false,
  sourcepath: true,
  varredir_close: false,
  xpg_echo: false,
};

/** One function call, `source` or script: what FUNCNAME, BASH_SOURCE, BASH_LINENO and `caller` show. */
export interface Call {
  readonly name: string;
  readonly file: string;
  /** The line of the call. */
  readonly line: number;
}

export interface ShellStateOptions {
  readonly name: string;
  readonly cwd: string;
  readonly pid: number;
  readonly special?: Map<string, SpecialVariable>;
  readonly isInteractive?: boolean;
}

export class ShellState {
  variables: Variables;
  functions: Map<string, ShellFunction> = new Map();
  aliases: Map<string, string> = new Map();
  options: Set<string> = new Set(["braceexpand", "hashall", "interactive-comments"]);
  /** The options as they were when the running function called `local -`; it restores them. */
  localOptions: Set<string> | undefined;
  shopt: Map<string, boolean> = new Map(Object.entries(SHOPT_DEFAULTS));
  descriptors: Descriptors = new Descriptors();
  positional: string[] = [];
  name: string;
  cwd: string;
  directoryStack: string[] = [];
  umask = 0o022;
  traps: Map<string, string> = new Map();
  /** The traps of the shell of which this is a copy; `trap` shows them until this one sets its own. */
  outerTraps: ReadonlyMap<string, string> | undefined;
  calls: Call[] = [];
  status = 0;
  pipeStatus: number[] = [0];
  /** $$, which is the same in subshells. */
  readonly shellPid: number;
  /** $BASHPID, which differs in each subshell. */
  pid: number;
  lastBackgroundPid: number | undefined;
  line = 1;
  /** The time from which $SECONDS counts, monotonic ms. */
  secondsFromMs = 0;
  subshellDepth = 0;
  loopDepth = 0;
  /** How deep the shell is within `if`, `while`, `!`, `&&` and `||`, where errexit has no effect. */
  conditionDepth = 0;
  callDepth = 0;
  isInteractive: boolean;
  /** How many functions and sourced files are running; `return` is valid in them. */
  returnDepth = 0;
  getoptsAt: { index: number; within: number } = { index: 1, within: 0 };
  lastArgument = "";
  /** The command that runs, or ran last. */
  running:
    | { readonly source: SourceText; readonly pos: number; readonly end: number; readonly text?: string }
    | undefined;
  /** Traps whose actions run now, by name. */
  runningTraps: ReadonlySet<string> = new Set();
  /** Whether a file is run (which is on the stack of calls), and not a line or standard input. */
  isScriptFile = false;
  /** Whether it was started by `-c`. */
  isCommandLine = false;
  /** Where commands were found, and how often, by name; $PATH was `hashedPath` then. */
  hashed: Map<string, { readonly path: string; hits: number }> = new Map();
  hashedPath = "";
  /** Builtins that are turned off (`enable -n`). */
  disabled: Set<string> = new Set();
  /** Descriptors of process substitutions that the running command has made. */
  substituted: number[] = [];
  /** Status of the last command substitution of the running command. */
  substitutionStatus: number | undefined;
  /** Whether `exit` has warned of stopped jobs. */
  isWarnedOfJobs = false;
  /** Whether `exec` without a command has been run, whose redirections stay. */
  isExecKept = false;

  constructor(options: ShellStateOptions) {
    this.variables = new Variables(options.special);
    this.name = options.name;
    this.cwd = options.cwd;
    this.shellPid = options.pid;
    this.pid = options.pid;
    this.isInteractive = options.isInteractive ?? false;
  }

  option(name: string): boolean {
    return this.options.has(name);
  }

  isSetOption(name: string): boolean {
    return this.shopt.get(name) ?? false;
  }

  /** Whether LC_ALL, LC_CTYPE or LANG says C, where bytes are characters. Otherwise text is UTF-8. */
  get isByteLocale(): boolean {
    const { variables } = this;
    const locale = [variables.get("LC_ALL"), variables.get("LC_CTYPE"), variables.get("LANG")].find(
      (name) => name !== undefined && name !== "",
    );
    return locale === "C" || locale === "POSIX";
  }

  /** The state of a subshell at its beginning. Traps are reset, except those that ignore a signal. */
  fork(pid: number): ShellState {
    const copy = new ShellState({
      name: this.name,
      cwd: this.cwd,
      pid: this.shellPid,
      isInteractive: this.isInteractive,
    });
    copy.variables = this.variables.copy();
    copy.functions = new Map(this.functions);
    copy.aliases = new Map(this.aliases);
    copy.options = new Set(this.options);
    copy.shopt = new Map(this.shopt);
    copy.descriptors = this.descriptors.copy();
    copy.positional = [...this.positional];
    copy.directoryStack = [...this.directoryStack];
    copy.umask = this.umask;
    copy.outerTraps = this.outerTraps ?? this.traps;
    for (const [signal, action] of this.traps) {
      const isKept =
        action === "" ||
        (signal === "ERR" && this.option("errtrace")) ||
        ((signal === "DEBUG" || signal === "RETURN") && this.option("functrace"));
      if (isKept) copy.traps.set(signal, action);
    }
    copy.calls = [...this.calls];
    copy.status = this.status;
    copy.pipeStatus = [...this.pipeStatus];
    copy.pid = pid;
    copy.lastBackgroundPid = this.lastBackgroundPid;
    copy.line = this.line;
    copy.secondsFromMs = this.secondsFromMs;
    copy.subshellDepth = this.subshellDepth + 1;
    copy.loopDepth = this.loopDepth;
    copy.conditionDepth = this.conditionDepth;
    copy.callDepth = this.callDepth;
    copy.returnDepth = this.returnDepth;
    copy.getoptsAt = { ...this.getoptsAt };
    copy.lastArgument = this.lastArgument;
    copy.isScriptFile = this.isScriptFile;
    copy.running = this.running;
    copy.hashed = new Map([...this.hashed].map(([name, one]) => [name, { ...one }]));
    copy.hashedPath = this.hashedPath;
    copy.disabled = new Set(this.disabled);
    return copy;
  }

  setPipeStatus(statuses: readonly number[]): void {
    this.pipeStatus = [...statuses];
  }

  /** $- */
  get flags(): string {
    const letters = Object.entries(OPTION_LETTERS).filter(([, name]) => this.options.has(name));
    const order = "abefhkmnptuvxBCEHPTi";
    const set = letters.map(([letter]) => letter).sort((a, b) => order.indexOf(a) - order.indexOf(b));
    return set.join("") + (this.isInteractive ? "i" : "") + (this.isCommandLine ? "c" : "");
  }
}

/** An array as the value of a special variable. */
export function arrayOf(values: readonly string[]): IndexedArray {
  return IndexedArray.of(values);
}
