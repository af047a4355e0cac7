import assert from 'node:assert/strict';
import test from 'node:test';
import { conflicts, hostPortClaims } from '#api/host-ports.ts';

test('host ports: those of containers and sidecars, by address and protocol', () => {
  const claims = hostPortClaims({
    spec: {
      containers: [{ ports: [{ hostPort: 80 }, { hostPort: 53, protocol: 'UDP', hostIP: '127.0.0.1' }, {}] }, {}],
      initContainers: [{ ports: [{ hostPort: 1 }] }, { restartPolicy: 'Always', ports: [{ hostPort: 2 }] }],
    },
  });
  assert.deepEqual(claims, [
    { protocol: 'TCP', port: 80, address: '0.0.0.0' },
    { protocol: 'UDP', port: 53, address: '127.0.0.1' },
    { protocol: 'TCP', port: 2, address: '0.0.0.0' },
  ]);
});

test('host ports: one port of one protocol at addresses that overlap', () => {
  const claim = (port: number, protocol: string, address: string) => ({ port, protocol, address });
  const own = claim(80, 'TCP', '10.0.0.1');
  assert.ok(conflicts(own, own));
  assert.ok(conflicts(own, claim(80, 'TCP', '0.0.0.0')));
  assert.ok(conflicts(claim(80, 'TCP', '0.0.0.0'), own));
  for (const other of [claim(81, 'TCP', '10.0.0.1'), claim(80, 'UDP', '10.0.0.1'), claim(80, 'TCP', '10.0.0.2')])
    assert.ok(!conflicts(own, other));
});
