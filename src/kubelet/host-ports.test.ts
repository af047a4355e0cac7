import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aContainer, aPod, aSandbox } from '#kubelet/fixtures.ts';
import { hostPorts, portMappings } from '#kubelet/host-ports.ts';

const ports = [{ containerPort: 80, hostPort: 8080 }, { containerPort: 81 }, { containerPort: 82, hostPort: 0 }];
const web = aContainer('web', { ports });

test('portMappings: of main containers and sidecars, not of init containers', () => {
  const [init, sidecar] = [aContainer('init', { ports: [{ containerPort: 1, hostPort: 1 }] }), aContainer('side')];
  const side = { ...sidecar, restartPolicy: 'Always' as const, ports: [{ containerPort: 2, hostPort: 2 }] };
  const found = portMappings(aPod({ initContainers: [init, side], containers: [web] }));
  assert.deepEqual(
    found.map(({ hostPort, containerPort, protocol }) => [hostPort, containerPort, protocol]),
    [
      [2, 2, 'TCP'],
      [8080, 80, 'TCP'],
    ],
  );
});

test('portMappings: a pod in the network of its host needs none', () =>
  assert.deepEqual(portMappings(aPod({ hostNetwork: true, containers: [web] })), []));

test('hostPorts: open while the sandbox lives', () => {
  const pod = aPod({ containers: [web] });
  const sandbox = aSandbox();
  assert.deepEqual(
    hostPorts(pod, { sandboxes: [sandbox] }).map(({ hostPort, addresses }) => [hostPort, addresses]),
    [[8080, sandbox.addresses]],
  );
  assert.deepEqual(hostPorts(pod, { sandboxes: [aSandbox(0, { state: 'not-ready' })] }), []);
  assert.deepEqual(hostPorts(pod, { sandboxes: [] }), []);
  assert.deepEqual(hostPorts(undefined, { sandboxes: [sandbox] }), []);
});
