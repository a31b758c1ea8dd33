/** Redirections: what they do to the descriptors of a shell (bash manual, "Redirections"). */
import type { HereDoc, Redirect, Redirection, Word } from "unbash";
import { isStarfishError, messageOf, StarfishError } from "../../base/errors.ts";
import { encodeText } from "./bytes.ts";
import { Descriptor, type OpenFile } from "./descriptor.ts";
import { expandTemplate, expandText, expandWords, pathFrom } from "./expand.ts";
import { ShellFault } from "./faults.ts";
import type { Frame } from "./frame.ts";
import { DESCRIPTORS_MAX } from "./limits.ts";
import type { OpenMode } from "./world.ts";

/** The first descriptor that `{name}>` gets. */
const NAMED_FROM = 10;

/**
 * Applies redirections from left to right. Throws ShellFault; redirections before the fault stay, and the caller
 * restores them.
 */
export async function redirect(redirections: readonly Redirection[], frame: Frame): Promise<void> {
  for (const redirection of redirections) {
    if (redirection.type === "Redirect") await redirectOne(redirection, frame);
    else {
      const bytes = encodeText(
        redirection.type === "HereString"
          ? `${redirection.target === undefined ? "" : await expandText(redirection.target, frame)}\n`
          : await documentText(redirection, frame),
      );
      await place(redirection, 0, new Descriptor(bytesFile(bytes)), frame);
    }
  }
}

async function redirectOne(redirection: Redirect, frame: Frame): Promise<void> {
  const { operator } = redirection;
  if (redirection.target === undefined) throw new ShellFault("a redirection has no target");
  if (operator === "<&" || operator === ">&") {
    const text = await targetOf(redirection.target, frame);
    if (/^\d+-?$|^-$/.test(text)) return await duplicate(redirection, text, frame);
    const isOutput =
      redirection.descriptor === undefined ||
      (redirection.descriptor.type === "FileDescriptor" && redirection.descriptor.value === 1);
    if (operator === "<&" || !isOutput) throw new ShellFault(`${text}: ambiguous redirect`);
    return await both(await open(text, "write", frame), frame);
  }
  const target = await targetOf(redirection.target, frame);
  if (operator === "&>" || operator === "&>>")
    return await both(await open(target, operator === "&>" ? modeOf(">", frame) : "append", frame), frame);
  const mode = modeOf(operator, frame);
  const descriptor = await open(target, mode, frame);
  await place(redirection, operator === "<" || operator === "<>" ? 0 : 1, descriptor, frame);
}

/** It must be one word, else it is ambiguous. */
async function targetOf(word: Word, frame: Frame): Promise<string> {
  const fields = await expandWords([word], frame);
  const [only] = fields;
  if (only === undefined || fields.length > 1) throw new ShellFault(`${word.text}: ambiguous redirect`);
  return only;
}

function modeOf(operator: string, { state }: Frame): OpenMode {
  if (operator === "<") return "read";
  if (operator === "<>") return "read-write";
  if (operator === ">>") return "append";
  return operator === ">" && state.option("noclobber") ? "create" : "write";
}

async function open(text: string, mode: OpenMode, frame: Frame): Promise<Descriptor> {
  if (text === "") throw new ShellFault(": No such file or directory");
  try {
    return await frame.interpreter.open(text, mode, frame);
  } catch (error) {
    if (!isStarfishError(error)) throw error;
    throw new ShellFault(`${text}: ${reasonOf(error)}`);
  }
}

/** The reason of a file's error, in words that people know. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof StarfishError)) return messageOf(error);
  switch (error.code) {
    case "not-found":
      return "No such file or directory";
    case "is-a-directory":
      return "Is a directory";
    case "not-a-directory":
      return "Not a directory";
    case "exists":
      return "cannot overwrite existing file";
    default:
      return error.message;
  }
}

/** Opens a file, or one of this shell's descriptors by its path. */
export async function openPath(path: string, mode: OpenMode, frame: Frame): Promise<Descriptor> {
  const own = /^\/dev\/(?:fd\/(\d+)|(stdin|stdout|stderr))$/.exec(path);
  if (own !== null) {
    const number = own[1] === undefined ? ["stdin", "stdout", "stderr"].indexOf(own[2] ?? "") : Number(own[1]);
    const descriptor = frame.state.descriptors.get(number);
    if (descriptor === undefined) throw new StarfishError("not-found", `there is no descriptor ${number}`);
    return descriptor.retain();
  }
  return new Descriptor(await frame.files.open(pathFrom(path, frame), mode, { signal: frame.signal }));
}

async function duplicate(redirection: Redirect, text: string, frame: Frame): Promise<void> {
  const { descriptors } = frame.state;
  const standard = redirection.operator === "<&" ? 0 : 1;
  if (text === "-") {
    const number = await numberOf(redirection, standard, frame);
    await descriptors.close(number);
    return;
  }
  const from = Number.parseInt(text, 10);
  const source = descriptors.get(from);
  if (source === undefined) throw new ShellFault(`${from}: Bad file descriptor`);
  await place(redirection, standard, source.retain(), frame);
  if (text.endsWith("-") && numberNow(redirection, standard, frame) !== from) await descriptors.close(from);
}

async function both(descriptor: Descriptor, { state: { descriptors } }: Frame): Promise<void> {
  await descriptors.set(1, descriptor);
  await descriptors.set(2, descriptor.retain());
}

async function place(
  redirection: Pick<Redirect, "descriptor">,
  standard: number,
  descriptor: Descriptor,
  frame: Frame,
): Promise<void> {
  const { state } = frame;
  const named = redirection.descriptor?.type === "FileDescriptorVariable" ? redirection.descriptor.name : undefined;
  const number = named === undefined ? numberNow(redirection, standard, frame) : state.descriptors.free(NAMED_FROM);
  if (number >= DESCRIPTORS_MAX) {
    await descriptor.release();
    throw new ShellFault(`${number}: Bad file descriptor`);
  }
  await state.descriptors.set(number, descriptor);
  if (named !== undefined) setNamed(named, number, frame);
}

function setNamed(name: string, number: number, { state }: Frame): void {
  const [, plain = name, index] = /^(\w+)\[(\d+)\]$/.exec(name) ?? [];
  state.variables.set(
    { name: plain, index: index === undefined ? undefined : Number(index) },
    String(number),
    (text) => text,
  );
}

function numberNow({ descriptor }: Pick<Redirect, "descriptor">, standard: number, { state }: Frame): number {
  if (descriptor === undefined) return standard;
  if (descriptor.type === "FileDescriptor") return descriptor.value;
  return Number(state.variables.get(descriptor.name) ?? -1);
}

/** The number that `{name}>&-` means. */
async function numberOf(redirection: Redirect, standard: number, frame: Frame): Promise<number> {
  const number = numberNow(redirection, standard, frame);
  if (number < 0 || Number.isNaN(number))
    throw new ShellFault(`${redirection.target?.text ?? ""}: Bad file descriptor`);
  return await Promise.resolve(number);
}

async function documentText({ operator, delimiter, body }: HereDoc, frame: Frame): Promise<string> {
  const isTabbed = operator === "<<-";
  if (delimiter?.quoted === true) return isTabbed ? body.text.replaceAll(/^\t+/gm, "") : body.text;
  if (body.parts === undefined && !body.text.includes("\\"))
    return isTabbed ? body.text.replaceAll(/^\t+/gm, "") : body.text;
  let isLineStart = true;
  const parts = (body.parts ?? [{ type: "Literal" as const, pos: 0, end: 0, text: body.text, value: body.text }]).map(
    (part) => {
      if (!isTabbed || part.type !== "Literal") {
        isLineStart = false;
        return part;
      }
      const text: string = part.text.replaceAll(/(^|\n)\t+/g, (whole: string, start: string, at: number) =>
        start === "" && at === 0 && !isLineStart ? whole : start,
      );
      isLineStart = part.text.endsWith("\n");
      return { type: "Literal" as const, pos: part.pos, end: part.end, text, value: text };
    },
  );
  return await expandTemplate(
    { type: "Word", text: body.text, value: body.text, pos: body.pos, end: body.end, parts },
    frame,
  );
}

/** A file with just these bytes, for reading. */
export function bytesFile(bytes: Uint8Array): OpenFile {
  let rest: Uint8Array | undefined = bytes;
  return {
    name: "here-document",
    read: () => {
      const piece = rest;
      rest = undefined;
      return Promise.resolve(piece === undefined || piece.length === 0 ? undefined : piece);
    },
  };
}
