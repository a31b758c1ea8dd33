/**
 * Takes out of the page what its libraries carry and no tab of Starfish can reach (left-out.ts says what, and why it is
 * safe). A function that is left out keeps its name and throws; what only it needed then falls out by the bundler's own
 * doing. The build fails when something listed is not found, so that an update of a library is looked at again.
 *
 * Holds for what Vite builds, the page and that of test/browser/transport: Node, and the tests that run core/ itself, have
 * the libraries whole.
 */
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";
import { ALL, LEFT_OUT, LOGGING, REPLACED, REWRITTEN } from "./left-out.ts";
import { childrenOf, type Edit, edited, isNode, type Node, parsed } from "./syntax.ts";

const PACKAGES = "/node_modules/";
const BELOW_PACKAGES: RegExp = /\/node_modules\//;

/** `isWhole`: everything in left-out.ts is expected to come by; a page of some of the code passes false. */
export function prune(isWhole = true): Plugin {
  const missing = new Set<string>();
  return {
    name: "starfish:prune",
    apply: "build",
    // Before Vite's own, so that modules are as their authors published them.
    enforce: "pre",
    buildStart() {
      for (const module of [...Object.keys(LEFT_OUT), ...Object.keys(REWRITTEN), ...Object.keys(REPLACED)]) {
        missing.add(module);
      }
    },
    load: {
      filter: { id: BELOW_PACKAGES },
      handler(id) {
        const module = moduleOf(id);
        const replacement = REPLACED[module];
        if (replacement === undefined) return null;
        missing.delete(module);
        const { names, from } = replacement;
        const source = from.startsWith("./") ? fileHere(from) : from;
        return `export { ${names} } from ${JSON.stringify(source)};`;
      },
    },
    transform: {
      filter: { id: BELOW_PACKAGES },
      handler(code, id) {
        const module = moduleOf(id);
        const pruned = rewriteModule(pruneModule(code, module), module);
        if (pruned === code) return null;
        missing.delete(module);
        return { code: pruned, map: null };
      },
    },
    generateBundle() {
      if (isWhole && missing.size > 0)
        throw new Error(`Not in the page any more: ${[...missing].join(", ")} (browser/lean)`);
    },
  };
}

function fileHere(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

/** The path below the innermost node_modules. */
function moduleOf(id: string): string {
  return id.slice(id.lastIndexOf(PACKAGES) + PACKAGES.length);
}

function rewriteModule(code: string, module: string): string {
  let rewritten = code;
  for (const [text, instead] of Object.entries(REWRITTEN[module] ?? {})) {
    if (!rewritten.includes(text)) throw changed(module, text);
    rewritten = rewritten.replaceAll(text, () => instead);
  }
  return rewritten;
}

/** `code` with the functions that LEFT_OUT names throwing, and without the statements that log if LOGGING says so. */
export function pruneModule(code: string, module: string): string {
  const names = LEFT_OUT[module] ?? [];
  const isLogging = LOGGING.test(module) && /\blog\b/.test(code);
  if (names.length === 0 && !isLogging) return code;
  const edits: Edit[] = [];
  const wanted = new Set(names.filter((name) => name !== ALL));
  const visit = (node: Node): void => {
    const name = functionName(node, code);
    const body = name === undefined ? undefined : bodyOf(node);
    if (name !== undefined && body !== undefined && (names.includes(ALL) || names.includes(name))) {
      wanted.delete(name);
      edits.push({
        start: body.start,
        end: body.end,
        text: `{ throw leftOut(${JSON.stringify(`${module} ${name}`)}); }`,
      });
    } else if (isLogging && isLogStatement(node)) {
      edits.push({ start: node.start, end: node.end, text: ";" });
    } else {
      for (const child of childrenOf(node)) visit(child);
    }
  };
  visit(parsed(code));
  if (wanted.size > 0) throw changed(module, [...wanted].join(", "));
  if (edits.length === 0) return code;
  return `import { leftOut } from ${JSON.stringify(fileHere("./complain.ts"))};\n${edited(code, edits)}`;
}

function changed(module: string, what: string): Error {
  return new Error(`${module} has no ${what} any more: see whether browser/lean/left-out.ts still holds`);
}

/** Of a declared function, a method or (as "function*") any generator in an expression. */
function functionName(node: Node, code: string): string | undefined {
  const key = node["key"] ?? node["id"];
  if (node.type === "FunctionDeclaration" || node.type === "MethodDefinition") {
    return isNode(key) ? code.slice(key.start, key.end) : undefined;
  }
  return node.type === "FunctionExpression" && node["generator"] === true ? "function*" : undefined;
}

function bodyOf(node: Node): Node | undefined {
  const of = node.type === "MethodDefinition" ? node["value"] : node;
  const body = isNode(of) ? of["body"] : undefined;
  return isNode(body) && body.type === "BlockStatement" ? body : undefined;
}

/** `this.log("…")`, `log.trace("…")`, `stream.log.error("…")` as a statement of its own. */
function isLogStatement(node: Node): boolean {
  const call = node["expression"];
  if (node.type !== "ExpressionStatement" || !isNode(call) || call.type !== "CallExpression") return false;
  const callee = call["callee"];
  return (
    isNode(callee) &&
    (isNamed(callee, "log") || (isNamed(callee, "trace", "error") && isNamed(callee["object"], "log")))
  );
}

/** Whether the expression is one of these names, or a member so called. */
function isNamed(node: unknown, ...names: readonly string[]): boolean {
  if (!isNode(node)) return false;
  if (node.type === "MemberExpression") return isNamed(node["property"], ...names);
  return node.type === "Identifier" && names.some((name) => node["name"] === name);
}
