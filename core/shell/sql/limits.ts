/** Bounds of the command `sql`, each with the reason for its value. */

/** A statement that has not ended: as much as the database takes of one, in letters. A quote without an end takes no more. */
export const STATEMENT_CHARS_MAX: number = 1024 * 1024;
/** A record of a CSV file: a quote without an end would take all of the file. More than a row may have in the database. */
export const CSV_RECORD_CHARS_MAX: number = 4 * 1024 * 1024;
/** Records by which types are guessed. Later ones that fit none are kept as text all the same. */
export const GUESSED_RECORDS = 1_000;
/** Statements of a file that become one transaction, in letters: well below what a transaction may change. */
export const IMPORT_CHARS = 200_000;
/** What waits for the reader of a large answer, so that others can write while a person reads. */
export const AHEAD_BYTES_MAX: number = 16 * 1024 * 1024;
/** A file that is opened to be read is in memory as a whole. */
export const OPENED_BYTES_MAX: number = 512 * 1024 * 1024;
/** Of a value that are looked at for one cell of a table. */
export const CELL_CHARS_MAX = 4_096;
/** A column of a table is not made narrower than that; where there is no room, rows stand one below the other. */
export const COLUMN_CELLS_MIN = 6;
/** Names that completion shows, and that are kept. */
export const NAMES_MAX = 10_000;
