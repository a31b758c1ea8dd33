/** Runs a text as bash reads it: line by line, with aliases expanded when a line is reached. */
import type { Statement } from "unbash";
import { expandAliases } from "./aliases.ts";
import { encodeText } from "./bytes.ts";
import { runStatements } from "./execute.ts";
import { ExitJump, ShellFault } from "./faults.ts";
import type { Frame } from "./frame.ts";
import { SourceText, parseScript, type Script } from "./source-text.ts";
import { checkSyntax } from "./syntax.ts";

/** Runs a text line by line. A fault ends its line; a syntax error ends everything after it. */
export class TextRunner {
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

  /** The rest of the text with aliases expanded in its next line, if that changes it. */
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
    throw new ExitJump(2, { isSyntax: true });
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
      if (!(error instanceof ShellFault) || (error.isFatal && !state.isInteractive)) throw error;
      // Only at the top level of a script the next line runs; functions, evals and subshells end.
      if (state.subshellDepth > 0 || state.callDepth > 0 || state.returnDepth > 0) throw error;
      await frame.interpreter.complain(error.message, frame);
      state.status = error.status;
      state.loopDepth = 0;
      const isCondition = state.conditionDepth > 0;
      state.conditionDepth = 0;
      if (error.isFailure && state.option("errexit") && !isCondition) throw new ExitJump(error.status);
      return error.status;
    }
  }
}

/**
 * Whether a syntax error is within these statements or at their end, so that the parser has not understood all of them.
 */
function isBroken(unit: readonly Statement[], { errors, source }: Script): boolean {
  const [first, last] = [unit[0], unit.at(-1)];
  if (first === undefined || last === undefined) return false;
  // A loop without its end has none in the parse either.
  if (errors.length > 0 && unit.some(({ pos, end }) => end <= pos)) return true;
  return errors.some(
    // Statements on the line of the error, or that reach to it, do not run.
    ({ pos }) =>
      (pos >= first.pos && source.text.slice(last.end, pos).trim() === "") ||
      source.lineAt(last.end) >= source.lineAt(pos),
  );
}

/** The statements on the line of the first one, and what they contain. */
function unitFrom({ statements, source }: Script, index: number): Statement[] {
  const unit: Statement[] = [];
  let end = -1;
  for (let i = index; i < statements.length; i++) {
    const statement = statements[i];
    if (statement === undefined) break;
    if (unit.length > 0 && source.text.slice(end, statement.pos).includes("\n")) break;
    unit.push(statement);
    end = statement.end;
  }
  return unit;
}
