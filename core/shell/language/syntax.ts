/** Finds errors in statements before any of them runs: errors within substitutions, and what is not supported. */
import { forEachChild, parse, type Statement, type SyntaxNode } from "unbash";

export interface SyntaxFault {
  readonly message: string;
  readonly pos: number;
}

export function checkSyntax(statements: readonly Statement[]): SyntaxFault | undefined {
  let fault: SyntaxFault | undefined;
  const visit = (node: SyntaxNode): void => {
    if (fault !== undefined) return;
    if (node.type === "Script" && "errors" in node && node.errors?.[0] !== undefined && node.source === undefined) {
      [fault] = node.errors;
      return;
    }
    if (node.type === "Coproc") {
      fault = { message: "'coproc' is not supported", pos: node.pos };
      return;
    }
    forEachChild(node, visit);
  };
  for (const statement of statements) visit(statement);
  return fault;
}

/** Whether the text needs more lines: an open quote, a pipe without a command after it, a loop without its end. */
export function isIncomplete(text: string): boolean {
  const { commands: statements, errors = [] } = parse(text);
  if (/(?:^|[^\\])(?:\\\\)*\\$/.test(text)) return true;
  if (hasOpenDocument(statements)) return true;
  const end = text.trimEnd().length;
  const [first] = errors;
  return first !== undefined && (first.message.startsWith("unterminated") || first.pos >= end);
}

function hasOpenDocument(statements: readonly Statement[]): boolean {
  let isOpen = false;
  const visit = (node: SyntaxNode): void => {
    if (node.type === "HereDoc" && node.closing === undefined) isOpen = true;
    if (!isOpen) forEachChild(node, visit);
  };
  for (const statement of statements) visit(statement);
  return isOpen;
}
