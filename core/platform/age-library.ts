/** What of age's library is used: a file of its own, so that a page loads it when something is sealed or opened. */
export { Decrypter, Encrypter, Stanza } from "age-encryption";
