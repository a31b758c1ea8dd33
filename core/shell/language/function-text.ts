/** A function as `declare -f` and `type` print it: in bash's own layout, which scripts read back and compare. */
import type {
  ArithmeticFor,
  Case,
  Command,
  CommandNode,
  CompoundList,
  Elif,
  HereDoc,
  If,
  PipelineNode,
  Redirection,
  Statement,
  TestExpression,
} from "unbash";
import type { ShellFunction } from "./state.ts";

export function functionText({ name, body, source }: ShellFunction): string {
  return new Printer(source.text).definition(name, body, 0);
}

/** `[[ … ]]` as bash prints it; a word alone is `-n word`. */
export function testText(expression: TestExpression): string {
  return `[[ ${expressionText(expression)} ]]`;
}

function expressionText(expression: TestExpression): string {
  switch (expression.type) {
    case "TestUnary":
      return `${expression.operator} ${expression.operand.text}`;
    case "TestBinary":
      return `${expression.left.text} ${expression.operator} ${expression.right.text}`;
    case "TestLogical":
      return expression.operands.map(expressionText).join(` ${expression.operator} `);
    case "TestNot":
      return expression.negations.map(() => "! ").join("") + expressionText(expression.operand);
    default:
      return `( ${expressionText(expression.expression)} )`;
  }
}

type Body = ShellFunction["body"];

const INDENT = 4;

class Printer {
  readonly #source: string;
  /** Here-documents of the line that is being written; they follow its end. */
  #documents: string[] = [];

  constructor(source: string) {
    this.#source = source;
  }

  definition(name: string, body: Body, indent: number): string {
    const pad = " ".repeat(indent);
    const { group, redirects } =
      body.type === "Redirected" ? { group: body.command, redirects: body.redirects } : { group: body, redirects: [] };
    const inner =
      group.type === "BraceGroup"
        ? this.#list(group.body, indent + INDENT, "")
        : group.type === "CompoundList"
          ? this.#list(group, indent + INDENT, "")
          : `${" ".repeat(indent + INDENT)}${this.#command(group, indent + INDENT)}${this.#heldBack()}`;
    return `${name} () \n${pad}{ \n${inner}\n${pad}}${this.#redirections(redirects)}\n`;
  }

  /** Statements, one a line. `last` follows the last one: `;` within loops and conditions. */
  #list({ commands }: CompoundList, indent: number, last: ";" | ""): string {
    const pad = " ".repeat(indent);
    return commands
      .map((statement, i) => {
        // What follows `&` is on the same line.
        const before = i === 0 ? pad : commands[i - 1]?.background === true ? " " : `\n${pad}`;
        return before + this.#statement(statement, indent, i === commands.length - 1 ? last : ";");
      })
      .join("");
  }

  #statement({ command, background }: Statement, indent: number, end: ";" | ""): string {
    const text = this.#node(command, indent);
    if (this.#documents.length > 0) return text + this.#heldBack();
    return text + (background === true ? " &" : end);
  }

  #heldBack(): string {
    const documents = this.#documents.splice(0);
    return documents.length === 0 ? "" : `\n${documents.join("")}`;
  }

  #node(node: Statement["command"], indent: number): string {
    if (node.type !== "AndOr") return this.#pipeline(node, indent);
    return node.commands
      .map((command, i) => (i === 0 ? "" : ` ${node.operators[i - 1] ?? ""} `) + this.#pipeline(command, indent))
      .join("");
  }

  #pipeline(node: PipelineNode, indent: number): string {
    if (node.type !== "Pipeline") return this.#command(node, indent);
    const prefix = node.prefixes
      .map((one) => (one.type === "Negation" ? "! " : one.posix ? "time -p " : "time "))
      .join("");
    const stages = node.commands.map((command, i) => {
      const operator = node.operators[i - 1];
      return (operator === undefined ? "" : operator === "|&" ? " 2>&1 | " : " | ") + this.#command(command, indent);
    });
    return prefix + stages.join("");
  }

  #command(node: CommandNode, indent: number): string {
    const pad = " ".repeat(indent);
    switch (node.type) {
      case "Command":
        return this.#simple(node);
      case "Redirected":
        return this.#command(node.command, indent) + this.#redirections(node.redirects);
      case "Function":
        return `function ${this.definition(node.name.text, node.body, indent).trimEnd()}`;
      case "BraceGroup":
        return `{ \n${this.#list(node.body, indent + INDENT, "")}\n${pad}}`;
      case "Subshell":
        return `( ${this.#list(node.body, indent, "").trimStart()} )`;
      case "If":
        return this.#if([node, ...node.elif], node.else, indent);
      case "While":
        return `${node.kind} ${this.#clause(node.clause, indent)}; do\n${this.#list(node.body, indent + INDENT, ";")}\n${pad}done`;
      case "For":
      case "Select":
        return this.#for(node, indent);
      case "ArithmeticFor":
        return this.#arithmeticFor(node, indent);
      case "Case":
        return this.#case(node, indent);
      case "TestCommand":
        return testText(node.expression);
      case "ArithmeticCommand":
        return `((${node.body}))`;
      default:
        return this.#source.slice(node.pos, node.end);
    }
  }

  #simple({ prefix, name, suffix, redirects }: Command): string {
    const words = [...prefix, ...(name === undefined ? [] : [name]), ...suffix].flatMap((part) =>
      part.type === "Word" || part.type === "Assignment" ? [part.text] : [],
    );
    return (words.join(" ") + this.#redirections(redirects)).trimStart();
  }

  #redirections(redirections: readonly Redirection[]): string {
    return redirections.map((one) => ` ${this.#redirection(one)}`).join("");
  }

  #redirection(one: Redirection): string {
    const { descriptor } = one;
    const number =
      descriptor === undefined
        ? ""
        : descriptor.type === "FileDescriptor"
          ? String(descriptor.value)
          : `{${descriptor.name}}`;
    if (one.type === "HereDoc") return number + this.#document(one);
    const target = one.target?.text ?? "";
    if (one.type === "HereString") return `${number}<<< ${target}`;
    const isDuplicate = one.operator === ">&" || one.operator === "<&";
    const from = number === "" && isDuplicate ? (one.operator === ">&" ? "1" : "0") : number;
    return `${from}${one.operator}${isDuplicate ? "" : " "}${target}`;
  }

  #document({ operator, delimiter, body }: HereDoc): string {
    const name = delimiter?.value ?? "";
    const text = operator === "<<-" ? body.text.replaceAll(/^\t+/gm, "") : body.text;
    this.#documents.push(`${text}${name}\n`);
    return `${operator}${delimiter?.quoted === true ? `'${name}'` : name}`;
  }

  /** A condition, on one line. */
  #clause({ commands }: CompoundList, indent: number): string {
    return commands.map((statement) => this.#statement(statement, indent, "")).join("; ");
  }

  /** The first of `branches`; its `else` has those after it, because bash prints `elif` as a nested `if`. */
  #if(branches: readonly (If | Elif)[], otherwise: CompoundList | undefined, indent: number): string {
    const pad = " ".repeat(indent);
    const [first, ...others] = branches;
    if (first === undefined) return "";
    const head = `if ${this.#clause(first.clause, indent)}; then\n${this.#list(first.then, indent + INDENT, ";")}\n`;
    if (others.length > 0) {
      const inner = this.#if(others, otherwise, indent + INDENT);
      return `${head}${pad}else\n${pad}${" ".repeat(INDENT)}${inner};\n${pad}fi`;
    }
    const rest = otherwise === undefined ? "" : `${pad}else\n${this.#list(otherwise, indent + INDENT, ";")}\n`;
    return `${head}${rest}${pad}fi`;
  }

  #for(node: Extract<CommandNode, { type: "For" | "Select" }>, indent: number): string {
    const pad = " ".repeat(indent);
    const word = node.type === "For" ? "for" : "select";
    const words = node.wordlist === undefined ? ['"$@"'] : node.wordlist.map(({ text }) => text);
    const list = words.length === 0 ? "" : ` ${words.join(" ")}`;
    return `${word} ${node.name.text} in${list};\n${pad}do\n${this.#list(node.body, indent + INDENT, ";")}\n${pad}done`;
  }

  #arithmeticFor(node: ArithmeticFor, indent: number): string {
    const pad = " ".repeat(indent);
    const parts = [node.initialize, node.test, node.update].map((part) =>
      part === undefined ? "1" : this.#source.slice(part.pos, part.end),
    );
    return `for ((${parts.join("; ")}))\n${pad}do\n${this.#list(node.body, indent + INDENT, ";")}\n${pad}done`;
  }

  #case({ word, items }: Case, indent: number): string {
    const pad = " ".repeat(indent + INDENT);
    const printed = items.map(({ pattern, body, terminator }) => {
      const list = body.commands.length === 0 ? "\n" : `${this.#list(body, indent + 2 * INDENT, "")}\n`;
      return `${pad}${pattern.map(({ text }) => text).join(" | ")})\n${list}${pad}${terminator ?? ";;"}\n`;
    });
    return `case ${word.text} in \n${printed.join("")}${" ".repeat(indent)}esac`;
  }
}
