/** Every bound of people and of what nodes tell of themselves to be written to, each with its reason. */

/** The map of cards: 5,000 members with 800 bytes each, and as many who were some within two months. */
export const PEOPLE_MAP_BYTES_MAX: number = 8 * 1024 * 1024;
/** Letters of a node's name on its card: names that people give have as many. */
export const CARD_NAME_CHARS_MAX = 32;
/** A card holds for so long after its node told it last: as long as mail to that node waits, and as long again. */
export const CARD_KEPT_MS: number = 60 * 24 * 3_600_000;
/** It is told anew this often, … */
export const CARD_RENEWED_MS: number = 7 * 24 * 3_600_000;
/** … which is looked at this often; a node that could not tell it (no clock yet, a full map) tries again then. */
export const CARD_LOOK_MS = 5_000;
/** Nodes of one person. Each of them gets a new key by mail when one is removed. */
export const NODES_PER_PERSON_MAX = 32;
/** Former keys of a person that a node keeps, and for how long: mail to them may still come. */
export const FORMER_KEYS_MAX = 8;
export const FORMER_KEPT_MS: number = 60 * 24 * 3_600_000;
/** How long a code to join is good: as long as it takes to walk to the other machine. */
export const CODE_MS: number = 10 * 60_000;
/** Secret bytes of a code: who guesses, at one guess a request, never gets there; nor does who has recorded the answer. */
export const CODE_SECRET_BYTES = 10;
/** Wrong codes, whoever they come from, after which the code is good no more: nobody mistypes so often. */
export const WRONG_CODES_MAX = 8;
/** How long a node that is asked to let another in may take. */
export const JOIN_MS = 20_000;
