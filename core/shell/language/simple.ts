/** Simple commands: expands the words, applies redirections, and finds and runs the command. */
import type { Assignment, Command, Redirection, Word } from "unbash";
import { concat } from "../../base/bytes.ts";
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import { abortable } from "../../ports/clock.ts";
import { assign } from "./assign.ts";
import { decodeText, encodeText } from "./bytes.ts";
import { expandText, expandWords } from "./expand.ts";
import { ExitJump, ReturnJump, ShellFault } from "./faults.ts";
import type { Builtin, BuiltinCall, CommandKind, ExternalCall, ExternalRun, Frame, WordsOptions } from "./frame.ts";
import { runChild } from "./foreground.ts";
import { isBinary } from "./invoke.ts";
import { CALL_DEPTH_MAX } from "./limits.ts";
import { statusOfSignal } from "./process.ts";
import { quoteIfNeeded } from "./quoting.ts";
import { reasonOf, redirect } from "./redirect.ts";
import { wordOf } from "./source-text.ts";
import type { ShellFunction } from "./state.ts";
import { forkFrame, settle } from "./subshell.ts";
import { hideTraps, runTrap } from "./traps.ts";
import { trace } from "./trace.ts";
import { absolutePath } from "./glob.ts";
import { Descriptor } from "./descriptor.ts";

export async function runSimple(node: Command, frame: Frame): Promise<void> {
  const { state } = frame;
  noteCommand(node, frame);
  await runTrap("DEBUG", frame);
  const assignments = node.prefix.filter((one): one is Assignment => one.type === "Assignment");
  const substituted = state.substituted;
  state.substituted = [];
  try {
    await runWithWords(node, assignments, frame);
  } finally {
    const made = state.substituted;
    state.substituted = substituted;
    for (const number of made) await state.descriptors.close(number);
  }
}

/** For $BASH_COMMAND. Commands of traps are not noted: during a trap it is the command that caused it. */
export function noteCommand({ pos, end }: { pos: number; end: number }, { state, source }: Frame, text?: string): void {
  if (state.runningTraps.size > 0) return;
  state.running = { source, pos, end, ...(text === undefined ? {} : { text }) };
}

async function runWithWords(node: Command, assignments: readonly Assignment[], frame: Frame): Promise<void> {
  const { state, interpreter } = frame;
  // While words are expanded, `$?` is that of the command before. A substitution's status becomes the command's, if
  // nothing else runs.
  state.substitutionStatus = undefined;
  const declared = declarationOf(node, interpreter.builtins);
  const words =
    declared === undefined ? await expandCommand(node, frame) : await expandDeclaration(node, declared, frame);
  if (words.fields.length === 0) return await runAssignments(node, assignments, frame);
  const last = words.declarations.at(-1);
  const lastArgument =
    last !== undefined && typeof last !== "string" && last.value.type === "ArrayValue"
      ? last.name
      : (words.fields.at(-1) ?? "");
  state.lastArgument = lastArgument;
  await traceWords(words.fields, frame);
  await withRedirections(node.redirects, frame, words.fields[0] === "exec", async () => {
    await withTemporary(assignments, words.fields[0] ?? "", frame, async () => {
      state.status = await runFound(words.fields, words.declarations, frame);
      // Commands of a function or of `eval` have set it meanwhile.
      state.lastArgument = lastArgument;
    });
  });
}

interface Words {
  readonly fields: readonly string[];
  readonly declarations: readonly (string | Assignment)[];
}

async function expandCommand(node: Command, frame: Frame): Promise<Words> {
  const all: Word[] = node.name === undefined ? [] : [node.name];
  for (const arg of node.args) all.push(arg.type === "Word" ? arg : wordOf(arg.text));
  return { fields: await expandWords(all, frame), declarations: [] };
}

/** `declare`, `local`, `export`, `readonly`, also after `command` or `builtin`. */
function declarationOf(node: Command, builtins: ReadonlyMap<string, Builtin>): Builtin | undefined {
  const name = node.name?.text ?? "";
  if (name === "command" || name === "builtin") {
    const [first] = node.args;
    return first === undefined ? undefined : declaring(builtins.get(first.text));
  }
  return declaring(builtins.get(name));
}

function declaring(builtin: Builtin | undefined): Builtin | undefined {
  return builtin?.isDeclaration === true ? builtin : undefined;
}

async function expandDeclaration(node: Command, builtin: Builtin, frame: Frame): Promise<Words> {
  const fields: string[] = [node.name?.text ?? ""];
  const declarations: (string | Assignment)[] = [];
  let isPast = fields[0] === builtin.name;
  for (const arg of node.args) {
    if (arg.type === "Assignment" && isPast) {
      const value = arg.value.type === "ArrayValue" ? arg : await evaluated(arg, frame);
      declarations.push(value);
      fields.push(value.text);
      continue;
    }
    const words = await expandWords([arg.type === "Word" ? arg : wordOf(arg.text)], frame);
    fields.push(...words);
    if (isPast) declarations.push(...words);
    else if (words.includes(builtin.name)) isPast = true;
  }
  return { fields, declarations };
}

/** Values are expanded before anything is declared, so `local x=$x` means the outer variable. */
async function evaluated(assignment: Assignment, frame: Frame): Promise<Assignment> {
  if (assignment.value.type === "ArrayValue") return assignment;
  const text = await expandText(assignment.value, frame, { isAssignment: true });
  const value: Word = {
    type: "Word",
    pos: 0,
    end: 0,
    text,
    value: text,
    parts: [{ type: "SingleQuoted", pos: 0, end: 0, text, value: text }],
  };
  const sign = assignment.append === true ? "+=" : "=";
  const index = assignment.index === undefined ? "" : `[${assignment.index.text}]`;
  // The parser's nodes have getters, which a spread would lose.
  const { pos, end, name, append } = assignment;
  return {
    type: "Assignment",
    pos,
    end,
    name,
    append,
    index: assignment.index,
    value,
    text: `${name}${index}${sign}${text}`,
  };
}

async function runAssignments(node: Command, assignments: readonly Assignment[], frame: Frame): Promise<void> {
  const { state } = frame;
  // Commands in values write where the shell writes, because redirections come later.
  for (const assignment of assignments) {
    await assign(assignment, frame);
    if (state.option("xtrace")) await trace(tracedAssignment(assignment, frame), frame);
  }
  if (assignments.length > 0) state.lastArgument = "";
  const status = state.substitutionStatus ?? 0;
  await withRedirections(node.redirects, frame, false, () => {
    state.status = status;
    return Promise.resolve();
  });
}

function tracedAssignment({ name, index, append, value, text }: Assignment, { state }: Frame): string {
  if (value.type === "ArrayValue") return text;
  const at = index === undefined ? "" : `[${index.text}]`;
  return `${name}${at}${append === true ? "+=" : "="}${append === true ? quoteIfNeeded(value.value) : traced(state.variables.get(name) ?? "")}`;
}

function traced(value: string): string {
  return value === "" ? "" : quoteIfNeeded(value);
}

async function traceWords(words: readonly string[], frame: Frame): Promise<void> {
  if (frame.state.option("xtrace")) await trace(words.map(quoteIfNeeded).join(" "), frame);
}

/** A redirection that fails makes the command fail; the script goes on. */
async function withRedirections(
  redirections: readonly Redirection[],
  frame: Frame,
  isKept: boolean,
  work: () => Promise<void>,
): Promise<void> {
  if (redirections.length === 0) return await work();
  const { state } = frame;
  const saved = state.descriptors.copy();
  let isRestored = true;
  try {
    try {
      await redirect(redirections, frame);
    } catch (error) {
      if (!(error instanceof ShellFault) || error.isFatal) throw error;
      await frame.interpreter.complain(error.message, frame);
      state.status = 1;
      return;
    }
    state.isExecKept = false;
    await work();
    // The redirections of `exec >file` stay.
    isRestored = !(isKept && state.isExecKept);
  } finally {
    if (isRestored) {
      try {
        await state.descriptors.restore(saved);
      } catch (error) {
        await failedToClose(error, frame);
      }
    } else await saved.closeAll();
  }
}

/** The output could not be stored, for example because the disk is full. */
async function failedToClose(error: unknown, frame: Frame): Promise<void> {
  if (!isStarfishError(error)) throw error;
  await frame.interpreter.complain(error.message, frame);
  frame.state.status = 1;
}

/** POSIX: assignments before a special builtin stay. */
function keepsAssignments(name: string, { state, interpreter }: Frame): boolean {
  return state.option("posix") && interpreter.builtins.get(name)?.isSpecial === true;
}

async function withTemporary(
  assignments: readonly Assignment[],
  name: string,
  frame: Frame,
  work: () => Promise<void>,
): Promise<void> {
  if (assignments.length === 0) return await work();
  const { variables } = frame.state;
  if (name === "exec" || keepsAssignments(name, frame)) {
    for (const assignment of assignments) {
      await assign(assignment, frame);
      const variable = variables.find(assignment.name);
      if (variable !== undefined) variable.isExported = true;
    }
    return await work();
  }
  variables.pushScope({ isTemporary: true });
  try {
    for (const assignment of assignments) {
      const { value } = assignment;
      // Elements of arrays are not exported; of a list, commands get the text.
      if (assignment.index !== undefined) continue;
      const text =
        value.type === "ArrayValue"
          ? assignment.text.slice(assignment.text.indexOf("=") + 1)
          : await expandText(value, frame, { isAssignment: true });
      const before = assignment.append === true ? (variables.get(assignment.name) ?? "") : "";
      variables.setTemporary(assignment.name, before + text);
      if (frame.state.option("xtrace")) await trace(`${assignment.name}=${traced(before + text)}`, frame);
    }
    await work();
  } finally {
    variables.popScope();
  }
}

/** Undefined too if it is turned off. */
export function builtinOf(name: string, { state, interpreter }: Frame): Builtin | undefined {
  return state.disabled.has(name) ? undefined : interpreter.builtins.get(name);
}

async function runFound(
  fields: readonly string[],
  declarations: readonly (string | Assignment)[],
  frame: Frame,
): Promise<number> {
  const [name = "", ...args] = fields;
  frame.process.words = fields;
  const builtin = builtinOf(name, frame);
  const shellFunction = keepsAssignments(name, frame) ? undefined : frame.state.functions.get(name);
  if (shellFunction !== undefined) return await runFunction(shellFunction, args, frame);
  if (builtin !== undefined)
    return await runBuiltin(builtin, args, declarations.length > 0 ? declarations : args, frame);
  return await runExternal(name, args, frame);
}

/** Runs a command by its words, as `command`, `builtin`, `exec` and commands that run others do. */
export async function runWords(words: readonly string[], frame: Frame, options: WordsOptions = {}): Promise<number> {
  const [name = "", ...args] = words;
  frame.process.words = words;
  const shellFunction = options.isPlain === true ? undefined : frame.state.functions.get(name);
  if (shellFunction !== undefined) return await runFunction(shellFunction, args, frame);
  const builtin = builtinOf(name, frame);
  if (builtin !== undefined) return await runBuiltin(builtin, args, options.declarations ?? args, frame);
  if (options.isBuiltinOnly === true) throw new ShellFault(`${name}: not a shell builtin`);
  return await runExternal(name, args, frame, options);
}

async function runFunction(shellFunction: ShellFunction, args: readonly string[], frame: Frame): Promise<number> {
  const { state } = frame;
  if (state.callDepth >= functionDepthMax(frame)) {
    throw new ShellFault(
      `${shellFunction.name}: maximum function nesting level exceeded (${functionDepthMax(frame)})`,
      { isFatal: state.callDepth >= CALL_DEPTH_MAX },
    );
  }
  const { positional, loopDepth, line, localOptions } = state;
  state.localOptions = undefined;
  state.variables.pushFunctionScope();
  state.positional = [...args];
  state.loopDepth = 0;
  state.callDepth++;
  state.returnDepth++;
  state.calls.push({ name: shellFunction.name, file: shellFunction.source.name, line });
  const showTraps = hideTraps(state.option("functrace") || shellFunction.isTraced === true, frame);
  try {
    await runTrap("DEBUG", frame);
    await frame.interpreter.runCommand(shellFunction.body, { ...frame, source: shellFunction.source });
    return state.status;
  } catch (error) {
    if (!(error instanceof ReturnJump)) throw error;
    state.status = error.status;
    return error.status;
  } finally {
    await runTrap("RETURN", frame);
    showTraps();
    if (state.localOptions !== undefined) state.options = state.localOptions;
    state.localOptions = localOptions;
    state.calls.pop();
    state.returnDepth--;
    state.callDepth--;
    state.loopDepth = loopDepth;
    state.positional = positional;
    state.variables.popScope();
    state.line = line;
  }
}

function functionDepthMax({ state }: Frame): number {
  const own = Number(state.variables.get("FUNCNEST") ?? 0);
  return own > 0 ? Math.min(own, CALL_DEPTH_MAX) : CALL_DEPTH_MAX;
}

async function runBuiltin(
  builtin: Builtin,
  args: readonly string[],
  declarations: readonly (string | Assignment)[],
  frame: Frame,
): Promise<number> {
  const call: BuiltinCall = {
    name: builtin.name,
    args,
    declarations,
    frame,
    out: (text) => writeTo(1, text, builtin.name, frame),
    complain: (message) => frame.interpreter.complain(`${builtin.name}: ${message}`, frame),
  };
  try {
    if (args.length === 1 && args[0] === "--help" && !VERBATIM.has(builtin.name)) {
      await call.out(`${builtin.name}: ${builtin.usage}\n    ${builtin.summary}\n`);
      return 0;
    }
    const bad = STRICT.has(builtin.name) && /^--./.test(args[0] ?? "") ? args[0] : undefined;
    if (bad !== undefined) {
      await call.complain(`${bad}: invalid option\n${builtin.name}: usage: ${builtin.usage}`);
      return 2;
    }
    return await builtin.run(call);
  } catch (error) {
    if (error instanceof ShellFault && !error.isFatal && builtin.isTransparent !== true) {
      await call.complain(error.message);
      return error.status;
    }
    if (isStarfishError(error, "closed") && builtin.isTransparent !== true) return await brokenPipe(frame);
    if (isStarfishError(error) && error.code !== "cancelled" && builtin.isTransparent !== true) {
      await call.complain(error.message);
      return 1;
    }
    throw error;
  }
}

/** These take no word that begins with two dashes; the others check their options themselves. */
const STRICT = new Set([
  "alias",
  "builtin",
  "compgen",
  "disown",
  "hash",
  "printf",
  "times",
  "trap",
  "umask",
  "unalias",
]);
const VERBATIM = new Set(["echo", "test", "[", ":", "true", "false", "printf", "eval"]);

/** Nobody reads any more: SIGPIPE ends the shell that wrote, unless it has a trap for it. */
async function brokenPipe(frame: Frame): Promise<number> {
  const { state, process } = frame;
  if (state.traps.has("PIPE") || state.subshellDepth === 0) {
    if (state.traps.get("PIPE") !== "") process.kill("PIPE");
    return 1;
  }
  throw new ExitJump(statusOfSignal("PIPE"));
}

async function writeTo(number: number, text: string, name: string, frame: Frame): Promise<void> {
  if (text === "") return;
  const output = frame.state.descriptors.get(number)?.output();
  if (output === undefined) throw new ShellFault(`write error: Bad file descriptor`);
  const turn = frame.process.rest();
  if (turn !== undefined) await turn;
  await abortable(frame.signal, output.write(encodeText(text)));
}

/** How an external command is found and called. */
type ExternalOptions = Pick<WordsOptions, "path" | "shownAs">;

async function runExternal(
  name: string,
  args: readonly string[],
  frame: Frame,
  options: ExternalOptions = {},
): Promise<number> {
  const text = (): string => [name, ...args].map(quoteIfNeeded).join(" ");
  return await runChild(text, frame, (inner) => findAndRun(name, args, inner, options));
}

async function findAndRun(
  name: string,
  args: readonly string[],
  frame: Frame,
  { path, shownAs = name }: ExternalOptions,
): Promise<number> {
  const { interpreter } = frame;
  try {
    const found = await interpreter.lookUp(name, frame, path === undefined ? {} : { path });
    if (found?.kind === "command") {
      const builtin = interpreter.builtins.get(found.name);
      if (builtin !== undefined) return await runBuiltin(builtin, args, args, frame);
      if (interpreter.externals.has(found.name))
        return await interpreter.externals.run(externalCall(found.name, args, frame));
      return await interpreter.runShell(shownAs, args, frame);
    }
    if (found?.kind === "file") return await runFile(found, name, args, frame);
    return await notFound(name, args, frame);
  } catch (error) {
    if (frame.process.signal.aborted) throw error;
    if (isStarfishError(error, "closed")) return statusOfSignal("PIPE");
    if (isStarfishError(error, "cancelled")) return statusOfSignal(frame.process.endedBy);
    if (error instanceof ShellFault && !error.isFatal) {
      await interpreter.complain(`${name}: ${error.message}`, frame);
      return error.status;
    }
    throw error;
  }
}

/** The longest file name, as in other systems. */
const NAME_BYTES_MAX = 255;

async function notFound(name: string, args: readonly string[], frame: Frame): Promise<number> {
  const { state, interpreter, files, signal } = frame;
  const handle = state.functions.get("command_not_found_handle");
  if (handle !== undefined) return await runFunction(handle, [name, ...args], frame);
  if (name.includes("/")) {
    if (name.split("/").some((part) => encodeText(part).length > NAME_BYTES_MAX)) {
      await interpreter.complain(`${name}: File name too long`, frame);
      return 126;
    }
    const status = await files.stat(absolutePath(name, state.cwd), { signal });
    if (status?.kind === "directory") {
      await interpreter.complain(`${name}: Is a directory`, frame);
      return 126;
    }
    await interpreter.complain(
      status === undefined ? `${name}: No such file or directory` : `${name}: Permission denied`,
      frame,
    );
    return status === undefined ? 127 : 126;
  }
  await interpreter.complain(await interpreter.unknown(name), frame);
  return 127;
}

function externalCall(
  name: string,
  args: readonly string[],
  frame: Frame,
  streams: { stdin?: Descriptor; stdout?: Descriptor } = {},
): ExternalCall {
  const { state, process, signal } = frame;
  const descriptors = {
    get: (number: number) =>
      (number === 0 ? streams.stdin : number === 1 ? streams.stdout : undefined) ?? state.descriptors.get(number),
  };
  return {
    name,
    args,
    environment: state.variables.environment(),
    cwd: state.cwd,
    descriptors,
    signal,
    process,
    open: (path, mode) => frame.interpreter.open(path, mode, frame),
    run: (words, options) => runNested(words, options, frame),
  };
}

/** A command that another one runs: a process of its own, with the given streams and environment. */
async function runNested(words: readonly string[], options: ExternalRun, frame: Frame): Promise<number> {
  const pause = frame.process.rest();
  if (pause !== undefined) await pause;
  const process = frame.interpreter.newProcess(frame, { outer: options.signal });
  const inner = forkFrame(frame, process);
  frame.process.children.add(process);
  try {
    const { descriptors, variables } = inner.state;
    if (options.stdin !== undefined) await descriptors.set(0, new Descriptor(options.stdin));
    if (options.stdout !== undefined) await descriptors.set(1, new Descriptor(options.stdout));
    if (options.environment !== undefined) variables.setEnvironment(options.environment);
    return await settle(inner, (own) => runWords(words, own, { isPlain: true }));
  } finally {
    frame.process.children.delete(process);
  }
}

/** Bytes at a file's beginning that tell its kind. */
const HEAD_BYTES = 512;
const INTERPRETERS = /(?:^|\/)(?:ba|da|a|k|z|star)?sh$|(?:^|\/)starfish$/;

async function runFile(
  found: CommandKind & { kind: "file" },
  name: string,
  args: readonly string[],
  frame: Frame,
): Promise<number> {
  const { interpreter, files, signal } = frame;
  const file = await files.open(found.path, "read", { signal });
  let head: Uint8Array;
  const parts: Uint8Array[] = [];
  try {
    head = await readHead(file, parts);
    const run = interpreter.externals.runFile(found.path, head, externalCall(name, args, frame));
    if (run !== undefined) return await run;
    if (isBinary(head)) {
      await interpreter.complain(`${name}: cannot execute binary file: Exec format error`, frame);
      return 126;
    }
    for (let piece = await file.read?.(); piece !== undefined; piece = await file.read?.()) parts.push(piece);
  } catch (error) {
    if (!(error instanceof StarfishError)) throw error;
    if (signal.aborted) throw error;
    await interpreter.complain(`${name}: ${reasonOf(error)}`, frame);
    return 126;
  } finally {
    await file.close?.();
  }
  const text = decodeText(concat(parts));
  const [, program = "", rest = ""] = /^#!\s*(\S+)[ \t]*(.*)/.exec(text) ?? [];
  const isEnv = /(?:^|\/)env$/.test(program);
  const chosen = isEnv ? (rest.split(/\s+/).find((word) => word !== "-S") ?? "sh") : program;
  if (chosen !== "" && !INTERPRETERS.test(chosen)) {
    const options = isEnv ? rest.split(/\s+/).slice(1) : rest === "" ? [] : [rest];
    return await runExternal(chosen.split("/").at(-1) ?? chosen, [...options, found.shown, ...args], frame);
  }
  return await interpreter.runScriptFile(text, found.shown, args, frame, rest);
}

async function readHead(file: { read?(): Promise<Uint8Array | undefined> }, parts: Uint8Array[]): Promise<Uint8Array> {
  let length = 0;
  while (length < HEAD_BYTES) {
    const piece = await file.read?.();
    if (piece === undefined) break;
    parts.push(piece);
    length += piece.length;
  }
  return concat(parts);
}
