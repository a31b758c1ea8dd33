/**
 * The format of sqllogictest (https://www.sqlite.org/sqllogictest, about.wiki): records, each a statement that is to
 * succeed or to fail, or a query with its answer as values one a line, or as their number and MD5.
 */

interface StatementRecord {
  readonly kind: "statement";
  readonly line: number;
  readonly sql: string;
  readonly succeeds: boolean;
}

export type SortMode = "nosort" | "rowsort" | "valuesort";

export interface QueryRecord {
  readonly kind: "query";
  readonly line: number;
  readonly sql: string;
  /** A letter for each column: T text, I integer, R real. */
  readonly types: string;
  readonly sort: SortMode;
  readonly expected: readonly string[];
}

export type SqlRecord = StatementRecord | QueryRecord;

/** The engine that we are, for `skipif` and `onlyif`. */
const ENGINE = "sqlite";
const HEAD: RegExp = /^(statement|query|skipif|onlyif|halt|hash-threshold)\b\s*(.*)$/;

/** Throws if the text is not in this format. */
export function recordsOf(text: string): SqlRecord[] {
  const records: SqlRecord[] = [];
  const lines = text.replaceAll("\r", "").split("\n");
  let isSkipped = false;
  for (let at = 0; at < lines.length; at++) {
    const line = at + 1;
    const source = (lines[at] ?? "").replace(/^#.*$/, "");
    if (source.trim() === "") continue;
    const [, word, rest = ""] = HEAD.exec(source) ?? [];
    const [first = "", second = ""] = rest.split(/\s+/);
    if (word === "skipif" || word === "onlyif") {
      if ((word === "skipif") === (first === ENGINE)) isSkipped = true;
      continue;
    }
    if (word === "hash-threshold") continue;
    if (word === "halt") {
      if (!isSkipped) break;
      isSkipped = false;
      continue;
    }
    if (word === undefined) throw new Error(`Line ${line} begins no record: ${source}`);
    const body: string[] = [];
    while (at + 1 < lines.length && lines[at + 1] !== "") body.push(lines[++at] ?? "");
    const record = word === "statement" ? statementOf(line, first, body) : queryOf(line, first, second, body);
    if (!isSkipped) records.push(record);
    isSkipped = false;
  }
  return records;
}

function statementOf(line: number, outcome: string, body: readonly string[]): StatementRecord {
  return { kind: "statement", line, sql: body.join("\n"), succeeds: outcome === "ok" };
}

function queryOf(line: number, types: string, sort: string, body: readonly string[]): QueryRecord {
  const cut = body.indexOf("----");
  const [sql, expected] = cut < 0 ? [body, []] : [body.slice(0, cut), body.slice(cut + 1)];
  const mode = sort === "rowsort" || sort === "valuesort" ? sort : "nosort";
  return { kind: "query", line, sql: sql.join("\n"), types, sort: mode, expected };
}
