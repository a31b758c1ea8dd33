/** The primaries of `test`, `[` and `[[`: files, texts, numbers, variables. */
import { AssociativeArray } from "./associative-array.ts";
import { evaluate } from "./arithmetic.ts";
import { evaluateText, expandPieces, expandRegex, expandText, pathFrom, scopeOf } from "./expand.ts";
import { ShellFault } from "./faults.ts";
import type { Frame } from "./frame.ts";
import { patternTest } from "./pattern.ts";
import { posixSource } from "./posix-regex.ts";
import { IndexedArray, elementOf, elementsOf } from "./variables.ts";
import type { TestExpression, Word } from "unbash";

export const UNARY: ReadonlySet<string> = new Set(
  Array.from("abcdefghknoprstuvwxzGLNOSR").map((letter) => `-${letter}`),
);
export const BINARY: ReadonlySet<string> = new Set([
  "=",
  "==",
  "!=",
  "<",
  ">",
  "=~",
  "-eq",
  "-ne",
  "-lt",
  "-le",
  "-gt",
  "-ge",
  "-nt",
  "-ot",
  "-ef",
]);

export async function testUnary(operator: string, operand: string, frame: Frame): Promise<boolean> {
  const { state } = frame;
  switch (operator) {
    case "-n":
      return operand !== "";
    case "-z":
      return operand === "";
    case "-v":
      return isSetVariable(operand, frame);
    case "-R":
      return state.variables.raw(operand)?.isReference === true && state.variables.raw(operand)?.value !== undefined;
    case "-o":
      return state.option(operand);
    case "-t":
      return state.descriptors.get(Number(operand))?.file.terminal?.() !== undefined;
    default:
      return await testFile(operator, operand, frame);
  }
}

function isSetVariable(text: string, frame: Frame): boolean {
  const { variables, positional } = frame.state;
  if (/^\d+$/.test(text)) return text === "0" || positional[Number(text) - 1] !== undefined;
  const [, name = "", subscript] = /^([A-Za-z_]\w*)(?:\[(.+)\])?$/s.exec(text) ?? [];
  if (name === "") return false;
  if (subscript === undefined) return variables.isSet(name);
  const variable = variables.find(name);
  if (subscript === "@" || subscript === "*") return elementsOf(variable?.value).length > 0;
  const isAssociative = variable?.value instanceof AssociativeArray;
  return (
    variable !== undefined &&
    elementOf(variable, isAssociative ? subscript : Number(evaluate(subscript, scopeOf(frame)))) !== undefined
  );
}

async function testFile(operator: string, operand: string, frame: Frame): Promise<boolean> {
  const { files, signal } = frame;
  if (operand === "") return false;
  const own = /^\/dev\/(?:fd\/(\d+)|(stdin|stdout|stderr))$/.exec(operand);
  if (own !== null) {
    const number = own[1] === undefined ? ["stdin", "stdout", "stderr"].indexOf(own[2] ?? "") : Number(own[1]);
    return /^-[aerw]$/.test(operator) && frame.state.descriptors.get(number) !== undefined;
  }
  if (operator === "-h" || operator === "-L") return files.readLink?.(pathFrom(operand, frame)) !== undefined;
  const status = await files.stat(pathFrom(operand, frame), { signal });
  if (status === undefined) return false;
  // `file/` must be a directory.
  if (operand.endsWith("/") && status.kind !== "directory") return false;
  switch (operator) {
    case "-a":
    case "-e":
      return true;
    case "-f":
      return status.kind === "file";
    case "-d":
      return status.kind === "directory";
    case "-c":
      return status.kind === "device" || status.kind === "terminal";
    case "-p":
      return status.kind === "pipe";
    case "-s":
      return status.kind === "directory" || status.sizeBytes > 0;
    case "-r":
      return status.isReadable !== false;
    case "-w":
      return status.isWritable !== false;
    case "-x":
      return status.kind === "directory" || status.isExecutable === true;
    case "-O":
    case "-G":
    case "-N":
      return true;
    default:
      // There are no sockets, block devices or set-id bits here.
      return false;
  }
}

export async function testBinary(operator: string, left: string, right: string, frame: Frame): Promise<boolean> {
  switch (operator) {
    case "=":
    case "==":
      return left === right;
    case "!=":
      return left !== right;
    case "<":
      return left < right;
    case ">":
      return left > right;
    case "-nt":
    case "-ot":
    case "-ef":
      return await compareFiles(operator, left, right, frame);
    default:
      return compareNumbers(operator, wholeNumber(left), wholeNumber(right));
  }
}

async function compareFiles(operator: string, left: string, right: string, frame: Frame): Promise<boolean> {
  const { files, signal } = frame;
  const [a, b] = [pathFrom(left, frame), pathFrom(right, frame)];
  const one = await files.stat(a, { signal });
  const other = await files.stat(b, { signal });
  if (operator === "-ef")
    return (
      one !== undefined &&
      other !== undefined &&
      (a === b || (one.identity !== undefined && one.identity === other.identity))
    );
  const [newer, older] = operator === "-nt" ? [one, other] : [other, one];
  if (newer === undefined) return false;
  return older === undefined || (newer.modifiedAtMs ?? 0) > (older.modifiedAtMs ?? 0);
}

/** A number for `test`, which takes no expressions. */
function wholeNumber(text: string): bigint {
  const trimmed = text.trim();
  if (!/^[+-]?\d+$/.test(trimmed)) throw new ShellFault(`${text}: integer expression expected`, { status: 2 });
  return BigInt(trimmed.replace(/^\+/, ""));
}

function compareNumbers(operator: string, left: bigint, right: bigint): boolean {
  switch (operator) {
    case "-eq":
      return left === right;
    case "-ne":
      return left !== right;
    case "-lt":
      return left < right;
    case "-le":
      return left <= right;
    case "-gt":
      return left > right;
    default:
      return left >= right;
  }
}

/** `[[ … ]]`: no word splitting, but patterns and expressions. Status 0, 1, or 2 for a bad regular expression. */
export async function runConditional(expression: TestExpression, frame: Frame): Promise<boolean> {
  switch (expression.type) {
    case "TestGroup":
      return await runConditional(expression.expression, frame);
    case "TestNot": {
      const value = await runConditional(expression.operand, frame);
      return expression.negations.length % 2 === 1 ? !value : value;
    }
    case "TestLogical": {
      const isAnd = expression.operator === "&&";
      for (const operand of expression.operands) if ((await runConditional(operand, frame)) !== isAnd) return !isAnd;
      return isAnd;
    }
    case "TestUnary": {
      if (expression.operator === "-n" || expression.operator === "")
        return (await expandText(expression.operand, frame)) !== "";
      return await testUnary(expression.operator, await expandText(expression.operand, frame), frame);
    }
    default:
      return await conditionalBinary(expression.operator, expression.left, expression.right, frame);
  }
}

async function conditionalBinary(operator: string, leftWord: Word, rightWord: Word, frame: Frame): Promise<boolean> {
  const left = await expandText(leftWord, frame);
  const ignoreCase = frame.state.isSetOption("nocasematch");
  switch (operator) {
    case "=":
    case "==":
    case "!=": {
      const matches = patternTest(await expandPieces(rightWord, frame), { extglob: true, ignoreCase })(left);
      return operator === "!=" ? !matches : matches;
    }
    case "=~":
      return matchRegex(left, await expandRegex(rightWord, frame), ignoreCase, frame);
    case "-eq":
    case "-ne":
    case "-lt":
    case "-le":
    case "-gt":
    case "-ge": {
      const right = await expandText(rightWord, frame);
      return compareNumbers(operator, await evaluateText(left, frame), await evaluateText(right, frame));
    }
    default:
      return await testBinary(operator, left, await expandText(rightWord, frame), frame);
  }
}

/** Sets BASH_REMATCH. */
function matchRegex(text: string, source: string, ignoreCase: boolean, { state: { variables } }: Frame): boolean {
  let expression: RegExp;
  try {
    expression = new RegExp(posixSource(source, { isExtended: true }), ignoreCase ? "isu" : "su");
  } catch {
    throw new ShellFault("invalid regular expression", { status: 2 });
  }
  const match = expression.exec(text);
  variables.setWhole("BASH_REMATCH", IndexedArray.of((match ?? []).map((group: string | undefined) => group ?? "")));
  return match !== null;
}
