/** What the comparison needs of another system that keeps contents by their CIDs; others/ has a file for each. */
export interface BlockNode {
  readonly address: string;
  link(address: string): Promise<void>;
  put(bytes: Uint8Array): Promise<string>;
  get(cid: string): AsyncIterable<Uint8Array>;
}
