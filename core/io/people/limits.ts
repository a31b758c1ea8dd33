/** Every bound of people and of cards, with its reason. */

/** The map of cards: 5,000 members with 800 bytes each, and as many former members of the last two months. */
export const PEOPLE_MAP_BYTES_MAX: number = 8 * 1024 * 1024;
/** Letters of a node's name on its card, as many as names of people have. */
export const CARD_NAME_CHARS_MAX = 32;
/**
 * A person's picture, and each of its sides in pixels: it is shown small, beside a name. The page makes any picture fit
 * into 96 × 96 pixels, which takes 2 to 6 kB.
 */
export const PICTURE_BYTES_MAX: number = 16 * 1024;
export const PICTURE_SIDE_MAX = 256;
/** The file from which a picture is made: what a camera takes. */
export const PICTURE_FILE_BYTES_MAX: number = 32 * 1024 * 1024;
/** The map of pictures: of 800 people with 4 kB each. What is refused stays in it for up to a minute. */
export const PICTURES_MAP_BYTES_MAX: number = 4 * 1024 * 1024;
export const PICTURES_BYTES_MAX: number = 3 * 1024 * 1024;
/** Pictures of people without a card that are looked at again when cards come; all others within a minute. */
export const PICTURES_EARLY_MAX = 256;
/** How often a node checks whether its person's picture has to be published again. */
export const PICTURE_LOOK_MS = 3_600_000;
/**
 * How far in the future the time of a card or picture may lie: the clock of its node may have been ahead. One from
 * further in the future is not accepted, because it would hide all later ones.
 */
export const AHEAD_MS_MAX: number = 15 * 60_000;
/** How long a card is kept after its node published it: twice as long as mail for that node waits. */
export const CARD_KEPT_MS: number = 60 * 24 * 3_600_000;
/** A card is published again this often. */
export const CARD_RENEWED_MS: number = 7 * 24 * 3_600_000;
/**
 * How often a node checks whether its card is due. If it could not publish it (clock not set, map full), it tries again
 * then.
 */
export const CARD_LOOK_MS = 5_000;
/** Nodes of one person. Each of them gets a new key by mail when one is removed. */
export const NODES_PER_PERSON_MAX = 32;
/** Former keys of a person that a node keeps, and for how long: mail to them may still arrive. */
export const FORMER_KEYS_MAX = 8;
export const FORMER_KEPT_MS: number = 60 * 24 * 3_600_000;
/** How long a join code works: as long as it takes to walk to the other machine. */
export const CODE_MS: number = 10 * 60_000;
/**
 * Secret bytes of a code. They can't be guessed with a request for each guess, nor be found by trying all of them on a
 * recorded answer.
 */
export const CODE_SECRET_BYTES = 10;
/** Wrong codes, from whomever, after which the code no longer works: nobody mistypes so often. */
export const WRONG_CODES_MAX = 8;
/** How long a node may take to let another one in. */
export const JOIN_MS = 20_000;
