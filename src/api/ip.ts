/** IP addresses as texts. Leading zeros in IPv4 are taken as decimal, as upstream does for what is stored already. */
export type IpFamily = 'IPv4' | 'IPv6';

/** Undefined for what is no address. */
export function ipFamilyOf(text: string): IpFamily | undefined {
  if (isIpv4(text)) return 'IPv4';
  return isIpv6(text) ? 'IPv6' : undefined;
}

/** `10.0.0.0/8`, `fd00::/64`. */
export function isCidr(text: string): boolean {
  const slash = text.indexOf('/');
  const family = slash < 0 ? undefined : ipFamilyOf(text.slice(0, slash));
  const bits = text.slice(slash + 1);
  return family !== undefined && /^[0-9]{1,3}$/.test(bits) && Number(bits) <= (family === 'IPv4' ? 32 : 128);
}

/** One address of either family at most. */
export const isDualStack = (texts: readonly string[]): boolean => {
  const families = new Set(texts.map(ipFamilyOf));
  return families.has('IPv4') && families.has('IPv6');
};

const isIpv4 = (text: string): boolean =>
  /^[0-9]{1,3}(\.[0-9]{1,3}){3}$/.test(text) && text.split('.').every((part) => Number(part) <= 255);

function isIpv6(text: string): boolean {
  if (!text.includes(':')) return false;
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')));
  let count = 0;
  const all = groups.flat();
  for (const [index, group] of all.entries()) {
    if (index === all.length - 1 && isIpv4(group)) count += 2;
    else if (/^[0-9a-fA-F]{1,4}$/.test(group)) count += 1;
    else return false;
  }
  return halves.length === 2 ? count < 8 : count === 8;
}
