import assert from 'node:assert/strict';
import test from 'node:test';
import type { Service, ServicePort } from '#api/generated/core-v1.ts';
import { aPod } from '#kubelet/fixtures.ts';
import { serviceVariables } from '#kubelet/service-variables.ts';

const service = (
  name: string,
  clusterIP: string | undefined,
  { namespace = 'default', ports = [{ port: 80 }] }: { namespace?: string; ports?: readonly ServicePort[] } = {},
): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { ...aPod().metadata, name, namespace },
  spec: { ...(clusterIP === undefined ? {} : { clusterIP }), ports },
});
const master = service('kubernetes', '10.96.0.1', { ports: [{ name: 'https', port: 443, protocol: 'TCP' }] });
const masterVariables = {
  KUBERNETES_SERVICE_HOST: '10.96.0.1',
  KUBERNETES_SERVICE_PORT: '443',
  KUBERNETES_SERVICE_PORT_HTTPS: '443',
  KUBERNETES_PORT: 'tcp://10.96.0.1:443',
  KUBERNETES_PORT_443_TCP: 'tcp://10.96.0.1:443',
  KUBERNETES_PORT_443_TCP_PROTO: 'tcp',
  KUBERNETES_PORT_443_TCP_PORT: '443',
  KUBERNETES_PORT_443_TCP_ADDR: '10.96.0.1',
};
const variables = (services: readonly Service[], namespace: string, links = true): Record<string, string> =>
  Object.fromEntries(serviceVariables(services, { namespace, links }));

test('serviceVariables: every pod is told of kubernetes, with and without links', () => {
  for (const links of [true, false]) {
    assert.deepEqual(variables([master], 'elsewhere', links), masterVariables);
    assert.deepEqual(variables([master], 'default', links), masterVariables);
  }
});

test('serviceVariables: of others those of its namespace, if it wants them; none without an address', () => {
  const all = [
    service('redis-primary', '10.96.0.11', { namespace: 'shop' }),
    service('other', '10.96.0.12'),
    service('headless', 'None', { namespace: 'shop' }),
    service('new', undefined, { namespace: 'shop' }),
    service('external', '', { namespace: 'shop' }),
  ];
  assert.deepEqual(variables(all, 'shop', false), {});
  assert.deepEqual(variables(all, 'shop'), {
    REDIS_PRIMARY_SERVICE_HOST: '10.96.0.11',
    REDIS_PRIMARY_SERVICE_PORT: '80',
    REDIS_PRIMARY_PORT: 'tcp://10.96.0.11:80',
    REDIS_PRIMARY_PORT_80_TCP: 'tcp://10.96.0.11:80',
    REDIS_PRIMARY_PORT_80_TCP_PROTO: 'tcp',
    REDIS_PRIMARY_PORT_80_TCP_PORT: '80',
    REDIS_PRIMARY_PORT_80_TCP_ADDR: '10.96.0.11',
  });
});

test('serviceVariables: several ports, of which the first gives the short names; IPv6 in brackets', () => {
  const ports = [
    { name: 'dns-udp', port: 53, protocol: 'UDP' as const },
    { name: 'dns', port: 53 },
  ];
  assert.deepEqual(variables([service('dns', 'fd00::10', { ports })], 'default'), {
    DNS_SERVICE_HOST: 'fd00::10',
    DNS_SERVICE_PORT: '53',
    DNS_SERVICE_PORT_DNS_UDP: '53',
    DNS_SERVICE_PORT_DNS: '53',
    DNS_PORT: 'udp://[fd00::10]:53',
    DNS_PORT_53_UDP: 'udp://[fd00::10]:53',
    DNS_PORT_53_UDP_PROTO: 'udp',
    DNS_PORT_53_UDP_PORT: '53',
    DNS_PORT_53_UDP_ADDR: 'fd00::10',
    DNS_PORT_53_TCP: 'tcp://[fd00::10]:53',
    DNS_PORT_53_TCP_PROTO: 'tcp',
    DNS_PORT_53_TCP_PORT: '53',
    DNS_PORT_53_TCP_ADDR: 'fd00::10',
  });
});

test('serviceVariables: a Service called kubernetes of the pod’s namespace hides the other, where there are links', () => {
  const own = service('kubernetes', '10.96.0.7', { namespace: 'shop' });
  assert.equal(variables([own, master], 'shop')['KUBERNETES_SERVICE_HOST'], '10.96.0.7');
  assert.equal(variables([own, master], 'shop')['KUBERNETES_SERVICE_PORT_HTTPS'], undefined);
  assert.equal(variables([own, master], 'shop', false)['KUBERNETES_SERVICE_HOST'], '10.96.0.1');
});
