/**
 * Finds the word that a person is typing, and its command. The line may be unfinished: quotes, pipes, lists, loops and
 * substitutions may still be open. Pure.
 */
import { forEachChild, parse, type Command, type SyntaxNode, type Word, type WordPart } from "unbash";

export interface TypedWord {
  /** "other": a word that no command takes, as in `for`, `[[`, a redirection or an assignment. */
  readonly kind: "command" | "argument" | "variable" | "other" | "none";
  /** The command's words before this one, without quotes. */
  readonly words: readonly string[];
  /** What is typed of the word, without quotes; for a variable, its name. */
  readonly value: string;
  /** Where in the text the completion begins. */
  readonly from: number;
  /** The part of the same word before `from`, with its variables replaced; undefined if only running it would tell. */
  readonly before: string | undefined;
  /** The quote that is open at `from`. */
  readonly quote: "" | "'" | '"';
  /** Whether a brace has to follow the name of the variable. */
  readonly isBraced: boolean;
}

/** Put at the cursor, so that there is a word: a private-use character that nobody types. */
const MARK = "\ue000";

export type Lookup = (name: string) => string | undefined;

/** `text` is what is before the cursor; `variable` gives the value of a variable. */
export function typedWord(text: string, variable: Lookup): TypedWord {
  const nowhere: TypedWord = {
    kind: "none",
    words: [],
    value: "",
    from: text.length,
    before: "",
    quote: "",
    isBraced: false,
  };
  const found = innermost(text);
  if (found === undefined) return nowhere;
  const { word, command } = found;
  const isName = command?.name === word;
  const words = command === undefined || isName ? [] : wordsBefore(command, word);
  const isArgument = command !== undefined && command.suffix.some((part) => part === word);
  const place = { ...nowhere, words, kind: isName ? "command" : isArgument ? "argument" : "other" } as const;
  const raw = text.slice(word.pos);
  const open = openQuote(word);
  const dollar = open === "'" ? undefined : /(\\*)\$(\{[#!]?)?([A-Za-z_]\w*)?$/.exec(raw);
  if (dollar !== null && dollar !== undefined && (dollar[1] ?? "").length % 2 === 0) {
    const [, , brace, name = ""] = dollar;
    const from = text.length - name.length;
    return { ...place, kind: "variable", value: name, from, quote: open, isBraced: brace !== undefined };
  }
  return { ...place, ...split(word, raw, open, variable) };
}

interface Found {
  readonly word: Word;
  readonly command: Command | undefined;
}

function innermost(text: string): Found | undefined {
  const end = text.length + MARK.length;
  let found: Found | undefined;
  const visit = (node: SyntaxNode, command: Command | undefined): void => {
    if (node.type === "Word" && node.end === end) found = { word: node, command };
    const inner = node.type === "Command" ? node : node.type === "Script" ? undefined : command;
    forEachChild(node, (child) => visit(child, inner));
  };
  for (const statement of parse(text + MARK).commands) visit(statement, undefined);
  return found;
}

function wordsBefore({ name, suffix }: Command, word: Word): string[] {
  const words = name === undefined ? [] : [name.value];
  for (const part of suffix) {
    if (part === word) break;
    if (part.type === "Word") words.push(part.value);
    else if (part.type === "Assignment") words.push(part.text);
  }
  return words;
}

/** The quote that contains the mark. */
function openQuote({ parts }: Word): TypedWord["quote"] {
  const last = parts?.at(-1);
  if (last?.type === "SingleQuoted" && last.text.includes(MARK)) return "'";
  if (last?.type === "DoubleQuoted" && last.text.includes(MARK)) return '"';
  return "";
}

function split(word: Word, raw: string, open: TypedWord["quote"], variable: Lookup): Partial<TypedWord> {
  const end = word.end - MARK.length;
  if (isLiteral(word.parts) && !raw.startsWith("~/")) {
    const value = word.value.replace(MARK, "");
    if (raw.startsWith(open) && open !== "" && word.parts?.length === 1)
      return { value, from: word.pos + 1, quote: open };
    // `--file=PATH` is completed after its equals sign.
    const option = /^--?[\w-]+=/.exec(raw)?.[0];
    if (option === undefined) return { value, from: word.pos, quote: "" };
    return { value: value.slice(option.length), from: word.pos + option.length, quote: "", before: "" };
  }
  // Parts that are to be expanded stay as typed; what follows the last slash is completed.
  const slash = raw.lastIndexOf("/");
  const tail = raw.slice(slash + 1);
  const isTailLiteral = !/[$`]/.test(tail.replaceAll(/\\./g, ""));
  if (slash < 0 || !isTailLiteral) return { kind: "none", from: end };
  const value = open === "" ? unquoted(tail) : open === '"' ? tail.replaceAll(/\\([\\"$`])/g, "$1") : tail;
  return { value, from: word.pos + slash + 1, quote: open, before: expanded(raw.slice(0, slash + 1), variable) };
}

function isLiteral(parts: readonly WordPart[] | undefined): boolean {
  return (parts ?? []).every((part) => {
    if (part.type === "DoubleQuoted") return part.parts.every((inner) => inner.type === "Literal");
    return part.type === "Literal" || part.type === "SingleQuoted" || part.type === "AnsiCQuoted";
  });
}

function unquoted(text: string): string {
  return text.replaceAll(/\\(.)|'([^']*)'|"([^"]*)"/gs, (_, one?: string, two?: string, three?: string) => {
    return one ?? two ?? three ?? "";
  });
}

/** A directory as typed, with `~` and variables replaced; undefined if more would have to run. */
function expanded(text: string, variable: Lookup): string | undefined {
  const home = text.startsWith("~/") ? `${variable("HOME") ?? ""}/${text.slice(2)}` : text;
  let isKnown = true;
  const value = home.replaceAll(/(?<!\\)\$(?:\{(\w+)\}|(\w+))/g, (_, braced?: string, bare?: string) => {
    const found = variable(braced ?? bare ?? "");
    isKnown &&= found !== undefined;
    return found ?? "";
  });
  const plain = unquoted(value.replace(/^"/, ""));
  return isKnown && !/[$`]/.test(plain) ? plain : undefined;
}
