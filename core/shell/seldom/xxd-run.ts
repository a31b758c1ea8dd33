/** The code of `xxd`: bytes as hexadecimal text, and back. */
import { StarfishError } from "../../base/errors.ts";
import { FileWriter } from "../namespace/file-writer.ts";
import { encodeText } from "../language/bytes.ts";
import { noMoreOperands } from "../operands.ts";
import { lines } from "../utilities/lines.ts";
import { type UtilityContext } from "../utilities/utility.ts";

const COLUMNS_MAX = 256;
/** Zero bytes that -r fills in between two offsets of its text, because a short text can ask for any number of them. */
const GAP_BYTES_MAX: number = 64 * 1024 * 1024;
/** The status of xxd if it can't begin at the given offset. */
const CANNOT_SEEK = 4;
/** A line of plain hexadecimal can be endless, so it is written in pieces of this many bytes. */
const PIECE_BYTES = 32 * 1024;

interface Format {
  readonly kind: "hex" | "bits" | "plain" | "include";
  readonly columns: number;
  readonly group: number;
  readonly isUpper: boolean;
  readonly isDecimal: boolean;
  readonly shift: number;
}

export async function runXxd(context: UtilityContext): Promise<number> {
  const { options, operands, names, path, out, outBytes } = context;
  const [source = "-", target] = operands;
  noMoreOperands(operands, 2);
  const writer = target === undefined ? undefined : new FileWriter(names, path(target), { isAppend: false });
  await writer?.begin();
  let status = 0;
  const write = async (text: string): Promise<void> => {
    await (writer === undefined ? out(text) : writer.write(encodeText(text)));
  };
  const writeBytes = async (bytes: Uint8Array): Promise<void> => {
    await (writer === undefined ? outBytes(bytes) : writer.write(bytes));
  };
  await context.eachInput(async () => {
    if (options.has("r")) await revert(context, source, writeBytes);
    else status = await dump(context, source, write);
  }, [source]);
  await writer?.close();
  return status;
}
function integer(text: string): number {
  const match = /^([+-]?)(0x[0-9a-f]+|\d+)$/i.exec(text);
  if (match === null) throw new StarfishError("usage", `invalid number '${text}'`);
  const [, sign, digits = "0"] = match;
  const value = /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits);
  return sign === "-" ? -value : value;
}

function formatOf({ options }: UtilityContext): Format {
  const last = options.last("b", "i", "p");
  const kind = last === "b" ? "bits" : last === "i" ? "include" : last === "p" ? "plain" : "hex";
  const usual = { hex: 16, bits: 6, plain: 30, include: 12 }[kind];
  const columns = options.has("c") ? integer(options.value("c") ?? "") || (kind === "plain" ? Infinity : usual) : usual;
  if (columns < 0 || (kind !== "plain" && kind !== "include" && columns > COLUMNS_MAX))
    throw new StarfishError("usage", `invalid number of columns (max. ${COLUMNS_MAX}).`);
  const group = options.has("g") ? integer(options.value("g") ?? "") : kind === "bits" ? 1 : 2;
  return {
    kind,
    columns,
    group: group <= 0 || group > columns ? columns : group,
    isUpper: options.has("u"),
    isDecimal: options.has("d"),
    shift: integer(options.value("o") ?? "0"),
  };
}

async function dump(context: UtilityContext, source: string, write: (text: string) => Promise<void>): Promise<number> {
  const { options } = context;
  const format = formatOf(context);
  const from = await startOf(context, source);
  if (from === undefined) {
    await context.problem("Sorry, cannot seek.");
    return CANNOT_SEEK;
  }
  const most = options.has("l") ? integer(options.value("l") ?? "") : Infinity;
  const isNamed = format.kind === "include" && source !== "-";
  const name = source.replaceAll(/[^A-Za-z0-9]/g, "_").replace(/^(?=\d)/, "__");
  if (isNamed) await write(`unsigned char ${name}[] = {\n`);
  let count = 0;
  let row = new Uint8Array(Math.min(format.columns, PIECE_BYTES));
  let filled = 0;
  for await (const piece of rangeOf(context.input(source), from, most)) {
    for (let at = 0; at < piece.length;) {
      const part = piece.subarray(at, at + row.length - filled);
      row.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < row.length) continue;
      await write(rowText(row, count, from, format));
      count += filled;
      filled = 0;
    }
  }
  if (filled > 0) await write(rowText(row.subarray(0, filled), count, from, format));
  count += filled;
  row = new Uint8Array(0);
  if (format.kind === "plain" && format.columns === Infinity) await write("\n");
  if (format.kind === "include" && count > 0) await write("\n");
  if (isNamed) await write(`};\nunsigned int ${name}_len = ${count};\n`);
  return 0;
}

/** The first byte that is shown. An offset from the end needs a known length. */
async function startOf({ options, names, path, signal }: UtilityContext, source: string): Promise<number | undefined> {
  const from = integer(options.value("s") ?? "0");
  if (from >= 0) return from;
  const entry = source === "-" ? undefined : await names.stat(path(source), { signal });
  return entry?.kind !== "file" || entry.sizeBytes + from < 0 ? undefined : entry.sizeBytes + from;
}

async function* rangeOf(
  stream: AsyncIterable<Uint8Array>,
  from: number,
  most: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let [toSkip, left] = [from, most];
  if (left <= 0) return;
  for await (const piece of stream) {
    const kept = piece.subarray(Math.min(toSkip, piece.length));
    toSkip -= piece.length - kept.length;
    yield kept.subarray(0, Math.min(left, kept.length));
    left -= kept.length;
    if (left <= 0) return;
  }
}

function rowText(row: Uint8Array, before: number, from: number, format: Format): string {
  const { kind, columns, group, isUpper } = format;
  const digits = (byte: number): string => {
    const text = kind === "bits" ? byte.toString(2).padStart(8, "0") : byte.toString(16).padStart(2, "0");
    return isUpper ? text.toUpperCase() : text;
  };
  if (kind === "plain") return `${Array.from(row, digits).join("")}${columns === Infinity ? "" : "\n"}`;
  if (kind === "include") {
    const mark = isUpper ? "0X" : "0x";
    return `${before === 0 ? "  " : ",\n  "}${Array.from(row, (byte) => mark + digits(byte)).join(", ")}`;
  }
  let shown = "";
  for (const [i, byte] of row.entries()) shown += (i > 0 && i % group === 0 ? " " : "") + digits(byte);
  const width = columns * (kind === "bits" ? 8 : 2) + Math.ceil(columns / group) - 1;
  const place = from + before + format.shift;
  const address = (format.isDecimal ? String(place) : place.toString(16)).padStart(8, "0");
  const characters = Array.from(row, (byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : ".")).join("");
  return `${address}: ${shown.padEnd(width)}  ${characters}\n`;
}

async function revert(
  context: UtilityContext,
  source: string,
  write: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  const { options, input } = context;
  const shift = integer(options.value("s") ?? "0");
  const isPlain = options.has("p");
  let at = 0;
  for await (const line of lines(input(source))) {
    const match = isPlain ? undefined : /^\s*([0-9a-f]+):?(.*)$/i.exec(line);
    if (match === null) continue;
    const bytes = isPlain ? plainBytes(line) : rowBytes(match?.[2] ?? "");
    const place = match === undefined ? at : Number.parseInt(match[1] ?? "0", 16) + shift;
    if (place < at) throw new StarfishError("unsupported", "sorry, cannot seek backwards");
    if (place - at > GAP_BYTES_MAX)
      throw new StarfishError("too-large", `a gap of more than ${GAP_BYTES_MAX} bytes at ${match?.[1] ?? ""}`);
    for (; at < place; at += Math.min(PIECE_BYTES, place - at))
      await write(new Uint8Array(Math.min(PIECE_BYTES, place - at)));
    if (bytes.length > 0) await write(bytes);
    at = place + bytes.length;
  }
}

function plainBytes(line: string): Uint8Array {
  const digits = line.replaceAll(/[^0-9a-f]/gi, "");
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** Two blanks, or a character that is not hexadecimal, end the bytes of a row; its text follows. */
function rowBytes(text: string): Uint8Array {
  const shown = /^ ?((?:[0-9a-f]{2} ?)*)/i.exec(text)?.[1] ?? "";
  return plainBytes(shown);
}
