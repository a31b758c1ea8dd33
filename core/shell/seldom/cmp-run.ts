/** The code of `cmp`: the first byte in which two files differ, or all such bytes. */
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import { firstDifference, sideBySide } from "../compare/streams.ts";
import { reasonOf } from "../language/redirect.ts";
import { noMoreOperands } from "../operands.ts";
import { sizeValue, type UtilityContext } from "../utilities/utility.ts";

const LINE_BREAK = 0x0a;

export async function runCmp(context: UtilityContext): Promise<number> {
  const { options, operands, signal, problem } = context;
  const [left, right = "-", skipLeft, skipRight] = operands;
  if (left === undefined) throw new StarfishError("usage", "missing operand after 'cmp'");
  noMoreOperands(operands, 4);
  if (options.has("l") && (options.has("s") || options.has("silent")))
    throw new StarfishError("usage", "options -l and -s are incompatible");
  const [first, second] = (options.value("i") ?? "0").split(":");
  const skips = [skipLeft ?? first ?? "0", skipRight ?? second ?? (skipLeft === undefined ? (first ?? "0") : "0")].map(
    (text) => sizeValue(text, "--ignore-initial value"),
  );
  const most = options.has("n") ? sizeValue(options.value("n") ?? "", "--bytes value") : Infinity;
  try {
    return await compare(context, [left, right], [skips[0] ?? 0, skips[1] ?? 0], most);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    const { cause } = error;
    if (!isStarfishError(cause) || ["closed", "cancelled"].includes(cause.code) || signal.aborted) throw cause;
    await problem(`${error.operand}: ${reasonOf(cause)}`);
    return 2;
  }
}

/** Says which of the two files could not be read. */
class Unreadable extends Error {
  readonly operand: string;

  constructor(operand: string, cause: unknown) {
    super(operand, { cause });
    this.operand = operand;
  }
}

async function compare(
  context: UtilityContext,
  [left, right]: readonly [string, string],
  skips: readonly [number, number],
  most: number,
): Promise<number> {
  const { options, out, stderr, flush } = context;
  const isQuiet = options.has("s") || options.has("silent");
  const isAll = options.has("l");
  const width = isAll ? await widthOf(context, [left, right], most) : 0;
  const pieces = sideBySide(bytesOf(context, left, skips[0], most), bytesOf(context, right, skips[1], most));
  let at = 0;
  let lineBreaks = 0;
  let isLineEnded = true;
  let hasDifference = false;
  for (;;) {
    const { done, value } = await pieces.next();
    if (done === true) {
      if (value === undefined) return hasDifference ? 1 : 0;
      if (isQuiet) return 1;
      await flush();
      const [name, where] = [value === "left" ? left : right, isLineEnded ? lineBreaks : lineBreaks + 1];
      const place = isAll ? "" : `, ${isLineEnded ? "" : "in "}line ${where}`;
      const words = at === 0 ? `${name} which is empty` : `${name} after byte ${at}${place}`;
      await stderr.write(new TextEncoder().encode(`cmp: EOF on ${words}\n`));
      return 1;
    }
    for (let i = firstDifference(value); i >= 0; i = firstDifference(value, i + 1)) {
      const [a, b] = [value.left[i] ?? 0, value.right[i] ?? 0];
      hasDifference = true;
      if (!isAll) {
        await pieces.return(undefined);
        const line = lineBreaks + breaksIn(value.left.subarray(0, i)) + 1;
        const shown = options.has("b") ? ` is ${octal(a)} ${character(a)} ${octal(b)} ${character(b)}` : "";
        if (!isQuiet) await out(`${left} ${right} differ: byte ${at + i + 1}, line ${line}${shown}\n`);
        return 1;
      }
      const [x, y] = options.has("b") ? [` ${character(a).padEnd(4)}`, ` ${character(b)}`] : ["", ""];
      await out(`${String(at + i + 1).padStart(width)} ${octal(a)}${x} ${octal(b)}${y}\n`);
    }
    at += value.left.length;
    if (!isAll) lineBreaks += breaksIn(value.left);
    isLineEnded = value.left.at(-1) === LINE_BREAK;
  }
}

/** Reads only what is compared. */
async function* bytesOf(
  { input }: UtilityContext,
  operand: string,
  skip: number,
  most: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let [toSkip, left] = [skip, most];
  if (left === 0) return;
  try {
    for await (const piece of input(operand)) {
      const kept = piece.subarray(Math.min(toSkip, piece.length));
      toSkip -= piece.length - kept.length;
      if (kept.length > 0) yield kept.subarray(0, Math.min(left, kept.length));
      left -= kept.length;
      if (left <= 0) return;
    }
  } catch (error) {
    throw new Unreadable(operand, error);
  }
}

/**
 * The columns of the largest position that can occur. If a size is not known, GNU uses the columns of the largest
 * number.
 */
async function widthOf(
  { names, path, signal }: UtilityContext,
  files: readonly string[],
  most: number,
): Promise<number> {
  let bytes = most;
  for (const file of files) {
    const entry = file === "-" ? undefined : await names.stat(path(file), { signal });
    if (entry?.kind === "file") bytes = Math.min(bytes, entry.sizeBytes);
  }
  return bytes === Infinity ? 19 : String(bytes).length;
}

function breaksIn(piece: Uint8Array): number {
  let count = 0;
  for (let at = piece.indexOf(LINE_BREAK); at >= 0; at = piece.indexOf(LINE_BREAK, at + 1)) count++;
  return count;
}

function octal(byte: number): string {
  return byte.toString(8).padStart(3);
}

/** `^X` and `M-X`, as in `cat -v`. */
function character(byte: number): string {
  if (byte >= 128) return `M-${character(byte - 128)}`;
  if (byte < 32) return `^${String.fromCharCode(byte + 64)}`;
  return byte === 127 ? "^?" : String.fromCharCode(byte);
}
