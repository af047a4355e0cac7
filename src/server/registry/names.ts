/** Letters and digits that cannot form words or be mistaken for one another, as upstream's generated names. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const SUFFIX_LENGTH = 5;
/** With the suffix a generated name is a valid label: 63 characters. */
const LONGEST_BASE = 63 - SUFFIX_LENGTH;

export function generateName(base: string, random: () => number): string {
  let suffix = '';
  for (let i = 0; i < SUFFIX_LENGTH; i++) suffix += ALPHABET[Math.floor(random() * ALPHABET.length)];
  return base.slice(0, LONGEST_BASE) + suffix;
}
