/** What the terminal says first: which swarm this is, who is here, and three things to try, by click or by typing. */
import { count, paint, wrapped } from "../../core/shell/format.ts";
import { joined, compose, sequence, type Text } from "../../core/shell/styled.ts";
import type { TerminalInfo } from "../../core/shell/types.ts";
import { shortBytes } from "./files/words.ts";
import type { NodeFacts } from "./swarm-model.ts";
import { runLink } from "./terminal.ts";

const BOLD = sequence("\x1b[1m");
const DIM = sequence("\x1b[90m");
const PLAIN = sequence("\x1b[0m");
const ACCENT = sequence("\x1b[1;38;2;232;102;66m");

const THINGS: readonly (readonly [line: string, what: string])[] = [
  ["peers", "who is here"],
  ["map mandelbrot", "draw a picture"],
  ["invite", "bring in a friend"],
];

export const PROMPT: Text = compose`${ACCENT}$${PLAIN} `;

/** Before the network is there; "apart" if there is no swarm to join. */
export function greeting(state: "joining" | "apart", columns: number): Text {
  const title = compose`${ACCENT}★ Starfish${PLAIN}`;
  const what = wrapped("One computer made of everybody's devices.", columns);
  if (state === "apart") return compose`${title}\n${what}\n`;
  const width = Math.max(...THINGS.map(([line]) => line.length));
  const things = THINGS.map(
    ([line, what]) => compose`  ${runLink(line)}${" ".repeat(width - line.length)}   ${DIM}${what}${PLAIN}`,
  );
  const intro = "Three things to try; click them or type them:";
  return compose`${title}\n${what}\n\n${wrapped(intro, columns)}\n\n${joined(things, "\n")}\n`;
}

/** Once this node is a member: the swarm, this node's name, who else is here, and what it gives. */
export function whoIsHere(
  swarm: string,
  nodes: readonly NodeFacts[],
  keptBytesMax: number,
  terminal: TerminalInfo,
): Text {
  const lends = nodes.find((node) => node.isSelf)?.coresLent ?? 0;
  const keeps = keptBytesMax === 0 ? "keeps nothing" : `keeps up to ${shortBytes(keptBytesMax)}`;
  const asked = keptBytesMax === 0 || lends === 0 ? "; you choose below what it gives" : "";
  const gives = `It ${keeps} for the others and lends ${lends === 0 ? "no cores" : count(lends, "core")}${asked}.`;
  const part = compose`This tab is part of ${BOLD}${swarm}${PLAIN}.`;
  return compose`${wrapped(part, terminal.columns)}\n${names(nodes, terminal)}\n${wrapped(gives, terminal.columns)}`;
}

function names(nodes: readonly NodeFacts[], terminal: TerminalInfo): Text {
  const self = nodes.find((node) => node.isSelf);
  const others = nodes.filter((node) => !node.isSelf && node.status !== "gone");
  const named = (node: NodeFacts): Text => paint(node.name, node.peer, terminal);
  const you = self === undefined ? "" : compose`You are ${named(self)}. `;
  if (others.length === 0) return compose`${you}Nobody else is here yet.`;
  const shown = others.slice(0, 5).map(named);
  const rest = others.length - shown.length;
  const list = rest > 0 ? [...shown, `${rest} more`] : shown;
  const last = list.pop() ?? "";
  const here = list.length === 0 ? last : compose`${joined(list, ", ")} and ${last}`;
  return wrapped(compose`${you}Here ${others.length === 1 ? "is" : "are"} ${here}.`, terminal.columns);
}
