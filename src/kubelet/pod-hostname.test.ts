import assert from 'node:assert/strict';
import test from 'node:test';
import type { PodSpec } from '#api/generated/core-v1.ts';
import { aPod } from '#kubelet/fixtures.ts';
import { kernelHostname, podNames } from '#kubelet/pod-hostname.ts';

const named = (spec: Partial<PodSpec>, name = 'web') => {
  const pod = aPod(spec);
  return { ...pod, metadata: { ...pod.metadata, name } };
};

// What programs see, and what the pod's hosts file says of it: the tables of KEP-1797 and KEP-4762.
const cases: readonly {
  readonly name: string;
  readonly spec: Partial<PodSpec>;
  readonly called?: string;
  readonly want: readonly [kernel: string, hostname: string, domain: string];
}[] = [
  { name: 'the name of the pod', spec: {}, want: ['web', 'web', ''] },
  { name: 'a hostname', spec: { hostname: 'a' }, want: ['a', 'a', ''] },
  { name: 'an empty hostname is none', spec: { hostname: '' }, want: ['web', 'web', ''] },
  {
    name: 'a subdomain changes nothing for programs',
    spec: { hostname: 'a', subdomain: 's' },
    want: ['a', 'a', 's.default.svc.cluster.local'],
  },
  {
    name: 'unless they are to see it',
    spec: { hostname: 'a', subdomain: 's', setHostnameAsFQDN: true },
    want: ['a.s.default.svc.cluster.local', 'a', 's.default.svc.cluster.local'],
  },
  { name: 'without a subdomain there is no FQDN', spec: { setHostnameAsFQDN: true }, want: ['web', 'web', ''] },
  {
    name: 'an override stands for all of it',
    spec: { hostnameOverride: 'db.example.com', hostname: 'a', subdomain: 's' },
    want: ['db.example.com', 'db.example.com', ''],
  },
  { name: 'a name of 63', spec: {}, called: 'n'.repeat(63), want: ['n'.repeat(63), 'n'.repeat(63), ''] },
  { name: 'a longer one is cut', spec: {}, called: 'n'.repeat(64), want: ['n'.repeat(63), 'n'.repeat(63), ''] },
  {
    name: 'and does not end in what a hostname may not end in',
    spec: {},
    called: `${'n'.repeat(60)}-.-x`,
    want: ['n'.repeat(60), 'n'.repeat(60), ''],
  },
  {
    name: 'an override of 64 is cut',
    spec: { hostnameOverride: `${'n'.repeat(62)}.x` },
    want: ['n'.repeat(62), 'n'.repeat(62), ''],
  },
];
for (const { name, spec, called, want } of cases) {
  test(`hostname: ${name}`, () => {
    const pod = named(spec, called);
    const { hostname, domain } = podNames(pod);
    assert.deepEqual([kernelHostname(pod), hostname, domain], want);
  });
}

test('hostname: an FQDN of 64 is the longest', () => {
  const spec = { subdomain: 's', setHostnameAsFQDN: true };
  const rest = '.s.default.svc.cluster.local'.length;
  assert.equal(kernelHostname(named(spec, 'n'.repeat(64 - rest))).length, 64);
  const long = 'n'.repeat(65 - rest);
  assert.throws(() => kernelHostname(named(spec, long)), {
    message: `failed to construct FQDN from pod hostname and cluster domain, FQDN ${long}.s.default.svc.cluster.local is too long (64 characters is the max, 65 characters requested)`,
  });
});
