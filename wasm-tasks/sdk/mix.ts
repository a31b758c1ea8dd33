/** Numbers that look random and follow from a count: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014). */
export function mixed(count: u64): u64 {
  let z = count * 0x9e3779b97f4a7c15 + 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}
