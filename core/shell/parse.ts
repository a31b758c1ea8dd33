/**
 * The grammar of a command line: pipelines joined by `;`, newline, `&&` and `||`, which are alike in rank and bind from
 * left to right. Pure; what bash 5.2 does with the same text is recorded in parse.test.ts.
 */
import { assert } from "../base/assert.ts";
import { lex, notYet, SyntaxFault, type Token } from "./lex.ts";

export { SyntaxFault } from "./lex.ts";

/** Longest line that is looked at: a paste by accident should not keep a tab busy. */
export const LINE_LENGTH_MAX: number = 64 * 1024;
/** Stages of one pipe that run at once. */
export const STAGES_MAX = 32;

/** Words of one command: its name and its arguments. Never empty. */
export type Words = readonly string[];

export interface Step {
  /** When it is run, given the status of the step before it. */
  readonly when: "always" | "on-success" | "on-failure";
  /** The stages of the pipe, at least one. */
  readonly stages: readonly Words[];
}

type WordToken = Extract<Token, { kind: "word" }>;

/** First words that the full shell will give a meaning to. */
const RESERVED = new Set(
  ["if", "then", "elif", "else", "fi", "for", "while", "until", "do", "done", "case", "esac"].concat([
    "function",
    "select",
    "in",
    "[[",
    "{",
    "}",
    "!",
  ]),
);

/** The steps of a line; none for a blank one. Throws SyntaxFault. */
export function parse(line: string): Step[] {
  if (line.length > LINE_LENGTH_MAX) {
    throw new SyntaxFault(`the line is longer than ${LINE_LENGTH_MAX} characters`, LINE_LENGTH_MAX);
  }
  const tokens = lex(line);
  const steps: Step[] = [];
  let when: Step["when"] = "always";
  let at = skipNewlines(tokens, 0);
  while (at < tokens.length) {
    const { stages, next } = parsePipeline(tokens, at, line);
    steps.push({ when, stages });
    const token = tokens[next];
    if (token === undefined) return steps;
    assert(token.kind === "operator" && token.operator !== "|", "a pipeline ends at another operator");
    at = skipNewlines(tokens, next + 1);
    when = token.operator === "&&" ? "on-success" : token.operator === "||" ? "on-failure" : "always";
  }
  if (when !== "always") {
    const operator = when === "on-success" ? "&&" : "||";
    throw new SyntaxFault(`there is no command after ${operator}`, line.length, { incomplete: true });
  }
  return steps;
}

function parsePipeline(tokens: readonly Token[], from: number, line: string): { stages: Words[]; next: number } {
  const stages: Words[] = [];
  for (let at = from; ;) {
    const words: WordToken[] = [];
    for (let token = tokens[at]; token?.kind === "word"; token = tokens[at]) {
      words.push(token);
      at++;
    }
    const stop = tokens[at];
    if (words.length === 0) throw missingCommand(stop, line);
    refuseReserved(words);
    stages.push(words.map((word) => word.text));
    if (stop?.kind !== "operator" || stop.operator !== "|") return { stages, next: at };
    if (stages.length === STAGES_MAX) throw new SyntaxFault(`a pipe has at most ${STAGES_MAX} stages`, stop.start);
    at = skipNewlines(tokens, at + 1);
  }
}

function skipNewlines(tokens: readonly Token[], from: number): number {
  let at = from;
  for (let token = tokens[at]; token?.kind === "operator" && token.operator === "\n"; token = tokens[at]) at++;
  return at;
}

function missingCommand(stop: Token | undefined, line: string): SyntaxFault {
  if (stop === undefined) return new SyntaxFault("there is no command after |", line.length, { incomplete: true });
  const operator = line.slice(stop.start, stop.end);
  return new SyntaxFault(`there is no command before ${operator}`, stop.start);
}

function refuseReserved(words: readonly WordToken[]): void {
  const first = words[0];
  if (first === undefined || first.quoted) return;
  if (RESERVED.has(first.text)) throw notYet(`${first.text} (compound commands)`, first.start);
  if (/^[A-Za-z_]\w*\+?=/.test(first.text)) throw notYet(`${first.text} (variables)`, first.start);
}
