/**
 * Files dropped on a node of the swarm's picture, or of its table, go to that node. Elsewhere in the swarm nothing
 * happens, and a line says where they could be dropped.
 */
import { oneLine } from "../../core/shell/harmless.ts";
import { byId, setText } from "./dom.ts";
import { dropped, type Incoming } from "./files/incoming.ts";
import type { NodeFacts } from "./swarm-model.ts";

export interface NodeDrops {
  /** The node at this position of the window. */
  readonly find: (event: DragEvent) => NodeFacts | undefined;
  /** Shows which node would get them. */
  readonly aim: (node: NodeFacts | undefined) => void;
  readonly take: (node: NodeFacts, incoming: Promise<Incoming>) => void;
}

export function connectNodeDrops({ find, aim, take }: NodeDrops): void {
  const place = byId("swarm-place", HTMLElement);
  const sign = byId("swarm-drop", HTMLElement);
  const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") === true;
  const over = (): void => {
    sign.hidden = true;
    aim(undefined);
  };
  const target = (event: DragEvent): NodeFacts | undefined => {
    const node = find(event);
    return node === undefined || node.isSelf || node.status === "gone" ? undefined : node;
  };
  place.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    const node = target(event);
    aim(node);
    if (event.dataTransfer !== null) event.dataTransfer.dropEffect = node === undefined ? "none" : "copy";
    sign.hidden = false;
    setText(sign, signWords(node));
  });
  place.addEventListener("dragleave", (event) => {
    if (!(event.relatedTarget instanceof Node) || !place.contains(event.relatedTarget)) over();
  });
  place.addEventListener("drop", (event) => {
    over();
    if (!hasFiles(event) || event.dataTransfer === null) return;
    event.preventDefault();
    const node = target(event);
    if (node !== undefined) take(node, dropped(event.dataTransfer, "/"));
  });
}

function signWords(node: NodeFacts | undefined): string {
  if (node === undefined) return "Drop on a node to send it there";
  const name = oneLine(node.name);
  return node.status === "awake" ? `Drop to send to ${name}` : `${name} is ${node.status}: drop to send it as mail`;
}
