import assert from 'node:assert/strict';
import test from 'node:test';
import { ipFamilyOf, isCidr, isDualStack } from '#api/ip.ts';

const table: readonly (readonly [string, string | undefined])[] = [
  ['10.244.1.3', 'IPv4'],
  ['010.000.000.001', 'IPv4'],
  ['256.1.1.1', undefined],
  ['1.2.3', undefined],
  ['1.2.3.4.5', undefined],
  ['', undefined],
  ['::', 'IPv6'],
  ['::1', 'IPv6'],
  ['fd00:10:244:1::3', 'IPv6'],
  ['1:2:3:4:5:6:7:8', 'IPv6'],
  ['1:2:3:4:5:6:7', undefined],
  ['1:2:3:4:5:6:7::8', undefined],
  ['1:2:3:4:5:6:7:8:9', undefined],
  ['1::2::3', undefined],
  ['::ffff:1.2.3.4', 'IPv6'],
  ['::1.2.3.4:1', undefined],
  ['12345::', undefined],
  [':1', undefined],
  ['fe80::1%eth0', undefined],
];
for (const [text, want] of table) {
  test(`ip: ${JSON.stringify(text)} is ${want ?? 'no address'}`, () => assert.equal(ipFamilyOf(text), want));
}

test('ip: ranges', () => {
  for (const right of ['10.0.0.0/8', '0.0.0.0/0', 'fd00::/64', '::/128']) assert.equal(isCidr(right), true, right);
  for (const wrong of ['10.0.0.0', '10.0.0.0/33', '::/129', '/8', '10.0.0.0/', '10.0.0.0/a']) {
    assert.equal(isCidr(wrong), false, wrong);
  }
});

test('ip: one of each family', () => {
  assert.equal(isDualStack(['10.0.0.1', '::1']), true);
  assert.equal(isDualStack(['10.0.0.1', '10.0.0.2']), false);
});
