/** A file that is attached to a mail, from any source. */
import { streamOf } from "../../../core/shell/files/host-streams.ts";
import { hostFile } from "../host.ts";

export interface Attachment {
  readonly name: string;
  readonly sizeBytes: number;
  open(signal: AbortSignal): AsyncIterable<Uint8Array>;
}

export function attachmentOf(file: File, name: string = file.name): Attachment {
  return { name, sizeBytes: file.size, open: (signal) => streamOf(hostFile(file), signal) };
}
