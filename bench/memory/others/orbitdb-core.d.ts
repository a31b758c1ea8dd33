/** The little of @orbitdb/core that is used here; it comes without types. */
declare module "@orbitdb/core" {
  import type { Libp2p } from "libp2p";

  interface Storage {
    put(hash: string, data: unknown): Promise<void>;
    iterator(): AsyncIterable<[hash: string, data: unknown]>;
  }

  interface Database {
    readonly address: string;
    put(key: string, value: string): Promise<string>;
    all(): Promise<{ readonly key: string; readonly value: string }[]>;
  }

  interface OrbitDB {
    open(
      address: string,
      options: {
        type: "keyvalue";
        headsStorage: Storage;
        indexStorage: Storage;
      },
    ): Promise<Database>;
  }

  interface LogEntry {
    readonly hash: string;
    readonly payload: { readonly key: string };
  }

  interface Log {
    append(payload: object, options: { referencesCount: number }): Promise<LogEntry>;
    joinEntry(entry: LogEntry): Promise<boolean>;
    values(): Promise<LogEntry[]>;
  }

  interface Identity {
    readonly id: string;
  }

  export function createOrbitDB(options: { ipfs: { readonly libp2p: Libp2p }; directory: string }): Promise<OrbitDB>;
  export function MemoryStorage(): Promise<Storage>;
  export function Identities(options: { path: string }): Promise<{
    createIdentity(options: { id: string }): Promise<Identity>;
  }>;
  export const Entry: {
    encode(entry: LogEntry): Promise<{ readonly bytes: Uint8Array }>;
    decode(bytes: Uint8Array): Promise<LogEntry>;
  };
  export function Log(
    identity: Identity,
    options: { logId: string; entryStorage: Storage; headsStorage: Storage; indexStorage: Storage },
  ): Promise<Log>;
}
