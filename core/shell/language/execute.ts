/** Runs the statements of a script: lists, pipes, compound commands (bash manual, "Shell Commands"). */
import type {
  AndOr,
  ArithmeticExpression,
  ArithmeticFor,
  Case,
  CommandNode,
  CompoundList,
  For,
  Function as FunctionNode,
  If,
  Pipeline,
  PipelineNode,
  Redirected,
  Select,
  Statement,
  Subshell,
  While,
} from "unbash";
import { expandPieces, expandText, expandWords, evaluateText } from "./expand.ts";
import { encodeText } from "./bytes.ts";
import { runConditional } from "./conditional.ts";
import { ExitJump, LoopJump, ShellFault } from "./faults.ts";
import { runForeground, say } from "./foreground.ts";
import type { Frame } from "./frame.ts";
import { patternTest } from "./pattern.ts";
import { runPipeline } from "./pipeline.ts";
import { redirect } from "./redirect.ts";
import { noteCommand, runSimple } from "./simple.ts";
import { startJob, runSubshell } from "./subshell.ts";
import { select } from "./select.ts";
import { runTrap } from "./traps.ts";
import { testText } from "./function-text.ts";
import { trace } from "./trace.ts";
import { turns } from "./turns.ts";

export async function runStatements(statements: readonly Statement[], frame: Frame): Promise<number> {
  for (const statement of statements) await runStatement(statement, frame);
  return frame.state.status;
}

async function runStatement({ command, background, pos, end }: Statement, frame: Frame): Promise<void> {
  const { state, source } = frame;
  if (state.option("noexec") && !state.isInteractive) return;
  if (background !== true) {
    await runNode(command, frame);
    return;
  }
  await beforeCommand(frame);
  state.line = source.lineAt(pos);
  const text = source.text.slice(pos, end).replace(/\s*&\s*$/, "");
  const job = startJob(text, frame, async (inner) => {
    // `( … ) &` is one process with traps of its own.
    if (command.type === "Subshell") await runList(command.body, inner);
    else await runNode(command, inner);
    return inner.state.status;
  });
  if (state.isInteractive && state.subshellDepth === 0) await say(`[${job.number}] ${job.process.pid}\n`, frame);
  state.status = 0;
}

async function runNode(node: PipelineNode | AndOr, frame: Frame): Promise<void> {
  await beforeCommand(frame);
  if (node.type === "AndOr") await runAndOr(node, frame);
  else if (node.type === "Pipeline") await runPipes(node, frame);
  else await runCommand(node, frame);
}

/** Before each command the shell handles signals, waits while it is stopped, and lets others have their turn. */
async function beforeCommand(frame: Frame): Promise<void> {
  const { process, signal } = frame;
  if (process.isStopped) await process.goesOn();
  if (signal.aborted) throw new ExitJump(frame.state.status);
  if (process.hasPending) await frame.interpreter.runPendingTraps(frame);
  const pause = turns.due(frame.clock);
  if (pause !== undefined) await pause;
}

async function runAndOr({ commands, operators }: AndOr, frame: Frame): Promise<void> {
  const { state } = frame;
  for (const [i, command] of commands.entries()) {
    const operator = i === 0 ? undefined : operators[i - 1];
    if (operator === "&&" && state.status !== 0) continue;
    if (operator === "||" && state.status === 0) continue;
    if (i === commands.length - 1) await runNode(command, frame);
    else await inCondition(frame, () => runNode(command, frame));
  }
}

/** Inside, a failure is a result and does not end the shell. */
async function inCondition<T>({ state }: Frame, work: () => Promise<T>): Promise<T> {
  state.conditionDepth++;
  try {
    return await work();
  } finally {
    state.conditionDepth--;
  }
}

async function runPipes(node: Pipeline, frame: Frame): Promise<void> {
  const { state } = frame;
  const negations = node.prefixes.filter(({ type }) => type === "Negation").length;
  const time = node.prefixes.find((prefix) => prefix.type === "Time");
  const run = async (): Promise<void> => {
    if (node.commands.length > 1) {
      const text = (): string => frame.source.text.slice(node.pos, node.end);
      state.status = await runForeground(text, frame, (inner) => runPipeline(node, inner, runCommand));
      if (negations === 0) await checkFailure(frame);
    } else for (const command of node.commands) await runCommand(command, frame);
  };
  const begun = frame.clock.monotonic();
  if (negations > 0) await inCondition(frame, run);
  else await run();
  if (negations % 2 === 1) state.status = state.status === 0 ? 1 : 0;
  if (time !== undefined) await reportTime(frame.clock.monotonic() - begun, time.posix !== undefined, frame);
}

async function reportTime(elapsedMs: number, isPosix: boolean, frame: Frame): Promise<void> {
  const { variables, descriptors } = frame.state;
  const format = isPosix
    ? "real %2R\nuser %2U\nsys %2S"
    : (variables.get("TIMEFORMAT") ?? "\nreal\t%3lR\nuser\t%3lU\nsys\t%3lS");
  if (format === "") return;
  await descriptors
    .get(2)
    ?.output()
    ?.write(encodeText(`${timeText(format, elapsedMs / 1000)}\n`));
}

/** $TIMEFORMAT: `%[digits][l]R` and U, S, P. Processor time is not known here. */
function timeText(format: string, seconds: number): string {
  return format.replaceAll(
    /%(%|([0-3]?)(l?)([RUSP]))/g,
    (_, what: string, digits: string, long: string, of: string) => {
      if (what === "%") return "%";
      const value = of === "R" ? seconds : 0;
      const places = digits === "" ? 3 : Number(digits);
      if (of === "P") return "0.00";
      return long === "" ? value.toFixed(places) : `${Math.floor(value / 60)}m${(value % 60).toFixed(places)}s`;
    },
  );
}

/** errexit and the ERR trap, after a failure that no condition has tested. */
async function checkFailure(frame: Frame, hadTrap = true): Promise<void> {
  const { state } = frame;
  if (state.status === 0 || state.conditionDepth > 0) return;
  if (hadTrap) await runTrap("ERR", frame);
  if (state.option("errexit")) throw new ExitJump(state.status);
}

/** For $PIPESTATUS, one command is a pipe of one stage; commands that contain others leave what those have set. */
async function afterCommand(frame: Frame, hadTrap: boolean): Promise<void> {
  frame.state.setPipeStatus([frame.state.status]);
  await checkFailure(frame, hadTrap);
}

export async function runCommand(node: CommandNode, frame: Frame): Promise<void> {
  const { state, source } = frame;
  // A trap that the command itself sets is not run for it.
  const hadTrap = state.traps.has("ERR");
  switch (node.type) {
    case "Command":
      state.line = source.lineAt(node.pos);
      await runSimple(node, frame);
      return await afterCommand(frame, hadTrap);
    case "Redirected":
      return await runRedirected(node, frame);
    case "Function":
      return defineFunction(node, frame);
    case "Subshell":
      state.line = source.lineAt(node.pos);
      await runParenthesized(node, frame);
      return await afterCommand(frame, hadTrap);
    case "TestCommand":
    case "ArithmeticCommand":
      state.line = source.lineAt(node.pos);
      await runTest(node, frame);
      return await afterCommand(frame, hadTrap);
    case "Coproc":
      throw new ShellFault("coproc is not supported here");
    default:
      return await runCompound(node, frame);
  }
}

async function runCompound(
  node: Exclude<
    CommandNode,
    { type: "Command" | "Redirected" | "Function" | "Subshell" | "TestCommand" | "ArithmeticCommand" | "Coproc" }
  >,
  frame: Frame,
): Promise<void> {
  switch (node.type) {
    case "BraceGroup":
      return await runList(node.body, frame);
    case "If":
      return await runIf(node, frame);
    case "While":
      return await runWhile(node, frame);
    case "For":
      return await runFor(node, frame);
    case "ArithmeticFor":
      return await runArithmeticFor(node, frame);
    case "Case":
      return await runCase(node, frame);
    case "Select":
      return await runSelect(node, frame);
    default:
      return node satisfies never;
  }
}

export async function runList({ commands }: CompoundList, frame: Frame): Promise<void> {
  await runStatements(commands, frame);
}

async function runRedirected({ command, redirects }: Redirected, frame: Frame): Promise<void> {
  const { state } = frame;
  const saved = state.descriptors.copy();
  try {
    try {
      state.line = frame.source.lineAt(command.pos);
      await redirect(redirects, frame);
    } catch (error) {
      if (!(error instanceof ShellFault)) throw error;
      await frame.interpreter.complain(error.message, frame);
      state.status = 1;
      return await checkFailure(frame);
    }
    await runCommand(command, frame);
  } finally {
    await state.descriptors.restore(saved);
  }
}

async function runTest(
  node: Extract<CommandNode, { type: "TestCommand" | "ArithmeticCommand" }>,
  frame: Frame,
): Promise<void> {
  const { state } = frame;
  noteCommand(node, frame, node.type === "TestCommand" ? testText(node.expression) : undefined);
  await runTrap("DEBUG", frame);
  try {
    if (node.type === "ArithmeticCommand") {
      await trace(`((${node.body}))`, frame);
      state.status = (await evaluateText(node.body, frame)) === 0n ? 1 : 0;
      return;
    }
    await trace(frame.source.text.slice(node.pos, node.end), frame);
    state.status = (await runConditional(node.expression, frame)) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof ShellFault) || error.isFatal) throw error;
    await frame.interpreter.complain(`${node.type === "ArithmeticCommand" ? "((: " : ""}${error.message}`, frame);
    state.status = error.status;
  }
}

function defineFunction(node: FunctionNode, { state, source, interpreter }: Frame): void {
  const name = node.name.text;
  if (state.option("posix") && interpreter.builtins.get(name)?.isSpecial === true)
    throw new ShellFault(`\`${name}': is a special builtin`, { isFatal: true, status: 2 });
  const text = source.text.slice(node.body.pos, node.body.end);
  state.functions.set(name, { name, body: node.body, source, text, line: source.lineAt(node.pos) });
  state.status = 0;
}

async function runIf(node: If, frame: Frame): Promise<void> {
  const { state } = frame;
  for (const branch of [node, ...node.elif]) {
    await inCondition(frame, () => runList(branch.clause, frame));
    if (state.status === 0) return await runList(branch.then, frame);
  }
  state.status = 0;
  if (node.else !== undefined) await runList(node.else, frame);
}

/** Runs a loop's body. Returns whether the loop goes on. */
async function runBody(body: CompoundList, frame: Frame): Promise<boolean> {
  await beforeCommand(frame);
  try {
    await runList(body, frame);
    return true;
  } catch (error) {
    if (!(error instanceof LoopJump)) throw error;
    if (--error.levels > 0 && frame.state.loopDepth > 1) throw error;
    frame.state.status = 0;
    return error.kind === "continue";
  }
}

async function inLoop(frame: Frame, work: () => Promise<void>): Promise<void> {
  frame.state.loopDepth++;
  try {
    await work();
  } finally {
    frame.state.loopDepth--;
  }
}

async function runWhile({ kind, clause, body }: While, frame: Frame): Promise<void> {
  const { state } = frame;
  let status = 0;
  await inLoop(frame, async () => {
    for (;;) {
      let goesOn: boolean;
      try {
        await inCondition(frame, () => runList(clause, frame));
        goesOn = true;
      } catch (error) {
        if (!(error instanceof LoopJump)) throw error;
        if (--error.levels > 0 && state.loopDepth > 1) throw error;
        if (error.kind === "break") return;
        goesOn = false;
      }
      if (!goesOn) continue;
      if ((state.status === 0) !== (kind === "while")) return;
      goesOn = await runBody(body, frame);
      status = state.status;
      if (!goesOn) return;
    }
  });
  state.status = status;
}

async function runFor(node: For, frame: Frame): Promise<void> {
  const { state, source } = frame;
  const name = node.name.text;
  if (!/^[A-Za-z_]\w*$/.test(name)) throw new ShellFault(`\`${name}': not a valid identifier`);
  const words = node.wordlist === undefined ? [...state.positional] : await expandWords(node.wordlist, frame);
  state.status = 0;
  await inLoop(frame, async () => {
    for (const word of words) {
      state.line = source.lineAt(node.pos);
      const variable = state.variables.raw(name);
      // If the loop's variable is a reference, it refers to each word in turn.
      if (variable?.isReference === true) variable.value = word;
      else state.variables.set({ name }, word, (text) => text);
      if (state.option("xtrace") || state.traps.has("DEBUG")) {
        const text = `for ${name} in ${node.wordlist?.map((each) => each.text).join(" ") ?? '"$@"'}`;
        noteCommand(node, frame, text);
        await runTrap("DEBUG", frame);
        await trace(text, frame);
      }
      if (!(await runBody(node.body, frame))) return;
    }
  });
}

async function runArithmeticFor(node: ArithmeticFor, frame: Frame): Promise<void> {
  const { state } = frame;
  const evaluate = async (expression: ArithmeticExpression | undefined, standard: bigint): Promise<bigint> => {
    if (expression === undefined) return standard;
    frame.state.line = frame.source.lineAt(node.pos);
    const text = frame.source.text.slice(expression.pos, expression.end);
    noteCommand(expression, frame, `((${text}))`);
    await runTrap("DEBUG", frame);
    return await evaluateText(text, frame);
  };
  try {
    await evaluate(node.initialize, 0n);
    let status = 0;
    await inLoop(frame, async () => {
      while ((await evaluate(node.test, 1n)) !== 0n) {
        const goesOn = await runBody(node.body, frame);
        status = state.status;
        if (!goesOn) return;
        await evaluate(node.update, 0n);
      }
    });
    state.status = status;
  } catch (error) {
    if (!(error instanceof ShellFault) || error.isFatal) throw error;
    await frame.interpreter.complain(`((: ${error.message}`, frame);
    state.status = 1;
  }
}

async function runCase({ word, items }: Case, frame: Frame): Promise<void> {
  const { state } = frame;
  state.line = frame.source.lineAt(word.pos);
  noteCommand(word, frame, `case ${word.text} in `);
  await runTrap("DEBUG", frame);
  const text = await expandText(word, frame);
  const options = { extglob: true, ignoreCase: state.isSetOption("nocasematch") };
  state.status = 0;
  let falls = false;
  for (const { pattern, body, terminator } of items) {
    let matches = falls;
    for (const one of matches ? [] : pattern) {
      if (!patternTest(await expandPieces(one, frame), options)(text)) continue;
      matches = true;
      break;
    }
    if (!matches) continue;
    await runList(body, frame);
    if (terminator !== ";&" && terminator !== ";;&") return;
    falls = terminator === ";&";
  }
}

async function runSelect(node: Select, frame: Frame): Promise<void> {
  const words = node.wordlist === undefined ? [...frame.state.positional] : await expandWords(node.wordlist, frame);
  frame.state.status = 0;
  if (words.length === 0) return;
  await inLoop(frame, async () => {
    while (await select(node.name.text, words, frame)) if (!(await runBody(node.body, frame))) return;
  });
}

async function runParenthesized({ body, pos, end }: Subshell, frame: Frame): Promise<void> {
  const text = (): string => frame.source.text.slice(pos, end);
  frame.state.status = await runForeground(text, frame, (outer) =>
    runSubshell(outer, async (inner) => {
      // A subshell can't leave the loops around it.
      inner.state.loopDepth = 0;
      await runList(body, inner);
      return inner.state.status;
    }),
  );
}
