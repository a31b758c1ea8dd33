/** The words that may follow what a person has typed: commands, options, paths, members, jobs, variables. */
import type { Computer } from "../../computer.ts";
import { isStarfishError } from "../../base/errors.ts";
import { absolutePath } from "../language/glob.ts";
import type { ShellSession } from "../language/session.ts";
import { isKeyword, KEYWORDS } from "../language/keywords.ts";
import { SIGNALS } from "../language/process.ts";
import type { Namespace } from "../namespace/namespace.ts";
import { memberWords } from "../who.ts";
import type { Command } from "../types.ts";
import type { TypedWord } from "./typed-word.ts";

export interface Candidate {
  /** Replaces what is typed, without quotes. */
  readonly text: string;
  /** Whether more follows: a path in a directory, the value of an option. */
  readonly isPart: boolean;
}

export interface Sources {
  readonly computer: Computer;
  readonly commands: ReadonlyMap<string, Command>;
  readonly session: ShellSession;
  readonly names: Namespace;
}

/** Commands whose words are another command with its words. */
const CARRIERS = new Set(["xargs", "env", "timeout", "watch", "exec", "command", "builtin", "nohup", "time", "nice"]);
/** Commands whose words are names of commands. */
const ABOUT_COMMANDS = new Set(["help", "type", "command", "which", "hash", "alias", "unalias"]);
const ABOUT_VARIABLES = new Set(["unset", "export", "declare", "typeset", "readonly", "local", "read", "printenv"]);
const ABOUT_JOBS = new Set(["kill", "wait", "fg", "bg", "jobs", "disown"]);
const DIRECTORIES_ONLY = new Set(["cd", "pushd", "rmdir"]);
/** Commands of the shell whose words are not paths. */
const WITHOUT_PATHS = new Set(
  "peers ping cancel job ps top mem invite whoami name help map clear history exit send".split(" "),
);
/** Commands whose words name members. */
const WITH_MEMBERS = new Set(["ping", "send", "attach"]);
/** Names of one directory that are looked at. In a larger directory the user has to type more. */
const NAMES_MAX = 20_000;

export async function candidates(typed: TypedWord, sources: Sources, signal: AbortSignal): Promise<Candidate[]> {
  switch (typed.kind) {
    case "command":
      return await commandsOf(typed, sources, signal);
    case "argument":
      return await argumentsOf(typed, sources, signal);
    case "variable":
      return whole(sources.session.state.variables.names(typed.value));
    case "other":
      return await paths(typed, sources, signal);
    default:
      return [];
  }
}

function whole(texts: Iterable<string>): Candidate[] {
  return Array.from(texts, (text) => ({ text, isPart: false }));
}

async function commandsOf(typed: TypedWord, sources: Sources, signal: AbortSignal): Promise<Candidate[]> {
  if (typed.value.includes("/") || typed.before !== "") return await paths(typed, sources, signal);
  const names = [...commandNames(sources), ...KEYWORDS];
  return whole([...names, ...(await programs(sources, signal))]);
}

/** All names that can be called without a path. */
export function commandNames({ session, commands }: Pick<Sources, "session" | "commands">): string[] {
  const { functions, aliases } = session.state;
  return [...session.interpreter.builtins.keys(), ...functions.keys(), ...aliases.keys(), ...commands.keys()];
}

async function programs({ session, names }: Sources, signal: AbortSignal): Promise<string[]> {
  const found: string[] = [];
  for (const directory of (session.state.variables.get("PATH") ?? "").split(":")) {
    const entries = await listed(names, absolutePath(directory, session.state.cwd), signal);
    for (const { name, kind } of entries) if (kind !== "directory") found.push(name);
  }
  return found;
}

async function listed(
  names: Namespace,
  path: string,
  signal: AbortSignal,
): Promise<readonly { name: string; kind: string }[]> {
  try {
    return await names.list(path, { signal });
  } catch (error) {
    // A directory that does not exist, or can't be read now, has no candidates.
    if (!isStarfishError(error)) throw error;
    return [];
  }
}

async function argumentsOf(typed: TypedWord, sources: Sources, signal: AbortSignal): Promise<Candidate[]> {
  const { session } = sources;
  const [name = "", ...rest] = unaliased(typed.words, session);
  if (CARRIERS.has(name) && rest.every((word) => /^-|=|^[\d.]+[smhd]?$/.test(word)) && !typed.value.startsWith("-"))
    return await commandsOf(typed, sources, signal);
  const carried = CARRIERS.has(name) ? rest.findIndex((word) => !/^-|=|^[\d.]+[smhd]?$/.test(word)) : -1;
  const words = carried < 0 ? [name, ...rest] : rest.slice(carried);
  return await argumentsTo(words, typed, sources, signal);
}

async function argumentsTo(
  words: readonly string[],
  typed: TypedWord,
  sources: Sources,
  signal: AbortSignal,
): Promise<Candidate[]> {
  const [name = ""] = words;
  const { session, commands, computer } = sources;
  if (ABOUT_JOBS.has(name)) return await jobsAndProcesses(name, typed, sources, signal);
  if (ABOUT_VARIABLES.has(name) && !typed.value.startsWith("-"))
    return whole([
      ...session.state.variables.names(typed.value),
      ...(name === "unset" ? session.state.functions.keys() : []),
    ]);
  if (ABOUT_COMMANDS.has(name) && !typed.value.startsWith("-")) return await commandsOf(typed, sources, signal);
  const command = session.state.functions.has(name) ? undefined : commands.get(name);
  const isOption = typed.value.startsWith("-");
  const own = command?.complete?.([...words, typed.value], computer) ?? [];
  const fitting = own.filter((word) => word.startsWith(typed.value));
  if (isOption) return whole(fitting.length > 0 ? fitting : optionsIn(command?.help ?? ""));
  if (fitting.length > 0) return fitting.map((text) => ({ text, isPart: text.endsWith("/") }));
  if (WITH_MEMBERS.has(name)) return whole(membersFor(typed.value, computer));
  if (WITHOUT_PATHS.has(name)) return [];
  return await paths(typed, sources, signal, DIRECTORIES_ONLY.has(name));
}

/** The words with an alias in the first place replaced, if the alias consists of plain words. */
function unaliased(words: readonly string[], session: ShellSession): readonly string[] {
  const [name = "", ...rest] = words;
  const value = session.state.aliases.get(name);
  return value === undefined ? words : [...value.trim().split(/\s+/), ...rest];
}

/** The options that a help text mentions. */
function optionsIn(help: string): Set<string> {
  return new Set(help.match(/(?<![\w-])--?[A-Za-z][\w-]*/g));
}

/** Names; or ids, if the beginning of one is typed. */
function membersFor(value: string, computer: Computer): string[] {
  const members = computer.net.members().filter(({ isSelf }) => !isSelf);
  const ids = value === "" ? [] : members.map(({ record }) => record.peer).filter((id) => id.startsWith(value));
  return [...memberWords(members), ...ids];
}

async function jobsAndProcesses(
  name: string,
  typed: TypedWord,
  { session, names, computer }: Sources,
  signal: AbortSignal,
): Promise<Candidate[]> {
  if (typed.value.startsWith("-")) return whole(name === "kill" ? Object.keys(SIGNALS).map((one) => `-${one}`) : []);
  const jobs = session.jobs.all.map(({ number }) => `%${number}`);
  if (name === "fg" || name === "bg" || name === "jobs" || name === "disown") return whole(jobs);
  const pids = session.jobs.running.map(({ process }) => String(process.pid));
  const over = new Set(computer.jobs.list().flatMap(({ id, outcome }) => (outcome === undefined ? [] : [id])));
  const running = (await listed(names, "/proc", signal)).map((entry) => entry.name).filter((id) => !over.has(id));
  return whole([...jobs, ...pids, ...running]);
}

/** Paths in every mount. Directories end with a slash, so that one can go on typing. */
async function paths(
  typed: TypedWord,
  { session, names }: Sources,
  signal: AbortSignal,
  isDirectoriesOnly = false,
): Promise<Candidate[]> {
  if (typed.before === undefined) return [];
  const slash = typed.value.lastIndexOf("/");
  const directory = typed.value.slice(0, slash + 1);
  const beginning = typed.value.slice(slash + 1);
  const place = absolutePath(typed.before + directory || ".", session.state.cwd);
  const entries = await listed(names, place, signal);
  return entries
    .filter(({ name, kind }) => {
      if (!name.startsWith(beginning) || (name.startsWith(".") && !beginning.startsWith("."))) return false;
      return kind === "directory" || !isDirectoriesOnly;
    })
    .slice(0, NAMES_MAX)
    .map(({ name, kind }) => {
      const isPart = kind === "directory";
      return { text: `${directory}${name}${isPart ? "/" : ""}`, isPart };
    });
}

/** Whether a name is a command, as far as that can be told without asking anybody. */
export function isKnownCommand(name: string, { session, commands }: Pick<Sources, "session" | "commands">): boolean {
  const { functions, aliases } = session.state;
  return (
    isKeyword(name) ||
    session.interpreter.builtins.has(name) ||
    functions.has(name) ||
    aliases.has(name) ||
    commands.has(name)
  );
}
