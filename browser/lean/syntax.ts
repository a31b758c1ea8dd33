/** Syntax trees of JavaScript (ESTree, by Vite's parser), as far as the plugins here look into them, and edits of source. */
import { parseAst } from "vite";

/** What more a node has is checked as it is read. */
export type Node = Readonly<Record<string, unknown>> & {
  readonly type: string;
  readonly start: number;
  readonly end: number;
};

/** A piece of source and what comes in its place. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export function parsed(code: string): Node {
  const program: unknown = parseAst(code);
  if (!isNode(program)) throw new Error("Another parser than expected");
  return program;
}

export function childrenOf(node: Node): Node[] {
  return Object.values(node).flat().filter(isNode);
}

export function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && "start" in value;
}

/** `code` with all edits made; none may lie in another. */
export function edited(code: string, edits: readonly Edit[]): string {
  const pieces: string[] = [];
  let at = 0;
  for (const { start, end, text } of edits.toSorted((a, b) => a.start - b.start)) {
    pieces.push(code.slice(at, start), text);
    at = end;
  }
  return pieces.join("") + code.slice(at);
}
