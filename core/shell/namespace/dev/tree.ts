/**
 * /dev: the devices of this session (null, zero, tty, its descriptors), the devices of people at each member
 * (/dev/NODE/notify …), and the answers that this node's person has given to senders (/dev/senders).
 */
import type { Bytes } from "../../../base/bytes.ts";
import { StarfishError } from "../../../base/errors.ts";
import type { Computer } from "../../../computer.ts";
import { DEVICE_NAMES } from "../../../io/devices/types.ts";
import type { Descriptors, OpenFile } from "../../language/descriptor.ts";
import { namedMembers } from "../net/names.ts";
import { type DirectoryView, type FileView, type View, ViewTree } from "../view.ts";
import { changesOf } from "../watching.ts";
import { endless, zeros } from "./endless.ts";
import { personDevices } from "./person.ts";
import { senders } from "./senders.ts";

/** The terminal of a session, if it has one. It changes with each line. */
export interface SessionTerminal {
  input?: OpenFile | undefined;
  output?: OpenFile | undefined;
}

export interface DevParts extends Pick<Computer, "net" | "devices" | "random" | "clock"> {
  readonly terminal: SessionTerminal;
  /** The descriptors of the session's shell. */
  readonly descriptors: () => Descriptors;
}

export function devTree(parts: DevParts): ViewTree {
  const { net, devices, random, terminal, descriptors } = parts;
  const own = new Map<string, View>([
    ["null", sink(() => nothing(), { write: () => Promise.resolve() })],
    ["zero", sink(() => endless(zeros), { write: () => Promise.resolve() })],
    ["full", sink(() => endless(zeros), { write: () => Promise.reject(noSpace()) })],
    ["random", sink(() => endless((length) => random.bytes(length)), { write: () => Promise.resolve() })],
    ["urandom", sink(() => endless((length) => random.bytes(length)), { write: () => Promise.resolve() })],
    ["tty", terminalView(terminal)],
    ["stdin", descriptorView(0, descriptors)],
    ["stdout", descriptorView(1, descriptors)],
    ["stderr", descriptorView(2, descriptors)],
    ["fd", descriptorsView(descriptors)],
    ["senders", senders(parts)],
  ]);
  const reserved = new Set(own.keys());
  const list = (): ReadonlyMap<string, View> => {
    const all = new Map<string, View>(own);
    // A member that calls itself "null" gets another name here.
    for (const [name, { record, isSelf }] of namedMembers(net.members(), reserved)) {
      const about = isSelf ? "your own" : record.kind;
      all.set(name, { kind: "directory", about, list: () => personDevices(record.peer, devices) });
    }
    return all;
  };
  return new ViewTree({
    mount: "/dev",
    root: { kind: "directory", list },
    why: `devices can't be made: each member has ${DEVICE_NAMES.join(", ")}`,
    watch: (path, { signal }) =>
      changesOf((tell) => {
        const stops = [net.onMember(() => tell(path)), devices.onChange(() => tell(path))];
        return () => {
          for (const stop of stops) stop();
        };
      }, signal),
  });
}

/** Each piece is written by itself, and fails by itself. */
function sink(
  stream: () => AsyncIterable<Uint8Array>,
  { write }: { write: (bytes: Bytes) => Promise<void> },
): FileView {
  return {
    kind: "device",
    mode: 0o666,
    stream,
    async write(source) {
      for await (const bytes of source) await write(bytes);
    },
    open: (mode) => Promise.resolve(mode === "read" ? readerOf(stream()) : { ...readerOf(stream()), write }),
  };
}

function readerOf(stream: AsyncIterable<Uint8Array>): OpenFile {
  const pieces = stream[Symbol.asyncIterator]();
  return {
    async read() {
      const { done, value } = await pieces.next();
      return done === true ? undefined : value;
    },
    async close() {
      await pieces.return?.();
    },
  };
}

async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {
  // Ends at once.
}

/** ENOSPC, in words that people know. */
function noSpace(): StarfishError {
  return new StarfishError("full", "No space left on device");
}

function terminalView(terminal: SessionTerminal): FileView {
  const noTerminal = (): StarfishError => new StarfishError("io", "No such device or address: no terminal is here");
  return openable((mode) => {
    const { input, output } = terminal;
    const [reads, writes] = [mode === "read" || mode === "read-write", mode !== "read"];
    if ((reads && input === undefined) || (writes && output === undefined)) throw noTerminal();
    return { ...(reads ? onlyRead(input) : {}), ...(writes ? onlyWrite(output) : {}) };
  });
}

function descriptorView(number: number, descriptors: () => Descriptors): FileView {
  return openable((mode) => {
    const file = descriptors().get(number)?.file;
    if (file === undefined) throw new StarfishError("not-found", `there is no descriptor ${number}`);
    return mode === "read" ? onlyRead(file) : onlyWrite(file);
  });
}

function descriptorsView(descriptors: () => Descriptors): DirectoryView {
  return {
    kind: "directory",
    list: () =>
      new Map(
        descriptors()
          .numbers()
          .map((number): [string, View] => [String(number), descriptorView(number, descriptors)]),
      ),
  };
}

/** Opens again what is open already; closing it closes nothing. */
function openable(open: (mode: "read" | "write" | "append" | "read-write" | "create") => OpenFile): FileView {
  const opened = async (mode: Parameters<typeof open>[0]): Promise<OpenFile> => await Promise.resolve(open(mode));
  return {
    kind: "device",
    mode: 0o666,
    open: opened,
    async *stream() {
      const file = await opened("read");
      for (let piece = await file.read?.(); piece !== undefined; piece = await file.read?.()) yield piece;
    },
    async write(source) {
      const file = await opened("write");
      for await (const bytes of source) await file.write?.(bytes);
    },
  };
}

function onlyRead(file: OpenFile | undefined): OpenFile {
  return { read: () => file?.read?.() ?? Promise.resolve(undefined), terminal: file?.terminal };
}

function onlyWrite(file: OpenFile | undefined): OpenFile {
  const written: OpenFile = {
    write: (bytes) => file?.write?.(bytes) ?? Promise.resolve(),
    flush: () => file?.flush?.() ?? Promise.resolve(),
    terminal: file?.terminal,
  };
  if (file?.print === undefined) return written;
  return { ...written, print: (text) => file.print?.(text) ?? Promise.resolve() };
}
