/**
 * Finds the names that a function's text uses and does not declare: variables that it closes over. Such a function
 * can't be sent to other nodes, and the error tells the name. acorn parses the text; scopes follow ECMA-262 (`var` in
 * its function, the rest in its block).
 */
import type { AnyNode, Expression, Pattern } from "acorn";
import { StarfishError } from "../base/errors.ts";
import { GLOBALS } from "../sandbox/languages/globals.ts";

interface Scope {
  readonly names: Set<string>;
  readonly outer: Scope | undefined;
  /** Whether it has its own `this`, `arguments` and the like. */
  readonly isOwn: boolean;
}

type Children = readonly (readonly [key: string, child: AnyNode])[];

/** Throws "usage" if the text is not a function, or if it uses a name that it does not declare. */
export async function checkTravels(source: string): Promise<void> {
  const { parseExpressionAt } = await import("acorn");
  let parsed: Expression;
  try {
    parsed = parseExpressionAt(`(${source}\n)`, 0, { ecmaVersion: "latest" });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StarfishError(
      "usage",
      `The function can't be sent: give an arrow function or a function expression (${why})`,
    );
  }
  if (parsed.type !== "ArrowFunctionExpression" && parsed.type !== "FunctionExpression") {
    throw new StarfishError("usage", "map needs a function expression");
  }
  visit(parsed, { names: new Set(), outer: undefined, isOwn: false });
}

function visit(node: AnyNode, scope: Scope): void {
  switch (node.type) {
    case "Identifier":
      return resolve(node.name, scope);
    case "ThisExpression":
    case "Super":
      if (!ownsThis(scope)) throw closesOver(node.type === "Super" ? "super" : "this");
      return;
    case "ImportExpression":
      throw closesOver("import()");
    case "MetaProperty":
      // acorn has already refused `import.meta`, and `new.target` outside of functions.
      return;
    default: {
      const inner = scopeOf(node, scope);
      for (const [key, child] of childrenOf(node)) if (!isName(node, key)) visit(child, inner);
    }
  }
}

/** Whether this identifier is the name of a property or a label. */
function isName(node: AnyNode, key: string): boolean {
  if (key === "label") return true;
  if (node.type === "MemberExpression") return key === "property" && !node.computed;
  const hasKey = node.type === "Property" || node.type === "MethodDefinition" || node.type === "PropertyDefinition";
  return hasKey && key === "key" && !node.computed;
}

/** The scope that a node opens, with everything declared in it; the surrounding scope if it opens none. */
function scopeOf(node: AnyNode, outer: Scope): Scope {
  const names = new Set<string>();
  switch (node.type) {
    case "FunctionExpression":
    case "FunctionDeclaration":
    case "ArrowFunctionExpression": {
      for (const parameter of node.params) bind(parameter, names);
      if (node.type === "FunctionExpression" && node.id) names.add(node.id.name);
      const isOwn = node.type !== "ArrowFunctionExpression";
      if (isOwn) names.add("arguments");
      hoist(node.body, names);
      return { names, outer, isOwn };
    }
    case "ClassExpression":
    case "ClassDeclaration":
      if (node.id) names.add(node.id.name);
      return { names, outer, isOwn: true };
    case "BlockStatement":
    case "StaticBlock":
      for (const statement of node.body) declare(statement, names);
      return { names, outer, isOwn: false };
    case "SwitchStatement":
      for (const branch of node.cases) for (const statement of branch.consequent) declare(statement, names);
      return { names, outer, isOwn: false };
    case "ForStatement":
      if (node.init) declare(node.init, names);
      return { names, outer, isOwn: false };
    case "ForInStatement":
    case "ForOfStatement":
      declare(node.left, names);
      return { names, outer, isOwn: false };
    case "CatchClause":
      if (node.param) bind(node.param, names);
      return { names, outer, isOwn: false };
    default:
      return outer;
  }
}

/** Adds the names that a statement declares in its block. */
function declare(node: AnyNode, names: Set<string>): void {
  if (node.type === "VariableDeclaration") for (const { id } of node.declarations) bind(id, names);
  if ((node.type === "FunctionDeclaration" || node.type === "ClassDeclaration") && node.id) names.add(node.id.name);
}

/** Adds the names that `var` declares in a function, at any depth. */
function hoist(node: AnyNode, names: Set<string>): void {
  if (node.type === "VariableDeclaration" && node.kind === "var") declare(node, names);
  for (const [, child] of childrenOf(node)) if (!/Function|Class/.test(child.type)) hoist(child, names);
}

function bind(pattern: Pattern, names: Set<string>): void {
  switch (pattern.type) {
    case "Identifier":
      names.add(pattern.name);
      return;
    case "ObjectPattern":
      for (const property of pattern.properties) {
        bind(property.type === "RestElement" ? property.argument : property.value, names);
      }
      return;
    case "ArrayPattern":
      for (const element of pattern.elements) if (element) bind(element, names);
      return;
    case "RestElement":
      return bind(pattern.argument, names);
    case "AssignmentPattern":
      return bind(pattern.left, names);
    case "MemberExpression":
  }
}

function resolve(name: string, scope: Scope): void {
  for (let at: Scope | undefined = scope; at !== undefined; at = at.outer) if (at.names.has(name)) return;
  if (!GLOBALS.has(name)) throw closesOver(name);
}

function ownsThis(scope: Scope): boolean {
  for (let at: Scope | undefined = scope; at !== undefined; at = at.outer) if (at.isOwn) return true;
  return false;
}

function closesOver(name: string): StarfishError {
  return new StarfishError(
    "usage",
    `The function uses \`${name}\`, which is not its own and stays on this node: write it inside of the function, or give ` +
      "it with each input",
  );
}

function childrenOf(node: AnyNode): Children {
  const children: [string, AnyNode][] = [];
  for (const [key, value] of Object.entries(node)) {
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) children.push([key, child]);
  }
  return children;
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}
