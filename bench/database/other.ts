/** The figures of another system; others/ has a file for each, which exports `other`. */
interface OtherFigures {
  /** All rows in one transaction. */
  readonly insertMs: number;
  /** One scan with sums. */
  readonly scanMs: number;
  /** From the first write until a second node has all rows; undefined if the system does not replicate. */
  readonly secondMs: number | undefined;
}

export interface Other {
  measure(rows: number): Promise<OtherFigures>;
}
