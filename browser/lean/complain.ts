/**
 * What a function that is left out of the page throws. libp2p catches much and tells only its log, which the page has not:
 * so it is said aloud as well, and the tests of the page, which allow nothing in the console, see it.
 */
export function leftOut(name: string): Error {
  const error = new Error(`${name} is left out of the page`);
  console.error(error);
  return error;
}
