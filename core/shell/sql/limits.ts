/** Bounds of the command `sql`, each with its reason. */

/**
 * Letters of a statement that has not ended: as many as the database takes. So a quote without an end takes no more.
 */
export const STATEMENT_CHARS_MAX: number = 1024 * 1024;
/**
 * Letters of a record of a CSV file, since a quote without an end would take the whole file. It is more than a row of
 * the database may have.
 */
export const CSV_RECORD_CHARS_MAX: number = 4 * 1024 * 1024;
/** Records by which types are guessed. Later ones that do not fit are kept as text. */
export const GUESSED_RECORDS = 1_000;
/** Letters of a file's statements that become one transaction: well below what a transaction may change. */
export const IMPORT_CHARS = 200_000;
/** Bytes that wait for the reader of a large answer, so that others can write while a person reads. */
export const AHEAD_BYTES_MAX: number = 16 * 1024 * 1024;
/** Bytes of a file that is opened with --open, which is in memory as a whole. */
export const OPENED_BYTES_MAX: number = 512 * 1024 * 1024;
/** Characters of a value that are looked at for one cell of a table. */
export const CELL_CHARS_MAX = 4_096;
/** A column is not made narrower than this; if there is no room, the values of a row are listed below each other. */
export const COLUMN_CELLS_MIN = 6;
/** Names that are kept for completion. */
export const NAMES_MAX = 10_000;
