/**
 * The protocol between `starfish sh` and the node: frames on a local socket. A frame is its length (4 bytes,
 * big-endian, of what follows), its kind (1 byte) and its body: raw bytes for streams, CBOR for the rest.
 *
 * The socket itself holds back what flows to the client. What flows to the node shares the socket with interrupts,
 * which must get through while a job reads nothing. So stdin is sent only as far as the node has asked for it (credit).
 */
import type { Socket } from "node:net";
import * as v from "valibot";
import { decode, encode, integerOf, textOf, type Schema } from "../core/base/codec.ts";
import { ERROR_CODES, StarfishError, toStarfishError, type ErrorCode } from "../core/base/errors.ts";
import type { HostEntry } from "../core/shell/types.ts";
import { LINE_LENGTH_MAX } from "../core/shell/language/limits.ts";

export const CONTROL_VERSION = 4;
/** Bytes of stdin that may be sent and not read by a command yet. */
export const STDIN_WINDOW_BYTES: number = 256 * 1024;
/**
 * The largest body: the longest line in UTF-8, and small enough to be held while it passes. Streams are cut into such
 * pieces.
 */
export const BODY_BYTES_MAX: number = 256 * 1024;
/**
 * The largest file of the client's disk that a command may hold in memory: modules and pictures. Others are read in
 * pieces.
 */
export const FILE_BYTES_MAX: number = 256 * 1024 * 1024;

export const KIND = {
  // client to node
  open: 1,
  stdin: 2,
  stdinEnd: 3,
  resize: 4,
  /** A signal that the client was sent: its name. */
  signal: 5,
  /** Answers to requests about files: pieces, then the end. */
  fileData: 6,
  fileEnd: 7,
  // node to client
  stdout: 33,
  stderr: 34,
  credit: 35,
  exit: 36,
  // requests about files: by path, or by the number of the request that opened or created the file
  readFile: 37,
  openFile: 38,
  readAt: 39,
  createFile: 40,
  write: 41,
  finish: 42,
  /** Closes an open file; one that was being written leaves nothing behind. */
  close: 43,
  listDirectory: 44,
  makeDirectory: 45,
  /** Asks for facts about an open file. */
  fileFacts: 46,
} as const;

export interface Frame {
  readonly kind: number;
  readonly body: Uint8Array;
}

export interface TerminalFacts {
  readonly columns: number;
  readonly rows: number;
  readonly colours: boolean;
  readonly pictures: "inline" | "blocks";
}

/** A line, a script of the client's disk, or a script on standard input. */
export type Run =
  | { readonly kind: "line"; readonly text: string }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "stdin" };

/** Words after a script's name. All of the first frame must fit into one body. */
const ARGS_MAX = 4_096;

/** Signals that end a command line, and those of its traps. */
export type SignalName = "INT" | "TERM" | "HUP";

/** The first frame of a connection. */
export interface Open {
  readonly version: number;
  /** What to run; undefined for a session at a terminal. */
  readonly run?: Run | undefined;
  /** $0, and $1 and on. */
  readonly name?: string | undefined;
  readonly args?: readonly string[] | undefined;
  readonly stdout?: TerminalFacts | undefined;
  readonly stderr?: TerminalFacts | undefined;
}

/** The end of a file's pieces, or of the attempt. */
interface FileEnd {
  readonly id: number;
  readonly error?: { readonly code: ErrorCode; readonly message: string } | undefined;
}

export const PATH_CHARS_MAX = 4_096;
/** Requests are numbered in 4 bytes, because their number goes with the bytes of files. */
const REQUEST_ID_MAX = 0xffff_ffff;
/** More than any disk has; the sum of two is still a safe integer. */
const FILE_OFFSET_MAX: number = 2 ** 50;
/** An exit status, or bytes of credit, of which there are never more than the window. */
const NUMBER_MAX: number = STDIN_WINDOW_BYTES;
/** The last time that a Date can hold, and the first with a minus. */
const MOMENT_MS_MAX = 8.64e15;
const requestId = integerOf(0, REQUEST_ID_MAX);
const fileOffset = integerOf(0, FILE_OFFSET_MAX);
const terminal: Schema<TerminalFacts> = v.object({
  columns: integerOf(1, 10_000),
  rows: integerOf(1, 10_000),
  colours: v.boolean(),
  pictures: v.picklist(["inline", "blocks"]),
});
const open: Schema<Open> = v.object({
  version: integerOf(1, 0xffff),
  run: v.optional(
    v.variant("kind", [
      v.object({ kind: v.literal("line"), text: textOf(LINE_LENGTH_MAX) }),
      v.object({ kind: v.literal("file"), path: textOf(PATH_CHARS_MAX) }),
      v.object({ kind: v.literal("stdin") }),
    ]),
  ),
  name: v.optional(textOf(PATH_CHARS_MAX)),
  args: v.optional(v.pipe(v.array(textOf(LINE_LENGTH_MAX)), v.maxLength(ARGS_MAX))),
  stdout: v.optional(terminal),
  stderr: v.optional(terminal),
});
const signal: Schema<{ readonly name: SignalName }> = v.object({ name: v.picklist(["INT", "TERM", "HUP"]) });
const end: Schema<FileEnd> = v.object({
  id: requestId,
  error: v.optional(v.object({ code: v.picklist(ERROR_CODES), message: textOf(PATH_CHARS_MAX) })),
});
const file: Schema<{ readonly id: number; readonly path: string }> = v.object({
  id: requestId,
  path: textOf(PATH_CHARS_MAX),
});

/** `file` is the number of the request that opened or created it. */
const handle: Schema<{ readonly id: number; readonly file: number }> = v.object({
  id: requestId,
  file: requestId,
});
const range: Schema<{ readonly id: number; readonly file: number; readonly at: number; readonly length: number }> =
  v.object({ id: requestId, file: requestId, at: fileOffset, length: integerOf(0, FILE_BYTES_MAX) });

/** The facts about an open file, in the data of the answer. */
export interface FileFacts {
  readonly name: string;
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
}

export const fileFacts: Schema<FileFacts> = v.object({
  name: textOf(PATH_CHARS_MAX),
  sizeBytes: fileOffset,
  modifiedAtMs: v.pipe(v.number(), v.minValue(-MOMENT_MS_MAX), v.maxValue(MOMENT_MS_MAX)),
});
export const directoryFacts: Schema<readonly HostEntry[]> = v.array(
  v.object({
    name: textOf(PATH_CHARS_MAX),
    kind: v.picklist(["file", "directory", "other"]),
    why: v.optional(textOf(PATH_CHARS_MAX)),
  }),
);

export const schemas: {
  readonly open: typeof open;
  readonly signal: typeof signal;
  readonly terminal: typeof terminal;
  readonly file: typeof file;
  readonly handle: typeof handle;
  readonly range: typeof range;
  readonly end: typeof end;
  readonly number: Schema<number>;
} = { open, signal, terminal, file, handle, range, end, number: integerOf(0, NUMBER_MAX) };

export function read<T>(schema: Schema<T>, frame: Frame): T {
  return decode(schema, frame.body);
}

const ID_BYTES = 4;

/** Bytes of a file that one frame of kind `write` has, after its two numbers. */
export const WRITE_BYTES_MAX: number = BODY_BYTES_MAX - 2 * ID_BYTES;

/** The body of a frame of kind `write`. */
export function writeBody(id: number, file: number, bytes: Uint8Array): Uint8Array {
  const body = new Uint8Array(2 * ID_BYTES + bytes.length);
  const view = new DataView(body.buffer);
  view.setUint32(0, id);
  view.setUint32(ID_BYTES, file);
  body.set(bytes, 2 * ID_BYTES);
  return body;
}

/** Throws "malformed". */
export function readWrite({ body }: Frame): { id: number; file: number; bytes: Uint8Array } {
  if (body.length < 2 * ID_BYTES) throw new StarfishError("malformed", "A piece of no file");
  const view = new DataView(body.buffer, body.byteOffset);
  return { id: view.getUint32(0), file: view.getUint32(ID_BYTES), bytes: body.subarray(2 * ID_BYTES) };
}

/** A piece of an answer, as `sendFile` sends it. Throws "malformed". */
export function readPiece(frame: Frame): { id: number; bytes: Uint8Array } {
  const { body } = frame;
  if (body.length < ID_BYTES) throw new StarfishError("malformed", "A piece of no file");
  return { id: new DataView(body.buffer, body.byteOffset).getUint32(0), bytes: body.subarray(ID_BYTES) };
}

/** Length and kind. */
const HEAD_BYTES = 5;

/** Throws "malformed". */
function bodyLength(head: Uint8Array): number {
  const length = new DataView(head.buffer).getUint32(0);
  if (length < 1 || length > BODY_BYTES_MAX + 1) throw new StarfishError("malformed", `A frame of ${length} bytes`);
  return length - 1;
}

export class FrameSocket {
  readonly #socket: Socket;
  #failure: StarfishError | undefined;
  #waiting: Promise<void> | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("error", (error) => (this.#failure ??= toStarfishError(error, "closed")));
  }

  /** Resolves when there is room for more. Rejects with "closed" when the other end has gone. */
  async send(kind: number, body: Uint8Array = new Uint8Array()): Promise<void> {
    for (let offset = 0; offset === 0 || offset < body.length; offset += BODY_BYTES_MAX) {
      await this.#sendOne(kind, body.subarray(offset, offset + BODY_BYTES_MAX));
    }
  }

  /** A file in pieces, each with the number of its transfer before it. */
  async sendFile(kind: number, id: number, bytes: Uint8Array): Promise<void> {
    const pieceBytes = BODY_BYTES_MAX - ID_BYTES;
    for (let offset = 0; offset < bytes.length; offset += pieceBytes) {
      const piece = bytes.subarray(offset, offset + pieceBytes);
      const body = new Uint8Array(ID_BYTES + piece.length);
      new DataView(body.buffer).setUint32(0, id);
      body.set(piece, ID_BYTES);
      await this.#sendOne(kind, body);
    }
  }

  sendMessage(kind: number, message: unknown): Promise<void> {
    return this.send(kind, encode(message));
  }

  async #sendOne(kind: number, body: Uint8Array): Promise<void> {
    const frame = new Uint8Array(HEAD_BYTES + body.length);
    new DataView(frame.buffer).setUint32(0, 1 + body.length);
    frame[HEAD_BYTES - 1] = kind;
    frame.set(body, HEAD_BYTES);
    if (this.#socket.destroyed || !this.#socket.writable) throw this.#gone();
    if (!this.#socket.write(frame)) await this.#room();
  }

  /**
   * Resolves when there is room for more. All that wait share one pair of listeners, because many pieces are sent at
   * once.
   */
  #room(): Promise<void> {
    this.#waiting ??= new Promise<void>((resolve, reject) => {
      const settle = (): void => {
        this.#socket.off("drain", settle).off("close", settle);
        this.#waiting = undefined;
        if (this.#socket.destroyed) reject(this.#gone());
        else resolve();
      };
      this.#socket.on("drain", settle).on("close", settle);
    });
    return this.#waiting;
  }

  /** The frames that arrive, until the other end has gone. Rejects with "malformed" for an invalid frame. */
  async *frames(): AsyncGenerator<Frame, void, undefined> {
    const head = new Uint8Array(HEAD_BYTES);
    let headBytes = 0;
    let body: Uint8Array | undefined;
    let bodyBytes = 0;
    try {
      // Each byte is copied once, to where it belongs: a frame comes in many chunks.
      for await (const chunk of this.#socket as AsyncIterable<Buffer>) {
        for (let at = 0; at < chunk.length || bodyBytes === body?.length;) {
          if (body === undefined) {
            const part = chunk.subarray(at, at + HEAD_BYTES - headBytes);
            head.set(part, headBytes);
            headBytes += part.length;
            at += part.length;
            if (headBytes === HEAD_BYTES) body = new Uint8Array(bodyLength(head));
            continue;
          }
          const part = chunk.subarray(at, at + body.length - bodyBytes);
          body.set(part, bodyBytes);
          bodyBytes += part.length;
          at += part.length;
          if (bodyBytes < body.length) continue;
          const frame = { kind: head[HEAD_BYTES - 1] ?? 0, body };
          body = undefined;
          headBytes = 0;
          bodyBytes = 0;
          yield frame;
        }
      }
    } catch (error) {
      if (error instanceof StarfishError) throw error;
      this.#failure ??= toStarfishError(error, "closed");
    }
  }

  /** Ends the connection after everything has been sent. */
  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #gone(): StarfishError {
    return this.#failure ?? new StarfishError("closed", "The other end has gone");
  }
}
