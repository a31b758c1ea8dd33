/** The figures of another system; others/ has a file for each, which exports `other`. */
interface OtherFigures {
  /** All rows in one transaction. */
  readonly insertMs: number;
  /** One scan with sums. */
  readonly scanMs: number;
  /** From the first write until a second one has all rows; undefined: it does not replicate. */
  readonly secondMs: number | undefined;
}

export interface Other {
  measure(rows: number): Promise<OtherFigures>;
}
