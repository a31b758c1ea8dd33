/**
 * The parts of age's library that are used, in a file of their own, so that a page loads them only when something is
 * sealed or opened.
 */
export { Decrypter, Encrypter, Stanza } from "age-encryption";
