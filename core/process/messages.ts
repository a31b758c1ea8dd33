/**
 * The messages between the node and the thread of programs. Paths, names and words are bytes, as programs have them.
 */
import type { ErrorCode } from "../base/errors.ts";

export type Filetype = "directory" | "file" | "link" | "terminal" | "device" | "pipe";

export interface Filestat {
  readonly type: Filetype;
  readonly sizeBytes: number;
  /** Nanoseconds since 1970. */
  readonly modifiedAtNs: bigint;
  readonly accessedAtNs?: bigint | undefined;
  readonly inode: bigint;
  readonly links: number;
}

export interface Opened {
  readonly handle: number;
  readonly type: Filetype;
}

export interface DirectoryName {
  readonly name: Uint8Array;
  readonly type: Filetype;
  readonly inode: bigint;
}

/** Where a path starts: an open directory, and whether a link at its end is followed. */
interface RelativePath {
  readonly directory: number;
  readonly path: Uint8Array;
  readonly follow: boolean;
}

export interface OpenRequest extends RelativePath {
  readonly is: "open";
  readonly create: boolean;
  readonly exclusive: boolean;
  readonly truncate: boolean;
  readonly mustBeDirectory: boolean;
  readonly write: boolean;
}

/** Nanoseconds since 1970. */
export interface Times {
  readonly modifiedAtNs?: bigint;
  readonly accessedAtNs?: bigint;
}

export type Request =
  | OpenRequest
  | ({ readonly is: "stat" } & RelativePath)
  | ({ readonly is: "make-directory" | "unlink" | "remove-directory" | "read-link" } & RelativePath)
  | ({ readonly is: "times" } & Times & RelativePath)
  | ({ readonly is: "rename"; readonly toDirectory: number; readonly toPath: Uint8Array } & RelativePath)
  | ({ readonly is: "link"; readonly toDirectory: number; readonly toPath: Uint8Array } & RelativePath)
  | ({ readonly is: "symlink"; readonly target: Uint8Array } & RelativePath)
  | { readonly is: "fstat" | "list" | "close" | "take"; readonly handle: number }
  | { readonly is: "sync"; readonly handle: number }
  | { readonly is: "read"; readonly handle: number; readonly offset: number; readonly length: number }
  /** Without an offset the bytes are appended, wherever the end is by then. */
  | {
      readonly is: "write";
      readonly handle: number;
      readonly offset: number | undefined;
      readonly bytes: Uint8Array<ArrayBuffer>;
    }
  | { readonly is: "resize"; readonly handle: number; readonly sizeBytes: number }
  | ({ readonly is: "touch"; readonly handle: number } & Times)
  /** Bytes for a stream. The answer is their memory, for the next ones. */
  | { readonly is: "give"; readonly handle: number; readonly bytes: Uint8Array<ArrayBuffer> }
  /** Bytes given back to a stream, for its next reader. */
  | { readonly is: "give-back"; readonly handle: number; readonly bytes: Uint8Array<ArrayBuffer> };

/** A number is an error (errno of preview 1); 0 is success without a value. */
export type Reply = number | { readonly value: unknown };

export interface StartMessage {
  readonly is: "start";
  readonly process: number;
  readonly module: WebAssembly.Module;
  /** The bound of the program's memory. */
  readonly memoryBytesMax: number;
  readonly args: readonly Uint8Array[];
  /** NAME=VALUE */
  readonly environment: readonly Uint8Array[];
  /** Handles 0, 1 and 2, as far as they are open. */
  readonly streams: readonly {
    readonly handle: number;
    readonly type: Filetype;
    readonly reads: boolean;
    readonly writes: boolean;
  }[];
  /** Directories that are open from the start, from descriptor 3 on; their handles equal their descriptors. */
  readonly directories: readonly Uint8Array[];
}

export type ToThread =
  | { readonly is: "compile"; readonly id: number; readonly bytes: Uint8Array; readonly memoryBytesMax: number }
  | StartMessage
  | { readonly is: "reply"; readonly process: number; readonly call: number; readonly reply: Reply }
  | { readonly is: "kill"; readonly process: number };

export type ProgramEnd =
  | { readonly is: "exit"; readonly status: number }
  /** Nobody reads its output any more. */
  | { readonly is: "broken-pipe" }
  | { readonly is: "killed" }
  | { readonly is: "failed"; readonly code: ErrorCode; readonly message: string };

export type CompileReply =
  | { readonly module: WebAssembly.Module }
  | { readonly code: ErrorCode; readonly message: string };

export type FromThread =
  | { readonly is: "compiled"; readonly id: number; readonly reply: CompileReply }
  | {
      readonly is: "call";
      readonly process: number;
      readonly call: number;
      readonly request: Request;
      /** Whether the program goes on meanwhile. */
      readonly isAhead: boolean;
    }
  /** The program is suspended until this call, which was sent ahead, is answered. */
  | { readonly is: "waits"; readonly process: number; readonly call: number }
  /** The program is suspended until some time, or until one of several events; or it goes on. */
  | { readonly is: "sleeps"; readonly process: number; readonly isAsleep: boolean }
  | { readonly is: "ended"; readonly process: number; readonly end: ProgramEnd };
