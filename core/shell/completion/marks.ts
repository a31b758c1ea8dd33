/**
 * Marks what would fail in a line while it is being typed: unknown commands, and quotes and brackets without an end.
 */
import { forEachChild, parse, type SyntaxNode, type Word } from "unbash";
import { isStarfishError } from "../../base/errors.ts";
import { absolutePath } from "../language/glob.ts";
import type { Mark } from "../terminal/drawing.ts";
import { commandNames, isKnownCommand, type Sources } from "./candidates.ts";

/** Names that were looked up since the last prompt. */
const LOOKED_UP_MAX = 256;

export class Marker {
  readonly #sources: Pick<Sources, "session" | "commands" | "names">;
  /** Whether an unknown name is a program, if that has been looked up; undefined while it is being looked up. */
  readonly #programs = new Map<string, boolean | undefined>();
  /** Called when more is known than when the line was last marked. */
  onChange: () => void = () => {};

  constructor(sources: Pick<Sources, "session" | "commands" | "names">) {
    this.#sources = sources;
  }

  /** Call it when a line has run, because files may have come and gone. */
  forget(): void {
    this.#programs.clear();
  }

  marks(line: string, cursor: number): Mark[] {
    const { commands, errors = [] } = parse(line);
    const marks: Mark[] = [];
    const visit = (node: SyntaxNode): void => {
      if (node.type === "Command" && node.name !== undefined && this.#isWrong(node.name, cursor))
        marks.push({ from: node.name.pos, to: node.name.end, kind: "wrong" });
      forEachChild(node, visit);
    };
    for (const statement of commands) visit(statement);
    for (const { message, pos } of errors) {
      if (pos >= line.length) continue;
      marks.push({ from: pos, to: pos + 1, kind: message.startsWith("unterminated") ? "open" : "wrong" });
    }
    return marks.sort((a, b) => a.from - b.from);
  }

  /** Only what is certain: a name that may still become a command, or is being looked up, is not marked. */
  #isWrong({ value, text, end }: Word, cursor: number): boolean {
    if (value === "" || /[$`*?[{~]/.test(text) || isKnownCommand(value, this.#sources)) return false;
    const isBeingTyped = end === cursor;
    if (isBeingTyped && value.includes("/")) return false;
    if (isBeingTyped && commandNames(this.#sources).some((name) => name.startsWith(value))) return false;
    if (!this.#programs.has(value)) this.#lookUp(value);
    return this.#programs.get(value) === false;
  }

  #lookUp(name: string): void {
    if (this.#programs.size >= LOOKED_UP_MAX) this.#programs.clear();
    this.#programs.set(name, undefined);
    const done = (isThere: boolean): void => {
      this.#programs.set(name, isThere);
      if (!isThere) this.onChange();
    };
    // A name that can't be looked up is not marked.
    this.#isThere(name).then(done, () => done(true));
  }

  async #isThere(name: string): Promise<boolean> {
    const { session, names } = this.#sources;
    const { cwd, variables } = session.state;
    const isPath = name.includes("/");
    const places = isPath
      ? [name]
      : (variables.get("PATH") ?? "").split(":").map((directory) => `${directory}/${name}`);
    for (const place of places) {
      try {
        if ((await names.stat(absolutePath(place, cwd))) !== undefined) return true;
      } catch (error) {
        if (!isStarfishError(error)) throw error;
      }
    }
    return false;
  }
}
